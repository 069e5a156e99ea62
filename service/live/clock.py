"""PostgreSQL's clock, known between two readings of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

READINGS_KEPT_MAX = 16
STEP_BACK_MIN = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DatabaseClock:
    """Tells the database's time without asking it, and never ahead of it by more than drift.

    When an answer arrives, the database's time is that of the answer or later: each reading bounds
    the difference to the local clock from below, and the best of the last few counts.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock that measures what has passed since a reading."""
        self._monotonic = monotonic
        self._differences: deque[timedelta] = deque(maxlen=READINGS_KEPT_MAX)
        self._last = _EPOCH

    def observe(self, as_of: datetime) -> None:
        """Take a reading that has just arrived."""
        self._differences.append(as_of - _EPOCH - timedelta(seconds=self._monotonic()))

    def now(self) -> datetime:
        """Return the database's time. It goes back only if that clock was set back."""
        now = _EPOCH + max(self._differences) + timedelta(seconds=self._monotonic())
        if now < self._last and self._last - now < STEP_BACK_MIN:
            return self._last
        self._last = now
        return now

    def seconds_until(self, instant: datetime) -> float:
        """Return how long until the database's clock shows an instant; negative if it has."""
        return (instant - self.now()).total_seconds()
