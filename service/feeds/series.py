"""A series of events: its starts near a window, less the excepted, with the replaced in place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.feeds.events import Event, Moment
from service.feeds.recurrence import Allowance, Rule, last_wall_time, wall_times
from service.feeds.values import Duration, shifted

# Local time of any zone is within a day of UTC.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    line: int
    start: Moment
    length: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """What unrolling a rule needs: where to look, in UTC, and what it may cost."""

    earliest: datetime
    latest: datetime
    allowance: Allowance


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
        search = _search(series, replacing, start=start, end=end, allowance=allowance)
        yield from _of_series(series, _by_name(replacing, series), search)


def _by_name(replacing: list[Event], series: Event | None) -> dict[date, Event]:
    return {
        (series or event).name_of(event.replaces): event
        for event in replacing
        if event.replaces is not None
    }


def _as_occurrences(events: Iterable[Event]) -> Iterator[Occurrence]:
    for event in events:
        if event.is_busy:
            yield Occurrence(line=event.line, start=event.start, length=event.length)


def _search(
    series: Event,
    replacing: list[Event],
    *,
    start: datetime,
    end: datetime,
    allowance: Allowance,
) -> _Search:
    earliest = shifted(start.replace(tzinfo=None), -_MARGIN)
    latest = shifted(end.replace(tzinfo=None), _MARGIN)
    moved = [_move(series, event) for event in replacing if event.replaces_all_later]
    if moved:
        # A start far outside of the window may have been moved into it.
        return _Search(
            earliest=datetime.min,
            latest=shifted(latest, max(timedelta(), -min(moved))),
            allowance=allowance,
        )
    return _Search(
        earliest=shifted(earliest, -series.length.at_most), latest=latest, allowance=allowance
    )


def _of_series(
    series: Event, replacing: dict[date, Event], search: _Search
) -> Iterator[Occurrence]:
    excepted = {series.name_of(moment) for moment in series.excepted}
    yield from _as_occurrences(event for name, event in replacing.items() if name not in excepted)
    later = _replacing_all_later(series, replacing.values())
    if not any(event.is_busy for event in (series, *later)):
        return
    for rule in series.except_rules:
        excepted.update(start.instant for start in _rule_starts(series, rule, search))
    gone = excepted | replacing.keys()
    for start, length in _starts(series, search):
        if series.names_of(start).isdisjoint(gone):
            yield from _as_replaced(series, later, start, length)


def _replacing_all_later(series: Event, replacing: Iterable[Event]) -> list[Event]:
    """The newest first."""
    return sorted(
        (event for event in replacing if event.replaces_all_later),
        key=lambda event: _replaced_start(series, event).instant,
        reverse=True,
    )


def _replaced_start(series: Event, event: Event) -> Moment:
    return event.start if event.replaces is None else series.as_start(event.replaces)


def _move(series: Event, event: Event) -> timedelta:
    """How much later the replacement is than what it replaces, on the wall of the series."""
    replaced = _replaced_start(series, event)
    if not replaced.is_day:
        wall = replaced.instant.astimezone(series.start.zone).replace(tzinfo=None)
        return event.start.wall - wall
    return event.start.wall - replaced.wall


def _as_replaced(
    series: Event, later: list[Event], start: Moment, length: Duration | None
) -> Iterator[Occurrence]:
    for event in later:
        if _replaced_start(series, event).instant < start.instant:
            if event.is_busy:
                wall = start.moved(_move(series, event)).wall
                yield Occurrence(
                    line=event.line, start=event.start.at(wall), length=length or event.length
                )
            return
    if series.is_busy:
        yield Occurrence(line=series.line, start=start, length=length or series.length)


def _starts(series: Event, search: _Search) -> Iterator[tuple[Moment, Duration | None]]:
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
