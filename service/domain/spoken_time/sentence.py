"""A text in the words of one language: what can stand where."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.spoken_time.tokens import Token
from service.domain.spoken_time.vocabulary import Kind, Language, Lexicon, Term

ARTICLES_MAX = 3
PHRASE_WORDS_MAX = 4


class Sentence:
    """Tokens, and all terms that they may be. A place is a number of tokens from the beginning."""

    def __init__(self, tokens: tuple[Token, ...], lexicon: Lexicon) -> None:
        """Look every phrase up once."""
        tokens = tuple(part for token in tokens for part in lexicon.parted(token))
        self.tokens = tokens
        self.language: Language = lexicon.language
        self.length = len(tokens)
        self._terms = [list(_terms_at(tokens, place, lexicon)) for place in range(self.length)]
        self._words = lexicon.words
        self._starts = [self._skip_articles(place) for place in range(self.length + 1)]

    def terms(self, place: int, kind: Kind) -> Iterator[tuple[int, int]]:
        """Return value and end of each term of a kind; articles before it are passed over."""
        for start in self._starts[place]:
            yield from self.terms_here(start, kind)

    def terms_here(self, place: int, kind: Kind) -> Iterator[tuple[int, int]]:
        """Return value and end of each term of a kind that begins right here."""
        if place < self.length:
            for term, end in self._terms[place]:
                if term.kind is kind:
                    yield term.value, end

    def ends(self, place: int, kind: Kind) -> list[int]:
        """Return where the terms of a kind end."""
        return [end for _, end in self.terms(place, kind)]

    def maybe(self, place: int, kind: Kind) -> list[int]:
        """Return the place itself, and where a term of a kind ends that may stand there."""
        return [place, *self.ends(place, kind)]

    def has(self, place: int, *kinds: Kind) -> bool:
        """Say whether a term of one of the kinds begins here."""
        return any(next(self.terms(place, kind), None) is not None for kind in kinds)

    def numbers(self, place: int) -> Iterator[tuple[int, int]]:
        """Return value and end of the numbers here, in digits or in words."""
        for start in self._starts[place]:
            yield from self.numbers_here(start)

    def numbers_here(self, place: int) -> Iterator[tuple[int, int]]:
        """Return value and end of the numbers that begin right here."""
        number = self.digits(place)
        if number is not None:
            yield number, place + 1
        yield from self.terms_here(place, Kind.NUMBER)

    def digits(self, place: int) -> int | None:
        """Return the number of the digits right here."""
        return self.tokens[place].number if place < self.length else None

    def is_sign(self, place: int, *signs: str, glued: bool = False) -> bool:
        """Say whether one of the signs stands right here."""
        if place >= self.length:
            return False
        token = self.tokens[place]
        return token.text in signs and (token.is_glued or not glued)

    def glued_digits(self, place: int, length: int) -> int | None:
        """Return the number right here, of so many digits, with no space before."""
        if place >= self.length:
            return None
        token = self.tokens[place]
        return token.number if token.is_glued and len(token.text) == length else None

    def starts(self, place: int) -> list[int]:
        """Return the place and those behind the articles that stand there."""
        return self._starts[place]

    def unknown(self) -> list[str]:
        """Return the words that the language does not have at all."""
        return [
            token.said
            for place, token in enumerate(self.tokens)
            if token.number is None and not self._is_known(place)
        ]

    def said_from(self, place: int) -> str:
        """Return the text from a place on."""
        return said(self.tokens[place:])

    def _is_known(self, place: int) -> bool:
        return self.tokens[place].text in self._words or not self.tokens[place].text.isalpha()

    def _skip_articles(self, place: int) -> list[int]:
        starts = [place]
        for start in starts:
            for _, end in self.terms_here(start, Kind.ARTICLE):
                is_new = end not in starts and len(starts) <= ARTICLES_MAX
                is_part = self._begins_longer(start, end) or self.ends_a(Kind.NUMBER, start, end)
                if is_new and not is_part:
                    starts.append(end)
        return starts

    def ends_a(self, kind: Kind, place: int, end: int) -> bool:
        """Say whether these words are only the end of a longer phrase: "la una", "la mañana"."""
        return any(
            term.kind is kind and past == end
            for start in range(max(0, end - PHRASE_WORDS_MAX), place)
            for term, past in self._terms[start]
        )

    def _begins_longer(self, place: int, end: int) -> bool:
        """Say whether an article is the first word of a phrase: "la mañana"."""
        return any(
            past > end and term.kind not in (Kind.FILLER, Kind.ARTICLE)
            for term, past in self._terms[place]
        )


def said(tokens: tuple[Token, ...]) -> str:
    """Put tokens together again, as they were said."""
    return "".join(token.said if token.is_glued else f" {token.said}" for token in tokens).strip()


def _terms_at(
    tokens: tuple[Token, ...], place: int, lexicon: Lexicon
) -> Iterator[tuple[Term, int]]:
    key: tuple[str, ...] = ()
    for end in range(place + 1, min(place + lexicon.length_max, len(tokens)) + 1):
        key += (tokens[end - 1].text,)
        for term in lexicon.find(key):
            yield term, end
