"""A mutant: the service with one bug put into it, and what must find that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Edit(NamedTuple):
    """A piece of a file that stands there once, and what is put in its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A seeded bug.

    `breaks` are the promises that it breaks, of which one at least must be named by what finds it.
    `found_by` is where it is looked for: `scenario NAME`, or `pytest FILE -k WORDS`; of tests, the
    name of the one that fails says which promise is broken.
    """

    name: str
    about: str
    breaks: frozenset[str]
    found_by: str
    edits: tuple[Edit, ...]

    def apply(self, root: Path) -> None:
        """Put the bug into a copy of the tree."""
        for edit in self.edits:
            path = root / edit.file
            text = path.read_text()
            if text.count(edit.old) != 1:
                raise ValueError(f"{self.name}: {edit.file} does not have {edit.old!r} once")
            path.write_text(text.replace(edit.old, edit.new))
