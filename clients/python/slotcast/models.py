"""Slots, holds and bookings, as plain values.

Every `name` is a full resource name such as `businesses/salon/calendars/anna`. Instants are aware,
in UTC. Intervals include their start and exclude their end. A `revision` is where the answer stands
in the business's order of changes: given as `min_revision`, the next read is at least as new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, TypeAlias, TypeVar

Item = TypeVar("Item")


class SlotKey(NamedTuple):
    """What identifies a slot. Sorts by start, then type, then calendar."""

    start: datetime
    appointment_type: str
    calendar: str
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A start that an appointment type offers on a calendar, open for `seats_left` bookings."""

    appointment_type: str
    calendar: str
    start: datetime
    end: datetime
    seats_left: int = 1

    @property
    def key(self) -> SlotKey:
        """What identifies it."""
        return SlotKey(self.start, self.appointment_type, self.calendar, self.end)


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotChoice:
    """Which slot one wants. No calendar: the server chooses one; no duration: the type's first.

    Names may be short ids.
    """

    appointment_type: str
    start: datetime
    calendar: str = ""
    duration: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotQuery:
    """Which slots one asks for: those that start in [start, end), at most 62 days.

    Names may be short ids; none means all. No duration: each type's first. `holder`: whose own
    holds hide nothing from them.
    """

    start: datetime
    end: datetime
    appointment_types: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    duration: timedelta | None = None
    holder: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Who comes. Only the name is needed. Phone as in RFC 3966, language as in BCP 47."""

    display_name: str
    email: str = ""
    phone: str = ""
    time_zone: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A claim on a slot that ends by itself at `expires_at`, by the server's clock.

    conversation: the chat's own name for what it belongs to; may be empty.
    """

    name: str
    appointment_type: str
    calendars: tuple[str, ...]
    start: datetime
    end: datetime
    expires_at: datetime
    holder: str
    conversation: str = ""
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a person was shown and agreed to; where it is not what would be booked, nothing is.

    start: as it was told, with the offset that `time_zone` has then. Names as they are displayed.
    No calendar: nobody was named; no duration: nothing was said of it.
    """

    start: datetime
    time_zone: str
    appointment_type: str
    calendar: str = ""
    price: str = ""
    duration: timedelta | None = None


class BookingStatus(StrEnum):
    """Where a booking stands. UNKNOWN is one that this client is too old to know."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    DECLINED = "DECLINED"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """A claim that stays. `version` rises by one with every change, and is given back to change it.

    `customer` is None, and `fields` and `conversation` are empty, where the key may not see who
    comes. `series` is what the bookings of one series have in common.
    """

    name: str
    appointment_type: str
    calendars: tuple[str, ...]
    start: datetime
    end: datetime
    time_zone: str
    status: BookingStatus
    version: int
    customer: Customer | None
    fields: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    cancel_reason: str = ""
    series: str = ""
    conversation: str = ""
    revision: int = field(default=0, compare=False)


Appointment: TypeAlias = Slot | SlotChoice | Hold | str
"""What can be booked: a slot, a choice of one, a hold, or a hold's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingQuery:
    """Which bookings one asks for: those that start in [start, end). Nothing named means any.

    At most 62 days, or as many as you like of one conversation.
    """

    start: datetime
    end: datetime
    calendar: str = ""
    statuses: tuple[BookingStatus, ...] = ()
    conversation: str = ""


class Rule(StrEnum):
    """The rules that a slot is judged by. UNKNOWN is one that this client is too old to know."""

    HOURS = "HOURS"
    GRID = "GRID"
    NOTICE = "NOTICE"
    HORIZON = "HORIZON"
    FREE = "FREE"
    DAY_CAP = "DAY_CAP"
    WEEK_CAP = "WEEK_CAP"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleVerdict:
    """What one rule says of a time on one calendar, with a sentence for people."""

    rule: Rule
    calendar: str
    passed: bool
    explanation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a time can or cannot be booked, at a revision: every rule, for every calendar."""

    bookable: bool
    verdicts: tuple[RuleVerdict, ...]
    revision: int
    as_of: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    """A part of a list. `next_page_token` is empty on the last one.

    `revision` is 0, and `as_of` None, where the server does not tell them.
    """

    items: tuple[Item, ...]
    next_page_token: str = ""
    revision: int = 0
    as_of: datetime | None = None

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
