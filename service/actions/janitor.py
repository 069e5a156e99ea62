"""The janitor: what is old goes, a little at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from service.ops.failpoints import Failpoint, reach
from service.ops.jitter import JITTER
from service.store import jobs, trimming
from service.store.database import Database, Transaction
from service.store.scope import ALL_BUSINESSES, Scope

logger = logging.getLogger(__name__)

Trim = Callable[[Transaction], Awaitable[int]]
"""Remove some rows, and say how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long what is kept. Answers are promised for 24 h at least.

    A change that a consumer has not passed is kept for `consumer_lag_max`.
    """

    requests: timedelta
    changes: timedelta
    consumer_lag_max: timedelta = timedelta(hours=336)
    deliveries: timedelta = timedelta(days=30)
    job_log: timedelta = timedelta(hours=24)
    # An entry that has ended.
    waitlist: timedelta = timedelta(hours=24)
    # After its ticket has expired: by then no answer is repeated.
    handoffs: timedelta = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class JanitorLimits:
    """What one round does at most; the next one goes on where it stopped.

    A table takes `statements_max` statements in a round; one removes `rows_max` rows, or, of the
    log, as many of each of `businesses_max` businesses.
    """

    interval_seconds: float = 60.0
    rows_max: int = 5000
    businesses_max: int = 50
    statements_max: int = 100


@dataclass(kw_only=True, slots=True)
class Swept:
    """How many rows a round removed; `removed` are those of businesses that were deleted."""

    requests: int = 0
    claims: int = 0
    holds: int = 0
    changes: int = 0
    removed: int = 0
    deliveries: int = 0
    job_log: int = 0
    waitlist: int = 0
    handoffs: int = 0


class Janitor:
    """Trims the database from time to time. Of several processes one at a time does."""

    def __init__(
        self,
        database: Database,
        retention: Retention,
        limits: JanitorLimits,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Do nothing yet; `pause` is what waits between two rounds."""
        self._database = database
        self._retention = retention
        self._limits = limits
        self._pause = pause
        # Where the next look at the logs begins.
        self._after = ""

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            # Not all processes at once.
            await self._pause(self._limits.interval_seconds * JITTER.uniform(0.75, 1.25))
            try:
                swept = await self.sweep()
            except Exception:
                logger.warning("the janitor failed; the next round goes on", exc_info=True)
            else:
                logger.debug("the janitor removed %s", swept)

    async def sweep(self) -> Swept:
        """Do one round."""
        age, rows_max = self._retention.changes, self._limits.rows_max
        swept = Swept()
        swept.requests = await self._repeat(
            lambda tx: trimming.trim_requests(
                tx, older_than=self._retention.requests, rows_max=rows_max
            )
        )
        swept.claims = await self._repeat(
            lambda tx: trimming.trim_expired_claims(tx, older_than=age, rows_max=rows_max)
        )
        swept.holds = await self._repeat(
            lambda tx: trimming.trim_holds(tx, older_than=age, rows_max=rows_max)
        )
        swept.deliveries = await self._repeat(
            lambda tx: trimming.trim_deliveries(
                tx, older_than=self._retention.deliveries, rows_max=rows_max
            )
        )
        swept.job_log = await self._repeat(
            lambda tx: jobs.trim_log(tx, older_than=self._retention.job_log, rows_max=rows_max)
        )
        swept.waitlist = await self._repeat(
            lambda tx: trimming.trim_waitlist(
                tx, older_than=self._retention.waitlist, rows_max=rows_max
            )
        )
        swept.handoffs = await self._repeat(
            lambda tx: trimming.trim_handoffs(
                tx, older_than=self._retention.handoffs, rows_max=rows_max
            )
        )
        swept.changes = await self._sweep_logs()
        swept.removed = await self._sweep_removed()
        return swept

    async def _sweep_logs(self) -> int:
        """Look at the logs of some businesses, those that follow where the last look ended."""
        removed = 0
        for _ in range(self._limits.statements_max):
            log = trimming.TrimmedLog(0, None)

            async def trim(tx: Transaction) -> int:
                nonlocal log
                reach(Failpoint.BEFORE_TRIMMING)
                log = await trimming.trim_changes(
                    tx,
                    older_than=self._retention.changes,
                    at_latest=self._retention.consumer_lag_max,
                    after=self._after,
                    businesses_max=self._limits.businesses_max,
                    rows_max=self._limits.rows_max,
                )
                reach(Failpoint.IN_TRIMMING)
                return log.rows

            removed += await self._once(trim)
            if log.last_business_id is None:
                self._after = ""
                break
            if log.rows == 0:
                self._after = log.last_business_id
        return removed

    async def _sweep_removed(self) -> int:
        """Remove what is left of deleted businesses, in their own name: bookings are no other's."""
        removed, rows_max = 0, self._limits.rows_max
        for _ in range(self._limits.statements_max):
            async with self._database.transaction(ALL_BUSINESSES) as tx:
                business_id = await trimming.next_removed(tx)
            if business_id is None:
                break
            trim = partial(trimming.trim_removed, business_id=business_id, rows_max=rows_max)
            now_removed = await self._once(trim, business_id)
            if now_removed == 0:
                # Another process is at it, or this one was the last row's.
                break
            removed += now_removed
        return removed

    async def _repeat(self, trim: Trim) -> int:
        removed = 0
        for _ in range(self._limits.statements_max):
            now_removed = await self._once(trim)
            removed += now_removed
            if now_removed < self._limits.rows_max:
                break
        return removed

    async def _once(self, trim: Trim, scope: Scope = ALL_BUSINESSES) -> int:
        """Trim in a transaction of its own; nothing where another process is at it."""
        async with self._database.transaction(scope) as tx:
            return await trim(tx) if await trimming.is_my_turn(tx) else 0
