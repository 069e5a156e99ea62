"""`slotcast webhooks`: whom a business has told of changes, how that fares, and tell them again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    TargetOption,
    id_of,
    lists_when_alone,
    with_client,
)
from service.cli.printing import print_json, print_table, say, styled
from service.domain.webhook import EventType
from slotcast import Client, Webhook, WebhookState

COLOURS = {WebhookState.ACTIVE: "green", WebhookState.FAILING: "red", WebhookState.ENDED: "dim"}
WebhookArgument = Annotated[
    str, typer.Argument(help="Its name, or its id.", callback=id_of("webhook", "webhooks"))
]
app = typer.Typer(help="Whom a business has told of changes; add, remove, and tell again.")


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="webhooks")


async def _show(client: Client, as_json: bool) -> None:
    found = await client.list_webhooks()
    if as_json:
        print_json(found)
        return
    if not found:
        say("There are no webhooks.")
        return
    rows = [
        (
            each.name.rpartition("/")[2],
            each.url,
            ", ".join(each.event_types) or "all",
            _state_of(each),
            each.last_outcome,
            str(each.waiting),
            str(each.dead),
        )
        for each in found
    ]
    print_table(("id", "url", "of what", "state", "last call", "waiting", "dead"), rows)


lists_when_alone(app, _show)


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
    unknown = set(event or ()) - set(EventType)
    if unknown:
        raise typer.BadParameter(
            f"There is no event {', '.join(sorted(unknown))}, but {', '.join(EventType)}."
        )
    wanted = Webhook(
        url=url,
        event_types=tuple(event or ()),
        calendars=tuple(calendar or ()),
        include_customer=include_customer,
    )

    async def work(client: Client) -> None:
        made = await client.create_webhook(wanted)
        say(f"{made.webhook.name}\nSecret, shown this once: {made.secret}")

    with_client(work, business, target, api_key)


@app.command()
def delete(
    webhook: WebhookArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Tell it nothing more; what was not delivered is dropped."""

    async def work(client: Client) -> None:
        await client.delete_webhook(webhook)
        say("Deleted.")

    with_client(work, business, target, api_key)


@app.command()
def replay(
    webhook: WebhookArgument,
    after: Annotated[int, typer.Option(min=0, help="All that came after this revision.")],
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Tell it again what happened, with the same event ids."""

    async def work(client: Client) -> None:
        done = await client.replay_webhook(webhook, after_revision=after)
        say(f"Events sent again: {done.events}, up to revision {done.revision}.")

    with_client(work, business, target, api_key)


def _state_of(webhook: Webhook) -> Text:
    """Return its state in colour, and since when it fails."""
    since = webhook.failing_since
    return styled(
        (webhook.state.lower(), COLOURS.get(webhook.state, "default")),
        "" if since is None else f" since {since.astimezone():%d %b %H:%M:%S}",
    )
