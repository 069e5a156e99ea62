"""`slotcast when`: what a time in words means."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.connection import (
    DEMO_BUSINESS,
    Access,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    connect,
    find_access,
    run,
)
from service.cli.printing import print_json, say, warn
from slotcast import DateDoesNotExist, TimeHasPassed, TimeNotUnderstood, TimeReading

_UNREAD = (DateDoesNotExist, TimeHasPassed, TimeNotUnderstood)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(when)


def when(
    text: Annotated[str, typer.Argument(help='Such as "next Tuesday afternoon".')],
    zone: Annotated[str, typer.Option(help="The person's IANA zone, such as Europe/Berlin.")],
    language: Annotated[str, typer.Option(help="en, de or es; all are tried without.")] = "",
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a time in words means, the likeliest first."""
    run(_when(find_access(target, api_key), business, text, zone, language, as_json))


async def _when(
    access: Access, business: str, text: str, zone: str, language: str, as_json: bool
) -> None:
    async with connect(access, business) as client:
        try:
            readings = await client.resolve_time(text, time_zone=zone, language=language)
        except _UNREAD as refusal:
            told = [value for key, value in refusal.metadata.items() if key != "field"]
            warn(("slotcast:", "bold red"), f" {refusal} ({', '.join(told)})")
            raise typer.Exit(1) from None
    if as_json:
        print_json([_values(reading) for reading in readings])
        return
    for reading in readings:
        say(reading.words)


def _values(reading: TimeReading) -> dict[str, object]:
    return {
        "words": reading.words,
        "pick": reading.pick,
        "language": reading.language,
        "windows": [
            {"start": window.start.isoformat(), "end": window.end.isoformat()}
            for window in reading.windows
        ],
    }
