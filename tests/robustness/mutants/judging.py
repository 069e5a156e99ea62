"""Whether what was told of a copy with a bug is that bug, or an accident."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.robustness.mutants.mutant import Mutant

PROMISE = re.compile(r"\b[BCW][1-9]\b")


class Told(NamedTuple):
    """A finding: what is broken, and who says so.

    `promise` is empty where a test failed that names none. `module` and `arguments` are what must
    find nothing where there is no bug.
    """

    promise: str
    by: str
    module: str
    arguments: tuple[str, ...]


def judged(
    mutant: Mutant, found: Sequence[Told], is_told_without: Callable[[Told], bool]
) -> tuple[Told | None, list[str]]:
    """Return what has found a mutant, if anything has, and what was told by accident."""
    accidents = []
    for told in found:
        if told.promise and told.promise not in mutant.breaks:
            accidents.append(f"{told.promise}, {told.by}")
        elif is_told_without(told):
            accidents.append(f"{told.by}, without the bug as well")
        else:
            return told, accidents
    return None, accidents


def promises_named(file: Path, test: str) -> list[str]:
    """Return the promises that a test may speak for; an empty one: it need not name any.

    What it names itself, in its name or docstring, it speaks for. Else it speaks for what its
    module names, or for none.
    """
    module = ast.parse(file.read_text())
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == test:
            words = node.name.replace("_", " ").upper()
            if named := PROMISE.findall(f"{words} {ast.get_docstring(node) or ''}"):
                return named
    return [*PROMISE.findall(ast.get_docstring(module) or ""), ""]
