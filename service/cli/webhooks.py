"""`slotcast webhooks`: whom a business has told of changes, how that fares, and tell them again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

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
from slotcast import Webhook, WebhookState

COLOURS = {WebhookState.ACTIVE: "green", WebhookState.FAILING: "red", WebhookState.ENDED: "dim"}
WebhookArgument = Annotated[str, typer.Argument(help="Its name, or its id.")]
app = typer.Typer(
    help="Whom a business has told of changes; add, remove, and tell again.",
    invoke_without_command=True,
)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="webhooks")


@app.callback()
def webhooks(
    context: typer.Context,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the webhooks of a business, and how each fares."""
    if context.invoked_subcommand is None:
        run(_show(find_access(target, api_key), business, as_json))


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="https://…, on a public host.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Such as booking.cancelled; none: all. Repeatable.")
    ] = None,
    calendar: Annotated[
        list[str] | None, typer.Option(help="Of which calendar; none: all. Repeatable.")
    ] = None,
    include_customer: Annotated[
        bool, typer.Option("--include-customer", help="Tell who comes, too.")
    ] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Have an address told of what happens from now on, and print its secret, this once."""
    wanted = Webhook(
        url=url,
        event_types=tuple(event or ()),
        calendars=tuple(calendar or ()),
        include_customer=include_customer,
    )
    run(_create(find_access(target, api_key), business, wanted))


@app.command()
def delete(
    webhook: WebhookArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Tell it nothing more; what was not delivered is dropped."""
    run(_delete(find_access(target, api_key), business, webhook))


@app.command()
def replay(
    webhook: WebhookArgument,
    after: Annotated[int, typer.Option(min=0, help="All that came after this revision.")],
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Tell it again what happened, with the same event ids."""
    run(_replay(find_access(target, api_key), business, webhook, after))


async def _show(access: Access, business: str, as_json: bool) -> None:
    async with connect(access, business) as client:
        found = await client.list_webhooks()
    if as_json:
        values = [asdict(webhook) for webhook in found]
        sys.stdout.write(json.dumps(values, indent=2, default=_as_text) + "\n")
        return
    table = Table("id", "url", "of what", "state", "last call", "waiting", "dead", box=None)
    for each in found:
        table.add_row(
            each.name.rpartition("/")[2],
            escape(each.url),
            ", ".join(each.event_types) or "all",
            _state_of(each),
            escape(each.last_outcome),
            str(each.waiting),
            str(each.dead),
        )
    Console().print(table if found else "There are no webhooks.", highlight=False)


async def _create(access: Access, business: str, wanted: Webhook) -> None:
    async with connect(access, business) as client:
        made = await client.create_webhook(wanted)
    Console().print(
        f"{made.webhook.name}\nSecret, shown this once: {made.secret}",
        highlight=False,
        soft_wrap=True,
    )


async def _delete(access: Access, business: str, webhook: str) -> None:
    async with connect(access, business) as client:
        await client.delete_webhook(webhook)
    Console().print("Deleted.")


async def _replay(access: Access, business: str, webhook: str, after: int) -> None:
    async with connect(access, business) as client:
        done = await client.replay_webhook(webhook, after_revision=after)
    Console().print(f"Events sent again: {done.events}, up to revision {done.revision}.")


def _state_of(webhook: Webhook) -> str:
    """Return its state in colour, and since when it fails."""
    colour = COLOURS.get(webhook.state, "default")
    since = webhook.failing_since
    text = f"[{colour}]{webhook.state.lower()}[/]"
    return text if since is None else f"{text} since {since.astimezone():%d %b %H:%M:%S}"


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
