"""Refusals for want of time: only near what was broken, or where the machine stood still (B6).

A lane answers TRY_AGAIN when all its attempts have failed, a read OVERLOADED when PostgreSQL cannot
be read or the replica does not follow, both OVERLOADED when the server is about to stop. These
callers are too few to fill a queue, or to meet a limit of rate.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.robustness.checker.evidence import UNREACHED, Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.refusals import WAITING_REASONS
from tests.robustness.history import Call, Fault, History, Link

NOTED_SECONDS = 1.5
"""So long after it has begun a fault may be noted: the death of a server is, when it is seen."""
READING_SECONDS = 7.0
"""A read of PostgreSQL that hung is given up after 5 s, and who waits for a revision after 1 s."""
DECIDING_SECONDS = 14.0
"""An attempt to decide that hung is given up after 10 s, the wait for another's lock after 2 s."""
STORM_SECONDS = 5.0
STORM_CALLS_MIN = 8
STORM_SHARE_MIN = 0.3
"""Where so many of the calls of 5 s ran out of time, it is the machine that is overloaded."""
FOUND_AGAIN_SECONDS = 2.0
"""So long after its way was broken a client may find no server; it tries every quarter of one."""
OUT_OF_TIME = "DEADLINE_EXCEEDED"


class Troubles:
    """When something was broken that may keep a server from answering."""

    def __init__(self, history: History) -> None:
        """Take the faults, and how the calls fared."""
        self._history = history
        self._ended: dict[str, list[tuple[float, bool]]] = {}
        for call in history.calls:
            if call.ended is not None:
                ended = self._ended.setdefault(call.server, [])
                ended.append((call.ended, call.reason == OUT_OF_TIME))

    def excuse(self, call: Call) -> bool:
        """Say whether a call may have been given up on."""
        assert call.ended is not None
        if call.reason == "RATE_LIMITED":
            return False
        after = DECIDING_SECONDS if call.request_id else READING_SECONDS
        return any(
            began - NOTED_SECONDS <= call.ended and call.began <= ended + after
            for began, ended in self._stretches(call)
        ) or self.is_storm(call.server, call.ended)

    def _stretches(self, call: Call) -> Iterator[tuple[float, float]]:
        over = self._history.ended
        for fault in self._history.faults:
            if _concerns(fault, call):
                yield fault.began, over if fault.ended is None else fault.ended
        # Who has just read the clock anew cannot say at once how things are at an instant.
        if call.reason != "TRY_AGAIN":
            for step in self._history.clock_steps:
                yield step.at, step.at

    def is_storm(self, server: str, instant: float) -> bool:
        """Say whether the machine was overloaded around an instant, as a server's calls show."""
        ended = [
            is_out_of_time
            for at, is_out_of_time in self._ended.get(server, ())
            if instant - STORM_SECONDS <= at <= instant + 1.0
        ]
        return len(ended) >= STORM_CALLS_MIN and sum(ended) >= STORM_SHARE_MIN * len(ended)


def _concerns(fault: Fault, call: Call) -> bool:
    """Say whether a fault is in a call's way; a decision also waits for what other servers lock."""
    return fault.target == call.server or any(
        "postgres" in way and (bool(call.request_id) or way.source in (call.server, "postgres"))
        for way in fault.blocks
    )


def judge_waiting(evidence: Evidence, findings: Findings) -> None:
    """B6: to be told to wait or to try again has a cause."""
    history, troubles = evidence.history, Troubles(evidence.history)
    asked = [(call, (call.number,)) for call in history.calls]
    for call, calls in (*asked, *((call, ()) for call in history.strangers)):
        if call.reason not in WAITING_REASONS or call.ended is None:
            continue
        findings.checks["B6"] += 1
        if not troubles.excuse(call):
            text = f"{call.method} at {call.server} was told {call.reason}, and nothing was broken"
            findings.add("B6", "waiting without cause", text, at=call.ended, calls=calls)


def judge_unreached(evidence: Evidence, findings: Findings) -> None:
    """B6: where a server cannot be reached, the way to it was broken, or it had ended."""
    history = evidence.history
    asked = [(call, (call.number,)) for call in history.calls]
    for call, calls in (*asked, *((call, ()) for call in history.strangers)):
        if call.reason != UNREACHED or call.ended is None:
            continue
        findings.checks["B6"] += 1
        if not any(
            Link("clients", call.server) in fault.blocks
            and fault.began - NOTED_SECONDS <= call.ended
            and call.began <= (fault.ended or history.ended) + FOUND_AGAIN_SECONDS
            for fault in history.faults
        ):
            text = f"{call.method} at {call.server}: {call.words}; and nothing was broken"
            findings.add("B6", "unreached without cause", text, at=call.ended, calls=calls)
