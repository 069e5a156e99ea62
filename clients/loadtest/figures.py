"""Percentiles, medians and ratios: plain sums over sorted lists."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values do not exceed."""
    assert ordered, "Of nothing there is no percentile."
    rank = ceil(percent / 100 * len(ordered))
    return ordered[max(0, min(len(ordered), rank) - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """How long things took, in milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def latency(nanoseconds: Iterable[int]) -> Latency | None:
    """Sum up durations; None: there are none."""
    ordered = sorted(nanoseconds)
    if not ordered:
        return None
    return Latency(
        count=len(ordered),
        p50_ms=percentile(ordered, 50) / 1e6,
        p95_ms=percentile(ordered, 95) / 1e6,
        p99_ms=percentile(ordered, 99) / 1e6,
        max_ms=ordered[-1] / 1e6,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A figure over the rounds: its median, and how far the rounds lie apart."""

    median: float
    min: float
    max: float

    @property
    def noise(self) -> float:
        """The distance of the extremes, as a part of the median."""
        return (self.max - self.min) / self.median if self.median else 0.0


def spread(values: Sequence[float]) -> Spread | None:
    """Sum up the rounds; None: there are none."""
    if not values:
        return None
    return Spread(median=statistics.median(values), min=min(values), max=max(values))


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Divide round by round: what disturbs the machine disturbs both sides of a round alike."""
    return [a / b for a, b in zip(above, below, strict=False) if b]
