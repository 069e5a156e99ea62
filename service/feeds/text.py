"""Texts of customers and staff, made fit to stand in an iCalendar file."""

from __future__ import annotations

import re

TEXT_LENGTH_MAX = 1000

# A line ends where a program thinks so: besides CR and LF, some take VT, FF, NEL, LS and PS for it.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# What is left of the controls, what a text in UTF-8 cannot have, and what turns the reading around.
_UNFIT = re.compile("[\x00-\x09\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")


def clean_text(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    r"""Return a text of lines: of the controls, only `\n` is left. A longer text is cut.

    What writes the file escapes it and folds its lines: in no reader can it begin a property.
    """
    cleaned = _UNFIT.sub(" ", _LINE_ENDS.sub("\n", text)).strip()
    return cleaned if len(cleaned) <= length_max else cleaned[: length_max - 1].rstrip() + "…"


def clean_line(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return a text of one line, as names are."""
    return clean_text(_SPACES.sub(" ", clean_text(text, 10 * length_max)), length_max)
