"""A round of one scenario against one side, and its figures."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from loadtest.figures import Latency, latency
from loadtest.options import Scenario
from loadtest.recording import Breaches, Recording


class Side(StrEnum):
    """What is measured: the server, or what it is compared with."""

    ECHO = "echo"
    SERVICE = "service"
    PGBENCH = "pgbench"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The part of a round that figures are taken from."""

    start_ns: int
    end_ns: int

    def holds(self, at_ns: int) -> bool:
        """Tell whether an instant lies within it."""
        return self.start_ns <= at_ns < self.end_ns


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What was measured, and what was found."""

    scenario: Scenario | None
    side: Side
    number: int
    per_second: float
    latency: Latency | None = None
    # Of a watch, from the writer's answer and from its call to the frame: the commit lies between.
    after_answer: Latency | None = None
    after_send: Latency | None = None
    winners: int | None = None
    # Under load a server may refuse in time rather than with advice; never always.
    bare_refusals: int = 0
    # Due while too many were in flight: with these, the latencies are too good.
    not_sent: int = 0
    client_cores: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    breaches: Breaches = field(default_factory=Breaches)


def span_of(start_ns: int, settle_seconds: float, seconds: float, last_ns: int) -> Span:
    """Return the part of a round after it has settled and before it was let run out."""
    settled_ns = start_ns + round(settle_seconds * 1e9)
    end_ns = start_ns + round(seconds * 1e9)
    # A round that ran out of slots ended with its last answer.
    return Span(start_ns=settled_ns, end_ns=max(settled_ns + 1, min(end_ns, last_ns + 1)))


def per_second(answered_ns: array[int], span: Span) -> float:
    """Return how many answers came per second."""
    count = sum(span.holds(at_ns) for at_ns in answered_ns)
    return count / ((span.end_ns - span.start_ns) / 1e9)


def latency_of(recording: Recording, span: Span) -> Latency | None:
    """Return how long the answers took, from when they were due."""
    answers = chain(
        zip(recording.due_ns, recording.answered_ns, strict=True),
        zip(recording.refused_due_ns, recording.refused_ns, strict=True),
    )
    return latency(
        answered_ns - due_ns for due_ns, answered_ns in answers if span.holds(answered_ns)
    )


def last_answer(recording: Recording) -> int:
    """Return when the last answer came; 0: none did."""
    return max(chain(recording.answered_ns, recording.refused_ns), default=0)
