"""Parts of the day beside a day: "the evening before Christmas"."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.civil_time import ONE_DAY
from service.domain.spoken_time.days import FEAST_DAYS_MAX, DayGrammar
from service.domain.spoken_time.pieces import POSSIBLE, Days, Found, Times
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind
from service.domain.spoken_time.weekdays import nearest


def eves(sentence: Sentence, grammar: DayGrammar, place: int) -> Iterator[Found]:
    """Return "Friday evening before Christmas"; without a weekday, the next to it or any."""
    named = [(weekdays, end) for weekdays, end in grammar.weekdays.listed(place)]
    for weekdays, start in [(None, place), *named]:
        for index, middle in sentence.terms(start, Kind.PART):
            part = sentence.language.parts[index]
            times = Times(part.start, part.end, part=part)
            for is_before, after in _besides(sentence, middle):
                for dates, dated in grammar.firm(after):
                    if len(dates) > FEAST_DAYS_MAX:
                        continue
                    if weekdays is not None:
                        beside = nearest(weekdays, dates, is_before=is_before)
                        yield Found((beside, times), dated.end, dated.rank)
                        continue
                    day = min(dates) - ONE_DAY if is_before else max(dates) + ONE_DAY
                    yield Found((Days(frozenset({day})), times), dated.end, dated.rank)
                    every = grammar.all_to(day) if is_before else grammar.all_from(day)
                    yield Found((every, times), dated.end, dated.rank + POSSIBLE)


def _besides(sentence: Sentence, place: int) -> Iterator[tuple[bool, int]]:
    for kind in (Kind.BEFORE, Kind.AFTER):
        for end in sentence.ends(place, kind):
            yield kind is Kind.BEFORE, end
