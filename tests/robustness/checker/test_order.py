"""What is wrong with the frames of a stream is found, and named by its promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.catalogue import QUARTER
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot, told
from tests.robustness.checker.judge import judge
from tests.robustness.checker.plays import STEPS, Play
from tests.robustness.checker.staged_streams import Stream
from tests.robustness.history import ClockStep, Fault, Link

CUT = slot("cut", STARTS[0], "chair-1")
TYPES = ("cut", "colour", "class", "consult")


def request(*types, **more):
    return asked.window(WatchAvailabilityRequest, types or TYPES, **more)


@pytest.fixture
def stage():
    return asked.opened()


@pytest.fixture
def stream(stage):
    """A stream that has seen two bookings."""
    stream = Stream(stage, request()).snapshot()
    for start in STARTS[0], STARTS[4]:
        stage.ask(*asked.book(slot("cut", start, "chair-1")))
        stream.delta()
    return stream


def frames(stream):
    return [arrival.frame for arrival in stream.watch.arrivals]


def renumber(stream):
    for number, frame in enumerate(frames(stream), 1):
        frame.stream_seq = number


def test_a_stream_that_is_right_has_no_violation(stage, stream):
    stream.heartbeat()
    resumed = Stream(stage, request(), resumes=stream.goodbye(), server="b")
    resumed.delta()
    Stream(stage, request("cut"), resumes=resumed.end()).reset("FILTER").goodbye()

    assert told(stage) == set()


def test_w1_a_close_that_is_missing(stage, stream):
    del frames(stream)[-1].delta.closed[0]

    assert told(stage) == {("W1", "state")}


def test_w1_an_opening_that_is_missing(stage, stream):
    booking = stage.ask(*asked.book(slot("consult", STARTS[8]))).response.bookings[0]
    stream.delta()
    stage.ask(*asked.change("CancelBooking", booking))
    stream.delta()
    del frames(stream)[-1].delta.opened[0]

    assert told(stage) == {("W1", "state")}


def test_w1_a_number_of_places_that_is_wrong(stage, stream):
    stage.ask(*asked.book(slot("class", STARTS[8])))
    stream.delta()
    frames(stream)[-1].delta.opened[0].seats_left += 1

    assert told(stage) == {("W1", "state")}


def test_w1_a_slot_that_nobody_asked_for(stage, stream):
    extra = frames(stream)[-1].delta.opened.add()
    extra.CopyFrom(frames(stream)[0].snapshot_chunk.slots[0])
    extra.start_time.seconds -= 86_400
    extra.end_time.seconds -= 86_400

    assert told(stage) == {("W1", "state")}


def test_w1_a_revision_before_its_changes(stage):
    """M1: what is told before it is committed is told of a revision that does not have it."""
    stream = Stream(stage, request()).snapshot()
    stage.ask(*asked.book(CUT))
    stream.delta().revision -= 1

    assert ("W1", "state") in told(stage)


def test_w1_a_revision_that_goes_back(stage, stream):
    frames(stream)[-1].revision = frames(stream)[0].revision - 1

    assert ("W1", "ordered") in told(stage)


def test_w1_an_instant_that_goes_back(stage, stream):
    frames(stream)[-1].as_of.seconds -= 1

    assert told(stage) == {("W1", "as_of")}


@pytest.mark.parametrize(("offsets", "is_right"), [((-15,), True), ((15, 0), True), ((15,), False)])
def test_w1_who_resumes_over_a_step_back_may_be_told_an_earlier_instant(
    stage, stream, offsets, is_right
):
    told_at = frames(stream)[-1].as_of
    for offset in offsets:
        stage.wait(4)
        stage.history.clock_steps.append(ClockStep(stage.now, timedelta(seconds=offset)))
    stage.wait(4)
    resumed = Stream(stage, request(), resumes=stream.end())
    resumed.delta()
    frames(resumed)[0].as_of.seconds = told_at.seconds - 1

    assert (("W1", "as_of") not in told(stage)) is is_right


def test_w1_no_stream_lasts_over_a_step_back(stage, stream):
    stage.wait(1)
    stage.history.clock_steps.append(ClockStep(stage.now, timedelta(seconds=-15)))
    stage.wait(1)
    stream.heartbeat()

    assert ("W1", "as_of") in told(stage)


def test_w1_a_frame_that_is_missing_shows_in_the_numbers_and_in_the_slots(stage, stream):
    stream.delta()
    del stream.watch.arrivals[2]

    assert told(stage) == {("W1", "stream_seq"), ("W1", "state")}


def test_w1_a_revision_that_does_not_exist_yet(stage, stream):
    frames(stream)[-1].revision += 1

    assert ("W1", "future") in told(stage)


def test_w1_a_delta_that_is_broken_off(stage, stream):
    frames(stream)[-1].delta.more = True
    frames(stream)[-1].resume_token = ""
    stream.heartbeat()

    assert ("W1", "atomic") in told(stage)


def test_w1_half_a_move_is_found(stage, stream):
    """A booking that moves frees one slot and takes another in one frame."""
    booking = stage.ask(*asked.book(slot("consult", STARTS[8]))).response.bookings[0]
    stream.delta()
    stage.ask(*asked.move(booking, slot("consult", STARTS[10])))
    whole = stream.delta()
    del whole.delta.opened[:]

    assert told(stage) == {("W1", "state")}


def test_w1_a_slot_that_a_closure_closes(stage, stream):
    stage.ask(*asked.close("holiday", STARTS[10], STARTS[10] + QUARTER))
    stream.delta()
    del frames(stream)[-1].delta.closed[:]

    assert told(stage) == {("W1", "state")}


def test_w1_slots_that_a_change_of_the_catalogue_closes(stage, stream):
    stage.ask(*asked.alter("class", capacity=2))
    stream.delta()
    del frames(stream)[-1].delta.opened[0]

    assert told(stage) == {("W1", "state")}


def test_w2_a_snapshot_that_counts_wrong(stage, stream):
    frames(stream)[1].snapshot_end.open_slots += 1

    assert told(stage) == {("W2", "count")}


def test_w2_a_snapshot_without_its_last_slot(stage, stream):
    slots = frames(stream)[0].snapshot_chunk.slots
    del slots[-1]

    assert told(stage) == {("W1", "state"), ("W2", "count")}


def test_w2_a_snapshot_of_two_revisions(stage, stream):
    frames(stream)[0].revision -= 1

    assert told(stage) == {("W2", "one state")}


def test_w2_something_between_the_parts_of_a_snapshot(stage):
    stream = Stream(stage, request()).snapshot()
    end = stream.watch.arrivals.pop()
    stream.heartbeat()
    stream.watch.arrivals.append(end)
    renumber(stream)

    assert ("W2", "no end") in told(stage)


def test_w2_a_hole_between_the_snapshot_and_the_first_delta(stage):
    stream = Stream(stage, request()).snapshot()
    stage.ask(*asked.book(CUT))
    stream.shown = {slot.key: slot for slot in stage.slots(stream.watch.request)}
    stage.ask(*asked.book(slot("cut", STARTS[4])))
    stream.delta()

    assert told(stage) == {("W1", "state")}


def test_w2_a_reset_without_a_snapshot(stage, stream):
    stream.reset("SLOW_READER")
    del stream.watch.arrivals[-2:]
    stream.delta()

    assert ("W2", "reset without snapshot") in told(stage)


def test_w3_a_token_of_another_filter_that_is_honoured(stage, stream):
    Stream(stage, request("cut"), resumes=stream.end()).delta()

    assert ("W3", "filter") in told(stage)


def test_w3_a_token_that_is_answered_by_a_snapshot_alone(stage, stream):
    Stream(stage, request(), resumes=stream.end()).snapshot()

    assert told(stage) == {("W3", "beginning")}


def test_w3_a_stream_that_goes_on_without_a_token(stage, stream):
    unasked = Stream(stage, request())
    unasked.delta()

    assert ("W3", "beginning") in told(stage)


@pytest.mark.parametrize("reason", ["COMPACTED", "EPOCH", "FILTER", "CATALOG", "SLOW_READER"])
def test_w3_a_reset_for_a_reason_that_was_not_so(stage, stream, reason):
    Stream(stage, request(), resumes=stream.end()).reset(reason)

    assert told(stage) == {("W3", "reset")}


@pytest.mark.parametrize(("seconds", "is_right"), [(2, False), (4, True)])
def test_w3_a_reset_as_the_log_was_trimmed_by_then(stage, stream, seconds, is_right):
    stage.history.scenario = "log-trimmed"
    stream.end()
    stage.ask(*asked.book(slot("cut", STARTS[8], "chair-1")))
    stage.wait(seconds)
    Stream(stage, request(), resumes=stream).reset("COMPACTED").end()
    stage.wait(5)
    history, witness = stage.end()

    found = judge(history, replace(witness, log_revisions=[]))
    assert {(each.promise, each.rule) for each in found} == (
        set() if is_right else {("W3", "reset")}
    )


def test_w3_a_reset_as_the_catalogue_changed(stage, stream):
    stage.ask(*asked.alter("class", capacity=2))
    Stream(stage, request(), resumes=stream.end()).reset("CATALOG")

    assert told(stage) == set()


def test_w3_a_resumed_stream_that_misses_what_happened_meanwhile(stage, stream):
    stream.end()
    stage.ask(*asked.book(slot("cut", STARTS[8], "chair-1")))
    Stream(stage, request(), resumes=stream).delta()
    del frames_of_last(stage)[-1].delta.closed[0]

    assert told(stage) == {("W1", "state")}


def test_w3_a_resumed_stream_that_goes_back(stage, stream):
    """M6, M15: a server that is behind shows what was before the token."""
    old = frames(stream)[2]
    Stream(stage, request(), resumes=stream.end()).delta()
    resumed = frames_of_last(stage)[-1]
    resumed.revision = old.revision
    resumed.as_of.CopyFrom(old.as_of)

    assert {("W1", "ordered"), ("W1", "as_of")} <= told(stage)


def test_w3_a_resumed_stream_is_judged_from_the_token_that_was_given(stage, stream):
    resumed = Stream(stage, request(), resumes=stream.end(), resumed_at=1)
    # What the reader had at its token is all that the snapshot told.
    resumed.shown = {}
    resumed.delta()
    frame = frames_of_last(stage)[-1]
    for each in frames(stream)[0].snapshot_chunk.slots:
        closed = frame.delta.closed.add()
        closed.appointment_type, closed.calendar = each.appointment_type, each.calendar
        closed.start_time.CopyFrom(each.start_time)
        closed.end_time.CopyFrom(each.end_time)

    assert told(stage) == set()


def test_w3_a_frame_without_a_token(stage, stream):
    frames(stream)[-1].resume_token = ""

    assert told(stage) == {("W3", "token")}


@pytest.mark.parametrize("ending", ["INTERNAL", "UNKNOWN", "OK", "INVALID_RESUME_TOKEN"])
def test_w3_a_stream_that_ends_as_none_should(stage, stream, ending):
    stream.end(ending)

    assert told(stage) == {("W3", "ending")}


@pytest.mark.parametrize("ending", ["UNAVAILABLE", "REVISION_AHEAD", "OVERLOADED"])
def test_w3_a_stream_that_says_to_try_again(stage, stream, ending):
    stream.end(ending)

    assert told(stage) == set()


def test_w3_a_stream_whose_way_is_cut_ends_as_grpc_likes(stage, stream):
    links = frozenset({Link("clients", "a")})
    fault = Fault(kind="cut", target="a", began=stage.now, ended=stage.now + 1, blocks=links)
    stage.history.faults.append(fault)
    stream.end("INTERNAL")

    assert told(stage) == set()


def test_w4_a_heartbeat_with_another_digest(stage, stream):
    stream.heartbeat().heartbeat.digest += 1

    assert told(stage) == {("W4", "digest")}


def test_w4_a_heartbeat_that_is_newer_than_what_was_sent(stage, stream):
    """M5: a heartbeat that overtakes the deltas says that all of a revision was sent."""
    stage.ask(*asked.book(slot("cut", STARTS[8], "chair-1")))
    stream.heartbeat()

    assert told(stage) == {("W4", "state")}


def test_w8_a_first_frame_that_is_older_than_was_asked_for(stage, stream):
    stream.watch.request.min_revision = stage.revision

    assert told(stage) == {("W8", "min_revision")}


def frames_of_last(stage):
    return [arrival.frame for arrival in stage.history.watches[-1].arrivals]


@given(st.lists(STEPS, min_size=10, max_size=40), st.randoms(use_true_random=False))
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_w1_any_frame_that_is_changed_is_found(steps, random):
    play = Play()
    for step in steps:
        play.do(step)
    deltas = [
        (watch, arrival.frame.delta)
        for watch in play.stage.history.watches
        for arrival in watch.arrivals
        if arrival.frame.delta.closed or arrival.frame.delta.opened
    ]
    if not deltas:
        return
    watch, delta = random.choice(deltas)
    if delta.opened and random.random() < 0.5:
        random.choice(delta.opened).seats_left += 1
    elif delta.opened:
        del delta.opened[random.randrange(len(delta.opened))]
    else:
        del delta.closed[random.randrange(len(delta.closed))]

    found = judge(*play.stage.end())

    assert {(each.promise, each.rule) for each in found} <= {
        ("W1", "state"),
        ("W4", "state"),
        ("W4", "digest"),
        ("W6", "late"),
        ("W9", "late"),
    }
    assert ("W1", "state", (watch.number,)) in {
        (each.promise, each.rule, each.watches) for each in found
    }
