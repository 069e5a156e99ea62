"""`python -m tests.robustness.mutants`: put each seeded bug into a copy, and see what finds it.

A checker that has found no bug has proved nothing. Nor has one that finds it in a copy without the
bug as well, so each finding is looked for there again.
"""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from tests.robustness.mutants.bench import ROOT, Bench, BrokenOff, attempts_max
from tests.robustness.mutants.judging import Told, judged
from tests.robustness.mutants.mutant import Mutant
from tests.robustness.mutants.seeded import MUTANTS

PAGE = ROOT / "docs" / "proof.md"
TABLE = re.compile(r"(?<=<!-- mutants -->\n).*?(?=<!-- end of mutants -->)", re.DOTALL)
ACCIDENTS_SHOWN_MAX = 3
console = Console(width=120, highlight=False, markup=False)


class Found(NamedTuple):
    """What found a mutant, after how long; `told` is None where nothing did."""

    mutant: Mutant
    told: Told | None
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Look for each; 1 where one was not found, or by accident only."""
    parser = ArgumentParser(prog="python -m tests.robustness.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", type=_mutant, help="some of them; else all")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    asked = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="slotcast-mutants-") as folder:
        bench = Bench(Path(folder))
        found = [_look_for(mutant, bench) for mutant in asked.names or MUTANTS]
    if asked.write:
        page = PAGE.read_text()
        PAGE.write_text(TABLE.sub(lambda old: table(found, old.group()), page))
    caught = sum(each.told is not None for each in found)
    console.print(f"mutants: {caught} passed, {len(found) - caught} failed")
    return 0 if caught == len(found) else 1


def _mutant(name: str) -> Mutant:
    for mutant in MUTANTS:
        if mutant.name == name:
            return mutant
    raise ArgumentTypeError(f"there is no mutant {name}")


def _look_for(mutant: Mutant, bench: Bench) -> Found:
    console.print(f"{mutant.name}: {mutant.about} ...", style="bold")
    began = time.monotonic()
    bench.put_in(mutant)
    told, seconds = None, 0.0
    for attempt in range(1, attempts_max(mutant) + 1):
        found: list[Told] = []
        try:
            found = bench.look_for(mutant, attempt)
        except BrokenOff as error:
            console.print(f"    broken off: {error}", style="red")
        seconds = time.monotonic() - began
        told, accidents = judged(mutant, found, bench.is_told_without)
        if told is not None:
            break
        for accident in accidents[:ACCIDENTS_SHOWN_MAX]:
            console.print(f"    by accident only: {accident}", style="yellow")
    if told is None:
        console.print("    not found", style="red")
    else:
        console.print(f"    {promise_of(mutant, told)}, {told.by}, after {seconds:.0f} s")
    return Found(mutant, told, seconds)


def table(found: Sequence[Found], before: str = "") -> str:
    """Return what was found as the rows of a page; those that were not looked for stay.

    A promise in brackets is our own word only.
    """
    rows = {row.split(" | ")[0].lstrip("| "): row for row in before.splitlines(keepends=True)}
    rows |= {each.mutant.name: _row(*each) for each in found}
    head = "| mutant | the bug | promise | found by | after |\n|---|---|---|---|---|\n"
    return head + "".join(rows.get(mutant.name, "") for mutant in MUTANTS)


def _row(mutant: Mutant, told: Told | None, seconds: float) -> str:
    if told is None:
        return f"| {mutant.name} | {mutant.about} | | **not found** | {seconds:.0f} s |\n"
    promise = promise_of(mutant, told)
    return f"| {mutant.name} | {mutant.about} | {promise} | {told.by} | {seconds:.0f} s |\n"


def promise_of(mutant: Mutant, told: Told) -> str:
    """Return the promise that was named; in brackets, what the mutant is said to break."""
    return told.promise or f"({', '.join(sorted(mutant.breaks))})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
