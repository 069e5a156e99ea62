"""The judge: what in a history breaks a promise of protos/README.md, as PostgreSQL witnesses."""

from __future__ import annotations

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.order import judge_w1, judge_w2, judge_w3, judge_w8
from tests.robustness.checker.passing import judge_passing_on
from tests.robustness.checker.reads import judge_reads
from tests.robustness.checker.sights import judge_sights
from tests.robustness.checker.streams import Weather, streams_of
from tests.robustness.checker.timing import (
    judge_answering,
    judge_bookings_go_on,
    judge_lateness,
    judge_liveness,
    judge_w4,
    judge_w5,
    judge_w7,
)
from tests.robustness.checker.witness import (
    judge_answers,
    judge_end,
    judge_log,
    judge_order,
    judge_reasons,
)
from tests.robustness.history import History, Witness
from tests.robustness.violation import Violation


def judge(history: History, witness: Witness) -> list[Violation]:
    """Return every violation that was found, those of the log first."""
    return examine(history, witness).violations


def examine(history: History, witness: Witness) -> Findings:
    """Compare all that was seen with the model."""
    evidence, findings = Evidence(history, witness), Findings()
    judge_log(evidence, findings)
    judge_answers(evidence, findings)
    judge_order(evidence, findings)
    judge_reasons(evidence, findings)
    judge_end(evidence, findings)
    judge_reads(evidence, findings)
    weather, streams = Weather(history), streams_of(evidence)
    for stream in streams:
        judge_w1(evidence, findings, stream)
        judge_w2(evidence, findings, stream)
        judge_w3(evidence, findings, stream)
        judge_w4(evidence, findings, stream, weather)
        judge_w5(evidence, findings, stream, weather)
        judge_lateness(evidence, findings, stream, weather)
        judge_w7(evidence, findings, stream, weather)
        judge_w8(evidence, findings, stream)
        judge_liveness(evidence, findings, stream)
    judge_bookings_go_on(evidence, findings, weather)
    judge_passing_on(evidence, findings, weather)
    judge_answering(evidence, findings)
    judge_sights(evidence, findings)
    return findings
