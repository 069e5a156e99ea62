"""Slots, holds and bookings: wire messages to plain values, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from slotcast.models import (
    Appointment,
    Booking,
    BookingStatus,
    Consent,
    Customer,
    Explanation,
    Hold,
    Rule,
    RuleVerdict,
    Slot,
    SlotChoice,
    SlotKey,
)
from slotcast.names import Names
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import core_pb2 as core_pb

Word = TypeVar("Word", bound=StrEnum)


def instant(message: Timestamp) -> datetime:
    """Return an aware instant in UTC."""
    return message.ToDatetime(tzinfo=UTC)


def timestamp(moment: datetime) -> Timestamp:
    """Refuse a naive moment: it would be read in whatever zone this machine is in."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: give an aware datetime.")
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def duration(span: timedelta | None) -> Duration | None:
    """Return nothing where nothing was said."""
    if span is None:
        return None
    message = Duration()
    message.FromTimedelta(span)
    return message


def word(words: type[Word], name_of: Callable[[Any], str], prefix: str, number: int) -> Word:
    """Return an enum's word; UNKNOWN, which each has, for one of a newer server."""
    try:
        return words(name_of(number).removeprefix(prefix))
    except ValueError:
        return words("UNKNOWN")


def moment(message: Message, field: str) -> datetime | None:
    """Read an instant that may not be there."""
    return instant(getattr(message, field)) if message.HasField(field) else None


def span(message: Message, field: str) -> timedelta | None:
    """Read a duration that may not be there."""
    if not message.HasField(field):
        return None
    length: timedelta = getattr(message, field).ToTimedelta()
    return length


def slot(message: core_pb.Slot) -> Slot:
    """Read an open slot."""
    return Slot(
        appointment_type=message.appointment_type,
        calendar=message.calendar,
        start=instant(message.start_time),
        end=instant(message.end_time),
        seats_left=message.seats_left,
    )


def slot_key(message: core_pb.SlotKey) -> SlotKey:
    """Read which slot is meant."""
    return SlotKey(
        instant(message.start_time),
        message.appointment_type,
        message.calendar,
        instant(message.end_time),
    )


def slot_choice_message(wanted: Slot | SlotChoice, names: Names) -> core_pb.SlotChoice:
    """Write which slot is wanted; an open slot is wanted as it is."""
    span = wanted.end - wanted.start if isinstance(wanted, Slot) else wanted.duration
    return core_pb.SlotChoice(
        appointment_type=names.appointment_type(wanted.appointment_type),
        calendar=names.calendar(wanted.calendar) if wanted.calendar else "",
        start_time=timestamp(wanted.start),
        duration=duration(span),
    )


def appointment_message(
    wanted: Appointment, names: Names, consent: Consent | None = None
) -> booking_pb.Appointment:
    """Write what is to be booked, and what the person has agreed to."""
    agreed = None if consent is None else consent_message(consent)
    if isinstance(wanted, Slot | SlotChoice):
        return booking_pb.Appointment(slot=slot_choice_message(wanted, names), consent=agreed)
    name = wanted.name if isinstance(wanted, Hold) else wanted
    return booking_pb.Appointment(hold=names.hold(name), consent=agreed)


def consent_message(consent: Consent) -> booking_pb.Consent:
    """Write what was shown; a start without an offset was told to nobody."""
    if consent.start.utcoffset() is None:
        raise ValueError(f"{consent.start.isoformat()} has no offset: give an aware datetime.")
    return booking_pb.Consent(
        start=consent.start.isoformat(timespec="seconds"),
        time_zone=consent.time_zone,
        appointment_type=consent.appointment_type,
        calendar=consent.calendar,
        price=consent.price,
        duration=duration(consent.duration),
    )


def customer(message: booking_pb.Customer) -> Customer:
    """Read who comes."""
    return Customer(
        display_name=message.display_name,
        email=message.email,
        phone=message.phone,
        time_zone=message.time_zone,
        language=message.language,
    )


def customer_message(who: Customer) -> booking_pb.Customer:
    """Write who comes."""
    return booking_pb.Customer(
        display_name=who.display_name,
        email=who.email,
        phone=who.phone,
        time_zone=who.time_zone,
        language=who.language,
    )


def hold(message: booking_pb.Hold, revision: int = 0) -> Hold:
    """Read a hold, as of a revision."""
    return Hold(
        name=message.name,
        appointment_type=message.appointment_type,
        calendars=tuple(message.calendars),
        start=instant(message.start_time),
        end=instant(message.end_time),
        expires_at=instant(message.expire_time),
        holder=message.holder,
        conversation=message.conversation,
        revision=revision,
    )


def booking(message: booking_pb.Booking, revision: int = 0) -> Booking:
    """Read a booking, as of a revision."""
    return Booking(
        name=message.name,
        appointment_type=message.appointment_type,
        calendars=tuple(message.calendars),
        start=instant(message.start_time),
        end=instant(message.end_time),
        time_zone=message.time_zone,
        status=word(
            BookingStatus,
            lambda number: booking_pb.BookingStatus.Name(
                booking_pb.BookingStatus.ValueType(number)
            ),
            "BOOKING_STATUS_",
            message.status,
        ),
        version=message.version,
        customer=customer(message.customer) if message.HasField("customer") else None,
        fields=dict(message.fields),
        created_at=instant(message.create_time),
        updated_at=instant(message.update_time),
        cancel_reason=message.cancel_reason,
        series=message.series,
        conversation=message.conversation,
        revision=revision,
    )


def status_number(status: BookingStatus) -> booking_pb.BookingStatus.ValueType:
    """Write a status; ValueError for UNKNOWN, which cannot be asked for."""
    return booking_pb.BookingStatus.Value(f"BOOKING_STATUS_{status}")


def explanation(message: availability_pb.ExplainSlotResponse) -> Explanation:
    """Read every rule's verdict."""
    return Explanation(
        bookable=message.bookable,
        verdicts=tuple(_verdict(verdict) for verdict in message.verdicts),
        revision=message.revision,
        as_of=instant(message.as_of),
    )


def _verdict(message: availability_pb.RuleVerdict) -> RuleVerdict:
    rules = availability_pb.RuleVerdict.Rule
    return RuleVerdict(
        rule=word(Rule, lambda number: rules.Name(rules.ValueType(number)), "RULE_", message.rule),
        calendar=message.calendar,
        passed=message.passed,
        explanation=message.explanation,
    )
