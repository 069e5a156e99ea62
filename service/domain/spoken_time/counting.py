"""Days that are counted from another: "in two weeks", "Friday in a fortnight"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from service.domain.civil_time import ONE_DAY, monday_of
from service.domain.spoken_time.dates import Dated
from service.domain.spoken_time.pieces import POSSIBLE, Days, run_of
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind, Unit

COUNT_MAX = {Unit.DAY: 366, Unit.WEEK: 52, Unit.FORTNIGHT: 26, Unit.MONTH: 24}


class CountingGrammar:
    """Reads what is counted in one sentence, from one day."""

    def __init__(self, sentence: Sentence, today: date) -> None:
        """Take the day of the clock on the wall."""
        self._sentence = sentence
        self._today = today
        self._is_english = sentence.language.code == "en"
        self._meant_days = sentence.language.meant_days

    def quantities(self, place: int) -> Iterator[tuple[int, Unit, int]]:
        """Return so many of a unit."""
        sentence = self._sentence
        ones = [(1, end) for end in sentence.ends(place, Kind.ONE)]
        for count, middle in [*sentence.numbers(place), *ones]:
            for unit, end in sentence.terms_here(middle, Kind.UNIT):
                if count <= COUNT_MAX.get(Unit(unit), 1000):
                    yield count, Unit(unit), end

    def later(self, count: int, unit: Unit, end: int) -> Iterator[Dated]:
        """In two weeks: that very day, or any of that week."""
        if unit < Unit.DAY:
            return
        yield from self.shifted(Dated(Days(frozenset({self._today})), end), count, unit)
        if unit is not Unit.DAY:
            day = self.moved(self._today, count, unit)
            yield Dated(Days(run_of(monday_of(day), 7)), end, POSSIBLE)

    def counted_on(self, days: Days, place: int) -> Iterator[Dated]:
        """Return "Friday in two weeks", "a fortnight tomorrow"."""
        for middle in self._sentence.ends(place, Kind.IN):
            for count, unit, end in self.quantities(middle):
                yield from self.shifted(Dated(days, end), count, unit)
            if self._sentence.language.code == "es":
                yield from self._in_so_many(days, middle)
        if self._is_english:
            for value, end in self._sentence.terms_here(place, Kind.UNIT):
                if value in (Unit.WEEK, Unit.FORTNIGHT):
                    yield from self.shifted(Dated(days, end), 1, Unit(value))

    def _in_so_many(self, days: Days, place: int) -> Iterator[Dated]:
        """Return "de hoy en ocho": a week, without a word for days."""
        sentence = self._sentence
        for count, end in sentence.numbers(place):
            is_hour = sentence.has(end, Kind.UNIT, Kind.OCLOCK, Kind.MERIDIEM, Kind.PART)
            if count in self._meant_days and not is_hour:
                meant = self._meant_days[count] * ONE_DAY
                moved = frozenset(day + meant for day in days.dates)
                yield Dated(Days(moved, is_list=days.is_list), end)

    def shifted(self, dated: Dated, count: int, unit: Unit) -> Iterator[Dated]:
        """Return a day so many units later; of several days nothing is."""
        days = dated.days
        if unit >= Unit.DAY and isinstance(days, Days) and len(days.dates) == 1:
            (day,) = days.dates
            meant = self._meant_days.get(count) if unit is Unit.DAY else None
            if meant is not None:
                # "En ocho días" is a week, and only then eight days.
                yield dated._replace(days=Days(frozenset({day + meant * ONE_DAY})))
            moved = Days(frozenset({self.moved(day, count, unit)}))
            yield dated._replace(days=moved, rank=dated.rank + POSSIBLE * (meant is not None))

    def moved(self, day: date, count: int, unit: Unit) -> date:
        """Return the day so many units later."""
        if unit is Unit.MONTH:
            return day + relativedelta(months=count)
        length = {Unit.DAY: 1, Unit.WEEK: 7, Unit.FORTNIGHT: 14}[unit]
        return day + timedelta(days=count * length)
