"""Bookings and holds, and the commands that make and change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from service.domain import ids
from service.domain.booking import Booking, BookingEvent, BookingStatus, Customer, Hold
from service.domain.change import ChangeKind
from service.domain.civil_time import is_zone
from service.domain.commands import Book, ChangeStatus, HoldSlot, HoldWish, Reschedule, Wish
from service.domain.consent import Consent
from service.domain.errors import InvalidRequest
from service.domain.handoff import PrefilledField, Provenance
from service.rpc.convert.names import child_uuid
from service.rpc.convert.slots import read_holder_key, read_slot_choice
from service.rpc.convert.times import check_zone, read_minutes, write_instant
from slotcast.v1 import booking_service_pb2 as booking_pb

STATUS_MESSAGES: Mapping[BookingStatus, booking_pb.BookingStatus.ValueType] = {
    BookingStatus.PENDING: booking_pb.BOOKING_STATUS_PENDING,
    BookingStatus.CONFIRMED: booking_pb.BOOKING_STATUS_CONFIRMED,
    BookingStatus.CANCELLED: booking_pb.BOOKING_STATUS_CANCELLED,
    BookingStatus.DECLINED: booking_pb.BOOKING_STATUS_DECLINED,
    BookingStatus.COMPLETED: booking_pb.BOOKING_STATUS_COMPLETED,
    BookingStatus.NO_SHOW: booking_pb.BOOKING_STATUS_NO_SHOW,
}
STATUSES: Mapping[booking_pb.BookingStatus.ValueType, BookingStatus] = {
    message: status for status, message in STATUS_MESSAGES.items()
}
CHANGE_KINDS: Mapping[ChangeKind, booking_pb.BookingChange.Kind.ValueType] = {
    ChangeKind.BOOKED: booking_pb.BookingChange.KIND_BOOKED,
    ChangeKind.RESCHEDULED: booking_pb.BookingChange.KIND_RESCHEDULED,
    ChangeKind.CANCELLED: booking_pb.BookingChange.KIND_CANCELLED,
    ChangeKind.APPROVED: booking_pb.BookingChange.KIND_APPROVED,
    ChangeKind.DECLINED: booking_pb.BookingChange.KIND_DECLINED,
    ChangeKind.COMPLETED: booking_pb.BookingChange.KIND_COMPLETED,
    ChangeKind.NO_SHOW: booking_pb.BookingChange.KIND_NO_SHOW,
}
"""The other kinds of change touch no booking."""

PROVENANCE_MESSAGES: Mapping[Provenance, booking_pb.PrefilledField.Provenance.ValueType] = {
    Provenance.SAID: booking_pb.PrefilledField.PROVENANCE_SAID,
    Provenance.INFERRED: booking_pb.PrefilledField.PROVENANCE_INFERRED,
}
PROVENANCES: Mapping[booking_pb.PrefilledField.Provenance.ValueType, Provenance] = {
    message: provenance for provenance, message in PROVENANCE_MESSAGES.items()
}

StatusChangeRequest = (
    booking_pb.CancelBookingRequest
    | booking_pb.ApproveBookingRequest
    | booking_pb.DeclineBookingRequest
    | booking_pb.CompleteBookingRequest
    | booking_pb.MarkNoShowRequest
)


def write_booking(
    booking: Booking, business_id: str, *, personal: bool = True
) -> booking_pb.Booking:
    """Return a booking as a message; not `personal`: without who comes and what they answered."""
    return booking_pb.Booking(
        name=ids.booking_name(business_id, booking.booking_id),
        appointment_type=ids.type_name(business_id, booking.type_id),
        calendars=[ids.calendar_name(business_id, each) for each in booking.calendar_ids],
        start_time=write_instant(booking.appointment.start),
        end_time=write_instant(booking.appointment.end),
        time_zone=booking.zone,
        status=STATUS_MESSAGES[booking.status],
        version=booking.version,
        customer=write_customer(booking.customer) if personal else None,
        fields=booking.fields if personal else None,
        create_time=write_instant(booking.created_at),
        update_time=write_instant(booking.updated_at),
        cancel_reason=booking.cancel_reason if personal else "",
        series="" if booking.series_id is None else str(booking.series_id),
        # A chat may name it by the number of a phone.
        conversation=booking.conversation if personal else "",
    )


def write_hold(hold: Hold, business_id: str) -> booking_pb.Hold:
    """Return a hold as a message."""
    return booking_pb.Hold(
        name=ids.hold_name(business_id, hold.hold_id),
        appointment_type=ids.type_name(business_id, hold.type_id),
        calendars=[ids.calendar_name(business_id, each) for each in hold.calendar_ids],
        start_time=write_instant(hold.appointment.start),
        end_time=write_instant(hold.appointment.end),
        expire_time=write_instant(hold.expires_at),
        holder=hold.holder,
        conversation=hold.conversation,
    )


def read_book(request: booking_pb.BookRequest, business_id: str, principal_id: str) -> Book:
    """Return the command of a Book."""
    return Book(
        principal_id=principal_id,
        holder_key=read_holder_key(request.holder, principal_id),
        booking_ids=tuple(uuid4() for _ in request.appointments),
        wishes=tuple(
            read_wish(appointment, business_id, f"appointments[{index}]")
            for index, appointment in enumerate(request.appointments)
        ),
        customer=read_customer(request.customer),
        fields=dict(request.fields),
        conversation=request.conversation,
    )


def read_hold_slot(
    request: booking_pb.HoldSlotRequest, business_id: str, principal_id: str
) -> HoldSlot:
    """Return the command of a HoldSlot."""
    return HoldSlot(
        hold_id=uuid4(),
        principal_id=principal_id,
        holder=request.holder,
        slot=read_slot_choice(request.slot, business_id, "slot"),
        conversation=request.conversation,
    )


def read_reschedule(
    request: booking_pb.RescheduleBookingRequest, business_id: str, principal_id: str
) -> Reschedule:
    """Return the command of a RescheduleBooking."""
    return Reschedule(
        booking_id=child_uuid(request.name, business_id),
        version=request.version,
        principal_id=principal_id,
        wish=read_wish(request.to, business_id, "to"),
        override_notice=request.override_notice,
    )


def read_status_change(
    request: StatusChangeRequest, business_id: str, event: BookingEvent
) -> ChangeStatus:
    """Return the command of a cancellation, approval, refusal, completion or absence."""
    reason, override_notice = "", False
    if isinstance(request, booking_pb.CancelBookingRequest):
        reason, override_notice = request.reason, request.override_notice
    elif isinstance(request, booking_pb.DeclineBookingRequest):
        reason = request.reason
    return ChangeStatus(
        booking_id=child_uuid(request.name, business_id),
        version=request.version,
        event=event,
        cancel_reason=reason,
        override_notice=override_notice,
    )


def read_wish(appointment: booking_pb.Appointment, business_id: str, field: str) -> Wish:
    """Return which slot an appointment names, directly or by a hold, and what was agreed to."""
    consent = (
        read_consent(appointment.consent, f"{field}.consent")
        if appointment.HasField("consent")
        else None
    )
    if appointment.HasField("hold"):
        return HoldWish(hold_id=child_uuid(appointment.hold, business_id), consent=consent)
    slot = read_slot_choice(appointment.slot, business_id, f"{field}.slot")
    return slot if consent is None else replace(slot, consent=consent)


def read_consent(message: booking_pb.Consent, field: str) -> Consent:
    """Return what a person was shown; a date that no calendar has was shown to nobody."""
    if not is_zone(message.time_zone):
        raise InvalidRequest(f"{field}.time_zone", "There is no such IANA time zone.")
    try:
        start = datetime.fromisoformat(message.start)
    except ValueError:
        raise InvalidRequest(f"{field}.start", "There is no such time.") from None
    return Consent(
        start=start,
        zone=message.time_zone,
        type=message.appointment_type,
        calendar=message.calendar,
        price=message.price,
        duration=(
            read_minutes(message.duration, f"{field}.duration")
            if message.HasField("duration")
            else None
        ),
    )


def read_prefilled(message: booking_pb.PrefilledField) -> PrefilledField:
    """Return something that a form need not ask."""
    return PrefilledField(
        name=message.name, value=message.value, provenance=PROVENANCES[message.provenance]
    )


def write_prefilled(field: PrefilledField) -> booking_pb.PrefilledField:
    """Return something that a form need not ask as a message."""
    return booking_pb.PrefilledField(
        name=field.name, value=field.value, provenance=PROVENANCE_MESSAGES[field.provenance]
    )


def read_customer(customer: booking_pb.Customer) -> Customer:
    """Return who comes."""
    if customer.time_zone:
        check_zone(customer.time_zone, "customer.time_zone")
    return Customer(
        display_name=customer.display_name,
        email=customer.email,
        phone=customer.phone,
        time_zone=customer.time_zone,
        language=customer.language,
    )


def write_customer(customer: Customer) -> booking_pb.Customer:
    """Return who comes as a message."""
    return booking_pb.Customer(
        display_name=customer.display_name,
        email=customer.email,
        phone=customer.phone,
        time_zone=customer.time_zone,
        language=customer.language,
    )
