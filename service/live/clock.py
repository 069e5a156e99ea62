"""PostgreSQL's clock, known between two readings of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

READINGS_KEPT_MAX = 16
STEP_BACK_MIN = timedelta(seconds=1)
"""A smaller step back is waited out."""
UNPROVED_MAX = timedelta(seconds=2)
"""W5: so far an answer may be ahead of the last reading that proved what it says."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Reading(NamedTuple):
    """Bounds of the difference to the local clock: it was taken between ask and arrival."""

    low: timedelta
    high: timedelta
    arrived_at: float

    def contradicts(self, other: _Reading) -> bool:
        return self.low > other.high or other.low > self.high


class DatabaseClock:
    """Tells the database's time without asking it, and never ahead of it by more than drift.

    A reading was taken after it was asked for, and before its answer arrived. The best lower bound
    counts. Where two readings contradict each other the database's clock was stepped between them,
    or has drifted, and the earlier one counts no more. An answer that is late contradicts nothing.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock that measures what has passed since a reading."""
        self._monotonic = monotonic
        self._readings: list[_Reading] = []
        self._last = _EPOCH
        self._when_set_back: list[Callable[[], None]] = []

    def when_set_back(self, told: Callable[[], None]) -> None:
        """Have somebody told when the database's clock was set back, and `now` with it."""
        self._when_set_back.append(told)

    def asking(self) -> float:
        """Begin a reading: return what `observe` is to be given with the answer."""
        return self._monotonic()

    def observe(self, as_of: datetime, asked_at: float) -> bool:
        """Take a reading that has just arrived; False: a later one has overtaken it over a step."""
        arrived_at = self._monotonic()
        since_epoch = as_of - _EPOCH
        reading = _Reading(
            low=since_epoch - timedelta(seconds=arrived_at),
            high=since_epoch - timedelta(seconds=asked_at),
            arrived_at=arrived_at,
        )
        outdated = [each for each in self._readings if each.contradicts(reading)]
        if any(asked_at < each.arrived_at for each in outdated):
            return False
        kept = [each for each in self._readings if each not in outdated]
        # The loosest are forgotten, not the oldest: while all answers are late none is better.
        in_order = sorted([*kept, reading], key=lambda each: each.low, reverse=True)
        self._readings = in_order[:READINGS_KEPT_MAX]
        latest = _EPOCH + reading.high + timedelta(seconds=arrived_at)
        is_set_back = self._last - latest >= STEP_BACK_MIN
        self._last = self._reckoned() if is_set_back else self.now()
        if is_set_back:
            for told in self._when_set_back:
                told()
        return True

    @property
    def is_known(self) -> bool:
        """Say whether a reading has come at all."""
        return bool(self._readings)

    def now(self) -> datetime:
        """Return the database's time. It goes back only if that clock was set back."""
        self._last = max(self._last, self._reckoned())
        return self._last

    def now_proved(self, proved_as_of: datetime) -> datetime:
        """Return up to when something may be said of what was last proved at an instant."""
        return min(self.now(), proved_as_of + UNPROVED_MAX)

    def seconds_until(self, instant: datetime) -> float:
        """Return how long until the database's clock shows an instant; negative if it has."""
        return (instant - self.now()).total_seconds()

    def _reckoned(self) -> datetime:
        low = max(reading.low for reading in self._readings)
        return _EPOCH + low + timedelta(seconds=self._monotonic())
