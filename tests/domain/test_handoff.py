"""Handoffs: who has a hold, and until when, as its tickets are made and redeemed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.booking import Holder, HoldStatus
from service.domain.change import ChangeKind
from service.domain.errors import (
    HandoffEnded,
    HandoffUsed,
    HoldEnded,
    HoldLifetimeReached,
    ResourceNotFound,
    SlotTaken,
    TooManyHolds,
)
from service.domain.handoff import (
    HANDOFFS_PER_HOLD_MAX,
    REDEMPTIONS_MAX,
    TICKET_LASTS_AFTER_THE_HOLD,
    TICKET_PRINCIPAL,
    PrefilledField,
    Provenance,
    handoff_of,
)
from service.domain.ids import holder_key
from tests.builders import a_catalog, a_type, at, minutes
from tests.domain.desk import PRINCIPAL, Desk

TEN, ELEVEN = at("10:00"), at("11:00")
KNOWN = (PrefilledField(name="email", value="kim@example.org", provenance=Provenance.SAID),)
PAGE = "widget"
TYPE = "businesses/demo/appointmentTypes/visit"


def ticket_of(handoff) -> str:
    """Return as whom the ticket acts."""
    return f"{TICKET_PRINCIPAL}{handoff.handoff_id}"


def status(refused) -> str:
    assert refused.value.metadata["appointment_type"] == TYPE
    return refused.value.metadata["status"]


def claims_at(desk, start):
    return [
        (claim.owner_id, claim.holder_key)
        for claim in desk.claims.overlapping("anna", start, start + minutes(30))
        if claim.is_live(desk.now)
    ]


class TestCreate:
    def test_the_hold_lasts_its_full_time_from_then(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(3))

        handoff = desk.hand_off(hold, fields=KNOWN, conversation="chat-1")

        renewed = desk.ledger.holds[hold.hold_id]
        assert renewed.expires_at == desk.now + minutes(5)
        assert (renewed.conversation, renewed.handoffs) == ("chat-1", 1)
        assert (handoff.hold_id, handoff.fields) == (hold.hold_id, KNOWN)
        assert handoff.expires_at == hold.created_at + minutes(50) + TICKET_LASTS_AFTER_THE_HOLD

    def test_its_conversation_stays_where_none_is_named(self):
        desk = Desk()
        hold = desk.hold(TEN, conversation="chat-1")

        desk.hand_off(hold)

        assert desk.ledger.holds[hold.hold_id].conversation == "chat-1"

    def test_only_its_own_principal_can(self):
        desk = Desk()
        hold = desk.hold(TEN)

        with pytest.raises(ResourceNotFound):
            desk.hand_off(hold, principal_id="another")

    def test_of_what_has_ended_there_is_no_ticket(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.release(hold)

        with pytest.raises(HoldEnded):
            desk.hand_off(hold)

    def test_a_lapsed_hold_is_forgiven_while_its_slot_is_free(self):
        desk = Desk()
        hold, lost = desk.hold(TEN), desk.hold(ELEVEN)
        desk.wait(minutes(6))
        desk.book(ELEVEN)

        assert desk.hand_off(hold).hold_id == hold.hold_id
        with pytest.raises(SlotTaken):
            desk.hand_off(lost)

    def test_no_hold_lasts_for_ever_by_its_tickets(self):
        desk = Desk(a_catalog(types=[a_type(hold_duration=minutes(10))]))
        hold = desk.hold(TEN)
        for _ in range(9):
            desk.wait(minutes(10) - minutes(0.5))
            desk.hand_off(hold)
        desk.wait(minutes(100) - (desk.now - hold.created_at))

        with pytest.raises(HoldLifetimeReached):
            desk.hand_off(hold)

    def test_there_can_be_only_so_many_of_one_hold(self):
        desk = Desk()
        hold = desk.hold(TEN)
        for _ in range(HANDOFFS_PER_HOLD_MAX):
            desk.hand_off(hold)
        before = desk.state()

        with pytest.raises(HoldLifetimeReached):
            desk.hand_off(hold)

        assert desk.state() == before

    def test_what_is_offered_to_one_who_waits_is_not_handed_on(self):
        desk = Desk()
        booking = desk.book(TEN)
        entry = desk.join((TEN, ELEVEN))
        desk.cancel(booking)

        with pytest.raises(HoldLifetimeReached):
            desk.hand_off(desk.offered(entry))


class TestRedeem:
    def test_the_hold_is_that_of_who_redeems_it_for_its_full_time(self):
        desk = Desk()
        hold = desk.hold(TEN)
        handoff = desk.hand_off(hold, fields=KNOWN)
        desk.wait(minutes(4))

        decision = desk.redeem(handoff, principal_id=PAGE, holder="page")

        taken = decision.hold
        key = holder_key(PAGE, "page")
        assert (taken.hold_id, taken.owner) == (hold.hold_id, Holder(PAGE, key))
        assert taken.expires_at == desk.now + minutes(5)
        assert taken.created_at == hold.created_at
        assert decision.kind is ChangeKind.HANDED_OVER
        assert decision.handoff.fields == KNOWN
        # Watches read in the change whose the claim was, and whose it is.
        assert [claim.holder_key for claim in decision.removed] == [hold.holder_key]
        assert [claim.holder_key for claim in decision.added] == [key]
        assert claims_at(desk, TEN) == [(str(hold.hold_id), key)]

    def test_its_former_holder_can_do_nothing_with_it(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.redeem(desk.hand_off(hold), principal_id=PAGE)
        before = desk.state()

        for attempt in (desk.renew, desk.release, desk.book_hold, desk.hand_off):
            with pytest.raises(ResourceNotFound):
                attempt(hold)
        with pytest.raises(SlotTaken):
            desk.book(TEN, holder="eve")

        assert desk.state() == before
        assert desk.book_hold(hold, principal_id=PAGE).appointment.start == TEN

    def test_both_are_counted_right(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        hold = desk.hold(TEN)
        desk.redeem(desk.hand_off(hold), principal_id=PAGE)

        assert desk.hold(ELEVEN).appointment.start == ELEVEN
        with pytest.raises(TooManyHolds):
            desk.hold(at("12:00"), principal_id=PAGE, holder="page")

    def test_who_has_as_many_holds_as_may_be_gets_no_more_by_a_ticket(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        handoff = desk.hand_off(desk.hold(TEN))
        desk.hold(ELEVEN, principal_id=PAGE, holder="page")
        before = desk.state()

        with pytest.raises(TooManyHolds):
            desk.redeem(handoff, principal_id=PAGE)

        assert desk.state() == before
        assert desk.redeem(handoff, principal_id="another").hold is not None

    def test_the_same_holder_gets_it_again(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        hold = desk.hold(TEN)
        handoff = desk.hand_off(hold, fields=KNOWN)
        desk.redeem(handoff, principal_id=PAGE)
        desk.wait(minutes(2))

        again = desk.redeem(handoff, principal_id=PAGE)

        assert again.hold.hold_id == hold.hold_id
        assert again.hold.expires_at == desk.now + minutes(5)
        assert again.handoff.fields == KNOWN
        assert len(again.handoff.request_ids) == 2

    @pytest.mark.parametrize("who", [(PAGE, "another"), ("another", "page"), (PRINCIPAL, "eve")])
    def test_another_does_not(self, who):
        desk = Desk()
        handoff = desk.hand_off(desk.hold(TEN))
        desk.redeem(handoff, principal_id=PAGE, holder="page")
        before = desk.state()

        with pytest.raises(HandoffUsed) as refused:
            desk.redeem(handoff, principal_id=who[0], holder=who[1])

        assert refused.value.metadata == {"appointment_type": TYPE}
        assert desk.state() == before

    def test_of_several_tickets_of_a_hold_the_first_that_is_redeemed_has_it(self):
        desk = Desk()
        hold = desk.hold(TEN)
        first, second = desk.hand_off(hold), desk.hand_off(hold)
        desk.redeem(second, principal_id=PAGE)

        with pytest.raises(HandoffUsed):
            desk.redeem(first, principal_id="another")

    def test_who_has_it_may_hand_it_on(self):
        desk = Desk()
        hold = desk.hold(TEN)
        first = desk.hand_off(hold)
        desk.redeem(first, principal_id=PAGE)
        second = desk.hand_off(hold, principal_id=PAGE)
        desk.redeem(second, principal_id="phone")

        with pytest.raises(HandoffUsed):
            desk.redeem(first, principal_id=PAGE)
        assert desk.book_hold(hold, principal_id="phone").appointment.start == TEN

    def test_a_page_is_loaded_anew_only_so_often_and_its_hold_stays(self):
        desk = Desk()
        hold = desk.hold(TEN)
        handoff = desk.hand_off(hold)
        for _ in range(REDEMPTIONS_MAX):
            desk.redeem(handoff, principal_id=PAGE)
        before = desk.state()

        with pytest.raises(HoldLifetimeReached):
            desk.redeem(handoff, principal_id=PAGE)
        with pytest.raises(HandoffUsed):
            desk.redeem(handoff, principal_id="another")

        assert desk.state() == before
        assert desk.book_hold(hold, principal_id=PAGE).appointment.start == TEN
        with pytest.raises(HandoffEnded) as refused:
            desk.redeem(handoff, principal_id=PAGE)
        assert status(refused) == "BOOKED"

    def test_of_a_hold_that_has_ended_nothing_is_left_to_redeem(self):
        desk = Desk()
        released, booked = desk.hold(TEN), desk.hold(ELEVEN)
        tickets = [desk.hand_off(hold) for hold in (released, booked)]
        desk.release(released)
        desk.book_hold(booked)

        for handoff, expected in zip(tickets, ("RELEASED", "BOOKED"), strict=True):
            with pytest.raises(HandoffEnded) as refused:
                desk.redeem(handoff, principal_id=PAGE)
            assert status(refused) == expected

    def test_a_lapsed_hold_is_forgiven_while_its_slot_is_free(self):
        desk = Desk()
        handoff, lost = desk.hand_off(desk.hold(TEN)), desk.hand_off(desk.hold(ELEVEN))
        desk.wait(minutes(6))
        desk.book(ELEVEN)

        assert desk.redeem(handoff, principal_id=PAGE).hold.expires_at == desk.now + minutes(5)
        before = desk.state()
        with pytest.raises(HandoffEnded) as refused:
            desk.redeem(lost, principal_id=PAGE)
        assert status(refused) == "LAPSED"
        assert desk.state() == before

    def test_once_it_is_erased_a_lapsed_hold_is_not_forgiven(self):
        desk = Desk()
        handoff = desk.hand_off(desk.hold(TEN))
        desk.wait(minutes(6))
        erased = replace(handoff, fields=(), erased_at=desk.now)
        desk.ledger.handoffs[handoff.handoff_id] = erased

        with pytest.raises(HandoffEnded) as refused:
            desk.redeem(handoff, principal_id=PAGE)

        assert status(refused) == "LAPSED"

    def test_a_hold_that_is_renewed_after_it_was_erased_is_there_without_fields(self):
        desk = Desk()
        hold = desk.hold(TEN)
        handoff = desk.hand_off(hold, fields=KNOWN)
        desk.redeem(handoff, principal_id=PAGE)
        desk.wait(minutes(6))
        desk.ledger.handoffs[handoff.handoff_id] = replace(
            desk.ledger.handoffs[handoff.handoff_id], fields=(), erased_at=desk.now
        )
        desk.renew(hold, principal_id=PAGE)

        with pytest.raises(HandoffUsed):
            desk.redeem(handoff, principal_id="another")
        again = desk.redeem(handoff, principal_id=PAGE)

        assert again.hold.hold_id == hold.hold_id
        assert again.handoff.fields == ()
        desk.wait(minutes(6))
        with pytest.raises(HandoffEnded):
            desk.redeem(handoff, principal_id=PAGE)

    def test_a_hold_that_is_as_old_as_may_be_goes_over_with_the_time_it_has(self):
        desk = Desk(a_catalog(types=[a_type(hold_duration=minutes(1))]))
        hold = desk.hold(TEN)
        for _ in range(11):
            desk.wait(minutes(0.8))
            hold = desk.renew(hold)
        handoff = desk.hand_off(hold)
        hold = desk.ledger.holds[hold.hold_id]
        desk.wait(hold.created_at + minutes(10) - desk.now - minutes(0.5))
        desk.renew(hold)
        last = desk.ledger.holds[hold.hold_id]
        assert last.expires_at == hold.created_at + minutes(10)

        assert desk.redeem(handoff, principal_id=PAGE).hold.expires_at == last.expires_at
        desk.wait(minutes(1))
        with pytest.raises(HandoffEnded) as refused:
            desk.redeem(handoff, principal_id=PAGE)
        assert status(refused) == "LAPSED"

    def test_what_nobody_knows_is_gone(self):
        desk = Desk()
        handoff = desk.hand_off(desk.hold(TEN))
        del desk.ledger.handoffs[handoff.handoff_id]

        with pytest.raises(HandoffEnded) as refused:
            desk.redeem(handoff, principal_id=PAGE)

        assert refused.value.metadata == {"status": "GONE"}


class TestTicket:
    """The ticket itself as the key."""

    def test_only_a_ticket_acts_as_one(self):
        assert handoff_of("chatbot") is None
        assert handoff_of("manage.offer.7d444840-9dc0-41d1-a245-5ffdce74fad2") is None

    def test_by_it_one_booking_can_be_made_and_then_nothing_more(self):
        desk = Desk()
        hold = desk.hold(TEN)
        handoff = desk.hand_off(hold)
        ticket = ticket_of(handoff)
        desk.redeem(handoff, principal_id=ticket)
        other = desk.hold(ELEVEN, principal_id=ticket, holder="page")

        booking = desk.book_hold(other, principal_id=ticket)

        assert desk.ledger.handoffs[handoff.handoff_id].booking_id == booking.booking_id
        before = desk.state()
        for attempt in (
            lambda: desk.book_hold(hold, principal_id=ticket),
            lambda: desk.renew(hold, principal_id=ticket),
            lambda: desk.hold(at("12:00"), principal_id=ticket),
            lambda: desk.redeem(handoff, principal_id=ticket),
        ):
            with pytest.raises(HandoffEnded) as refused:
                attempt()
            assert status(refused) == "BOOKED"
        assert desk.state() == before
        # What it holds still, it may give back.
        assert desk.release(hold, principal_id=ticket).hold.status is HoldStatus.RELEASED

    def test_whatever_it_calls_its_holders_it_has_only_so_many_holds(self):
        desk = Desk(a_catalog(holds_per_holder_max=2))
        handoff = desk.hand_off(desk.hold(TEN))
        ticket = ticket_of(handoff)
        desk.redeem(handoff, principal_id=ticket)
        desk.hold(ELEVEN, principal_id=ticket, holder="one")

        with pytest.raises(TooManyHolds):
            desk.hold(at("12:00"), principal_id=ticket, holder="two")
