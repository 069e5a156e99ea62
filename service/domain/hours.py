"""When the calendars of one catalogue are open, and which starts that leaves: a bounded memo."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from service.domain.catalog import Calendar, Catalog, Closure
from service.domain.civil_time import (
    CIVIL_YEARS,
    ONE_DAY,
    ONE_WEEK,
    civil_day,
    day_start,
    is_second_occurrence,
    monday_of,
)
from service.domain.interval import Interval
from service.domain.opening import Opening, Span, merged, openings_of_week

WEEKS_KEPT_MAX = 4_096
STARTS_KEPT_MAX = 262_144
"""Over either limit the oldest are forgotten, and derived anew when asked for."""

StartsKey = tuple[str, str, timedelta, date]


class Hours:
    """The opening hours of one Catalog. It never changes but for what it remembers."""

    def __init__(self, catalog: Catalog) -> None:
        """Begin with nothing derived."""
        self.catalog = catalog
        self._weeks: dict[tuple[str, date], tuple[Opening, ...]] = {}
        self._closed: dict[str, tuple[list[datetime], list[datetime]]] = {}
        self._starts: dict[StartsKey, tuple[datetime, ...]] = {}
        self._starts_kept = 0

    def day_of(self, calendar_id: str, instant: datetime) -> date:
        """Return the civil day of an instant on a calendar."""
        return civil_day(self.catalog.calendars[calendar_id].zone, instant)

    def day_span(self, calendar_id: str, day: date) -> Span:
        """Return when a civil day begins and ends on a calendar."""
        zone = self.catalog.calendars[calendar_id].zone
        return Span(day_start(zone, day), day_start(zone, day + ONE_DAY))

    def week_span(self, calendar_id: str, day: date) -> Span:
        """Return when the civil week of a day begins and ends on a calendar."""
        zone, monday = self.catalog.calendars[calendar_id].zone, monday_of(day)
        return Span(day_start(zone, monday), day_start(zone, monday + ONE_WEEK))

    def open_intervals(
        self, calendar_id: str, start: datetime, end: datetime
    ) -> tuple[Interval, ...]:
        """Return the opening hours that share an instant with [start, end), clipped to it.

        Closures are not taken out: they close slots, and do not shift the grid of starts.
        """
        if start.year not in CIVIL_YEARS or end.year not in CIVIL_YEARS:
            return ()
        first = monday_of(self.day_of(calendar_id, start))
        last = self.day_of(calendar_id, end)
        spans = [
            Span(max(opening.start, start), min(opening.grid_end, end))
            for monday in _mondays(first, last)
            for opening in self._openings(calendar_id, monday)
        ]
        return tuple(Interval(*span) for span in merged(spans))

    def is_open(self, calendar_id: str, start: datetime, end: datetime) -> bool:
        """Say whether [start, end) lies within opening hours and in no closure."""
        opening = self.opening_at(calendar_id, start)
        return (
            opening is not None
            and end <= opening.end
            and not self.is_in_closure(calendar_id, start, end)
        )

    def opening_at(self, calendar_id: str, instant: datetime) -> Opening | None:
        """Return the opening that an instant lies in, whether or not a closure covers it."""
        if instant.year not in CIVIL_YEARS:
            return None
        monday = monday_of(self.day_of(calendar_id, instant))
        for opening in self._openings(calendar_id, monday):
            if opening.start <= instant < opening.grid_end:
                return opening
        return None

    def is_in_closure(self, calendar_id: str, start: datetime, end: datetime) -> bool:
        """Say whether a closure shares an instant with [start, end)."""
        closed = self._closed.get(calendar_id)
        if closed is None:
            closed = self._closed[calendar_id] = self._derive_closed(calendar_id)
        ends = closed[1]
        first_ending_later = bisect_right(ends, start)
        return first_ending_later < len(ends) and closed[0][first_ending_later] < end

    def is_on_grid(self, type_id: str, calendar_id: str, start: datetime) -> bool:
        """Say whether a start is one that the grid of that calendar has."""
        opening = self.opening_at(calendar_id, start)
        if opening is None:
            return False
        step = self.catalog.types[type_id].slot_step
        zone = self.catalog.calendars[calendar_id].zone
        return not (start - opening.start) % step and not is_second_occurrence(zone, start)

    def starts(
        self, type_id: str, calendar_id: str, duration: timedelta, day: date
    ) -> tuple[datetime, ...]:
        """Return the starts of a civil day, in order, that the grid has and the hours allow.

        `calendar_id` is the slot's own calendar, whose grid and days count. The hours are those of
        all calendars that the slot occupies.
        """
        key = (type_id, calendar_id, duration, day)
        starts = self._starts.get(key)
        if starts is None:
            starts = tuple(self._derive_starts(type_id, calendar_id, duration, day))
            self._keep_starts(key, starts)
        return starts

    def _derive_starts(
        self, type_id: str, calendar_id: str, duration: timedelta, day: date
    ) -> Iterator[datetime]:
        if day.year not in CIVIL_YEARS:
            return
        appointment_type = self.catalog.types[type_id]
        calendar_ids = appointment_type.calendar_ids_for(calendar_id)
        zone = self.catalog.calendars[calendar_id].zone
        span = self.day_span(calendar_id, day)
        for opening in self._openings(calendar_id, monday_of(day)):
            for start in _grid(opening, span, appointment_type.slot_step):
                end = start + duration
                if is_second_occurrence(zone, start):
                    continue
                if all(self.is_open(other_id, start, end) for other_id in calendar_ids):
                    yield start

    def _keep_starts(self, key: StartsKey, starts: tuple[datetime, ...]) -> None:
        self._starts[key] = starts
        self._starts_kept += len(starts) + 1
        while self._starts_kept > STARTS_KEPT_MAX:
            oldest = next(iter(self._starts))
            self._starts_kept -= len(self._starts.pop(oldest)) + 1

    def _openings(self, calendar_id: str, monday: date) -> tuple[Opening, ...]:
        openings = self._weeks.get((calendar_id, monday))
        if openings is None:
            calendar = self.catalog.calendars[calendar_id]
            schedule = self.catalog.schedules[calendar.schedule_id]
            openings = openings_of_week(schedule, calendar.zone, monday)
            while len(self._weeks) >= WEEKS_KEPT_MAX:
                del self._weeks[next(iter(self._weeks))]
            self._weeks[calendar_id, monday] = openings
        return openings

    def _derive_closed(self, calendar_id: str) -> tuple[list[datetime], list[datetime]]:
        calendar = self.catalog.calendars[calendar_id]
        spans = merged(
            _span_of_closure(closure, calendar)
            for closure in self.catalog.closures.values()
            if closure.concerns(calendar_id)
        )
        return [span.start for span in spans], [span.end for span in spans]


def _span_of_closure(closure: Closure, calendar: Calendar) -> Span:
    if closure.interval is not None:
        return Span(closure.interval.start, closure.interval.end)
    first = max(closure.first_date or date.min, date(CIVIL_YEARS.start, 1, 1))
    last = min(closure.last_date or date.max, date(CIVIL_YEARS.stop, 1, 1))
    return Span(day_start(calendar.zone, first), day_start(calendar.zone, last + ONE_DAY))


def _grid(opening: Opening, day: Span, step: timedelta) -> Iterator[datetime]:
    """Yield the starts of an opening that lie in a day."""
    steps_before = max(timedelta(), day.start - opening.start + step - timedelta.resolution) // step
    start = opening.start + steps_before * step
    end = min(opening.grid_end, day.end)
    while start < end:
        yield start
        start += step


def _mondays(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_WEEK
