"""Bookings and holds: read them. They are written by store/batch.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, any_, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.booking import Booking, BookingStatus, Customer, Hold, HoldStatus
from service.domain.interval import Interval
from service.store import tables

_BOOKINGS = tables.bookings.c


async def get(tx: AsyncConnection, business_id: str, booking_id: UUID) -> Booking | None:
    """Return a booking, or None."""
    found = await by_ids(tx, business_id, [booking_id])
    return found[0] if found else None


async def by_ids(
    tx: AsyncConnection, business_id: str, booking_ids: Iterable[UUID]
) -> list[Booking]:
    """Return the bookings with these ids, those that there are."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM bookings WHERE business_id = $1 AND booking_id = ANY($2::uuid[])",
        (business_id, list(booking_ids)),
    )
    return [_booking(row) for row in result.mappings()]


async def list_page(
    tx: AsyncConnection,
    business_id: str,
    *,
    window: Interval,
    calendar_id: str | None,
    statuses: frozenset[BookingStatus],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Booking]:
    """Return bookings that start in a window, by start and id, after the one named."""
    query = (
        select(tables.bookings)
        .where(_BOOKINGS.business_id == business_id)
        .where(_BOOKINGS.starts_at >= window.start, _BOOKINGS.starts_at < window.end)
        .order_by(_BOOKINGS.starts_at, _BOOKINGS.booking_id)
        .limit(limit)
    )
    if calendar_id is not None:
        query = query.where(literal(calendar_id) == any_(_BOOKINGS.calendar_ids))
    if statuses:
        query = query.where(_BOOKINGS.status.in_([status.value for status in statuses]))
    if after is not None:
        query = query.where(tuple_(_BOOKINGS.starts_at, _BOOKINGS.booking_id) > after)
    return [_booking(row) for row in (await tx.execute(query)).mappings()]


async def holds_by_ids(
    tx: AsyncConnection, business_id: str, hold_ids: Iterable[UUID]
) -> list[Hold]:
    """Return the holds with these ids, those that there are."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM holds WHERE business_id = $1 AND hold_id = ANY($2::uuid[])",
        (business_id, list(hold_ids)),
    )
    return [_hold(row) for row in result.mappings()]


async def count_live_holds(
    tx: AsyncConnection, business_id: str, holder_keys: Sequence[str]
) -> dict[str, int]:
    """Return how many holds each of these holders has that have not expired."""
    result = await tx.execute(
        text(
            """
            SELECT holder_key, count(*) FROM holds
            WHERE business_id = :business_id AND holder_key = ANY(:holder_keys)
              AND status = 'live' AND expires_at > transaction_timestamp()
            GROUP BY holder_key
            """
        ),
        {"business_id": business_id, "holder_keys": list(holder_keys)},
    )
    return {row[0]: row[1] for row in result}


def _booking(row: RowMapping) -> Booking:
    return Booking(
        booking_id=UUID(int=row["booking_id"].int),
        type_id=row["type_id"],
        calendar_ids=tuple(row["calendar_ids"]),
        appointment=Interval(row["starts_at"], row["ends_at"]),
        zone=row["zone"],
        status=BookingStatus(row["status"]),
        version=row["version"],
        customer=Customer(**row["customer"]),
        fields=row["fields"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        cancel_reason=row["cancel_reason"],
    )


def _hold(row: RowMapping) -> Hold:
    return Hold(
        hold_id=UUID(int=row["hold_id"].int),
        principal_id=row["principal_id"],
        holder=row["holder"],
        holder_key=row["holder_key"],
        type_id=row["type_id"],
        calendar_ids=tuple(row["calendar_ids"]),
        appointment=Interval(row["starts_at"], row["ends_at"]),
        expires_at=row["expires_at"],
        status=HoldStatus(row["status"]),
    )
