"""Opening hours, looked at for one thing: whether a time that one would wait for can ever open.

Which times can be booked is the service's to say. Here only what is certain counts: a window in
which all hours that are known are closed, or in which nothing starts, whatever is cancelled.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slotcast import (
    AppointmentType,
    Calendar,
    Client,
    Closure,
    DateSpan,
    Schedule,
    TimeWindow,
    WallInterval,
    Weekday,
)
from slotcast_mcp.catalogue import Catalogue
from slotcast_mcp.ids import last_part

PAGE_SIZE = 500
"""Of so many schedules and closures is known; a calendar of another schedule counts as open."""
DAYS_MAX = 100
"""A longer window counts as open."""
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)
_BEFORE = 2 * _WEEK + _DAY
"""So long before a window hours are looked at: from where they began, starts are counted."""
_SECOND = timedelta(seconds=1)

Spans = Sequence[TimeWindow]


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts that there are in hours without a gap, counted from the first."""

    first: datetime
    end: datetime
    step: timedelta

    def is_one_in(self, span: TimeWindow, window: TimeWindow, length: timedelta) -> bool:
        """Tell whether one lies in a window, and all that starts then in a span."""
        earliest = max(span.start, window.start, self.first)
        start = earliest + (self.first - earliest) % self.step
        return start < min(window.end, self.end) and start + length <= span.end


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening hours of a business."""

    schedules: Mapping[str, Schedule]
    closures: Sequence[Closure]

    def can_open(
        self,
        window: TimeWindow,
        service: AppointmentType,
        person: str,
        minutes: int,
        catalogue: Catalogue,
    ) -> bool:
        """Tell whether a time that starts in a window can be open, with someone or with anyone."""
        length = timedelta(minutes=minutes)
        if window.end - window.start + length > DAYS_MAX * _DAY:
            return True
        own = [person] if person else [last_part(each) for each in service.any_of]
        every = [last_part(each) for each in service.all_of]
        around = TimeWindow(window.start - _BEFORE, window.end + length + _DAY)
        step = service.slot_step or service.durations[0]
        for each in own or every[:1]:
            spans: Spans = [around]
            for calendar_id in {each, *every}:
                spans = _common(spans, self._open(catalogue.people.get(calendar_id), around))
            starts = list(self._starts(catalogue.people.get(each), around, step))
            if any(some.is_one_in(span, window, length) for some in starts for span in spans):
                return True
        return False

    def _starts(
        self, calendar: Calendar | None, around: TimeWindow, step: timedelta
    ) -> Iterator[Starts]:
        """Yield what can start with someone; closures change no start, but what fits."""
        schedule = self.schedules.get(last_part(calendar.schedule)) if calendar else None
        if calendar is None or schedule is None:
            yield Starts(around.start, around.end, timedelta.resolution)
            return
        zone = ZoneInfo(calendar.time_zone)
        for span in _joined(_hours(schedule, zone, around)):
            yield from _counted(span, zone, step)

    def _open(self, calendar: Calendar | None, around: TimeWindow) -> Spans:
        schedule = self.schedules.get(last_part(calendar.schedule)) if calendar else None
        if calendar is None or schedule is None:
            return [around]
        zone = ZoneInfo(calendar.time_zone)
        spans = _joined(_hours(schedule, zone, around))
        for closure in self.closures:
            if not closure.calendars or calendar.name in closure.calendars:
                spans = _without(spans, _closed(closure, zone))
        return spans


async def load_hours(client: Client) -> Hours:
    """Read the opening hours of a business."""
    schedules, closures = await asyncio.gather(
        client.list_schedules(page_size=PAGE_SIZE), client.list_closures(page_size=PAGE_SIZE)
    )
    return Hours({last_part(each.name): each for each in schedules}, closures.items)


def _hours(schedule: Schedule, zone: ZoneInfo, around: TimeWindow) -> Iterator[TimeWindow]:
    day = around.start.astimezone(zone).date() - _DAY
    while day <= around.end.astimezone(zone).date():
        usual = schedule.weekly.get(Weekday(day.isoweekday()), ())
        for wall in schedule.exceptions.get(day, usual):
            span = _on(day, wall, zone)
            if span.start < span.end:
                yield span
        day += _DAY


def _on(day: date, wall: WallInterval, zone: ZoneInfo) -> TimeWindow:
    """Return an interval of a day; an end at or before its start is on the next day."""
    is_next = wall.end == "24:00" or wall.end <= wall.start
    end = "00:00" if wall.end == "24:00" else wall.end
    return TimeWindow(
        _instant(day, wall.start, zone), _instant(day + _DAY if is_next else day, end, zone)
    )


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall time; of one that is skipped, the first after the gap."""
    wall = datetime.combine(day, time.fromisoformat(clock))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(instant, zone) == wall:
        return instant
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    gap = range((instant - before) // _SECOND)
    seconds = bisect_left(gap, wall, key=lambda each: _wall(before + each * _SECOND, zone))
    return before + seconds * _SECOND


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _counted(span: TimeWindow, zone: ZoneInfo, step: timedelta) -> Iterator[Starts]:
    """Yield the starts of hours; after a whole civil week without a gap they begin anew."""
    first, day = span.start, span.start.astimezone(zone).date()
    monday = day - (day.isoweekday() - 1) * _DAY
    while (end := _instant(monday + _WEEK, "00:00", zone)) < span.end:
        if span.start <= _instant(monday, "00:00", zone):
            yield Starts(first, end, step)
            first = end
        monday += _WEEK
    yield Starts(first, span.end, step)


def _closed(closure: Closure, zone: ZoneInfo) -> TimeWindow:
    span = closure.span
    if isinstance(span, DateSpan):
        return TimeWindow(
            _instant(span.first_date, "00:00", zone), _instant(span.last_date + _DAY, "00:00", zone)
        )
    return TimeWindow(span.start, span.end)


def _joined(spans: Iterable[TimeWindow]) -> Spans:
    """Return spans in order, those that touch or overlap as one."""
    joined: list[TimeWindow] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = TimeWindow(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _without(spans: Spans, closed: TimeWindow) -> Spans:
    parts = [
        part
        for span in spans
        for part in (
            TimeWindow(span.start, min(span.end, closed.start)),
            TimeWindow(max(span.start, closed.end), span.end),
        )
    ]
    return [part for part in parts if part.start < part.end]


def _common(some: Spans, others: Spans) -> Spans:
    shared = [
        TimeWindow(max(one.start, other.start), min(one.end, other.end))
        for one in some
        for other in others
    ]
    return [span for span in shared if span.start < span.end]
