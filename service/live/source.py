"""PostgreSQL, as the watch path reads it: the truth that hints and replicas are held against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
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
from service.store import bookings, changes, snapshots
from service.store.changes import Head, Heads
from service.store.database import Database, is_retryable
from service.store.scope import ALL_BUSINESSES, Scope

READ_SECONDS_MAX = 5.0
LOADING_SECONDS_MAX = 30.0
CLAIMS_PER_TURN = 2_000
"""So many claims are put into a book before others get their turn on the event loop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A business at one revision, ready for a replica."""

    epoch: str
    revision: int
    as_of: datetime
    catalog: Catalog
    claims: ClaimBook


class Source:
    """Reads, each in its own snapshot and a bounded time. Overloaded: it cannot be read."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def heads(self, business_ids: Sequence[str]) -> Heads:
        """Return how far businesses are."""
        async with self._reading(ALL_BUSINESSES) as tx:
            return await changes.heads(tx, business_ids)

    async def load(self, business_id: str) -> Loaded | None:
        """Load a business; None: there is none."""
        async with self._reading(business_id, LOADING_SECONDS_MAX) as tx:
            found = await snapshots.load_business(tx, business_id)
        if found is None:
            return None
        return Loaded(
            epoch=found.epoch,
            revision=found.revision,
            as_of=found.as_of,
            catalog=found.catalog,
            claims=await _book_of(found.claims),
        )

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


async def _book_of(claims: list[Claim]) -> ClaimBook:
    book = ClaimBook()
    for start in range(0, len(claims), CLAIMS_PER_TURN):
        for claim in claims[start : start + CLAIMS_PER_TURN]:
            book.add(claim)
        await asyncio.sleep(0)
    return book


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
        answer = self._asked.get(business_id)
        if answer is None:
            answer = self._asked[business_id] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await asyncio.shield(answer)

    async def stop(self) -> None:
        """End what runs, and with it those who wait for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

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
            for answer in asked.values():
                answer.set_exception(error)
                # Whoever asked may have gone; then nobody is left to be told.
                answer.exception()
            return
        for business_id, answer in asked.items():
            answer.set_result((heads.by_business.get(business_id), heads.as_of))
