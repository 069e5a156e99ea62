"""Retention: what the janitor may have removed by an instant, from the log and of holds."""

from __future__ import annotations

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.instants import SECOND, micros
from tests.robustness.scenarios import KEPT_SECONDS, SCENARIOS


def kept(evidence: Evidence) -> int:
    """Return for how long the log, and holds that are over, are kept in a run."""
    scenario = SCENARIOS.get(evidence.history.scenario)
    seconds = KEPT_SECONDS if scenario is None else scenario.kept_seconds
    return round(seconds * SECOND)


def may_be_trimmed(evidence: Evidence, revision: int, instant: float) -> bool:
    """Say whether a change, with all before it, was old enough, and is not there in the end."""
    witness = evidence.witness
    left = witness.log_revisions
    oldest = left[0] if left else witness.revision + 1
    if revision >= oldest:
        return False
    written = (micros(change.at) for change in witness.changes[:revision])
    newest = max(written, default=0)
    return newest < evidence.clocks(instant, instant)[1] - kept(evidence)
