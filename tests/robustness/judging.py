"""All judges of a run: the log as witness, a search that ignores it, and the formal model."""

from __future__ import annotations

from tests.robustness.checker.judge import judge
from tests.robustness.formal.replay import replay
from tests.robustness.history import History, Witness
from tests.robustness.linearizability.search import find_violations
from tests.robustness.violation import Violation


def judge_all(history: History, witness: Witness) -> list[Violation]:
    """Return what any of them has to say against a run."""
    return [*judge(history, witness), *find_violations(history), *replay(history, witness)]
