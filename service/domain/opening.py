"""Opening hours: from the wall clock of a schedule to instants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from service.domain.catalog import Schedule
from service.domain.civil_time import ONE_WEEK, day_start, instant_at


class Span(NamedTuple):
    """[start, end), without the checks of an Interval."""

    start: datetime
    end: datetime


class Opening(NamedTuple):
    """Hours without a gap, from `start` up to `end`.

    Starts are counted from `start`, up to and without `grid_end`. That is `end`, except where it
    is open without a gap for a whole civil week: then the count begins anew on Monday, while an
    appointment may run on over it.
    """

    start: datetime
    grid_end: datetime
    end: datetime


def openings_of_week(schedule: Schedule, zone: str, monday: date) -> tuple[Opening, ...]:
    """Return, in order, the openings that share an instant with the civil week from `monday`.

    An opening that begins more than a week before it, or ends more than a week after it, has been
    cut in between, so those weeks are enough to look at.
    """
    first, last = monday - ONE_WEEK, monday + 2 * ONE_WEEK
    edges = [day_start(zone, first + weeks * ONE_WEEK) for weeks in range(4)]
    # Hours may reach into the next day, so the count begins a day early.
    days = (first + timedelta(days=n) for n in range(-1, (last - first).days))
    runs = merged(span for day in days for span in _spans_of_day(schedule, zone, day))
    clipped = [
        Span(max(run.start, edges[0]), min(run.end, edges[3]))
        for run in runs
        if run.start < edges[3] and run.end > edges[0]
    ]
    return tuple(
        opening
        for run in clipped
        for opening in _cut_after_whole_weeks(run, edges)
        if opening.start < edges[2] and opening.grid_end > edges[1]
    )


def _spans_of_day(schedule: Schedule, zone: str, day: date) -> Iterable[Span]:
    wall = schedule.exceptions.get(day)
    if wall is None:
        wall = schedule.weekly.get(day.weekday(), ())
    for hours in wall:
        yield Span(
            instant_at(zone, day, hours.start_minute), instant_at(zone, day, hours.end_minute)
        )


def _cut_after_whole_weeks(run: Span, edges: list[datetime]) -> Iterable[Opening]:
    """Cut a run at each Monday before which it was open all week."""
    start = run.start
    for week_start, week_end in pairwise(edges):
        if run.start <= week_start and week_end < run.end:
            yield Opening(start, week_end, run.end)
            start = week_end
    yield Opening(start, run.end, run.end)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one, without empty ones."""
    result: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if result and span.start <= result[-1].end:
            if span.end > result[-1].end:
                result[-1] = Span(result[-1].start, span.end)
        else:
            result.append(span)
    return result
