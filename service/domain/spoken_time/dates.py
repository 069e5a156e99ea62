"""Dates in figures and in words: a grammar that all languages share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from service.domain.spoken_time.clocks import RANGES
from service.domain.spoken_time.pieces import LIKELY, POSSIBLE, Days, Impossible, from_to
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind

YEARS = range(1971, 2200)
_JOINTS = (
    *((opening, joint, True) for opening, joint in RANGES),
    (None, Kind.OR, False),
    (None, Kind.AND, False),
)
WEEKDAY_AHEAD_DAYS = 62
"""So far ahead "Friday the 13th" is looked for: who means another is rather mistaken."""
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Dated(NamedTuple):
    """Days or an impossible date, where its words end, and how unlikely it is."""

    days: Days | Impossible
    end: int
    rank: int = LIKELY


class _Figures(NamedTuple):
    day: int
    month: int
    year: int | None
    end: int
    rank: int = LIKELY


def dates(sentence: Sentence, place: int, today: date, *, is_month_first: bool) -> Iterator[Dated]:
    """Return every date that the words from here on can be."""
    yield from _full_dates(sentence, place, today, is_month_first=is_month_first)
    yield from _iso_interval(sentence, place)
    yield from _days_of_month(sentence, place, today)
    yield from _spans_of_month(sentence, place, today)


def _full_dates(
    sentence: Sentence, place: int, today: date, *, is_month_first: bool
) -> Iterator[Dated]:
    figures = [
        *_iso(sentence, place),
        *_numeric(sentence, place, is_month_first=is_month_first),
        *_in_words(sentence, place),
    ]
    for each in figures:
        yield Dated(_day_of(each.day, each.month, each.year, today), each.end, each.rank)


def months(sentence: Sentence, place: int, today: date) -> Iterator[Dated]:
    """Return every month that the words from here on can be."""
    for month, end in sentence.terms(place, Kind.MONTH):
        yield Dated(Days(month_days(today.year + (month < today.month), month)), end)
        for year, past in _years(sentence, end):
            yield Dated(Days(month_days(year, month)), past)


def month_days(year: int, month: int) -> frozenset[date]:
    """Return all days of a month; months over twelve are of later years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    first = date(year, month, 1)
    days = (first + timedelta(days=number) for number in range(31))
    return frozenset(day for day in days if day.month == month)


def weekday_dates(
    sentence: Sentence, place: int, today: date, *, is_month_first: bool
) -> Iterator[Dated]:
    """Return dates that are said with a weekday: where it is another there is no such day."""
    for weekday, end in sentence.terms(place, Kind.WEEKDAY):
        name = WEEKDAYS[weekday]
        for dated in _full_dates(sentence, end, today, is_month_first=is_month_first):
            if isinstance(dated.days, Impossible):
                continue
            (day,) = dated.days.dates
            if day.weekday() != weekday:
                wrong = f"{name} {day.day} {MONTHS[day.month - 1]} {day.year}"
                yield dated._replace(days=Impossible(wrong))
        for dated in _days_of_month(sentence, end, today):
            if isinstance(dated.days, Days) and dated.days.is_loose:
                for days in _soon_on(weekday, dated.days, today):
                    yield dated._replace(days=days)
        if sentence.language.code == "es":
            yield from _number_behind(sentence, weekday, end, today)


def _number_behind(sentence: Sentence, weekday: int, place: int, today: date) -> Iterator[Dated]:
    """Return "el viernes 11": the next such day; where none comes soon there is no such date."""
    number = sentence.digits(place)
    end = place + 1
    if number is None or sentence.is_sign(end, ":", ".", "/", "-", glued=True):
        return
    if sentence.has(end, Kind.OCLOCK, Kind.MERIDIEM, Kind.MONTH, Kind.CLOCK_SUFFIX):
        return
    found = [
        Dated(days, end)
        for each in _next_of_number(number, today)
        if isinstance(each, Days)
        for days in _soon_on(weekday, each, today)
    ]
    yield from found or [Dated(Impossible(f"{WEEKDAYS[weekday]} {number}"), end)]


def _soon_on(weekday: int, days: Days, today: date) -> Iterator[Days]:
    """Return the next such day of a month that is that weekday, if it comes soon."""
    last = today + timedelta(days=WEEKDAY_AHEAD_DAYS)
    fitting = sorted(day for day in days.dates if day.weekday() == weekday and day <= last)
    if fitting:
        yield Days(frozenset(fitting[:1]))


def _iso(sentence: Sentence, place: int) -> Iterator[_Figures]:
    for start in sentence.starts(place):
        year = sentence.digits(start)
        month = sentence.glued_digits(start + 2, 2)
        day = sentence.glued_digits(start + 4, 2)
        if year not in YEARS or month is None or day is None:
            continue
        signs = (sentence.is_sign(start + sign, "-", glued=True) for sign in (1, 3))
        if all(signs):
            yield _Figures(day, month, year, start + 5)


def iso_day(sentence: Sentence, place: int) -> Iterator[tuple[date | Impossible, int]]:
    """Return a day as machines write it: 2026-12-03."""
    for figures in _iso(sentence, place):
        found = _day_of(figures.day, figures.month, figures.year, date.min)
        yield (found if isinstance(found, Impossible) else min(found.dates)), figures.end


def _iso_interval(sentence: Sentence, place: int) -> Iterator[Dated]:
    """Return what machines write: 2026-12-01/2026-12-05, both days included."""
    for first, middle in iso_day(sentence, place):
        for last, end in iso_day(sentence, middle + 1) if sentence.is_sign(middle, "/") else []:
            if isinstance(first, Impossible):
                yield Dated(first, end)
            elif isinstance(last, Impossible):
                yield Dated(last, end)
            elif first <= last:
                yield Dated(Days(from_to(first, last)), end)


def _numeric(sentence: Sentence, place: int, *, is_month_first: bool) -> Iterator[_Figures]:
    for start in sentence.starts(place):
        first = sentence.digits(start)
        for sign in "/.-":
            second = sentence.digits(start + 2)
            if first is None or second is None or not sentence.is_sign(start + 1, sign):
                continue
            for year, end in _figured_year(sentence, start + 3, sign):
                if sign == "-" and year is None:
                    continue
                yield from _orders(sentence, (first, second), sign, year, end, is_month_first)


def _figured_year(sentence: Sentence, place: int, sign: str) -> list[tuple[int | None, int]]:
    """Return the year that may follow day and month, and where the date ends."""
    if not sentence.is_sign(place, sign):
        return [(None, place)]
    year = sentence.digits(place + 1)
    if year in YEARS:
        return [(year, place + 2)]
    if year is not None and len(sentence.tokens[place + 1].text) == 2:
        return [(2000 + year, place + 2)]
    # "12.3." ends with a dot; "12/3/" is nothing.
    return [(None, place + 1)] if sign == "." else []


def _orders(
    sentence: Sentence,
    pair: tuple[int, int],
    sign: str,
    year: int | None,
    end: int,
    is_month_first: bool,
) -> Iterator[_Figures]:
    first, second = pair
    language = sentence.language
    if sign == ".":
        # 10.30 is rather an hour, where dates are not written with dots.
        is_hour = year is None and not sentence.is_sign(end - 1, ".") and first <= 24
        rank = POSSIBLE if is_hour and not language.is_dotted_date else LIKELY
        if not (is_hour and second > 12):
            yield _Figures(first, second, year, end, rank)
        return
    is_turned = language.is_month_first
    if second <= 12 or (is_turned and first > 12) or not is_turned:
        yield _Figures(first, second, year, end, POSSIBLE if is_month_first and first <= 12 else 0)
    if first <= 12 and first != second and (is_turned or second > 12):
        yield _Figures(second, first, year, end, LIKELY if is_month_first else POSSIBLE)


def _in_words(sentence: Sentence, place: int) -> Iterator[_Figures]:
    for day, after in _day_numbers(sentence, place):
        # "At 10 in December" is an hour; "the 10th in December" is a day.
        is_bare = sentence.tokens[after - 1].number is not None
        if is_bare and next(sentence.terms_here(after, Kind.IN), None) is not None:
            continue
        for month, end in _months_here(sentence, after):
            yield from _with_year(sentence, day, month, end)
    for month, after in sentence.terms(place, Kind.MONTH):
        if sentence.has(after, Kind.AT):
            continue
        for day, end in _day_numbers(sentence, after):
            if not sentence.has(end, Kind.OCLOCK, Kind.MERIDIEM) and not sentence.is_sign(end, ":"):
                yield from _with_year(sentence, day, month, end)


def _months_here(sentence: Sentence, place: int) -> Iterator[tuple[int, int]]:
    yield from sentence.terms(place, Kind.MONTH)


def _with_year(sentence: Sentence, day: int, month: int, end: int) -> Iterator[_Figures]:
    yield _Figures(day, month, None, end)
    for year, past in _years(sentence, end):
        yield _Figures(day, month, year, past)


def _years(sentence: Sentence, place: int) -> Iterator[tuple[int, int]]:
    for start in sentence.starts(place):
        year = sentence.digits(start)
        if year is not None and year in YEARS:
            yield year, start + 1


def _day_numbers(sentence: Sentence, place: int) -> Iterator[tuple[int, int]]:
    """Return a day of the month: 3, 3rd, 3., third."""
    for start in sentence.starts(place):
        number = sentence.digits(start)
        if number is not None and number <= 99:
            yield number, start + 1
            for end in _ordinal_ends(sentence, start + 1):
                yield number, end
        yield from sentence.terms_here(start, Kind.ORDINAL)
        yield from sentence.terms_here(start, Kind.NUMBER)


def _ordinal_ends(sentence: Sentence, place: int) -> Iterator[int]:
    if place < sentence.length and sentence.tokens[place].is_glued:
        for _, end in sentence.terms_here(place, Kind.ORDINAL_SIGN):
            yield end


def _days_of_month(sentence: Sentence, place: int, today: date) -> Iterator[Dated]:
    """Return "the 3rd": of this month, or of the next that has one."""
    for start in sentence.starts(place):
        number = sentence.digits(start)
        ends = [] if number is None else list(_ordinal_ends(sentence, start + 1))
        found = [(number, end, LIKELY) for end in ends]
        # "The third" is a day; "third" without an article need not be one.
        ordinals = sentence.terms_here(start, Kind.ORDINAL) if start > place else ()
        found += [(each, end, POSSIBLE) for each, end in ordinals]
        for _, end in sentence.terms_here(start, Kind.DAY_ARTICLE):
            number = sentence.digits(end)
            found.append((number, end + 1, LIKELY))
        for day, end, rank in found:
            if day is not None:
                yield from (Dated(days, end, rank) for days in _next_of_number(day, today))


def _next_of_number(day: int, today: date) -> Iterator[Days | Impossible]:
    if not 1 <= day <= 31:
        yield Impossible(f"day {day}")
        return
    later = [each for ahead in range(13) for each in month_days(today.year, today.month + ahead)]
    fitting = sorted(each for each in later if each.day == day and each >= today)
    yield Days(frozenset(fitting[:1]))
    # "Friday the 13th", "the 3rd of next month"
    yield Days(frozenset(fitting), is_open=True, is_loose=True)


def _spans_of_month(sentence: Sentence, place: int, today: date) -> Iterator[Dated]:
    """Return "3 to 5 December", "December 3 to 5", "3 or 5 December"."""
    for opening, joint, is_span in _JOINTS:
        for start in [place] if opening is None else sentence.ends(place, opening):
            for first, after in _day_numbers(sentence, start):
                for middle in sentence.ends(after, joint):
                    for last in _in_words(sentence, middle):
                        yield _both(first, last, today, is_span=is_span)
            for figures in _in_words(sentence, start):
                for middle in sentence.ends(figures.end, joint):
                    for last in _more_days(sentence, middle, figures):
                        yield _both(figures.day, last, today, is_span=is_span)


def _more_days(sentence: Sentence, place: int, first: _Figures) -> Iterator[_Figures]:
    """Return the "5" of "December 3 to 5"."""
    for day, end in _day_numbers(sentence, place):
        if not sentence.has(end, Kind.MONTH, Kind.OCLOCK, Kind.MERIDIEM):
            yield first._replace(day=day, end=end)


def _both(first_day: int, last: _Figures, today: date, *, is_span: bool) -> Dated:
    """Return two days of a month, or all from one to the other."""
    last_of_all = _day_of(last.day, last.month, last.year, today)
    if isinstance(last_of_all, Impossible):
        return Dated(last_of_all, last.end)
    (last_day,) = last_of_all.dates
    first = _day_of(first_day, last.month, last_day.year, today)
    if isinstance(first, Impossible) or not first_day < last.day:
        told = f"{first_day} to {last.day} {MONTHS[last.month - 1]}"
        return Dated(first if isinstance(first, Impossible) else Impossible(told), last.end)
    if is_span:
        return Dated(Days(from_to(min(first.dates), last_day)), last.end)
    return Dated(Days(first.dates | last_of_all.dates), last.end)


def _day_of(day: int, month: int, year: int | None, today: date) -> Days | Impossible:
    """Return a date; without a year the next one."""
    if not 1 <= month <= 12:
        return Impossible(f"{day}/{month}" + (f"/{year}" if year else ""))
    wanted = year or today.year
    try:
        found = date(wanted, month, day)
        if year is None and found < today:
            wanted += 1
            found = date(wanted, month, day)
    except ValueError:
        if year is None and (month, day) < (today.month, today.day):
            wanted = today.year + 1
        is_leap_day = (day, month) == (29, 2)
        return Impossible(
            f"{day} {MONTHS[month - 1]}" + (f" {wanted}" if year or is_leap_day else "")
        )
    return Days(frozenset({found}))
