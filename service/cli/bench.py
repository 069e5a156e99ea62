"""`slotcast bench`: measure the server that runs here."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.connection import JsonOption, run, running_servers

app = typer.Typer(help="Measure the server that runs here.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="bench")


@app.callback()
def bench() -> None:
    """Measure the server that runs here."""


@app.command(name="list")
def list_command(
    few: Annotated[int, typer.Option(min=1, help="Bookings of one business.")] = 100,
    many: Annotated[int, typer.Option(min=1, help="Bookings of the other.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=10, max=100_000)] = 300,
    as_json: JsonOption = False,
) -> None:
    """Time ListSlots over 30 days of one calendar, with few and with many bookings around it."""
    from service.cli.bench_list import bench_list

    found = next(running_servers(), None)
    if found is None:
        raise typer.BadParameter("Start a server here first: `slotcast serve` or `slotcast demo`.")
    run(bench_list(found[1], (few, many), rounds, as_json))
