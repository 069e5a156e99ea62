"""A mutant: the service with one bug put into it, and what must find that."""

from __future__ import annotations

import subprocess
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

PATCHES = Path(__file__).parent / "patches"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A seeded bug.

    `breaks` are the promises that it breaks, of which one at least must be named by what finds it.
    It is looked for in a `scenario`, in so many `seeds` of the simulation, in a soak of so many
    minutes, or by `tests`, which are arguments for pytest.
    """

    name: str
    about: str
    breaks: AbstractSet[str]
    scenario: str = ""
    seeds: int = 0
    soak_minutes: float = 0.0
    tests: tuple[str, ...] = ()

    @property
    def patch(self) -> Path:
        """What it changes."""
        return PATCHES / f"{self.name}.patch"

    def apply(self, tree: Path) -> None:
        """Put the bug into a copy of the tree."""
        subprocess.run(["git", "apply", self.patch], cwd=tree, check=True)
