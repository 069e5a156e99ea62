"""From words to readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from service.domain.civil_time import civil_day, is_zone
from service.domain.errors import (
    DateDoesNotExist,
    InvalidRequest,
    TimeHasPassed,
    TimeNotUnderstood,
)
from service.domain.interval import Interval
from service.domain.spoken_time.days import DayGrammar
from service.domain.spoken_time.english import ENGLISH
from service.domain.spoken_time.german import GERMAN
from service.domain.spoken_time.pieces import Pick
from service.domain.spoken_time.sentence import Sentence, said
from service.domain.spoken_time.spanish import SPANISH
from service.domain.spoken_time.tokens import TOKENS_MAX, Token, tokens_of
from service.domain.spoken_time.vocabulary import Language, Lexicon
from service.domain.spoken_time.windows import Meant, meant_by
from service.domain.spoken_time.wishes import Part, Reader, Wish
from service.domain.spoken_time.words import words_of

LANGUAGES = (ENGLISH, GERMAN, SPANISH)
READINGS_MAX = 5
KEPT_WITHIN = 3
"""A reading that is so much less likely than the likeliest is not told."""
MONTH_FIRST_REGIONS = frozenset({"us", "ph", "pr"})
MONTH_FIRST_ZONES = ("America/", "US/")


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that the words may mean."""

    words: str
    windows: tuple[Interval, ...]
    pick: Pick
    language: str


class _Read(NamedTuple):
    wish: Wish
    language: str


def resolve(text: str, *, now: datetime, zone: str, language: str = "") -> tuple[Reading, ...]:
    """Read words for a time, counted from an instant on the clocks of a zone; the likeliest first.

    `language` is a BCP 47 tag; without one all languages are tried.
    """
    if not is_zone(zone):
        raise InvalidRequest("time_zone", "There is no such IANA time zone.")
    tokens = tokens_of(text)
    if not tokens or len(tokens) > TOKENS_MAX:
        raise TimeNotUnderstood(text[:200].strip())
    readers = [_reader(tokens, each, language, now, zone) for each in _languages(language)]
    read = [
        _Read(wish, sentence.language.code)
        for sentence, reader in readers
        for wish in _sound(reader.wishes())
    ]
    if not read:
        raise TimeNotUnderstood(_unread(readers))
    readings = _readings(_kept(read), now, zone)
    if readings:
        return readings
    if any(each.wish.exceptions for each in read):
        raise TimeNotUnderstood(said(tokens))
    # An hour that the clocks skip on that day.
    raise DateDoesNotExist(said(tokens))


def _languages(tag: str) -> Sequence[Language]:
    if not tag:
        return LANGUAGES
    primary = tag.lower().split("-", maxsplit=1)[0]
    fitting = [language for language in LANGUAGES if language.code == primary]
    if not fitting:
        raise InvalidRequest(
            "language", "Only English (en), German (de) and Spanish (es) are read."
        )
    return fitting


def _reader(
    tokens: tuple[Token, ...], language: Language, tag: str, now: datetime, zone: str
) -> tuple[Sentence, Reader]:
    sentence = Sentence(tokens, _lexicon(language))
    is_month_first = language.is_month_first and _is_month_first(tag, zone)
    grammar = DayGrammar(sentence, civil_day(zone, now), is_month_first=is_month_first)
    return sentence, Reader(sentence, grammar, now, zone)


@cache
def _lexicon(language: Language) -> Lexicon:
    return Lexicon(language)


def _is_month_first(tag: str, zone: str) -> bool:
    """Say whether 12/3 is rather the 3rd of December: by the region, or else by the zone."""
    regions = {part for part in tag.lower().split("-")[1:] if len(part) == 2}
    if regions:
        return bool(regions & MONTH_FIRST_REGIONS)
    return zone.startswith(MONTH_FIRST_ZONES)


def _sound(wishes: list[Wish]) -> list[Wish]:
    """Leave out what means nothing by itself: every Friday at once where no week was named."""
    return [
        wish
        for wish in wishes
        if wish.impossible or not any(_is_loose(part) for part in wish.parts)
    ]


def _kept(read: list[_Read]) -> list[_Read]:
    """Leave out what is much less likely than the likeliest; refuse a date that no calendar has."""
    read = sorted(read, key=lambda each: (each.wish.rank, each.wish.length))
    best = read[0].wish
    likely = [
        each
        for each in read
        if each.wish.rank <= best.rank + KEPT_WITHIN and each.wish.length <= best.length
    ]
    possible = [each for each in likely if each.wish.impossible is None]
    if not possible:
        raise DateDoesNotExist(str(likely[0].wish.impossible))
    # Where it can, an exception means every Friday.
    most = max(_loose(each.wish.exceptions) for each in possible)
    return [each for each in possible if _loose(each.wish.exceptions) == most]


def _loose(parts: Iterable[Part]) -> int:
    return sum(_is_loose(part) for part in parts)


def _is_loose(part: Part) -> bool:
    return part.days is not None and part.days.is_loose


def _readings(read: Iterable[_Read], now: datetime, zone: str) -> tuple[Reading, ...]:
    """Return what is still to come; nothing: there is no such time at all."""
    readings: dict[Meant, Reading] = {}
    passed: Meant | None = None
    for each in read:
        meant = meant_by(each.wish, now, zone)
        left = meant.not_over(now)
        if not left.spans:
            passed = passed or (meant if meant.spans else None)
        elif left not in readings and len(readings) < READINGS_MAX:
            words = words_of(left.spans, left.pick, zone)
            readings[left] = Reading(words, left.windows(zone), left.pick, each.language)
    if not readings and passed is not None:
        raise TimeHasPassed(words_of(passed.spans, passed.pick, zone))
    return tuple(readings.values())


def _unread(readers: list[tuple[Sentence, Reader]]) -> str:
    """Return the words that no language has, or else those from where reading stopped."""
    sentence, reader = min(readers, key=lambda each: (len(each[0].unknown()), -each[1].furthest))
    unknown = sentence.unknown()
    if unknown:
        return " ".join(unknown)
    if reader.furthest >= sentence.length:
        return said(sentence.tokens)
    return sentence.said_from(reader.furthest)
