"""The window of a watch that goes on for ever: it begins before now, and moves on once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

STEP = timedelta(days=1)
MARGIN = timedelta(hours=1)
AHEAD_MAX = timedelta(days=60)
"""With a step and the margin it is within the 62 days that one watch may span."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) of a watch."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, ahead: timedelta) -> Window:
        """Return one that reaches at least so far ahead until it is due to be moved on."""
        return cls(now - MARGIN, now + ahead + STEP)

    def is_due(self, now: datetime) -> bool:
        """Tell whether it should be moved on; so it is too where it was made by a wrong clock."""
        return not self.start <= now < self.start + MARGIN + STEP
