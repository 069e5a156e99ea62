"""Requests that a call and a stream of calls have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from slotcast import convert
from slotcast.calls import new_request_id
from slotcast.models import Appointment, Booking, Consent, Customer, Slot, SlotChoice, SlotQuery
from slotcast.names import Names
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is asked for with an appointment: who comes, and what they answered.

    consents: what they agreed to, one for each appointment; none at all: nothing is compared.
    conversation: the chat's own name for what it belongs to; empty: to that of its hold.
    """

    customer: Customer
    fields: Mapping[str, str] = field(default_factory=dict)
    holder: str = ""
    request_id: str | None = None
    consents: tuple[Consent | None, ...] = ()
    conversation: str = ""


def book_request(
    names: Names, appointments: Iterable[Appointment], wish: Wish
) -> booking_pb.BookRequest:
    """Ask for appointments, all or none."""
    wanted = tuple(appointments)
    consents = wish.consents or (None,) * len(wanted)
    return booking_pb.BookRequest(
        parent=names.business(),
        request_id=new_request_id(wish.request_id),
        appointments=[
            convert.appointment_message(item, names, consent)
            for item, consent in zip(wanted, consents, strict=True)
        ],
        customer=convert.customer_message(wish.customer),
        fields=dict(wish.fields),
        holder=wish.holder,
        conversation=wish.conversation,
    )


def hold_request(
    names: Names,
    slot: Slot | SlotChoice,
    holder: str,
    request_id: str | None,
    conversation: str = "",
) -> booking_pb.HoldSlotRequest:
    """Ask for a hold."""
    return booking_pb.HoldSlotRequest(
        parent=names.business(),
        request_id=new_request_id(request_id),
        slot=convert.slot_choice_message(slot, names),
        holder=holder,
        conversation=conversation,
    )


def seen(booking: Booking | str, version: int | None, names: Names) -> tuple[str, int]:
    """Return a booking's name and the version that the caller has seen of it."""
    if isinstance(booking, Booking):
        return booking.name, version or booking.version
    if version is None:
        raise ValueError("A booking given by its name needs the version that was seen of it.")
    return names.booking(booking), version


def list_slots_request(names: Names, query: SlotQuery) -> availability_pb.ListSlotsRequest:
    """Ask for open slots, once."""
    return availability_pb.ListSlotsRequest(
        parent=names.business(),
        appointment_types=[names.appointment_type(name) for name in query.appointment_types],
        calendars=[names.calendar(name) for name in query.calendars],
        start_time=convert.timestamp(query.start),
        end_time=convert.timestamp(query.end),
        duration=convert.duration(query.duration),
        holder=query.holder,
    )


def watch_request(names: Names, query: SlotQuery) -> availability_pb.WatchAvailabilityRequest:
    """Ask for open slots, and all changes of them."""
    return availability_pb.WatchAvailabilityRequest(
        parent=names.business(),
        appointment_types=[names.appointment_type(name) for name in query.appointment_types],
        calendars=[names.calendar(name) for name in query.calendars],
        start_time=convert.timestamp(query.start),
        end_time=convert.timestamp(query.end),
        duration=convert.duration(query.duration),
        holder=query.holder,
    )
