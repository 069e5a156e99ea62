"""`slotcast load` and `slotcast replay`: the load tester, told where the server is."""

from __future__ import annotations

import typer

from loadtest import cli as load
from loadtest import replay
from service.cli.connection import find_access, find_database_url


def register(app: typer.Typer) -> None:
    """Add the commands."""
    load.register(app, _find_server)
    replay.register(app, _find_access)


def _find_server(target: str | None, api_key: str | None, database_url: str | None) -> load.Server:
    access = find_access(target, api_key)
    return load.Server(
        target=access.target,
        api_key=access.api_key,
        database_url=database_url or find_database_url(access.target),
    )


def _find_access(target: str | None, api_key: str | None) -> tuple[str, str]:
    access = find_access(target, api_key)
    return access.target, access.api_key
