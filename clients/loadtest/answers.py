"""What is asked, and whether what was answered can be true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from loadtest.grid import STEP_SECONDS, Grid, Place
from slotcast.v1.booking_service_pb2 import (
    BOOKING_STATUS_CONFIRMED,
    Appointment,
    BookRequest,
    BookResponse,
    Customer,
)
from slotcast.v1.core_pb2 import Slot, SlotChoice
from slotcast.v1.error_reason_pb2 import Alternatives

SLOT_TAKEN = "SLOT_TAKEN"
# After these it is not known whether the slot was booked.
OUTCOME_UNKNOWN = frozenset({"TRY_AGAIN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"})

CUSTOMER = Customer(
    # Without an address: letters are not what is measured.
    display_name="Load Tester",
    phone="+49 30 1234567",
)
FIELDS = {"topic": "first visit", "channel": "chat"}

_DETAILS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class Requests:
    """Makes the requests of a run; all but slot and id is the same in each."""

    def __init__(self, grid: Grid) -> None:
        """Take the grid whose slots are asked for."""
        self._grid = grid
        self._template = BookRequest(
            parent=grid.parent,
            appointments=[Appointment(slot=SlotChoice(appointment_type=grid.type_name))],
            customer=CUSTOMER,
            fields=FIELDS,
        )

    def book(self, place: Place, request_id: str) -> BookRequest:
        """Return the request for one slot."""
        request = BookRequest()
        request.CopyFrom(self._template)
        request.request_id = request_id
        slot = request.appointments[0].slot
        slot.calendar = self._grid.calendar_name(place.calendar)
        slot.start_time.seconds = place.start
        return request


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a call failed."""

    reason: str
    alternatives: tuple[Place, ...] = ()


def refusal_of_call(failure: grpc.aio.AioRpcError) -> Refusal:
    """Read why a unary call failed; its reason is the code's name where it carries no other."""
    for key, value in failure.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return refusal_of_status(Status.FromString(value))
            except DecodeError:
                break
    return Refusal(reason=failure.code().name)


def refusal_of_status(status: Status) -> Refusal:
    """Read why a request on a stream failed."""
    info, alternatives = ErrorInfo(), Alternatives()
    for detail in status.details:
        # Leaves a message of another type as it is.
        detail.Unpack(info)
        detail.Unpack(alternatives)
    return Refusal(
        reason=info.reason or _CODES.get(status.code, "UNKNOWN"),
        alternatives=tuple(places_of(alternatives.slots)),
    )


def places_of(slots: Iterable[Slot]) -> Iterable[Place]:
    """Read slots of a grid."""
    return (Place(slot.calendar.rpartition("/")[2], slot.start_time.seconds) for slot in slots)


def fault_of_booking(answer: BookResponse, place: Place, grid: Grid) -> str | None:
    """Say what is wrong with an OK answer; None: nothing is."""
    if len(answer.bookings) != 1:
        return f"{len(answer.bookings)} bookings were answered to a request for one"
    booking = answer.bookings[0]
    if list(booking.calendars) != [grid.calendar_name(place.calendar)]:
        return "another calendar was booked than was asked for"
    if booking.start_time.seconds != place.start or booking.start_time.nanos:
        return "another start was booked than was asked for"
    if booking.end_time.seconds != place.start + STEP_SECONDS:
        return "the booking has another length than its type"
    if booking.appointment_type != grid.type_name:
        return "another type was booked than was asked for"
    if booking.status != BOOKING_STATUS_CONFIRMED or booking.version != 1:
        return "a new booking is not confirmed, or is not of version 1"
    if not booking.name.startswith(f"{grid.parent}/bookings/") or answer.revision <= 0:
        return "a booking was answered without a name or without a revision"
    return None


def fault_of_refusal(refusal: Refusal, wanted: Place) -> str | None:
    """Say what is wrong with a SLOT_TAKEN; None: nothing is."""
    if wanted in refusal.alternatives:
        return "the taken slot itself was offered as an alternative"
    return None
