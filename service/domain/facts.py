"""Which claims a decision needs: the time that must be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from service.domain.catalog import Catalog
from service.domain.choice import IDLE_LOOKBACK
from service.domain.civil_time import (
    CIVIL_YEARS,
    ONE_DAY,
    ONE_WEEK,
    civil_day,
    day_start,
    monday_of,
)
from service.domain.interval import Interval
from service.domain.listing import offered_span
from service.domain.opening import Span
from service.domain.slot import SlotQuery


def facts_window(
    catalog: Catalog,
    type_id: str,
    calendar_id: str,
    start: datetime,
    duration: timedelta,
    *,
    picking: bool = False,
) -> Interval:
    """Return the time whose claims, on the slot's calendars, a decision about it needs.

    `picking`: also what `pick_calendar` looks at on each of the calendars to choose from.
    """
    if start.year not in CIVIL_YEARS:
        start = day_start("UTC", date(CIVIL_YEARS.start, 1, 1))
    appointment_type = catalog.types[type_id]
    spans = [
        Span(
            start - appointment_type.buffer_before,
            start + duration + appointment_type.buffer_after,
        )
    ]
    zone = catalog.calendars[calendar_id].zone
    day = civil_day(zone, start)
    if appointment_type.day_cap is not None or picking:
        spans.append(Span(day_start(zone, day), day_start(zone, day + ONE_DAY)))
    if appointment_type.week_cap is not None:
        monday = monday_of(day)
        spans.append(Span(day_start(zone, monday), day_start(zone, monday + ONE_WEEK)))
    if picking:
        spans.append(Span(start - IDLE_LOOKBACK, start))
    return Interval(min(span.start for span in spans), max(span.end for span in spans))


def day_facts_window(
    catalog: Catalog, type_id: str, calendar_id: str, day: date, duration: timedelta
) -> Interval:
    """Return the time whose claims, on the slots' calendars, `day_slots` looks at."""
    zone = catalog.calendars[calendar_id].zone
    first = facts_window(catalog, type_id, calendar_id, day_start(zone, day), duration)
    last = facts_window(catalog, type_id, calendar_id, day_start(zone, day + ONE_DAY), duration)
    return Interval(first.start, last.end)


def slot_facts(
    catalog: Catalog, type_id: str, calendar_id: str, start: datetime, duration: timedelta
) -> Iterator[tuple[str, Interval]]:
    """Yield the calendars and times whose claims `judge` and `explain` look at for a slot."""
    appointment_type = catalog.types.get(type_id)
    # Of what does not exist, or is not offered there, they look at none.
    if appointment_type is None or calendar_id not in appointment_type.primary_calendar_ids:
        return
    window = facts_window(catalog, type_id, calendar_id, start, duration)
    for occupied_id in appointment_type.calendar_ids_for(calendar_id):
        yield occupied_id, window


def list_facts(catalog: Catalog, query: SlotQuery, now: datetime) -> Iterator[tuple[str, Interval]]:
    """Yield the calendars and times whose claims `open_slots` looks at for a query."""
    for type_id in query.type_ids or catalog.types:
        appointment_type = catalog.types[type_id]
        duration = query.duration or appointment_type.durations[0]
        span = offered_span(appointment_type, query.window, now)
        if span is None or duration not in appointment_type.durations:
            continue
        for calendar_id in appointment_type.primary_calendar_ids:
            if query.calendar_ids and calendar_id not in query.calendar_ids:
                continue
            zone = catalog.calendars[calendar_id].zone
            first, last = (
                day_facts_window(catalog, type_id, calendar_id, civil_day(zone, edge), duration)
                for edge in span
            )
            for occupied_id in appointment_type.calendar_ids_for(calendar_id):
                yield occupied_id, Interval(first.start, last.end)
