"""Requests that fight: drawn from few slots, holders, bookings and holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import BUSINESS, CALENDARS, MINUTE, QUARTER, TYPES
from tests.robustness.traffic.ground import Ground, calendar_name, type_name

PARENT = f"businesses/{BUSINESS}"
FOUGHT_OVER = ("cut", "colour", "class", "consult")
SOON = ("walk-in", "drop-in")
STANDING = (booking_pb.BOOKING_STATUS_PENDING, booking_pb.BOOKING_STATUS_CONFIRMED)
WINDOW_SOON = timedelta(hours=1, minutes=10)


class Drawn(NamedTuple):
    """A request, and the method that takes it."""

    method: str
    request: Any


def timestamp(instant: datetime) -> Timestamp:
    """Write an instant."""
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


class Draw:
    """Draws the requests of one caller."""

    def __init__(self, ground: Ground, random: Random, client: str) -> None:
        """Take chance from `random` alone."""
        self._ground = ground
        self._random = random
        self._client = client
        self._numbers = 0

    def request_id(self) -> str:
        """Return a new one."""
        self._numbers += 1
        return f"{self._client}-{self._numbers}"

    def holder(self) -> str:
        """Return one of the caller's two end users, or one whom all callers speak for."""
        return self._random.choice((f"{self._client}:1", f"{self._client}:2", "shared"))

    def slot(self) -> SlotChoice:
        """Return a slot: mostly one that is fought over, sometimes one that is soon."""
        if self._random.random() < 0.08:
            type_id = self._random.choice(SOON)
            ahead = MINUTE * self._random.randint(0, 12)
            start = self._ground.recorder.wall.replace(second=0, microsecond=0) + ahead
        else:
            type_id = self._random.choice(FOUGHT_OVER)
            start = self._random.choice(self._ground.starts)
        rules = TYPES[type_id]
        calendars = rules.any_of or rules.all_of[:1]
        named = self._random.random() < 0.6
        return SlotChoice(
            appointment_type=type_name(type_id),
            calendar=calendar_name(self._random.choice(calendars)) if named else "",
            start_time=timestamp(start),
        )

    def hold(self) -> Drawn:
        """Hold a slot."""
        return Drawn(
            "HoldSlot",
            booking_pb.HoldSlotRequest(
                parent=PARENT,
                request_id=self.request_id(),
                slot=self.slot(),
                holder=self.holder(),
            ),
        )

    def book(self) -> Drawn:
        """Book one slot directly, or two of them, all or none."""
        count = 2 if self._random.random() < 0.1 else 1
        appointments = [booking_pb.Appointment(slot=self.slot()) for _ in range(count)]
        return self._book(appointments, self._random.choice(("", self.holder())))

    def book_hold(self, hold: str) -> Drawn:
        """Book a hold."""
        return self._book([booking_pb.Appointment(hold=hold)], "")

    def _book(self, appointments: list[booking_pb.Appointment], holder: str) -> Drawn:
        return Drawn(
            "Book",
            booking_pb.BookRequest(
                parent=PARENT,
                request_id=self.request_id(),
                appointments=appointments,
                customer=booking_pb.Customer(display_name=self._client),
                holder=holder,
            ),
        )

    def renew_or_release(self) -> Drawn | None:
        """Renew or release a hold that somebody was told of."""
        if not self._ground.known.holds:
            return None
        name = self._random.choice(list(self._ground.known.holds))
        if self._random.random() < 0.5:
            request = booking_pb.RenewHoldRequest(name=name, request_id=self.request_id())
            return Drawn("RenewHold", request)
        release = booking_pb.ReleaseHoldRequest(name=name, request_id=self.request_id())
        return Drawn("ReleaseHold", release)

    def book_known_hold(self) -> Drawn | None:
        """Book a hold that somebody was told of; it may have expired, or be another's by now."""
        if not self._ground.known.holds:
            return None
        return self.book_hold(self._random.choice(list(self._ground.known.holds)))

    def cancel(self) -> Drawn | None:
        """Cancel a booking."""
        return self._change("CancelBooking", booking_pb.CancelBookingRequest)

    def approve(self) -> Drawn | None:
        """Approve a booking, or decline it; most do not await that."""
        pending = [
            booking
            for booking in self._ground.known.bookings.values()
            if booking.status == booking_pb.BOOKING_STATUS_PENDING
        ]
        booking = self._random.choice(pending) if pending else None
        if self._random.random() < 0.7:
            return self._change("ApproveBooking", booking_pb.ApproveBookingRequest, booking)
        return self._change("DeclineBooking", booking_pb.DeclineBookingRequest, booking)

    def reschedule(self) -> Drawn | None:
        """Move a booking to another slot of its type."""
        booking = self._any_booking()
        if booking is None:
            return None
        to = self.slot()
        # Mostly to a slot of its own type; any other is refused.
        if self._random.random() < 0.95:
            to.appointment_type, to.calendar = booking.appointment_type, ""
            to.start_time.CopyFrom(timestamp(self._random.choice(self._ground.starts)))
        request = booking_pb.RescheduleBookingRequest(
            name=booking.name,
            version=booking.version,
            request_id=self.request_id(),
            to=booking_pb.Appointment(slot=to),
        )
        return Drawn("RescheduleBooking", request)

    def read(self) -> Drawn:
        """List slots, most often not older than what was answered last; or read a booking."""
        min_revision = self._random.choice((0, self._ground.recorder.acknowledged))
        booking = self._any_booking()
        choice = self._random.random()
        if choice < 0.2 and booking is not None:
            request = booking_pb.GetBookingRequest(name=booking.name, min_revision=min_revision)
            return Drawn("GetBooking", request)
        if choice < 0.35:
            return Drawn(
                "ExplainSlot",
                availability_pb.ExplainSlotRequest(
                    parent=PARENT, slot=self.slot(), min_revision=min_revision
                ),
            )
        return Drawn("ListSlots", self.filtered(availability_pb.ListSlotsRequest, min_revision))

    def filtered(self, kind: Callable[..., Any], min_revision: int) -> Any:
        """Return a request for the slots of a window: a filter drawn from some."""
        random, starts = self._random, self._ground.starts
        if random.random() < 0.3:
            first = self._ground.recorder.wall.replace(second=0, microsecond=0)
            last = first + WINDOW_SOON
            types: tuple[str, ...] = random.choice((SOON, SOON[:1]))
        else:
            first, last = starts[0] - 4 * QUARTER, starts[-1] + 4 * QUARTER
            if random.random() < 0.3:
                first, last = starts[3], starts[11]
            types = random.choice((FOUGHT_OVER, FOUGHT_OVER, ("cut", "class"), ("consult",)))
        calendars = CALENDARS if random.random() < 0.8 else (random.choice(CALENDARS),)
        return kind(
            parent=PARENT,
            appointment_types=[type_name(type_id) for type_id in types],
            calendars=[] if calendars is CALENDARS else [calendar_name(calendars[0])],
            start_time=timestamp(first),
            end_time=timestamp(last),
            holder=self.holder() if random.random() < 0.2 else "",
            min_revision=min_revision,
        )

    def _change(
        self, method: str, kind: Callable[..., Any], booking: booking_pb.Booking | None = None
    ) -> Drawn | None:
        booking = booking or self._any_booking()
        if booking is None:
            return None
        request_id = self.request_id()
        request = kind(name=booking.name, version=booking.version, request_id=request_id)
        return Drawn(method, request)

    def _any_booking(self) -> booking_pb.Booking | None:
        """Return a booking, mostly one that stands."""
        bookings = list(self._ground.known.bookings.values())
        standing = [booking for booking in bookings if booking.status in STANDING]
        if standing and self._random.random() < 0.9:
            bookings = standing
        return self._random.choice(bookings) if bookings else None
