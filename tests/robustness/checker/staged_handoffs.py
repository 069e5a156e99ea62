"""Staged handoffs: the commands and answers of tickets for staged histories, and the erasing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from service.domain.booking import HoldStatus
from service.domain.commands import CreateHandoff
from service.domain.ledger import Decision, Ledger
from service.rpc.handoffs import Handoffs
from service.rpc.submitting import Asking, Wanted

METHODS = frozenset({"CreateHandoff", "RedeemHandoff"})
HANDOFFS = Handoffs(b"staged" * 8, "")


def wanted(ledger: Ledger, method: str, request: Any, asking: Asking) -> Wanted:
    """Read what is asked, with an id of the stage's own."""
    if method == "RedeemHandoff":
        return HANDOFFS.redeem(request, asking)
    made = HANDOFFS.create(request, asking)
    assert isinstance(made.command, CreateHandoff)
    return made._replace(command=replace(made.command, handoff_id=ledger.new_id()))


def ended_by(decision: Decision) -> Iterator[UUID]:
    """Yield the holds that a decision has ended, and that of a ticket by which it books."""
    for hold in decision.holds:
        if hold.status is not HoldStatus.LIVE:
            yield hold.hold_id
    if decision.handoff is not None and decision.handoff.booking_id is not None:
        yield decision.handoff.hold_id


def lapsed(ledger: Ledger) -> list[UUID]:
    """Return the holds that have expired."""
    return [hold.hold_id for hold in ledger.holds.values() if hold.expires_at <= ledger.now]


def erase(ledger: Ledger, hold_ids: Iterable[UUID]) -> Iterator[tuple[str, str]]:
    """Erase what the tickets of holds know; yield whose answers go with it, by key and id."""
    ended = set(hold_ids)
    for handoff in list(ledger.handoffs.values()):
        if handoff.hold_id in ended and handoff.erased_at is None:
            for request_id in handoff.request_ids:
                yield handoff.redeemed_by or "", request_id
            ledger.handoffs[handoff.handoff_id] = replace(
                handoff, fields=(), request_ids=(), erased_at=ledger.now
            )
