"""Places: where a decision puts something, found by the evaluator and freed of what gives way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from service.domain.availability import judge
from service.domain.booking import Booking, Hold, HoldStatus
from service.domain.catalog import AppointmentType
from service.domain.choice import pick_calendar
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import HoldWish, SlotWish
from service.domain.errors import HoldEnded, InvalidRequest, ResourceNotFound
from service.domain.ids import hold_name, type_name
from service.domain.interval import Interval
from service.domain.ledger import Draft, Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A slot that can be taken. `occupied` is the appointment with its buffers."""

    type: AppointmentType
    calendar_ids: tuple[str, ...]
    appointment: Interval
    occupied: Interval
    seat: int | None


def find_place(ledger: Ledger, draft: Draft, slot: SlotWish, key: str | None) -> Place:
    """Judge a wish, choose its calendar, and free the place of dead holds and the asker's own."""
    type_ = type_of(ledger, slot.type_id)
    duration = slot.duration or type_.durations[0]
    if duration not in type_.durations:
        raise InvalidRequest("slot.duration", "That is not one of the type's durations.")
    primary_id = slot.calendar_id or pick_calendar(
        ledger.offer, slot.type_id, slot.start, duration, ledger.now, holder_key=key
    )
    verdict = judge(
        ledger.offer, slot.type_id, primary_id, slot.start, duration, ledger.now, holder_key=key
    )
    if verdict.refusal is not None:
        raise verdict.refusal
    appointment = Interval(slot.start, slot.start + duration)
    place = Place(
        type=type_,
        calendar_ids=type_.calendar_ids_for(primary_id),
        appointment=appointment,
        occupied=Interval(
            appointment.start - type_.buffer_before, appointment.end + type_.buffer_after
        ),
        seat=verdict.seat,
    )
    _clear(ledger, draft, place, key)
    return place


def place_of_hold(ledger: Ledger, draft: Draft, hold: Hold) -> Place:
    """Return the place of a hold, freed for what follows it.

    A live hold keeps its slot whatever has changed around it; one that has expired gets it again if
    it is still free.
    """
    claims = claims_of_hold(ledger, hold)
    for claim in claims:
        draft.free(claim)
    if hold.expires_at <= ledger.now or len(claims) != len(hold.calendar_ids):
        return find_place(ledger, draft, slot_of_hold(hold), hold.holder_key)
    return Place(
        type=type_of(ledger, hold.type_id),
        calendar_ids=hold.calendar_ids,
        appointment=hold.appointment,
        occupied=Interval(claims[0].start, claims[0].end),
        seat=claims[0].seat,
    )


def own_hold(ledger: Ledger, hold_id: UUID, principal_id: str) -> Hold:
    """Return a hold of the principal's that has not ended; it may have expired."""
    hold = ledger.holds.get(hold_id)
    name = hold_name(ledger.business_id, hold_id)
    if hold is None or hold.principal_id != principal_id:
        raise ResourceNotFound(name)
    if hold.status is not HoldStatus.LIVE:
        raise HoldEnded(hold=name)
    return hold


def put_hold(ledger: Ledger, draft: Draft, place: Place, hold: Hold) -> None:
    """Put a hold's claims on its calendars."""
    _put(ledger, draft, place, ClaimKind.HOLD, str(hold.hold_id), hold.expires_at, hold.holder_key)


def put_booking(ledger: Ledger, draft: Draft, place: Place, booking_id: UUID) -> None:
    """Put a booking's claims on its calendars."""
    _put(ledger, draft, place, ClaimKind.BOOKING, str(booking_id), None, None)


def claims_of_booking(ledger: Ledger, booking: Booking) -> list[Claim]:
    """Return what a booking has put on its calendars."""
    return _claims_of(ledger, str(booking.booking_id), booking.calendar_ids, booking.appointment)


def claims_of_hold(ledger: Ledger, hold: Hold) -> list[Claim]:
    """Return what a hold has put on its calendars."""
    return _claims_of(ledger, str(hold.hold_id), hold.calendar_ids, hold.appointment)


def slot_of_hold(hold: Hold) -> SlotWish:
    """Return the slot that a hold is on, as a wish."""
    return SlotWish(
        type_id=hold.type_id,
        calendar_id=hold.calendar_ids[0],
        start=hold.appointment.start,
        duration=hold.appointment.end - hold.appointment.start,
    )


def type_of_wish(ledger: Ledger, wish: SlotWish | HoldWish, principal_id: str) -> str:
    """Return the id of the appointment type that a wish is for."""
    if isinstance(wish, SlotWish):
        return wish.type_id
    return own_hold(ledger, wish.hold_id, principal_id).type_id


def type_of(ledger: Ledger, type_id: str) -> AppointmentType:
    """Return an appointment type of the business."""
    type_ = ledger.offer.catalog.types.get(type_id)
    if type_ is None:
        raise ResourceNotFound(type_name(ledger.business_id, type_id))
    return type_


def _clear(ledger: Ledger, draft: Draft, place: Place, key: str | None) -> None:
    """Free what the evaluator did not count, for the database's constraint counts all there is."""
    for calendar_id in place.calendar_ids:
        for claim in ledger.offer.claims.overlapping(
            calendar_id, place.occupied.start, place.occupied.end
        ):
            if claim.kind is not ClaimKind.HOLD:
                continue
            if not claim.is_live(ledger.now):
                draft.free(claim)
            elif key is not None and claim.holder_key == key:
                _end_hold(ledger, draft, claim)


def _end_hold(ledger: Ledger, draft: Draft, claim: Claim) -> None:
    """End a hold of the asker's own on all of its calendars, not only where it was found."""
    hold = ledger.holds.get(UUID(claim.owner_id))
    if hold is None:
        draft.free(claim)
        return
    for each in claims_of_hold(ledger, hold):
        draft.free(each)
    draft.end_hold(replace(hold, status=HoldStatus.RELEASED))


def _put(
    ledger: Ledger,
    draft: Draft,
    place: Place,
    kind: ClaimKind,
    owner_id: str,
    expires_at: datetime | None,
    key: str | None,
) -> None:
    for calendar_id in place.calendar_ids:
        draft.take(
            Claim(
                claim_id=ledger.new_id(),
                calendar_id=calendar_id,
                kind=kind,
                owner_id=owner_id,
                start=place.occupied.start,
                end=place.occupied.end,
                type_id=place.type.type_id,
                appointment=place.appointment,
                seat=place.seat,
                expires_at=expires_at,
                holder_key=key,
            )
        )


def _claims_of(
    ledger: Ledger, owner_id: str, calendar_ids: Iterable[str], around: Interval
) -> list[Claim]:
    return [
        claim
        for calendar_id in calendar_ids
        for claim in ledger.offer.claims.overlapping(calendar_id, around.start, around.end)
        if claim.owner_id == owner_id
    ]
