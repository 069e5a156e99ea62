"""PostgreSQL, as the watch path reads it: the truth that hints and replicas are held against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service.domain.availability import ClaimBook
from service.domain.booking import Booking
from service.domain.catalog import Catalog
from service.domain.change import Change
from service.domain.claim import Claim
from service.domain.errors import Overloaded
from service.domain.interval import Interval
from service.live import heap
from service.ops.tasks import cancelled, shared
from service.store import bookings, changes, claims, snapshots
from service.store import catalog as catalog_store
from service.store.changes import Head, Heads
from service.store.database import Database, is_retryable
from service.store.scope import ALL_BUSINESSES, Scope
from service.store.snapshots import BusinessSnapshot, SnapshotHead

READ_SECONDS_MAX = 5.0
LOADING_SECONDS_MAX = 120.0
LOADS_MAX = 4
"""So many businesses are loaded or renewed at a time, each with one connection; the others wait."""
CLAIMS_PER_TURN = 250
"""So many claims are read and put into a book before others get their turn: 2 to 4 ms."""
CHANGES_PER_TURN = 250
RENEWAL_CHANGES_MAX = 2_000
"""Over so many changes a business is loaded anew rather than brought there by its log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A business at one revision, ready for a replica."""

    epoch: str
    revision: int
    as_of: datetime
    catalog: Catalog
    claims: ClaimBook


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """What leads a replica on to a revision, over changes that do not carry all they change.

    `catalog` is None where it is as it was. `claims` are all those of the calendars named.
    """

    revision: int
    as_of: datetime
    changes: Sequence[Change]
    catalog: Catalog | None
    claims: Mapping[str, ClaimBook]


class Part:
    """A business in one snapshot of PostgreSQL, whose claims are read as they are needed."""

    def __init__(self, tx: Any, found: BusinessSnapshot) -> None:
        """Take the snapshot that is open."""
        self.epoch, self.revision = found.head.epoch, found.head.revision
        self.as_of, self.catalog = found.head.as_of, found.catalog
        self._tx = tx
        self._business_id = found.head.business_id

    async def claims_in(self, windows: Iterable[tuple[str, Interval]]) -> list[Claim]:
        """Return the claims that touch any of the windows (calendar, interval)."""
        return await claims.in_windows(self._tx, self._business_id, windows)


class Source:
    """Reads, each in its own snapshot and a bounded time. Overloaded: it cannot be read."""

    def __init__(self, database: Database, *, loads_max: int = LOADS_MAX) -> None:
        """Take the database, and how many of its connections may load at a time."""
        self._database = database
        self._loads = asyncio.Semaphore(loads_max)

    async def heads(self, business_ids: Sequence[str]) -> Heads:
        """Return how far businesses are."""
        async with self._reading(ALL_BUSINESSES) as tx:
            return await changes.heads(tx, business_ids)

    async def load(self, business_id: str) -> Loaded | None:
        """Load a business; None: there is none."""
        async with self._loads, self._reading(business_id, LOADING_SECONDS_MAX) as tx:
            found = await snapshots.load_business(tx, business_id)
            if found is None:
                return None
            book = ClaimBook()
            with heap.full_collections_wait():
                async for page in claims.pages_ending_after(
                    tx, business_id, found.head.claims_after, page=CLAIMS_PER_TURN
                ):
                    for claim in page:
                        book.add(claim)
                    await asyncio.sleep(0)
                heap.set_aside(len(book))
        return Loaded(
            epoch=found.head.epoch,
            revision=found.head.revision,
            as_of=found.head.as_of,
            catalog=found.catalog,
            claims=book,
        )

    async def renewal(self, business_id: str, epoch: str, revision: int) -> Renewal | None:
        """Return what leads on from a revision; None: the business must be loaded anew."""
        async with self._loads, self._reading(business_id, LOADING_SECONDS_MAX) as tx:
            head = await snapshots.read_head(tx, business_id)
            if head is None or head.epoch != epoch:
                return None
            log = await _whole_log(tx, head, revision)
            if log is None or any(change.reloads_all for change in log):
                return None
            catalog = None
            if any(change.changes_catalog for change in log):
                catalog = await catalog_store.load(tx, business_id)
            books = {
                calendar_id: ClaimBook()
                for change in log
                for calendar_id in change.reread_calendar_ids or ()
            }
            if books:
                async for page in claims.pages_ending_after(
                    tx,
                    business_id,
                    head.claims_after,
                    page=CLAIMS_PER_TURN,
                    calendar_ids=list(books),
                ):
                    for claim in page:
                        books[claim.calendar_id].add(claim)
                    await asyncio.sleep(0)
        return Renewal(
            revision=head.revision, as_of=head.as_of, changes=log, catalog=catalog, claims=books
        )

    @asynccontextmanager
    async def part(self, business_id: str) -> AsyncIterator[Part | None]:
        """Open a snapshot of a business to answer from; None: there is none."""
        async with self._reading(business_id) as tx:
            found = await snapshots.load_business(tx, business_id)
            yield None if found is None else Part(tx, found)

    async def log_after(
        self, business_id: str, revision: int, limit: int
    ) -> tuple[Head | None, list[Change]]:
        """Return how far a business is, and its changes after a revision."""
        async with self._reading(business_id) as tx:
            _, head = await changes.head(tx, business_id)
            return head, await changes.read_after(tx, business_id, revision, limit)

    async def bookings(self, business_id: str, ids: Iterable[UUID]) -> dict[UUID, Booking]:
        """Return bookings as they are now."""
        async with self._reading(business_id) as tx:
            found = await bookings.by_ids(tx, business_id, ids)
        return {booking.booking_id: booking for booking in found}

    @asynccontextmanager
    async def _reading(
        self, scope: Scope, seconds_max: float = READ_SECONDS_MAX
    ) -> AsyncIterator[Any]:
        try:
            async with asyncio.timeout(seconds_max), self._database.snapshot(scope) as tx:
                yield tx
        except Exception as error:
            if is_retryable(error):
                raise Overloaded("The database cannot be read. Retry.") from error
            raise


async def _whole_log(tx: Any, head: SnapshotHead, after: int) -> list[Change] | None:
    """Return all changes after a revision; None: they are too many, or trimmed, or never were."""
    if not 0 <= head.revision - after <= RENEWAL_CHANGES_MAX:
        return None
    log: list[Change] = []
    while after < head.revision:
        page = await changes.read_after(tx, head.business_id, after, CHANGES_PER_TURN)
        if not page or page[0].revision != after + 1:
            return None
        log += page
        after = page[-1].revision
        await asyncio.sleep(0)
    return log


class HeadReads:
    """Answers many questions for heads with few queries.

    A question is only answered by a query that began after it was asked, so the answer proves what
    was committed before.
    """

    def __init__(self, source: Source) -> None:
        """Begin with nothing asked."""
        self._source = source
        self._asked: dict[str, asyncio.Future[tuple[Head | None, datetime]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def head(self, business_id: str) -> tuple[Head | None, datetime]:
        """Return how far a business is, and when that was read."""
        return await shared(self._ask(business_id))

    async def stop(self) -> None:
        """End what runs, and with it those who wait for it."""
        await cancelled(self._task)

    def _ask(self, business_id: str) -> asyncio.Future[tuple[Head | None, datetime]]:
        answer = self._asked.get(business_id)
        if answer is None:
            answer = self._asked[business_id] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                await self._answer(asked)
        finally:
            self._task = None

    async def _answer(self, asked: dict[str, asyncio.Future[tuple[Head | None, datetime]]]) -> None:
        try:
            heads = await self._source.heads(list(asked))
        except asyncio.CancelledError:
            for answer in asked.values():
                answer.cancel()
            raise
        except Exception as error:
            while asked:
                # The error has this frame, which must not have the answers that have the error.
                _fail(asked.popitem()[1], error)
            return
        for business_id, answer in asked.items():
            answer.set_result((heads.by_business.get(business_id), heads.as_of))


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    answer.set_exception(error)
    # Whoever asked may have gone; then nobody is left to be told.
    answer.exception()
