"""A run that has shown nothing fails, and so do faults that never came to pass."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from service.ops.failpoints import Failpoint
from tests.robustness.__main__ import FAILPOINTS, lacks_of_round, main
from tests.robustness.catalogue import BUSINESS
from tests.robustness.cluster.cluster import NODES
from tests.robustness.faults import DIED, Breaker, Stillness
from tests.robustness.formal import replay
from tests.robustness.formal.replay import ANSWERS, COMMITS
from tests.robustness.history import Link, Outcome
from tests.robustness.judging import judge_all
from tests.robustness.linearizability import search
from tests.robustness.linearizability.rehearsal import Rehearsal
from tests.robustness.linearizability.search import (
    BOOKINGS,
    EXPIRIES,
    EXPLANATIONS,
    LISTS,
    WRITES,
)
from tests.robustness.linearizability.sights import Sights
from tests.robustness.running import unproved
from tests.robustness.scenarios import ROUND_FLOOR, SCENARIOS
from tests.robustness.traffic.recorder import Recorder
from tests.robustness.violation import UNPROVED

OF_THE_NOTIFIER = {"AFTER_PLAN", "AFTER_LEASE", "BEFORE_RECORD"}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_run_that_has_compared_nothing_has_proved_nothing(scenario):
    assert unproved(scenario, scenario.floor) == []
    assert all(least > 0 for least in scenario.floor.values())
    for promise, least in scenario.floor.items():
        (found,) = unproved(scenario, {**scenario.floor, promise: least - 1})
        assert (found.promise, found.rule) == (UNPROVED, promise)
        assert f"proved nothing of {promise}" in found.text


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    found = Rehearsal(3)
    found.run(600)
    return found


def lacking(rehearsal: Rehearsal) -> set[str]:
    """Return what the second opinion and the model have compared too seldom in a run, if any."""
    _, checks = judge_all(rehearsal.history, rehearsal.desk.witness())
    of_others = {each for each in SCENARIOS["calm"].floor if each.startswith(("order", "path"))}
    found = {each.rule for each in unproved(SCENARIOS["calm"], checks)}
    return (found & of_others) | {each for each in ROUND_ORDERS if not checks.get(each)}


ROUND_ORDERS = {each for each in ROUND_FLOOR if each.startswith("order")}
ORDERS = {WRITES, EXPIRIES, LISTS, search.REFUSALS, BOOKINGS, EXPLANATIONS}
PATHS = {COMMITS, ANSWERS, replay.REFUSALS}


def test_what_every_judge_compares_is_counted(rehearsal):
    assert lacking(rehearsal) == set()


def test_a_run_fails_of_which_the_second_opinion_looks_at_nothing(rehearsal, monkeypatch):
    monkeypatch.setattr(search, "project", lambda history: {})

    assert lacking(rehearsal) == ORDERS


def test_a_run_fails_of_which_the_second_opinion_sees_nothing(rehearsal, monkeypatch):
    monkeypatch.setattr(Sights, "of", lambda self, call: {})

    assert lacking(rehearsal) == ORDERS - {WRITES, EXPIRIES}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_run_fails_of_which_the_model_steps_through_nothing(rehearsal, monkeypatch, path):
    name = path.rpartition(" ")[2]
    monkeypatch.setattr(replay._Run, name, lambda self: iter(()))

    assert lacking(rehearsal) == {path}


def test_a_run_fails_of_which_no_refusal_names_its_revision(rehearsal, monkeypatch):
    for call in rehearsal.history.calls:
        if call.outcome is Outcome.REFUSED:
            monkeypatch.setattr(call, "revision", 0)

    assert lacking(rehearsal) == {replay.REFUSALS}


def test_every_failpoint_has_its_turn_before_any_has_another():
    scenario = SCENARIOS["everything"]
    unused: Any = None
    breaker = Breaker(unused, unused, Random(1), scenario)
    drawn = Counter(breaker.next_failpoint() for _ in range(2 * len(scenario.failpoints)))

    assert drawn == {each.name: 2 for each in scenario.failpoints}
    assert {each.name for each in Failpoint} - set(drawn) == OF_THE_NOTIFIER


def test_a_server_that_ends_by_itself_breaks_off_the_run():
    unused: Any = None
    breaker = Breaker(unused, unused, Random(1), SCENARIOS["servers-stopped"])

    with pytest.raises(RuntimeError, match="Server a ended by itself, with 1"):
        breaker.why_ended("a", 1)


def test_a_machine_that_stood_still_is_noted_as_a_fault_of_all_its_servers():
    recorder = Recorder(seed=1, scenario="calm", business_id=BUSINESS)
    stillness = Stillness(recorder)
    stillness.note(1.0, 1.3)
    stillness.note(2.0, 3.0)

    (fault,) = recorder.history.faults
    assert (fault.began, fault.ended) == (2.0, 3.0)
    assert {Link(node, "postgres") for node in NODES} < fault.blocks


ALL = Counter(
    {f"fault: {DIED} at {name}": 1 for name in FAILPOINTS}
    | {f"checks of {name}": least for name, least in ROUND_FLOOR.items()}
)


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("fault: server died at IN_TRIMMING", "No server died at IN_TRIMMING."),
        ("checks of W7", "This round proved nothing of W7: 2 comparisons of 3."),
    ],
)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 1), (["--seconds", "12"], 0), (["calm"], 0)],
    ids=["a round", "a short one", "one scenario"],
)
def test_a_round_fails_in_which_a_fault_never_came_to_pass(
    monkeypatch, capsys, missing, text, arguments, code
):
    totals = ALL - Counter([missing])
    monkeypatch.setattr("tests.robustness.__main__.SCENARIOS", {"calm": SCENARIOS["calm"]})
    monkeypatch.setattr("tests.robustness.__main__.figures", lambda run: totals)
    monkeypatch.setattr("tests.robustness.__main__._run", lambda *_: _Run())

    assert lacks_of_round(ALL) == []
    assert lacks_of_round(totals) == [text]
    assert main(arguments) == code
    assert (text in capsys.readouterr().out) is (arguments != ["calm"])


class _Run:
    """One that went well."""

    violations = ()
