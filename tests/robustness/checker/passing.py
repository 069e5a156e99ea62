"""Passing on: what was not taken in time goes on soon, and nobody waits for what is open (B9).

That is the notifier's to do. While it is dead or cut off nothing is wrong, only later.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, shown
from tests.robustness.checker.queueing import FAIR
from tests.robustness.checker.records import OFFERED, WAITING, Waiting
from tests.robustness.checker.streams import Weather
from tests.robustness.checker.timing import BUSY_MACHINE_SECONDS
from tests.robustness.checker.waiting import Troubles

PASSED_ON_SECONDS = 2.0
PASSING_ON = FAIR + " passing on"
OPEN_SECONDS = 5.0
"""In the end nobody waits for what has been open for so long."""


class Due(NamedTuple):
    """When an entry's time was over, and when that was seen to; None: never."""

    entry: Waiting
    at: int
    seen_to: int | None


def judge_passing_on(evidence: Evidence, findings: Findings, weather: Weather) -> None:
    """Judge when what was due was done, and what is left undone in the end."""
    # Where PostgreSQL's clock is set, only the end is judged.
    if not evidence.history.clock_steps:
        troubles = _Troubles(evidence, weather)
        for due in _dues(evidence):
            _judge_due(evidence, findings, due, troubles)
    _judge_left(evidence, findings)


def _dues(evidence: Evidence) -> Iterator[Due]:
    decided = evidence.timeline.decided
    for log in evidence.model.entry_log.values():
        for (_, entry), later in zip_longest(log, log[1:]):
            seen_to = None if later is None else decided[later[0]]
            if entry.status == OFFERED:
                yield Due(entry, entry.ends, seen_to)
            elif entry.status == WAITING:
                yield Due(entry, entry.last_end, seen_to)


class _Troubles:
    """When the notifier may have been kept from its work: by faults, or an overloaded machine."""

    def __init__(self, evidence: Evidence, weather: Weather) -> None:
        self._stretches = weather.standstills()
        self._servers = {call.server for call in evidence.history.calls}
        self._calls = Troubles(evidence.history)

    def excuse(self, start: float, end: float) -> bool:
        return any(began < end and ended > start for began, ended in self._stretches) or any(
            self._calls.is_storm(server, instant)
            for server in self._servers
            for instant in (start, end)
        )


def _judge_due(evidence: Evidence, findings: Findings, due: Due, troubles: _Troubles) -> None:
    within = PASSED_ON_SECONDS + BUSY_MACHINE_SECONDS
    start = (due.at - evidence.clock(0.0)) / SECOND
    end = start + within
    if end > evidence.history.ended or (due.seen_to is not None and due.seen_to < due.at):
        return
    if troubles.excuse(start, end):
        return
    findings.checks[PASSING_ON] += 1
    if due.seen_to is None or due.seen_to > due.at + within * SECOND:
        text = (
            f"an entry that was {due.entry.status} until {shown(due.at)} still was so {within} s on"
        )
        findings.add(FAIR, "late", text, at=end)


def _judge_left(evidence: Evidence, findings: Findings) -> None:
    """In the end nobody waits for what is open, and no offer is over and not passed on."""
    model, now = evidence.model, evidence.clock(evidence.history.ended)
    since = now - round(OPEN_SECONDS * SECOND)
    for entry in model.queue.values():
        findings.checks[PASSING_ON] += 1
        is_over = entry.status == OFFERED and entry.ends < since
        if is_over or (entry.status == WAITING and entry.last_end < since):
            text = f"an entry is {entry.status} in the end, whose time is over"
            findings.add(FAIR, "left", text)
        elif entry.status == WAITING and _may_have(evidence, entry, (since, now)):
            text = f"{entry.holder} waits in the end for {entry.type_id}, which is open"
            findings.add(FAIR, "left", text)


def _may_have(evidence: Evidence, entry: Waiting, instants: tuple[int, int]) -> bool:
    model = evidence.model
    return any(
        all(not model.reasons(spot, at, None) for at in instants) for spot in model.wanted(entry)
    )
