"""C1, C3, C4: what is said of tickets, and of what people were shown, that is not so."""

from dataclasses import replace

import pytest

from service.domain.booking import HoldStatus
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import key_of_ticket
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot, told
from tests.robustness.formal.replay import replay
from tests.robustness.history import Outcome
from tests.robustness.linearizability.search import find_violations
from tests.robustness.traffic.handoffs import FIELDS

CUT = slot("cut", STARTS[0], "chair-1")
SHOWN = booking_pb.Consent(
    start=STARTS[0].isoformat(),
    time_zone="UTC",
    appointment_type="cut",
    calendar="chair-1",
    price="25 EUR",
)
DESK = "second-desk"


@pytest.fixture
def stage():
    return asked.opened()


@pytest.fixture
def hold(stage):
    return stage.ask(*asked.hold(CUT, "eve")).response.hold.name


@pytest.fixture
def ticket(stage, hold):
    return stage.ask(*asked.hand_off(hold, FIELDS)).response.ticket


def reason_of(stage, what, principal=""):
    return stage.ask(*what, principal=principal).reason


def forget_who_redeemed(stage):
    """Let the service forget it, so that another may redeem the same ticket."""
    for handoff_id, handoff in stage.ledger.handoffs.items():
        stage.ledger.handoffs[handoff_id] = replace(handoff, redeemed_by=None)


def test_a_ticket_that_is_fought_over_breaks_nothing(stage, hold, ticket):
    redeeming = asked.redeem(ticket, "joe")
    assert reason_of(stage, redeeming, DESK) == ""
    assert reason_of(stage, asked.redeem(ticket, "ann")) == "HANDOFF_USED"
    assert reason_of(stage, asked.release(hold)) == "RESOURCE_NOT_FOUND"
    assert reason_of(stage, asked.hold(CUT, "eve")) == "SLOT_TAKEN"
    assert reason_of(stage, asked.redeem(ticket, "joe"), DESK) == ""
    assert reason_of(stage, redeeming, DESK) == ""
    assert reason_of(stage, asked.agree(asked.book(hold), SHOWN), DESK) == ""
    # What was answered is erased with what it tells of a person.
    assert reason_of(stage, redeeming, DESK) == "HANDOFF_ENDED"
    assert reason_of(stage, asked.redeem(ticket[:-1], "joe")) == "HANDOFF_INVALID"

    assert told(stage) == set()
    assert replay(*stage.end()) == []
    assert not find_violations(stage.history)


def test_c3_a_ticket_that_two_have_redeemed(stage, ticket):
    stage.ask(*asked.redeem(ticket, "joe"), principal=DESK)
    forget_who_redeemed(stage)
    stage.ask(*asked.redeem(ticket, "ann"))

    assert told(stage) == {("C3", "handed over twice")}
    assert {each.promise for each in replay(*stage.end())} == {"B7"}


@pytest.mark.parametrize("use", [asked.release, asked.renew, asked.book, asked.hand_off])
def test_c3_a_hold_that_is_used_by_whose_it_was(stage, hold, ticket, use):
    stage.ask(*asked.redeem(ticket, "joe"), principal=DESK)
    for hold_id, held in stage.ledger.holds.items():
        stage.ledger.holds[hold_id] = replace(held, principal_id="operator")
    assert reason_of(stage, use(hold)) == ""

    assert ("C3", "another key's") in told(stage)


def test_c3_a_slot_that_is_given_to_whose_the_hold_was(stage, ticket):
    stage.ask(*asked.redeem(ticket, "joe"))
    assert reason_of(stage, asked.hold(CUT, "eve")) == "SLOT_TAKEN"
    call = stage.history.calls[-1]
    assert not find_violations(stage.history)
    call.outcome, call.reason = Outcome.OK, ""
    call.response = booking_pb.HoldSlotResponse(
        hold=stage.history.calls[-2].response.hold, revision=stage.revision + 1
    )
    call.response.hold.name = f"{asked.PARENT}/holds/another"

    assert find_violations(stage.history)


def test_c3_a_ticket_that_nobody_was_given(stage, ticket):
    call = stage.ask(*asked.redeem(ticket, "joe"))
    call.request.ticket = "another"

    assert ("C3", "ticket") in told(stage)


def test_b7_a_ticket_whose_hold_was_given_back(stage, hold, ticket):
    stage.ask(*asked.release(hold))
    for hold_id, held in stage.ledger.holds.items():
        stage.ledger.holds[hold_id] = replace(held, status=HoldStatus.LIVE)
    for handoff_id, handoff in stage.ledger.handoffs.items():
        stage.ledger.handoffs[handoff_id] = replace(handoff, fields=(), erased_at=None)
    assert reason_of(stage, asked.redeem(ticket, "joe")) == ""

    assert ("B7", "ended") in told(stage)


def test_b6_a_ticket_that_is_refused_for_what_is_not_so(stage, ticket):
    stage.ask(*asked.redeem(ticket, "joe"))
    call = stage.ask(*asked.redeem(ticket, "ann"))
    assert told(stage) == set()
    call.reason = "HANDOFF_ENDED"

    assert told(stage) == {("B6", "refused without cause")}


def test_b3_an_answer_that_is_gone_while_the_hold_stands(stage, ticket):
    redeeming = asked.redeem(ticket, "joe")
    stage.ask(*redeeming)
    call = stage.ask(*redeeming)
    call.outcome, call.reason, call.response = Outcome.REFUSED, "HANDOFF_ENDED", None

    assert ("B3", "done, then refused") in told(stage)


def test_c1_what_was_booked_is_not_what_was_shown(stage, hold):
    call = stage.ask(*asked.agree(asked.book(hold), SHOWN))
    assert told(stage) == set()
    call.request.appointments[0].consent.price = "20 EUR"

    assert told(stage) == {("C1", "consent")}


def test_b6_a_consent_that_is_refused_though_it_is_to_what_is_so(stage, hold):
    wrong = booking_pb.Consent()
    wrong.CopyFrom(SHOWN)
    wrong.calendar = "chair-2"
    call = stage.ask(*asked.agree(asked.book(hold), wrong))
    assert call.reason == "CONSENT_MISMATCH"
    assert told(stage) == set()
    call.request.appointments[0].consent.calendar = "chair-1"

    assert told(stage) == {("B6", "refused without cause")}


def test_c4_what_is_told_of_a_person_after_a_hold_has_ended(stage):
    assert told(stage, remembered=["the ticket 1 tells of a person"]) == {("C4", "remembered")}


def test_c3_a_ticket_by_which_somebody_has_booked_twice(stage, ticket):
    page = key_of_ticket(ticket).principal
    hold = stage.ask(*asked.redeem(ticket, "joe"), principal=page).response.hold.name
    assert reason_of(stage, asked.book(hold), page) == ""
    assert reason_of(stage, asked.hold(slot("cut", STARTS[1]), "joe"), page) == "HANDOFF_ENDED"
    assert told(stage) == set()
    for handoff_id, handoff in stage.ledger.handoffs.items():
        stage.ledger.handoffs[handoff_id] = replace(handoff, booking_id=None)
    assert reason_of(stage, asked.hold(slot("cut", STARTS[1]), "joe"), page) == ""

    assert told(stage) == {("C3", "spent")}
