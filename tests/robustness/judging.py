"""All judges of a run: the log as witness, a search that ignores it, and the formal model."""

from __future__ import annotations

from collections.abc import Mapping

from tests.robustness.checker.judge import examine
from tests.robustness.formal.replay import replay
from tests.robustness.history import History, Witness
from tests.robustness.linearizability.search import find_violations
from tests.robustness.violation import Violation


def judge_all(history: History, witness: Witness) -> tuple[list[Violation], Mapping[str, int]]:
    """Return what any of them has to say against a run, and how often each promise was compared."""
    findings = examine(history, witness)
    others = [*find_violations(history), *replay(history, witness)]
    return [*findings.violations, *others], findings.checks
