"""What the words of a time are read as: pieces, which a wish is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from service.domain.spoken_time.vocabulary import Part

DAYS_AHEAD_MAX = 400
"""So far a span without an end of its own reaches before it is cut."""
DAY_MINUTES = 1440
LIKELY, POSSIBLE, UNLIKELY = 0, 2, 8
"""Ranks. The unlikely is dropped where there is something better."""


class Pick(Enum):
    """Which slot in the windows is meant."""

    ANY = 1
    FIRST = 2
    LAST = 3
    AT = 4


@dataclass(frozen=True, slots=True)
class Days:
    """Civil days."""

    dates: frozenset[date]
    is_open: bool = False
    """Nothing says where they end."""
    is_loose: bool = False
    """Every one of its kind: means something only together with other days."""
    is_list: bool = False
    """Several were named, "Tuesday or Thursday": all of them are meant."""

    def and_also(self, other: Days) -> Days | None:
        """Return the days that are both."""
        shared = self.dates & other.dates
        if not shared or self._loses(shared) or other._loses(shared):
            return None
        return Days(
            shared,
            is_open=self.is_open and other.is_open,
            is_loose=self.is_loose and other.is_loose,
        )

    def _loses(self, shared: frozenset[date]) -> bool:
        return self.is_list and not self.is_open and shared != self.dates


@dataclass(frozen=True, slots=True)
class Times:
    """Spans of the wall clock, in minutes after midnight."""

    start: int
    end: int
    is_at: bool = False
    """Meant is the start itself."""
    part: Part | None = None
    """It is a part of the day, and an hour that is said with it may be a little outside."""
    is_daily: bool = False
    """It is meant on every day, not only on the next."""
    is_behind_day: bool = False
    """The word is a part of the day only where a day stands before it."""

    def and_also(self, other: Times) -> Times | None:
        """Return the times that are both."""
        if other.is_at and not self.is_at:
            return other.and_also(self)
        if self.is_at:
            return self._if_within(other)
        if self.part is not None and other.part is not None:
            return None
        start, end = max(self.start, other.start), min(self.end, other.end)
        if self.part is not None:
            start, end = _within(other, self.part)
        elif other.part is not None:
            start, end = _within(self, other.part)
        if start >= end:
            return None
        return Times(start, end, is_daily=self.is_daily or other.is_daily)

    def _if_within(self, other: Times) -> Times | None:
        if other.is_at:
            return self if other.start == self.start else None
        first, last = other.start, other.end
        if other.part is not None:
            first, last = other.part.first, other.part.last
        if not first <= self.start < last:
            return None
        return replace(self, is_daily=self.is_daily or other.is_daily)


def _within(times: Times, part: Part) -> tuple[int, int]:
    """Return the times within a part of the day; where they have no end of their own, the part's.

    Where an end is far outside, the other half of the day was meant, and there is nothing.
    """
    start = part.start if times.start == 0 else times.start
    end = part.end if times.end == DAY_MINUTES else times.end
    is_within = part.first <= start < part.last and part.first < end <= part.last
    return (start, end) if is_within else (0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of instants."""

    start: datetime
    end: datetime
    is_at: bool = False


@dataclass(frozen=True, slots=True)
class Impossible:
    """A date that no calendar has."""

    date: str


class Sign(Enum):
    """What is no piece of time itself."""

    OR = 1
    COMMA = 2
    NOT = 3
    ANY_TIME = 4
    BUT = 5
    YET = 6


Piece = Days | Times | Span | Pick | Impossible | Sign


class Found(NamedTuple):
    """Pieces, where they end, and how unlikely they are; none: words that say nothing of time."""

    pieces: tuple[Piece, ...]
    end: int
    rank: int = LIKELY


def run_of(first: date, length: int) -> frozenset[date]:
    """Return days in a row."""
    return frozenset(first + timedelta(days=number) for number in range(length))


def from_to(first: date, last: date) -> frozenset[date]:
    """Return the days from one to another, both included."""
    return run_of(first, min((last - first).days + 1, DAYS_AHEAD_MAX))


def in_order(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Return runs of days in a row: the first, and the one after the last."""
    first: date | None = None
    after = date.min
    for day in sorted(days):
        if first is not None and day != after:
            yield first, after
            first = None
        first = first or day
        after = day + timedelta(days=1)
    if first is not None:
        yield first, after
