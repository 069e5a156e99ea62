"""Bookings and holds: their states, and which change may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from service.domain.interval import Interval


class BookingStatus(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    COMPLETED = "completed"
    NO_SHOW = "no_show"


class BookingEvent(StrEnum):
    """What can happen to a booking."""

    APPROVE = "approve"
    DECLINE = "decline"
    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    COMPLETE = "complete"
    MISS = "miss"


TRANSITIONS: Mapping[tuple[BookingStatus, BookingEvent], BookingStatus] = {
    (BookingStatus.PENDING, BookingEvent.APPROVE): BookingStatus.CONFIRMED,
    (BookingStatus.PENDING, BookingEvent.DECLINE): BookingStatus.DECLINED,
    (BookingStatus.PENDING, BookingEvent.CANCEL): BookingStatus.CANCELLED,
    (BookingStatus.PENDING, BookingEvent.RESCHEDULE): BookingStatus.PENDING,
    (BookingStatus.CONFIRMED, BookingEvent.CANCEL): BookingStatus.CANCELLED,
    (BookingStatus.CONFIRMED, BookingEvent.RESCHEDULE): BookingStatus.CONFIRMED,
    (BookingStatus.CONFIRMED, BookingEvent.COMPLETE): BookingStatus.COMPLETED,
    (BookingStatus.CONFIRMED, BookingEvent.MISS): BookingStatus.NO_SHOW,
}
"""A pair that is not listed is an InvalidTransition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Who comes to an appointment; empty text where it was not told."""

    display_name: str
    email: str = ""
    phone: str = ""
    time_zone: str = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """A claim that stays. `calendar_ids` has the slot's own calendar first."""

    booking_id: UUID
    type_id: str
    calendar_ids: tuple[str, ...]
    appointment: Interval
    zone: str
    status: BookingStatus
    version: int
    customer: Customer
    fields: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    cancel_reason: str = ""
    series_id: UUID | None = None
    # The chat's own name for what it belongs to; empty: none.
    conversation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingQuery:
    """Which bookings are asked for: those that start in a window. Nothing named means any."""

    window: Interval
    calendar_id: str | None = None
    conversation: str = ""
    statuses: frozenset[BookingStatus] = frozenset()


class HoldStatus(StrEnum):
    """Where a hold stands. One that has expired is still LIVE here: its claim's time tells."""

    LIVE = "live"
    RELEASED = "released"
    BOOKED = "booked"


class Holder(NamedTuple):
    """Whose holds are counted: those of one holder or, without a key, all of a principal's."""

    principal_id: str
    holder_key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A claim that expires by itself. Only its own principal can use it.

    `entry_id` is set where it is an offer to an entry of the waitlist. `handoffs` counts the
    tickets that were made of it.
    """

    hold_id: UUID
    principal_id: str
    holder: str
    holder_key: str
    type_id: str
    calendar_ids: tuple[str, ...]
    appointment: Interval
    created_at: datetime
    expires_at: datetime
    status: HoldStatus
    entry_id: UUID | None = None
    conversation: str = ""
    handoffs: int = 0

    @property
    def owner(self) -> Holder:
        """Whose it is."""
        return Holder(self.principal_id, self.holder_key)
