"""The notifier: a process beside the workers that sees to all that follows a booking by itself.

It runs the consumers of the change log, the jobs that they plan, a look for jobs that were lost,
and what else happens with time. Several may run, on one database: nothing is done twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from service.domain.delivery import Channel
from service.notify.consumers import Consumers
from service.notify.delivering import Deliverer
from service.notify.jobs import JobRunner, RunnerLimits
from service.ops.jitter import JITTER
from service.ops.tasks import cancelled
from service.store import deliveries, jobs
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES

logger = logging.getLogger(__name__)

Loop = Callable[[], Awaitable[None]]
"""Runs until it is cancelled. One that fails is begun again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifierLimits:
    """A delivery that is due for `overdue_seconds` without a job gets another.

    It is looked for every `sweep_seconds`, and so many are found at a time. Businesses that
    consumers do not follow are looked for at the start and every `follow_seconds`. A loop that
    fails begins again after a pause, each time longer.
    """

    sweep_seconds: float = 5.0
    overdue_seconds: float = 15.0
    sweep_max: int = 200
    follow_seconds: float = 60.0
    restart_seconds_first: float = 0.5
    restart_seconds_max: float = 30.0
    runner: RunnerLimits = field(default_factory=RunnerLimits)


class Notifier:
    """Runs all of it, and ends it in order."""

    def __init__(
        self,
        database: Database,
        consumers: Consumers,
        deliverer: Deliverer,
        limits: NotifierLimits,
        *,
        loops: Mapping[str, Loop] | None = None,
    ) -> None:
        """Take its parts, and `loops` that run beside them, by name."""
        self._database = database
        self._consumers = consumers
        self._deliverer = deliverer
        self._limits = limits
        self._loops: dict[str, Loop] = {
            "consumers": consumers.run,
            "cursors": self._follow_again_and_again,
            "lost jobs": self._sweep_again_and_again,
            **(loops or {}),
        }
        self._runners = [self._runner(channel) for channel in deliverer.channels]
        self._looping: list[asyncio.Task[None]] = []
        self._running: list[asyncio.Task[None]] = []

    def _runner(self, channel: Channel) -> JobRunner:
        """Each channel has its own: where one stalls, the other does not wait."""
        return JobRunner(
            self._database,
            deliveries.entrypoint_of(channel),
            partial(self._deliverer.deliver, channel),
            self._limits.runner,
        )

    async def start(self) -> None:
        """Begin."""
        self._running = [asyncio.create_task(runner.run()) for runner in self._runners]
        self._looping = [
            asyncio.create_task(self._keep(name, loop), name=name)
            for name, loop in self._loops.items()
        ]

    async def stop(self, drain_seconds: float) -> None:
        """Take up nothing more, and finish what is being sent, for so long.

        What is cut off then is sent again when its lease has ended.
        """
        for runner in self._runners:
            runner.stop()
        for task in self._looping:
            await cancelled(task)
        if self._running:
            await asyncio.wait(self._running, timeout=drain_seconds)
        for task in self._running:
            await cancelled(task)

    async def sweep(self) -> int:
        """Enqueue jobs for what is overdue though nothing keeps it; say how many."""
        return sum([await self._sweep(channel) for channel in self._deliverer.channels])

    async def _sweep(self, channel: Channel) -> int:
        async with self._database.transaction(ALL_BUSINESSES) as tx:
            if await jobs.are_waiting(tx, deliveries.entrypoint_of(channel)):
                # So much is due that what is overdue may well have a job.
                return 0
            found = await deliveries.overdue(
                tx,
                channel,
                for_longer_than=timedelta(seconds=self._limits.overdue_seconds),
                limit=self._limits.sweep_max,
            )
            await jobs.enqueue(tx, found, once=True)
        return len(found)

    async def _sweep_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(self._limits.sweep_seconds * JITTER.uniform(0.75, 1.25))
            found = await self.sweep()
            if found:
                logger.warning("%d deliveries were due and had lost their job", found)

    async def _follow_again_and_again(self) -> None:
        while True:
            await self._consumers.follow_all()
            await asyncio.sleep(self._limits.follow_seconds * JITTER.uniform(0.75, 1.25))

    async def _keep(self, name: str, loop: Loop) -> None:
        """Run a loop; begin it again when it fails."""
        pause = self._limits.restart_seconds_first
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await loop()
                return
            except Exception:
                logger.warning("%s failed and is begun again", name, exc_info=True)
            if asyncio.get_running_loop().time() - began > self._limits.restart_seconds_max:
                pause = self._limits.restart_seconds_first
            await asyncio.sleep(pause * JITTER.uniform(0.75, 1.25))
            pause = min(2 * pause, self._limits.restart_seconds_max)
