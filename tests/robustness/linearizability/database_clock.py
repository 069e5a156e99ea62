"""The database's clock, as the calls saw it: it may have been set forward and back meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf

from tests.robustness.history import History

EXPIRY_SLACK_SECONDS = 1.0
"""So far from its time, on either side, a hold may be seen to expire.

A decision has the instant at which its transaction began, and a server knows the database's clock
by the last answers that it had; both may be late by what a slow way or a lock costs.
"""
CLOCK_SET_SLACK_SECONDS = 1.0
"""And so much further where the clock is set: that is noted once it was answered."""


class DatabaseClock:
    """Says when it showed a time."""

    def __init__(self, history: History) -> None:
        """Take when it was set."""
        self._history = history

    @property
    def slack_seconds(self) -> float:
        """So far from its time, on either side, a hold may be seen to expire."""
        is_set = bool(self._history.clock_steps)
        return EXPIRY_SLACK_SECONDS + (CLOCK_SET_SLACK_SECONDS if is_set else 0.0)

    def shown(self, began: float, ended: float) -> tuple[datetime, datetime]:
        """Return the least and the most that it showed at the two ends of a stretch."""
        ends = [self._history.database_time(at) for at in (began, ended)]
        return min(ends), max(ends)

    def is_set_back(self, since: float) -> bool:
        """Say whether it was set back at an instant or after it."""
        before = timedelta()
        for step in self._history.clock_steps:
            if step.offset < before and step.at + CLOCK_SET_SLACK_SECONDS >= since:
                return True
            before = step.offset
        return False

    def expiry(self, expires_at: datetime) -> tuple[float, float]:
        """Return when the database's clock first showed a time, and from when on for ever."""
        history = self._history
        starts = [-inf, *(step.at for step in history.clock_steps)]
        offsets = [timedelta(), *(step.offset for step in history.clock_steps)]
        ends = [*starts[1:], inf]
        first, last = inf, -inf
        for start, end, offset in zip(starts, ends, offsets, strict=True):
            crossing = (expires_at - history.started_at - offset).total_seconds()
            begin = max(start, crossing)
            if begin < end:
                first = min(first, begin)
            if crossing > start:
                last = min(crossing, end)
        return first, max(first, last)

    def earliest_time(self, since: float) -> datetime:
        """Return the least that the database's clock showed at an instant or after it."""
        history = self._history
        later = (step.at for step in history.clock_steps if step.at > since)
        return min(history.database_time(at) for at in (since, *later))
