"""Holding: slots are claimed for a while, kept for longer, and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.booking import Hold, Holder, HoldStatus
from service.domain.catalog import AppointmentType
from service.domain.change import ChangeKind
from service.domain.commands import HoldSlot, ReleaseHold, RenewHold
from service.domain.errors import HandoffEnded, HoldLifetimeReached, TooManyHolds
from service.domain.handoff import Handoff, handoff_of
from service.domain.ids import hold_name, holder_key, type_name
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.offers import conclude
from service.domain.places import (
    Place,
    claims_of_hold,
    find_place,
    own_hold,
    place_of_hold,
    put_hold,
)


def hold_slot(ledger: Ledger, draft: Draft, command: HoldSlot) -> Decision:
    """Claim a slot for a while."""
    check_ticket(ledger, command.principal_id)
    key = holder_key(command.principal_id, command.holder)
    place = find_place(ledger, draft, command.slot, key)
    check_hold_count(ledger, draft, Holder(command.principal_id, key))
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
        conversation=command.conversation,
    )
    return held(ledger, draft, place, hold, ChangeKind.HELD)


def renew_hold(ledger: Ledger, draft: Draft, command: RenewHold) -> Decision:
    """Let a hold last its full time from now."""
    check_ticket(ledger, command.principal_id)
    hold = own_hold(ledger, command.hold_id, command.principal_id)
    place, renewed = renew(ledger, draft, hold)
    return held(ledger, draft, place, renewed, ChangeKind.RENEWED)


def renew(ledger: Ledger, draft: Draft, hold: Hold) -> tuple[Place, Hold]:
    """Return the place of a hold, and the hold as it is if it lasts its full time from now."""
    if hold.entry_id is not None:
        raise HoldLifetimeReached(
            "An offer to one who waits is not renewed. Book it.",
            hold=hold_name(ledger.business_id, hold.hold_id),
        )
    place = place_of_hold(ledger, draft, hold)
    if hold.expires_at <= ledger.now:
        check_hold_count(ledger, draft, hold.owner)
    expires_at = renewed_until(ledger, hold, place.type)
    if expires_at is None:
        raise HoldLifetimeReached(
            hold=hold_name(ledger.business_id, hold.hold_id),
            hold_lifetime_seconds=str(int(place.type.hold_lifetime.total_seconds())),
        )
    draft.end_hold(hold)
    return place, replace(hold, calendar_ids=place.calendar_ids, expires_at=expires_at)


def renewed_until(ledger: Ledger, hold: Hold, type_: AppointmentType) -> datetime | None:
    """Return when a hold expires that is renewed now; None: no slot is held for ever."""
    until = hold.created_at + type_.hold_lifetime
    if until <= max(ledger.now, hold.expires_at):
        return None
    return min(ledger.now + type_.hold_duration, until)


def release_hold(ledger: Ledger, draft: Draft, command: ReleaseHold) -> Decision:
    """Free a held slot."""
    hold = own_hold(ledger, command.hold_id, command.principal_id)
    for claim in claims_of_hold(ledger, hold):
        draft.free(claim)
    released = replace(hold, status=HoldStatus.RELEASED)
    draft.end_hold(released)
    return conclude(ledger, draft, ChangeKind.RELEASED, hold=released)


def held(ledger: Ledger, draft: Draft, place: Place, hold: Hold, kind: ChangeKind) -> Decision:
    """Return the decision that puts a hold on its place."""
    put_hold(ledger, draft, place, hold)
    draft.begin_hold(hold)
    return conclude(ledger, draft, kind, hold=hold)


def check_hold_count(ledger: Ledger, draft: Draft, holder: Holder) -> None:
    """Refuse one more to the holder and, as callers name their holders, to the principal.

    A ticket is for one person, whatever they are called.
    """
    business = ledger.offer.catalog.business
    of_principal = _live_holds(ledger, draft, Holder(holder.principal_id))
    is_ticket = handoff_of(holder.principal_id) is not None
    of_one = of_principal if is_ticket else _live_holds(ledger, draft, holder)
    if of_one >= business.holds_per_holder_max:
        raise TooManyHolds(holds_per_holder_max=str(business.holds_per_holder_max))
    if of_principal >= business.holds_per_key_max:
        raise TooManyHolds(
            "This API key has as many holds as the business allows.",
            holds_per_key_max=str(business.holds_per_key_max),
        )


def check_ticket(ledger: Ledger, principal_id: str) -> Handoff | None:
    """Return the handoff, if it is its ticket that acts; refuse if something was booked by it."""
    handoff_id = handoff_of(principal_id)
    handoff = None if handoff_id is None else ledger.handoffs.get(handoff_id)
    if handoff is not None and handoff.booking_id is not None:
        raise handoff_ended(ledger, handoff, HoldStatus.BOOKED.upper())
    return handoff


def handoff_ended(ledger: Ledger, handoff: Handoff, status: str) -> HandoffEnded:
    """Say that a ticket's hold is over, and of which type it was: another time may do."""
    return HandoffEnded(
        status=status, appointment_type=type_name(ledger.business_id, handoff.type_id)
    )


def _live_holds(ledger: Ledger, draft: Draft, holder: Holder) -> int:
    return ledger.live_holds.get(holder, 0) + draft.live_holds_by.get(holder, 0)
