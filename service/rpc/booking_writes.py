"""Requests that make or change holds and bookings: decode, submit, encode."""

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
from service.rpc.submitting import Asking, Encode, Submitter
from slotcast.v1 import booking_service_pb2 as booking_pb

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


class BookingWrites:
    """Answers each request with the bytes of its response."""

    def __init__(self, submitter: Submitter) -> None:
        """Take what submits commands."""
        self._submitter = submitter

    async def hold_slot(self, request: booking_pb.HoldSlotRequest, asking: Asking) -> bytes:
        """Answer HoldSlot."""
        command = read_hold_slot(request, asking.business_id, asking.principal_id)
        return await self._submitter.submit(
            asking, request, command, _hold_encoder(asking, booking_pb.HoldSlotResponse)
        )

    async def renew_hold(self, request: booking_pb.RenewHoldRequest, asking: Asking) -> bytes:
        """Answer RenewHold."""
        command = RenewHold(
            hold_id=child_uuid(request.name, asking.business_id), principal_id=asking.principal_id
        )
        return await self._submitter.submit(
            asking, request, command, _hold_encoder(asking, booking_pb.RenewHoldResponse)
        )

    async def release_hold(self, request: booking_pb.ReleaseHoldRequest, asking: Asking) -> bytes:
        """Answer ReleaseHold."""
        command = ReleaseHold(
            hold_id=child_uuid(request.name, asking.business_id), principal_id=asking.principal_id
        )
        return await self._submitter.submit(asking, request, command, _encode_release)

    async def book(self, request: booking_pb.BookRequest, asking: Asking) -> bytes:
        """Answer Book."""
        command = read_book(request, asking.business_id, asking.principal_id)
        encode = partial(_encode_book, asking.business_id)
        return await self._submitter.submit(asking, request, command, encode)

    async def reschedule(
        self, request: booking_pb.RescheduleBookingRequest, asking: Asking
    ) -> bytes:
        """Answer RescheduleBooking."""
        command = read_reschedule(request, asking.business_id, asking.principal_id)
        encode = _booking_encoder(asking, booking_pb.RescheduleBookingResponse)
        return await self._submitter.submit(asking, request, command, encode)

    async def change_status(self, request: StatusChangeRequest, asking: Asking) -> bytes:
        """Answer the five methods that only change where a booking stands."""
        event, response = STATUS_CHANGES[asking.method_name]
        command = read_status_change(request, asking.business_id, event)
        encode = _booking_encoder(asking, response)
        return await self._submitter.submit(asking, request, command, encode)


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
    return booking_pb.BookResponse(
        bookings=[write_booking(booking, business_id) for booking in outcome.bookings],
        revision=outcome.revision,
    ).SerializeToString()


def _encode_release(outcome: Outcome) -> bytes:
    return booking_pb.ReleaseHoldResponse(revision=outcome.revision).SerializeToString()


def _hold_of(outcome: Outcome) -> Hold:
    assert outcome.hold is not None
    return outcome.hold
