"""How a command finds its server: by options, by the environment, or the one that runs here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
import uvloop

from service.cli.running import RunningServer, read_operator_key, read_running
from service.settings import Settings
from slotcast import Client

DEMO_FOLDER_NAME = "demo"
DEMO_BUSINESS = "demo"

TargetOption = Annotated[
    str | None,
    typer.Option("--target", envvar="SLOTCAST_TARGET", help="host:port; the one that runs here."),
]
ApiKeyOption = Annotated[
    str | None,
    typer.Option("--api-key", envvar="SLOTCAST_API_KEY", help="The operator's of this machine."),
]
BusinessOption = Annotated[
    str, typer.Option("--business", "-b", envvar="SLOTCAST_BUSINESS", help="Which business.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Where to call, and with which key."""

    target: str
    api_key: str


def running_servers() -> Iterator[tuple[Path, RunningServer]]:
    """Yield the servers that run on this machine, with their folders: `serve` before `demo`."""
    folder = Settings.from_environment().data_folder
    for each in (folder, folder / DEMO_FOLDER_NAME):
        running = read_running(each)
        if running is not None:
            yield each, running


def find_access(target: str | None, api_key: str | None) -> Access:
    """Return the server that is named, or that runs on this machine."""
    for folder, running in running_servers():
        if target in {None, running.target}:
            target, api_key = running.target, api_key or read_operator_key(folder)
            break
    if target is None:
        raise typer.BadParameter(
            "No server runs here: start one with `slotcast demo` or `slotcast serve`,"
            " or name one with --target."
        )
    if api_key is None:
        raise typer.BadParameter("Name an API key with --api-key or SLOTCAST_API_KEY.")
    return Access(target=target, api_key=api_key)


def find_database_url(target: str | None = None) -> str | None:
    """Return the database of a server that runs on this machine; None where it is not known."""
    for _, running in running_servers():
        if target in {None, running.target}:
            return running.database_url
    return None


def id_of(thing: str, collection: str) -> Callable[[str], str]:
    """Return what checks that an argument is the name of such a thing, or its id; or empty."""

    def check(value: str) -> str:
        parent, _, last = value.rpartition("/")
        is_within = not parent or re.fullmatch(rf"businesses/[^/]+/{collection}", parent)
        if value and not (is_within and _is_uuid(last)):
            raise typer.BadParameter(f"{value} is no id of a {thing}.")
        return value.lower()

    return check


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def lists_when_alone(app: typer.Typer, show: Callable[[Client, bool], Awaitable[None]]) -> None:
    """Have a group without a subcommand show what there is."""

    @app.callback(invoke_without_command=True)
    def alone(
        context: typer.Context,
        business: BusinessOption = DEMO_BUSINESS,
        target: TargetOption = None,
        api_key: ApiKeyOption = None,
        as_json: JsonOption = False,
    ) -> None:
        if context.invoked_subcommand is None:
            with_client(lambda client: show(client, as_json), business, target, api_key)


def with_client(
    work: Callable[[Client], Awaitable[None]],
    business: str,
    target: str | None,
    api_key: str | None,
) -> None:
    """Run what a command does with a client of one business."""

    async def main() -> None:
        async with connect(find_access(target, api_key), business) as client:
            await work(client)

    run(main())


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a command's coroutine to its end."""
    uvloop.run(main)


@asynccontextmanager
async def connect(access: Access, business: str) -> AsyncIterator[Client]:
    """Open a client for one business."""
    async with Client(access.target, api_key=access.api_key, business=business) as client:
        yield client
