"""Requests that make or change holds and bookings: what each wants, and how it is answered."""

from __future__ import annotations

from functools import partial

from service.domain.booking import BookingEvent, Hold
from service.domain.commands import Outcome, ReleaseHold, RenewHold
from service.rpc.convert.bookings import (
    StatusChangeRequest,
    read_book,
    read_hold_slot,
    read_reschedule,
    read_status_change,
    write_booking,
    write_hold,
)
from service.rpc.convert.names import child_uuid
from service.rpc.submitting import Asking, Encode, Wanted
from service.rpc.wire import bytes_field, varint_field
from slotcast.v1 import booking_service_pb2 as booking_pb

BOOKINGS_FIELD = booking_pb.BookResponse.BOOKINGS_FIELD_NUMBER
REVISION_FIELD = booking_pb.BookResponse.REVISION_FIELD_NUMBER
HoldResponse = type[booking_pb.HoldSlotResponse | booking_pb.RenewHoldResponse]
BookingResponse = type[
    booking_pb.RescheduleBookingResponse
    | booking_pb.CancelBookingResponse
    | booking_pb.ApproveBookingResponse
    | booking_pb.DeclineBookingResponse
    | booking_pb.CompleteBookingResponse
    | booking_pb.MarkNoShowResponse
]

STATUS_CHANGES: dict[str, tuple[BookingEvent, BookingResponse]] = {
    "CancelBooking": (BookingEvent.CANCEL, booking_pb.CancelBookingResponse),
    "ApproveBooking": (BookingEvent.APPROVE, booking_pb.ApproveBookingResponse),
    "DeclineBooking": (BookingEvent.DECLINE, booking_pb.DeclineBookingResponse),
    "CompleteBooking": (BookingEvent.COMPLETE, booking_pb.CompleteBookingResponse),
    "MarkNoShow": (BookingEvent.MISS, booking_pb.MarkNoShowResponse),
}


def hold_slot(request: booking_pb.HoldSlotRequest, asking: Asking) -> Wanted:
    """Read HoldSlot."""
    command = read_hold_slot(request, asking.business_id, asking.principal_id)
    return Wanted(command, _hold_encoder(asking, booking_pb.HoldSlotResponse))


def renew_hold(request: booking_pb.RenewHoldRequest, asking: Asking) -> Wanted:
    """Read RenewHold."""
    hold_id = child_uuid(request.name, asking.business_id)
    command = RenewHold(hold_id=hold_id, principal_id=asking.principal_id)
    return Wanted(command, _hold_encoder(asking, booking_pb.RenewHoldResponse))


def release_hold(request: booking_pb.ReleaseHoldRequest, asking: Asking) -> Wanted:
    """Read ReleaseHold."""
    hold_id = child_uuid(request.name, asking.business_id)
    return Wanted(ReleaseHold(hold_id=hold_id, principal_id=asking.principal_id), _encode_release)


def book(request: booking_pb.BookRequest, asking: Asking) -> Wanted:
    """Read Book."""
    command = read_book(request, asking.business_id, asking.acting_id)
    return Wanted(command, partial(_encode_book, asking.business_id))


def reschedule(request: booking_pb.RescheduleBookingRequest, asking: Asking) -> Wanted:
    """Read RescheduleBooking."""
    command = read_reschedule(request, asking.business_id, asking.acting_id)
    return Wanted(command, _booking_encoder(asking, booking_pb.RescheduleBookingResponse))


def change_status(request: StatusChangeRequest, asking: Asking) -> Wanted:
    """Read one of the five requests that only change where a booking stands."""
    event, response = STATUS_CHANGES[asking.method_name]
    command = read_status_change(request, asking.business_id, event)
    return Wanted(command, _booking_encoder(asking, response))


def _hold_encoder(asking: Asking, response: HoldResponse) -> Encode:
    def encode(outcome: Outcome) -> bytes:
        hold = _hold_of(outcome)
        message = response(hold=write_hold(hold, asking.business_id), revision=outcome.revision)
        return message.SerializeToString()

    return encode


def _booking_encoder(asking: Asking, response: BookingResponse) -> Encode:
    def encode(outcome: Outcome) -> bytes:
        (booking,) = outcome.bookings
        written = write_booking(booking, asking.business_id)
        return response(booking=written, revision=outcome.revision).SerializeToString()

    return encode


def _encode_book(business_id: str, outcome: Outcome) -> bytes:
    # A booking put into a message is copied, field by field; its bytes are not.
    written = [
        bytes_field(BOOKINGS_FIELD, write_booking(booking, business_id).SerializeToString())
        for booking in outcome.bookings
    ]
    return b"".join((*written, varint_field(REVISION_FIELD, outcome.revision)))


def _encode_release(outcome: Outcome) -> bytes:
    return booking_pb.ReleaseHoldResponse(revision=outcome.revision).SerializeToString()


def _hold_of(outcome: Outcome) -> Hold:
    assert outcome.hold is not None
    return outcome.hold
