"""Bookings and holds as the model has them, and the messages that should tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.domain.ids import calendar_name, type_name
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.checker.instants import stamp

PENDING, CONFIRMED = "pending", "confirmed"
LIVE, RELEASED, BOOKED = "live", "released", "booked"
TRANSITIONS = {
    "approved": ({PENDING}, CONFIRMED),
    "declined": ({PENDING}, "declined"),
    "cancelled": ({PENDING, CONFIRMED}, "cancelled"),
    "completed": ({CONFIRMED}, "completed"),
    "no_show": ({CONFIRMED}, "no_show"),
}
"""By the kind of the change: from which states, and to which."""
CHANGE_METHODS = {
    "HoldSlot": "held",
    "RenewHold": "renewed",
    "ReleaseHold": "released",
    "Book": "booked",
    "RescheduleBooking": "rescheduled",
    "CancelBooking": "cancelled",
    "ApproveBooking": "approved",
    "DeclineBooking": "declined",
    "CompleteBooking": "completed",
    "MarkNoShow": "no_show",
    "ImportBusyFeed": "busy_imported",
}
"""Which kind of change a method leaves; all others change the catalogue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """A booking."""

    id: str
    type_id: str
    calendars: tuple[str, ...]
    first: int
    last: int
    zone: str
    status: str
    version: int
    asked: Any
    created: int
    updated: int
    cancel_reason: str = ""

    def message(self, business_id: str) -> booking_pb.Booking:
        """Return it as an answer tells it."""
        return booking_pb.Booking(
            name=f"businesses/{business_id}/bookings/{self.id}",
            appointment_type=type_name(business_id, self.type_id),
            calendars=[calendar_name(business_id, each) for each in self.calendars],
            start_time=stamp(self.first),
            end_time=stamp(self.last),
            time_zone=self.zone,
            status=booking_pb.BookingStatus.Value(f"BOOKING_STATUS_{self.status.upper()}"),
            version=self.version,
            customer=self.asked.customer,
            fields=self.asked.fields,
            create_time=stamp(self.created),
            update_time=stamp(self.updated),
            cancel_reason=self.cancel_reason,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A hold. One that has expired is LIVE still: it may be booked, if its slot is free."""

    id: str
    principal: str
    holder: str
    key: str
    type_id: str
    calendars: tuple[str, ...]
    first: int
    last: int
    created: int
    expires: int
    status: str = LIVE

    def message(self, business_id: str) -> booking_pb.Hold:
        """Return it as an answer tells it."""
        return booking_pb.Hold(
            name=f"businesses/{business_id}/holds/{self.id}",
            appointment_type=type_name(business_id, self.type_id),
            calendars=[calendar_name(business_id, each) for each in self.calendars],
            start_time=stamp(self.first),
            end_time=stamp(self.last),
            expire_time=stamp(self.expires),
            holder=self.holder,
        )
