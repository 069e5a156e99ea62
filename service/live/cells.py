"""Cells: one appointment type on one calendar, and which days of it a claim touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from service.domain.catalog import AppointmentType, Catalog
from service.domain.civil_time import civil_day, monday_of
from service.domain.errors import ResourceNotFound
from service.domain.ids import calendar_name, type_name
from service.domain.interval import Interval
from service.domain.slot import SlotQuery

ONE_DAY = timedelta(days=1)


class Touch(NamedTuple):
    """A time on a calendar that a claim, buffers included, took or freed."""

    calendar_id: str
    start: datetime
    end: datetime


class CellDay(NamedTuple):
    """The slots of one civil day of a cell."""

    type_id: str
    calendar_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Cell:
    """One appointment type, of one duration, on one calendar."""

    type: AppointmentType
    calendar_id: str
    zone: str
    duration: timedelta

    def days_of(self, window: Interval) -> Iterator[date]:
        """Yield the civil days that a window touches."""
        return _days(
            civil_day(self.zone, window.start),
            civil_day(self.zone, window.end - timedelta.resolution),
        )

    def days_touched(self, touch: Touch) -> Iterator[date]:
        """Yield the civil days whose slots a claim can open or close."""
        before = self.duration + self.type.buffer_after
        after = self.type.buffer_before - timedelta.resolution
        first = civil_day(self.zone, touch.start - before)
        last = civil_day(self.zone, touch.end + after)
        if self.type.week_cap is not None:
            first, last = monday_of(first), monday_of(last) + 6 * ONE_DAY
        return _days(first, last)


def cells_of(catalog: Catalog, query: SlotQuery) -> list[Cell]:
    """Return the cells that a query asks for; raise ResourceNotFound for what does not exist."""
    business_id = catalog.business.business_id
    for type_id in query.type_ids:
        if type_id not in catalog.types:
            raise ResourceNotFound(type_name(business_id, type_id))
    for calendar_id in query.calendar_ids:
        if calendar_id not in catalog.calendars:
            raise ResourceNotFound(calendar_name(business_id, calendar_id))
    return [
        Cell(
            catalog.types[type_id],
            calendar_id,
            catalog.calendars[calendar_id].zone,
            query.duration or catalog.types[type_id].durations[0],
        )
        for type_id in query.type_ids or sorted(catalog.types)
        if query.duration is None or query.duration in catalog.types[type_id].durations
        for calendar_id in catalog.types[type_id].primary_calendar_ids
        if not query.calendar_ids or calendar_id in query.calendar_ids
    ]


def all_cells(catalog: Catalog) -> Iterator[Cell]:
    """Yield every cell of a catalogue, in each of its durations."""
    for appointment_type in catalog.types.values():
        for calendar_id in appointment_type.primary_calendar_ids:
            for duration in appointment_type.durations:
                zone = catalog.calendars[calendar_id].zone
                yield Cell(appointment_type, calendar_id, zone, duration)


def by_calendar(cells: list[Cell]) -> dict[str, list[Cell]]:
    """Return, for each calendar, the cells whose slots occupy it."""
    index: dict[str, list[Cell]] = {}
    for cell in cells:
        for calendar_id in cell.type.calendar_ids_for(cell.calendar_id):
            index.setdefault(calendar_id, []).append(cell)
    return index


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
