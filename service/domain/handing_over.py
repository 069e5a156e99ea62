"""Handing over: a ticket is made of a hold, and whoever redeems it first has the hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.booking import Hold, Holder, HoldStatus
from service.domain.change import ChangeKind
from service.domain.commands import CreateHandoff, RedeemHandoff
from service.domain.errors import (
    HandoffEnded,
    HandoffUsed,
    HoldLifetimeReached,
    InvalidRequest,
    ResourceNotFound,
    SlotRefused,
)
from service.domain.handoff import (
    HANDOFFS_PER_HOLD_MAX,
    REDEMPTIONS_MAX,
    TICKET_LASTS_AFTER_THE_HOLD,
    Handoff,
)
from service.domain.holding import check_hold_count, handoff_ended, held, renew, renewed_until
from service.domain.ids import hold_name, holder_key, type_name
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.places import Place, own_hold, place_of_hold

LAPSED = "LAPSED"


def create_handoff(ledger: Ledger, draft: Draft, command: CreateHandoff) -> Decision:
    """Make a ticket of a hold, which lasts its full time from now."""
    hold = own_hold(ledger, command.hold_id, command.principal_id)
    if hold.handoffs >= HANDOFFS_PER_HOLD_MAX:
        raise HoldLifetimeReached(
            "Of this hold there are as many handoffs as there may be. Book it, or hold anew.",
            hold=hold_name(ledger.business_id, hold.hold_id),
            handoffs_per_hold_max=str(HANDOFFS_PER_HOLD_MAX),
        )
    place, renewed = renew(ledger, draft, hold)
    renewed = replace(
        renewed,
        handoffs=hold.handoffs + 1,
        conversation=command.conversation or hold.conversation,
    )
    handoff = Handoff(
        handoff_id=command.handoff_id,
        hold_id=hold.hold_id,
        type_id=hold.type_id,
        holder_key=hold.holder_key,
        fields=command.fields,
        created_at=ledger.now,
        expires_at=hold.created_at + place.type.hold_lifetime + TICKET_LASTS_AFTER_THE_HOLD,
    )
    return replace(held(ledger, draft, place, renewed, ChangeKind.RENEWED), handoff=handoff)


def redeem_handoff(ledger: Ledger, draft: Draft, command: RedeemHandoff) -> Decision:
    """Give the hold of a ticket to who redeems it first, or again, for its full time from now."""
    key = holder_key(command.principal_id, command.holder)
    handoff, hold = _redeemable(ledger, command, key)
    taken = replace(hold, principal_id=command.principal_id, holder=command.holder, holder_key=key)
    place = _place(ledger, draft, handoff, taken)
    taken = replace(
        taken,
        calendar_ids=place.calendar_ids,
        expires_at=_lasts_until(ledger, handoff, hold, place),
    )
    draft.end_hold(hold)
    check_hold_count(ledger, draft, Holder(command.principal_id, key))
    redeemed = replace(
        handoff,
        holder_key=key,
        redeemed_by=command.principal_id,
        request_ids=(*handoff.request_ids, command.request_id),
    )
    return replace(held(ledger, draft, place, taken, ChangeKind.HANDED_OVER), handoff=redeemed)


def _redeemable(ledger: Ledger, command: RedeemHandoff, key: str) -> tuple[Handoff, Hold]:
    """Return a handoff that this holder may redeem, and its hold."""
    handoff = ledger.handoffs.get(command.handoff_id)
    if handoff is None:
        raise HandoffEnded(status="GONE")
    hold = ledger.holds.get(handoff.hold_id)
    is_used = handoff.redeemed_by is not None and handoff.holder_key != key
    # By another ticket of the same hold.
    is_elsewhere = hold is not None and hold.holder_key != handoff.holder_key
    if is_used or is_elsewhere:
        raise HandoffUsed(appointment_type=type_name(ledger.business_id, handoff.type_id))
    if handoff.booking_id is not None:
        raise handoff_ended(ledger, handoff, HoldStatus.BOOKED.upper())
    if hold is not None and hold.status is not HoldStatus.LIVE:
        raise handoff_ended(ledger, handoff, hold.status.upper())
    # What is erased has lapsed; if its hold was renewed after that, it is there without fields.
    if hold is None or (handoff.erased_at is not None and hold.expires_at <= ledger.now):
        raise handoff_ended(ledger, handoff, LAPSED)
    if len(handoff.request_ids) >= REDEMPTIONS_MAX:
        raise HoldLifetimeReached(
            "This ticket was redeemed as often as it may be. Book its hold, or hold anew.",
            hold=hold_name(ledger.business_id, hold.hold_id),
            redemptions_max=str(REDEMPTIONS_MAX),
        )
    return handoff, hold


def _place(ledger: Ledger, draft: Draft, handoff: Handoff, hold: Hold) -> Place:
    try:
        return place_of_hold(ledger, draft, hold)
    except (SlotRefused, InvalidRequest, ResourceNotFound):
        # It has expired, and the slot is another's by now, or not offered any more.
        raise handoff_ended(ledger, handoff, LAPSED) from None


def _lasts_until(ledger: Ledger, handoff: Handoff, hold: Hold, place: Place) -> datetime:
    """Return when a hold ends that is handed over: one that is as old as may be goes on."""
    until = renewed_until(ledger, hold, place.type)
    if until is not None:
        return until
    if hold.expires_at <= ledger.now:
        raise handoff_ended(ledger, handoff, LAPSED)
    return hold.expires_at
