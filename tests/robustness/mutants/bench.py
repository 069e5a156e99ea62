"""The bench: a copy of the tree with a bug in it, one without, and how both are looked through."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.robustness.mutants.judging import Told, promises_named
from tests.robustness.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("service", "clients", "protos", "tests", "pyproject.toml", "README.md")
SCENARIO_ATTEMPTS_MAX = 3
"""A scenario is a matter of chance: what was not found is looked for again, with other seeds."""
SCENARIO_SECONDS = "16"
SECONDS_MAX = 600
ROBUSTNESS, SIMULATION = "tests.robustness", "tests.robustness.simulation"
SOAK, PYTEST = "tests.robustness.soak", "pytest"
PYTEST_ARGUMENTS = (PYTEST, "-x", "-q", "-p", "no:cacheprovider")
ANY = "any"
"""Stands for a promise, where all that is told of the copy without a bug counts."""
FAILED = re.compile(r"^FAILED (\S+?)((?:::\w+)*::(test_\w+)(?:\[.*?\])?)(?: - .*)?$", re.MULTILINE)


class BrokenOff(Exception):
    """What was to judge came to no judgement."""


class Bench:
    """Two copies. Each finding is looked for in the one without a bug, once."""

    def __init__(self, folder: Path) -> None:
        """Copy what is to be looked through."""
        self._folder = folder
        self._without: dict[tuple[str, ...], set[str]] = {}
        # At the same place each time, so that what was compiled of the others can be used again.
        self._mutated, self._control = folder / "mutated", folder / "control"
        _copy(self._control)

    def put_in(self, mutant: Mutant) -> None:
        """Take the last bug out, and put another one in."""
        shutil.rmtree(self._mutated, ignore_errors=True)
        _copy(self._mutated)
        mutant.apply(self._mutated)

    def look_for(self, mutant: Mutant, attempt: int) -> list[Told]:
        """Look through the copy with the bug. BrokenOff: it could not be, or there was no end."""
        if mutant.tests:
            return self._failed(self._mutated, mutant.tests)
        if mutant.scenario:
            arguments = (mutant.scenario, "--seed", str(attempt), "--seconds", SCENARIO_SECONDS)
            where = f"scenario {mutant.scenario}"
            return self._told(self._mutated, where, ROBUSTNESS, arguments)
        if mutant.soak_minutes:
            minutes = ("--minutes", str(mutant.soak_minutes))
            return self._told(self._mutated, "the soak", SOAK, minutes)
        promises = [f"--promise={promise}" for promise in sorted(mutant.breaks)]
        seeds = ("--seeds", str(mutant.seeds), *promises)
        found = self._told(self._mutated, "simulation", SIMULATION, seeds)
        return [each._replace(arguments=("--seed", each.by.split()[-1])) for each in found]

    def is_told_without(self, told: Told) -> bool:
        """Say whether the same, or whatever it is, is told of the copy without a bug."""
        key = (told.module, *told.arguments)
        if key not in self._without:
            self._without[key] = self._told_without(told)
        return not self._without[key].isdisjoint({told.promise, ANY})

    def _told_without(self, told: Told) -> set[str]:
        try:
            if told.module == PYTEST:
                done = self._run(self._control, [*PYTEST_ARGUMENTS, *told.arguments])
                return {ANY} if done.returncode else set()
            found = self._told(self._control, "", told.module, told.arguments)
        except BrokenOff:
            return {ANY}
        return {each.promise for each in found}

    def _told(self, tree: Path, where: str, module: str, arguments: tuple[str, ...]) -> list[Told]:
        """Run what judges by itself, and read what it has to say."""
        file = self._folder / "told.json"
        file.unlink(missing_ok=True)
        done = self._run(tree, [module, *arguments, "--told", str(file)])
        if done.returncode and not file.exists():
            raise BrokenOff(done.stderr.strip().rpartition("\n")[2])
        rows = json.loads(file.read_text()) if file.exists() else []
        return [
            Told(row["promise"].split()[0], f"{where}: {row['rule']}", module, arguments)
            for row in rows
        ]

    def _failed(self, tree: Path, arguments: Sequence[str]) -> list[Told]:
        """Run some tests up to the first that fails; it speaks for what it names."""
        output = self._run(tree, [*PYTEST_ARGUMENTS, *arguments]).stdout
        return [
            Told(promise, f"the test `{test}`", PYTEST, (file + rest,))
            for file, rest, test in FAILED.findall(output)
            for promise in promises_named(tree / file, test)
        ]

    def _run(self, tree: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(str(tree / each) for each in (".", "clients/python", "clients"))
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONPYCACHEPREFIX": str(self._folder / "bytecode"),
            "TMPDIR": str(self._folder),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            return subprocess.run(
                [sys.executable, "-m", *command],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BrokenOff(f"there was no end after {SECONDS_MAX} s") from error


def attempts_max(mutant: Mutant) -> int:
    """Return how often it is worth while to look for a mutant."""
    return SCENARIO_ATTEMPTS_MAX if mutant.scenario else 1


def _copy(tree: Path) -> None:
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, tree / name, ignore=leave)
        else:
            shutil.copy(source, tree / name)
