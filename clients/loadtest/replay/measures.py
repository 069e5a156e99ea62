"""What is measured while a trace is played."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

Answer = TypeVar("Answer")

CALLS = ("list", "hold", "book", "cancel")


class ShownAt(NamedTuple):
    """A change that watchers of a unit must come to show, and when it was answered."""

    unit: str
    revision: int
    answered_at_ns: int


@dataclass(kw_only=True, slots=True)
class Measures:
    """How long each kind of call took, refusals included; and what was counted."""

    nanoseconds: dict[str, list[int]] = field(default_factory=lambda: {call: [] for call in CALLS})
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    shown: list[ShownAt] = field(default_factory=list)
    revision: int = 0
    lag_seconds_max: float = 0.0

    async def timed(self, call: str, answer: Awaitable[Answer]) -> Answer:
        """Await an answer, and note how long it took, whether it came or was refused."""
        began_ns = time.monotonic_ns()
        try:
            return await answer
        finally:
            self.nanoseconds[call].append(time.monotonic_ns() - began_ns)

    def changed(self, unit: str, revision: int, *, visibly: bool) -> None:
        """Note a change that was answered; `visibly`: it alters which seats are open."""
        self.revision = max(self.revision, revision)
        if visibly:
            self.shown.append(ShownAt(unit, revision, time.monotonic_ns()))
