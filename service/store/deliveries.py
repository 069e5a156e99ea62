"""Deliveries: what is owed to someone outside, lane by lane, and what became of it.

A lane's head is the first of those that wait and are due, or have been tried. Whoever sends it has
a lease on it, which is committed before anything goes out; so of all processes one sends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.delivery import Channel, Delivery, DeliveryState, NewDelivery
from service.store import tables
from service.store.jobs import Job, enqueue

_DETAIL_MAX = 1000
# The ids of jobs begin with 1.
_NOBODY = 0
# Where many found no room, who comes back for it does not delay what goes elsewhere.
_BACK_FOR_ROOM = -1


def entrypoint_of(channel: Channel) -> str:
    """Return the name under which the jobs of a channel are queued."""
    return f"deliver_{channel.value}"


async def add(
    tx: AsyncConnection, business_id: str, planned: Sequence[NewDelivery], *, again: bool = False
) -> None:
    """Add deliveries, with a job for each when it is due, in this transaction.

    One that is there already stays as it is; `again`: if it has ended, it is to be sent once more.
    """
    if not planned:
        return
    result = await tx.exec_driver_sql(
        """
        INSERT INTO deliveries (business_id, delivery_id, channel, lane, revision, ordinal, kind,
            target, booking_id, body, state, attempts, created_at, due_at, detail)
        SELECT $1, delivery_id, channel, lane, revision, ordinal, kind, target, booking_id, body,
            'waiting', 0, now() + place * interval '1 microsecond', coalesce(due_at, now()), ''
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::int[], $7::text[],
            $8::text[], $9::uuid[], $10::jsonb[], $11::timestamptz[]) WITH ORDINALITY
            AS new (delivery_id, channel, lane, revision, ordinal, kind, target, booking_id, body,
                due_at, place)
        ON CONFLICT (business_id, delivery_id) DO UPDATE SET state = 'waiting', attempts = 0,
            created_at = excluded.created_at, due_at = excluded.due_at, leased_by = NULL,
            leased_until = NULL, give_up_at = NULL, ended_at = NULL, detail = ''
        WHERE $12 AND deliveries.state <> 'waiting'
        RETURNING channel, lane, due_at - now() AS delay
        """,
        (business_id, *_columns(planned), again),
    )
    await enqueue(tx, [_job(business_id, row) for row in result.mappings()])


async def add_dead(tx: AsyncConnection, business_id: str, new: NewDelivery, detail: str) -> None:
    """Add a delivery that is dead from its beginning: nothing is sent of it."""
    now = func.transaction_timestamp()
    await tx.execute(
        tables.deliveries.insert().values(
            business_id=business_id,
            delivery_id=new.delivery_id,
            channel=new.channel.value,
            lane=new.lane,
            revision=new.revision,
            ordinal=new.ordinal,
            kind=new.kind,
            target=new.target,
            booking_id=new.booking_id,
            body=dict(new.body),
            state=DeliveryState.DEAD.value,
            attempts=1,
            created_at=now,
            due_at=now,
            ended_at=now,
            detail=_short(detail),
        )
    )


def _columns(planned: Sequence[NewDelivery]) -> tuple[list[Any], ...]:
    return (
        [new.delivery_id for new in planned],
        [new.channel.value for new in planned],
        [new.lane for new in planned],
        [new.revision for new in planned],
        [new.ordinal for new in planned],
        [new.kind for new in planned],
        [new.target for new in planned],
        [new.booking_id for new in planned],
        [json.dumps(dict(new.body)) for new in planned],
        [new.due_at for new in planned],
    )


def _job(business_id: str, row: RowMapping, *, priority: int = 0) -> Job:
    return Job(
        entrypoint=entrypoint_of(Channel(row["channel"])),
        business_id=business_id,
        lane=row["lane"],
        delay=row["delay"],
        priority=priority,
    )


async def take(
    tx: AsyncConnection,
    business_id: str,
    lane: str,
    *,
    job_id: int,
    lease: timedelta,
    patience: timedelta,
) -> Delivery | None:
    """Lease a lane's head to a job, for its next attempt; None: there is nothing to do now.

    Nothing is due, or it is tried again later, or another job sends it: that one looks again when
    it has, and so sees all that was there when this one looked. A job may take over what it has
    leased itself: then the process that ran it is gone.
    """
    result = await tx.exec_driver_sql(
        """
        WITH head AS (
            SELECT delivery_id AS head_id, due_at AS head_due_at,
                leased_until <= now() OR leased_by = $3 OR leased_by IS NULL AS is_free
            FROM deliveries
            WHERE business_id = $1 AND lane = $2 AND state = 'waiting'
              AND (attempts > 0 OR due_at <= now())
            ORDER BY revision, ordinal, delivery_id LIMIT 1
            FOR UPDATE
        )
        UPDATE deliveries SET attempts = attempts + 1, leased_by = $3,
            leased_until = now() + $4::interval,
            give_up_at = coalesce(give_up_at, now() + $5::interval)
        FROM head
        WHERE business_id = $1 AND delivery_id = head_id AND head_due_at <= now() AND is_free
        RETURNING deliveries.*
        """,
        (business_id, lane, job_id, lease, patience),
    )
    row = result.mappings().one_or_none()
    return None if row is None else _delivery(row)


async def end(tx: AsyncConnection, delivery: Delivery, state: DeliveryState, detail: str) -> None:
    """Say what became of a delivery, unless that has been said."""
    await tx.exec_driver_sql(
        """
        UPDATE deliveries SET state = $3, detail = $4, ended_at = now(), leased_by = NULL,
            leased_until = NULL
        WHERE business_id = $1 AND delivery_id = $2 AND state = 'waiting'
        """,
        (delivery.business_id, delivery.delivery_id, state.value, _short(detail)),
    )


async def put_off(
    tx: AsyncConnection, delivery: Delivery, detail: str, delay: timedelta
) -> DeliveryState | None:
    """Have a delivery that failed tried again, or dead where its time is over.

    The next attempt is no later than the instant at which it is given up. None: another has it.
    """
    result = await tx.exec_driver_sql(
        """
        UPDATE deliveries SET detail = $4, leased_by = NULL, leased_until = NULL,
            due_at = least(now() + $5::interval, give_up_at),
            state = CASE WHEN give_up_at <= now() THEN 'dead' ELSE 'waiting' END,
            ended_at = CASE WHEN give_up_at <= now() THEN now() END
        WHERE business_id = $1 AND delivery_id = $2 AND state = 'waiting' AND attempts = $3
        RETURNING state, channel, lane, due_at - now() AS delay
        """,
        (
            delivery.business_id,
            delivery.delivery_id,
            delivery.attempts,
            _short(detail),
            delay,
        ),
    )
    return await _come_back(tx, delivery.business_id, result.mappings().one_or_none())


async def give_back(tx: AsyncConnection, delivery: Delivery, delay: timedelta) -> None:
    """Undo an attempt; nobody takes it before the delay is over, and then the lane comes by."""
    result = await tx.exec_driver_sql(
        """
        UPDATE deliveries SET attempts = attempts - 1, leased_by = $5,
            leased_until = now() + $4::interval,
            give_up_at = CASE WHEN attempts > 1 THEN give_up_at END
        WHERE business_id = $1 AND delivery_id = $2 AND state = 'waiting' AND attempts = $3
        RETURNING state, channel, lane, $4::interval AS delay
        """,
        (delivery.business_id, delivery.delivery_id, delivery.attempts, delay, _NOBODY),
    )
    row = result.mappings().one_or_none()
    await _come_back(tx, delivery.business_id, row, priority=_BACK_FOR_ROOM)


async def _come_back(
    tx: AsyncConnection, business_id: str, row: RowMapping | None, *, priority: int = 0
) -> DeliveryState | None:
    if row is None:
        return None
    state = DeliveryState(row["state"])
    if state is DeliveryState.WAITING:
        await enqueue(tx, [_job(business_id, row, priority=priority)])
    return state


async def retry(tx: AsyncConnection, business_id: str, delivery_id: UUID) -> Delivery | None:
    """Have a dead delivery sent again, now; None: it is not dead, or there is none."""
    result = await tx.exec_driver_sql(
        """
        UPDATE deliveries SET state = 'waiting', attempts = 0, due_at = now(), give_up_at = NULL,
            ended_at = NULL
        WHERE business_id = $1 AND delivery_id = $2 AND state = 'dead'
        RETURNING *, interval '0' AS delay
        """,
        (business_id, delivery_id),
    )
    row = result.mappings().one_or_none()
    if row is None:
        return None
    await enqueue(tx, [_job(business_id, row)])
    return _delivery(row)


async def end_again(
    tx: AsyncConnection, dead: Delivery, state: DeliveryState, detail: str
) -> Delivery:
    """Say what became of another attempt at a dead delivery, which `lock` has locked."""
    result = await tx.exec_driver_sql(
        """
        UPDATE deliveries SET state = $3, detail = $4, attempts = attempts + 1, ended_at = now()
        WHERE business_id = $1 AND delivery_id = $2 AND state = 'dead'
        RETURNING *
        """,
        (dead.business_id, dead.delivery_id, state.value, _short(detail)),
    )
    return _delivery(result.mappings().one())


async def lock(tx: AsyncConnection, business_id: str, delivery_id: UUID) -> Delivery | None:
    """Return a delivery, which no other changes until this transaction ends; or None."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM deliveries WHERE business_id = $1 AND delivery_id = $2 FOR UPDATE",
        (business_id, delivery_id),
    )
    row = result.mappings().one_or_none()
    return None if row is None else _delivery(row)


async def get(tx: AsyncConnection, business_id: str, delivery_id: UUID) -> Delivery | None:
    """Return a delivery, or None."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM deliveries WHERE business_id = $1 AND delivery_id = $2",
        (business_id, delivery_id),
    )
    row = result.mappings().one_or_none()
    return None if row is None else _delivery(row)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which deliveries are asked for: of a booking, of a channel, in some states; or all."""

    booking_id: UUID | None = None
    channel: Channel | None = None
    states: frozenset[DeliveryState] = frozenset()


async def list_page(
    tx: AsyncConnection,
    business_id: str,
    wanted: Wanted,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Delivery]:
    """Return deliveries, the newest first, before the one named."""
    columns = tables.deliveries.c
    query = (
        select(tables.deliveries)
        .where(columns.business_id == business_id)
        .order_by(columns.created_at.desc(), columns.delivery_id.desc())
        .limit(limit)
    )
    if wanted.booking_id is not None:
        query = query.where(columns.booking_id == wanted.booking_id)
    if wanted.channel is not None:
        query = query.where(columns.channel == wanted.channel.value)
    if wanted.states:
        query = query.where(columns.state.in_([state.value for state in wanted.states]))
    if before is not None:
        query = query.where(tuple_(columns.created_at, columns.delivery_id) < before)
    return [_delivery(row) for row in (await tx.execute(query)).mappings()]


class Overtaken(NamedTuple):
    """A booking, which revision has made what was planned before it void, and why."""

    booking_id: UUID
    revision: int
    reason: str


async def skip(
    tx: AsyncConnection, business_id: str, kind: str, overtaken: Sequence[Overtaken]
) -> None:
    """Skip what waits of a kind for these bookings, but for what somebody is sending."""
    await tx.exec_driver_sql(
        """
        UPDATE deliveries SET state = 'skipped', detail = by.reason, ended_at = now(),
            leased_by = NULL, leased_until = NULL
        FROM unnest($3::uuid[], $4::bigint[], $5::text[]) AS by (booking_id, revision, reason)
        WHERE deliveries.business_id = $1 AND deliveries.booking_id = by.booking_id
          AND kind = $2 AND state = 'waiting' AND deliveries.revision < by.revision
          AND (leased_by IS NULL OR leased_by = $6)
        """,
        (
            business_id,
            kind,
            [each.booking_id for each in overtaken],
            [each.revision for each in overtaken],
            [_short(each.reason) for each in overtaken],
            _NOBODY,
        ),
    )


@dataclass(frozen=True, slots=True)
class Count:
    """How many deliveries to a target wait, and how many are dead."""

    waiting: int = 0
    dead: int = 0


async def counts(
    tx: AsyncConnection, business_id: str, channel: Channel, targets: Sequence[str]
) -> dict[str, Count]:
    """Count what waits and what is dead, of each of these targets that has any."""
    result = await tx.exec_driver_sql(
        """
        SELECT target, count(*) FILTER (WHERE state = 'waiting') AS waiting,
            count(*) FILTER (WHERE state = 'dead') AS dead
        FROM deliveries
        WHERE business_id = $1 AND channel = $2 AND target = ANY($3::text[])
          AND state IN ('waiting', 'dead')
        GROUP BY target
        """,
        (business_id, channel.value, list(targets)),
    )
    return {row.target: Count(row.waiting, row.dead) for row in result}


async def drop_target(tx: AsyncConnection, business_id: str, channel: Channel, target: str) -> None:
    """Forget what waits or is dead for a target that is no more."""
    await tx.exec_driver_sql(
        """
        DELETE FROM deliveries WHERE business_id = $1 AND channel = $2 AND target = $3
          AND state IN ('waiting', 'dead')
        """,
        (business_id, channel.value, target),
    )


async def overdue(
    tx: AsyncConnection, channel: Channel, *, for_longer_than: timedelta, limit: int
) -> list[Job]:
    """Return jobs for lanes whose head is due, and nobody sends it.

    For the operator's eyes: those whose job was lost. What is behind one that is tried again later,
    or that is being sent, need not have one.
    """
    result = await tx.exec_driver_sql(
        """
        WITH overdue AS MATERIALIZED (
            SELECT business_id, lane, delivery_id FROM deliveries
            -- Looked up once, the planner knows as little of an instant whatever it is.
            WHERE state = 'waiting' AND due_at < (SELECT now() - $1::interval)
              -- So written, no index of another order can answer it.
              AND (channel = $2) IS TRUE
              AND (leased_until IS NULL OR leased_until < (SELECT now() - $1::interval))
            ORDER BY due_at
        )
        SELECT business_id, lane FROM overdue
        WHERE delivery_id = (
            SELECT delivery_id FROM deliveries
            WHERE business_id = overdue.business_id AND lane = overdue.lane AND state = 'waiting'
              AND (attempts > 0 OR due_at <= (SELECT now()))
            ORDER BY revision, ordinal, delivery_id LIMIT 1)
        LIMIT $3
        """,
        (for_longer_than, channel.value, limit),
    )
    entrypoint = entrypoint_of(channel)
    return [
        Job(entrypoint=entrypoint, business_id=row["business_id"], lane=row["lane"])
        for row in result.mappings()
    ]


def _delivery(row: RowMapping) -> Delivery:
    booking_id = row["booking_id"]
    return Delivery(
        business_id=row["business_id"],
        delivery_id=UUID(int=row["delivery_id"].int),
        channel=Channel(row["channel"]),
        lane=row["lane"],
        revision=row["revision"],
        ordinal=row["ordinal"],
        kind=row["kind"],
        target=row["target"],
        booking_id=None if booking_id is None else UUID(int=booking_id.int),
        body=json.loads(row["body"]) if isinstance(row["body"], str | bytes) else row["body"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        detail=row["detail"],
    )


def _short(detail: str) -> str:
    return detail[:_DETAIL_MAX]
