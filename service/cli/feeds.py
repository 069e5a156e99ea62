"""`slotcast feeds`: busy time from elsewhere, and addresses at which calendars can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    connect,
    find_access,
    run,
)
from slotcast import BusyFeed, Client, FeedLink, FeedState

app = typer.Typer(help="Busy time from elsewhere, and calendars as files.", no_args_is_help=True)
links = typer.Typer(help="Secret addresses at which a calendar can be read.", no_args_is_help=True)
app.add_typer(links, name="link")

COLOURS = {FeedState.OK: "green", FeedState.FAILING: "yellow", FeedState.CLOSED: "red"}
CalendarArgument = Annotated[str, typer.Argument(help="Whose: a calendar's name, or its id.")]
FeedArgument = Annotated[str, typer.Argument(help="Which feed of it.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="feeds")


@app.command("list")
def list_(
    calendar: CalendarArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the feeds of a calendar, and how they fare."""

    async def work(client: Client) -> None:
        _show_feeds(await client.list_busy_feeds(calendar), as_json)

    _with_client(work, business, target, api_key)


@app.command("import")
def import_(
    calendar: CalendarArgument,
    feed: FeedArgument,
    url: Annotated[str, typer.Argument(help="Where the .ics file is: http or https.")],
    every: Annotated[int, typer.Option(min=1, help="Minutes from one reading to the next.")] = 15,
    close_after: Annotated[
        int | None,
        typer.Option(min=1, help="Close the calendar once it was unread for so many minutes."),
    ] = None,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Read busy time from an address, now and again and again."""

    async def work(client: Client) -> None:
        imported = await client.import_busy_feed(
            calendar,
            feed,
            url,
            refresh_interval=timedelta(minutes=every),
            fail_closed_after=None if close_after is None else timedelta(minutes=close_after),
        )
        Console().print(
            f"{imported.busy_intervals} busy intervals are on {calendar}, at revision"
            f" {imported.revision}.",
            highlight=False,
        )

    _with_client(work, business, target, api_key)


@app.command()
def delete(
    calendar: CalendarArgument,
    feed: FeedArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """End a feed, and free its busy time."""

    async def work(client: Client) -> None:
        found = [
            each
            for each in await client.list_busy_feeds(calendar)
            if each.name.rpartition("/")[2] == feed
        ]
        if not found:
            raise typer.BadParameter(f"{calendar} has no feed {feed}.")
        revision = await client.delete_busy_feed(found[0])
        Console().print(f"{feed} has ended, at revision {revision}.", highlight=False)

    _with_client(work, business, target, api_key)


@links.command("create")
def create_link(
    calendar: CalendarArgument,
    name: Annotated[str, typer.Option(help="Who subscribes.")] = "",
    with_names: Annotated[bool, typer.Option(help="With the names of customers.")] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Make an address, and show it this once. Whoever has it can read the calendar."""

    async def work(client: Client) -> None:
        made = await client.create_feed_link(calendar, display_name=name, with_names=with_names)
        Console().print(made.url, highlight=False, soft_wrap=True)

    _with_client(work, business, target, api_key)


@links.command("list")
def list_links(
    calendar: CalendarArgument,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the addresses of a calendar, without their secrets."""

    async def work(client: Client) -> None:
        _show_links(await client.list_feed_links(calendar), as_json)

    _with_client(work, business, target, api_key)


@links.command("revoke")
def revoke_link(
    calendar: CalendarArgument,
    link: Annotated[str, typer.Argument(help="The id that `list` shows.")],
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Make an address worthless at once."""

    async def work(client: Client) -> None:
        found = [
            each
            for each in await client.list_feed_links(calendar)
            if each.name.rpartition("/")[2] == link
        ]
        if not found:
            raise typer.BadParameter(f"{calendar} has no address {link}.")
        await client.delete_feed_link(found[0])

    _with_client(work, business, target, api_key)


def _with_client(
    work: Callable[[Client], Coroutine[Any, Any, None]],
    business: str,
    target: str | None,
    api_key: str | None,
) -> None:
    async def main() -> None:
        async with connect(find_access(target, api_key), business) as client:
            await work(client)

    run(main())


def _show_feeds(feeds: Sequence[BusyFeed], as_json: bool) -> None:
    if as_json:
        _print_json(feeds)
        return
    table = Table("feed", "state", "busy", "read", "next", "address", "why not", box=None)
    for feed in feeds:
        colour = COLOURS.get(feed.state, "dim")
        table.add_row(
            feed.name.rpartition("/")[2],
            f"[{colour}]{feed.state.lower()}[/]",
            str(feed.busy_intervals),
            _local(feed.succeeded),
            _local(feed.next_attempt),
            escape(feed.url) or "(uploaded)",
            escape(feed.failure),
        )
    Console().print(table if feeds else "There are no feeds.", highlight=False)


def _show_links(found: Sequence[FeedLink], as_json: bool) -> None:
    if as_json:
        _print_json(found)
        return
    table = Table("id", "for", "names", "made", box=None)
    for link in found:
        table.add_row(
            link.name.rpartition("/")[2],
            escape(link.display_name),
            "yes" if link.with_names else "no",
            _local(link.created),
        )
    Console().print(table if found else "There are no addresses.", highlight=False)


def _print_json(things: Sequence[BusyFeed] | Sequence[FeedLink]) -> None:
    print(json.dumps([asdict(each) for each in things], default=str, indent=2))


def _local(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone():%d %b %H:%M:%S}"
