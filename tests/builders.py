"""Plain values with sensible defaults: tests name only what they are about.

By default there is one business, `demo`, with one calendar, `anna`, open from 09:00 to 17:00 UTC
from Monday to Friday, and one type, `visit`, of 30 minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from service.domain.availability import ClaimBook, Hours, Offer
from service.domain.catalog import (
    AppointmentType,
    Business,
    Calendar,
    Catalog,
    Closure,
    Schedule,
    WallInterval,
)
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval

MONDAY = date(2030, 6, 3)
NOW = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
"""A Saturday noon, two days before MONDAY."""

_numbers = count(1)


def minutes(number: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=number)


def hours(number: float) -> timedelta:
    """Return so many hours."""
    return timedelta(hours=number)


def at(clock: str, day: date = MONDAY) -> datetime:
    """Return the instant of a UTC wall time such as "09:30" on a day."""
    hour, minute = clock.split(":")
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        hours=int(hour), minutes=int(minute)
    )


def wall(start: str, end: str) -> WallInterval:
    """Return opening hours such as ("09:00", "17:00"); an end not after the start is next day."""
    start_minute, end_minute = _minute(start), _minute(end)
    if end_minute <= start_minute:
        end_minute += 1440
    return WallInterval(start_minute=start_minute, end_minute=end_minute)


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def a_schedule(
    *intervals: WallInterval,
    weekdays: Iterable[int] = range(5),
    exceptions: Mapping[date, tuple[WallInterval, ...]] | None = None,
    **changes: Any,
) -> Schedule:
    """Return a schedule with the same intervals (none: 09:00 to 17:00) on each of the weekdays."""
    schedule = Schedule(
        schedule_id="office",
        display_name="Office hours",
        weekly={day: intervals or (wall("09:00", "17:00"),) for day in weekdays},
        exceptions=exceptions or {},
    )
    return replace(schedule, **changes)


def a_calendar(calendar_id: str = "anna", **changes: Any) -> Calendar:
    """Return a calendar in UTC that follows the schedule `office`."""
    calendar = Calendar(
        calendar_id=calendar_id, display_name="Anna", zone="UTC", schedule_id="office"
    )
    return replace(calendar, **changes)


def a_type(type_id: str = "visit", **changes: Any) -> AppointmentType:
    """Return a type of 30 minutes, every 30 minutes, on any of `anna`, a year ahead."""
    appointment_type = AppointmentType(
        type_id=type_id,
        display_name="Visit",
        durations=(minutes(30),),
        slot_step=minutes(30),
        any_of=() if "all_of" in changes and "any_of" not in changes else ("anna",),
        horizon=timedelta(days=365),
    )
    return replace(appointment_type, **changes)


def a_closure(closure_id: str = "holiday", **changes: Any) -> Closure:
    """Return a closure of all calendars on MONDAY, unless changed."""
    values: dict[str, Any] = {
        "closure_id": closure_id,
        "display_name": "Holiday",
        "calendar_ids": frozenset(),
    }
    if "interval" not in changes:
        values |= {"first_date": MONDAY, "last_date": MONDAY}
    return Closure(**{**values, **changes})


def a_catalog(
    *,
    types: Iterable[AppointmentType] | None = None,
    calendars: Iterable[Calendar] | None = None,
    schedules: Iterable[Schedule] | None = None,
    closures: Iterable[Closure] = (),
    version: int = 1,
    **business: Any,
) -> Catalog:
    """Return a catalogue of these, or of the defaults; `business` changes the business."""
    return Catalog(
        business=replace(Business(business_id="demo", display_name="Demo"), **business),
        version=version,
        types={each.type_id: each for each in types or (a_type(),)},
        calendars={each.calendar_id: each for each in calendars or (a_calendar(),)},
        schedules={each.schedule_id: each for each in schedules or (a_schedule(),)},
        closures={each.closure_id: each for each in closures},
    )


def a_claim(start: datetime, end: datetime | None = None, **changes: Any) -> Claim:
    """Return a confirmed booking's claim on `anna`: of `visit`, without buffers, of 30 minutes.

    A claim with `appointment` given may have buffers; `kind=ClaimKind.BUSY` has no appointment.
    """
    end = end or start + minutes(30)
    number = next(_numbers)
    values: dict[str, Any] = {
        "claim_id": UUID(int=number),
        "calendar_id": "anna",
        "kind": ClaimKind.BOOKING,
        "owner_id": f"owner-{number}",
        "start": start,
        "end": end,
        "type_id": "visit",
        "appointment": Interval(start, end),
    }
    if changes.get("kind") is ClaimKind.BUSY:
        values |= {"type_id": None, "appointment": None}
    return Claim(**{**values, **changes})


def a_hold(start: datetime, end: datetime | None = None, **changes: Any) -> Claim:
    """Return the claim of somebody's hold, which expires five minutes after NOW."""
    hold = {"kind": ClaimKind.HOLD, "expires_at": NOW + minutes(5), "holder_key": "somebody"}
    return a_claim(start, end, **{**hold, **changes})


def an_offer(catalog: Catalog | None = None, claims: Iterable[Claim] = ()) -> Offer:
    """Return what the evaluator looks at: a catalogue and the claims on it."""
    catalog = catalog or a_catalog()
    return Offer(catalog, Hours(catalog), ClaimBook(claims))
