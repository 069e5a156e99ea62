"""All judges of a run: the log as witness, a search that ignores it, and the formal model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.robustness.checker.judge import examine
from tests.robustness.formal.replay import retrace
from tests.robustness.history import History, Witness
from tests.robustness.linearizability.search import second_opinion
from tests.robustness.violation import Violation


def judge_all(history: History, witness: Witness) -> tuple[list[Violation], Mapping[str, int]]:
    """Return what any of them has to say against a run, and how often each promise was compared."""
    findings = examine(history, witness)
    opinions = second_opinion(history), retrace(history, witness)
    violations, checks = list(findings.violations), Counter(findings.checks)
    for opinion in opinions:
        violations += opinion.violations
        checks.update(opinion.checks)
    return violations, checks
