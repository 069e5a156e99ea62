"""Handing over: whose a hold is when its ticket is redeemed, and for what that may be refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from tests.robustness.catalogue import key_of_ticket
from tests.robustness.checker.claims import HOLD
from tests.robustness.checker.model import Model, Spot
from tests.robustness.checker.placing import Deed, Placing
from tests.robustness.checker.records import LIVE, Held, Ticket

HOLD_DURATIONS_MAX = 10
"""A hold that is renewed lasts at most so many times as long as it does by itself."""
TICKETS_PER_HOLD_MAX = 10
SPENDING = frozenset({"HoldSlot", "RenewHold", "Book"})
"""What can be done by a ticket only until something is booked by it."""


def made(placing: Placing, deed: Deed, hold: Held, counts: Counter[str]) -> Held:
    """Note the ticket that was made of a hold, and return the hold as it is with one more."""
    tickets, name = placing.model.tickets, deed.response.ticket
    counts["handoffs made"] += 1
    if name in tickets or not name:
        placing.fault("C3", "ticket", "two handoffs were given one ticket")
    if hold.tickets >= TICKETS_PER_HOLD_MAX:
        placing.fault("B7", "too many", "a hold has more tickets than it may")
    tickets[name] = Ticket(
        hold_id=hold.id, key=hold.key, fields=tuple(deed.request.fields), expires=hold.expires
    )
    conversation = deed.request.conversation or hold.conversation
    return replace(hold, tickets=hold.tickets + 1, conversation=conversation)


def redeem(placing: Placing, deed: Deed, counts: Counter[str]) -> None:
    """Give the hold of a ticket to who redeems it: nobody else has, and it has not ended."""
    model, request = placing.model, deed.request
    ticket = model.tickets.get(request.ticket)
    if ticket is None:
        placing.fault("C3", "ticket", "a ticket was redeemed that nobody was given")
        return
    hold, key = model.holds[ticket.hold_id], model.key(request.holder, deed.principal)
    assert key is not None
    if _is_used(ticket, hold, key):
        placing.fault("C3", "handed over twice", "a ticket was redeemed by two")
    if key_of_ticket(request.ticket).principal in model.spent:
        placing.fault("C3", "spent", "a ticket was redeemed by which somebody has booked")
    if hold.status != LIVE:
        placing.fault("B7", "ended", f"a ticket was redeemed whose hold was {hold.status}")
    taken = replace(hold, principal=deed.principal, holder=request.holder, key=key)
    place = placing.place_of(taken)
    if place is None:
        return
    expires = lasts_until(hold, place.rules.hold, placing.at)
    if expires <= placing.at:
        placing.fault("B7", "lifetime", "a hold was handed over that had lasted as long as it may")
    placing.put(hold.id, place, HOLD, expires, key)
    placing.keep(replace(taken, calendars=place.calendars, expires=expires), deed)
    placing.count_holds(key, deed.principal)
    # Whoever renews a hold that had expired does not bring back what was erased.
    is_erased = ticket.may_be_erased or ticket.expires <= model.latest
    told = tuple(deed.response.fields)
    if told != ticket.fields and not (is_erased and not told):
        placing.fault("B3", "answer", "a ticket was redeemed with other fields than it was given")
    counts["C3"] += 1
    counts["handoffs redeemed again" if ticket.is_redeemed else "handoffs redeemed"] += 1
    model.tickets[request.ticket] = replace(
        model.tickets[request.ticket], key=key, is_redeemed=True
    )


def lasts_until(hold: Held, length: int, at: int) -> int:
    """Return until when a hold lasts that is handed over: its full time, or its longest life."""
    until = hold.created + HOLD_DURATIONS_MAX * length
    if until <= max(at, hold.expires):
        return hold.expires
    return min(at + length, until)


def reasons_of_redeeming(model: Model, request: Any, at: int, principal: str) -> set[str]:
    """Return why a ticket may be refused at an instant."""
    ticket = model.tickets.get(request.ticket)
    if ticket is None:
        return {"HANDOFF_INVALID"}
    hold, key = model.holds[ticket.hold_id], model.key(request.holder, principal)
    assert key is not None
    found = {"HANDOFF_USED"} if _is_used(ticket, hold, key) else set()
    is_spent = key_of_ticket(request.ticket).principal in model.spent
    if hold.status != LIVE or hold.expires <= at or ticket.may_be_erased or is_spent:
        found.add("HANDOFF_ENDED")
    if _is_one_too_many(model, hold, at, principal, key):
        found.add("TOO_MANY_HOLDS")
    return found


def _is_used(ticket: Ticket, hold: Held, key: str) -> bool:
    """Say whether another has redeemed a ticket, or another ticket of its hold."""
    return (ticket.is_redeemed and ticket.key != key) or hold.key != ticket.key


def _is_one_too_many(model: Model, hold: Held, at: int, principal: str, key: str) -> bool:
    """Say whether who redeems has as many other holds as one may."""
    others = model.counted_with(key, principal, at) - {hold.id}
    rules = model.offer.types.get(hold.type_id)
    if rules is not None and hold.expires <= at:
        spot = Spot(hold.type_id, hold.calendars[0], hold.first)
        others -= model.own_in_the_way(rules, spot, at, key)
    if len(others) >= model.offer.holds_per_holder_max:
        return True
    is_counted = hold.principal == principal and hold.status == LIVE and hold.expires > at
    of_key = model.live_holds_of_key(principal, at) - is_counted
    return of_key >= model.offer.holds_per_key_max
