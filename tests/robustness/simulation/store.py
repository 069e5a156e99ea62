"""PostgreSQL as the watch path reads it: snapshots, behind delays, failures and cuts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from service.domain.availability import ClaimBook
from service.domain.booking import Booking
from service.domain.change import Change
from service.domain.claim import Claim
from service.domain.errors import Overloaded
from service.domain.interval import Interval
from service.live.source import (
    LOADING_SECONDS_MAX,
    READ_SECONDS_MAX,
    Loaded,
    Part,
    Renewal,
    Source,
)
from service.store.changes import Head, Heads
from tests.robustness.simulation.loop import VirtualLoop
from tests.robustness.simulation.truth import Life, State, Truth

Answer = TypeVar("Answer")
DELAY_SECONDS_MAX, DELAY_SECONDS_MAX_SLOW = 0.02, 0.8
RETRANSMIT_SECONDS_MAX = 0.3
"""After a cut, what was under way arrives so late, or the connection is found broken."""


@dataclass(slots=True)
class Link:
    """The way from one process to PostgreSQL."""

    slow_until: float = 0.0
    fails_until: float = 0.0
    cut_until: float = 0.0
    loses: float = 0.0

    def slow_down(self, until: float) -> None:
        """Take longer, up to an instant."""
        self.slow_until = max(self.slow_until, until)

    def fail(self, until: float) -> None:
        """Fail half of the time, up to an instant."""
        self.fails_until = max(self.fails_until, until)

    def cut(self, until: float, loses: float) -> None:
        """Let nothing come through up to an instant, and lose some of it."""
        self.cut_until, self.loses = max(self.cut_until, until), loses

    def delay_seconds_max(self, now: float) -> float:
        """Return how long a message may take."""
        return DELAY_SECONDS_MAX_SLOW if now < self.slow_until else DELAY_SECONDS_MAX

    def failures(self, now: float) -> float:
        """Return how much of what is asked fails."""
        return 0.5 if now < self.fails_until else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process was told: how the business was, and the database's clock, at `taken_at`."""

    asked_at: float
    taken_at: float
    answered_at: float
    as_of: datetime
    epoch: str
    revision: int


class Store:
    """The server. What it does is done in its own time, also while the one who asks is paused."""

    def __init__(self, loop: VirtualLoop, truth: Truth, chance: Random) -> None:
        """Take what is true."""
        self.truth = truth
        self.links: dict[str, Link] = defaultdict(Link)
        self.readings: dict[str, list[Reading]] = defaultdict(list)
        # When each process asked how far businesses are.
        self.heads_asked: dict[str, list[float]] = defaultdict(list)
        self._loop = loop
        self._chance = chance

    async def ask(self, process: str, serve: Callable[[], Answer]) -> Answer:
        """Have something done at once by the server; wait for the answer."""
        answer = self._loop.create_future()
        self._send(process, answer, self._serve, process, serve, answer)
        done: Answer = await answer
        return done

    async def read(self, process: str, serve: Callable[[], Answer], seconds_max: float) -> Answer:
        """Read as `Source` does: in a bounded time; raise Overloaded where it cannot be."""
        try:
            async with asyncio.timeout(seconds_max):
                return await self.ask(process, serve)
        except (TimeoutError, OSError) as error:
            raise Overloaded("The database cannot be read. Retry.") from error

    def _serve(self, process: str, serve: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        if self._chance.random() < self.links[process].failures(self._loop.time()):
            # Half of the failures come when the work is done: its outcome is then unknown.
            if self._chance.random() < 0.5:
                serve()
            self._send(process, answer, _fail, answer)
            return
        self._send(process, answer, _succeed, answer, serve())

    def _send(
        self,
        process: str,
        answer: asyncio.Future[Any],
        arrive: Callable[..., None],
        *args: Any,
    ) -> None:
        link, now = self.links[process], self._loop.time()
        at = now + self._chance.uniform(0.0002, link.delay_seconds_max(now))
        if now < link.cut_until:
            at = link.cut_until + self._chance.uniform(0, RETRANSMIT_SECONDS_MAX)
            if self._chance.random() < link.loses:
                arrive, args = _fail, (answer,)
        self._loop.call_at(at, arrive, *args, context=Context())


def _succeed(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(ConnectionError("The connection was lost."))


@dataclass(frozen=True, slots=True)
class _Snapshot:
    taken_at: float
    as_of: datetime
    life: Life | None
    state: State | None

    @property
    def head(self) -> Head | None:
        if self.life is None or self.state is None:
            return None
        return Head(revision=self.state.revision, epoch=self.life.epoch)


class SimulatedSource(Source):
    """Answers of the truth. What the real one does in SQL is the business of other tests."""

    def __init__(self, process: str, store: Store, loop: VirtualLoop, *, renewal_max: int) -> None:
        """Take who asks whom, and over how many changes a business is loaded anew."""
        self._process = process
        self._store = store
        self._loop = loop
        self._renewal_max = renewal_max

    async def heads(self, business_ids: Sequence[str]) -> Heads:
        asked_at = self._loop.time()
        self._store.heads_asked[self._process].append(asked_at)
        found = await self._read(self._snapshot)
        head = found.head
        if head is not None:
            self._note(asked_at, found)
        by_business = {each: head for each in business_ids if head is not None}
        return Heads(as_of=found.as_of, by_business=by_business)

    async def load(self, business_id: str) -> Loaded | None:
        asked_at = self._loop.time()
        found = await self._read(self._snapshot, LOADING_SECONDS_MAX)
        if found.life is None or found.state is None:
            return None
        self._note(asked_at, found)
        return Loaded(
            epoch=found.life.epoch,
            revision=found.state.revision,
            as_of=found.as_of,
            catalog=found.state.catalog,
            claims=ClaimBook(found.state.claims.values()),
        )

    async def renewal(self, business_id: str, epoch: str, revision: int) -> Renewal | None:
        asked_at = self._loop.time()
        found, log = await self._read(
            lambda: (self._snapshot(), self._log(revision, self._renewal_max)), LOADING_SECONDS_MAX
        )
        life, state = found.life, found.state
        if life is None or state is None or life.epoch != epoch:
            return None
        if [change.revision for change in log] != list(range(revision + 1, state.revision + 1)):
            return None
        if any(change.reloads_all for change in log):
            return None
        self._note(asked_at, found)
        books = {
            calendar_id: ClaimBook(_on(state.claims, calendar_id))
            for change in log
            for calendar_id in change.reread_calendar_ids or ()
        }
        return Renewal(
            revision=state.revision,
            as_of=found.as_of,
            changes=log,
            catalog=state.catalog if any(change.changes_catalog for change in log) else None,
            claims=books,
        )

    async def log_after(
        self, business_id: str, revision: int, limit: int
    ) -> tuple[Head | None, list[Change]]:
        found, log = await self._read(lambda: (self._snapshot(), self._log(revision, limit)))
        return found.head, log

    @asynccontextmanager
    async def part(self, business_id: str) -> AsyncIterator[Part | None]:
        asked_at = self._loop.time()
        found = await self._read(self._snapshot)
        if found.life is None or found.state is None:
            yield None
            return
        self._note(asked_at, found)
        yield SimulatedPart(self, found.life.epoch, found.state, found.as_of)

    async def bookings(self, business_id: str, ids: Iterable[UUID]) -> dict[UUID, Booking]:
        return {}

    async def wait(self) -> None:
        """Wait as for another answer."""
        await self._read(lambda: None)

    async def _read(
        self, serve: Callable[[], Answer], seconds_max: float = READ_SECONDS_MAX
    ) -> Answer:
        return await self._store.read(self._process, serve, seconds_max)

    def _snapshot(self) -> _Snapshot:
        now, truth = self._loop.time(), self._store.truth
        state = None if truth.life is None else truth.life.head
        return _Snapshot(now, truth.clock(now), truth.life, state)

    def _log(self, after: int, limit: int) -> list[Change]:
        life = self._store.truth.life
        return [] if life is None else life.log_after(after, limit)

    def _note(self, asked_at: float, found: _Snapshot) -> None:
        assert found.life is not None
        assert found.state is not None
        self._store.readings[self._process].append(
            Reading(
                asked_at=asked_at,
                taken_at=found.taken_at,
                answered_at=self._loop.time(),
                as_of=found.as_of,
                epoch=found.life.epoch,
                revision=found.state.revision,
            )
        )


class SimulatedPart(Part):
    """A snapshot that is read piece by piece."""

    def __init__(self, source: SimulatedSource, epoch: str, state: State, as_of: datetime) -> None:
        """Take the state that it shows."""
        self.epoch, self.revision = epoch, state.revision
        self.as_of, self.catalog = as_of, state.catalog
        self._source = source
        self._claims = ClaimBook(state.claims.values())

    async def claims_in(self, windows: Iterable[tuple[str, Interval]]) -> list[Claim]:
        await self._source.wait()
        return [
            claim
            for calendar_id, window in windows
            for claim in self._claims.overlapping(calendar_id, window.start, window.end)
        ]


def _on(claims: Mapping[UUID, Claim], calendar_id: str) -> Iterable[Claim]:
    return (claim for claim in claims.values() if claim.calendar_id == calendar_id)
