"""What can be booked: the catalogue of one business, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from service.domain.interval import Interval

MINUTES_PER_DAY = 1440
HOLD_DURATIONS_MAX = 10
"""A hold can be renewed until it has lasted so many times as long as it does by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WallInterval:
    """Opening hours in wall-clock minutes after midnight; an end over 1,440 is on the next day."""

    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        """Refuse hours that start on another day, are empty, or last more than a day."""
        if not 0 <= self.start_minute < MINUTES_PER_DAY:
            raise ValueError("Opening hours start between 00:00 and 23:59.")
        if not self.start_minute < self.end_minute <= self.start_minute + MINUTES_PER_DAY:
            raise ValueError("Opening hours end within a day of their start.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Weekly hours (0 is Monday), and the hours of dates that differ (none: closed)."""

    schedule_id: str
    display_name: str
    weekly: Mapping[int, tuple[WallInterval, ...]]
    exceptions: Mapping[date, tuple[WallInterval, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """One bookable person, room or piece of equipment; `zone` is an IANA name."""

    calendar_id: str
    display_name: str
    zone: str
    schedule_id: str
    email: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """A time in which calendars (none named: all) are closed: whole civil days, or an interval."""

    closure_id: str
    display_name: str
    calendar_ids: frozenset[str]
    first_date: date | None = None
    last_date: date | None = None
    interval: Interval | None = None

    def __post_init__(self) -> None:
        """Refuse a closure of no time."""
        if self.interval is None:
            if self.first_date is None or self.last_date is None:
                raise ValueError("A closure needs dates or an interval.")
            if self.last_date < self.first_date:
                raise ValueError("A closure must end after it starts.")

    def concerns(self, calendar_id: str) -> bool:
        """Say whether it closes that calendar."""
        return not self.calendar_ids or calendar_id in self.calendar_ids


@dataclass(frozen=True, kw_only=True, slots=True)
class AppointmentType:
    """What can be booked, and by which rules.

    A slot lies on one of `any_of`, together with all of `all_of`; where `any_of` is empty, on the
    first of `all_of`, together with the rest.
    """

    type_id: str
    display_name: str
    durations: tuple[timedelta, ...]
    slot_step: timedelta
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()
    minimum_notice: timedelta = timedelta()
    horizon: timedelta = timedelta(days=60)
    capacity: int = 1
    hold_duration: timedelta = timedelta(minutes=5)
    requires_approval: bool = False
    day_cap: int | None = None
    week_cap: int | None = None
    cancellation_notice: timedelta = timedelta()
    # How long before its start reminders are sent.
    reminders: tuple[timedelta, ...] = ()
    offer_duration: timedelta = timedelta(minutes=15)
    cancel_by_reply: bool = False
    # As it is shown; nothing is charged.
    price: str = ""

    @property
    def primary_calendar_ids(self) -> tuple[str, ...]:
        """The calendars on which its slots are shown."""
        return self.any_of or self.all_of[:1]

    @property
    def hold_lifetime(self) -> timedelta:
        """How long a hold can last, however often it is renewed."""
        return HOLD_DURATIONS_MAX * self.hold_duration

    def calendar_ids_for(self, primary_id: str) -> tuple[str, ...]:
        """Return all calendars that a slot on `primary_id` occupies, that one first."""
        return (primary_id, *(other for other in self.all_of if other != primary_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class Business:
    """A tenant."""

    business_id: str
    display_name: str
    holds_per_holder_max: int = 5
    holds_per_key_max: int = 1000
    email: str = ""
    phone: str = ""
    location: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """All that one business offers. `version` is the revision of the last change to it."""

    business: Business
    version: int
    calendars: Mapping[str, Calendar]
    types: Mapping[str, AppointmentType]
    schedules: Mapping[str, Schedule]
    closures: Mapping[str, Closure]
