"""The demo business: two stylists, a colour room, and a class; made once.

Its addresses end in `.example`, which is nobody's: letters to them go to the demo's mail catcher.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from datetime import timedelta

from slotcast import (
    AppointmentType,
    Business,
    Calendar,
    Client,
    ResourceExists,
    Schedule,
    WallInterval,
    Weekday,
)

ZONE = "Europe/Berlin"
HOUR = timedelta(hours=1)
HOURS = Schedule(
    name="hours",
    display_name="Every day",
    weekly=dict.fromkeys(
        Weekday,
        (WallInterval(start="09:00", end="12:30"), WallInterval(start="13:30", end="18:00")),
    ),
)
CALENDARS = tuple(
    Calendar(
        name=name,
        display_name=display_name,
        time_zone=ZONE,
        schedule=HOURS.name,
        email=f"{name}@salon.example",
    )
    for name, display_name in (
        ("stylist-1", "Stylist 1"),
        ("stylist-2", "Stylist 2"),
        ("colour-room", "Colour room"),
    )
)
TYPES = (
    AppointmentType(
        name="haircut",
        display_name="Haircut",
        durations=(HOUR / 2, HOUR),
        any_of=("stylist-1", "stylist-2"),
        buffer_after=timedelta(minutes=10),
        slot_step=HOUR / 2,
        cancellation_notice=2 * HOUR,
        reminders=(24 * HOUR, HOUR),
        cancel_by_reply=True,
    ),
    AppointmentType(
        name="colouring",
        display_name="Colouring, with a stylist in the colour room",
        durations=(2 * HOUR,),
        slot_step=HOUR / 2,
        any_of=("stylist-1", "stylist-2"),
        all_of=("colour-room",),
        requires_approval=True,
        reminders=(24 * HOUR,),
    ),
    AppointmentType(
        name="class",
        display_name="Styling class for eight",
        durations=(HOUR,),
        all_of=("colour-room",),
        capacity=8,
        day_cap=2,
    ),
)


def demo_business(name: str) -> Business:
    """Return the business, under a name."""
    return Business(
        name=name,
        display_name="Demo salon",
        email="hello@salon.example",
        phone="+49 30 23125 000",
        location="Demo street 1, Berlin",
        language="en",
    )


async def seed(client: Client, business: str) -> None:
    """Make the demo business, or leave it as it is."""
    for step in _steps(client, business):
        try:
            await step
        except ResourceExists:
            continue


def _steps(client: Client, business: str) -> Iterator[Awaitable[object]]:
    yield client.create_business(demo_business(business))
    yield client.create_schedule(HOURS)
    yield from map(client.create_calendar, CALENDARS)
    yield from map(client.create_appointment_type, TYPES)
