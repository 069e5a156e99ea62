"""Decisions: (facts, command) -> what it does, or a refusal. Nothing here waits or asks the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from service.domain.availability import facts_window, judge
from service.domain.booking import (
    TRANSITIONS,
    Booking,
    BookingEvent,
    BookingStatus,
    Hold,
    HoldStatus,
)
from service.domain.catalog import AppointmentType, Catalog
from service.domain.change import ChangeKind
from service.domain.choice import pick_calendar
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import (
    Book,
    BookingCommand,
    ChangeStatus,
    HoldSlot,
    HoldWish,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.errors import (
    CancellationNoticePassed,
    DomainError,
    HoldEnded,
    InvalidRequest,
    InvalidTransition,
    ResourceNotFound,
    TooManyHolds,
    VersionMismatch,
)
from service.domain.ids import booking_name, calendar_name, hold_name, holder_key, type_name
from service.domain.interval import Interval
from service.domain.ledger import Decision, Draft, Ledger

_KINDS = {
    BookingEvent.APPROVE: ChangeKind.APPROVED,
    BookingEvent.DECLINE: ChangeKind.DECLINED,
    BookingEvent.CANCEL: ChangeKind.CANCELLED,
    BookingEvent.COMPLETE: ChangeKind.COMPLETED,
    BookingEvent.MISS: ChangeKind.NO_SHOW,
}


def decide(ledger: Ledger, command: BookingCommand) -> Decision:
    """Decide one command and settle it in the ledger; a DomainError leaves the ledger as it was."""
    draft = Draft(ledger)
    try:
        decision = _decide(ledger, draft, command)
    except DomainError:
        draft.undo()
        raise
    ledger.settle(decision)
    return decision


def windows(
    catalog: Catalog, ledger: Ledger, command: BookingCommand
) -> list[tuple[str, Interval]]:
    """Return which time of which calendars must be known before a command can be decided."""
    match command:
        case HoldSlot(slot=slot):
            return _wish_windows(catalog, ledger, slot)
        case RenewHold(hold_id=hold_id) | ReleaseHold(hold_id=hold_id):
            return _wish_windows(catalog, ledger, HoldWish(hold_id=hold_id))
        case Book(wishes=wishes):
            return [each for wish in wishes for each in _wish_windows(catalog, ledger, wish)]
        case Reschedule(booking_id=booking_id, wish=wish):
            own = _booking_windows(ledger.bookings.get(booking_id))
            return own + _wish_windows(catalog, ledger, wish)
        case ChangeStatus(booking_id=booking_id):
            return _booking_windows(ledger.bookings.get(booking_id))


def _decide(ledger: Ledger, draft: Draft, command: BookingCommand) -> Decision:
    match command:
        case HoldSlot():
            return _hold_slot(ledger, draft, command)
        case RenewHold():
            return _renew_hold(ledger, draft, command)
        case ReleaseHold():
            return _release_hold(ledger, draft, command)
        case Book():
            return _book(ledger, draft, command)
        case Reschedule():
            return _reschedule(ledger, draft, command)
        case ChangeStatus():
            return _change_status(ledger, draft, command)


# Where something is put.


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    type: AppointmentType
    calendar_ids: tuple[str, ...]
    appointment: Interval
    seat: int | None
    # With buffers.
    occupied: Interval


def _find_place(ledger: Ledger, draft: Draft, slot: SlotWish, key: str | None) -> _Place:
    """Judge a wish, choose its calendar, and free it of what gives way: dead holds and own ones."""
    type_ = _type(ledger, slot.type_id)
    duration = slot.duration or type_.durations[0]
    if duration not in type_.durations:
        raise InvalidRequest("slot.duration", "That is not one of the type's durations.")
    primary = slot.calendar_id
    if primary is None:
        primary = pick_calendar(
            ledger.offer, slot.type_id, slot.start, duration, ledger.now, holder_key=key
        )
    elif primary not in type_.primary_calendar_ids:
        if primary not in ledger.offer.catalog.calendars:
            raise ResourceNotFound(calendar_name(_business_id(ledger), primary))
        raise InvalidRequest("slot.calendar", "The appointment type is not on that calendar.")
    verdict = judge(
        ledger.offer, slot.type_id, primary, slot.start, duration, ledger.now, holder_key=key
    )
    if verdict.refusal is not None:
        raise verdict.refusal
    place = _Place(
        type=type_,
        calendar_ids=type_.calendar_ids_for(primary),
        appointment=Interval(slot.start, slot.start + duration),
        seat=verdict.seat,
        occupied=Interval(
            slot.start - type_.buffer_before, slot.start + duration + type_.buffer_after
        ),
    )
    _clear(ledger, draft, place, key)
    return place


def _clear(ledger: Ledger, draft: Draft, place: _Place, key: str | None) -> None:
    for calendar_id in place.calendar_ids:
        for claim in ledger.offer.claims.overlapping(
            calendar_id, place.occupied.start, place.occupied.end
        ):
            if claim.kind is not ClaimKind.HOLD:
                continue
            if not claim.is_live(ledger.now):
                draft.free(claim)
            elif key is not None and claim.holder_key == key:
                _end_whole_hold(ledger, draft, claim)


def _end_whole_hold(ledger: Ledger, draft: Draft, claim: Claim) -> None:
    """Free a hold on all of its calendars, not only on the one where it was found."""
    type_ = ledger.offer.catalog.types.get(claim.type_id or "")
    calendar_ids = {claim.calendar_id}
    if type_ is not None:
        calendar_ids |= {*type_.primary_calendar_ids, *type_.all_of}
    for each in _claims_of(ledger, claim.owner_id, sorted(calendar_ids), claim):
        draft.end_hold(each, HoldStatus.RELEASED)


def _put(
    ledger: Ledger,
    draft: Draft,
    place: _Place,
    *,
    kind: ClaimKind,
    owner_id: str,
    expires_at: datetime | None = None,
    key: str | None = None,
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


def _place_of_hold(ledger: Ledger, draft: Draft, hold: Hold) -> _Place:
    """Return the place of a hold, freed for what follows it.

    A live hold keeps its slot whatever has changed around it; one that has expired gets it again if it
    is still free.
    """
    claims = _claims_of(ledger, str(hold.hold_id), hold.calendar_ids, hold.appointment)
    is_live = hold.expires_at > ledger.now and len(claims) == len(hold.calendar_ids)
    for claim in claims:
        draft.free(claim)
    if not is_live:
        return _find_place(ledger, draft, _slot_of_hold(hold), hold.holder_key)
    draft.count_hold(hold.holder_key, -1)
    return _Place(
        type=_type(ledger, hold.type_id),
        calendar_ids=hold.calendar_ids,
        appointment=hold.appointment,
        seat=claims[0].seat,
        occupied=Interval(claims[0].start, claims[0].end),
    )


# The commands.


def _hold_slot(ledger: Ledger, draft: Draft, command: HoldSlot) -> Decision:
    key = holder_key(command.principal_id, command.holder)
    place = _find_place(ledger, draft, command.slot, key)
    limit = ledger.offer.catalog.business.holds_per_holder_max
    if ledger.live_holds.get(key, 0) + draft.live_holds_by.get(key, 0) >= limit:
        raise TooManyHolds(holds_per_holder_max=str(limit))
    hold = Hold(
        hold_id=command.hold_id,
        principal_id=command.principal_id,
        holder=command.holder,
        holder_key=key,
        type_id=place.type.type_id,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        expires_at=ledger.now + place.type.hold_duration,
        status=HoldStatus.LIVE,
    )
    return _held(ledger, draft, place, hold, ChangeKind.HELD)


def _renew_hold(ledger: Ledger, draft: Draft, command: RenewHold) -> Decision:
    hold = _own_hold(ledger, HoldWish(hold_id=command.hold_id), command.principal_id)
    place = _place_of_hold(ledger, draft, hold)
    renewed = replace(
        hold,
        calendar_ids=place.calendar_ids,
        expires_at=ledger.now + place.type.hold_duration,
    )
    return _held(ledger, draft, place, renewed, ChangeKind.RENEWED)


def _held(ledger: Ledger, draft: Draft, place: _Place, hold: Hold, kind: ChangeKind) -> Decision:
    _put(
        ledger,
        draft,
        place,
        kind=ClaimKind.HOLD,
        owner_id=str(hold.hold_id),
        expires_at=hold.expires_at,
        key=hold.holder_key,
    )
    draft.count_hold(hold.holder_key, 1)
    return _decision(draft, kind, holds=(hold,), hold=hold)


def _release_hold(ledger: Ledger, draft: Draft, command: ReleaseHold) -> Decision:
    hold = _own_hold(ledger, HoldWish(hold_id=command.hold_id), command.principal_id)
    for claim in _claims_of(ledger, str(hold.hold_id), hold.calendar_ids, hold.appointment):
        draft.free(claim)
    if hold.expires_at > ledger.now:
        draft.count_hold(hold.holder_key, -1)
    released = replace(hold, status=HoldStatus.RELEASED)
    return _decision(draft, ChangeKind.RELEASED, holds=(released,), hold=released)


def _book(ledger: Ledger, draft: Draft, command: Book) -> Decision:
    bookings: list[Booking] = []
    holds: list[Hold] = []
    for booking_id, wish in zip(command.booking_ids, command.wishes, strict=True):
        place = _find_wish(ledger, draft, wish, command.principal_id, command.holder_key, holds)
        bookings.append(
            Booking(
                booking_id=booking_id,
                type_id=place.type.type_id,
                calendar_ids=place.calendar_ids,
                appointment=place.appointment,
                zone=ledger.offer.catalog.calendars[place.calendar_ids[0]].zone,
                status=BookingStatus.PENDING
                if place.type.requires_approval
                else BookingStatus.CONFIRMED,
                version=1,
                customer=command.customer,
                fields=command.fields,
                created_at=ledger.now,
                updated_at=ledger.now,
            )
        )
        _put(ledger, draft, place, kind=ClaimKind.BOOKING, owner_id=str(booking_id))
    return _decision(draft, ChangeKind.BOOKED, bookings=tuple(bookings), holds=tuple(holds))


def _reschedule(ledger: Ledger, draft: Draft, command: Reschedule) -> Decision:
    booking = _booking(ledger, command.booking_id, command.version)
    status = _next_status(booking, BookingEvent.RESCHEDULE)
    _check_notice(ledger, booking, override=command.override_notice)
    for claim in _claims_of(
        ledger, str(booking.booking_id), booking.calendar_ids, booking.appointment
    ):
        draft.free(claim)
    holds: list[Hold] = []
    place = _find_wish(ledger, draft, command.wish, command.principal_id, None, holds)
    if place.type.type_id != booking.type_id:
        raise InvalidRequest("to", "A booking keeps its appointment type.")
    _put(ledger, draft, place, kind=ClaimKind.BOOKING, owner_id=str(booking.booking_id))
    moved = replace(
        booking,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        zone=ledger.offer.catalog.calendars[place.calendar_ids[0]].zone,
        status=status,
        version=booking.version + 1,
        updated_at=ledger.now,
    )
    return _decision(draft, ChangeKind.RESCHEDULED, bookings=(moved,), holds=tuple(holds))


def _change_status(ledger: Ledger, draft: Draft, command: ChangeStatus) -> Decision:
    booking = _booking(ledger, command.booking_id, command.version)
    status = _next_status(booking, command.event)
    if command.event is BookingEvent.CANCEL:
        _check_notice(ledger, booking, override=command.override_notice)
    if command.event in {BookingEvent.COMPLETE, BookingEvent.MISS} and (
        booking.appointment.start > ledger.now
    ):
        raise InvalidTransition(
            "The appointment has not begun.", status=booking.status.value.upper()
        )
    if command.event in {BookingEvent.CANCEL, BookingEvent.DECLINE}:
        for claim in _claims_of(
            ledger, str(booking.booking_id), booking.calendar_ids, booking.appointment
        ):
            draft.free(claim)
    changed = replace(
        booking,
        status=status,
        version=booking.version + 1,
        updated_at=ledger.now,
        cancel_reason=command.cancel_reason or booking.cancel_reason,
    )
    return _decision(draft, _KINDS[command.event], bookings=(changed,))


# What they share.


def _decision(
    draft: Draft,
    kind: ChangeKind,
    *,
    bookings: tuple[Booking, ...] = (),
    holds: tuple[Hold, ...] = (),
    hold: Hold | None = None,
) -> Decision:
    return Decision(
        kind=kind,
        added=tuple(draft.added),
        removed=tuple(draft.removed),
        bookings=bookings,
        holds=holds,
        hold=hold,
        ended=draft.ended,
        live_holds_by=draft.live_holds_by,
    )


def _find_wish(
    ledger: Ledger,
    draft: Draft,
    wish: Wish,
    principal_id: str,
    key: str | None,
    holds: list[Hold],
) -> _Place:
    match wish:
        case SlotWish():
            return _find_place(ledger, draft, wish, key)
        case HoldWish():
            hold = _own_hold(ledger, wish, principal_id)
            if any(other.hold_id == hold.hold_id for other in holds):
                raise HoldEnded(hold=hold_name(_business_id(ledger), hold.hold_id))
            place = _place_of_hold(ledger, draft, hold)
            holds.append(replace(hold, status=HoldStatus.BOOKED))
            return place


def _own_hold(ledger: Ledger, wish: HoldWish, principal_id: str) -> Hold:
    hold = ledger.holds.get(wish.hold_id)
    name = hold_name(_business_id(ledger), wish.hold_id)
    if hold is None or hold.principal_id != principal_id:
        raise ResourceNotFound(name)
    if hold.status is not HoldStatus.LIVE:
        raise HoldEnded(hold=name)
    return hold


def _slot_of_hold(hold: Hold) -> SlotWish:
    return SlotWish(
        type_id=hold.type_id,
        calendar_id=hold.calendar_ids[0],
        start=hold.appointment.start,
        duration=hold.appointment.end - hold.appointment.start,
    )


def _booking(ledger: Ledger, booking_id: UUID, version: int) -> Booking:
    booking = ledger.bookings.get(booking_id)
    if booking is None:
        raise ResourceNotFound(booking_name(_business_id(ledger), booking_id))
    if booking.version != version:
        raise VersionMismatch(version=str(booking.version))
    return booking


def _next_status(booking: Booking, event: BookingEvent) -> BookingStatus:
    status = TRANSITIONS.get((booking.status, event))
    if status is None:
        raise InvalidTransition(status=booking.status.value.upper())
    return status


def _check_notice(ledger: Ledger, booking: Booking, *, override: bool) -> None:
    type_ = ledger.offer.catalog.types.get(booking.type_id)
    notice = type_.cancellation_notice if type_ else timedelta()
    if not override and ledger.now > booking.appointment.start - notice:
        seconds = str(int(notice.total_seconds()))
        raise CancellationNoticePassed(cancellation_notice_seconds=seconds)


def _type(ledger: Ledger, type_id: str) -> AppointmentType:
    type_ = ledger.offer.catalog.types.get(type_id)
    if type_ is None:
        raise ResourceNotFound(type_name(_business_id(ledger), type_id))
    return type_


def _claims_of(
    ledger: Ledger, owner_id: str, calendar_ids: Iterable[str], around: Interval | Claim
) -> list[Claim]:
    return [
        claim
        for calendar_id in calendar_ids
        for claim in ledger.offer.claims.overlapping(calendar_id, around.start, around.end)
        if claim.owner_id == owner_id
    ]


def _business_id(ledger: Ledger) -> str:
    return ledger.offer.catalog.business.business_id


def _wish_windows(catalog: Catalog, ledger: Ledger, wish: Wish) -> list[tuple[str, Interval]]:
    if isinstance(wish, HoldWish):
        hold = ledger.holds.get(wish.hold_id)
        if hold is None:
            return []
        own = [(calendar_id, hold.appointment) for calendar_id in hold.calendar_ids]
        return own + _wish_windows(catalog, ledger, _slot_of_hold(hold))
    type_ = catalog.types.get(wish.type_id)
    if type_ is None:
        return []
    duration = wish.duration or type_.durations[0]
    primaries = type_.primary_calendar_ids if wish.calendar_id is None else (wish.calendar_id,)
    return [
        (
            calendar_id,
            facts_window(
                catalog,
                wish.type_id,
                primary,
                wish.start,
                duration,
                picking=wish.calendar_id is None,
            ),
        )
        for primary in primaries
        if primary in catalog.calendars
        for calendar_id in type_.calendar_ids_for(primary)
    ]


def _booking_windows(booking: Booking | None) -> list[tuple[str, Interval]]:
    if booking is None:
        return []
    return [(calendar_id, booking.appointment) for calendar_id in booking.calendar_ids]
