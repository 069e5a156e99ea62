"""`slotcast book` and `slotcast cancel`."""

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
from slotcast import Booking, Customer, SlotChoice, SlotRefused


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(book)
    app.command()(cancel)


def book(
    appointment_type: Annotated[str, typer.Argument(help="Such as `haircut`.")],
    start: Annotated[str, typer.Argument(help="2030-01-07T09:00, here, or with an offset.")],
    name: Annotated[str, typer.Option(help="Who comes.")] = "Walk-in",
    email: Annotated[str, typer.Option(help="Where letters go.")] = "",
    calendar: Annotated[str, typer.Option(help="Where; the server chooses, fairly.")] = "",
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Book a slot; if it is taken, say which are open near it."""
    choice = SlotChoice(appointment_type=appointment_type, start=_instant(start), calendar=calendar)
    customer = Customer(display_name=name, email=email)
    access = find_access(target, api_key)
    run(_book(access, business, choice, customer, as_json))


async def _book(
    access: Access, business: str, choice: SlotChoice, customer: Customer, as_json: bool
) -> None:
    async with connect(access, business) as client:
        try:
            booking = await client.book(choice, customer=customer)
        except SlotRefused as refusal:
            for slot in refusal.alternatives:
                Console(stderr=True).print(
                    f"  open: {slot.start.astimezone():%a %d %b %H:%M}"
                    f" on {slot.calendar.rsplit('/', 1)[1]}"
                )
            raise
    _print(booking, as_json)


def cancel(
    booking: Annotated[str, typer.Argument(help="Its name, or its id.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    override_notice: Annotated[
        bool, typer.Option("--override-notice", help="Although it is too near: for staff.")
    ] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a booking as it stands now."""
    access = find_access(target, api_key)
    run(_cancel(access, business, booking, reason, override_notice, as_json))


async def _cancel(
    access: Access, business: str, name: str, reason: str, override_notice: bool, as_json: bool
) -> None:
    async with connect(access, business) as client:
        booking = await client.get_booking(name)
        cancelled = await client.cancel_booking(
            booking, reason=reason, override_notice=override_notice
        )
    _print(cancelled, as_json)


def _print(booking: Booking, as_json: bool) -> None:
    if as_json:
        values = {
            "name": booking.name,
            "status": booking.status.value,
            "version": booking.version,
            "start": booking.start.isoformat(),
            "end": booking.end.isoformat(),
            "calendars": list(booking.calendars),
            "revision": booking.revision,
        }
        sys.stdout.write(json.dumps(values) + "\n")
        return
    Console().print(
        f"[green]{booking.status.value}[/] {booking.start.astimezone():%a %d %b %H:%M}"
        f" on {booking.calendars[0].rsplit('/', 1)[1]}\n{booking.name}",
        highlight=False,
        soft_wrap=True,
    )


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2030-01-07T09:00.") from None
