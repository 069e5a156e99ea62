"""Which claims a decision needs: the time that must be loaded."""

from __future__ import annotations

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
from service.domain.opening import Span


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
