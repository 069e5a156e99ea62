"""`slotcast book` and `slotcast cancel`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from service.cli.connection import (
    DEMO_BUSINESS,
    Access,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    connect,
    find_access,
    id_of,
    run,
)
from service.cli.printing import print_json, say, warn
from slotcast import (
    Booking,
    Customer,
    Occurrence,
    SeriesMode,
    SeriesRefused,
    SlotcastError,
    SlotChoice,
    SlotRefused,
    Wish,
)


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
    repeat: Annotated[str, typer.Option(help="When it recurs, such as FREQ=WEEKLY;COUNT=6.")] = "",
    as_many_as_fit: Annotated[
        bool, typer.Option("--as-many-as-fit", help="Of what recurs, leave out what does not fit.")
    ] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Book a slot; if it is taken, say which are open near it. With --repeat, book a series."""
    choice = SlotChoice(appointment_type=appointment_type, start=_instant(start), calendar=calendar)
    customer = Customer(display_name=name, email=email)
    if as_many_as_fit and not repeat:
        raise typer.BadParameter("--as-many-as-fit is of what recurs: say how with --repeat.")
    access = find_access(target, api_key)
    if not repeat:
        run(_book(access, business, choice, customer, as_json))
        return
    mode = SeriesMode.AS_MANY_AS_FIT if as_many_as_fit else SeriesMode.ALL_OR_NONE
    run(_book_series(access, business, choice, customer, repeat, mode, as_json))


async def _book(
    access: Access, business: str, choice: SlotChoice, customer: Customer, as_json: bool
) -> None:
    async with connect(access, business) as client:
        try:
            booking = await client.book(choice, customer=customer)
        except SlotRefused as refusal:
            for slot in refusal.alternatives:
                warn(
                    f"  open: {slot.start.astimezone():%a %d %b %H:%M}"
                    f" on {slot.calendar.rsplit('/', 1)[1]}"
                )
            raise
    _print(booking, as_json)


async def _book_series(
    access: Access,
    business: str,
    first: SlotChoice,
    customer: Customer,
    repeat: str,
    mode: SeriesMode,
    as_json: bool,
) -> None:
    async with connect(access, business) as client:
        try:
            series = await client.book_series(first, repeat, Wish(customer=customer), mode=mode)
        except SeriesRefused as refused:
            for start, refusal in refused.occurrences:
                if refusal is not None:
                    _print_refusal(start, refusal)
            raise
    if as_json:
        values = {
            "series": series.name,
            "occurrences": [_values_of_occurrence(each) for each in series.occurrences],
            "revision": series.revision,
        }
        print_json(values)
        return
    for each in series.occurrences:
        if each.booking is not None:
            _print(each.booking, as_json=False)
        elif each.refusal is not None:
            _print_refusal(each.start, each.refusal)


def _print_refusal(start: datetime, refusal: SlotcastError) -> None:
    warn(("not booked", "red"), f" {start.astimezone():%a %d %b %H:%M}: {refusal}")


def cancel(
    booking: Annotated[
        str, typer.Argument(help="Its name, or its id.", callback=id_of("booking", "bookings"))
    ],
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
        print_json(_values(booking))
        return
    say(
        (booking.status.value, "green"),
        f" {booking.start.astimezone():%a %d %b %H:%M}"
        f" on {booking.calendars[0].rsplit('/', 1)[1]}\n{booking.name}",
    )


def _values(booking: Booking) -> dict[str, Any]:
    return {
        "name": booking.name,
        "status": booking.status.value,
        "version": booking.version,
        "start": booking.start,
        "end": booking.end,
        "calendars": list(booking.calendars),
        "revision": booking.revision,
    }


def _values_of_occurrence(occurrence: Occurrence) -> dict[str, Any]:
    booking, refusal = occurrence.booking, occurrence.refusal
    return {
        "start": occurrence.start,
        "booking": _values(booking) if booking is not None else None,
        "refusal": refusal.reason if refusal is not None else None,
    }


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2030-01-07T09:00.") from None
