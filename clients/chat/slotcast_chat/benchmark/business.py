"""The business of a scenario, made afresh for it, and what is known of it in the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from slotcast import (
    AppointmentType,
    Booking,
    BookingQuery,
    BookingStatus,
    Business,
    Calendar,
    Client,
    Customer,
    Schedule,
    SlotChoice,
    WallInterval,
    Weekday,
)
from slotcast_chat.benchmark.days import day_of, moment_of
from slotcast_chat.benchmark.scenario import Scenario

HORIZON = timedelta(days=400)
COMPETITOR = "Somebody else"
HALF_HOUR = timedelta(minutes=30)


async def make_business(client: Client, name: str, scenario: Scenario, now: datetime) -> None:
    """Make it: Haircut, 30 or 60 minutes, with any of the people; Colouring, 90, with the first."""
    await client.create_business(
        Business(name=name, display_name="Benchmark salon", phone="+49 30 23125 000")
    )
    await client.create_schedule(_schedule(scenario, now))
    for person in scenario.people:
        await client.create_calendar(
            Calendar(
                name=person,
                display_name=person.capitalize(),
                time_zone=scenario.business_zone,
                schedule="hours",
            )
        )
    for made in _types(scenario):
        await client.create_appointment_type(made)
    for each in scenario.taken:
        await _take(client, scenario, each, now)


async def bookings_of(client: Client, now: datetime) -> Sequence[Booking]:
    """Return all bookings of the business, whoever made them."""
    found: list[Booking] = []
    # From an hour ago, in steps that one list may span.
    start, step = now - timedelta(hours=1), timedelta(days=60)
    while start < now + HORIZON:
        page = await client.list_bookings(BookingQuery(start=start, end=start + step))
        assert not page.next_page_token, "A scenario has few bookings."
        found.extend(page.items)
        start += step
    return found


def is_active(booking: Booking) -> bool:
    """Tell whether a booking stands."""
    return booking.status in {BookingStatus.CONFIRMED, BookingStatus.PENDING}


def is_the_persons(booking: Booking) -> bool:
    """Tell whether the person of the scenario made it, and no competitor."""
    return booking.customer is None or booking.customer.display_name != COMPETITOR


def _schedule(scenario: Scenario, now: datetime) -> Schedule:
    zone = ZoneInfo(scenario.business_zone)
    hours = tuple(
        WallInterval(start=start, end=end)
        for start, _, end in (each.partition("-") for each in scenario.hours)
    )
    closed = {day_of(day, now, zone): () for day in scenario.closed}
    return Schedule(
        name="hours",
        display_name="Hours",
        weekly=dict.fromkeys(Weekday, hours),
        exceptions=closed,
    )


def _types(scenario: Scenario) -> Sequence[AppointmentType]:
    hold = timedelta(seconds=scenario.hold_seconds)
    return (
        AppointmentType(
            name="haircut",
            display_name="Haircut",
            durations=(HALF_HOUR, 2 * HALF_HOUR),
            any_of=scenario.people,
            slot_step=HALF_HOUR,
            horizon=HORIZON,
            hold_duration=hold,
            price="45.00 EUR",
        ),
        AppointmentType(
            name="colouring",
            display_name="Colouring",
            durations=(3 * HALF_HOUR,),
            any_of=scenario.people[:1],
            slot_step=HALF_HOUR,
            horizon=HORIZON,
            hold_duration=hold,
        ),
    )


async def _take(
    client: Client, scenario: Scenario, taken: dict[str, str] | object, now: datetime
) -> None:
    assert isinstance(taken, dict)
    zone = ZoneInfo(scenario.business_zone)
    day = day_of(taken["day"], now, zone)
    people = [taken["person"]] if "person" in taken else list(scenario.people)
    start, last = moment_of(day, taken["from"], zone), moment_of(day, taken["to"], zone)
    while start < last:
        for person in people:
            await client.book(
                SlotChoice(appointment_type="haircut", calendar=person, start=start),
                customer=Customer(display_name=COMPETITOR),
            )
        start += HALF_HOUR
