"""`slotcast waitlist`: who waits, and joining and leaving for somebody."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

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
from slotcast import Customer, TimeWindow, WaitlistEntry, WaitlistWish

app = typer.Typer(help="Say who waits for a slot; join, and leave.", invoke_without_command=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="waitlist")


@app.callback()
def list_waiting(
    context: typer.Context,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who waits or is offered a slot, first come first."""
    if context.invoked_subcommand is None:
        run(_list(find_access(target, api_key), business, as_json))


async def _list(access: Access, business: str, as_json: bool) -> None:
    async with connect(access, business) as client:
        page_token = ""
        while True:
            page = await client.list_waitlist(page_token=page_token)
            for entry in page.items:
                _print(entry, as_json)
            page_token = page.next_page_token
            if not page_token:
                break


@app.command()
def join(
    appointment_type: Annotated[str, typer.Argument(help="Such as `haircut`.")],
    start: Annotated[str, typer.Argument(help="The first start that will do: 2030-01-07T09:00.")],
    end: Annotated[str, typer.Argument(help="From when on no start will do.")],
    name: Annotated[str, typer.Option(help="Who waits.")] = "Walk-in",
    email: Annotated[str, typer.Option(help="Where an offer goes.")] = "",
    calendar: Annotated[
        list[str] | None, typer.Option(help="Which will do; none: any of the type's.")
    ] = None,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wait for a slot that starts in a window."""
    wish = WaitlistWish(
        appointment_type=appointment_type,
        windows=(TimeWindow(_instant(start), _instant(end)),),
        calendars=tuple(calendar or ()),
        customer=Customer(display_name=name, email=email),
        holder="slotcast-cli",
    )
    run(_join(find_access(target, api_key), business, wish, as_json))


async def _join(access: Access, business: str, wish: WaitlistWish, as_json: bool) -> None:
    async with connect(access, business) as client:
        _print(await client.join_waitlist(wish), as_json)


@app.command()
def leave(
    entry: Annotated[str, typer.Argument(help="Its name, or its id.")],
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Let somebody wait no more; what was offered to them passes to the next."""
    run(_leave(find_access(target, api_key), business, entry))


async def _leave(access: Access, business: str, entry: str) -> None:
    async with connect(access, business) as client:
        await client.leave_waitlist(entry)


def _print(entry: WaitlistEntry, as_json: bool) -> None:
    offer = entry.offer
    if as_json:
        values = {
            "name": entry.name,
            "status": entry.status.value,
            "appointment_type": entry.appointment_type,
            "windows": [
                [window.start.isoformat(), window.end.isoformat()] for window in entry.windows
            ],
            "holder": entry.holder,
            "created_at": entry.created_at.isoformat(),
            "offer": None
            if offer is None
            else {"hold": offer.name, "start": offer.start.isoformat()},
        }
        sys.stdout.write(json.dumps(values) + "\n")
        return
    who = entry.holder if entry.customer is None else entry.customer.display_name
    what = entry.appointment_type.rsplit("/", 1)[1]
    if offer is None or entry.offer_expires_at is None:
        when = " or ".join(
            f"{window.start.astimezone():%a %d %b %H:%M} to {window.end.astimezone():%d %b %H:%M}"
            for window in entry.windows
        )
    else:
        when = (
            f"{offer.start.astimezone():%a %d %b %H:%M}"
            f" until {entry.offer_expires_at.astimezone():%H:%M:%S}"
        )
    Console().print(
        f"[green]{entry.status.value}[/] {who}: {what} {when}\n{entry.name}",
        highlight=False,
        soft_wrap=True,
    )


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2030-01-07T09:00.") from None
