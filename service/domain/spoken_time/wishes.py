"""Pieces put together: what a whole text wishes for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.spoken_time.clocks import times
from service.domain.spoken_time.days import DayGrammar
from service.domain.spoken_time.eves import eves
from service.domain.spoken_time.moments import MomentGrammar
from service.domain.spoken_time.pieces import (
    LIKELY,
    UNLIKELY,
    Days,
    Found,
    Impossible,
    Pick,
    Piece,
    Sign,
    Span,
    Times,
)
from service.domain.spoken_time.sentence import Sentence
from service.domain.spoken_time.vocabulary import Kind, Unit

KEPT_MAX = 24
"""So many ways to read the text up to a place are followed: the likeliest."""
_SPANS = (
    Kind.ANY_TIME,
    Kind.UNIT,
    Kind.PARTS,
    Kind.MONTH,
    Kind.WEEKDAY,
    Kind.WEEKDAYS,
    Kind.WORKDAYS,
    Kind.WEEKEND,
    Kind.AFTER_NEXT,
)
"""What may stand right before a "but" that means an exception."""


@dataclass(frozen=True, slots=True)
class Part:
    """Days and times that are meant together."""

    days: Days | None = None
    times: Times | None = None
    span: Span | None = None
    is_of_days: bool = False
    """Only days can be meant."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was said."""
        return self.days is None and self.times is None and self.span is None

    def narrowed(self, piece: Days | Times | Span) -> Part | None:
        """Return what is both; None: nothing is."""
        if self.span is not None:
            return None
        match piece:
            case Days():
                if self.is_of_days and len(piece.dates) > 2 and not piece.is_loose:
                    return None
                days = piece if self.days is None else self.days.and_also(piece)
                return None if days is None else replace(self, days=days)
            case Times():
                if self.is_of_days or (piece.is_behind_day and self.days is None):
                    return None
                times = piece if self.times is None else self.times.and_also(piece)
                return None if times is None else replace(self, times=times)
            case Span():
                return Part(span=piece) if self.is_empty else None


@dataclass(frozen=True, slots=True)
class Wish:
    """One way to read a text: any of the parts, and none of the exceptions."""

    parts: tuple[Part, ...] = (Part(),)
    exceptions: tuple[Part, ...] = ()
    pick: Pick | None = None
    is_any_time: bool = False
    impossible: str | None = None
    rank: int = LIKELY
    length: int = 0
    """How many phrases it was read as."""

    def with_all(self, found: Found) -> Wish | None:
        """Take in what was found; None: it contradicts what was read before."""
        wish: Wish | None = replace(self, rank=self.rank + found.rank, length=self.length + 1)
        for piece in found.pieces:
            wish = None if wish is None else wish.with_piece(piece)
        return wish

    def with_piece(self, piece: Piece) -> Wish | None:
        """Take in one piece."""
        match piece:
            case Days() | Times() | Span():
                is_unsure = self._is_unsure(piece)
                return None if is_unsure else self._with_part(self._last.narrowed(piece))
            case Pick():
                return replace(self, pick=piece) if self.pick in (None, piece) else None
            case Impossible():
                return replace(self, impossible=self.impossible or piece.date)
            case Sign():
                return self._with_sign(piece)

    def _with_sign(self, sign: Sign) -> Wish | None:
        match sign:
            case Sign.ANY_TIME:
                return replace(self, is_any_time=True)
            case Sign.NOT:
                return replace(self, exceptions=(*self.exceptions, Part()))
            case Sign.BUT:
                but = Part(is_of_days=True)
                return replace(self, exceptions=(but,)) if self._is_of_many_days else None
            case Sign.YET:
                # "After three but before five."
                times = self._last.times
                is_of_one = times is not None and not times.is_daily and not self.exceptions
                return self if is_of_one else None
            case Sign.COMMA if self.exceptions:
                # "Not Monday, Tuesday": who knows whether on Tuesday.
                return None
            case _:
                return self._with_another()

    @property
    def _is_of_many_days(self) -> bool:
        """Say whether a "but" that follows can only mean an exception."""
        if self.exceptions or len(self.parts) > 1:
            return False
        days, times = self._last.days, self._last.times
        if days is None:
            return self.is_any_time if times is None else times.is_daily
        is_list = days.is_list and not days.is_open
        return len(days.dates) > 1 and not days.is_loose and not is_list

    def _is_unsure(self, piece: Piece) -> bool:
        """Say whether nobody knows how far a no reaches: "not Monday next week"."""
        is_firm = any(part.span or (part.days and not part.days.is_open) for part in self.parts)
        if not self.exceptions or is_firm:
            return False
        said = self.exceptions[-1]
        return isinstance(piece, Days) and not said.is_empty

    @property
    def has_exception(self) -> bool:
        """Say whether what is taken away was said: what follows a comma may be of the whole."""
        return bool(self.exceptions) and not self.exceptions[-1].is_empty

    @property
    def _last(self) -> Part:
        return (self.exceptions or self.parts)[-1]

    def _with_part(self, part: Part | None) -> Wish | None:
        if part is None:
            return None
        if self.exceptions:
            return replace(self, exceptions=(*self.exceptions[:-1], part))
        return replace(self, parts=(*self.parts[:-1], part))

    def _with_another(self) -> Wish | None:
        if self._last.is_empty:
            return None
        if self.exceptions:
            another = Part(is_of_days=self.exceptions[-1].is_of_days)
            return replace(self, exceptions=(*self.exceptions, another))
        return replace(self, parts=(*self.parts, Part()))

    @property
    def is_whole(self) -> bool:
        """Say whether something was said, and nothing is missing after an "or" or a "not"."""
        if self.impossible is not None:
            return True
        if any(part.is_empty for part in self.exceptions):
            return False
        if all(part.is_empty for part in self.parts):
            is_alone = len(self.parts) == 1
            return is_alone and (self.is_any_time or bool(self.exceptions) or self.pick is not None)
        return not any(part.is_empty for part in self.parts)


class Reader:
    """Reads a sentence from its beginning to its end, in every way that it can be read."""

    def __init__(self, sentence: Sentence, days: DayGrammar, now: datetime, zone: str) -> None:
        """Take the grammar of days, which knows today."""
        self._sentence = sentence
        self._moments = MomentGrammar(sentence, days, now, zone)
        self._days = days
        self._now = now
        self.furthest = 0
        """The last place up to which it could be read."""

    def wishes(self) -> list[Wish]:
        """Return every way to read all of it, the likeliest first."""
        length = self._sentence.length
        reached: list[list[Wish]] = [[] for _ in range(length + 1)]
        reached[0] = [] if self._is_chained() else [Wish()]
        for place in range(length):
            if not reached[place]:
                continue
            self.furthest = place
            wishes = _likeliest(reached[place])
            for found in self._found(place):
                for wish in wishes:
                    if wish.has_exception and self._may_turn(wish, found, place):
                        continue
                    longer = wish.with_all(found)
                    if longer is not None:
                        reached[found.end].append(longer)
        if reached[length]:
            self.furthest = length
        return [wish for wish in _likeliest(reached[length]) if wish.is_whole]

    def _is_chained(self) -> bool:
        """Say whether three days are joined: "Monday to Sunday to Friday"."""
        for place in range(self._sentence.length):
            if any(self._joined(middle) for middle in self._joined(place)):
                return True
        return False

    def _joined(self, place: int) -> set[int]:
        """Return where a day begins that a "to" joins to one here."""
        sentence = self._sentence
        middles = {
            middle
            for end in {dated.end for dated in self._days.points(place)}
            for _, middle in sentence.terms_here(end, Kind.TO)
            if not sentence.has(middle, Kind.PART)
        }
        return {middle for middle in middles if self._days.points(middle)}

    def _may_turn(self, wish: Wish, found: Found, place: int) -> bool:
        """Say whether what follows an exception may be of the whole, or say that none was meant."""
        if not found.pieces:
            is_of_days = wish.exceptions[-1].is_of_days
            return is_of_days and not self._sentence.has(place, Kind.THANKS)
        is_of_time = any(isinstance(piece, Days | Times | Span) for piece in found.pieces)
        return is_of_time and any(self._sentence.is_sign(each, ",") for each in (place - 1, place))

    def _found(self, place: int) -> list[Found]:
        if self._sentence.has(place, Kind.VETO):
            return []
        found = [*self._days.days(place), *times(self._sentence, place), *self._spans(place)]
        found += [*self._moments.spans(place), *eves(self._sentence, self._days, place)]
        found += [*self._signs(place), *self._picks(place), *self._fillers(place)]
        return [each for each in dict.fromkeys(found) if each.end > place]

    def _signs(self, place: int) -> Iterator[Found]:
        sentence = self._sentence
        for _, end in sentence.terms_here(place, Kind.OR):
            yield Found((Sign.OR,), end)
        for _, end in sentence.terms_here(place, Kind.AND):
            # "After three and before five" is both; "Monday and Tuesday" cannot be.
            yield Found((Sign.OR,), end, UNLIKELY)
        if sentence.is_sign(place, ","):
            # "At ten, eleven or twelve": but rather it only parts the words.
            yield Found((Sign.COMMA,), place + 1, UNLIKELY)
        for _, end in sentence.terms_here(place, Kind.NOT):
            if not sentence.is_sign(end, ","):
                yield Found((Sign.NOT,), end)
            elif place == 0:
                # "No, on Friday."
                yield Found((), end)
        yield from self._buts(place)
        for end in sentence.ends(place, Kind.ANY_TIME):
            yield Found((Sign.ANY_TIME,), end)

    def _buts(self, place: int) -> Iterator[Found]:
        """Return "any day but Monday"; "next week, but on Tuesday" is on Tuesday: not read."""
        sentence = self._sentence
        for _, end in sentence.terms_here(place, Kind.BUT):
            is_close = any(sentence.ends_a(kind, place, place) for kind in _SPANS)
            if is_close and not sentence.has(end, Kind.ON) and self._days.points(end):
                yield Found((Sign.BUT,), end)
            if sentence.has(end, Kind.AFTER, Kind.BEFORE, Kind.UNTIL, Kind.NOT_BEFORE):
                yield Found((Sign.YET,), end)

    def _picks(self, place: int) -> Iterator[Found]:
        sentence = self._sentence
        for end in sentence.ends(place, Kind.SOONEST):
            for past in sentence.maybe(end, Kind.SLOT):
                yield Found((Sign.ANY_TIME, Pick.FIRST), past)
        for kind, pick in ((Kind.FIRST, Pick.FIRST), (Kind.LAST, Pick.LAST)):
            for end in sentence.ends(place, kind):
                if not sentence.has(place, Kind.NEXT):
                    yield Found((pick, Sign.ANY_TIME), end, UNLIKELY)
                for past in sentence.ends(end, Kind.SLOT):
                    yield Found((pick, Sign.ANY_TIME), past)

    def _spans(self, place: int) -> Iterator[Found]:
        """Return what is counted in hours and minutes from now."""
        sentence = self._sentence
        for kind in (Kind.IN, Kind.WITHIN):
            for middle in sentence.ends(place, kind):
                for length, end in self._lengths(middle):
                    yield Found(self._from_now(length, is_within=kind is Kind.WITHIN), end)
        for length, middle in self._lengths(place):
            for end in sentence.ends(middle, Kind.FROM_NOW):
                yield Found(self._from_now(length, is_within=False), end)

    def _lengths(self, place: int) -> Iterator[tuple[timedelta, int]]:
        for minutes, end in self._sentence.terms(place, Kind.LENGTH):
            yield timedelta(minutes=minutes), end
        for count, unit, end in self._days.counting.quantities(place):
            if unit in (Unit.MINUTE, Unit.HOUR):
                yield timedelta(minutes=count if unit is Unit.MINUTE else count * 60), end

    def _from_now(self, length: timedelta, *, is_within: bool) -> tuple[Piece, ...]:
        if is_within:
            return (Span(self._now, self._now + length),)
        start = self._now + length
        return Span(start, start + timedelta(hours=1)), Pick.FIRST

    def _fillers(self, place: int) -> Iterator[Found]:
        sentence = self._sentence
        for kind in (Kind.FILLER, Kind.SLOT):
            for _, end in sentence.terms_here(place, kind):
                if not sentence.ends_a(Kind.NUMBER, place, end) and not self._is_hour(place, end):
                    yield Found((), end)
        if sentence.is_sign(place, "t", glued=True) and sentence.digits(place - 1) is not None:
            # 2026-12-03T10:00
            yield Found((), place + 1)

    def _is_hour(self, place: int, end: int) -> bool:
        """Say whether "one" is no slot but an hour: "one in the morning"; but "book me one"."""
        sentence = self._sentence
        if not any(past == end for _, past in sentence.terms_here(place, Kind.NUMBER)):
            return False
        asked = place > 0 and any(
            past == place for _, past in sentence.terms_here(place - 1, Kind.FILLER)
        )
        is_asked_for = asked and not sentence.has(place - 1, Kind.AT, Kind.ARTICLE)
        return sentence.has(end, Kind.PART) and not is_asked_for


def _likeliest(wishes: list[Wish]) -> list[Wish]:
    """Return them by rank, each once, at most so many."""
    return sorted(dict.fromkeys(wishes), key=lambda wish: (wish.rank, wish.length))[:KEPT_MAX]
