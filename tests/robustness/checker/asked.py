"""What staged histories ask for: requests with short arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from service.domain.slot import Slot
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import BUSINESS, CALENDARS, QUARTER, TYPES, contested_starts
from tests.robustness.checker.judge import judge
from tests.robustness.checker.staged import STARTED_AT, Stage
from tests.robustness.history import Sight
from tests.robustness.traffic.owner import catalogue_type

PARENT = f"businesses/{BUSINESS}"
STARTS = contested_starts(STARTED_AT)
TYPES_SEEN = ("cut", "colour", "class", "consult")
"""What staged watchers and onlookers mostly ask for."""
HOLDS_PER_HOLDER_MAX = 3
WHO = booking_pb.Customer(display_name="Eve")
_numbers = count(1)


def request_id() -> str:
    """Return a new one."""
    return f"request-{next(_numbers)}"


def stamp_of(instant: datetime) -> Timestamp:
    """Write an instant."""
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def slot(type_id: str, start: datetime, calendar: str = "") -> SlotChoice:
    """Choose a slot."""
    return SlotChoice(
        appointment_type=f"{PARENT}/appointmentTypes/{type_id}",
        calendar=f"{PARENT}/calendars/{calendar}" if calendar else "",
        start_time=stamp_of(start),
    )


def book(*wishes: SlotChoice | str, holder: str = "") -> tuple[str, booking_pb.BookRequest]:
    """Book slots, or holds by their names."""
    return "Book", booking_pb.BookRequest(
        parent=PARENT,
        request_id=request_id(),
        appointments=[
            booking_pb.Appointment(hold=wish)
            if isinstance(wish, str)
            else booking_pb.Appointment(slot=wish)
            for wish in wishes
        ],
        customer=WHO,
        holder=holder,
    )


def book_series(
    first: SlotChoice, recurrence: str = "FREQ=DAILY;COUNT=2", *, all_of_it: bool = False
) -> tuple[str, booking_pb.BookSeriesRequest]:
    """Book a slot on some days."""
    kind = booking_pb.BookSeriesRequest
    return "BookSeries", kind(
        parent=PARENT,
        request_id=request_id(),
        first=first,
        recurrence=recurrence,
        mode=kind.MODE_ALL_OR_NONE if all_of_it else kind.MODE_AS_MANY_AS_FIT,
        customer=WHO,
    )


def hold(wish: SlotChoice, holder: str = "eve") -> tuple[str, booking_pb.HoldSlotRequest]:
    """Hold a slot."""
    request = booking_pb.HoldSlotRequest(
        parent=PARENT, request_id=request_id(), slot=wish, holder=holder
    )
    return "HoldSlot", request


def renew(name: str) -> tuple[str, booking_pb.RenewHoldRequest]:
    """Renew a hold."""
    return "RenewHold", booking_pb.RenewHoldRequest(name=name, request_id=request_id())


def release(name: str) -> tuple[str, booking_pb.ReleaseHoldRequest]:
    """Release a hold."""
    return "ReleaseHold", booking_pb.ReleaseHoldRequest(name=name, request_id=request_id())


def hand_off(name: str, fields: Iterable[Any] = ()) -> tuple[str, booking_pb.CreateHandoffRequest]:
    """Make a ticket of a hold."""
    return "CreateHandoff", booking_pb.CreateHandoffRequest(
        hold=name, request_id=request_id(), fields=fields
    )


def redeem(ticket: str, holder: str) -> tuple[str, booking_pb.RedeemHandoffRequest]:
    """Redeem a ticket."""
    return "RedeemHandoff", booking_pb.RedeemHandoffRequest(
        parent=PARENT, request_id=request_id(), ticket=ticket, holder=holder
    )


def agree(asked: tuple[str, Any], consent: Any) -> tuple[str, Any]:
    """Book, or move, what somebody was shown and has agreed to."""
    method, request = asked
    wish = request.to if method == "RescheduleBooking" else request.appointments[0]
    wish.consent.CopyFrom(consent)
    return method, request


def join(
    type_id: str,
    start: datetime,
    *calendars: str,
    holder: str = "eve",
    length: timedelta = QUARTER,
) -> tuple[str, booking_pb.JoinWaitlistRequest]:
    """Wait for a start in a window."""
    window = booking_pb.TimeWindow(start_time=stamp_of(start), end_time=stamp_of(start + length))
    return "JoinWaitlist", booking_pb.JoinWaitlistRequest(
        parent=PARENT,
        request_id=request_id(),
        appointment_type=f"{PARENT}/appointmentTypes/{type_id}",
        calendars=[f"{PARENT}/calendars/{each}" for each in calendars],
        windows=[window],
        customer=WHO,
        holder=holder,
    )


def leave(name: str) -> tuple[str, booking_pb.LeaveWaitlistRequest]:
    """Leave the waitlist."""
    return "LeaveWaitlist", booking_pb.LeaveWaitlistRequest(name=name, request_id=request_id())


def get_entry(name: str) -> tuple[str, booking_pb.GetWaitlistEntryRequest]:
    """Read an entry of the waitlist."""
    return "GetWaitlistEntry", booking_pb.GetWaitlistEntryRequest(name=name)


def list_entries() -> tuple[str, booking_pb.ListWaitlistRequest]:
    """Read all who wait."""
    return "ListWaitlist", booking_pb.ListWaitlistRequest(parent=PARENT)


def change(method: str, booking: booking_pb.Booking) -> tuple[str, Any]:
    """Cancel a booking, approve it, or the like."""
    request = getattr(booking_pb, f"{method}Request")
    return method, request(name=booking.name, version=booking.version, request_id=request_id())


def move(
    booking: booking_pb.Booking, to: SlotChoice | str
) -> tuple[str, booking_pb.RescheduleBookingRequest]:
    """Move a booking."""
    where = {"hold": to} if isinstance(to, str) else {"slot": to}
    return "RescheduleBooking", booking_pb.RescheduleBookingRequest(
        name=booking.name,
        version=booking.version,
        request_id=request_id(),
        to=booking_pb.Appointment(**where),
    )


def window(
    kind: Any, types: tuple[str, ...] = (), calendars: tuple[str, ...] = (), **more: Any
) -> Any:
    """Ask for the slots of the contested day, or, for `soon`, of the next hour."""
    start, end = STARTS[0] - 4 * QUARTER, STARTS[-1] + 4 * QUARTER
    if more.pop("soon", False):
        start, end = STARTED_AT, STARTED_AT + timedelta(minutes=70)
    return kind(
        parent=PARENT,
        appointment_types=[f"{PARENT}/appointmentTypes/{each}" for each in types],
        calendars=[f"{PARENT}/calendars/{each}" for each in calendars],
        start_time=stamp_of(start),
        end_time=stamp_of(end),
        **more,
    )


def list_slots(*types: str, **more: Any) -> tuple[str, availability_pb.ListSlotsRequest]:
    """List slots."""
    return "ListSlots", window(availability_pb.ListSlotsRequest, types, **more)


def explain(wish: SlotChoice, holder: str = "") -> tuple[str, availability_pb.ExplainSlotRequest]:
    """Ask why."""
    request = availability_pb.ExplainSlotRequest(parent=PARENT, slot=wish, holder=holder)
    return "ExplainSlot", request


def get(name: str) -> tuple[str, booking_pb.GetBookingRequest]:
    """Read a booking."""
    return "GetBooking", booking_pb.GetBookingRequest(name=name)


def list_bookings() -> tuple[str, booking_pb.ListBookingsRequest]:
    """List the bookings of the contested day."""
    return "ListBookings", window(_list_of_bookings)


def _list_of_bookings(**fields: Any) -> booking_pb.ListBookingsRequest:
    del fields["appointment_types"], fields["calendars"]
    return booking_pb.ListBookingsRequest(**fields)


def close(
    closure_id: str, start: datetime, end: datetime, *calendars: str
) -> tuple[str, catalog_pb.CreateClosureRequest]:
    """Close calendars, or all."""
    return "CreateClosure", catalog_pb.CreateClosureRequest(
        parent=PARENT,
        closure_id=closure_id,
        request_id=request_id(),
        closure=catalog_pb.Closure(
            display_name="Closed",
            calendars=[f"{PARENT}/calendars/{each}" for each in calendars],
            times=catalog_pb.TimeSpan(start_time=stamp_of(start), end_time=stamp_of(end)),
        ),
    )


def reopen(closure_id: str) -> tuple[str, catalog_pb.DeleteClosureRequest]:
    """Delete a closure."""
    name = f"{PARENT}/closures/{closure_id}"
    return "DeleteClosure", catalog_pb.DeleteClosureRequest(name=name, request_id=request_id())


def alter(type_id: str, **changes: Any) -> tuple[str, catalog_pb.UpdateAppointmentTypeRequest]:
    """Change a type of the catalogue: `capacity`, or lengths such as `buffer_after`."""
    type_ = catalogue_type(type_id)
    type_.name = f"{PARENT}/appointmentTypes/{type_id}"
    for field, value in changes.items():
        if isinstance(value, timedelta):
            getattr(type_, field).FromTimedelta(value)
        else:
            setattr(type_, field, value)
    return "UpdateAppointmentType", catalog_pb.UpdateAppointmentTypeRequest(
        appointment_type=type_, request_id=request_id()
    )


def import_busy(
    calendar: str, *spans: tuple[datetime, datetime]
) -> tuple[str, catalog_pb.ImportBusyFeedRequest]:
    """Put busy time on a calendar."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20300101T000000Z\r\n"
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for number, (start, end) in enumerate(spans)
    )
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Slotcast//Tests//EN\r\n"
    return "ImportBusyFeed", catalog_pb.ImportBusyFeedRequest(
        calendar=f"{PARENT}/calendars/{calendar}",
        feed_id="feed",
        ics=f"{head}{events}END:VCALENDAR\r\n".encode(),
        request_id=request_id(),
    )


def opening() -> Iterator[tuple[str, Any]]:
    """Make the business of the catalogue."""
    business = catalog_pb.Business(display_name="Salon", holds_per_holder_max=HOLDS_PER_HOLDER_MAX)
    yield (
        "CreateBusiness",
        catalog_pb.CreateBusinessRequest(
            business_id=BUSINESS, business=business, request_id=request_id()
        ),
    )
    hours = [catalog_pb.WallInterval(start="00:00", end="24:00")]
    weekly = [
        catalog_pb.WeekdayHours(weekday=catalog_pb.Weekday.ValueType(day), intervals=hours)
        for day in range(1, 8)
    ]
    yield (
        "CreateSchedule",
        catalog_pb.CreateScheduleRequest(
            parent=PARENT,
            schedule_id="always",
            schedule=catalog_pb.Schedule(display_name="Always", weekly=weekly),
            request_id=request_id(),
        ),
    )
    for calendar_id in CALENDARS:
        yield (
            "CreateCalendar",
            catalog_pb.CreateCalendarRequest(
                parent=PARENT,
                calendar_id=calendar_id,
                calendar=catalog_pb.Calendar(
                    display_name=calendar_id, time_zone="UTC", schedule=f"{PARENT}/schedules/always"
                ),
                request_id=request_id(),
            ),
        )
    for type_id in TYPES:
        yield (
            "CreateAppointmentType",
            catalog_pb.CreateAppointmentTypeRequest(
                parent=PARENT,
                appointment_type_id=type_id,
                appointment_type=catalogue_type(type_id),
                request_id=request_id(),
            ),
        )


def opened() -> Stage:
    """Return a stage with the business on it."""
    stage = Stage()
    for asked in opening():
        stage.ask(*asked)
    return stage


def told(stage: Stage, **witnessed: Any) -> set[tuple[str, str]]:
    """Return which rules of which promises are broken; `witnessed` is what PostgreSQL says."""
    history, witness = stage.end()
    violations = judge(history, replace(witness, **witnessed))
    return {(each.promise, each.rule) for each in violations}


def look(
    stage: Stage,
    slots: Iterable[Slot] | None = None,
    *,
    stale: bool = False,
    revision: int | None = None,
) -> Sight:
    """Let an onlooker look now; it sees what is open, unless it is told what it sees."""
    if slots is None:
        slots = stage.slots(window(availability_pb.WatchAvailabilityRequest, TYPES_SEEN))
    sight = Sight(
        at=stage.now,
        watcher="onlooker",
        is_stale=stale,
        revision=stage.revision if revision is None else revision,
        slots=frozenset(
            (each.key.type_id, each.key.calendar_id, each.key.start, each.seats_left)
            for each in slots
        ),
        types=TYPES_SEEN,
        window=(STARTS[0] - timedelta(hours=1), STARTS[-1] + timedelta(hours=1)),
    )
    stage.history.sights.append(sight)
    return sight
