"""Hours of certain days, as where a span begins or ends: "until Friday noon"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from service.domain.civil_time import instant_at
from service.domain.spoken_time.clocks import (
    AT_MINUTES,
    RANGES,
    Edge,
    edges,
    from_ends,
    froms,
    ranges_after,
)
from service.domain.spoken_time.dates import iso_day
from service.domain.spoken_time.days import DayGrammar
from service.domain.spoken_time.pieces import Days, Found, Impossible, Pick, Span
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind

OPEN_SPAN = timedelta(days=60)
MOMENTS_MAX = 12
"""So many ways to read a moment are followed: the likeliest."""


class _Moment(NamedTuple):
    """Where a part of a day begins and ends; of an hour both are the same."""

    start: datetime
    stop: datetime
    end: int
    rank: int


class MomentGrammar:
    """Reads moments in one sentence, and the spans between them."""

    def __init__(self, sentence: Sentence, days: DayGrammar, now: datetime, zone: str) -> None:
        """Take the grammar of days, and the clocks on the wall."""
        self._sentence = sentence
        self._days = days
        self._now = now
        self._zone = zone
        self._kept: dict[int, list[_Moment]] = {}

    def spans(self, place: int) -> Iterator[Found]:
        """Return every span from here on that begins or ends at a moment."""
        yield from self._open_ended(place)
        yield from self._between(place)
        yield from self._on_one_day(place)
        yield from self._machine_written(place)

    def _open_ended(self, place: int) -> Iterator[Found]:
        sentence = self._sentence
        for kind in (Kind.UNTIL, Kind.BEFORE):
            for middle in sentence.ends(place, kind):
                for moment in self._day_first(middle):
                    yield from self._span(self._now, moment.start, moment.end, moment.rank)
        for middle in sentence.ends(place, Kind.AFTER):
            for moment in self._day_first(middle):
                stop = moment.stop + OPEN_SPAN
                yield from self._span(moment.stop, stop, moment.end, moment.rank)
        for middle, is_enough in froms(sentence, place):
            for moment in self._day_first(middle):
                for end in from_ends(sentence, moment.end, is_enough=is_enough):
                    stop = moment.start + OPEN_SPAN
                    yield from self._span(moment.start, stop, end, moment.rank)

    def _between(self, place: int) -> Iterator[Found]:
        sentence = self._sentence
        for opening, joint in RANGES:
            for start in [place] if opening is None else sentence.ends(place, opening):
                for first in self._moments(start):
                    for middle in sentence.ends(first.end, joint):
                        for last in self._moments(middle):
                            rank = max(first.rank, last.rank)
                            yield from self._span(first.start, last.stop, last.end, rank)

    def _on_one_day(self, place: int) -> Iterator[Found]:
        """Return "from Friday ten to twelve"."""
        sentence = self._sentence
        for opening, joint in RANGES:
            for start in [] if opening is None else sentence.ends(place, opening):
                for dates, dated in self._days.firm(start):
                    for found in ranges_after(sentence, dated.end, joint):
                        days = Days(dates)
                        yield Found((days, *found.pieces), found.end, dated.rank + found.rank)

    def _machine_written(self, place: int) -> Iterator[Found]:
        """Return an ISO instant with its offset: 2026-12-03T10:00+01:00."""
        sentence = self._sentence
        for day, middle in iso_day(sentence, place):
            if not sentence.is_sign(middle, "t", glued=True):
                continue
            hour, minute = sentence.digits(middle + 1), sentence.glued_digits(middle + 3, 2)
            if hour is None or minute is None or hour > 23 or minute > 59:
                continue
            end = middle + 4
            if sentence.is_sign(end, ":", glued=True) and sentence.glued_digits(end + 1, 2) == 0:
                end += 2
            for offset, past in self._offsets(end):
                if isinstance(day, Impossible):
                    yield Found((day,), past)
                    continue
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                start = wall - timedelta(minutes=offset)
                span = Span(start, start + timedelta(minutes=AT_MINUTES), is_at=True)
                yield Found((span, Pick.AT), past)

    def _offsets(self, place: int) -> Iterator[tuple[int, int]]:
        sentence = self._sentence
        if sentence.is_sign(place, "z", glued=True):
            yield 0, place + 1
        hours, minutes = sentence.glued_digits(place + 1, 2), sentence.glued_digits(place + 3, 2)
        if hours is None or minutes is None or hours > 23 or minutes > 59:
            return
        if sentence.is_sign(place, "+", "-", glued=True) and sentence.is_sign(place + 2, ":"):
            sign = -1 if sentence.is_sign(place, "-") else 1
            yield sign * (hours * 60 + minutes), place + 4

    def _moments(self, place: int) -> list[_Moment]:
        if place not in self._kept:
            read = [*self._day_first(place), *self._hour_first(place)]
            likely = sorted(dict.fromkeys(read), key=lambda each: each.rank)
            self._kept[place] = likely[:MOMENTS_MAX]
        return self._kept[place]

    def _day_first(self, place: int) -> Iterator[_Moment]:
        for dates, dated in self._days.firm(place):
            if len(dates) == 1:
                for edge in edges(self._sentence, dated.end):
                    yield self._moment(min(dates), edge, edge.end, dated.rank)

    def _hour_first(self, place: int) -> Iterator[_Moment]:
        """Only within a span: "after ten on Friday" means that day."""
        for edge in edges(self._sentence, place):
            for dates, dated in self._days.firm(edge.end):
                if len(dates) == 1:
                    yield self._moment(min(dates), edge, dated.end, dated.rank)

    def _moment(self, day: date, edge: Edge, end: int, rank: int) -> _Moment:
        start = instant_at(self._zone, day, edge.start)
        stop = instant_at(self._zone, day, edge.stop)
        return _Moment(start, stop, end, max(rank, edge.rank))

    def _span(self, start: datetime, stop: datetime, end: int, rank: int) -> Iterator[Found]:
        if start < stop:
            yield Found((Span(start, stop),), end, rank)
        elif start == self._now:
            # It ended before it began, which is told as passed.
            yield Found((Span(stop - timedelta(minutes=AT_MINUTES), stop),), end, rank)
