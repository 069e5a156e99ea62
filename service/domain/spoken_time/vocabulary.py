"""What a language's table of words consists of, and the terms that a text may consist of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import NamedTuple

from service.domain.spoken_time.tokens import Token, tokens_of


class Kind(Enum):
    """What a word or phrase can be. Most carry a number, which the comment tells."""

    WEEKDAY = auto()  # 0 is Monday
    WEEKDAYS = auto()  # "mondays": every one; 0 is Monday
    MONTH = auto()  # 1 to 12
    NUMBER = auto()
    ONE = auto()  # "a" week: no hour
    ORDINAL = auto()
    ORDINAL_SIGN = auto()  # "rd" of 3rd
    DAY_ARTICLE = auto()  # what makes the number after it a day: "el 3"
    DAY_OFFSET = auto()  # days from today
    PART = auto()  # a part of the day: its place in `Language.parts`
    PARTS = auto()  # "mornings": every one
    PART_OF_DAY = auto()  # a part only behind a day: "Dienstag morgen"
    FEAST = auto()  # its place in `feasts.FEASTS`
    UNIT = auto()  # of time: a Unit
    CLOCK_PREFIX = auto()  # minutes to add to the hour that follows: "half past"
    CLOCK_SUFFIX = auto()  # minutes to add to the hour before: "y media"
    CLOCK = auto()  # a time by its name: minutes after midnight
    MERIDIEM = auto()  # 0 a.m., 1 p.m.
    PAST = auto()  # "ten past five": 1; "ten to five": -1
    PLUS = auto()  # "las cinco y diez": 1; "menos diez": -1
    SPAN_PART = auto()  # the beginning, the middle, the end of a week or month: 0, 1, 2
    SPAN_END = auto()  # the same of this month, in one word: Monatsende
    THIS_PART = auto()  # "tonight": today's part: its place in `Language.parts`
    WEEKEND = auto()
    SINGLE_DAY = auto()
    WORKDAYS = auto()
    OCLOCK = auto()
    HOUR_SIGN = auto()  # "h" of 10h30
    THIS = auto()
    NEXT = auto()
    COMING = auto()
    PREVIOUS = auto()
    AFTER_NEXT = auto()
    EVERY = auto()
    AFTER = auto()
    BEFORE = auto()
    UNTIL = auto()
    FROM = auto()
    NOT_BEFORE = auto()  # what follows is included: "not before Tuesday"
    FROM_TO = auto()  # "from" of spans that have an end, or "on"
    ON = auto()  # "from ten on"
    ONWARD = auto()  # "ten or later"
    BETWEEN = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    BUT = auto()  # a no after "any" or a span, before days: "any day but Monday"
    THANKS = auto()  # may follow a "but" and its days, as no other filler: "is best" turns it
    VETO = auto()  # a refusal that may be of what stands before it or behind: not read
    TO = auto()
    AT = auto()
    AROUND = auto()
    IN = auto()
    WITHIN = auto()
    FROM_NOW = auto()
    LENGTH = auto()  # minutes: "half an hour"
    ANY_TIME = auto()
    SOONEST = auto()
    FIRST = auto()
    LAST = auto()
    SLOT = auto()
    WEEK_NUMBER = auto()
    WEEK_OF = auto()  # of the day that follows
    ARTICLE = auto()
    FILLER = auto()


class Unit(IntEnum):
    """A unit of time."""

    MINUTE = 0
    HOUR = 1
    DAY = 2
    WEEK = 3
    FORTNIGHT = 4
    MONTH = 5


class Part(NamedTuple):
    """A part of the day, in minutes after midnight.

    Slots are looked for from `start` to `end`; an hour that is said with it may lie from `first` to
    `last`.
    """

    start: int
    end: int
    first: int
    last: int


class Term(NamedTuple):
    """What a phrase can be, with its number."""

    kind: Kind
    value: int


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language: data only. Phrases are parted by bars."""

    code: str
    words: Mapping[Kind, Mapping[int, str] | str]
    parts: tuple[Part, ...]
    is_next_the_nearest: bool
    """Whether "next Friday" is rather the coming one than the one of next week."""
    is_month_first: bool
    """Whether 12/3 can be the 3rd of December."""
    is_dotted_date: bool
    """Whether 10.12 is rather a date than an hour."""
    meant_days: Mapping[int, int] = field(default_factory=dict)
    """Numbers of days that rather mean whole weeks: eight days, a week."""


_DAYS = frozenset({Kind.WEEKDAY, Kind.DAY_OFFSET})
_PARTS = frozenset({Kind.PART, Kind.PART_OF_DAY})


class Lexicon:
    """All phrases of a language, by their tokens."""

    def __init__(self, language: Language) -> None:
        """Cut the phrases as texts are cut."""
        self.language = language
        self._terms: dict[tuple[str, ...], list[Term]] = {}
        for kind, value, phrase in _phrases(language):
            key = tuple(token.text for token in tokens_of(phrase))
            self._terms.setdefault(key, []).append(Term(kind, value))
        self.words = frozenset(word for key in self._terms for word in key)
        self.length_max = max(map(len, self._terms))

    def parted(self, token: Token) -> tuple[Token, ...]:
        """Part a day and a part of it that are written as one: Donnerstagnachmittag."""
        text = token.text
        for place in range(1, len(text) if text not in self.words else 0):
            if self._is(text[:place], _DAYS) and self._is(text[place:], _PARTS):
                rest = Token(text[place:], token.said[place:], is_glued=True)
                return Token(text[:place], token.said[:place], token.is_glued), rest
        return (token,)

    def _is(self, word: str, kinds: frozenset[Kind]) -> bool:
        return any(term.kind in kinds for term in self.find((word,)))

    def find(self, key: tuple[str, ...]) -> list[Term]:
        """Return all that a phrase can be."""
        return self._terms.get(key, [])


def _phrases(language: Language) -> Iterator[tuple[Kind, int, str]]:
    for kind, table in language.words.items():
        by_value = {0: table} if isinstance(table, str) else table
        for value, phrases in by_value.items():
            for phrase in phrases.split("|"):
                yield kind, value, phrase
