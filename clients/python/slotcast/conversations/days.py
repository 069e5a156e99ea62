"""Keys of open slots by day, so that a question looks at its own days only. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice

from slotcast.models import SlotKey


class SlotDays:
    """Keys in order of start, then type, then calendar."""

    def __init__(self) -> None:
        """Begin with none."""
        self._days: dict[date, list[SlotKey]] = {}

    def replace(self, keys: Iterable[SlotKey]) -> None:
        """Have these and no others."""
        self._days = {}
        for key in sorted(keys):
            self._days.setdefault(_day(key.start), []).append(key)

    def add(self, key: SlotKey) -> None:
        """Have it, once."""
        keys = self._days.setdefault(_day(key.start), [])
        if not _has(keys, key):
            insort(keys, key)

    def remove(self, key: SlotKey) -> None:
        """Have it no more, if it was there."""
        day = _day(key.start)
        keys = self._days.get(day, [])
        if _has(keys, key):
            del keys[bisect_left(keys, key)]
        if not keys:
            self._days.pop(day, None)

    def within(self, start: datetime, end: datetime) -> Iterator[SlotKey]:
        """Yield those that start in [start, end), in order; take them before anything changes."""
        first, last = _day(start), _day(end)
        for day in sorted(self._days):
            if first <= day <= last:
                keys = self._days[day]
                begin = bisect_left(keys, start, key=_start) if day == first else 0
                for key in islice(keys, begin, None):
                    if key.start >= end:
                        return
                    yield key


def _start(key: SlotKey) -> datetime:
    return key.start


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _has(keys: list[SlotKey], key: SlotKey) -> bool:
    place = bisect_left(keys, key)
    return place < len(keys) and keys[place] == key
