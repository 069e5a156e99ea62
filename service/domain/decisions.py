"""Decisions: (facts, command) -> what it does, or a refusal. Nothing here waits or has a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from service.domain.booking import (
    TRANSITIONS,
    Booking,
    BookingEvent,
    BookingStatus,
    Hold,
    Holder,
    HoldStatus,
)
from service.domain.catalog import AppointmentType
from service.domain.change import ChangeKind, Placement
from service.domain.commands import (
    Book,
    BookingCommand,
    BookSeries,
    ChangeStatus,
    HoldSlot,
    Occurrence,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.errors import (
    CancellationNoticePassed,
    HoldEnded,
    HoldLifetimeReached,
    InvalidRequest,
    InvalidTransition,
    ResourceNotFound,
    TooManyHolds,
    VersionMismatch,
)
from service.domain.ids import booking_name, hold_name, holder_key
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.offers import conclude
from service.domain.places import (
    Place,
    claims_of_booking,
    claims_of_hold,
    find_place,
    own_hold,
    place_of_hold,
    put_booking,
    put_hold,
    type_of_wish,
)
from service.domain.series import place_series
from service.domain.waiting import decide_waiting

_KINDS = {
    BookingEvent.APPROVE: ChangeKind.APPROVED,
    BookingEvent.DECLINE: ChangeKind.DECLINED,
    BookingEvent.CANCEL: ChangeKind.CANCELLED,
    BookingEvent.COMPLETE: ChangeKind.COMPLETED,
    BookingEvent.MISS: ChangeKind.NO_SHOW,
}
_FREEING = frozenset({BookingEvent.CANCEL, BookingEvent.DECLINE})
_AFTER_THE_START = frozenset({BookingEvent.COMPLETE, BookingEvent.MISS})


def decide(ledger: Ledger, command: BookingCommand) -> Decision:
    """Decide one command and settle it in the ledger; a refusal leaves the ledger as it was."""
    draft = Draft(ledger)
    try:
        decision = _decide(ledger, draft, command)
    except Exception:
        draft.undo()
        raise
    ledger.settle(decision)
    return decision


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
        case BookSeries():
            return _book_series(ledger, command)
        case Reschedule():
            return _reschedule(ledger, draft, command)
        case ChangeStatus():
            return _change_status(ledger, draft, command)
        case _:
            return decide_waiting(ledger, draft, command)


def _hold_slot(ledger: Ledger, draft: Draft, command: HoldSlot) -> Decision:
    key = holder_key(command.principal_id, command.holder)
    place = find_place(ledger, draft, command.slot, key)
    _check_hold_count(ledger, draft, Holder(command.principal_id, key))
    hold = Hold(
        hold_id=command.hold_id,
        principal_id=command.principal_id,
        holder=command.holder,
        holder_key=key,
        type_id=place.type.type_id,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        created_at=ledger.now,
        expires_at=ledger.now + place.type.hold_duration,
        status=HoldStatus.LIVE,
    )
    return _held(ledger, draft, place, hold, ChangeKind.HELD)


def _renew_hold(ledger: Ledger, draft: Draft, command: RenewHold) -> Decision:
    hold = own_hold(ledger, command.hold_id, command.principal_id)
    if hold.entry_id is not None:
        raise HoldLifetimeReached(
            "An offer to one who waits is not renewed. Book it.",
            hold=hold_name(ledger.business_id, hold.hold_id),
        )
    place = place_of_hold(ledger, draft, hold)
    if hold.expires_at <= ledger.now:
        _check_hold_count(ledger, draft, hold.owner)
    expires_at = _renewed_until(ledger, hold, place.type)
    draft.end_hold(hold)
    renewed = replace(hold, calendar_ids=place.calendar_ids, expires_at=expires_at)
    return _held(ledger, draft, place, renewed, ChangeKind.RENEWED)


def _renewed_until(ledger: Ledger, hold: Hold, type_: AppointmentType) -> datetime:
    """Return when a hold expires that is renewed now: no slot is held for ever."""
    until = hold.created_at + type_.hold_lifetime
    if until <= max(ledger.now, hold.expires_at):
        raise HoldLifetimeReached(
            hold=hold_name(ledger.business_id, hold.hold_id),
            hold_lifetime_seconds=str(int(type_.hold_lifetime.total_seconds())),
        )
    return min(ledger.now + type_.hold_duration, until)


def _held(ledger: Ledger, draft: Draft, place: Place, hold: Hold, kind: ChangeKind) -> Decision:
    put_hold(ledger, draft, place, hold)
    draft.begin_hold(hold)
    return conclude(ledger, draft, kind, hold=hold)


def _release_hold(ledger: Ledger, draft: Draft, command: ReleaseHold) -> Decision:
    hold = own_hold(ledger, command.hold_id, command.principal_id)
    for claim in claims_of_hold(ledger, hold):
        draft.free(claim)
    released = replace(hold, status=HoldStatus.RELEASED)
    draft.end_hold(released)
    return conclude(ledger, draft, ChangeKind.RELEASED, hold=released)


def _book(ledger: Ledger, draft: Draft, command: Book) -> Decision:
    """Book each wish: first those with a hold, so that no other wish of the same is given its slot.

    A wish that is refused refuses all.
    """
    bookings: dict[UUID, Booking] = {}
    wishes = zip(command.booking_ids, command.wishes, strict=True)
    for booking_id, wish in sorted(wishes, key=_is_for_a_slot):
        place = _take_wish(ledger, draft, wish, command.principal_id, command.holder_key)
        put_booking(ledger, draft, place, booking_id)
        bookings[booking_id] = _new_booking(ledger, booking_id, place, command)
    in_order = tuple(bookings[booking_id] for booking_id in command.booking_ids)
    return conclude(ledger, draft, ChangeKind.BOOKED, bookings=in_order)


def _book_series(ledger: Ledger, command: BookSeries) -> Decision:
    """Book what fits of a series. Each attempt at it has a draft of its own."""
    draft, placed = place_series(ledger, command)
    occurrences = tuple(
        Occurrence(
            start=each.start,
            booking=(
                _new_booking(ledger, each.booking_id, each.place, command, command.series_id)
                if each.place is not None
                else None
            ),
            refusal=each.refusal,
        )
        for each in placed
    )
    bookings = tuple(each.booking for each in occurrences if each.booking is not None)
    decision = conclude(ledger, draft, ChangeKind.BOOKED, bookings=bookings)
    return replace(decision, occurrences=occurrences)


def _is_for_a_slot(each: tuple[UUID, Wish]) -> bool:
    return isinstance(each[1], SlotWish)


def _new_booking(
    ledger: Ledger,
    booking_id: UUID,
    place: Place,
    command: Book | BookSeries,
    series_id: UUID | None = None,
) -> Booking:
    pending = place.type.requires_approval
    return Booking(
        booking_id=booking_id,
        type_id=place.type.type_id,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        zone=_zone(ledger, place),
        status=BookingStatus.PENDING if pending else BookingStatus.CONFIRMED,
        version=1,
        customer=command.customer,
        fields=command.fields,
        created_at=ledger.now,
        updated_at=ledger.now,
        series_id=series_id,
    )


def _reschedule(ledger: Ledger, draft: Draft, command: Reschedule) -> Decision:
    booking = _booking(ledger, command.booking_id, command.version)
    status = _next_status(booking, BookingEvent.RESCHEDULE)
    _check_notice(ledger, booking, override=command.override_notice)
    if type_of_wish(ledger, command.wish, command.principal_id) != booking.type_id:
        raise InvalidRequest("to", "A booking keeps its appointment type.")
    for claim in claims_of_booking(ledger, booking):
        draft.free(claim)
    place = _take_wish(ledger, draft, command.wish, command.principal_id, None)
    put_booking(ledger, draft, place, booking.booking_id)
    moved = replace(
        booking,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        zone=_zone(ledger, place),
        status=status,
        version=booking.version + 1,
        updated_at=ledger.now,
    )
    before = Placement(calendar_ids=booking.calendar_ids, appointment=booking.appointment)
    decision = conclude(ledger, draft, ChangeKind.RESCHEDULED, bookings=(moved,))
    return replace(decision, moved_from=before)


def _change_status(ledger: Ledger, draft: Draft, command: ChangeStatus) -> Decision:
    booking = _booking(ledger, command.booking_id, command.version)
    status = _next_status(booking, command.event)
    if command.event is BookingEvent.CANCEL:
        _check_notice(ledger, booking, override=command.override_notice)
    if command.event in _AFTER_THE_START and booking.appointment.start > ledger.now:
        raise InvalidTransition(
            "The appointment has not begun.", status=booking.status.value.upper()
        )
    if command.event in _FREEING:
        for claim in claims_of_booking(ledger, booking):
            draft.free(claim)
    changed = replace(
        booking,
        status=status,
        version=booking.version + 1,
        updated_at=ledger.now,
        cancel_reason=command.cancel_reason or booking.cancel_reason,
    )
    return conclude(ledger, draft, _KINDS[command.event], bookings=(changed,))


def _take_wish(
    ledger: Ledger, draft: Draft, wish: Wish, principal_id: str, key: str | None
) -> Place:
    if isinstance(wish, SlotWish):
        return find_place(ledger, draft, wish, key)
    hold = own_hold(ledger, wish.hold_id, principal_id)
    ended = draft.holds.get(hold.hold_id)
    if ended is not None and ended.status is HoldStatus.BOOKED:
        raise HoldEnded(hold=hold_name(ledger.business_id, hold.hold_id))
    place = place_of_hold(ledger, draft, hold)
    draft.end_hold(replace(hold, status=HoldStatus.BOOKED))
    return place


def _check_hold_count(ledger: Ledger, draft: Draft, holder: Holder) -> None:
    """Refuse one more to the holder and, as callers name their holders, to the principal."""
    business = ledger.offer.catalog.business
    if _live_holds(ledger, draft, holder) >= business.holds_per_holder_max:
        raise TooManyHolds(holds_per_holder_max=str(business.holds_per_holder_max))
    if _live_holds(ledger, draft, Holder(holder.principal_id)) >= business.holds_per_key_max:
        raise TooManyHolds(
            "This API key has as many holds as the business allows.",
            holds_per_key_max=str(business.holds_per_key_max),
        )


def _live_holds(ledger: Ledger, draft: Draft, holder: Holder) -> int:
    return ledger.live_holds.get(holder, 0) + draft.live_holds_by.get(holder, 0)


def _booking(ledger: Ledger, booking_id: UUID, version: int) -> Booking:
    booking = ledger.bookings.get(booking_id)
    if booking is None:
        raise ResourceNotFound(booking_name(ledger.business_id, booking_id))
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


def _zone(ledger: Ledger, place: Place) -> str:
    return ledger.offer.catalog.calendars[place.calendar_ids[0]].zone
