"""Requests that fight: drawn from few slots, holders, bookings and holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from google.protobuf.text_format import MessageToString, Parse
from google.protobuf.timestamp_pb2 import Timestamp

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import BUSINESS, CALENDARS, MINUTE, QUARTER, TYPES
from tests.robustness.traffic.ground import (
    SOON,
    WAITING,
    Drawn,
    Ground,
    calendar_name,
    type_name,
)
from tests.robustness.traffic.handoffs import HandoffDraw, consent_to

PARENT = f"businesses/{BUSINESS}"
FOUGHT_OVER = ("cut", "colour", "class", "consult")
STANDING = (booking_pb.BOOKING_STATUS_PENDING, booking_pb.BOOKING_STATUS_CONFIRMED)
WINDOW_SOON = timedelta(hours=1, minutes=10)
SECOND = timedelta(seconds=1)
SERIES = ("FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY;COUNT=2")
MODES = (
    booking_pb.BookSeriesRequest.MODE_ALL_OR_NONE,
    booking_pb.BookSeriesRequest.MODE_AS_MANY_AS_FIT,
)
WAITED_FOR = 8
"""Of the starts that are fought over these first ones are waited for as well."""


def in_own_name(drawn: Drawn, business_id: str) -> Drawn:
    """Return a request for what has the same id in another business."""
    text = MessageToString(drawn.request).replace(f"{PARENT}/", f"businesses/{business_id}/")
    request = Parse(text, type(drawn.request)())
    if "min_revision" in request.DESCRIPTOR.fields_by_name:
        request.ClearField("min_revision")
    return Drawn(drawn.method, request)


def timestamp(instant: datetime) -> Timestamp:
    """Write an instant."""
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def _short(name: str) -> str:
    return name.rpartition("/")[2]


class Draw:
    """Draws the requests of one caller."""

    def __init__(
        self, ground: Ground, random: Random, client: str, *, is_alone: bool = False
    ) -> None:
        """Take chance from `random` alone. One that is alone shares no end user with others."""
        self._ground = ground
        self._random = random
        self._client = client
        self._numbers = 0
        own = f"{client}:1", f"{client}:2"
        self._holders = own if is_alone else (*own, "shared")
        self.handoffs = HandoffDraw(ground, random, self.request_id, self.holder)

    def request_id(self) -> str:
        """Return a new one."""
        self._numbers += 1
        return f"{self._client}-{self._numbers}"

    def holder(self) -> str:
        """Return one of the caller's two end users, or one whom all callers speak for."""
        return self._random.choice(self._holders)

    def slot(self) -> SlotChoice:
        """Return a slot: mostly one that is fought over, sometimes one that is soon."""
        if self._random.random() < 0.08:
            type_id = self._random.choice(SOON)
            # Often so soon that it begins while the traffic goes on.
            ahead = MINUTE * self._random.choice((1, 1, 1, *range(13)))
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

    def hold_beside(self, hold: booking_pb.Hold) -> Drawn:
        """Hold another slot of the type of a hold."""
        drawn = self.hold()
        drawn.request.slot.appointment_type = hold.appointment_type
        drawn.request.slot.calendar = ""
        drawn.request.slot.start_time.CopyFrom(timestamp(self._random.choice(self._ground.starts)))
        return drawn

    def book(self) -> Drawn:
        """Book one slot directly, or two of them, all or none."""
        count = 2 if self._random.random() < 0.1 else 1
        appointments = [booking_pb.Appointment(slot=self.slot()) for _ in range(count)]
        return self._book(appointments, self._random.choice(("", self.holder())))

    def book_series(self) -> Drawn:
        """Book a slot on some days, all of them or as many as fit."""
        request = booking_pb.BookSeriesRequest(
            parent=PARENT,
            request_id=self.request_id(),
            first=self.slot(),
            recurrence=self._random.choice(SERIES),
            mode=self._random.choice(MODES),
            customer=booking_pb.Customer(display_name=self._client),
            holder=self._random.choice(("", self.holder())),
        )
        return Drawn("BookSeries", request)

    def book_for_nobody(self) -> Drawn:
        """Book a slot for no holder, so that no hold gives way."""
        return self._book([booking_pb.Appointment(slot=self.slot())], "")

    def book_hold(self, hold: str) -> Drawn:
        """Book a hold."""
        return self._book([booking_pb.Appointment(hold=hold)], "")

    def book_as_shown(self, hold: booking_pb.Hold) -> Drawn:
        """Book a hold, as somebody has agreed to who was shown what it is, or another thing."""
        calendars = [_short(name) for name in hold.calendars]
        start = hold.start_time.ToDatetime(UTC)
        consent = consent_to(self._random, _short(hold.appointment_type), start, calendars)
        return self._book([booking_pb.Appointment(hold=hold.name, consent=consent)], "")

    def _agree(self, appointments: list[booking_pb.Appointment]) -> None:
        """Say of a slot what somebody was shown."""
        slot = appointments[0].slot
        if appointments[0].hold or self._random.random() > 0.15:
            return
        calendars = [_short(slot.calendar)] if slot.calendar else []
        start = slot.start_time.ToDatetime(UTC)
        consent = consent_to(self._random, _short(slot.appointment_type), start, calendars)
        appointments[0].consent.CopyFrom(consent)

    def _book(self, appointments: list[booking_pb.Appointment], holder: str) -> Drawn:
        self._agree(appointments)
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
        return self.renew_or_release_this(self._random.choice(list(self._ground.known.holds)))

    def renew_or_release_this(self, name: str) -> Drawn:
        """Renew or release a hold."""
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

    def finish(self) -> Drawn | None:
        """Say that an appointment took place, or that nobody came; most have not begun."""
        now = self._ground.recorder.wall
        begun = [
            booking
            for booking in self._ground.known.soon.values()
            if booking.status in STANDING and booking.start_time.ToDatetime(UTC) < now
        ]
        booking = self._random.choice(begun) if begun else None
        if self._random.random() < 0.6:
            return self._change("CompleteBooking", booking_pb.CompleteBookingRequest, booking)
        return self._change("MarkNoShow", booking_pb.MarkNoShowRequest, booking)

    def join(self) -> Drawn:
        """Wait for one of a few starts, on any calendar or on one; sometimes for none in vain.

        Mostly for what somebody has, so that it is not open already.
        """
        random, starts = self._random, self._ground.starts[:WAITED_FOR]
        type_id = random.choice(FOUGHT_OVER)
        rules = TYPES[type_id]
        first, length = random.choice(starts), QUARTER * random.choice((1, 1, 2, 4))
        calendars = random.sample(rules.any_of or rules.all_of[:1], random.choice((0, 0, 1)))
        booking = self._any_booking()
        if random.random() < 0.1:
            # No start of a class is so soon: it waits until its window has passed.
            type_id, calendars = "class", []
            first, length = self._ground.recorder.wall, 5 * SECOND
        elif booking is not None and booking.start_time.ToDatetime(UTC) in starts:
            type_id = _short(booking.appointment_type)
            first = booking.start_time.ToDatetime(UTC)
            calendars = [_short(booking.calendars[0])] if random.random() < 0.6 else []
        window = booking_pb.TimeWindow(
            start_time=timestamp(first), end_time=timestamp(first + length)
        )
        return self._join(type_id, calendars, [window])

    def _join(
        self, type_id: str, calendars: list[str], windows: list[booking_pb.TimeWindow]
    ) -> Drawn:
        return Drawn(
            "JoinWaitlist",
            booking_pb.JoinWaitlistRequest(
                parent=PARENT,
                request_id=self.request_id(),
                appointment_type=type_name(type_id),
                calendars=[calendar_name(each) for each in calendars],
                windows=windows,
                customer=booking_pb.Customer(display_name=self._client),
                holder=self.holder(),
            ),
        )

    def look(self) -> Drawn | None:
        """Read an entry of the waitlist, or all of it."""
        if self._random.random() < 0.15:
            return Drawn("ListWaitlist", booking_pb.ListWaitlistRequest(parent=PARENT))
        name = self._any_entry(WAITING)
        return self.look_at(name) if name else None

    def look_at(self, name: str) -> Drawn:
        """Read an entry of the waitlist."""
        min_revision = self._random.choice((0, self._ground.recorder.acknowledged))
        request = booking_pb.GetWaitlistEntryRequest(name=name, min_revision=min_revision)
        return Drawn("GetWaitlistEntry", request)

    def leave(self) -> Drawn | None:
        """Leave the waitlist for one who waits, and with it what is offered."""
        name = self._any_entry(WAITING)
        return self.leave_for(name) if name else None

    def leave_for(self, name: str) -> Drawn:
        """Leave the waitlist."""
        request = booking_pb.LeaveWaitlistRequest(name=name, request_id=self.request_id())
        return Drawn("LeaveWaitlist", request)

    def cancel_for(self, entry: booking_pb.WaitlistEntry) -> Drawn | None:
        """Cancel a booking of what one waits for."""
        bookings = [
            booking
            for booking in self._ground.known.bookings.values()
            if booking.status in STANDING
            and booking.appointment_type == entry.appointment_type
            and any(
                window.start_time.seconds <= booking.start_time.seconds < window.end_time.seconds
                for window in entry.windows
            )
        ]
        if not bookings:
            return None
        booking = self._random.choice(bookings)
        return self._change("CancelBooking", booking_pb.CancelBookingRequest, booking)

    def take_offer(self) -> Drawn | None:
        """Book what is offered to somebody; it may have passed to another by now."""
        name = self._any_entry(WAITING[1:])
        return self.book_hold(self._ground.known.waiting[name].offer.name) if name else None

    def decline(self, hold: str) -> Drawn:
        """Give back what is offered."""
        request = booking_pb.ReleaseHoldRequest(name=hold, request_id=self.request_id())
        return Drawn("ReleaseHold", request)

    def _any_entry(self, statuses: tuple[booking_pb.WaitlistEntry.Status.ValueType, ...]) -> str:
        waiting = self._ground.known.waiting.values()
        names = [entry.name for entry in waiting if entry.status in statuses]
        return self._random.choice(names) if names else ""

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
                    parent=PARENT,
                    slot=self.slot(),
                    holder=self.holder() if self._random.random() < 0.5 else "",
                    min_revision=min_revision,
                ),
            )
        return Drawn("ListSlots", self.filtered(availability_pb.ListSlotsRequest, min_revision))

    def first_page(self) -> Drawn:
        """Ask for the first page of slots, or of bookings."""
        min_revision = self._random.choice((0, self._ground.recorder.acknowledged))
        if self._random.random() < 0.5:
            request = self.filtered(availability_pb.ListSlotsRequest, min_revision)
            request.page_size = self._random.choice((1, 7, 25, 60))
            return Drawn("ListSlots", request)
        return Drawn("ListBookings", self._bookings(min_revision))

    def _bookings(self, min_revision: int) -> booking_pb.ListBookingsRequest:
        random, starts = self._random, self._ground.starts
        first, last = random.choice(((starts[0], starts[-1]), (starts[3], starts[8])))
        if random.random() < 0.2:
            first = self._ground.recorder.wall.replace(second=0, microsecond=0) - QUARTER
            last = first + WINDOW_SOON
        return booking_pb.ListBookingsRequest(
            parent=PARENT,
            calendar=calendar_name(random.choice(CALENDARS)) if random.random() < 0.4 else "",
            start_time=timestamp(first),
            end_time=timestamp(last),
            statuses=random.choice(((), (), STANDING, STANDING[1:])),
            min_revision=min_revision,
            page_size=random.choice((0, 2, 10, 40)),
        )

    def another_body(self, drawn: Drawn, *, is_answered: bool) -> Drawn | None:
        """Return a request that uses the id of another; of what is not answered, one of its kind.

        For then this one may be done, and its answer must tell which of the two it is for.
        """
        request = type(drawn.request)()
        request.CopyFrom(drawn.request)
        match request:
            case booking_pb.BookRequest() | booking_pb.HoldSlotRequest() if not is_answered:
                return self._elsewhere(drawn.method, request)
            case _ if not is_answered:
                return None
            case booking_pb.BookRequest() if self._random.random() < 0.5:
                request.customer.display_name += " and another"
            case booking_pb.BookRequest() | booking_pb.HoldSlotRequest():
                return self._elsewhere(drawn.method, request)
            case booking_pb.JoinWaitlistRequest() | booking_pb.BookSeriesRequest():
                request.customer.display_name += " and another"
            case booking_pb.CreateHandoffRequest():
                request.conversation += "another"
            case booking_pb.RedeemHandoffRequest():
                request.holder += ":another"
            case booking_pb.LeaveWaitlistRequest():
                join = self.join()
                join.request.request_id = request.request_id
                return join
            case booking_pb.RenewHoldRequest() | booking_pb.ReleaseHoldRequest():
                method = "ReleaseHold" if drawn.method == "RenewHold" else "RenewHold"
                kind = getattr(booking_pb, f"{method}Request")
                return Drawn(method, kind(name=request.name, request_id=request.request_id))
            case _:
                request.version += 1
        return Drawn(drawn.method, request)

    def _elsewhere(self, method: str, request: Any) -> Drawn | None:
        """Ask for another start, if a slot is asked for."""
        choices = [request.slot] if method == "HoldSlot" else []
        if method == "Book":
            choices = [wish.slot for wish in request.appointments if wish.HasField("slot")]
        if not choices:
            return None
        taken = choices[0].start_time
        starts = [each for each in map(timestamp, self._ground.starts) if each != taken]
        choices[0].start_time.CopyFrom(self._random.choice(starts))
        return Drawn(method, request)

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
