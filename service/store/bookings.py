"""Bookings and holds: read them. They are written by store/batch.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, any_, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.booking import (
    Booking,
    BookingQuery,
    BookingStatus,
    Customer,
    Hold,
    Holder,
    HoldStatus,
)
from service.domain.interval import Interval
from service.store import tables

_BOOKINGS = tables.bookings.c
_HAS_CONVERSATION = text("conversation <> ''")


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
    asked: BookingQuery,
    *,
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Booking]:
    """Return bookings, by start and id, after the one named."""
    query = (
        select(tables.bookings)
        .where(_BOOKINGS.business_id == business_id)
        .where(_BOOKINGS.starts_at >= asked.window.start, _BOOKINGS.starts_at < asked.window.end)
        .order_by(_BOOKINGS.starts_at, _BOOKINGS.booking_id)
        .limit(limit)
    )
    if asked.calendar_id is not None:
        query = query.where(literal(asked.calendar_id) == any_(_BOOKINGS.calendar_ids))
    if asked.conversation:
        # Said twice: the planner must know that the index of those that have one has it.
        query = query.where(_BOOKINGS.conversation == asked.conversation, _HAS_CONVERSATION)
    if asked.statuses:
        query = query.where(_BOOKINGS.status.in_([status.value for status in asked.statuses]))
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
    tx: AsyncConnection, business_id: str, holders: Sequence[Holder]
) -> dict[Holder, int]:
    """Return how many holds these holders, and all of their principals, have that live.

    What is offered to one who waits is none of these.
    """
    result = await tx.exec_driver_sql(
        """
        WITH live AS (
            SELECT asked.principal_id, of_one.holder_key, of_one.holds
            FROM unnest($2::text[]) AS asked (principal_id) CROSS JOIN LATERAL (
                SELECT holder_key, count(*) AS holds FROM holds
                WHERE business_id = $1 AND principal_id = asked.principal_id
                  AND status = 'live' AND expires_at > transaction_timestamp()
                  AND entry_id IS NULL
                GROUP BY holder_key
            ) AS of_one
        )
        SELECT principal_id, '' AS holder_key, sum(holds)::bigint AS holds
        FROM live GROUP BY principal_id
        UNION ALL
        SELECT principal_id, holder_key, holds
        FROM live JOIN unnest($3::text[]) AS asked (holder_key) USING (holder_key)
        """,
        (
            business_id,
            list({holder.principal_id for holder in holders}),
            [holder.holder_key for holder in holders],
        ),
    )
    return {
        Holder(row["principal_id"], row["holder_key"]): row["holds"] for row in result.mappings()
    }


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
        series_id=None if row["series_id"] is None else UUID(int=row["series_id"].int),
        conversation=row["conversation"],
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
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        status=HoldStatus(row["status"]),
        entry_id=None if row["entry_id"] is None else UUID(int=row["entry_id"].int),
        conversation=row["conversation"],
        handoffs=row["handoffs"],
    )
