"""The catalogue of a business: load all of it, write one part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, Table, delete, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.catalog import (
    AppointmentType,
    Business,
    Calendar,
    Catalog,
    Closure,
    Schedule,
    WallInterval,
)
from service.domain.interval import Interval
from service.store import consumers, handoffs, tables, trimming

ROWS_REMOVED_AT_ONCE_MAX = 20_000
"""More would take a transaction seconds, and much more would not end within its time limit."""


async def load(tx: AsyncConnection, business_id: str) -> Catalog | None:
    """Load all that a business offers."""
    heads = await _rows(tx, tables.businesses, business_id)
    if not heads:
        return None
    head = heads[0]
    return Catalog(
        business=_business(head),
        version=head["catalog_version"],
        calendars={
            row["calendar_id"]: Calendar(**_without_business(row))
            for row in await _rows(tx, tables.calendars, business_id)
        },
        types={
            row["type_id"]: _type(row)
            for row in await _rows(tx, tables.appointment_types, business_id)
        },
        schedules={
            row["schedule_id"]: _schedule(row)
            for row in await _rows(tx, tables.schedules, business_id)
        },
        closures={
            row["closure_id"]: _closure(row)
            for row in await _rows(tx, tables.closures, business_id)
        },
    )


async def list_businesses(tx: AsyncConnection, *, after: str | None, limit: int) -> list[Business]:
    """Return businesses by id, after the one named."""
    query = select(tables.businesses).order_by(tables.businesses.c.business_id).limit(limit)
    if after is not None:
        query = query.where(tables.businesses.c.business_id > after)
    return [_business(row) for row in (await tx.execute(query)).mappings()]


async def write_business(
    tx: AsyncConnection, business: Business, *, epoch: str | None = None
) -> None:
    """Change a business; with an epoch, add it, at revision 0."""
    row = {
        "display_name": business.display_name,
        "holds_per_holder_max": business.holds_per_holder_max,
        "holds_per_key_max": business.holds_per_key_max,
        "email": business.email,
        "phone": business.phone,
        "location": business.location,
        "language": business.language,
    }
    if epoch is None:
        table = tables.businesses
        await tx.execute(
            table.update().where(table.c.business_id == business.business_id).values(**row)
        )
        return
    await tx.execute(
        tables.businesses.insert().values(
            business_id=business.business_id, epoch=epoch, revision=0, catalog_version=0, **row
        )
    )
    await consumers.add(tx, business.business_id)


async def write_calendar(tx: AsyncConnection, business_id: str, calendar: Calendar) -> None:
    """Add or replace a calendar."""
    row = {field.name: getattr(calendar, field.name) for field in fields(calendar)}
    await _upsert(tx, tables.calendars, business_id, row)


async def write_type(tx: AsyncConnection, business_id: str, type_: AppointmentType) -> None:
    """Add or replace an appointment type."""
    row = {field.name: getattr(type_, field.name) for field in fields(type_)}
    for name in ("durations", "any_of", "all_of", "reminders"):
        row[name] = list(row[name])
    await _upsert(tx, tables.appointment_types, business_id, row)


async def write_schedule(tx: AsyncConnection, business_id: str, schedule: Schedule) -> None:
    """Add or replace opening hours."""
    hours = {
        "weekly": {str(day): _pairs(hours) for day, hours in schedule.weekly.items()},
        "exceptions": {
            day.isoformat(): _pairs(hours) for day, hours in schedule.exceptions.items()
        },
    }
    row = {
        "schedule_id": schedule.schedule_id,
        "display_name": schedule.display_name,
        "hours": hours,
    }
    await _upsert(tx, tables.schedules, business_id, row)


async def write_closure(tx: AsyncConnection, business_id: str, closure: Closure) -> None:
    """Add or replace a closure."""
    during = closure.interval
    row = {
        "closure_id": closure.closure_id,
        "display_name": closure.display_name,
        "calendar_ids": sorted(closure.calendar_ids),
        "first_date": closure.first_date,
        "last_date": closure.last_date,
        "during": None if during is None else Range(during.start, during.end),
    }
    await _upsert(tx, tables.closures, business_id, row)


async def delete_calendar(tx: AsyncConnection, business_id: str, calendar_id: str) -> None:
    """Remove a calendar and the imported busy time on it."""
    await _delete(tx, tables.calendars, business_id, calendar_id=calendar_id)
    await _delete(tx, tables.claims, business_id, calendar_id=calendar_id)


async def delete_type(tx: AsyncConnection, business_id: str, type_id: str) -> None:
    """Remove an appointment type."""
    await _delete(tx, tables.appointment_types, business_id, type_id=type_id)


async def delete_schedule(tx: AsyncConnection, business_id: str, schedule_id: str) -> None:
    """Remove opening hours."""
    await _delete(tx, tables.schedules, business_id, schedule_id=schedule_id)


async def delete_closure(tx: AsyncConnection, business_id: str, closure_id: str) -> None:
    """Remove a closure."""
    await _delete(tx, tables.closures, business_id, closure_id=closure_id)


async def delete_business(tx: AsyncConnection, business_id: str) -> None:
    """Remove a business and all that belongs to it, but for what answers a repeated request.

    It is gone at once. Rows beyond `ROWS_REMOVED_AT_ONCE_MAX` are left to the janitor: nobody finds
    them, for whatever is asked of a business asks for the business first.
    """
    await handoffs.erase_all(tx, business_id)
    for table in (tables.api_keys, tables.calendars, tables.businesses):
        await _delete(tx, table, business_id)
    rows_max = ROWS_REMOVED_AT_ONCE_MAX
    if await trimming.trim_business(tx, business_id, rows_max=rows_max) == rows_max:
        await tx.execute(tables.removed_businesses.insert().values(business_id=business_id))


async def is_being_removed(tx: AsyncConnection, business_id: str) -> bool:
    """Say whether there may still be rows of a business of that id that was deleted."""
    return bool(await _rows(tx, tables.removed_businesses, business_id))


async def _rows(tx: AsyncConnection, table: Table, business_id: str) -> Sequence[RowMapping]:
    result = await tx.execute(select(table).where(table.c.business_id == business_id))
    return result.mappings().all()


async def _upsert(tx: AsyncConnection, table: Table, business_id: str, row: dict[str, Any]) -> None:
    keys = {column.name for column in table.primary_key}
    statement = insert(table).values(business_id=business_id, **row)
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    await tx.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
    )


async def _delete(tx: AsyncConnection, table: Table, business_id: str, **key: str) -> None:
    statement = delete(table).where(table.c.business_id == business_id)
    for name, value in key.items():
        statement = statement.where(table.c[name] == value)
    await tx.execute(statement)


def _without_business(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "business_id"}


def _business(row: RowMapping) -> Business:
    return Business(
        business_id=row["business_id"],
        display_name=row["display_name"],
        holds_per_holder_max=row["holds_per_holder_max"],
        holds_per_key_max=row["holds_per_key_max"],
        email=row["email"],
        phone=row["phone"],
        location=row["location"],
        language=row["language"],
    )


def _type(row: RowMapping) -> AppointmentType:
    values = _without_business(row)
    for name in ("durations", "any_of", "all_of", "reminders"):
        values[name] = tuple(values[name])
    return AppointmentType(**values)


def _schedule(row: RowMapping) -> Schedule:
    hours = row["hours"]
    return Schedule(
        schedule_id=row["schedule_id"],
        display_name=row["display_name"],
        weekly={int(day): _intervals(pairs) for day, pairs in hours["weekly"].items()},
        exceptions={
            date.fromisoformat(day): _intervals(pairs) for day, pairs in hours["exceptions"].items()
        },
    )


def _closure(row: RowMapping) -> Closure:
    during = row["during"]
    return Closure(
        closure_id=row["closure_id"],
        display_name=row["display_name"],
        calendar_ids=frozenset(row["calendar_ids"]),
        first_date=row["first_date"],
        last_date=row["last_date"],
        interval=None if during is None else Interval(during.lower, during.upper),
    )


def _pairs(hours: Sequence[WallInterval]) -> list[list[int]]:
    return [[interval.start_minute, interval.end_minute] for interval in hours]


def _intervals(pairs: Sequence[Sequence[int]]) -> tuple[WallInterval, ...]:
    return tuple(WallInterval(start_minute=start, end_minute=end) for start, end in pairs)
