"""Violations: what a run has shown to be wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A promise that was not kept.

    `promise` is its name in protos/README.md, `rule` what was checked of it, `text` a sentence that
    says what was seen. `at` is an instant of the history; `calls` and `watches` are the numbers of
    those that show it.
    """

    promise: str
    rule: str
    text: str
    at: float | None = None
    revision: int | None = None
    calls: tuple[int, ...] = ()
    watches: tuple[int, ...] = ()
