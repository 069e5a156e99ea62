"""Violations: what a run has shown to be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LIVENESS = "liveness"
UNPROVED = "unproved"
"""Instead of a promise: that of which a run has shown too little."""
UNDECIDED = "not decided"
CAUSES_FIRST = (
    *("B1", "B2", "B3", "B4", "B8", "C3", "B7", "B9", "C1", "B5", "B6", "C4"),
    *("W1", "W2", "W3", "W8"),
    *("W6", "W5", "W9", "W4", "W7"),
    *(LIVENESS, UNPROVED),
)
"""What is booked before what is shown before when: a wrong log makes streams wrong, and late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A promise that was not kept.

    `promise` is its name in protos/README.md, `rule` what was checked of it, `text` a sentence that
    says what was seen. `at` is an instant of the history; `calls` and `watches` are the numbers of
    those that show it.
    """

    promise: str
    rule: str
    text: str
    at: float | None = None
    revision: int | None = None
    calls: tuple[int, ...] = ()
    watches: tuple[int, ...] = ()


def worst_first(violations: Iterable[Violation]) -> list[Violation]:
    """Return violations with causes before what follows of them, and those of one kind by time."""
    return sorted(violations, key=_place)


def _place(violation: Violation) -> tuple[bool, int, float]:
    promise = violation.promise.split()[0]
    place = CAUSES_FIRST.index(promise) if promise in CAUSES_FIRST else len(CAUSES_FIRST)
    at = float("inf") if violation.at is None else violation.at
    return violation.rule == UNDECIDED, place, at
