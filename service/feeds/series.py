"""A series of events: its starts near a window, less the excepted, with the replaced in place."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.feeds.events import Event, Moment
from service.feeds.recurrence import Allowance, Rule, last_wall_time, wall_times
from service.feeds.values import EARLIEST, Duration, shifted

# Local time of any zone is within a day of UTC.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    line: int
    start: Moment
    length: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """Where on the wall to look for the starts of a series, and what it may cost."""

    earliest: datetime
    latest: datetime
    allowance: Allowance


@dataclass(frozen=True, kw_only=True, slots=True)
class _Later:
    """An event with RANGE=THISANDFUTURE: what it replaces first, and how far it moves that."""

    first: datetime
    event: Event
    move: timedelta


def busy_occurrences(
    events: list[Event], *, start: datetime, end: datetime, allowance: Allowance
) -> Iterator[Occurrence]:
    """The busy occurrences of the events of one UID: all in [start, end), and some outside of it.

    Of the events that are no replacement the newest SEQUENCE counts. Those of one SEQUENCE all
    count: who wrote two events with one UID is busy at both.
    """
    newest = max((event.sequence for event in events if event.replaces is None), default=0)
    every_series = [
        event for event in events if event.replaces is None and event.sequence == newest
    ]
    replacing = sorted(
        (event for event in events if event.replaces is not None),
        key=lambda event: event.sequence,
    )
    if not every_series:
        yield from _as_occurrences(_by_name(replacing, None).values())
    for series in every_series:
        allowance.spend(len(replacing), series.line)
        by_name = _by_name(replacing, series)
        later = _later(series, by_name.values())
        earliest, latest = _walls(series, later, start=start, end=end)
        search = _Search(earliest=earliest, latest=latest, allowance=allowance)
        yield from _of_series(series, by_name, later, search)


def _by_name(replacing: list[Event], series: Event | None) -> dict[date, Event]:
    """The newest replacement of each start."""
    return {
        (series or event).name_of(event.replaces): event
        for event in replacing
        if event.replaces is not None
    }


def _later(series: Event, replacing: Iterable[Event]) -> list[_Later]:
    later = []
    for event in replacing:
        if event.replaces is None or not event.replaces_all_later:
            continue
        replaced = series.as_start(event.replaces)
        wall = replaced.wall
        if not replaced.is_day:
            wall = replaced.instant.astimezone(series.start.zone).replace(tzinfo=None)
        later.append(_Later(first=replaced.instant, event=event, move=event.start.wall - wall))
    return sorted(later, key=lambda found: found.first)


def _walls(
    series: Event, later: list[_Later], *, start: datetime, end: datetime
) -> tuple[datetime, datetime]:
    """The first and the last start, on the wall, that can reach into the window."""
    latest = shifted(end.replace(tzinfo=None), _MARGIN)
    if later:
        # Any start before the window may have been moved into it, or made long.
        brought_forward = max(timedelta(), *(-found.move for found in later))
        return EARLIEST, shifted(latest, brought_forward)
    earliest = shifted(start.replace(tzinfo=None), -_MARGIN)
    return shifted(earliest, -series.length.at_most), latest


def _of_series(
    series: Event, by_name: dict[date, Event], later: list[_Later], search: _Search
) -> Iterator[Occurrence]:
    excepted = {series.name_of(moment) for moment in series.excepted}
    yield from _as_occurrences(event for name, event in by_name.items() if name not in excepted)
    if not series.is_busy and not any(found.event.is_busy for found in later):
        return
    for rule in series.except_rules:
        excepted.update(start.instant for start in _rule_starts(series, rule, search))
    gone = excepted | by_name.keys()
    changes = [found.first for found in later]
    for start, length in _starts(series, search):
        if gone.isdisjoint(series.names_of(start)):
            count = bisect_left(changes, start.instant)
            yield from _as_changed(series, later[count - 1] if count else None, start, length)


def _as_occurrences(events: Iterable[Event]) -> Iterator[Occurrence]:
    for event in events:
        if event.is_busy:
            yield Occurrence(line=event.line, start=event.start, length=event.length)


def _as_changed(
    series: Event, change: _Later | None, start: Moment, length: Duration | None
) -> Iterator[Occurrence]:
    event = series if change is None else change.event
    if not event.is_busy:
        return
    if change is not None:
        start = event.start.at(start.moved(change.move).wall)
    yield Occurrence(line=event.line, start=start, length=length or event.length)


def _starts(series: Event, search: _Search) -> Iterator[tuple[Moment, Duration | None]]:
    """The starts, and for those of a period how long they last."""
    for rule in series.rules:
        for start in _rule_starts(series, rule, search):
            yield start, None
    if not series.rules:
        yield series.start, None
    for moment, length in series.extra:
        yield series.as_start(moment), length


def _rule_starts(series: Event, rule: Rule, search: _Search) -> Iterator[Moment]:
    def wall_of_utc(utc: datetime) -> datetime:
        try:
            return utc.replace(tzinfo=UTC).astimezone(series.start.zone).replace(tzinfo=None)
        except OverflowError:
            return utc

    latest = last_wall_time(
        rule, search.latest, whole_days=series.start.is_day, wall_of_utc=wall_of_utc
    )
    for wall in wall_times(
        rule,
        series.start.wall,
        earliest=search.earliest,
        latest=latest,
        allowance=search.allowance,
    ):
        yield series.start.at(wall)
