"""What a person sees while the test runs."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Watcher(Protocol):
    """Who is told how far the test is."""

    def begin(self, what: str) -> None:
        """A step begins."""

    def done(self, count: int) -> None:
        """So many more answers have come in this step."""

    def end(self) -> None:
        """The step is over."""


class Silent:
    """Tells nobody."""

    def begin(self, what: str) -> None:
        """Say nothing."""

    def done(self, count: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class Display:
    """A line in the terminal: which step this is, and how many answers came."""

    def __init__(self, console: Console, steps: int) -> None:
        """Show nothing yet."""
        self._count = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[answers]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=steps, answers="")

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, what: str) -> None:
        """Show the step."""
        self._count = 0
        self._progress.update(self._task, description=what, answers="")

    def done(self, count: int) -> None:
        """Show how many answers came."""
        self._count += count
        self._progress.update(self._task, answers=f"{self._count:,} answers")

    def end(self) -> None:
        """Show one step more as done."""
        self._progress.advance(self._task)
