"""What the Python client may offer while PostgreSQL's clock is set, and after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, TYPES_SEEN, slot, told
from tests.robustness.history import ClockStep

CUT = slot("cut", STARTS[0], "chair-1")
HOLD_SECONDS = 10.0
LONGEST_SECONDS = 21.0
"""A view that is not stale tells of nothing that is older, nor by a clock that was set before."""


@pytest.fixture
def stage():
    return asked.opened()


def set_clock(stage, seconds):
    stage.history.clock_steps.append(ClockStep(stage.now, timedelta(seconds=seconds)))


def open_now(stage):
    return stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN))


def look(stage, slots):
    """Let an onlooker see these, a moment later."""
    stage.wait(0.1)
    asked.look(stage, slots)


def a_hold_that_counts_again(stage, *, back=40.0):
    """Hold a cut, let it expire, set the clock back; return what is open with it and without."""
    stage.ask(*asked.hold(CUT))
    held = open_now(stage)
    look(stage, held)
    stage.wait(HOLD_SECONDS + 1)
    free = open_now(stage)
    look(stage, free)
    set_clock(stage, -back)
    assert open_now(stage) == held
    return held, free


def test_w5_a_hold_that_counts_again_may_be_shown_so_at_once_or_later(stage):
    held, free = a_hold_that_counts_again(stage)
    for shown in (free, free, held, held):
        look(stage, shown)
    stage.wait(LONGEST_SECONDS)
    look(stage, held)

    assert told(stage) == set()


def test_w5_a_hold_that_counts_again_is_not_shown_to_be_over_for_long(stage):
    _, free = a_hold_that_counts_again(stage)
    look(stage, free)
    stage.wait(LONGEST_SECONDS)
    look(stage, free)

    assert told(stage) == {("W5", "slots")}


def test_w5_a_hold_that_has_expired_by_no_clock_is_not_shown_to_be_over(stage):
    stage.ask(*asked.book(slot("cut", STARTS[1], "chair-1")))
    free = open_now(stage)
    stage.ask(*asked.hold(CUT))
    set_clock(stage, -15)
    look(stage, free)

    assert told(stage) == {("W5", "slots")}


def test_w5_what_is_booked_is_offered_by_no_clock(stage):
    free = open_now(stage)
    stage.ask(*asked.book(CUT))
    set_clock(stage, 15)
    stage.wait(1)
    set_clock(stage, -15)
    look(stage, free)

    assert told(stage) == {("W5", "slots")}


def test_w5_a_mixture_of_two_instants_is_shown_by_no_clock(stage):
    stage.ask(*asked.hold(CUT))
    first_alone = open_now(stage)
    stage.wait(HOLD_SECONDS - 1)
    stage.ask(*asked.hold(slot("cut", STARTS[4], "chair-1"), holder="another"))
    stage.wait(2)
    second_alone = open_now(stage)
    set_clock(stage, -15)
    look(stage, second_alone)
    look(stage, open_now(stage))

    assert told(stage) == set()

    look(stage, first_alone)

    assert told(stage) == {("W5", "slots")}


def test_w5_what_is_shown_by_the_clock_before_it_was_set_forward(stage):
    stage.ask(*asked.hold(CUT))
    held = open_now(stage)
    look(stage, held)
    set_clock(stage, 30)
    look(stage, held)
    look(stage, open_now(stage))

    assert told(stage) == set()

    look(stage, held)

    assert told(stage) == {("W5", "slots")}


def test_a_client_that_is_stale_eleven_seconds_after_the_last_fault_is_told_of(stage):
    stage.history.faults_ended = stage.now
    stage.wait(10)
    look(stage, open_now(stage))
    stage.history.sights[-1] = replace(stage.history.sights[-1], is_stale=True, slots=frozenset())
    assert told(stage) == set()
    stage.wait(1)
    stage.history.sights.append(replace(stage.history.sights[-1], at=stage.now))

    assert told(stage) == {("liveness", "stale")}
