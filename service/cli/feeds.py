"""`slotcast feeds`: busy time from elsewhere, and addresses at which calendars can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from service.cli.catalog import say_imported
from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    lists_when_alone,
    with_client,
)
from service.cli.printing import print_json, print_table, say, styled
from slotcast import BusyFeed, Client, FeedLink, FeedState

app = typer.Typer(help="Busy time from elsewhere, and how it fares; calendars as files.")
links = typer.Typer(help="Secret addresses at which a calendar can be read.", no_args_is_help=True)
app.add_typer(links, name="link")

COLOURS = {FeedState.OK: "green", FeedState.FAILING: "yellow", FeedState.CLOSED: "red"}
PAGE_SIZE_MAX = 500
CalendarArgument = Annotated[str, typer.Argument(help="Whose: a calendar's name, or its id.")]
FeedArgument = Annotated[str, typer.Argument(help="Which feed of it.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="feeds")


async def _show_all(client: Client, as_json: bool) -> None:
    feeds: list[BusyFeed] = []
    page_token = ""
    while True:
        page = await client.list_calendars(page_size=PAGE_SIZE_MAX, page_token=page_token)
        for calendar in page.items:
            feeds += await client.list_busy_feeds(calendar.name)
        page_token = page.next_page_token
        if not page_token:
            break
    _show_feeds(feeds, as_json)


lists_when_alone(app, _show_all)


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

    with_client(work, business, target, api_key)


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
        say_imported(imported, calendar)

    with_client(work, business, target, api_key)


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
        say(f"{feed} has ended, at revision {revision}.")

    with_client(work, business, target, api_key)


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
        say(made.url)

    with_client(work, business, target, api_key)


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

    with_client(work, business, target, api_key)


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
        say(f"{calendar} can no longer be read at the address {link}.")

    with_client(work, business, target, api_key)


def _show_feeds(feeds: Sequence[BusyFeed], as_json: bool) -> None:
    if as_json:
        print_json(feeds)
        return
    if not feeds:
        say("There are no feeds.")
        return
    rows = [
        (
            feed.name.split("/")[3],
            feed.name.rpartition("/")[2],
            styled((feed.state.lower(), COLOURS.get(feed.state, "dim"))),
            str(feed.busy_intervals),
            _local(feed.succeeded),
            _local(feed.next_attempt),
            feed.url or "(uploaded)",
            feed.failure,
        )
        for feed in feeds
    ]
    print_table(("calendar", "feed", "state", "busy", "read", "next", "address", "why not"), rows)


def _show_links(found: Sequence[FeedLink], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        say("There are no addresses.")
        return
    rows = [
        (
            link.name.rpartition("/")[2],
            link.display_name,
            "yes" if link.with_names else "no",
            _local(link.created),
        )
        for link in found
    ]
    print_table(("id", "for", "names", "made"), rows)


def _local(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone():%d %b %H:%M:%S}"
