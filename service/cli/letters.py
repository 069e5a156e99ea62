"""`slotcast letters`: what was sent to whom, of which booking, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    id_of,
    with_client,
)
from service.cli.deliveries import collect, state_of
from service.cli.printing import print_json, print_table, say
from slotcast import Client, Delivery, DeliveryChannel, DeliveryQuery


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(letters)


def letters(
    booking: Annotated[
        str,
        typer.Option(
            help="Only of this booking: its name, or its id.",
            callback=id_of("booking", "bookings"),
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")] = 50,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the letters: what each told, to which role, of which booking, and its Message-ID."""
    query = DeliveryQuery(booking=booking, channel=DeliveryChannel.LETTER)

    async def work(client: Client) -> None:
        found = await collect(client, query, limit)
        if as_json:
            print_json(found)
        elif found:
            _print(found)
        else:
            say("There are no letters.")

    with_client(work, business, target, api_key)


def _print(found: Sequence[Delivery]) -> None:
    rows = [
        (
            f"{(letter.ended or letter.due).astimezone():%d %b %H:%M:%S}",
            letter.kind.replace("_", " "),
            letter.target,
            letter.booking.rpartition("/")[2],
            state_of(letter),
            letter.detail,
        )
        for letter in reversed(found)
    ]
    print_table(("when", "letter", "to", "booking", "state", "Message-ID, or why not"), rows)
