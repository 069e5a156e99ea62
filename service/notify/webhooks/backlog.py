"""How much waits for each webhook: the more, the later comes by again who found no place.

So what a dead receiver costs does not grow with what waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from service.domain.delivery import Channel
from service.store import deliveries
from service.store.database import Database

COUNTED_SECONDS = 10.0
"""For so long a count is taken for what waits now."""
PER_SECOND = 100.0
FAILING_PER_SECOND = 10.0
"""So many lanes at most, about, come by in a second; where a webhook fails, each comes in vain."""
BUSY_SECONDS_MAX = 600.0


@dataclass(frozen=True, slots=True)
class _Counted:
    waiting: int
    at: float


class Backlog:
    """Counts what waits for a webhook, now and then and not for each call."""

    def __init__(
        self, database: Database, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with none."""
        self._database = database
        self._monotonic = monotonic
        self._counted: dict[UUID, _Counted] = {}
        # One counts at a time; those who wait for the same find it counted.
        self._counting = asyncio.Lock()

    async def busy_seconds(self, business_id: str, webhook_id: UUID, *, is_failing: bool) -> float:
        """Return how long who found no place is to stay away."""
        async with self._counting:
            counted = self._counted.get(webhook_id)
            if counted is None or self._is_old(counted):
                counted = await self._count(business_id, webhook_id)
        per_second = FAILING_PER_SECOND if is_failing else PER_SECOND
        return min(counted.waiting / per_second, BUSY_SECONDS_MAX)

    async def _count(self, business_id: str, webhook_id: UUID) -> _Counted:
        target = str(webhook_id)
        async with self._database.snapshot(business_id) as tx:
            found = await deliveries.counts(tx, business_id, Channel.WEBHOOK, [target])
        waiting = found.get(target, deliveries.Count()).waiting
        self._counted = {
            each: kept for each, kept in self._counted.items() if not self._is_old(kept)
        }
        counted = self._counted[webhook_id] = _Counted(waiting, self._monotonic())
        return counted

    def _is_old(self, counted: _Counted) -> bool:
        return self._monotonic() - counted.at >= COUNTED_SECONDS
