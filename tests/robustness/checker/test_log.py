"""What is wrong with a log, an answer or a table is found, and named by its promise."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from service.domain.booking import BookingStatus
from service.domain.ids import last_part
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot, told
from tests.robustness.checker.judge import judge
from tests.robustness.history import Fault, Link, Outcome

CUT = slot("cut", STARTS[0], "chair-1")


@pytest.fixture
def stage():
    return asked.opened()


def forget(stage, owner_name):
    """Let the desk forget what a hold or booking has, so that it gives it once more."""
    for claim in list(stage.ledger.offer.claims):
        if claim.owner_id == last_part(owner_name):
            stage.ledger.offer.claims.remove(claim.claim_id)


def booked(stage, *wishes, **more):
    return stage.ask(*asked.book(*wishes, **more)).response.bookings[0]


def test_a_history_without_faults_has_no_violation(stage):
    hold = stage.ask(*asked.hold(slot("class", STARTS[3]))).response.hold
    booking = booked(stage, hold.name)
    stage.ask(*asked.move(booking, slot("class", STARTS[6])))
    stage.ask(*asked.list_slots())

    assert told(stage) == set()


def test_b1_a_slot_that_is_booked_twice(stage):
    forget(stage, booked(stage, CUT).name)
    booked(stage, CUT)

    assert {("B1", "taken"), ("B1", "twice"), ("B2", "claims")} == told(stage)


def test_b1_two_places_of_a_group_with_one_seat(stage):
    forget(stage, booked(stage, slot("class", STARTS[0])).name)
    booked(stage, slot("class", STARTS[0]))

    assert ("B1", "twice") in told(stage)


def test_b1_a_buffer_that_is_not_kept(stage):
    forget(stage, booked(stage, slot("colour", STARTS[0], "chair-1")).name)
    booked(stage, slot("cut", STARTS[2], "chair-1"))

    assert ("B1", "taken") in told(stage)


def test_b1_what_postgresql_itself_finds_to_overlap(stage):
    assert told(stage, overlaps=["two bookings at nine"]) == {("B1", "overlap")}


def test_b2_an_answer_that_no_change_followed(stage):
    booked(stage, CUT)
    history, witness = stage.end()

    violations = judge(
        history,
        replace(
            witness,
            revision=witness.revision - 1,
            changes=witness.changes[:-1],
            answered=witness.answered[:-1],
            claims=[],
            bookings=[],
            log_revisions=witness.log_revisions[:-1],
        ),
    )

    assert {(each.promise, each.rule) for each in violations} == {("B2", "lost")}


def test_b2_an_answer_that_was_not_stored(stage):
    booked(stage, CUT)
    history, witness = stage.end()

    violations = judge(history, replace(witness, answered=witness.answered[:-1]))

    assert ("B2", "lost") in {(each.promise, each.rule) for each in violations}


def test_b3_a_calendar_that_nobody_was_answered_to_have_made(stage):
    booked(stage, CUT)
    history, witness = stage.end()
    (made,) = {
        call.request_id
        for call in history.calls
        if call.method == "CreateCalendar" and call.request.calendar_id == "chair-1"
    }
    answered = [each for each in witness.answered if each.request_id != made]

    violations = judge(history, replace(witness, answered=answered))

    assert ("B3", "nobody asked") in {(each.promise, each.rule) for each in violations}


def test_b2_a_booking_that_is_gone_in_the_end(stage):
    booked(stage, CUT)

    assert told(stage, bookings=[]) == {("B2", "bookings")}
    assert told(stage, claims=[]) == {("B2", "claims")}


def test_b2_busy_time_that_is_gone_in_the_end(stage):
    stage.ask(*asked.import_busy("room", (STARTS[0], STARTS[2])))

    assert told(stage) == set()
    assert told(stage, claims=[]) == {("B2", "busy time")}


def test_b2_claims_of_holds_that_expired_may_have_been_trimmed(stage):
    stage.ask(*asked.hold(CUT))
    stage.wait(11)

    assert told(stage, claims=[]) == set()


def test_b3_a_request_that_was_done_twice(stage):
    method, request = asked.book(slot("class", STARTS[0]))
    stage.ask(method, request)
    first = stage.answered.pop(request.request_id)
    stage.ask(method, request)
    history, witness = stage.end()

    violations = judge(history, replace(witness, answered=[*witness.answered, first]))

    assert {(each.promise, each.rule) for each in violations} == {("B3", "twice")}


def test_b3_a_refusal_that_was_done(stage):
    call = stage.ask(*asked.book(CUT))
    call.outcome, call.reason, call.response = Outcome.REFUSED, "OVERLOADED", None

    assert told(stage) == {("B3", "refused, but done"), ("B6", "waiting without cause")}


def test_b6_a_refusal_for_want_of_time_that_was_done_though_it_was_asked_again(stage):
    call = stage.ask(*asked.book(CUT))
    assert call.ended is not None
    again = replace(call, number=call.number + 1, began=call.ended + 1.0, ended=call.ended + 2.0)
    stage.history.calls.append(again)
    call.outcome, call.reason, call.response, call.revision = Outcome.REFUSED, "OVERLOADED", None, 0

    assert ("B6", "done by a call that was refused") in told(stage)


def test_b3_what_is_not_known_may_have_been_done_or_not(stage):
    done = stage.ask(*asked.book(CUT))
    done.outcome, done.reason, done.response = Outcome.UNKNOWN, "DEADLINE_EXCEEDED", None
    refused = stage.ask(*asked.book(CUT))
    refused.outcome, refused.reason = Outcome.UNKNOWN, "DEADLINE_EXCEEDED"

    assert told(stage) == set()


def test_b3_an_operation_that_is_refused_when_it_is_known_to_be_done(stage):
    method, request = asked.book(CUT)
    stage.ask(method, request)
    again = stage.ask(method, request)
    again.outcome, again.reason, again.response = Outcome.REFUSED, "SLOT_TAKEN", None

    assert told(stage) == {("B3", "done, then refused")}


def test_b3_a_repetition_with_another_answer(stage):
    method, request = asked.book(CUT)
    stage.ask(method, request)
    stage.ask(method, request).response.bookings[0].version = 2

    assert told(stage) == {("B3", "other answer")}


def test_b3_an_answer_that_tells_what_the_change_has_not(stage):
    method, request = asked.book(CUT)
    call = stage.ask(method, request)
    call.response.bookings[0].start_time.seconds += 900
    stored = stage.answered[request.request_id]
    stage.answered[request.request_id] = replace(stored, response=call.response.SerializeToString())

    assert told(stage) == {("B3", "answer")}


def test_b3_a_change_that_nobody_asked_for(stage):
    stage.history.calls.remove(stage.ask(*asked.book(CUT)))

    assert ("B3", "nobody asked") in told(stage)


def test_b4_a_log_with_a_gap(stage):
    booked(stage, CUT)
    history, witness = stage.end()

    violations = judge(history, replace(witness, changes=witness.changes[1:]))

    assert ("B4", "gap") in {(each.promise, each.rule) for each in violations}


def test_b4_what_was_asked_later_is_earlier_in_the_log(stage):
    first = stage.ask(*asked.book(CUT))
    second = stage.ask(*asked.book(slot("cut", STARTS[4])))
    first.began, first.ended = second.ended + 0.01, second.ended + 0.02

    assert told(stage) == {("B4", "order")}


def test_b4_a_decision_by_another_clock(stage):
    call = stage.ask(*asked.book(CUT))
    call.began, call.ended = call.began + 2, call.ended + 2

    assert told(stage) == {("B4", "clock")}


def test_b4_a_list_that_is_older_than_what_was_answered(stage):
    old = deepcopy(stage.ask(*asked.list_slots()).response)
    booked(stage, CUT)
    late = stage.ask(*asked.list_slots())
    late.response, late.revision = old, old.revision

    assert told(stage) == {("B4", "stale read")}


def test_b4_a_booking_that_was_changed_at_another_version(stage):
    booking = booked(stage, CUT)
    key = UUID(last_part(booking.name))
    stage.ledger.bookings[key] = replace(stage.ledger.bookings[key], version=7)
    booking.version = 7
    stage.ask(*asked.change("CancelBooking", booking))

    assert ("B4", "version") in told(stage)


def test_b5_a_list_without_a_slot_that_is_open(stage):
    del stage.ask(*asked.list_slots()).response.slots[3]

    assert told(stage) == {("B5", "ListSlots")}


def test_b5_a_list_in_another_order(stage):
    response = stage.ask(*asked.list_slots()).response
    slots = list(reversed(response.slots))
    del response.slots[:]
    response.slots.extend(slots)

    assert told(stage) == {("B5", "ListSlots")}


def test_b5_a_booking_as_it_was(stage):
    booking = booked(stage, CUT)
    stage.ask(*asked.change("CancelBooking", booking))
    stage.ask(*asked.get(booking.name)).response.booking.CopyFrom(booking)

    assert told(stage) == {("B5", "GetBooking")}


def test_b5_a_list_of_bookings_without_one(stage):
    booked(stage, CUT)
    del stage.ask(*asked.list_bookings()).response.bookings[:]

    assert told(stage) == {("B5", "ListBookings")}


def test_b5_an_explanation_that_is_wrong(stage):
    response = stage.ask(*asked.explain(CUT)).response
    response.bookable = False

    assert told(stage) == {("B5", "ExplainSlot")}


def test_b5_a_slot_that_was_booked_in_a_closure(stage):
    before = stage.ledger.offer
    stage.ask(*asked.close("holiday", STARTS[0], STARTS[4]))
    stage.ledger.offer = replace(stage.ledger.offer, catalog=before.catalog, hours=before.hours)
    booked(stage, CUT)

    assert told(stage) == {("B5", "not open")}


def test_b5_a_slot_that_was_booked_under_busy_time(stage):
    stage.ask(*asked.import_busy("chair-1", (STARTS[0], STARTS[1])))
    busy = list(stage.ledger.offer.claims)
    for claim in busy:
        stage.ledger.offer.claims.remove(claim.claim_id)
    booked(stage, CUT)
    for claim in busy:
        stage.ledger.offer.claims.add(claim)

    assert told(stage) == {("B5", "taken")}


def test_b6_a_refusal_of_what_is_free(stage):
    call = stage.ask(*asked.book(CUT))
    wanted = slot("cut", STARTS[8], "chair-1")
    refused = stage.ask(*asked.book(wanted))
    stage.changes.pop()
    stage.answered.popitem()
    stage.ledger.bookings.popitem()
    forget(stage, refused.response.bookings[0].name)
    refused.outcome, refused.reason, refused.response = Outcome.REFUSED, "SLOT_TAKEN", None
    refused.revision = call.revision

    assert told(stage) == {("B6", "refused without cause")}


@pytest.mark.parametrize(
    "reason", ["SLOT_CLOSED", "NOTICE_TOO_SHORT", "BEYOND_HORIZON", "CAP_REACHED", "HOLD_ENDED"]
)
def test_b6_a_refusal_for_another_reason_than_there_is(stage, reason):
    stage.ask(*asked.book(CUT))
    stage.ask(*asked.book(CUT)).reason = reason

    assert told(stage) == {("B6", "refused without cause")}


def test_b6_a_version_that_was_the_right_one(stage):
    booking = booked(stage, CUT)
    call = stage.ask(*asked.change("ApproveBooking", booking))
    assert call.reason == "INVALID_TRANSITION"
    call.reason = "VERSION_MISMATCH"

    assert told(stage) == {("B6", "refused without cause")}


def test_b6_a_fault_of_the_server(stage):
    call = stage.ask(*asked.book(CUT))
    call.outcome, call.reason, call.response = Outcome.UNKNOWN, "INTERNAL", None

    assert told(stage) == {("B6", "reason")}


def test_b6_what_grpc_says_of_a_way_that_was_cut_is_no_fault_of_the_server(stage):
    call = stage.ask(*asked.book(CUT))
    call.outcome, call.reason, call.response = Outcome.UNKNOWN, "INTERNAL", None
    links = frozenset({Link("clients", "a")})
    stage.history.faults.append(
        Fault(kind="cut", target="a", began=call.began, ended=call.ended, blocks=links)
    )

    assert told(stage) == set()


def test_b7_a_slot_that_another_holds(stage):
    forget(stage, stage.ask(*asked.hold(CUT)).response.hold.name)
    booked(stage, CUT, holder="mallory")

    assert ("B7", "taken") in told(stage)


def test_b7_a_hold_that_was_used_twice(stage):
    name = stage.ask(*asked.hold(slot("class", STARTS[0]))).response.hold.name
    key = UUID(last_part(name))
    before = stage.ledger.holds[key]
    booked(stage, name)
    stage.ledger.holds[key] = before
    booked(stage, name)

    assert told(stage) == {("B7", "ended")}


def test_b7_one_hold_more_than_the_business_allows(stage):
    offer = stage.ledger.offer
    business = replace(offer.catalog.business, holds_per_holder_max=9)
    stage.ledger.offer = replace(offer, catalog=replace(offer.catalog, business=business))
    for number in range(4):
        stage.ask(*asked.hold(slot("cut", STARTS[2 * number], "chair-1")))

    assert told(stage) == {("B7", "too many")}


def test_b7_a_hold_that_lasts_longer_than_its_type_says(stage):
    offer = stage.ledger.offer
    cut = replace(offer.catalog.types["cut"], hold_duration=timedelta(seconds=60))
    types = {**offer.catalog.types, "cut": cut}
    stage.ledger.offer = replace(offer, catalog=replace(offer.catalog, types=types))
    stage.ask(*asked.hold(CUT))

    assert told(stage) == {("B3", "claims"), ("B3", "answer")}


def test_b7_a_live_hold_keeps_its_slot_and_an_expired_one_does_not(stage):
    name = stage.ask(*asked.hold(CUT)).response.hold.name
    stage.ask(*asked.close("holiday", STARTS[0], STARTS[4]))
    late = stage.ask(*asked.hold(slot("cut", STARTS[6]))).response.hold.name
    booked(stage, name)
    stage.wait(11)
    stage.ask(*asked.book(slot("cut", STARTS[6], "chair-1"), slot("cut", STARTS[6], "chair-2")))
    assert stage.ask(*asked.book(late)).reason == "SLOT_TAKEN"

    assert told(stage) == set()


def test_b8_an_approval_of_what_did_not_await_it(stage):
    booking = booked(stage, CUT)
    key = UUID(last_part(booking.name))
    pending = replace(stage.ledger.bookings[key], status=BookingStatus.PENDING)
    stage.ledger.bookings[key] = pending
    stage.ask(*asked.change("ApproveBooking", booking))

    assert told(stage) == {("B8", "transition")}


def test_w8_a_list_that_is_older_than_was_asked_for(stage):
    call = stage.ask(*asked.list_slots())
    call.request.min_revision = call.revision + 1

    assert told(stage) == {("W8", "min_revision")}


def test_w3_a_log_that_was_trimmed_in_the_middle(stage):
    assert told(stage, log_revisions=[3, 4, 6, 7, 8, 9, 10, 11]) == {("W3", "trimmed log")}


def test_liveness_what_is_left_behind_in_postgresql(stage):
    assert told(stage, idle_in_transaction=1) == {("liveness", "left behind")}
    assert told(stage, advisory_locks=1) == {("liveness", "left behind")}


def test_b6_a_key_that_is_suddenly_unknown(stage):
    call = stage.ask(*asked.list_slots())
    call.outcome, call.reason, call.response = Outcome.REFUSED, "KEY_INVALID", None

    assert told(stage) == {("B6", "reason")}


def test_b7_a_hold_too_many_on_the_calendar_that_the_server_chose(stage):
    """One of the holder's own would give way on the other calendar, which has more bookings."""
    booked(stage, slot("cut", STARTS[12], "chair-1"))
    for each in (CUT, slot("cut", STARTS[4], "chair-1"), slot("cut", STARTS[8], "chair-1")):
        stage.ask(*asked.hold(each))
    assert stage.ask(*asked.hold(slot("cut", STARTS[0]))).reason == "TOO_MANY_HOLDS"

    assert told(stage) == set()


def test_b6_a_refusal_may_have_its_cause_only_for_a_moment_between_two_expiries(stage):
    expired = stage.ask(*asked.hold(slot("cut", STARTS[0], "chair-1"))).response.hold
    stage.wait(0.3)
    for start in STARTS[2], STARTS[4]:
        stage.ask(*asked.hold(slot("cut", start, "chair-1")))
    stage.wait(9.68)
    assert stage.ask(*asked.hold(slot("cut", STARTS[2], "chair-2"))).outcome is Outcome.OK

    assert stage.ask(*asked.renew(expired.name)).reason == "TOO_MANY_HOLDS"

    assert told(stage) == set()


@pytest.mark.parametrize(
    ("scenario", "seconds", "is_right"),
    [("calm", 30, False), ("log-trimmed", 12, False), ("log-trimmed", 14, True)],
)
def test_a_hold_may_be_forgotten_when_it_has_been_over_for_as_long_as_the_log_is_kept(
    stage, scenario, seconds, is_right
):
    stage.history.scenario = scenario
    name = stage.ask(*asked.hold(CUT)).response.hold.name
    stage.wait(seconds)
    stage.ledger.holds.clear()
    forget(stage, name)
    assert stage.ask(*asked.release(name)).reason == "RESOURCE_NOT_FOUND"

    assert told(stage) == (set() if is_right else {("B6", "refused without cause")})


def _answer_otherwise(stage, call):
    stored = stage.answered[call.request.request_id]
    response = call.response.SerializeToString()
    stage.answered[call.request.request_id] = replace(stored, response=response)


def test_a_series_is_booked_as_far_as_it_fits(stage):
    booked(stage, CUT)
    call = stage.ask(*asked.book_series(CUT, "FREQ=DAILY;COUNT=3"))
    assert stage.ask(*asked.book_series(CUT, all_of_it=True)).reason == "SERIES_REFUSED"

    assert [each.HasField("booking") for each in call.response.report.occurrences] == [0, 1, 1]
    assert told(stage) == set()


def test_b6_an_occurrence_that_is_refused_without_cause(stage):
    blocked = booked(stage, CUT)
    call = stage.ask(*asked.book_series(CUT))
    stage.changes[-2], stage.changes[-1] = stage.changes[-1], stage.changes[-2]
    first = next(c for c in stage.history.calls if c.method == "Book")
    for each, revision in ((first, call.revision), (call, first.revision)):
        each.response.revision = each.revision = revision
        _answer_otherwise(stage, each)
    for number in (-2, -1):
        revision = len(stage.changes) + 1 + number
        stage.changes[number] = replace(stage.changes[number], revision=revision)

    assert blocked.name
    assert ("B6", "series") in told(stage)


def test_b6_a_part_of_a_series_that_was_wanted_as_a_whole(stage):
    booked(stage, CUT)
    stage.ask(*asked.book_series(CUT)).request.mode = 1

    assert told(stage) == {("B6", "series")}


def test_b6_a_series_that_is_refused_without_cause(stage):
    booking = booked(stage, CUT)
    call = stage.ask(*asked.book_series(CUT, all_of_it=True))
    assert call.reason == "SERIES_REFUSED"
    call.request.first.start_time.seconds += 4 * 900

    assert booking.name
    assert told(stage) == {("B6", "refused without cause")}


@pytest.mark.parametrize(("end", "is_right"), [(2, True), (3, False)])
def test_b2_an_import_that_changes_nothing_says_what_was_there(stage, end, is_right):
    first = stage.ask(*asked.import_busy("room", (STARTS[0], STARTS[2])))
    again = stage.ask(*asked.import_busy("room", (STARTS[0], STARTS[end])))
    stage.changes.pop()
    again.response.revision = again.revision = first.revision
    _answer_otherwise(stage, again)
    for claim in list(stage.ledger.offer.claims):
        stage.ledger.offer.claims.remove(claim.claim_id)
        stage.ledger.offer.claims.add(replace(claim, end=STARTS[2]))

    assert told(stage) == (set() if is_right else {("B2", "busy time")})


@pytest.mark.parametrize("is_right", [True, False])
def test_b2_the_busy_time_that_a_change_carries_is_that_which_was_imported(stage, is_right):
    stage.ask(*asked.import_busy("room", (STARTS[0], STARTS[2])))
    (claim,) = stage.ledger.offer.claims
    carried = claim if is_right else replace(claim, end=STARTS[3])
    stage.changes[-1] = replace(stage.changes[-1], added=(carried,), reread_calendar_ids=())

    assert told(stage) == (set() if is_right else {("B2", "busy time")})
