"""`slotcast jobs`: what waits to be sent, what was given up and why, and send it again."""

from __future__ import annotations

from datetime import datetime
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
from service.cli.letters import collect, print_json, state_of
from slotcast import Delivery, DeliveryQuery, DeliveryState, InvalidTransition

SHOWN_MAX = 1000
RETRIED_MAX = 10_000
app = typer.Typer(
    help="What waits to be sent, and what was given up; send it again.",
    invoke_without_command=True,
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="jobs")


@app.callback()
def jobs(
    context: typer.Context,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show letters and calls of webhooks that wait or were given up, and why."""
    if context.invoked_subcommand is None:
        run(_show(find_access(target, api_key), business, as_json))


@app.command()
def retry(
    delivery: Annotated[str, typer.Argument(help="Its name, or its id.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Send again what was given up, one or all, under the same ids."""
    if bool(delivery) == every:
        raise typer.BadParameter("Name one, or say --all.")
    run(_retry(find_access(target, api_key), business, delivery))


async def _show(access: Access, business: str, as_json: bool) -> None:
    unfinished = (DeliveryState.WAITING, DeliveryState.DEAD)
    async with connect(access, business) as client:
        found = await collect(client, DeliveryQuery(states=unfinished), SHOWN_MAX)
    if as_json:
        print_json(found)
        return
    if not found:
        Console().print("Nothing waits, and nothing was given up.")
        return
    table = Table("id", "what", "to", "state", "next attempt", "why", box=None)
    for each in reversed(found):
        table.add_row(
            each.name.rpartition("/")[2],
            f"{each.channel.lower()}: {each.kind.replace('_', ' ')}",
            escape(each.target),
            state_of(each),
            _next_attempt(each),
            escape(each.detail),
        )
    Console().print(table, highlight=False)
    dead = sum(each.state is DeliveryState.DEAD for each in found)
    if dead:
        Console().print(f"{dead} given up: `slotcast jobs retry --all` sends them again.")


async def _retry(access: Access, business: str, delivery: str) -> None:
    async with connect(access, business) as client:
        if delivery:
            await client.retry_delivery(delivery)
            count = 1
        else:
            query = DeliveryQuery(states=(DeliveryState.DEAD,))
            count = 0
            for each in await collect(client, query, RETRIED_MAX):
                try:
                    await client.retry_delivery(each)
                    count += 1
                except InvalidTransition:
                    # Somebody else was faster.
                    continue
    Console().print(f"{count} to be sent again.")


def _next_attempt(delivery: Delivery) -> str:
    if delivery.state is not DeliveryState.WAITING:
        return ""
    local: datetime = delivery.due.astimezone()
    return f"{local:%d %b %H:%M:%S}"
