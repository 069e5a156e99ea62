"""Busy time out of an iCalendar file (RFC 5545). Pure: no clock, and no I/O but that of zoneinfo.

Only the recurrence rules are left to a library, dateutil. Those that read a whole calendar are not
for a stranger's file: they keep the zones that it defines for the files after it, leave out what
they cannot read, and search for the next match of a rule without a limit.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.feeds.content_lines import BadFeed, Component, read_calendars
from service.feeds.events import Event, EventReader, Moment
from service.feeds.recurrence import Allowance
from service.feeds.series import busy_occurrences
from service.feeds.values import Duration
from service.feeds.zones import Zones

__all__ = ["INTERVALS_MAX", "BadFeed", "BusyTime", "busy_times"]

INTERVALS_MAX = 100_000
WINDOW_YEARS = range(2, 9000)


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyTime:
    """[start, end), in UTC."""

    start: datetime
    end: datetime


def busy_times(
    data: bytes, *, zone: ZoneInfo | str, window_start: datetime, window_end: datetime
) -> list[BusyTime]:
    """The busy time in the window: in order, apart from each other, cut to the window.

    zone is the calendar's own: days and times without a zone are read in it. An event is busy
    unless it is cancelled, transparent, shown as free, or without length. A file that is damaged
    or over a limit raises BadFeed, which says the line, and gives nothing.
    """
    busy = _Busy(window_start, window_end)
    allowance = Allowance()
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    for calendar in read_calendars(data):
        zones = Zones(
            calendar,
            latest=busy.window_end.replace(tzinfo=None) + timedelta(days=366),
            allowance=allowance,
        )
        _add_calendar(calendar, EventReader(zone=zone, zones=zones), allowance, busy)
    return busy.merged()


class _Busy:
    """The busy intervals found so far, cut to the window."""

    def __init__(self, window_start: datetime, window_end: datetime) -> None:
        if window_start.utcoffset() is None or window_end.utcoffset() is None:
            raise ValueError("The window needs aware instants.")
        if not window_start < window_end:
            raise ValueError("The window must end after it starts.")
        if not {window_start.year, window_end.year} <= set(WINDOW_YEARS):
            raise ValueError(f"The window must lie in the years {WINDOW_YEARS}.")
        self.window_start = window_start.astimezone(UTC)
        self.window_end = window_end.astimezone(UTC)
        self._intervals: list[tuple[datetime, datetime]] = []

    def add(self, start: Moment, length: Duration, line: int) -> None:
        begin = max(start.instant, self.window_start)
        end = min(start.after(length), self.window_end)
        if begin >= end:
            return
        if len(self._intervals) == INTERVALS_MAX:
            raise BadFeed(f"there are more than {INTERVALS_MAX} busy times in the window", line)
        self._intervals.append((begin, end))

    def merged(self) -> list[BusyTime]:
        merged: list[BusyTime] = []
        for begin, end in sorted(self._intervals):
            if not merged or begin > merged[-1].end:
                merged.append(BusyTime(start=begin, end=end))
            elif end > merged[-1].end:
                merged[-1] = BusyTime(start=merged[-1].start, end=end)
        return merged


def _add_calendar(
    calendar: Component, reader: EventReader, allowance: Allowance, busy: _Busy
) -> None:
    is_cancelled = calendar.text("METHOD") == "CANCEL"
    by_uid: dict[str, list[Event]] = defaultdict(list)
    for component in calendar.children:
        if component.name == "VEVENT":
            event = reader.event(component, is_cancelled=is_cancelled)
            if event is not None:
                by_uid[event.uid or f"\n{event.line}"].append(event)
        elif component.name == "VFREEBUSY":
            _add_free_busy(component, reader, busy)
    for events in by_uid.values():
        for found in busy_occurrences(
            events, start=busy.window_start, end=busy.window_end, allowance=allowance
        ):
            busy.add(found.start, found.length, found.line)


def _add_free_busy(component: Component, reader: EventReader, busy: _Busy) -> None:
    for found in component.all("FREEBUSY"):
        is_busy = found.parameters.get("FBTYPE", "BUSY").upper() != "FREE"
        for text in found.value.split(","):
            start, length = reader.period(found, text)
            if is_busy:
                busy.add(start, length, found.line)
