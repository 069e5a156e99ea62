"""Bookings, holds and who waits, as the model has them, and the messages that tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.domain.ids import calendar_name, type_name
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.checker.instants import stamp

PENDING, CONFIRMED = "pending", "confirmed"
LIVE, RELEASED, BOOKED = "live", "released", "booked"
WAITING, OFFERED, TAKEN = "waiting", "offered", "taken"
LEFT, LAPSED, EXPIRED = "left", "lapsed", "expired"
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
    "CreateHandoff": "renewed",
    "RedeemHandoff": "handed_over",
    "Book": "booked",
    "BookSeries": "booked",
    "RescheduleBooking": "rescheduled",
    "CancelBooking": "cancelled",
    "ApproveBooking": "approved",
    "DeclineBooking": "declined",
    "CompleteBooking": "completed",
    "MarkNoShow": "no_show",
    "ImportBusyFeed": "busy_imported",
    "JoinWaitlist": "waitlist_joined",
    "LeaveWaitlist": "waitlist_left",
}
"""Which kind of change a method leaves; all others change the catalogue."""
TIMED = frozenset({"waitlist_offered"})
"""The changes that nobody asks for: the notifier makes them when the time has come."""


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
    series: str = ""
    conversation: str = ""

    @property
    def state(self) -> tuple[object, ...]:
        """What a change may tell of it."""
        return (
            *(self.type_id, self.calendars, self.first, self.last, self.zone),
            *(self.status, self.version),
        )

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
            series=self.series,
            conversation=self.conversation,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A hold. One that has expired is LIVE still: it may be booked, if its slot is free.

    Those that are offered to one who waits do not count against their holder.
    """

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
    is_offer: bool = False
    conversation: str = ""
    tickets: int = 0

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
            conversation=self.conversation,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A ticket: of which hold it is, and for whom that is: its maker, then its redeemer.

    `expires` is the earliest instant at which the hold has ever been going to expire since. Once it
    has expired it may be erased at any time what the ticket knows, and it gives nothing any more.
    """

    hold_id: str
    key: str
    fields: tuple[Any, ...]
    expires: int
    is_redeemed: bool = False
    may_be_erased: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """An entry of the waitlist: who joined at a revision `number`, and where it stands.

    `hold` is what is offered to it, until `ends`; `windows` are those in which a slot may start.
    """

    id: str
    principal: str
    holder: str
    key: str
    type_id: str
    calendars: frozenset[str]
    windows: tuple[tuple[int, int], ...]
    number: int
    asked: Any
    created: int
    status: str = WAITING
    hold: Held | None = None
    ends: int = 0

    @property
    def last_end(self) -> int:
        """When its last window is over."""
        return max(end for _, end in self.windows)

    def wants(self, type_id: str, calendar: str, first: int) -> bool:
        """Say whether a slot would do."""
        return (
            type_id == self.type_id
            and (not self.calendars or calendar in self.calendars)
            and any(start <= first < end for start, end in self.windows)
        )

    def message(self, business_id: str) -> booking_pb.WaitlistEntry:
        """Return it as an answer tells it."""
        told = booking_pb.WaitlistEntry(
            name=f"businesses/{business_id}/waitlist/{self.id}",
            appointment_type=type_name(business_id, self.type_id),
            calendars=self.asked.calendars,
            windows=self.asked.windows,
            holder=self.holder,
            status=booking_pb.WaitlistEntry.Status.Value(f"STATUS_{self.status.upper()}"),
            create_time=stamp(self.created),
        )
        if self.status in STANDING:
            told.customer.CopyFrom(self.asked.customer)
        if self.status == OFFERED:
            assert self.hold is not None
            told.offer.CopyFrom(self.hold.message(business_id))
            told.offer_expire_time.CopyFrom(stamp(self.ends))
        return told


STANDING = frozenset({WAITING, OFFERED})
"""Where an entry has not ended."""
