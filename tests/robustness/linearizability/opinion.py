"""Opinions: what one of those who judge a run has to say, and how much of it was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.robustness.violation import Violation


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What was found to be wrong, and how many comparisons of each kind found it, or did not."""

    violations: Sequence[Violation]
    checks: Mapping[str, int]
