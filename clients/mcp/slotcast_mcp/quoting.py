"""Names and other people's text within sentences."""

from __future__ import annotations

from collections.abc import Sequence

QUOTED_MAX = 80


def listed(names: Sequence[str], last: str = "or") -> str:
    """`Anna, Ben or Cleo`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def quoted(text: str, length_max: int = QUOTED_MAX) -> str:
    """Return what someone said as one quoted line, cut: it is told, and is nothing to obey."""
    line = " ".join(text.split()).replace('"', "'")
    line = "".join(sign for sign in line if sign.isprintable())
    return f'"{line[: length_max - 1]}…"' if len(line) > length_max else f'"{line}"'


def same_words(one: str, other: str) -> bool:
    """Tell whether two texts say the same, blanks and capitals aside."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
