"""`slotcast waitlist`: who waits, and joining and leaving for somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

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
from service.cli.printing import print_json, say
from slotcast import Client, Customer, TimeWindow, WaitlistEntry, WaitlistWish

app = typer.Typer(help="Say who waits for a slot, first come first; join, and leave.")


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="waitlist")


async def _list(client: Client, as_json: bool) -> None:
    found: list[WaitlistEntry] = []
    page_token = ""
    while True:
        page = await client.list_waitlist(page_token=page_token)
        found += page.items
        page_token = page.next_page_token
        if not page_token:
            break
    if as_json:
        print_json([_values(entry) for entry in found])
        return
    for entry in found:
        _print(entry)
    if not found:
        say("Nobody waits.")


lists_when_alone(app, _list)


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

    async def work(client: Client) -> None:
        joined = await client.join_waitlist(wish)
        if as_json:
            print_json(_values(joined))
        else:
            _print(joined)

    with_client(work, business, target, api_key)


@app.command()
def leave(
    entry: Annotated[
        str, typer.Argument(help="Its name, or its id.", callback=id_of("wish", "waitlist"))
    ],
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Let somebody wait no more; what was offered to them passes to the next."""

    async def work(client: Client) -> None:
        revision = await client.leave_waitlist(entry)
        say(f"{entry} waits no more, at revision {revision}.")

    with_client(work, business, target, api_key)


def _print(entry: WaitlistEntry) -> None:
    who = entry.holder if entry.customer is None else entry.customer.display_name
    what = entry.appointment_type.rsplit("/", 1)[1]
    say((entry.status.value, "green"), f" {who}: {what} {_when(entry)}\n{entry.name}")


def _when(entry: WaitlistEntry) -> str:
    """Return what is offered until when; else in which windows."""
    offer, until = entry.offer, entry.offer_expires_at
    if offer is not None and until is not None:
        return f"{offer.start.astimezone():%a %d %b %H:%M} until {until.astimezone():%H:%M:%S}"
    return " or ".join(
        f"{window.start.astimezone():%a %d %b %H:%M} to {window.end.astimezone():%d %b %H:%M}"
        for window in entry.windows
    )


def _values(entry: WaitlistEntry) -> dict[str, Any]:
    offer = entry.offer
    return {
        "name": entry.name,
        "status": entry.status.value,
        "appointment_type": entry.appointment_type,
        "windows": [{"start": window.start, "end": window.end} for window in entry.windows],
        "holder": entry.holder,
        "created_at": entry.created_at,
        "offer": None if offer is None else {"hold": offer.name, "start": offer.start},
    }


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2030-01-07T09:00.") from None
