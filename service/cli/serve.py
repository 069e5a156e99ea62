"""`slotcast serve`, `worker`, `notifier` and `migrate`."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import Annotated

import typer

from service.cli.connection import run
from service.cli.printing import say, warn
from service.ops.logs import configure_logs
from service.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command(name="migrate")(migrate_database)
    app.command(hidden=True)(worker)
    app.command(hidden=True)(notifier)


def serve(
    listen: Annotated[str | None, typer.Option(help="host:port, SLOTCAST_LISTEN.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes.")] = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then drain.

    On DATABASE_URL and REDIS_URL, or on a PostgreSQL and a Valkey of its own.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    if listen is not None:
        settings = replace(settings, listen_address=listen)
    if workers is not None:
        settings = replace(settings, workers=workers)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from service.cli.supervisor import running_server

    stopping = stop_event()
    async with running_server(settings, lambda text: warn(f"… {text}")) as server:
        doors = " and ".join(filter(None, (server.target, server.gateway)))
        warn((f"Slotcast serves on {doors}.", "green"), " Ctrl-C stops it.")
        await stopping.wait()
        warn("… draining")


def stop_event() -> asyncio.Event:
    """Return an event that Ctrl-C or SIGTERM sets."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def worker(ready_fd: Annotated[int, typer.Option()]) -> None:
    """Run one worker process; `serve` starts them."""
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    from service.wiring import run_worker

    run(run_worker(settings, ready_fd=ready_fd))


def notifier(ready_fd: Annotated[int, typer.Option()]) -> None:
    """Run one notifier process; `serve` starts it."""
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    from service.wiring import run_notifier

    run(run_notifier(settings, ready_fd=ready_fd))


def migrate_database() -> None:
    """Bring the database at DATABASE_URL to the newest tables."""
    settings = Settings.from_environment()
    if settings.database_url is None:
        raise typer.BadParameter("Set DATABASE_URL; an embedded database migrates by itself.")
    from service.store.migrate import migrate

    version = asyncio.run(migrate(settings.database_url))
    say(f"The database is at migration {version}.")
