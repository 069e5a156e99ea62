"""The job queue: pgqueuer's tables, in a schema of their own, on sessions of ours.

A job says no more than that something is due in a lane; what that is, the deliveries say. So a job
that is lost or comes twice does no harm, and whoever enqueues one reads none of the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, QueueEntrypoint

from service.store.database import Transaction
from service.store.scope import Session, session_of

# All of them said, so that it looks for none in the environment.
NAMES = DBSettings(
    prefix="",
    db_schema="slotcast_jobs",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)
_TABLES, _QUEUE = QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES)
_SCHEDULES = QuerySchedulerBuilder(NAMES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is due in a lane is to be sent, in order, after so long.

    Of those that are due, the ones of a higher priority are done first.
    """

    entrypoint: str
    business_id: str
    lane: str
    delay: timedelta = timedelta()
    priority: int = 0

    def payload(self) -> bytes:
        """Write what the queue keeps of it."""
        return json.dumps([self.business_id, self.lane]).encode()


def lane_of(payload: bytes | None) -> tuple[str, str]:
    """Return the business and the lane of a job."""
    business_id, lane = json.loads(payload or b"")
    return business_id, lane


def queries_on(session: Session) -> Queries:
    """Return pgqueuer's statements on a connection of ours."""
    return Queries(AsyncpgDriver(session), _TABLES, _QUEUE, _SCHEDULES)


async def enqueue(tx: Transaction, jobs: Sequence[Job], *, once: bool = False) -> None:
    """Enqueue jobs in this transaction; `once`: not where the same was enqueued so and waits."""
    if not jobs:
        return
    session = session_of(tx)
    if not session.is_in_transaction():
        # It begins with the first statement that is not the driver's own.
        await tx.exec_driver_sql("SELECT")
    queries = queries_on(session)
    entrypoints = [job.entrypoint for job in jobs]
    payloads: list[bytes | None] = [job.payload() for job in jobs]
    priorities = [job.priority for job in jobs]
    delays: list[timedelta | None] = [max(job.delay, timedelta()) for job in jobs]
    if once:
        keys: list[str | None] = [f"{job.entrypoint} {job.business_id} {job.lane}" for job in jobs]
        await queries.enqueue(entrypoints, payloads, priorities, delays, keys, on_conflict="skip")
    else:
        await queries.enqueue(entrypoints, payloads, priorities, delays)


async def are_waiting(tx: Transaction, entrypoint: str) -> bool:
    """Say whether the queue has jobs that are due and that nobody has taken yet."""
    await tx.exec_driver_sql("SELECT")
    return await queries_on(session_of(tx)).eligible_queued_work([QueueEntrypoint(entrypoint)]) > 0


async def trim_log(tx: Transaction, *, older_than: timedelta, rows_max: int) -> int:
    """Remove old lines of the queue's own log, which has three for each job."""
    result = await tx.exec_driver_sql(
        """
        DELETE FROM slotcast_jobs.pgqueuer_log WHERE id = ANY (ARRAY(
            SELECT id FROM slotcast_jobs.pgqueuer_log WHERE created < now() - $1::interval
            ORDER BY created LIMIT $2))
        """,
        (older_than, rows_max),
    )
    return result.rowcount
