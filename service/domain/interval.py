"""Half-open intervals [start, end) of instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse what is no interval."""
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError("An interval needs aware instants.")
        if not self.start < self.end:
            raise ValueError("An interval must end after it starts.")

    def overlaps(self, other: Interval) -> bool:
        """Say whether they share an instant; intervals that touch do not."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Interval) -> bool:
        """Say whether all of the other lies within this one."""
        return self.start <= other.start and other.end <= self.end
