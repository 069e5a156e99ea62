"""Strangers: a key of another business is told of nothing here but that it is not found."""

from __future__ import annotations

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.refusals import WAITING_REASONS
from tests.robustness.history import INTERNAL_FAULT, Outcome

FOR_STRANGERS = frozenset({"RESOURCE_NOT_FOUND", "SCOPE_MISSING"})


def judge_strangers(evidence: Evidence, findings: Findings) -> None:
    """B6: whatever they ask, nothing is told; that nothing is done the log shows."""
    for call in evidence.history.strangers:
        findings.checks["B6"] += 1
        is_refused = call.outcome is Outcome.REFUSED
        is_told = is_refused and call.reason not in FOR_STRANGERS | WAITING_REASONS
        if call.outcome is Outcome.OK or is_told or call.reason == INTERNAL_FAULT:
            told = call.reason or "OK"
            text = f"{call.method} at {call.server} told a key of another business {told}"
            findings.add("B6", "told to a stranger", text, at=call.ended)
