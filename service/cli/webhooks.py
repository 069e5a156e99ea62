"""`slotcast webhooks`: whom a business has told of changes, how that fares, and tell them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.text import Text

from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    id_of,
    lists_when_alone,
    with_client,
)
from service.cli.deliveries import collect, state_of
from service.cli.printing import print_json, print_table, say, styled, warn
from service.domain.webhook import EventType
from slotcast import (
    Client,
    Delivery,
    DeliveryChannel,
    DeliveryQuery,
    SignedWebhook,
    Webhook,
    WebhookState,
)

COLOURS = {WebhookState.ACTIVE: "green", WebhookState.FAILING: "red", WebhookState.ENDED: "dim"}
WebhookArgument = Annotated[
    str, typer.Argument(help="Its name, or its id.", callback=id_of("webhook", "webhooks"))
]
EventOption = Annotated[
    list[str] | None, typer.Option(help="Such as booking.cancelled; none: all. Repeatable.")
]
CalendarOption = Annotated[
    list[str] | None, typer.Option(help="Of which calendar; none: all. Repeatable.")
]
CALLS_MAX = 10_000
"""So many calls of a business are looked at, for those of one webhook."""
app = typer.Typer(help="Whom a business has told of changes; add, change, remove, and tell again.")


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
    _print(found)


lists_when_alone(app, _show)


def _print(found: Sequence[Webhook]) -> None:
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


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="https://…, on a public host.")],
    event: EventOption = None,
    calendar: CalendarOption = None,
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
        event_types=_events(event),
        calendars=tuple(calendar or ()),
        include_customer=include_customer,
    )

    async def work(client: Client) -> None:
        _say_secret(await client.create_webhook(wanted))

    with_client(work, business, target, api_key)


@app.command()
def update(
    webhook: WebhookArgument,
    url: Annotated[str, typer.Option(help="Where to from now on; none: as it is.")] = "",
    event: Annotated[
        list[str] | None, typer.Option(help="Of which events from now on. Repeatable.")
    ] = None,
    calendar: Annotated[
        list[str] | None, typer.Option(help="Of which calendars from now on. Repeatable.")
    ] = None,
    all_events: Annotated[bool, typer.Option("--all-events", help="Of all events.")] = False,
    all_calendars: Annotated[
        bool, typer.Option("--all-calendars", help="Of all calendars.")
    ] = False,
    include_customer: Annotated[
        bool | None,
        typer.Option("--include-customer/--no-include-customer", help="Tell who comes, too."),
    ] = None,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Change where and of what it is told, and no more than is named; an ended one begins anew.

    What waits for it goes to the new address.
    """
    if (event and all_events) or (calendar and all_calendars):
        raise typer.BadParameter("Either some, or all.")
    changes: dict[str, Any] = {"url": url} if url else {}
    if event or all_events:
        changes["event_types"] = _events(event)
    if calendar or all_calendars:
        changes["calendars"] = tuple(calendar or ())
    if include_customer is not None:
        changes["include_customer"] = include_customer

    async def work(client: Client) -> None:
        there = await client.get_webhook(webhook)
        _print([await client.update_webhook(replace(there, **changes))])

    with_client(work, business, target, api_key)


@app.command()
def rotate_secret(
    webhook: WebhookArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Give it a new secret, and print that, this once. For 24 h the old one signs beside it."""

    async def work(client: Client) -> None:
        there = await client.get_webhook(webhook)
        _say_secret(await client.rotate_webhook_secret(there))

    with_client(work, business, target, api_key)


@app.command()
def deliveries(
    webhook: WebhookArgument,
    limit: Annotated[int, typer.Option(min=1, max=CALLS_MAX, help="How many, the newest.")] = 50,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show its calls: what each told, of which booking, what became of it and why."""

    async def work(client: Client) -> None:
        query = DeliveryQuery(channel=DeliveryChannel.WEBHOOK)
        looked_at = await collect(client, query, CALLS_MAX)
        webhook_id = webhook.rpartition("/")[2]
        found = [each for each in looked_at if each.target == webhook_id][:limit]
        if len(looked_at) == CALLS_MAX and len(found) < limit:
            warn(f"Only the newest {CALLS_MAX:,} calls of the business were looked at.")
        if as_json:
            print_json(found)
        elif found:
            _print_calls(found)
        else:
            say("There are no calls.")

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


def _events(named: Sequence[str] | None) -> tuple[str, ...]:
    """Return the events that were named, or refuse one that there is not."""
    unknown = set(named or ()) - set(EventType)
    if unknown:
        raise typer.BadParameter(
            f"There is no event {', '.join(sorted(unknown))}, but {', '.join(EventType)}."
        )
    return tuple(named or ())


def _say_secret(signed: SignedWebhook) -> None:
    say(f"{signed.webhook.name}\nSecret, shown this once: {signed.secret}")


def _print_calls(found: Sequence[Delivery]) -> None:
    rows = [
        (
            f"{(call.ended or call.due).astimezone():%d %b %H:%M:%S}",
            call.name.rpartition("/")[2],
            call.kind,
            call.booking.rpartition("/")[2],
            str(call.revision),
            state_of(call),
            call.detail,
        )
        for call in reversed(found)
    ]
    print_table(("when", "id", "event", "booking", "revision", "state", "answer, or why not"), rows)


def _state_of(webhook: Webhook) -> Text:
    """Return its state in colour, and since when it fails."""
    since = webhook.failing_since
    return styled(
        (webhook.state.lower(), COLOURS.get(webhook.state, "default")),
        "" if since is None else f" since {since.astimezone():%d %b %H:%M:%S}",
    )
