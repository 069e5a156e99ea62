"""The runner of jobs: pgqueuer's, on a connection of its own, again and again.

pgqueuer is told of new jobs by PostgreSQL, knows when the next is due, and takes over those of a
process whose heart has stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import Channel as NoticeChannel

from service.ops.jitter import JITTER
from service.store.database import Database
from service.store.jobs import NAMES, lane_of, queries_on
from service.store.scope import Session

logger = logging.getLogger(__name__)

Handle = Callable[[int, str, str], Awaitable[bool]]
"""Does the job of this number, on a business's lane, and says whether it is done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunnerLimits:
    """`concurrent_max` jobs at a time, fetched by `batch_max`.

    A job whose process has not said for `heartbeat_seconds_max` that it lives is another's; who has
    nothing to do looks for such every `look_seconds`.
    """

    concurrent_max: int = 32
    batch_max: int = 8
    heartbeat_seconds_max: float = 10.0
    look_seconds: float = 2.0
    restart_seconds_first: float = 0.2
    restart_seconds_max: float = 5.0


class JobRunner:
    """Runs the jobs of one entrypoint until it is stopped."""

    def __init__(
        self, database: Database, entrypoint: str, handle: Handle, limits: RunnerLimits
    ) -> None:
        """Connect to nothing yet."""
        self._database = database
        self._entrypoint = entrypoint
        self._handle = handle
        self._limits = limits
        self._stopping = False
        self._manager: QueueManager | None = None

    def stop(self) -> None:
        """Take no more jobs: `run` returns when those at work have ended."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()

    async def run(self) -> None:
        """Run until it is stopped; what breaks is connected anew."""
        pause = self._limits.restart_seconds_first
        while not self._stopping:
            try:
                async with self._database.listening() as session:
                    await self._run_on(session)
                reason, pause = "the connection has ended", self._limits.restart_seconds_first
            except Exception as error:
                reason, pause = (
                    type(error).__name__,
                    min(2 * pause, self._limits.restart_seconds_max),
                )
            if not self._stopping:
                logger.warning("jobs are not fetched for a moment: %s", reason)
                await asyncio.sleep(pause * JITTER.uniform(0.75, 1.25))

    async def _run_on(self, session: Session) -> None:
        limits = self._limits
        manager = QueueManager(queries_on(session), NoticeChannel(NAMES.channel))
        manager.entrypoint(self._entrypoint, accepts_context=False)(self._do)
        session.add_termination_listener(lambda _: manager.shutdown.set())
        self._manager = manager
        if self._stopping:
            return
        await manager.run(
            dequeue_timeout=timedelta(seconds=limits.look_seconds),
            batch_size=limits.batch_max,
            max_concurrent_tasks=limits.concurrent_max,
            heartbeat_timeout=timedelta(seconds=limits.heartbeat_seconds_max),
            # Its statistics are not read by anyone, and would grow.
            log_aggregation_interval=timedelta(),
        )

    async def _do(self, job: Job) -> None:
        """Do a job; one that fails comes back, so that none is lost."""
        try:
            business_id, lane = lane_of(job.payload)
            is_done = await self._handle(job.id, business_id, lane)
        except Exception as error:
            logger.warning("job %d failed: %s", job.id, type(error).__name__, exc_info=True)
            delay = timedelta(seconds=JITTER.uniform(1.0, 5.0))
            raise RetryRequested(delay=delay, reason="it failed") from error
        if not is_done:
            raise RetryRequested(reason="there is more in the lane")
