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


@app.command(name="conversations")
def conversations_command(
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Conversations.")] = 5_000,
    shown: Annotated[int, typer.Option(min=1, max=100, help="Slots that each shows.")] = 10,
    rate: Annotated[float, typer.Option(min=0.1, max=1_000, help="Bookings a second.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, max=3_600)] = 30,
    as_json: JsonOption = False,
) -> None:
    """Follow many conversations over one watch in one process, while slots that they show go."""
    from service.cli.bench_conversations import Load, bench_conversations

    found = next(running_servers(), None)
    if found is None:
        raise typer.BadParameter("Start a server here first: `slotcast serve` or `slotcast demo`.")
    load = Load(count=count, shown=shown, bookings_per_second=rate, seconds=seconds)
    run(bench_conversations(found[1], load, as_json))
