"""The models keep every promise in every state; with a flaw they break one, and a trace tells how.

`python -m tests.robustness.formal` prints how many states there are, and the traces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.robustness.checker import asked
from tests.robustness.formal import booking, watching
from tests.robustness.formal.exploring import Broken, Exploration, Step, explore
from tests.robustness.formal.replay import replay
from tests.robustness.history import ClockStep, History, Outcome, Witness
from tests.robustness.linearizability.broken_desks import (
    Clinging,
    Forgetful,
    Repeating,
    Unheld,
)
from tests.robustness.linearizability.rehearsal import Desk, Rehearsal

STEPS_OF_A_TRACE_MAX = 12
Reserves = booking.Flaw
Watches = watching.Flaw


def test_booking_keeps_every_promise_in_every_state():
    found = explore(booking.Booking())

    assert found.broken is None, str(found)
    assert found.states > 400_000


def test_watching_keeps_every_promise_in_every_state():
    found = explore(watching.Watching())

    assert found.broken is None, str(found)
    assert found.states > 200_000


@pytest.mark.parametrize(
    ("promise", "flaw"),
    [
        ("B1", Reserves.NO_SECOND_WALL),
        ("B1", Reserves.CONFIRMS_LATE_HOLDS),
        ("B2", Reserves.ANSWERS_FIRST),
        ("B3", Reserves.ROW_APART),
        ("B3", Reserves.FORGETS_ROWS),
        ("B3", Reserves.ANSWERS_ANEW),
        ("B4", Reserves.SEQUENCE),
        ("B5", Reserves.HOLDS_FOR_EVER),
        ("B5", Reserves.KEEPS_THE_CANCELLED),
        ("B7", Reserves.IGNORES_HOLDS),
        ("B7", Reserves.REFUSES_LATE_HOLDS),
    ],
)
def test_a_flaw_in_booking_breaks_its_promise(promise: str, flaw: booking.Flaw):
    _breaks(promise, explore(booking.Booking(flaw)))


def _anybodys(has: booking.Standing | None, client: int, deed: booking.Deed) -> bool:
    """A rule by which anybody may take anything."""
    return deed is not booking.Deed.FREE or (has is not None and has.client == client)


def _to_give(has: booking.Standing | None, client: int, deed: booking.Deed) -> bool:
    """A rule by which one may give back what one does not have."""
    return deed is booking.Deed.FREE or has in {None, (client, booking.Deed.HOLD)}


def _to_keep(has: booking.Standing | None, client: int, deed: booking.Deed) -> bool:
    """A rule by which nothing is given back."""
    return deed is not booking.Deed.FREE and has in {None, (client, booking.Deed.HOLD)}


def _nobodys(has: booking.Standing | None, client: int, deed: booking.Deed) -> bool:
    """A rule by which one's own hold is in one's way too."""
    return has is not None and has.client == client if deed is booking.Deed.FREE else has is None


def _last(log: booking.Log, slot: int, *deeds: booking.Deed) -> booking.Standing | None:
    """Make the last of some deeds to a slot what stands there."""
    done = [each for each in log if each.wish.slot == slot and each.wish.deed in deeds]
    return booking.Standing(done[-1].request.client, done[-1].wish.deed) if done else None


def _for_ever(log: booking.Log, slot: int, at: int) -> booking.Standing | None:
    """A rule by which nothing ends."""
    return _last(log, slot, booking.Deed.BOOK, booking.Deed.HOLD)


def _bookings_alone(log: booking.Log, slot: int, at: int) -> booking.Standing | None:
    """A rule by which a hold is nothing."""
    return _last(log, slot, booking.Deed.BOOK)


@pytest.mark.parametrize(
    ("promise", "name", "rule"),
    [
        ("B1", "allows", _anybodys),
        ("B1", "allows", _to_give),
        ("B5", "allows", _to_keep),
        ("B5", "standing", _for_ever),
        ("B7", "allows", _nobodys),
        ("B7", "standing", _bookings_alone),
    ],
)
def test_a_rule_of_a_slot_that_is_wrong_is_found_though_the_model_decides_by_it(
    promise: str, name: str, rule: Callable[..., object], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(booking, name, rule)

    _breaks(promise, explore(booking.Booking()))


@pytest.mark.parametrize(
    ("promise", "flaw"),
    [
        ("W2", Watches.HOLE_AFTER_SNAPSHOT),
        ("W3", Watches.RESUMES_TOO_LATE),
        ("W3", Watches.RESUMES_TOO_EARLY),
        ("W3", Watches.HONOURS_OLD_TOKENS),
        ("W3", Watches.RESUMES_AHEAD),
        ("W4", Watches.BEATS_FROM_THE_TRUTH),
        ("W6", Watches.TIME_WRITES_NOTHING),
        ("W9", Watches.APPLIES_OVER_A_GAP),
    ],
)
def test_a_flaw_in_watching_breaks_its_promise(promise: str, flaw: watching.Flaw):
    _breaks(promise, explore(watching.Watching(flaw)))


def _breaks(promise: str, found: Exploration) -> None:
    assert found.broken is not None, "The flaw was not found."
    assert found.broken.promise == promise, str(found)
    assert 0 < len(found.trace) <= STEPS_OF_A_TRACE_MAX


def test_a_trace_is_the_shortest_and_reads_as_a_story():
    found = explore(booking.Booking(Reserves.NO_SECOND_WALL))

    assert found.trace == (
        "client 0 asks to book slot 0 (request 0 of client 0)",
        "client 1 asks to book slot 0 (request 0 of client 1)",
        "a server decides to grant request 0 of client 0",
        "a server decides to grant request 0 of client 1",
        "request 0 of client 0 is committed as revision 1",
        "request 0 of client 1 is committed as revision 2",
    )


class _DeadEnd:
    """A model from one of whose states nothing goes on."""

    def first(self) -> int:
        return 0

    def steps(self, state: int) -> Iterator[Step[int]]:
        if state == 0:
            yield Step("the good way", 1)
            yield Step("the bad way", 2)

    def broken(self, state: int) -> Broken | None:
        return None

    def is_settled(self, state: int) -> bool:
        return state == 1


def test_a_state_from_which_there_is_no_way_out_is_found():
    found = explore(_DeadEnd())

    assert found.broken is not None
    assert found.broken.promise == "an end"
    assert found.trace == ("the bad way",)


# Runs, replayed as paths of the model.


@pytest.mark.parametrize("trouble", [0.0, 0.2])
def test_what_was_decided_one_after_another_is_a_path_of_the_model(trouble: float):
    for seed in range(4):
        rehearsal = Rehearsal(seed, trouble=trouble)
        history = rehearsal.run(800)

        assert replay(history, rehearsal.desk.witness()) == []


@pytest.mark.parametrize(
    ("promise", "desk"),
    [("B1", Forgetful), ("B3", Repeating), ("B5", Clinging), ("B7", Unheld)],
)
def test_what_was_decided_wrongly_is_none(promise: str, desk: Callable[[], Desk]):
    rehearsal = Rehearsal(2, desk=desk(), trouble=0.2)
    history = rehearsal.run(800)

    found = replay(history, rehearsal.desk.witness())

    assert promise in {violation.promise for violation in found}


def test_b7_who_books_by_a_hold_that_has_expired_uses_up_the_one_that_its_holder_made_since():
    stage = asked.opened()
    wish = asked.slot("cut", asked.STARTS[0], "chair-1")
    expired = stage.ask(*asked.hold(wish)).response.hold
    stage.wait(11)
    stage.ask(*asked.hold(wish))
    assert stage.ask(*asked.book(expired.name)).outcome is Outcome.OK

    assert replay(*stage.end()) == []


def test_b7_a_hold_given_back_when_it_had_expired_does_not_stand_again_when_the_clock_is_set_back():
    stage = asked.opened()
    wish = asked.slot("cut", asked.STARTS[0], "chair-1")
    expired = stage.ask(*asked.hold(wish)).response.hold
    stage.wait(11)
    stage.ask(*asked.release(expired.name))
    stage.history.clock_steps = [ClockStep(stage.now, timedelta(seconds=-11))]
    assert stage.ask(*asked.book(wish)).outcome is Outcome.OK

    assert replay(*stage.end()) == []


def test_b7_each_api_key_has_holders_of_its_own_whose_holds_give_way():
    stage = asked.opened()
    for start in asked.STARTS[:2]:
        hold = asked.hold(asked.slot("cut", start, "chair-1"))
        stage.ask(*hold)
    for start in asked.STARTS[4:6]:
        hold = asked.hold(asked.slot("colour", start, "chair-1"))
        assert stage.ask(*hold, principal="second-desk").outcome is Outcome.OK

    assert replay(*stage.end()) == []


@pytest.fixture
def run() -> tuple[History, Witness]:
    rehearsal = Rehearsal(3, trouble=0.0)
    history = rehearsal.run(200)
    return history, rehearsal.desk.witness()


def test_an_answer_that_is_not_in_the_log_is_none(run: tuple[History, Witness]):
    history, witness = run
    lost = witness.answered[5]

    found = replay(history, replace(witness, answered=witness.answered[:5]))

    assert {violation.promise for violation in found} >= {"B2"}
    numbers = [call.number for call in history.calls if call.request_id == lost.request_id]
    assert any(set(violation.calls) & set(numbers) for violation in found)


def test_an_answer_older_than_one_that_was_given_before_it_was_asked_for_is_none(
    run: tuple[History, Witness],
):
    history, witness = run
    answered = [call for call in history.calls if call.outcome is Outcome.OK and call.request_id]
    answered[0].began, answered[0].ended = 50.0, 51.0

    promises = {violation.promise for violation in replay(history, witness)}

    assert promises == {"B4"}
