"""Stories: small histories, written by hand, for tests of those who judge histories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1.core_pb2 import Slot, SlotChoice
from tests.robustness.catalogue import BUSINESS, QUARTER, TYPES
from tests.robustness.history import Call, History, Outcome

STARTED_AT = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
NINE = datetime(2030, 6, 2, 9, 0, tzinfo=UTC)
PARENT = f"businesses/{BUSINESS}"


def stamp(instant: datetime) -> Timestamp:
    """Write an instant."""
    written = Timestamp()
    written.FromDatetime(instant)
    return written


class Story:
    """A history to be told call by call. An answer that is left out was refused as SLOT_TAKEN."""

    def __init__(self) -> None:
        self.history = History(
            seed=1, scenario="story", business_id=BUSINESS, started_at=STARTED_AT, ended=100.0
        )
        self._operations = count(1)
        self._revisions = count(1)

    def call(
        self,
        began: float,
        ended: float,
        request: Any,
        response: Any = None,
        *,
        reason: str = "SLOT_TAKEN",
        client: str = "eve",
        repeats: Call | None = None,
    ) -> Call:
        """Tell of a call; one that repeats another has its request id."""
        call = Call(
            number=len(self.history.calls) + 1,
            operation=repeats.operation if repeats else next(self._operations),
            client=client,
            server="a",
            method=type(request).__name__.removesuffix("Request"),
            request=request,
            began=began,
            ended=ended,
            outcome=Outcome.REFUSED if reason else Outcome.UNKNOWN,
            reason=reason,
        )
        if repeats is None and hasattr(request, "request_id"):
            request.request_id = f"request-{call.operation}"
        if response is not None:
            call.outcome, call.response, call.reason = Outcome.OK, response, ""
            response.revision = call.revision = next(self._revisions)
        self.history.calls.append(call)
        return call

    def lost(self, call: Call) -> Call:
        """Let nothing be known of a call."""
        call.outcome, call.response, call.reason = Outcome.UNKNOWN, None, "UNAVAILABLE"
        return call


def choice(type_id: str = "cut", start: datetime = NINE, calendar: str = "chair-1") -> SlotChoice:
    """Return a wish."""
    return SlotChoice(
        appointment_type=f"{PARENT}/appointmentTypes/{type_id}",
        calendar=f"{PARENT}/calendars/{calendar}" if calendar else "",
        start_time=stamp(start),
    )


def book(wish: SlotChoice | None = None, hold: str = "") -> booking_pb.BookRequest:
    """Return a request for one booking."""
    by = booking_pb.Appointment(hold=hold) if hold else None
    return booking_pb.BookRequest(
        parent=PARENT, appointments=[by or booking_pb.Appointment(slot=wish or choice())]
    )


def booking(name: str, wish: SlotChoice | None = None, **changes: Any) -> booking_pb.Booking:
    """Return a booking as an answer tells it."""
    wish = wish or choice()
    type_id = wish.appointment_type.rpartition("/")[2]
    calendars = [wish.calendar, *(f"{PARENT}/calendars/{each}" for each in TYPES[type_id].all_of)]
    told = booking_pb.Booking(
        name=f"{PARENT}/bookings/{name}",
        appointment_type=wish.appointment_type,
        calendars=list(dict.fromkeys(calendars)),
        start_time=wish.start_time,
        status=booking_pb.BOOKING_STATUS_CONFIRMED,
        version=1,
    )
    told.MergeFrom(booking_pb.Booking(**changes))
    return told


def booked(name: str, wish: SlotChoice | None = None) -> booking_pb.BookResponse:
    """Answer that one was booked."""
    return booking_pb.BookResponse(bookings=[booking(name, wish)])


def cancel(name: str, version: int = 1) -> booking_pb.CancelBookingRequest:
    """Return a request to cancel."""
    return booking_pb.CancelBookingRequest(name=f"{PARENT}/bookings/{name}", version=version)


def cancelled(name: str, version: int = 2) -> booking_pb.CancelBookingResponse:
    """Answer that one was cancelled."""
    status = booking_pb.BOOKING_STATUS_CANCELLED
    return booking_pb.CancelBookingResponse(booking=booking(name, status=status, version=version))


def hold(holder: str = "eve", wish: SlotChoice | None = None) -> booking_pb.HoldSlotRequest:
    """Return a request to hold a slot."""
    return booking_pb.HoldSlotRequest(parent=PARENT, slot=wish or choice(), holder=holder)


def held(
    name: str, until: float, holder: str = "eve", wish: SlotChoice | None = None
) -> booking_pb.HoldSlotResponse:
    """Answer that one is held until so many seconds after the history's start."""
    wish = wish or choice()
    like = booking(name, wish)
    return booking_pb.HoldSlotResponse(
        hold=booking_pb.Hold(
            name=f"{PARENT}/holds/{name}",
            appointment_type=like.appointment_type,
            calendars=like.calendars,
            start_time=like.start_time,
            holder=holder,
            expire_time=stamp(STARTED_AT + timedelta(seconds=until)),
        )
    )


def slots(calendar: str = "chair-1") -> availability_pb.ListSlotsRequest:
    """Return a request for the cuts of nine o'clock."""
    return availability_pb.ListSlotsRequest(
        parent=PARENT,
        appointment_types=[f"{PARENT}/appointmentTypes/cut"],
        calendars=[f"{PARENT}/calendars/{calendar}"],
        start_time=stamp(NINE),
        end_time=stamp(NINE + QUARTER),
    )


def listed(*wishes: SlotChoice, at: float) -> availability_pb.ListSlotsResponse:
    """Answer that these are open."""
    return availability_pb.ListSlotsResponse(
        slots=[
            Slot(
                appointment_type=wish.appointment_type,
                calendar=wish.calendar,
                start_time=wish.start_time,
                seats_left=1,
            )
            for wish in wishes
        ],
        as_of=stamp(STARTED_AT + timedelta(seconds=at)),
    )


def altered(type_id: str, buffer: timedelta) -> catalog_pb.UpdateAppointmentTypeRequest:
    """Return a request that a type keeps its calendars so long after an appointment."""
    type_ = catalog_pb.AppointmentType(
        name=f"{PARENT}/appointmentTypes/{type_id}", capacity=TYPES[type_id].capacity
    )
    type_.buffer_after.FromTimedelta(buffer)
    return catalog_pb.UpdateAppointmentTypeRequest(appointment_type=type_)


def explain(wish: SlotChoice | None = None) -> availability_pb.ExplainSlotRequest:
    """Return a request to say why a slot is, or is not, open."""
    return availability_pb.ExplainSlotRequest(parent=PARENT, slot=wish or choice())


def explained(
    *, is_free: bool, at: float, calendar: str = "chair-1"
) -> availability_pb.ExplainSlotResponse:
    """Answer whether nothing is in the way on a calendar, and that it is on the grid."""
    name = f"{PARENT}/calendars/{calendar}"
    rules = availability_pb.RuleVerdict
    return availability_pb.ExplainSlotResponse(
        bookable=is_free,
        verdicts=[
            rules(rule=rules.RULE_GRID, calendar=name, passed=True),
            rules(rule=rules.RULE_FREE, calendar=name, passed=is_free),
        ],
        as_of=stamp(STARTED_AT + timedelta(seconds=at)),
    )


def close(
    closure: str = "one", calendars: Iterable[str] = ("chair-1",), start: datetime = NINE
) -> catalog_pb.CreateClosureRequest:
    """Return a request to close for a quarter of an hour; no calendars: all."""
    return catalog_pb.CreateClosureRequest(
        parent=PARENT,
        closure_id=closure,
        closure=catalog_pb.Closure(
            calendars=[f"{PARENT}/calendars/{each}" for each in calendars],
            times=catalog_pb.TimeSpan(start_time=stamp(start), end_time=stamp(start + QUARTER)),
        ),
    )


def reopen(closure: str = "one") -> catalog_pb.DeleteClosureRequest:
    """Return a request to take a closure away."""
    return catalog_pb.DeleteClosureRequest(name=f"{PARENT}/closures/{closure}")


def busy(
    *starts: datetime, feed: str = "one", calendar: str = "chair-1"
) -> catalog_pb.ImportBusyFeedRequest:
    """Return a request that a feed has these quarters of an hour, and no others."""
    lines = [f"DTSTART:{at:%Y%m%dT%H%M%SZ}\r\nDTEND:{at + QUARTER:%Y%m%dT%H%M%SZ}" for at in starts]
    return catalog_pb.ImportBusyFeedRequest(
        calendar=f"{PARENT}/calendars/{calendar}", feed_id=feed, ics="\r\n".join(lines).encode()
    )
