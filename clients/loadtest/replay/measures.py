"""What is measured while a trace is played."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

Answer = TypeVar("Answer")

CALLS = ("list", "hold", "book", "cancel")


class Spread(NamedTuple):
    """How a quantity was spread, in the unit of its samples."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


def spread(samples: Sequence[float]) -> Spread | None:
    """Return the percentiles by nearest rank, each a sample itself; None: there is no sample."""
    if not samples:
        return None
    ranked = sorted(samples)
    p50, p95, p99 = (ranked[math.ceil(share * len(ranked)) - 1] for share in (0.5, 0.95, 0.99))
    return Spread(count=len(ranked), p50=p50, p95=p95, p99=p99, max=ranked[-1])


class ShownAt(NamedTuple):
    """A change that watchers of a unit must come to show: its revision, and when it was answered."""

    unit: str
    revision: int
    answered_at: float


@dataclass(kw_only=True, slots=True)
class Measures:
    """How long each kind of call took, in seconds, refusals included; and what was counted."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in CALLS})
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    shown: list[ShownAt] = field(default_factory=list)
    revision: int = 0
    lag_seconds_max: float = 0.0

    async def timed(self, call: str, answer: Awaitable[Answer]) -> Answer:
        """Await an answer, and note how long it took, whether it came or was refused."""
        began = time.monotonic()
        try:
            return await answer
        finally:
            self.seconds[call].append(time.monotonic() - began)

    def changed(self, unit: str, revision: int, *, visibly: bool) -> None:
        """Note a change that was answered; `visibly`: it alters which seats are open."""
        self.revision = max(self.revision, revision)
        if visibly:
            self.shown.append(ShownAt(unit, revision, time.monotonic()))
