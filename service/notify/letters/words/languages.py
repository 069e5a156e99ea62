"""Which language a letter speaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError

from service.notify.letters.words.ar import AR
from service.notify.letters.words.de import DE
from service.notify.letters.words.en import EN
from service.notify.letters.words.es import ES
from service.notify.letters.words.fr import FR
from service.notify.letters.words.ja import JA
from service.notify.letters.words.words import Words

WORDS = {words.language: words for words in (EN, DE, ES, FR, AR, JA)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """The texts, and how dates and times are written beside them."""

    words: Words
    locale: Locale

    @property
    def tag(self) -> str:
        """The language as a BCP 47 tag."""
        return str(self.locale).replace("_", "-")


def speech_of(wishes: Iterable[str]) -> Speech:
    """Return the first of the wishes that we speak, else English. A wish is a BCP 47 tag."""
    for wish in wishes:
        language, *parts = wish.replace("_", "-").split("-")
        words = WORDS.get(language.lower())
        if words is not None:
            return Speech(words=words, locale=_locale(words.language, _region(parts)))
    return Speech(words=EN, locale=_locale("en", ""))


def _region(parts: list[str]) -> str:
    """Return the region of a tag: two letters, after a script of four if there is one."""
    for part in parts:
        if len(part) == 2 and part.isalpha():
            return part.upper()
        if len(part) < 4:
            break
    return ""


@cache
def _locale(language: str, region: str) -> Locale:
    """Return how that region writes dates, or, where it is not known, how most speakers do."""
    try:
        return Locale.parse(f"{language}_{region}" if region else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language)
