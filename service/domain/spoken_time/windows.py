"""A wish to windows: spans of instants in which a slot should start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from service.domain.civil_time import ONE_DAY, civil_day, day_start, instant_at
from service.domain.interval import Interval
from service.domain.spoken_time.clocks import AT_MINUTES
from service.domain.spoken_time.pieces import DAY_MINUTES, Days, Pick, Times, in_order, run_of
from service.domain.spoken_time.wishes import Part, Wish

WINDOWS_MAX = 62
WINDOW_DAYS_MAX = 60
"""No window is longer than what slots can be listed of at once."""
OPEN_DAYS = 60
"""So many days are looked at where nothing says where they end."""
_ALL_DAY = Times(0, DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class Meant:
    """The spans that are meant, in order and apart, also those that have passed; and which slot."""

    spans: tuple[Interval, ...]
    pick: Pick

    def not_over(self, now: datetime) -> Meant:
        """Return what of it is still to come."""
        left = []
        for span in self.spans:
            if self.pick is Pick.AT and span.start < now:
                continue
            if span.end > now:
                left.append(Interval(max(span.start, now), span.end))
        return Meant(tuple(left), self.pick)

    def windows(self, zone: str) -> tuple[Interval, ...]:
        """Return it in pieces that slots can be listed of."""
        pieces = [piece for span in self.spans for piece in _pieces(span, zone)]
        return tuple(pieces[:WINDOWS_MAX])


def meant_by(wish: Wish, now: datetime, zone: str) -> Meant:
    """Return the spans of a wish, also those that have passed."""
    today = civil_day(zone, now)
    parts = [_closed(part, today) for part in _completed(wish.parts)]
    pick = wish.pick or _pick_of(parts)
    if any(part.days is not None or part.span is not None for part in parts):
        return _meant(wish, parts, pick, zone)
    is_daily = any(part.times is None or part.times.is_daily for part in parts)
    if wish.is_any_time or is_daily:
        days = Days(run_of(today, OPEN_DAYS))
        return _meant(wish, [replace(part, days=days) for part in parts], pick, zone)
    # An hour alone is the next such hour.
    for day in sorted(run_of(today, 3)):
        on_day = [replace(part, days=Days(frozenset({day}))) for part in parts]
        meant = _meant(wish, on_day, pick, zone)
        if meant.not_over(now).spans:
            return meant
    return meant


def _meant(wish: Wish, parts: Iterable[Part], pick: Pick, zone: str) -> Meant:
    spans = [span for part in parts for span in _spans_of(part, zone)]
    if wish.exceptions and spans:
        covered = _days_between(min(spans, key=_start).start, max(spans, key=_end).end, zone)
        for part in wish.exceptions:
            spans = _without(spans, list(_spans_of(_within(part, covered), zone)), pick)
    return Meant(tuple(_apart(spans, pick)), pick)


def _completed(parts: Sequence[Part]) -> list[Part]:
    """Hand down what is said once: "Friday at 10 or 11", "Monday or Tuesday afternoon"."""
    days = next((part.days for part in parts if part.days is not None), None)
    completed: list[Part] = []
    for part in parts:
        days = part.days or days
        completed.append(part if part.span else replace(part, days=days))
    times = None
    for place in range(len(parts) - 1, -1, -1):
        part = completed[place]
        if part.times is None and part.span is None:
            completed[place] = replace(part, times=times)
        # What has no day of its own hands down its day, not its hour.
        times = completed[place].times if parts[place].days is not None else None
    return completed


def _closed(part: Part, today: date) -> Part:
    """Cut days that have no end of their own."""
    if part.days is None or not part.days.is_open:
        return part
    ahead = sorted(day for day in part.days.dates if day >= today)
    end = ahead[0] + OPEN_DAYS * ONE_DAY if ahead else today
    return replace(part, days=Days(frozenset(day for day in ahead if day < end)))


def _pick_of(parts: Iterable[Part]) -> Pick:
    is_at = all(
        part.span.is_at if part.span else part.times is not None and part.times.is_at
        for part in parts
    )
    return Pick.AT if is_at else Pick.ANY


def _within(part: Part, days: frozenset[date]) -> Part:
    """Return an exception on those days only."""
    if part.span is not None:
        return part
    times = part.times
    if times is not None and times.is_at:
        # "Not at ten": but at a quarter past.
        times = replace(times, end=times.start + 1, is_at=False)
    return replace(
        part, days=Days(days if part.days is None else part.days.dates & days), times=times
    )


def _spans_of(part: Part, zone: str) -> Iterator[Interval]:
    if part.span is not None:
        yield Interval(part.span.start, part.span.end)
        return
    dates = part.days.dates if part.days is not None else frozenset()
    if part.times is None:
        for first, after in in_order(dates):
            yield Interval(day_start(zone, first), day_start(zone, after))
        return
    for day in sorted(dates):
        start = instant_at(zone, day, part.times.start)
        end = instant_at(zone, day, part.times.end)
        if part.times.is_at:
            end = start + timedelta(minutes=AT_MINUTES)
        if start < end:
            yield Interval(start, end)


def _without(spans: list[Interval], taken: list[Interval], pick: Pick) -> list[Interval]:
    for hole in taken:
        if pick is Pick.AT:
            spans = [span for span in spans if not hole.start <= span.start < hole.end]
        else:
            spans = [piece for span in spans for piece in _minus(span, hole)]
    return spans


def _minus(span: Interval, hole: Interval) -> Iterator[Interval]:
    if not span.overlaps(hole):
        yield span
        return
    if span.start < hole.start:
        yield Interval(span.start, hole.start)
    if hole.end < span.end:
        yield Interval(hole.end, span.end)


def _apart(spans: Iterable[Interval], pick: Pick) -> list[Interval]:
    """Return them in order; starts that are meant stay, and all others are merged."""
    apart: list[Interval] = []
    for span in sorted(spans, key=lambda each: (each.start, each.end)):
        if not apart or apart[-1].end < span.start:
            apart.append(span)
        elif pick is not Pick.AT:
            apart[-1] = Interval(apart[-1].start, max(apart[-1].end, span.end))
        elif apart[-1].start < span.start:
            apart[-1] = Interval(apart[-1].start, span.start)
            apart.append(span)
    return apart


def _pieces(span: Interval, zone: str) -> Iterator[Interval]:
    start = span.start
    while start < span.end:
        end = min(span.end, day_start(zone, civil_day(zone, start) + WINDOW_DAYS_MAX * ONE_DAY))
        yield Interval(start, end)
        start = end


def _days_between(start: datetime, end: datetime, zone: str) -> frozenset[date]:
    first = civil_day(zone, start)
    return run_of(first, (civil_day(zone, end) - first).days + 1)


def _start(span: Interval) -> datetime:
    return span.start


def _end(span: Interval) -> datetime:
    return span.end
