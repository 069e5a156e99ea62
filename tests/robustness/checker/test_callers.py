"""What callers are told: of an id used again, to wait, of alternatives, in pages, of other keys."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from uuid import UUID

import grpc
import pytest

from service.domain.ids import last_part
from slotcast.errors import ErrorDetails, SlotcastError
from slotcast.v1.booking_service_pb2 import Customer
from tests.robustness.catalogue import MINUTE, SECOND_KEY, STRANGERS_KEY
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot, told
from tests.robustness.checker.staged import STARTED_AT
from tests.robustness.history import INTERNAL_FAULT, Answered, Fault, Link, Outcome
from tests.robustness.traffic.recorder import reason_of

CUT = slot("cut", STARTS[0], "chair-1")
SECOND = SECOND_KEY.principal


@pytest.fixture
def stage():
    return asked.opened()


def refuse(call, reason, **more):
    call.outcome, call.reason, call.response, call.revision = Outcome.REFUSED, reason, None, 0
    for name, value in more.items():
        setattr(call, name, value)


def break_way(stage, call, *links, lasting=1.0):
    blocks = frozenset(Link(*each) for each in links)
    stage.history.faults.append(
        Fault(kind="cut", target="", began=call.began, ended=call.began + lasting, blocks=blocks)
    )


def under_the_same_id(stage, first, method, request):
    request.request_id = first.request_id
    return stage.ask(method, request)


# Another body under one id.


def test_b3_an_id_that_is_used_for_another_body_is_refused(stage):
    first = stage.ask(*asked.book(CUT))
    second = under_the_same_id(stage, first, *asked.book(slot("cut", STARTS[4])))

    assert second.reason == "REQUEST_ID_REUSED"
    assert told(stage) == set()


def test_b3_another_body_that_is_answered_as_the_first_was(stage):
    first = stage.ask(*asked.book(CUT))
    second = under_the_same_id(stage, first, *asked.book(slot("cut", STARTS[4])))
    second.outcome, second.reason = Outcome.OK, ""
    second.response, second.revision = deepcopy(first.response), first.revision

    assert ("B3", "another body") in told(stage)


def test_b3_another_customer_is_another_body(stage):
    first = stage.ask(*asked.book(CUT))
    method, request = asked.book(CUT)
    request.customer.CopyFrom(Customer(display_name="Mallory"))
    second = under_the_same_id(stage, first, method, request)
    second.outcome, second.reason = Outcome.OK, ""
    second.response, second.revision = deepcopy(first.response), first.revision

    assert ("B3", "another body") in told(stage)


def test_b3_another_body_that_is_done_as_well(stage):
    first = stage.ask(*asked.book(CUT))
    answered = stage.answered.pop(first.request_id)
    under_the_same_id(stage, first, *asked.book(slot("cut", STARTS[4])))
    stored = [*stage.answered.values(), answered]

    assert ("B3", "twice") in told(stage, answered=stored)


def test_b3_another_body_that_is_refused_for_another_reason(stage):
    first = stage.ask(*asked.book(CUT))
    second = under_the_same_id(stage, first, *asked.hold(CUT))
    second.reason, second.revision = "SLOT_TAKEN", stage.revision

    assert told(stage) == {("B3", "another body")}


def test_b3_a_request_that_is_done_though_nobody_knew_and_its_id_then_used_again(stage):
    first = stage.ask(*asked.hold(CUT))
    first.outcome, first.reason, first.response = Outcome.UNKNOWN, "DEADLINE_EXCEEDED", None
    under_the_same_id(stage, first, *asked.hold(slot("cut", STARTS[4])))

    assert told(stage) == set()


def test_b3_an_id_that_came_to_nothing_may_serve_another_body(stage):
    stage.ask(*asked.book(CUT))
    first = stage.ask(*asked.book(CUT))
    first.outcome, first.reason, first.revision = Outcome.UNKNOWN, "DEADLINE_EXCEEDED", 0
    second = under_the_same_id(stage, first, *asked.book(slot("cut", STARTS[4], "chair-1")))

    assert second.outcome is Outcome.OK
    assert told(stage) == set()


def test_b6_an_id_that_is_called_used_and_was_not(stage):
    stage.ask(*asked.book(CUT))
    refuse(stage.ask(*asked.book(CUT)), "REQUEST_ID_REUSED")

    assert told(stage) == {("B6", "reason")}


# To wait, or to try again.


@pytest.mark.parametrize("reason", ["OVERLOADED", "TRY_AGAIN", "REVISION_AHEAD", "RATE_LIMITED"])
def test_b6_who_is_told_to_wait_though_nothing_was_broken(stage, reason):
    refuse(stage.ask(*asked.list_slots()), reason)

    assert told(stage) == {("B6", "waiting without cause")}


@pytest.mark.parametrize("reason", ["OVERLOADED", "TRY_AGAIN", "REVISION_AHEAD"])
def test_b6_who_is_told_to_wait_while_postgresql_is_cut_off(stage, reason):
    call = stage.ask(*asked.list_slots())
    refuse(call, reason)
    break_way(stage, call, ("a", "postgres"))

    assert told(stage) == set()


@pytest.mark.parametrize("link", [("clients", "a"), ("b", "postgres"), ("a", "valkey")])
def test_b6_a_read_that_must_wait_for_what_does_not_concern_it(stage, link):
    call = stage.ask(*asked.list_slots())
    refuse(call, "OVERLOADED")
    break_way(stage, call, link)

    assert told(stage) == {("B6", "waiting without cause")}


def test_b6_a_read_that_must_wait_long_after_all_was_well_again(stage):
    break_way(stage, stage.ask(*asked.list_slots()), ("a", "postgres"))
    stage.wait(30.0)
    refuse(stage.ask(*asked.list_slots()), "OVERLOADED")

    assert ("B6", "waiting without cause") in told(stage)


def unreached(call):
    call.outcome, call.reason, call.response = Outcome.UNKNOWN, "UNAVAILABLE", None
    return call


@pytest.mark.parametrize("link", [None, ("clients", "b"), ("a", "postgres")])
def test_b6_who_does_not_reach_a_server_that_was_there(stage, link):
    call = unreached(stage.ask(*asked.list_slots()))
    if link is not None:
        break_way(stage, call, link)

    assert told(stage) == {("B6", "unreached without cause")}


def test_b6_who_does_not_reach_a_server_whose_way_was_broken(stage):
    break_way(stage, unreached(stage.ask(*asked.list_slots())), ("clients", "a"))

    assert told(stage) == set()


def test_b6_a_machine_that_stands_still_lets_all_wait(stage):
    for _ in range(8):
        call = stage.ask(*asked.list_slots())
        call.outcome, call.reason, call.response = Outcome.UNKNOWN, "DEADLINE_EXCEEDED", None
    refuse(stage.ask(*asked.list_slots()), "OVERLOADED")

    assert ("B6", "waiting without cause") not in told(stage)


# What the service itself calls its fault.


def test_b6_a_fault_of_the_server_is_none_of_the_way_though_it_was_cut(stage):
    call = stage.ask(*asked.book(CUT))
    call.outcome, call.reason, call.response = Outcome.UNKNOWN, INTERNAL_FAULT, None
    break_way(stage, call, ("clients", "a"))

    assert told(stage) == {("B6", "reason")}


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected"),
    [
        (grpc.StatusCode.INTERNAL, "INTERNAL", "", INTERNAL_FAULT),
        (grpc.StatusCode.UNKNOWN, "", "Unexpected <class 'KeyError'>: 1", INTERNAL_FAULT),
        (grpc.StatusCode.INTERNAL, "", "Received RST_STREAM", "INTERNAL"),
        (grpc.StatusCode.UNKNOWN, "", "Stream removed", "UNKNOWN"),
        (grpc.StatusCode.UNAVAILABLE, "TRY_AGAIN", "", "TRY_AGAIN"),
    ],
)
def test_who_gave_a_reason_the_service_or_the_way(code, reason, message, expected):
    error = SlotcastError(message, ErrorDetails(code=code, reason=reason))

    assert reason_of(error) == expected


# What is offered instead.


@pytest.fixture
def lost(stage):
    """Somebody who lost a slot, and is offered others."""
    stage.ask(*asked.book(CUT))
    call = stage.ask(*asked.hold(CUT))
    assert call.alternatives
    return call


def test_b5_alternatives_that_are_open(stage, lost):
    assert told(stage) == set()


def test_b5_an_alternative_that_was_taken(stage, lost):
    first = lost.alternatives[0]
    taken = replace(
        first, start=STARTS[0], end=STARTS[1], calendar=f"{asked.PARENT}/calendars/chair-1"
    )
    lost.alternatives = (taken,)

    assert told(stage) == {("B5", "alternatives")}


def test_b5_an_alternative_that_was_open_at_another_revision(stage, lost):
    offered = lost.alternatives[-1]
    calendar = last_part(offered.calendar)
    stage.ask(*asked.book(slot("cut", offered.start, calendar)))
    again = stage.ask(*asked.hold(CUT))
    assert again.reason == "SLOT_TAKEN"
    again.alternatives = (offered,)

    assert told(stage) == {("B5", "alternatives")}


@pytest.mark.parametrize(
    "change", [{"seats_left": 2}, {"appointment_type": f"{asked.PARENT}/appointmentTypes/class"}]
)
def test_b5_an_alternative_that_is_another(stage, lost, change):
    lost.alternatives = (replace(lost.alternatives[0], **change),)

    assert told(stage) == {("B5", "alternatives")}


def test_b5_an_alternative_that_is_offered_twice(stage, lost):
    lost.alternatives = lost.alternatives[:1] * 2

    assert told(stage) == {("B5", "alternatives")}


def test_b6_a_slot_that_is_lost_and_nothing_is_offered(stage, lost):
    lost.alternatives, lost.revision = (), 0

    assert told(stage) == {("B6", "no alternatives")}


# Pages.


def cut_short(call, following, part, size, token):
    """Let an answer be a page, and the next one what is left."""
    call.request.page_size, following.request.page_size = size, 0
    following.request.page_token = token
    del getattr(call.response, part)[size:]
    del getattr(following.response, part)[:size]
    call.response.next_page_token = token


@pytest.fixture
def slots(stage):
    stage.ask(*asked.book(CUT))
    pages = stage.ask(*asked.list_slots("cut")), stage.ask(*asked.list_slots("cut"))
    cut_short(*pages, "slots", 7, "more")
    return pages


@pytest.fixture
def bookings(stage):
    for number in range(3):
        stage.ask(*asked.book(slot("cut", STARTS[number], "chair-1")))
    pages = stage.ask(*asked.list_bookings()), stage.ask(*asked.list_bookings())
    cut_short(*pages, "bookings", 2, "more")
    return pages


def test_b5_pages_that_are_the_truth_together(stage, slots, bookings):
    assert told(stage) == set()


def test_b5_a_page_that_leaves_out_a_slot(stage, slots):
    del slots[1].response.slots[0]

    assert told(stage) == {("B5", "ListSlots")}


def test_b5_a_page_that_repeats_a_booking(stage, bookings):
    bookings[1].response.bookings.insert(0, bookings[0].response.bookings[-1])

    assert told(stage) == {("B5", "ListBookings")}


def test_b5_a_last_page_that_says_there_are_more(stage, bookings):
    bookings[1].response.next_page_token = "still more"

    assert told(stage) == {("B5", "ListBookings")}


def test_b5_a_page_by_the_token_of_another_query(stage, slots):
    slots[1].request.start_time.seconds += 60

    assert told(stage) == {("B5", "ListSlots")}


def test_b6_a_page_token_that_is_refused_though_it_was_given(stage, slots):
    refuse(slots[1], "INVALID_PAGE_TOKEN")

    assert told(stage) == {("B6", "reason")}


def test_b6_a_page_token_of_another_query_is_refused(stage, slots):
    slots[1].request.start_time.seconds += 60
    refuse(slots[1], "INVALID_PAGE_TOKEN")

    assert told(stage) == set()


# What took place.


def test_b4_an_appointment_that_took_place_before_it_began(stage):
    booking = stage.ask(*asked.book(CUT)).response.bookings[0]
    assert stage.ask(*asked.change("MarkNoShow", booking)).reason == "INVALID_TRANSITION"
    assert told(stage) == set()
    key = UUID(last_part(booking.name))
    before = stage.ledger.bookings[key]
    appointment = replace(before.appointment, start=STARTED_AT)
    stage.ledger.bookings[key] = replace(before, appointment=appointment)
    stage.ask(*asked.change("CompleteBooking", booking))

    assert ("B4", "transition") in told(stage)


def test_b6_an_appointment_that_began_and_may_not_be_completed(stage):
    soon = slot("walk-in", STARTED_AT + MINUTE, "chair-1")
    booking = stage.ask(*asked.book(soon)).response.bookings[0]
    stage.wait(65.0)
    assert stage.ask(*asked.change("CompleteBooking", booking)).outcome is Outcome.OK
    assert told(stage) == set()
    stage.history.calls[-1].request.version = 2
    refuse(stage.ask(*asked.change("CompleteBooking", booking)), "SLOT_TAKEN")

    assert ("B6", "refused without cause") in told(stage)


# Other keys.


def test_b7_each_key_has_holds_of_its_own(stage):
    own = stage.ask(*asked.hold(CUT)).response.hold.name
    other = stage.ask(*asked.hold(slot("cut", STARTS[4], "chair-1")), principal=SECOND)
    assert stage.ask(*asked.book(own), principal=SECOND).reason == "RESOURCE_NOT_FOUND"
    stage.ask(*asked.book(other.response.hold.name), principal=SECOND)
    assert stage.ask(*asked.book(CUT, holder="eve"), principal=SECOND).reason == "SLOT_TAKEN"

    assert told(stage) == set()


def test_b7_a_hold_that_another_key_has_used(stage):
    name = stage.ask(*asked.hold(CUT)).response.hold.name
    key = UUID(last_part(name))
    stage.ledger.holds[key] = replace(stage.ledger.holds[key], principal_id=SECOND)
    stage.ask(*asked.book(name), principal=SECOND)

    assert told(stage) == {("B7", "another key's")}


def test_b7_a_slot_that_an_end_user_of_the_same_name_holds_with_another_key(stage):
    stage.ask(*asked.hold(CUT))
    call = stage.ask(*asked.explain(CUT, "eve"), principal=SECOND)
    assert not call.response.bookable
    call.response.bookable = True

    assert told(stage) == {("B5", "ExplainSlot")}


def test_b5_an_explanation_for_the_holder_itself(stage):
    stage.ask(*asked.hold(CUT))
    call = stage.ask(*asked.explain(CUT, "eve"))
    assert call.response.bookable
    assert told(stage) == set()
    call.response.bookable = False

    assert told(stage) == {("B5", "ExplainSlot")}


@pytest.fixture
def stranger(stage):
    call = deepcopy(stage.ask(*asked.book(CUT)))
    call.principal = STRANGERS_KEY.principal
    stage.history.strangers.append(call)
    return call


def test_b6_a_stranger_finds_nothing(stage, stranger):
    refuse(stranger, "RESOURCE_NOT_FOUND")

    assert told(stage) == set()


def test_b6_a_stranger_who_is_answered(stage, stranger):
    assert told(stage) == {("B6", "told to a stranger")}


@pytest.mark.parametrize("reason", ["SLOT_TAKEN", "HOLD_ENDED", "REQUEST_ID_REUSED"])
def test_b6_a_stranger_who_learns_what_there_is(stage, stranger, reason):
    refuse(stranger, reason)

    assert told(stage) == {("B6", "told to a stranger")}


def test_b3_a_stranger_who_changed_something(stage, stranger):
    refuse(stranger, "RESOURCE_NOT_FOUND")
    ours = stage.answered[stranger.request_id]
    stage.answered["stranger"] = Answered(
        principal_id=stranger.principal, request_id=ours.request_id, response=ours.response
    )

    assert ("B3", "nobody asked") in told(stage)
