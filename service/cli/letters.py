"""`slotcast letters`: what was sent to whom, of which booking, when and why."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
from slotcast import Client, Delivery, DeliveryChannel, DeliveryQuery, DeliveryState

PAGE_SIZE_MAX = 500
COLOURS = {
    DeliveryState.WAITING: "yellow",
    DeliveryState.SENT: "green",
    DeliveryState.SKIPPED: "dim",
    DeliveryState.DEAD: "red",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(letters)


def letters(
    booking: Annotated[str, typer.Option(help="Only of this booking: its name, or its id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")] = 50,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the letters: what each told, to which role, of which booking, and its Message-ID."""
    query = DeliveryQuery(booking=booking, channel=DeliveryChannel.LETTER)
    run(_letters(find_access(target, api_key), business, query, limit, as_json))


async def _letters(
    access: Access, business: str, query: DeliveryQuery, limit: int, as_json: bool
) -> None:
    async with connect(access, business) as client:
        found = await collect(client, query, limit)
    if as_json:
        print_json(found)
        return
    table = Table("when", "letter", "to", "booking", "state", "Message-ID, or why not", box=None)
    for letter in reversed(found):
        table.add_row(
            f"{(letter.ended or letter.due).astimezone():%d %b %H:%M:%S}",
            letter.kind.replace("_", " "),
            escape(letter.target),
            letter.booking.rpartition("/")[2],
            state_of(letter),
            escape(letter.detail),
        )
    Console().print(table if found else "There are no letters.", highlight=False)


async def collect(client: Client, query: DeliveryQuery, limit: int) -> list[Delivery]:
    """Return so many deliveries, the newest first."""
    found: list[Delivery] = []
    page_token = ""
    while len(found) < limit:
        page = await client.list_deliveries(
            query, page_size=min(limit - len(found), PAGE_SIZE_MAX), page_token=page_token
        )
        found += page.items
        page_token = page.next_page_token
        if not page_token:
            break
    return found


def state_of(delivery: Delivery) -> str:
    """Return its state in colour, and how often it was tried, if more than once."""
    colour = COLOURS.get(delivery.state, "default")
    often = f" ({delivery.attempts} attempts)" if delivery.attempts > 1 else ""
    return f"[{colour}]{delivery.state.lower()}[/]{often}"


def print_json(deliveries: list[Delivery]) -> None:
    """Print deliveries for programs."""
    values = [
        {
            "name": each.name,
            "channel": each.channel.value,
            "kind": each.kind,
            "target": each.target,
            "booking": each.booking,
            "revision": each.revision,
            "state": each.state.value,
            "attempts": each.attempts,
            "due": each.due.isoformat(),
            "created": each.created.isoformat(),
            "ended": None if each.ended is None else each.ended.isoformat(),
            "detail": each.detail,
        }
        for each in deliveries
    ]
    sys.stdout.write(json.dumps(values, indent=2) + "\n")
