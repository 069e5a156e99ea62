"""`python -m tests.robustness.mutants`: put each seeded bug into a copy, and see what finds it.

A checker that has found no bug has proved nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tests.robustness.mutants.mutant import Mutant
from tests.robustness.mutants.seeded import MUTANTS

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("service", "clients", "protos", "tests", "pyproject.toml", "README.md")
PAGE = ROOT / "docs" / "proof.md"
TABLE = re.compile(r"(?<=<!-- mutants -->\n).*?(?=<!-- end of mutants -->)", re.DOTALL)
ATTEMPTS_MAX = 3
"""A scenario is a matter of chance: what was not found is looked for again, with other seeds."""
SCENARIO_SECONDS = "16"
SECONDS_MAX = 600
console = Console(width=120, highlight=False)


class Found(NamedTuple):
    """What found a mutant, after how long; `by` is empty where nothing did."""

    mutant: Mutant
    promise: str
    by: str
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Look for each; 1 where one was not found, or by accident only."""
    parser = ArgumentParser(prog="python -m tests.robustness.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="some of them; else all")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    asked = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if not asked.names or mutant.name in asked.names]
    with tempfile.TemporaryDirectory(prefix="slotcast-mutants-") as folder:
        found = [_look_for(mutant, Path(folder)) for mutant in chosen]
    if asked.write:
        page = PAGE.read_text()
        PAGE.write_text(TABLE.sub(lambda _: _table(found), page))
    caught = sum(bool(each.by) for each in found)
    console.print(f"mutants: {caught} passed, {len(found) - caught} failed")
    return 0 if caught == len(found) else 1


def _look_for(mutant: Mutant, folder: Path) -> Found:
    console.print(f"[bold]{mutant.name}[/]: {mutant.about} ...")
    began = time.monotonic()
    tree = folder / "tree"
    # At the same place each time, so that what was compiled of the others can be used again.
    shutil.rmtree(tree, ignore_errors=True)
    _copy(tree)
    mutant.apply(tree)
    found = Found(mutant, "", "", 0.0)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        told = _told_by(mutant, folder, attempt)
        named = [each for each in told if each[0] in mutant.breaks]
        if named:
            promise, rule = named[0]
            found = Found(mutant, promise, rule, time.monotonic() - began)
            break
        if told:
            console.print(f"    [yellow]by accident only:[/] {told[0]}")
    if found.by:
        console.print(f"    {found.promise}, {found.by}, after {found.seconds:.0f} s")
    else:
        console.print("    [red]not found[/]")
    return found


def _copy(tree: Path) -> None:
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, tree / name, ignore=leave)
        else:
            shutil.copy(source, tree / name)


def _told_by(mutant: Mutant, folder: Path, attempt: int) -> list[tuple[str, str]]:
    """Return what was found: promises, and the rule or the test that says so."""
    if mutant.tests:
        return _told_by_tests(mutant, folder)
    told = folder / "told.json"
    told.unlink(missing_ok=True)
    if mutant.seeds:
        where, module = "simulation", "tests.robustness.simulation"
        arguments = ["--seeds", str(mutant.seeds)]
    else:
        where, module = f"scenario {mutant.scenario}", "tests.robustness"
        arguments = [mutant.scenario, "--seed", str(attempt), "--seconds", SCENARIO_SECONDS]
    _run(folder, [sys.executable, "-m", module, *arguments, "--told", str(told)])
    if not told.exists():
        return []
    return [(each["promise"].split()[0], f"{where}: {each['rule']}") for each in _read(told)]


def _read(told: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(told.read_text())
    return rows


def _told_by_tests(mutant: Mutant, folder: Path) -> list[tuple[str, str]]:
    """Run some tests; each that fails speaks for the promises that the mutant is said to break."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
    done = _run(folder, command)
    failed = re.findall(r"^FAILED .*::(test_\w+)", done.stdout, re.MULTILINE)
    return [(min(mutant.breaks), name) for name in failed]


def _run(folder: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    tree = folder / "tree"
    path = os.pathsep.join(str(tree / each) for each in (".", "clients/python", "clients"))
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "TMPDIR": str(folder),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        command,
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def _table(found: Sequence[Found]) -> str:
    rows = [
        f"| {each.mutant.name} | {each.mutant.about} | {each.promise} | {each.by} |"
        f" {each.seconds:.0f} s |\n"
        for each in found
    ]
    head = "| mutant | the bug | promise | found by | after |\n|---|---|---|---|---|\n"
    return head + "".join(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
