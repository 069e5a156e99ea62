"""Days, weeks and months: a grammar that all languages share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from service.domain.civil_time import ONE_DAY, ONE_WEEK, monday_of
from service.domain.spoken_time.clocks import RANGES, from_ends, froms
from service.domain.spoken_time.counting import CountingGrammar
from service.domain.spoken_time.dates import Dated, dates, month_days, months, weekday_dates
from service.domain.spoken_time.feasts import Feast, feast_days
from service.domain.spoken_time.pieces import (
    DAYS_AHEAD_MAX,
    POSSIBLE,
    Days,
    Found,
    Impossible,
    Times,
    from_to,
    run_of,
)
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind, Unit
from service.domain.spoken_time.weekday_grammar import WeekdayGrammar
from service.domain.spoken_time.weekdays import SATURDAY, WEEKEND, nearest

_BESIDE = ((Kind.BEFORE, (Kind.LAST, Kind.PREVIOUS)), (Kind.AFTER, (Kind.FIRST,)))
FEAST_DAYS_MAX = 2
POINTS_MAX = 24
"""So many ways to read days from one place on are followed: the likeliest."""


class DayGrammar:
    """Reads days in one sentence, counted from one day."""

    def __init__(self, sentence: Sentence, today: date, *, is_month_first: bool) -> None:
        """Take the day of the clock on the wall."""
        self._sentence = sentence
        self._today = today
        self._is_english = sentence.language.code == "en"
        self._is_month_first = is_month_first
        self.weekdays = WeekdayGrammar(sentence, today)
        self.counting = CountingGrammar(sentence, today)
        self._kept: dict[int, list[Dated]] = {}

    def days(self, place: int) -> Iterator[Found]:
        """Return every span of days that the words from here on can be."""
        for dated in self.points(place):
            yield Found((dated.days,), dated.end, dated.rank)
        for dated in [*self._open_ended(place), *self._ranges(place)]:
            yield Found((dated.days,), dated.end, dated.rank)
        for index, end in self._sentence.terms(place, Kind.THIS_PART):
            yield from self._this_part(index, end)

    def points(self, place: int) -> list[Dated]:
        """Return every day, week or month that the words from here on can be."""
        if place not in self._kept:
            likely = sorted(dict.fromkeys(self._points(place)), key=lambda each: each.rank)
            # Of those as likely, what is longer: half a list of days would be other days.
            kept = set(sorted(likely, key=lambda each: (each.rank, -each.end))[:POINTS_MAX])
            self._kept[place] = [each for each in likely if each in kept]
        return self._kept[place]

    def _points(self, place: int) -> Iterator[Dated]:
        sentence, today = self._sentence, self._today
        for offset, end in self._offsets(place):
            day = Days(frozenset({today + offset * ONE_DAY}))
            yield Dated(day, end)
            yield from self.counting.counted_on(day, end)
        for feast, end in sentence.terms(place, Kind.FEAST):
            yield Dated(Days(frozenset(feast_days(Feast(feast), today))), end)
        for end in sentence.ends(place, Kind.THIS):
            if sentence.has(end, Kind.PART):
                yield Dated(Days(frozenset({today})), end)
        month_first = self._is_month_first
        yield from dates(sentence, place, today, is_month_first=month_first)
        yield from weekday_dates(sentence, place, today, is_month_first=month_first)
        yield from self._weekdays(place)
        yield from self.weekdays.weekends(place)
        yield from self._spans(place)
        yield from self._parts_of_spans(place)
        yield from self._ordinal_weekdays(place)
        yield from self._beside_a_day(place)
        yield from self._day_beside(place)
        yield from self._in_future(place)

    def _offsets(self, place: int) -> Iterator[tuple[int, int]]:
        """Return days counted from today; but "la mañana" is a part of the day, not tomorrow."""
        sentence = self._sentence
        for start in sentence.starts(place):
            for offset, end in sentence.terms_here(start, Kind.DAY_OFFSET):
                if not sentence.ends_a(Kind.PART, start, end):
                    yield offset, end

    # Weekdays.

    def _weekdays(self, place: int) -> Iterator[Dated]:
        for weekdays, end in self.weekdays.listed(place):
            yield from self.weekdays.followed(weekdays, end)
            yield from self.weekdays.bare(weekdays, end)
            is_today = self._today.weekday() in weekdays
            for dated in self.counting.counted_on(self.weekdays.coming(weekdays), end):
                yield dated._replace(rank=POSSIBLE) if is_today else dated
            if is_today:
                yield from self.counting.counted_on(Days(frozenset({self._today})), end)
        yield from self.weekdays.determined(place)
        yield from self.weekdays.habits(place)

    # Weeks and months.

    def _spans(self, place: int) -> Iterator[Dated]:
        """Return this week, next month, December, week 50, the week of a day."""
        sentence = self._sentence
        for ahead, unit, end in self._relative_units(place):
            yield Dated(Days(self._unit_days(unit, ahead)), end)
        yield from months(sentence, place, self._today)
        for end in sentence.ends(place, Kind.WEEK_NUMBER):
            for number, past in sentence.numbers_here(end):
                yield from self._numbered_week(number, past)
        for end in sentence.ends(place, Kind.WEEK_OF):
            for dated in self.points(end):
                if isinstance(dated.days, Days) and len(dated.days.dates) <= 2:
                    first = min(dated.days.dates)
                    yield Dated(Days(run_of(monday_of(first), 7)), dated.end, dated.rank)

    def _relative_units(self, place: int) -> Iterator[tuple[int, Unit, int]]:
        sentence = self._sentence
        for kind, ahead in (
            (Kind.THIS, 0),
            (Kind.NEXT, 1),
            (Kind.AFTER_NEXT, 2),
            (Kind.PREVIOUS, -1),
            (Kind.COMING, 1),
        ):
            for middle in sentence.ends(place, kind):
                for unit, end in sentence.terms_here(middle, Kind.UNIT):
                    if unit in (Unit.WEEK, Unit.MONTH):
                        yield ahead, Unit(unit), end
            for unit, middle in sentence.terms(place, Kind.UNIT):
                if unit in (Unit.WEEK, Unit.MONTH) and ahead != 0:
                    for end in self._after_unit(middle, kind):
                        yield ahead, Unit(unit), end

    def _after_unit(self, place: int, kind: Kind) -> list[int]:
        """Return where "after next" ends; in Spanish all such words follow."""
        if kind is Kind.AFTER_NEXT or self._sentence.language.code == "es":
            return self._sentence.ends(place, kind)
        return []

    def _unit_days(self, unit: Unit, ahead: int) -> frozenset[date]:
        if unit is Unit.WEEK:
            return run_of(monday_of(self._today) + ahead * ONE_WEEK, 7)
        return month_days(self._today.year, self._today.month + ahead)

    def _numbered_week(self, number: int, end: int) -> Iterator[Dated]:
        """Return an ISO week: the next of that number."""
        for year in (self._today.year, self._today.year + 1):
            try:
                monday = date.fromisocalendar(year, number, 1)
            except ValueError:
                continue
            if monday + ONE_WEEK > self._today:
                yield Dated(Days(run_of(monday, 7)), end)
                return
        if number > 53 or number == 0:
            yield Dated(Impossible(f"week {number}"), end)

    def _parts_of_spans(self, place: int) -> Iterator[Dated]:
        """Return the beginning, the middle or the end of a week or month."""
        sentence = self._sentence
        for third, middle in sentence.terms(place, Kind.SPAN_PART):
            for dated in self._spans(middle):
                if isinstance(dated.days, Days):
                    yield dated._replace(days=Days(_third(dated.days.dates, third)))
            for unit, end in sentence.terms(middle, Kind.UNIT):
                if unit in (Unit.WEEK, Unit.MONTH):
                    yield Dated(Days(_third(self._unit_days(Unit(unit), 0), third)), end)
        for value, end in sentence.terms(place, Kind.SPAN_END):
            unit, third = divmod(value, 10)
            yield Dated(Days(_third(self._unit_days(Unit(unit), 0), third)), end)

    def _ordinal_weekdays(self, place: int) -> Iterator[Dated]:
        """Return "the first Monday of December", "the last weekend of the month"."""
        sentence = self._sentence
        found = list(sentence.terms(place, Kind.ORDINAL))
        found += [(0, end) for end in sentence.ends(place, Kind.LAST)]
        found += [(0, end) for end in sentence.ends(place, Kind.PREVIOUS)]
        for ordinal, middle in found:
            for unit, after in sentence.terms(middle, Kind.UNIT):
                for span, end in self._months_after(after) if unit == Unit.WEEK else []:
                    start = 7 * ordinal - 7 if ordinal else -7
                    if start < 28:
                        yield Dated(Days(frozenset(sorted(span)[start:][:7])), end)
            named = [(weekday, 1, end) for weekday, end in sentence.terms(middle, Kind.WEEKDAY)]
            named += [(SATURDAY, 2, end) for end in sentence.ends(middle, Kind.WEEKEND)]
            for weekday, length, after in named:
                for span, end in self._months_after(after):
                    fitting = sorted(day for day in span if day.weekday() == weekday)
                    if ordinal <= len(fitting):
                        yield Dated(Days(run_of(fitting[ordinal - 1], length)), end)

    def _months_after(self, place: int) -> Iterator[tuple[frozenset[date], int]]:
        for dated in self._spans(place):
            if isinstance(dated.days, Days) and len(dated.days.dates) > 7:
                yield dated.days.dates, dated.end
        for unit, end in self._sentence.terms(place, Kind.UNIT):
            if unit == Unit.MONTH:
                yield self._unit_days(Unit.MONTH, 0), end

    def _beside_a_day(self, place: int) -> Iterator[Dated]:
        """Return "the Friday before Christmas", "the first Monday after the 3rd": the nearest."""
        sentence = self._sentence
        for kind, firsts in _BESIDE:
            starts = [(0, place)]
            starts += [(0, end) for each in firsts for end in sentence.ends(place, each)]
            starts += [(nth - 1, end) for nth, end in sentence.terms(place, Kind.ORDINAL)]
            for weeks, start in starts:
                weekends = [(WEEKEND, end) for end in sentence.ends(start, Kind.WEEKEND)]
                for weekdays, middle in [*self.weekdays.listed(start), *weekends]:
                    for after in sentence.ends(middle, kind):
                        yield from self._beside(weekdays, after, weeks, kind)

    def _beside(
        self, weekdays: frozenset[int], place: int, weeks: int, kind: Kind
    ) -> Iterator[Dated]:
        is_before = kind is Kind.BEFORE
        for days, dated in self.firm(place):
            if len(days) <= FEAST_DAYS_MAX:
                beside = nearest(weekdays, days, is_before=is_before, weeks=weeks)
                yield dated._replace(days=beside)

    def _day_beside(self, place: int) -> Iterator[Dated]:
        """Return "the day after Christmas", "the day before the 3rd"."""
        sentence = self._sentence
        for middle in sentence.ends(place, Kind.SINGLE_DAY):
            for kind in (Kind.BEFORE, Kind.AFTER):
                for after in sentence.ends(middle, kind):
                    for days, dated in self.firm(after):
                        if len(days) <= FEAST_DAYS_MAX:
                            is_before = kind is Kind.BEFORE
                            day = min(days) - ONE_DAY if is_before else max(days) + ONE_DAY
                            yield dated._replace(days=Days(frozenset({day})))

    # Counted from a day.

    def _in_future(self, place: int) -> Iterator[Dated]:
        sentence = self._sentence
        for middle in sentence.ends(place, Kind.IN):
            for count, unit, end in self.counting.quantities(middle):
                yield from self.counting.later(count, unit, end)
        for count, unit, middle in self.counting.quantities(place):
            for end in sentence.ends(middle, Kind.FROM_NOW):
                yield from self.counting.later(count, unit, end)
            # "A week from Friday", "a week today".
            alone = [middle] if self._is_english and unit in (Unit.WEEK, Unit.FORTNIGHT) else []
            for after in [*sentence.ends(middle, Kind.FROM), *alone]:
                for dated in self.points(after):
                    yield from self.counting.shifted(dated, count, unit)
        for middle in sentence.ends(place, Kind.WITHIN):
            for count, unit, end in self.counting.quantities(middle):
                if unit >= Unit.DAY:
                    last = self.counting.moved(self._today, count, unit)
                    yield Dated(Days(from_to(self._today, last)), end)

    # Spans between days.

    def _open_ended(self, place: int) -> Iterator[Dated]:
        sentence = self._sentence
        for kind in (Kind.UNTIL, Kind.BEFORE):
            for middle in sentence.ends(place, kind):
                for days, dated in self.firm(middle):
                    last = max(days) if kind is Kind.UNTIL else min(days) - ONE_DAY
                    yield dated._replace(days=self.all_to(last))
        for middle, is_enough in froms(sentence, place):
            for days, dated in self.firm(middle):
                for end in from_ends(sentence, dated.end, is_enough=is_enough):
                    yield Dated(self.all_from(min(days)), end, dated.rank)
        for middle in sentence.ends(place, Kind.AFTER):
            for days, dated in self.firm(middle):
                yield dated._replace(days=self.all_from(max(days) + ONE_DAY))

    def all_from(self, first: date) -> Days:
        """Return that day and all later ones."""
        return Days(run_of(max(first, self._today), DAYS_AHEAD_MAX), is_open=True)

    def all_to(self, last: date) -> Days:
        """Return today and all days up to that one."""
        return Days(from_to(min(self._today, last), last))

    def _ranges(self, place: int) -> Iterator[Dated]:
        sentence = self._sentence
        for opening, joint in RANGES:
            for start in [place] if opening is None else sentence.ends(place, opening):
                for first_days, first in self.firm(start):
                    for middle in sentence.ends(first.end, joint):
                        for last in self.points(middle):
                            yield from self._range(min(first_days), first, last)

    def _range(self, start: date, first: Dated, last: Dated) -> Iterator[Dated]:
        if isinstance(last.days, Impossible):
            yield last
        elif last.days.is_list:
            return
        elif later := [day for day in last.days.dates if day >= start]:
            is_firm = not last.days.is_open or last.days.is_loose
            stop = min(later) if last.days.is_loose else max(later)
            if is_firm:
                rank = max(first.rank, last.rank)
                yield Dated(Days(from_to(start, stop)), last.end, rank)

    def firm(self, place: int) -> Iterator[tuple[frozenset[date], Dated]]:
        """Return the days from here on that are those and no others."""
        for dated in self.points(place):
            days = dated.days
            if isinstance(days, Days) and not days.is_open and not days.is_list:
                yield days.dates, dated

    def _this_part(self, index: int, end: int) -> Iterator[Found]:
        part = self._sentence.language.parts[index]
        times = Times(part.start, part.end, part=part)
        yield Found((Days(frozenset({self._today})), times), end)


def _third(days: frozenset[date], third: int) -> frozenset[date]:
    """Return the beginning, the middle or the end: of a week Mon and Tue, Wed, or Thu and Fri."""
    ordered = sorted(days)
    if len(ordered) == 7:
        return frozenset((ordered[:2], ordered[2:3], ordered[3:5])[third])
    return frozenset((ordered[:7], ordered[10:20], ordered[-7:])[third])
