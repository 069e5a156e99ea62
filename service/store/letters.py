"""Letters in the list of deliveries: which was the first, and how many one address was sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.delivery import Delivery

_LOCK_CLASS = 0x510D


async def now(tx: AsyncConnection) -> datetime:
    """Return the instant of the transaction."""
    result = await tx.exec_driver_sql("SELECT transaction_timestamp()")
    instant: datetime = result.scalar_one()
    return instant


async def first_in_lane(
    tx: AsyncConnection, business_id: str, booking_id: UUID, lane: str
) -> UUID | None:
    """Return the first letter in a booking's lane, or the one that it is part of."""
    result = await tx.exec_driver_sql(
        """
        SELECT coalesce((body ->> 'within')::uuid, delivery_id) FROM deliveries
        WHERE business_id = $1 AND booking_id = $2 AND lane = $3
        ORDER BY revision, ordinal LIMIT 1
        """,
        (business_id, booking_id, lane),
    )
    found = result.scalar_one_or_none()
    return None if found is None else UUID(int=found.int)


async def was_told(tx: AsyncConnection, delivery: Delivery) -> bool:
    """Say whether an earlier letter of its lane, or one that told of several, went out."""
    result = await tx.exec_driver_sql(
        """
        SELECT EXISTS (
            SELECT FROM deliveries
            WHERE business_id = $1 AND booking_id = $2 AND lane = $3 AND revision < $4
              AND (state = 'sent' OR body ? 'within'))
        """,
        (delivery.business_id, delivery.booking_id, delivery.lane, delivery.revision),
    )
    return bool(result.scalar_one())


class Later(NamedTuple):
    """A letter of a later version of a booking: it is out, or somebody is sending it."""

    version: int
    is_sent: bool


async def later(
    tx: AsyncConnection, delivery: Delivery, booking_ids: Sequence[UUID], targets: Sequence[str]
) -> dict[UUID, Later]:
    """Return the last letter about each of these bookings that came before its turn, if any did.

    It was planned for a later change than this delivery, for one of these targets.
    """
    result = await tx.exec_driver_sql(
        """
        SELECT DISTINCT ON (booking_id) booking_id, state = 'sent' AS is_sent,
            (body #>> '{bookings,0,version}')::int AS version
        FROM deliveries
        WHERE business_id = $1 AND booking_id = ANY($2::uuid[]) AND target = ANY($3::text[])
          AND channel = 'letter' AND kind <> 'reminder' AND revision > $4
          AND (state = 'sent' OR (state = 'waiting' AND leased_by > 0 AND leased_until > now()))
        ORDER BY booking_id, is_sent DESC, revision DESC
        """,
        (delivery.business_id, list(booking_ids), list(targets), delivery.revision),
    )
    return {
        UUID(int=row.booking_id.int): Later(version=row.version, is_sent=row.is_sent)
        for row in result
    }


async def sent(tx: AsyncConnection, business_id: str, delivery_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these letters that went out."""
    result = await tx.exec_driver_sql(
        """
        SELECT delivery_id FROM deliveries
        WHERE business_id = $1 AND delivery_id = ANY($2::uuid[]) AND state = 'sent'
        """,
        (business_id, list(delivery_ids)),
    )
    return {UUID(int=found.int) for found in result.scalars()}


async def take_turn(
    tx: AsyncConnection, delivery: Delivery, recipient: bytes, *, most: int, within: timedelta
) -> bool:
    """Count a letter as one to its recipient; False: that one has had as many as may be.

    Those that are on their way count too; one that is tried again is not counted twice.
    """
    await tx.exec_driver_sql(
        "SELECT pg_advisory_xact_lock($1, $2)",
        (_LOCK_CLASS, crc32(delivery.business_id.encode() + recipient) - 2**31),
    )
    result = await tx.exec_driver_sql(
        """
        UPDATE deliveries SET recipient = $3
        WHERE business_id = $1 AND delivery_id = $2 AND $4 > (
            SELECT count(*) FROM (
                SELECT FROM deliveries AS other
                WHERE other.business_id = $1 AND other.recipient = $3
                  AND other.delivery_id <> $2 AND other.state IN ('sent', 'waiting')
                  AND coalesce(other.ended_at, now()) > now() - $5::interval
                LIMIT $4
            ) AS counted
        )
        """,
        (delivery.business_id, delivery.delivery_id, recipient, most, within),
    )
    return result.rowcount == 1
