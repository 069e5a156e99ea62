"""What must be known before a command can be decided: which rows, and which time of calendars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from service.domain.availability import facts_window
from service.domain.booking import Booking, Holder
from service.domain.catalog import AppointmentType
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import (
    Book,
    BookingCommand,
    BookSeries,
    ChangeStatus,
    CreateHandoff,
    HoldSlot,
    HoldWish,
    RedeemHandoff,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.handoff import handoff_of
from service.domain.ids import holder_key
from service.domain.interval import Interval
from service.domain.ledger import Ledger
from service.domain.places import slot_of_hold
from service.domain.series import wishes_that_may_be_placed

Window = tuple[str, Interval]
"""A calendar, and a time of which its claims must be known."""


def booking_ids(command: BookingCommand) -> Iterator[UUID]:
    """Yield the bookings that a command names."""
    match command:
        case Reschedule(booking_id=booking_id) | ChangeStatus(booking_id=booking_id):
            yield booking_id
        case _:
            return


def handoff_ids(command: BookingCommand) -> Iterator[UUID]:
    """Yield the handoff that a command names, or whose ticket acts."""
    match command:
        case RedeemHandoff(handoff_id=handoff_id):
            yield handoff_id
        case HoldSlot() | RenewHold() | Book():
            acting = handoff_of(command.principal_id)
            if acting is not None:
                yield acting
        case _:
            return


def hold_ids(ledger: Ledger, command: BookingCommand) -> Iterator[UUID]:
    """Yield the holds that a command names; of a ticket, once the handoff is known."""
    match command:
        case RenewHold() | ReleaseHold() | CreateHandoff():
            yield command.hold_id
        case RedeemHandoff(handoff_id=handoff_id):
            if handoff_id in ledger.handoffs:
                yield ledger.handoffs[handoff_id].hold_id
        case Reschedule(wish=HoldWish(hold_id=hold_id)):
            yield hold_id
        case Book(wishes=wishes):
            yield from (wish.hold_id for wish in wishes if isinstance(wish, HoldWish))
        case _:
            return


def counted_holders(ledger: Ledger, command: BookingCommand) -> Iterator[Holder]:
    """Yield whose live holds must be counted: they may get one more."""
    match command:
        case HoldSlot() | RedeemHandoff():
            yield Holder(command.principal_id, holder_key(command.principal_id, command.holder))
        case RenewHold() | CreateHandoff():
            yield from _holders_named(ledger, command)
        case _:
            return


def holds_that_may_give_way(ledger: Ledger, command: BookingCommand) -> Iterator[UUID]:
    """Yield the holds of the asker's own that stand in the windows and are not known in full."""
    holders = {*counted_holders(ledger, command), *_holders_named(ledger, command)}
    keys = {holder.holder_key for holder in holders}
    if isinstance(command, Book | BookSeries) and command.holder_key is not None:
        keys.add(command.holder_key)
    for key in keys:
        for claim in ledger.offer.claims.holds_of(key):
            if _is_live_hold(ledger, claim) and UUID(claim.owner_id) not in ledger.holds:
                yield UUID(claim.owner_id)


def hold_windows(ledger: Ledger, hold_id: UUID) -> list[Window]:
    """Return the time that a hold itself takes, on each of its calendars."""
    hold = ledger.holds.get(hold_id)
    if hold is None:
        return []
    return [(calendar_id, hold.appointment) for calendar_id in hold.calendar_ids]


def windows(ledger: Ledger, command: BookingCommand) -> list[Window]:
    """Return which time of which calendars must be known."""
    match command:
        case HoldSlot(slot=slot):
            return _wish_windows(ledger, slot)
        case RenewHold() | ReleaseHold() | CreateHandoff() | RedeemHandoff():
            return [
                window
                for hold_id in hold_ids(ledger, command)
                for window in _wish_windows(ledger, HoldWish(hold_id=hold_id))
            ]
        case Book(wishes=wishes):
            return [each for wish in wishes for each in _wish_windows(ledger, wish)]
        case BookSeries():
            return _series_windows(ledger, command)
        case Reschedule(booking_id=booking_id, wish=wish):
            own = _booking_windows(ledger.bookings.get(booking_id))
            return own + _wish_windows(ledger, wish)
        case ChangeStatus(booking_id=booking_id):
            return _booking_windows(ledger.bookings.get(booking_id))
        case _:
            # What concerns the waitlist alone: see domain/waitlist_needs.py.
            return []


def _wish_windows(ledger: Ledger, wish: Wish) -> list[Window]:
    if isinstance(wish, HoldWish):
        hold = ledger.holds.get(wish.hold_id)
        if hold is None:
            return []
        return hold_windows(ledger, wish.hold_id) + _wish_windows(ledger, slot_of_hold(hold))
    type_ = ledger.offer.catalog.types.get(wish.type_id)
    if type_ is None or (wish.duration is not None and wish.duration not in type_.durations):
        return []
    primary_ids = type_.primary_calendar_ids if wish.calendar_id is None else (wish.calendar_id,)
    return [
        window
        for primary_id in primary_ids
        if primary_id in ledger.offer.catalog.calendars
        for window in _slot_windows(ledger, wish, type_, primary_id)
    ]


def _slot_windows(
    ledger: Ledger, wish: SlotWish, type_: AppointmentType, primary_id: str
) -> list[Window]:
    window = facts_window(
        ledger.offer.catalog,
        type_.type_id,
        primary_id,
        wish.start,
        wish.duration or type_.durations[0],
        picking=wish.calendar_id is None,
    )
    return [(calendar_id, window) for calendar_id in type_.calendar_ids_for(primary_id)]


def _series_windows(ledger: Ledger, command: BookSeries) -> list[Window]:
    wishes = wishes_that_may_be_placed(ledger, command)
    if not wishes:
        return []
    # Only for the first it matters who is idle: the time before each would add up to all there is.
    first, *others = wishes
    calendar_ids = (
        ledger.offer.catalog.types[first.type_id].primary_calendar_ids
        if first.calendar_id is None
        else (first.calendar_id,)
    )
    wished = [
        replace(each, calendar_id=calendar_id) for each in others for calendar_id in calendar_ids
    ]
    return [window for wish in (first, *wished) for window in _wish_windows(ledger, wish)]


def _booking_windows(booking: Booking | None) -> list[Window]:
    if booking is None:
        return []
    return [(calendar_id, booking.appointment) for calendar_id in booking.calendar_ids]


def _holders_named(ledger: Ledger, command: BookingCommand) -> Iterator[Holder]:
    for hold_id in hold_ids(ledger, command):
        hold = ledger.holds.get(hold_id)
        if hold is not None:
            yield hold.owner


def _is_live_hold(ledger: Ledger, claim: Claim) -> bool:
    return claim.kind is ClaimKind.HOLD and claim.is_live(ledger.now)
