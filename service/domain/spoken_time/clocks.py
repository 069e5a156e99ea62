"""Hours of the day: a grammar that all languages share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from service.domain.spoken_time.pieces import DAY_MINUTES, LIKELY, POSSIBLE, UNLIKELY, Found, Times
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind

HALF_DAY = 720
AT_MINUTES = 60
"""So long is the window of a start; its slots are those near it."""
AROUND_MINUTES = 60
BARE_RANGE = 4
# An hour that is said without morning or afternoon is one at which people are at work.
_MORNING_RANKS = {6: POSSIBLE} | dict.fromkeys((7, 8, 9, 10, 11), LIKELY)
_EVENING_RANKS = {7: POSSIBLE, 8: POSSIBLE} | dict.fromkeys((12, 1, 2, 3, 4, 5, 6), LIKELY)


RANGES = (
    (Kind.BETWEEN, Kind.AND),
    (Kind.FROM, Kind.TO),
    (Kind.FROM_TO, Kind.TO),
    (None, Kind.TO),
)
"""With which words a span begins, and which stand between its ends."""


class Clock(NamedTuple):
    """A wall time, where its words end, and how unlikely it is."""

    minute: int
    end: int
    rank: int = LIKELY
    is_bare: bool = False
    """A number alone: only what stands around it makes it an hour."""
    is_sure: bool = False
    """Which half of the day is meant was said."""


class Edge(NamedTuple):
    """Where a span of time can begin or end: an hour, or a part of the day."""

    start: int
    stop: int
    end: int
    rank: int
    is_bare: bool
    is_sure: bool


def clocks(sentence: Sentence, place: int) -> Iterator[Clock]:
    """Return every hour that the words from here on can be."""
    for minute, end in sentence.terms(place, Kind.CLOCK):
        yield from _named(minute, end)
    for minute, end, is_exact, is_bare in _spoken(sentence, place):
        for after in sentence.maybe(end, Kind.OCLOCK):
            is_still_bare = is_bare and after == end
            meridiems = list(sentence.terms_here(after, Kind.MERIDIEM))
            for meridiem, past in meridiems:
                yield from _in_half(minute, meridiem, past)
            is_date = _is_of_a_date(sentence, after) or _is_day_behind_weekday(sentence, place)
            if not meridiems and not (is_still_bare and is_date):
                for each, rank in _halves(minute, is_exact=is_exact):
                    yield Clock(each, after, rank, is_still_bare, is_exact)


def times(sentence: Sentence, place: int) -> Iterator[Found]:
    """Return every time of the day that the words from here on can be."""
    yield from _at(sentence, place)
    yield from _parts(sentence, place)
    yield from _open_ended(sentence, place)
    yield from _ranges(sentence, place)
    for after in sentence.ends(place, Kind.AROUND):
        for clock in clocks(sentence, after):
            start = max(0, clock.minute - AROUND_MINUTES)
            yield Found((Times(start, clock.minute + AROUND_MINUTES),), clock.end, clock.rank)


def edges(sentence: Sentence, place: int) -> Iterator[Edge]:
    """Return every hour or part of the day from here on, as where a span begins or ends."""
    for start in sentence.maybe(place, Kind.AT):
        for clock in clocks(sentence, start):
            is_bare = clock.is_bare and start == place
            yield Edge(clock.minute, clock.minute, clock.end, clock.rank, is_bare, clock.is_sure)
    for index, end in sentence.terms(place, Kind.PART):
        part = sentence.language.parts[index]
        yield Edge(part.start, part.end, end, LIKELY, is_bare=False, is_sure=True)


def froms(sentence: Sentence, place: int) -> Iterator[tuple[int, bool]]:
    """Return where a "from" ends, and whether it needs no "on" behind."""
    for kind in (Kind.FROM, Kind.NOT_BEFORE, Kind.FROM_TO):
        for end in sentence.ends(place, kind):
            yield end, kind is not Kind.FROM_TO


def from_ends(sentence: Sentence, place: int, *, is_enough: bool) -> list[int]:
    """Return where "from ten on" ends, of which the "on" may be missing."""
    bare = [place] if is_enough else []
    return [*bare, *sentence.ends(place, Kind.ON), *sentence.ends(place, Kind.ONWARD)]


def _at(sentence: Sentence, place: int) -> Iterator[Found]:
    for start in sentence.maybe(place, Kind.AT):
        for clock in clocks(sentence, start):
            is_bare = clock.is_bare and start == place
            is_count = next(sentence.terms_here(clock.end, Kind.WEEKDAYS), None) is not None
            if is_bare and (is_count or sentence.has(clock.end, Kind.SLOT)):
                continue
            at = Times(clock.minute, clock.minute + AT_MINUTES, is_at=True)
            yield Found((at,), clock.end, clock.rank + UNLIKELY * is_bare)


def _parts(sentence: Sentence, place: int) -> Iterator[Found]:
    for kind in (Kind.PART, Kind.PARTS, Kind.PART_OF_DAY):
        for index, end in sentence.terms(place, kind):
            part = sentence.language.parts[index]
            times = Times(
                part.start,
                part.end,
                part=part,
                is_daily=kind is Kind.PARTS,
                is_behind_day=kind is Kind.PART_OF_DAY,
            )
            yield Found((times,), end)


def _open_ended(sentence: Sentence, place: int) -> Iterator[Found]:
    for after in sentence.ends(place, Kind.AFTER):
        for edge in edges(sentence, after):
            yield Found((Times(edge.stop % DAY_MINUTES, DAY_MINUTES),), edge.end, edge.rank)
    for after, is_enough in froms(sentence, place):
        for edge in edges(sentence, after):
            times = Times(edge.start % DAY_MINUTES, DAY_MINUTES)
            for end in from_ends(sentence, edge.end, is_enough=is_enough):
                yield Found((times,), end, edge.rank)
    for edge in edges(sentence, place):
        for end in sentence.ends(edge.end, Kind.ONWARD):
            yield Found((Times(edge.start % DAY_MINUTES, DAY_MINUTES),), end, edge.rank)
    for kind in (Kind.BEFORE, Kind.UNTIL):
        for after in sentence.ends(place, kind):
            for edge in edges(sentence, after):
                if edge.start > 0:
                    yield Found((Times(0, edge.start),), edge.end, edge.rank)


def _ranges(sentence: Sentence, place: int) -> Iterator[Found]:
    for opening, joint in RANGES:
        for start in [place] if opening is None else sentence.ends(place, opening):
            for found in ranges_after(sentence, start, joint, is_open=opening is None):
                is_bare = opening is None and sentence.digits(start) is not None
                yield found._replace(rank=found.rank + BARE_RANGE * is_bare)


def ranges_after(
    sentence: Sentence, place: int, joint: Kind, *, is_open: bool = False
) -> list[Found]:
    """Return every pair of hours from here on that such a word joins; of two halves the shorter."""
    found = []
    for first in edges(sentence, place):
        for middle in sentence.ends(first.end, joint):
            for last in edges(sentence, middle):
                if is_open and first.start != first.stop and last.start == last.stop:
                    # "Por la tarde a las ocho" is at eight.
                    continue
                times = _pair(first, last)
                each = Found((times,), last.end, _pair_rank(first, last))
                found.append((each.rank, times.end - times.start, each))
    return [each for _, _, each in sorted(found, key=lambda ranked: ranked[:2])]


def _pair(first: Edge, last: Edge) -> Times:
    stop = last.start if last.start > first.start else last.start + DAY_MINUTES
    if last.stop != last.start:
        # "From noon to the evening": the evening is meant too.
        stop += last.stop - last.start
    return Times(first.start, stop)


def _pair_rank(first: Edge, last: Edge) -> int:
    # "From nine to eleven p.m.": one of them says it for both.
    rank = LIKELY if first.is_sure != last.is_sure else max(first.rank, last.rank)
    length = (last.start - first.start) % DAY_MINUTES
    is_over_midnight = last.start <= first.start
    return rank + UNLIKELY * (is_over_midnight or length >= HALF_DAY)


def _named(minute: int, end: int) -> Iterator[Clock]:
    """Midnight is rather the end of the day that it is said with."""
    if minute:
        yield Clock(minute, end, is_sure=True)
    else:
        yield Clock(DAY_MINUTES, end, is_sure=True)
        yield Clock(0, end, POSSIBLE, is_sure=True)


def _spoken(sentence: Sentence, place: int) -> Iterator[tuple[int, int, bool, bool]]:
    """Return minute, end, whether the half of the day is known, and whether it is a mere number."""
    for hour, end in _hours(sentence, place):
        is_exact = hour > 12 or hour == 0 or sentence.tokens[end - 1].text.startswith("0")
        yield hour * 60, end, is_exact, True
        yield from _with_minutes(sentence, hour, end, is_exact)
    for shift, middle in sentence.terms(place, Kind.CLOCK_PREFIX):
        for hour, end in _hours(sentence, middle):
            yield _shifted(hour, shift), end, hour > 12, False
    yield from _past_the_hour(sentence, place)


def _past_the_hour(sentence: Sentence, place: int) -> Iterator[tuple[int, int, bool, bool]]:
    """Return "ten past five". "10 to 5" is a span; "10 minutes to 5", "ten to five" are hours."""
    for number, middle in sentence.numbers_here(place):
        for start in _after_minutes(sentence, middle):
            for direction, after in sentence.terms(start, Kind.PAST):
                is_span = start == middle and sentence.has(start, Kind.TO)
                is_clear = start > middle or (number % 5 == 0 and number < 30)
                if (is_span and sentence.digits(place) is not None) or not is_clear:
                    continue
                for minute, end, is_exact in _full_or_half(sentence, after):
                    if 0 < number < 60 and not _is_of_a_date(sentence, end):
                        yield (minute + direction * number) % DAY_MINUTES, end, is_exact, False


def _hours(sentence: Sentence, place: int) -> Iterator[tuple[int, int]]:
    for number, end in sentence.numbers_here(place):
        if number <= 24:
            yield number, end
    for _, end in sentence.terms_here(place, Kind.ONE):
        if sentence.has(end, Kind.OCLOCK):
            yield 1, end


def _with_minutes(
    sentence: Sentence, hour: int, end: int, is_exact: bool
) -> Iterator[tuple[int, int, bool, bool]]:
    if sentence.is_sign(end, ":", ".", glued=True) or next(
        sentence.terms_here(end, Kind.HOUR_SIGN), None
    ):
        minute = sentence.glued_digits(end + 1, 2)
        if minute is not None and minute < 60 and not _is_of_a_date(sentence, end + 2):
            # Whole seconds may follow, as machines write them.
            has_seconds = sentence.is_sign(end + 2, ":", glued=True)
            past = end + 4 if has_seconds and sentence.glued_digits(end + 3, 2) == 0 else end + 2
            yield hour * 60 + minute, past, is_exact, False
    for after in sentence.ends(end, Kind.OCLOCK):
        for minute, past in sentence.numbers(after):
            if 0 < minute < 60 and not _is_of_a_date(sentence, past):
                yield hour * 60 + minute, past, is_exact, False
    for minute, past in sentence.terms(end, Kind.CLOCK_SUFFIX):
        yield _shifted(hour, minute), past, is_exact, False
    for direction, after in sentence.terms(end, Kind.PLUS):
        for minute, past in sentence.numbers(after):
            if 0 < minute < 60:
                yield _shifted(hour, direction * minute), past, is_exact, False


def _full_or_half(sentence: Sentence, place: int) -> Iterator[tuple[int, int, bool]]:
    for hour, end in _hours(sentence, place):
        yield hour * 60, end, hour > 12
    for shift, middle in sentence.terms(place, Kind.CLOCK_PREFIX):
        for hour, end in _hours(sentence, middle):
            yield _shifted(hour, shift), end, hour > 12


def _after_minutes(sentence: Sentence, place: int) -> list[int]:
    units = [end for unit, end in sentence.terms(place, Kind.UNIT) if unit == 0]
    return [place, *units]


def _shifted(hour: int, minutes: int) -> int:
    return (hour * 60 + minutes) % DAY_MINUTES


def _halves(minute: int, *, is_exact: bool) -> Iterator[tuple[int, int]]:
    """Return the two times of the day that a clock shows so, and how unlikely each is."""
    if is_exact:
        yield minute, LIKELY
        return
    early = minute % HALF_DAY
    hour = early // 60 or 12
    late = early + HALF_DAY
    # Twelve at night is the end of the day.
    at_night = early + DAY_MINUTES if hour == 12 else early
    ranked = [
        (at_night, _MORNING_RANKS.get(hour, UNLIKELY)),
        (late, _EVENING_RANKS.get(hour, UNLIKELY)),
    ]
    yield from sorted(ranked, key=lambda each: each[1])


def _in_half(minute: int, meridiem: int, end: int) -> Iterator[Clock]:
    hour = minute // 60
    if meridiem and hour > 12:
        yield Clock(minute, end, is_sure=True)
    elif hour <= 12 and minute:
        yield Clock(minute % HALF_DAY + meridiem * HALF_DAY, end, is_sure=True)


def _is_day_behind_weekday(sentence: Sentence, place: int) -> bool:
    """Say whether a number alone here is a day of the month: "el viernes 11", in Spanish only."""
    return sentence.language.code == "es" and sentence.ends_a(Kind.WEEKDAY, place, place)


def _is_of_a_date(sentence: Sentence, end: int) -> bool:
    """Say whether a number that ends here is rather a day or a quantity."""
    if sentence.is_sign(end, "/", ".", "-", glued=True) and sentence.digits(end + 1) is not None:
        return sentence.is_sign(end, "/", ".") or sentence.is_sign(end + 2, "-", glued=True)
    is_in = next(sentence.terms_here(end, Kind.IN), None) is not None
    if sentence.has(end, Kind.UNIT) or (sentence.has(end, Kind.MONTH) and not is_in):
        return True
    return bool(
        sentence.tokens[end : end + 1]
        and sentence.tokens[end].is_glued
        and list(sentence.terms_here(end, Kind.ORDINAL_SIGN))
    )
