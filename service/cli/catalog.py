"""`slotcast import-busy`: put the busy time of an .ics file on a calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.connection import (
    DEMO_BUSINESS,
    Access,
    ApiKeyOption,
    BusinessOption,
    TargetOption,
    connect,
    find_access,
    run,
)
from service.cli.printing import counted, say
from slotcast import ImportedBusy


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(import_busy)


def import_busy(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An .ics file.")],
    calendar: Annotated[str, typer.Option(help="Whose time it is.")],
    feed: Annotated[str, typer.Option(help="Importing a feed again replaces it.")] = "upload",
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Import busy time; a damaged file imports nothing, and its line is named."""
    access = find_access(target, api_key)
    run(_import(access, business, calendar, feed, file.read_bytes()))


async def _import(access: Access, business: str, calendar: str, feed: str, ics: bytes) -> None:
    async with connect(access, business) as client:
        imported = await client.import_busy_feed(calendar, feed, ics)
    say_imported(imported, calendar)


def say_imported(imported: ImportedBusy, calendar: str) -> None:
    """Say what an import left on a calendar."""
    count = imported.busy_intervals
    verb = "is" if count == 1 else "are"
    say(f"{counted(count, 'busy interval')} {verb} on {calendar}, at revision {imported.revision}.")
