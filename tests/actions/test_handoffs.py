"""Handoffs in a batch: what is no handoff's pays nothing for them."""

from __future__ import annotations

from uuid import UUID, uuid4

from service.domain.commands import CreateHandoff, RedeemHandoff
from service.domain.errors import HandoffEnded, HandoffUsed
from service.domain.handoff import PrefilledField, Provenance
from service.store import handoffs
from tests.actions.conftest import outcome, outcomes
from tests.actions.submissions import (
    PRINCIPAL,
    a_submission,
    book,
    held,
    hold,
    release,
    renew,
    slot,
)

KNOWN = (PrefilledField(name="email", value="kim@example.org", provenance=Provenance.SAID),)


def hand_off(hold_id, handoff_id):
    command = CreateHandoff(
        handoff_id=handoff_id, hold_id=UUID(hold_id), principal_id=PRINCIPAL, fields=KNOWN
    )
    return a_submission(command)


def redeem(handoff_id, page, request_id):
    command = RedeemHandoff(
        handoff_id=handoff_id, principal_id=page, holder="page", request_id=request_id
    )
    return a_submission(command, principal_id=page, request_id=request_id)


async def test_a_batch_without_handoffs_asks_and_writes_nothing_of_them(lanes, shop, monkeypatch):
    async def fail(*_, **__):
        raise AssertionError

    for name in ("by_ids", "upsert", "erase"):
        monkeypatch.setattr(handoffs, name, fail)

    first, second = await outcomes(lanes, [hold(slot(1)), hold(slot(2))])
    done = await outcomes(
        lanes,
        [renew(first["hold"]), release(second["hold"]), book(held(first["hold"])), book(slot(3))],
    )

    assert all(isinstance(each, dict) for each in done)


async def test_a_ticket_is_made_redeemed_and_booked_in_one_batch(lanes, shop, books):
    """What was decided before in a batch has happened; what is erased in it was never there."""
    hold_id = (await outcome(lanes, hold(slot(1))))["hold"]
    handoff_id = uuid4()
    by_page = book(held(hold_id), principal_id="one")

    made, won, lost, repeated, booked, late = await outcomes(
        lanes,
        [
            hand_off(hold_id, handoff_id),
            redeem(handoff_id, "one", "r"),
            redeem(handoff_id, "two", "r"),
            redeem(handoff_id, "one", "r"),
            by_page,
            redeem(handoff_id, "one", "s"),
        ],
    )

    assert made["hold"] == won["hold"] == hold_id
    assert isinstance(lost, HandoffUsed)
    assert repeated == won
    assert booked["bookings"]
    assert isinstance(late, HandoffEnded)
    assert await books.rows("SELECT fields, request_ids FROM handoffs") == [([], [])]
    assert await books.rows("SELECT * FROM requests WHERE request_id = 'r'") == []
