"""`slotcast bench`: measure the server that runs here."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.connection import DEMO_FOLDER_NAME, JsonOption, run
from service.cli.running import read_running
from service.settings import Settings

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

    folder = Settings.from_environment().data_folder
    running = read_running(folder) or read_running(folder / DEMO_FOLDER_NAME)
    if running is None:
        raise typer.BadParameter("Start a server here first: `slotcast serve` or `slotcast demo`.")
    run(bench_list(running, (few, many), rounds, as_json))
