"""Text to tokens: folded words, numbers and signs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

TOKENS_MAX = 60
_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|[^\s]")
# Dashes of all lengths, and what is typed for an apostrophe.
_PLAIN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u2019\u2018\u02bc\u00b4`", "'")
)
_UMLAUT = "\N{COMBINING DIAERESIS}"
_SILENT = frozenset("'\"()!\u00a1\u00bf\u00ab\u00bb\u201c\u201d\u201e\u2026?")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign, folded; `said` is how it stood in the text."""

    text: str
    said: str
    is_glued: bool
    """Nothing stands between it and the token before."""

    @property
    def number(self) -> int | None:
        """Its value, where it is a number of at most four digits."""
        is_number = self.text.isdecimal() and self.text.isascii() and len(self.text) <= 4
        return int(self.text) if is_number else None


def fold(text: str) -> str:
    """Return letters without case and accents; an umlaut is written as two letters."""
    folded: list[str] = []
    for char in unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN)):
        if char == _UMLAUT and folded and folded[-1] in "aou":
            folded.append("e")
        elif not unicodedata.combining(char):
            folded.append(char)
    return "".join(folded)


def tokens_of(text: str) -> tuple[Token, ...]:
    """Cut a text into tokens; quotation marks and the like are left out."""
    tokens = []
    end = -1
    silent = ""
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        said = match.group()
        folded = fold(said)
        is_glued = match.start() == end
        if folded in _SILENT or not folded:
            # An apostrophe does not part what it stands between: o'clock.
            end = match.end() if is_glued else end
            silent = said if is_glued else ""
            continue
        tokens.append(Token(folded, silent + said if is_glued else said, is_glued))
        end = match.end()
        silent = ""
    return tuple(tokens)
