"""All judges of a run: the log as witness, and a search that ignores the log."""

from __future__ import annotations

from tests.robustness.checker.judge import judge
from tests.robustness.history import History, Witness
from tests.robustness.linearizability.search import find_violations
from tests.robustness.violation import Violation


def judge_all(history: History, witness: Witness) -> list[Violation]:
    """Return what any of them has to say against a run."""
    return [*judge(history, witness), *find_violations(history)]
