"""Decisions: (facts, command) -> what it does, or a refusal. Nothing here waits or has a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from service.domain.booking import (
    TRANSITIONS,
    Booking,
    BookingEvent,
    BookingStatus,
    HoldStatus,
)
from service.domain.change import ChangeKind, Placement
from service.domain.commands import (
    Book,
    BookingCommand,
    BookSeries,
    ChangeStatus,
    CreateHandoff,
    HoldCommand,
    HoldSlot,
    HoldWish,
    Occurrence,
    RedeemHandoff,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.consent import check_consent
from service.domain.errors import (
    CancellationNoticePassed,
    HoldEnded,
    InvalidRequest,
    InvalidTransition,
    ResourceNotFound,
    VersionMismatch,
)
from service.domain.handing_over import create_handoff, redeem_handoff
from service.domain.holding import check_ticket, hold_slot, release_hold, renew_hold
from service.domain.ids import booking_name, hold_name
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.offers import conclude
from service.domain.places import (
    Place,
    claims_of_booking,
    find_place,
    own_hold,
    place_of_hold,
    put_booking,
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
    if isinstance(command, HoldCommand):
        return _decide_hold(ledger, draft, command)
    match command:
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


def _decide_hold(ledger: Ledger, draft: Draft, command: HoldCommand) -> Decision:
    match command:
        case HoldSlot():
            return hold_slot(ledger, draft, command)
        case RenewHold():
            return renew_hold(ledger, draft, command)
        case ReleaseHold():
            return release_hold(ledger, draft, command)
        case CreateHandoff():
            return create_handoff(ledger, draft, command)
        case RedeemHandoff():
            return redeem_handoff(ledger, draft, command)


def _book(ledger: Ledger, draft: Draft, command: Book) -> Decision:
    """Book each wish: first those with a hold, so that no other wish of the same is given its slot.

    A wish that is refused refuses all.
    """
    handoff = check_ticket(ledger, command.principal_id)
    bookings: dict[UUID, Booking] = {}
    wishes = zip(command.booking_ids, command.wishes, strict=True)
    for booking_id, wish in sorted(wishes, key=_is_for_a_slot):
        place = _take_wish(ledger, draft, wish, command.principal_id, command.holder_key)
        put_booking(ledger, draft, place, booking_id)
        conversation = command.conversation or _conversation_of(ledger, wish)
        bookings[booking_id] = _new_booking(
            ledger, booking_id, place, command, conversation=conversation
        )
    in_order = tuple(bookings[booking_id] for booking_id in command.booking_ids)
    decision = conclude(ledger, draft, ChangeKind.BOOKED, bookings=in_order)
    if handoff is None:
        return decision
    return replace(decision, handoff=replace(handoff, booking_id=command.booking_ids[0]))


def _conversation_of(ledger: Ledger, wish: Wish) -> str:
    """Return to which conversation a wish belongs: to that of its hold."""
    return ledger.holds[wish.hold_id].conversation if isinstance(wish, HoldWish) else ""


def _book_series(ledger: Ledger, command: BookSeries) -> Decision:
    """Book what fits of a series. Each attempt at it has a draft of its own."""
    draft, placed = place_series(ledger, command)
    occurrences = tuple(
        Occurrence(
            start=each.start,
            booking=(
                _new_booking(
                    ledger, each.booking_id, each.place, command, series_id=command.series_id
                )
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
    *,
    series_id: UUID | None = None,
    conversation: str = "",
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
        conversation=conversation,
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
    """Return the place that a wish is for, if it is what the person has agreed to."""
    if isinstance(wish, SlotWish):
        place = find_place(ledger, draft, wish, key)
    else:
        place = _take_hold(ledger, draft, wish, principal_id)
    if wish.consent is not None:
        calendars = ledger.offer.catalog.calendars
        named = [calendars[calendar_id].display_name for calendar_id in place.calendar_ids]
        check_consent(wish.consent, place.appointment, place.type, named)
    return place


def _take_hold(ledger: Ledger, draft: Draft, wish: HoldWish, principal_id: str) -> Place:
    hold = own_hold(ledger, wish.hold_id, principal_id)
    ended = draft.holds.get(hold.hold_id)
    if ended is not None and ended.status is HoldStatus.BOOKED:
        raise HoldEnded(hold=hold_name(ledger.business_id, hold.hold_id))
    place = place_of_hold(ledger, draft, hold)
    draft.end_hold(replace(hold, status=HoldStatus.BOOKED))
    return place


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
