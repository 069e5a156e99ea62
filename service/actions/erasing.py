"""Erasing: what a chat told of a person goes within a minute after their hold has lapsed.

Where a hold is booked or released, its commit erases it; but nobody commits anything when a hold
lapses.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service.ops.jitter import JITTER
from service.store import handoffs
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 30.0
BUSINESSES_MAX = 50
ROWS_MAX = 1000
ROUNDS_MAX = 100
"""One look takes so many of so many businesses, and goes on so often while there are more."""


class Eraser:
    """Looks for what is to be erased. Several processes may: each takes what the others leave."""

    def __init__(
        self, database: Database, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Do nothing yet; `pause` is what waits between two looks."""
        self._database = database
        self._pause = pause

    async def run(self) -> None:
        """Erase until cancelled."""
        while True:
            await self._pause(INTERVAL_SECONDS * JITTER.uniform(0.75, 1.25))
            try:
                erased = await self.erase()
            except Exception:
                logger.warning("erasing failed; the next look goes on", exc_info=True)
            else:
                logger.debug("erased what %d handoffs had of people", erased)

    async def erase(self) -> int:
        """Look once, and return of how many handoffs something was erased."""
        erased, failed = 0, set[str]()
        for _ in range(ROUNDS_MAX):
            async with self._database.snapshot(ALL_BUSINESSES) as tx:
                business_ids = await handoffs.lapsed_businesses(
                    tx, without=failed, limit=BUSINESSES_MAX
                )
            results = {each: await self._erase_of(each) for each in business_ids}
            now_failed = {each for each, count in results.items() if count is None}
            now_erased = sum(count or 0 for count in results.values())
            failed |= now_failed
            erased += now_erased
            if now_erased == 0 and not now_failed:
                # There is none, or those that there are are being renewed or erased by others.
                break
        return erased

    async def _erase_of(self, business_id: str) -> int | None:
        """Say how many were erased of a business; None: it failed, which keeps no other waiting."""
        try:
            async with self._database.transaction(business_id) as tx:
                return await handoffs.erase_lapsed(tx, business_id, rows_max=ROWS_MAX)
        except Exception:
            logger.warning("erasing failed in a business; the next look tries again", exc_info=True)
            return None
