"""The events of a change, in the JSON that the same things have over REST.

What is about a person is left out: that is joined in when the event is sent, where it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from service.domain import ids
from service.domain.booking import Booking, BookingStatus, Customer, Hold
from service.domain.change import BookingState, Change, ChangeKind, OfferRef, Placement, state_of
from service.domain.waitlist import EntryStatus, WaitlistEntry
from service.domain.webhook import EventType

_BOOKING_EVENTS: Mapping[ChangeKind, EventType] = {
    ChangeKind.BOOKED: EventType.BOOKED,
    ChangeKind.APPROVED: EventType.APPROVED,
    ChangeKind.DECLINED: EventType.DECLINED,
    ChangeKind.RESCHEDULED: EventType.RESCHEDULED,
    ChangeKind.CANCELLED: EventType.CANCELLED,
    ChangeKind.COMPLETED: EventType.COMPLETED,
    ChangeKind.NO_SHOW: EventType.NO_SHOW,
}
# An event is known by its revision and its ordinal, so what is found of one kind moves no other.
_ENTRIES_FROM = 1_000
_OFFERS_FROM = 2_000

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the log does not carry: rows as they are now, those that there still are."""

    bookings: Mapping[UUID, Booking]
    entries: Mapping[UUID, WaitlistEntry]
    holds: Mapping[UUID, Hold]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event. `subject_id` is the booking or the entry; its events are told in their order.

    `calendar_ids` are those that it concerns; None: any of its type's.
    """

    type: EventType
    revision: int
    ordinal: int
    subject_id: UUID
    booking_id: UUID | None
    calendar_ids: frozenset[str] | None
    body: Json


def events_of(business_id: str, change: Change, known: Known) -> Iterator[Event]:
    """Yield the events of a change. Each has the same ordinal whenever they are asked for."""
    found = (
        *_of_bookings(business_id, change, known),
        *_of_entries(business_id, change, known),
        *_of_offers(business_id, change, known),
    )
    for each in found:
        yield Event(
            type=each.type,
            revision=change.revision,
            ordinal=each.ordinal,
            subject_id=each.subject_id,
            booking_id=each.subject_id if "booking" in each.body else None,
            calendar_ids=each.calendar_ids,
            body={
                "type": each.type.value,
                "business": ids.business_name(business_id),
                "revision": str(change.revision),
                "at": instant_json(change.at),
                **each.body,
            },
        )


class _Found(NamedTuple):
    ordinal: int
    type: EventType
    subject_id: UUID
    calendar_ids: frozenset[str] | None
    body: Json


def _of_bookings(business_id: str, change: Change, known: Known) -> Iterator[_Found]:
    type_ = _BOOKING_EVENTS.get(change.kind)
    if type_ is None:
        return
    states = change.bookings or _as_they_are(change, known)
    for ordinal, state in enumerate(states):
        is_pending = type_ is EventType.BOOKED and state.status is BookingStatus.PENDING
        calendar_ids = frozenset(state.calendar_ids)
        body: Json = {"booking": _booking_json(business_id, state, change.at)}
        if state.before is not None:
            calendar_ids |= frozenset(state.before.calendar_ids)
            body["before"] = _placement_json(business_id, state.before)
        told = EventType.PENDING if is_pending else type_
        yield _Found(ordinal, told, state.booking_id, calendar_ids, body)


def _as_they_are(change: Change, known: Known) -> tuple[BookingState, ...]:
    """Return the bookings of a change from before the log told how it left them."""
    there = (known.bookings.get(each) for each in change.booking_ids)
    return tuple(state_of(booking) for booking in there if booking is not None)


def _of_entries(business_id: str, change: Change, known: Known) -> Iterator[_Found]:
    """Yield who has joined or left; one also leaves by giving back what it was offered.

    Where an offer is passed on, nobody leaves: who waits again may have left since.
    """
    for ordinal, entry_id in enumerate(change.entry_ids, start=_ENTRIES_FROM):
        entry = known.entries.get(entry_id)
        if change.kind is ChangeKind.WAITLIST_JOINED:
            type_, status = EventType.WAITLIST_JOINED, EntryStatus.WAITING
        elif change.kind is ChangeKind.WAITLIST_LEFT or (
            change.kind is not ChangeKind.WAITLIST_OFFERED
            and entry is not None
            and entry.status is EntryStatus.LEFT
        ):
            type_, status = EventType.WAITLIST_LEFT, EntryStatus.LEFT
        else:
            continue
        body = {"waitlistEntry": _entry_json(business_id, entry_id, status)}
        yield _Found(ordinal, type_, entry_id, _calendars_of(entry), body)


def _of_offers(business_id: str, change: Change, known: Known) -> Iterator[_Found]:
    for ordinal, offer in enumerate(change.offers, start=_OFFERS_FROM):
        hold = known.holds.get(offer.hold_id)
        told = _entry_json(business_id, offer.entry_id, EntryStatus.OFFERED)
        told["offer"] = _offer_json(business_id, offer, hold)
        told["offerExpireTime"] = instant_json(offer.expires_at)
        calendar_ids = (
            frozenset(hold.calendar_ids)
            if hold is not None
            else _calendars_of(known.entries.get(offer.entry_id))
        )
        type_ = EventType.WAITLIST_OFFERED
        yield _Found(ordinal, type_, offer.entry_id, calendar_ids, {"waitlistEntry": told})


def _calendars_of(entry: WaitlistEntry | None) -> frozenset[str] | None:
    return frozenset(entry.calendar_ids) or None if entry is not None else None


def _booking_json(business_id: str, state: BookingState, at: datetime) -> Json:
    return {
        "name": ids.booking_name(business_id, state.booking_id),
        "appointmentType": ids.type_name(business_id, state.type_id),
        "calendars": [ids.calendar_name(business_id, each) for each in state.calendar_ids],
        "startTime": instant_json(state.appointment.start),
        "endTime": instant_json(state.appointment.end),
        "timeZone": state.zone,
        "status": f"BOOKING_STATUS_{state.status.name}",
        "version": str(state.version),
        "updateTime": instant_json(at),
    }


def _placement_json(business_id: str, placement: Placement) -> Json:
    return {
        "calendars": [ids.calendar_name(business_id, each) for each in placement.calendar_ids],
        "startTime": instant_json(placement.appointment.start),
        "endTime": instant_json(placement.appointment.end),
    }


def _entry_json(business_id: str, entry_id: UUID, status: EntryStatus) -> Json:
    return {"name": ids.waitlist_name(business_id, entry_id), "status": f"STATUS_{status.name}"}


def _offer_json(business_id: str, offer: OfferRef, hold: Hold | None) -> Json:
    """Return the hold of an offer; of one that was swept away only its name is left."""
    name = ids.hold_name(business_id, offer.hold_id)
    if hold is None:
        return {"name": name}
    return {
        "name": name,
        "appointmentType": ids.type_name(business_id, hold.type_id),
        "calendars": [ids.calendar_name(business_id, each) for each in hold.calendar_ids],
        "startTime": instant_json(hold.appointment.start),
        "endTime": instant_json(hold.appointment.end),
        "expireTime": instant_json(hold.expires_at),
    }


def personal_json(booking: Booking) -> Json:
    """Return what a booking says of a person; as over REST, what is empty is not there."""
    told: Json = {
        "customer": customer_json(booking.customer),
        "fields": dict(booking.fields),
        "cancelReason": booking.cancel_reason,
        "conversation": booking.conversation,
    }
    return {name: value for name, value in told.items() if value}


def wish_json(business_id: str, entry: WaitlistEntry) -> Json:
    """Return what an entry waits for, which never changes."""
    told: Json = {
        "appointmentType": ids.type_name(business_id, entry.type_id),
        "calendars": [ids.calendar_name(business_id, each) for each in entry.calendar_ids],
        "windows": [
            {"startTime": instant_json(each.start), "endTime": instant_json(each.end)}
            for each in entry.windows
        ],
        "duration": None if entry.duration is None else duration_json(entry.duration),
        "holder": entry.holder,
        "createTime": instant_json(entry.joined_at),
    }
    return {name: value for name, value in told.items() if value}


def customer_json(customer: Customer) -> Json:
    """Return who comes or waits."""
    told = {
        "displayName": customer.display_name,
        "email": customer.email,
        "phone": customer.phone,
        "timeZone": customer.time_zone,
        "language": customer.language,
    }
    return {name: value for name, value in told.items() if value}


def instant_json(instant: datetime) -> str:
    """Return an instant as protobuf's JSON has it: a fraction has three digits, or six."""
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    if micros := instant.microsecond:
        text += f".{micros // 1000:03}" if micros % 1000 == 0 else f".{micros:06}"
    return text + "Z"


def duration_json(duration: timedelta) -> str:
    """Return a duration of whole seconds as protobuf's JSON has it."""
    return f"{int(duration.total_seconds())}s"
