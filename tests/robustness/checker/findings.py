"""Findings: what was compared, and what was found to be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tests.robustness.violation import Violation

ALIKE_MAX = 5
"""So many violations of one rule are told for each stream, and for all calls together."""


class Flaw(NamedTuple):
    """What is wrong with one change of the log."""

    promise: str
    rule: str
    text: str


class Findings:
    """Counts each comparison by promise, and collects the violations."""

    def __init__(self) -> None:
        """Begin with none."""
        self.checks: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.untold: Counter[str] = Counter()
        self._alike: Counter[tuple[str, str, Sequence[int]]] = Counter()

    def add(
        self,
        promise: str,
        rule: str,
        text: str,
        *,
        at: float | None = None,
        revision: int | None = None,
        calls: tuple[int, ...] = (),
        watches: tuple[int, ...] = (),
    ) -> None:
        """Add a violation, unless there are enough that are alike."""
        alike = (promise, rule, watches[:1])
        self._alike[alike] += 1
        if self._alike[alike] > ALIKE_MAX:
            self.untold[f"{promise} {rule}"] += 1
            return
        self.violations.append(
            Violation(
                promise=promise,
                rule=rule,
                text=text,
                at=at,
                revision=revision,
                calls=calls,
                watches=watches,
            )
        )
