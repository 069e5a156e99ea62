"""What is said of weekdays: a grammar that all languages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

from service.domain.civil_time import ONE_DAY, ONE_WEEK, monday_of
from service.domain.spoken_time.dates import Dated
from service.domain.spoken_time.pieces import DAYS_AHEAD_MAX, LIKELY, POSSIBLE, Days, run_of
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind, Unit
from service.domain.spoken_time.weekdays import SATURDAY, WEEKEND, those_of

_ReadWeekdays = Callable[[frozenset[int], int], Iterator[Dated]]
LISTED_MAX = 64


class WeekdayGrammar:
    """Reads weekdays and weekends in one sentence, counted from one day."""

    def __init__(self, sentence: Sentence, today: date) -> None:
        """Take the day of the clock on the wall."""
        self._sentence = sentence
        self._today = today

    def listed(self, place: int, kind: Kind = Kind.WEEKDAY) -> list[tuple[frozenset[int], int]]:
        """Return a weekday, and several: what follows, such as "next week", is of all of them."""
        sentence = self._sentence
        found = [(frozenset({day}), end, True) for day, end in sentence.terms(place, kind)]
        for weekdays, end, _ in found:
            commas = [end + 1] if sentence.is_sign(end, ",") else []
            words = [*sentence.ends(end, Kind.OR), *sentence.ends(end, Kind.AND)]
            for middle in [*words, *commas]:
                for day, past in sentence.terms(middle, kind):
                    if len(found) < LISTED_MAX:
                        found.append((weekdays | {day}, past, middle in words))
        # A list that a comma ends may be no list: "not Monday, Tuesday".
        return [(weekdays, end) for weekdays, end, is_ended in found if is_ended]

    def determined(self, place: int) -> Iterator[Dated]:
        """Return "next Friday", "this Friday", "every Friday"."""
        for kind, read in self._determiners():
            for middle in self._sentence.ends(place, kind):
                for weekdays, end in self.listed(middle):
                    yield from read(weekdays, end)

    def habits(self, place: int) -> Iterator[Dated]:
        """Return "mondays", "weekdays", "every day"."""
        sentence = self._sentence
        for weekdays, end in self.listed(place, Kind.WEEKDAYS):
            yield Dated(self._every(weekdays), end)
        for start in sentence.maybe(place, Kind.EVERY):
            for end in sentence.ends(start, Kind.WORKDAYS):
                yield Dated(self._every(frozenset(range(SATURDAY))), end)
            for unit, end in sentence.terms(start, Kind.UNIT) if start > place else []:
                if unit == Unit.DAY:
                    yield Dated(self._every(frozenset(range(7))), end)

    def weekends(self, place: int) -> Iterator[Dated]:
        """Return "the weekend", "next weekend", "weekends"."""
        sentence, weekend = self._sentence, WEEKEND
        for end in sentence.ends(place, Kind.WEEKEND):
            yield Dated(self._this_weekend(), end)
            yield Dated(self._every(weekend, is_loose=True), end)
            yield from self.followed(weekend, end)
        for kind, read in self._determiners():
            for middle in sentence.ends(place, kind):
                for end in sentence.ends(middle, Kind.WEEKEND):
                    if kind in (Kind.THIS, Kind.COMING):
                        yield Dated(self._this_weekend(), end)
                    else:
                        yield from read(weekend, end)

    def _determiners(self) -> Iterable[tuple[Kind, _ReadWeekdays]]:
        return (
            (Kind.THIS, self._this),
            (Kind.COMING, self._soonest),
            (Kind.NEXT, self._next),
            (Kind.AFTER_NEXT, self._after_next),
            (Kind.PREVIOUS, self._previous),
            (Kind.EVERY, self._each),
        )

    def followed(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        """Return what is said behind the day: "el viernes que viene", "Friday after next"."""
        sentence = self._sentence
        code = sentence.language.code
        for after in sentence.ends(end, Kind.AFTER_NEXT) if code == "en" else []:
            yield from self._after_next(weekdays, after)
        if code == "es":
            for after in sentence.ends(end, Kind.NEXT):
                yield from self._next(weekdays, after)
            for after in sentence.ends(end, Kind.PREVIOUS):
                yield from self._previous(weekdays, after)

    def bare(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        """Return a weekday alone; on a Friday rather that of next week: today is called today."""
        yield Dated(self.coming(weekdays), end)
        if self._today.weekday() in weekdays:
            yield Dated(self._from_today(weekdays), end, POSSIBLE)
        yield Dated(self._every(weekdays, is_loose=True), end)

    def _this(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        yield Dated(self._from_today(weekdays), end)

    def _soonest(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        yield Dated(self.coming(weekdays), end)

    def _each(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        yield Dated(self._every(weekdays), end)

    def _next(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        """The coming one, or that of next week: which is likelier depends on the language."""
        coming = self.coming(weekdays)
        of_next_week = self._of_week(1, weekdays)
        is_nearest = self._sentence.language.is_next_the_nearest
        ranks = (LIKELY, POSSIBLE) if is_nearest else (POSSIBLE, LIKELY)
        if coming != of_next_week:
            yield Dated(coming, end, ranks[0])
        yield Dated(of_next_week, end, ranks[1] if coming != of_next_week else LIKELY)

    def _after_next(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        """A week after either of what "next" can be."""
        for dated in self._next(weekdays, end):
            assert isinstance(dated.days, Days)
            later = frozenset(day + ONE_WEEK for day in dated.days.dates)
            yield dated._replace(days=replace(dated.days, dates=later))

    def _previous(self, weekdays: frozenset[int], end: int) -> Iterator[Dated]:
        yield Dated(self._of_week(-1, weekdays), end)

    def coming(self, weekdays: frozenset[int]) -> Days:
        """Return the first of each after today; of the weekend both days of one."""
        ahead = run_of(self._today + ONE_DAY, 7)
        if weekdays == WEEKEND:
            (saturday,) = (day for day in ahead if day.weekday() == SATURDAY)
            return Days(run_of(saturday, 2))
        return those_of(ahead, weekdays)

    def _from_today(self, weekdays: frozenset[int]) -> Days:
        return those_of(run_of(self._today, 7), weekdays)

    def _this_weekend(self) -> Days:
        saturday = monday_of(self._today) + SATURDAY * ONE_DAY
        return Days(run_of(saturday, 2))

    def _of_week(self, ahead: int, weekdays: frozenset[int]) -> Days:
        monday = monday_of(self._today) + ahead * ONE_WEEK
        dates = frozenset(monday + number * ONE_DAY for number in weekdays)
        return Days(dates, is_list=len(weekdays) > 1 and weekdays != WEEKEND)

    def _every(self, weekdays: frozenset[int], *, is_loose: bool = False) -> Days:
        all_days = run_of(self._today, DAYS_AHEAD_MAX)
        fitting = frozenset(day for day in all_days if day.weekday() in weekdays)
        return Days(fitting, is_open=True, is_loose=is_loose, is_list=len(weekdays) > 1)
