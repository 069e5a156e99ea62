"""`slotcast replay`."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
import uvloop
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from loadtest.replay.measures import Measures
from loadtest.replay.options import ReplayOptions
from loadtest.replay.report import Report
from loadtest.replay.run import run_replay
from loadtest.replay.trace import DamagedTrace

FindServer: TypeAlias = Callable[[str | None, str | None], tuple[str, str]]
"""From the target and the key that were named, if any, to those to use."""

TargetOption = Annotated[
    str | None, typer.Option("--target", envvar="SLOTCAST_TARGET", help="host:port.")
]
ApiKeyOption = Annotated[
    str | None, typer.Option("--api-key", envvar="SLOTCAST_API_KEY", help="An operator's.")
]


def replay_command(  # noqa: PLR0913 - each argument is an option of the command
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".csv or .csv.gz")],
    *,
    speed: Annotated[
        float | None,
        typer.Option(min=1, help="So many times the trace's; none: as fast as it goes."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="People at a time.")] = 32,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    units: Annotated[int | None, typer.Option(min=1, help="Only the busiest units.")] = None,
    watchers: Annotated[int, typer.Option(min=0, max=100, help="Busiest units watched.")] = 5,
    seed: Annotated[int, typer.Option(help="Of what people choose.")] = 1,
    connections: Annotated[int, typer.Option(min=1, max=64, help="To the server.")] = 8,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the business that is made.")] = False,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Play a trace of real demand, and check that nothing is booked twice or lost."""
    if target is None or api_key is None:
        raise typer.BadParameter("Name a server with --target, and its key with --api-key.")
    options = ReplayOptions(
        file=file,
        target=target,
        api_key=api_key,
        speed=speed,
        concurrency=concurrency,
        limit=limit,
        units=units,
        watchers=watchers,
        seed=seed,
        connections=connections,
        keep=keep,
    )
    report = _run(options)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        Console().print(report.as_text(), highlight=False)
    if not report.kept:
        raise typer.Exit(1)


def register(app: typer.Typer, find_server: FindServer) -> None:
    """Add the command, with a way to find the server where none is named."""

    @functools.wraps(replay_command)
    def replay(*, target: str | None = None, api_key: str | None = None, **options: Any) -> None:
        found_target, found_key = find_server(target, api_key)
        replay_command(target=found_target, api_key=found_key, **options)

    app.command(name="replay")(replay)


def _run(options: ReplayOptions) -> Report:
    with _Board(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Tally(),
        console=Console(stderr=True),
        transient=True,
    ) as board:
        try:
            return uvloop.run(run_replay(options, board.begin))
        except DamagedTrace as error:
            raise typer.BadParameter(str(error)) from error


class _Tally(ProgressColumn):
    """What has happened so far."""

    def render(self, task: Task) -> Text:
        measures: Measures | None = task.fields.get("measures")
        if measures is None or not task.total:
            return Text()
        counts = measures.counts
        refused = counts["full"] + counts["outrun"]
        speed = task.completed / task.elapsed if task.elapsed else 0.0
        return Text(
            f"{task.completed:,.0f} of {task.total:,.0f}, {speed:,.0f}/s:"
            f" {counts['booked']:,} booked, {refused:,} refused, {counts['cancelled']:,} cancelled"
        )


class _Board(Progress):
    """One line per stage; it looks the counts up whenever it is drawn."""

    def begin(self, stage: str, total: int, measures: Measures) -> None:
        """Show another stage."""
        for task in self.tasks:
            self.remove_task(task.id)
        self.add_task(stage.capitalize(), total=total or None, measures=measures)

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            if task.total:
                task.completed = task.fields["measures"].counts["rows"]
        yield from super().get_renderables()
