"""Which ground an answer stands on: the replica, or PostgreSQL while the replica is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.domain.errors import ResourceNotFound, RevisionAhead
from service.domain.ids import business_name
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.follower import AHEAD_RETRY_SECONDS, Follower
from service.live.ground import DirectGround, Ground, ReplicaGround
from service.live.limits import LiveLimits
from service.live.source import Source

DIRECT_READS_MAX = 2
"""How many answers are worked out from PostgreSQL at a time, each with one connection."""
DIRECT_WAITING_MAX = 64
"""How many have or await such a turn; any more wait for the replica."""


class Grounds:
    """Finds the ground of each answer. A replica that is not there is loaded after the answer."""

    def __init__(
        self,
        *,
        follower: Follower,
        source: Source,
        days: DayCache,
        clock: DatabaseClock,
        monotonic: Callable[[], float],
        limits: LiveLimits,
    ) -> None:
        """Begin with nobody waiting."""
        self._follower = follower
        self._source = source
        self._days = days
        self._clock = clock
        self._monotonic = monotonic
        self._limits = limits
        self._turns = asyncio.Semaphore(DIRECT_READS_MAX)
        self._waiting = 0

    @asynccontextmanager
    async def proved(self, business_id: str, min_revision: int = 0) -> AsyncIterator[Ground]:
        """Yield a business as new as any answer given before this call.

        ResourceNotFound: no such business. RevisionAhead: `min_revision` did not come in time.
        """
        until = self._monotonic() + self._limits.revision_wait_seconds_max
        while not self._follower.is_loaded(business_id) and self._waiting < DIRECT_WAITING_MAX:
            async with self._turn(), self._direct(business_id) as ground:
                if ground is not None and ground.revision >= min_revision:
                    yield ground
                    return
            if ground is not None:
                await self._wait_for_ahead(until)
        fresh = await self._follower.get(business_id, min_revision=min_revision)
        yield ReplicaGround(fresh.replica, self._days, fresh.as_of)

    @asynccontextmanager
    async def at_least(self, business_id: str, revision: int) -> AsyncIterator[Ground]:
        """Yield a business at a revision or later; PostgreSQL is asked only where it must be."""
        if self._follower.is_loaded(business_id):
            replica = await self._follower.at_least(business_id, revision)
            yield ReplicaGround(replica, self._days, replica.proved_as_of)
            return
        async with self.proved(business_id, revision) as ground:
            yield ground

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _direct(self, business_id: str) -> AsyncIterator[DirectGround | None]:
        """Yield a snapshot of PostgreSQL; None: the replica came while the turn was awaited."""
        if self._follower.is_loaded(business_id):
            yield None
            return
        exists = True
        asked_at = self._clock.asking()
        try:
            async with self._source.part(business_id) as part:
                if part is None:
                    exists = False
                    raise ResourceNotFound(business_name(business_id))
                self._clock.observe(part.as_of, asked_at)
                yield DirectGround(part)
        finally:
            # Not before the answer, which it would delay; also after a failure, which it may mend.
            if exists:
                self._follower.load_soon(business_id)

    async def _wait_for_ahead(self, until: float) -> None:
        if self._monotonic() >= until:
            raise RevisionAhead
        await asyncio.sleep(AHEAD_RETRY_SECONDS)
