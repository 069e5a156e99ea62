"""The catalogue: what can be booked, where and when, as plain values.

A `name` may be a short id where it is given to the server; what the server answers has full names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Business:
    """A tenant.

    holds_per_holder_max: how many holds one holder may have at a time; 0 means 5.
    holds_per_key_max: how many all holders of one API key may have together; 0 means 1,000.
    email, phone, location: what letters tell customers; any may be empty.
    language: of its staff, and of letters to customers who named none; empty means `en`.
    """

    name: str
    display_name: str
    holds_per_holder_max: int = 0
    holds_per_key_max: int = 0
    email: str = ""
    phone: str = ""
    location: str = ""
    language: str = ""
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """One bookable person, room or piece of equipment, in an IANA zone, open by a schedule.

    email: where letters about its bookings go; empty: none are sent.
    """

    name: str
    display_name: str
    time_zone: str
    schedule: str
    email: str = ""
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AppointmentType:
    """What can be booked, on any one of `any_of` and on all of `all_of`.

    durations, slot_step: whole minutes; no step: the first duration.
    buffer_before, buffer_after: time kept free around it.
    minimum_notice, horizon: how far away a start must and may be; no horizon: 60 days.
    capacity: bookings that one slot takes; 0 means 1.
    hold_duration: how long a hold lasts, and renewed at most ten times as long; None: 5 minutes.
    day_cap, week_cap: the most appointments on one calendar; 0: no cap.
    cancellation_notice: until how long before its start a customer may cancel or move it.
    reminders: how long before its start reminders are sent.
    offer_duration: how long a slot is kept for who waits for it; None: 15 minutes.
    cancel_by_reply: whether a customer's calendar program may cancel by declining.
    price: what it costs, as it is shown, such as `45.00 EUR`; empty: nothing is said.
    """

    name: str
    display_name: str
    durations: tuple[timedelta, ...]
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    slot_step: timedelta | None = None
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()
    minimum_notice: timedelta = timedelta()
    horizon: timedelta | None = None
    capacity: int = 0
    hold_duration: timedelta | None = None
    requires_approval: bool = False
    day_cap: int = 0
    week_cap: int = 0
    cancellation_notice: timedelta = timedelta()
    reminders: tuple[timedelta, ...] = ()
    offer_duration: timedelta | None = None
    cancel_by_reply: bool = False
    price: str = ""
    revision: int = field(default=0, compare=False)


class Weekday(IntEnum):
    """A day of the civil week, numbered as by ISO 8601."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class WallInterval:
    """An interval of wall-clock time: `09:00` to `17:00`, to `24:00`, or into the next day."""

    start: str
    end: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Opening hours in the civil time of each calendar that follows it.

    A weekday that is not named is closed. The hours of a date in `exceptions` replace those of its
    weekday; none: closed.
    """

    name: str
    display_name: str
    weekly: Mapping[Weekday, tuple[WallInterval, ...]]
    exceptions: Mapping[date, tuple[WallInterval, ...]] = field(default_factory=dict)
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DateSpan:
    """Whole civil days, in each calendar's own zone; the last one is closed too."""

    first_date: date
    last_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSpan:
    """The instants from `start`, up to and without `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """A time in which calendars are closed; none named: all of the business."""

    name: str
    display_name: str
    span: DateSpan | TimeSpan
    calendars: tuple[str, ...] = ()
    revision: int = field(default=0, compare=False)
