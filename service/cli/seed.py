"""The demo business: two stylists, a colour room, and a class; made once."""

from __future__ import annotations

from collections.abc import Awaitable
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


async def seed(client: Client, business: str) -> None:
    """Make the demo business, or leave it as it is."""
    for step in _steps(client, business):
        try:
            await step
        except ResourceExists:
            continue


def _steps(client: Client, business: str) -> list[Awaitable[object]]:
    hours = (WallInterval(start="09:00", end="12:30"), WallInterval(start="13:30", end="18:00"))
    return [
        client.create_business(Business(name=business, display_name="Demo salon")),
        client.create_schedule(
            Schedule(
                name="hours",
                display_name="Every day",
                weekly=dict.fromkeys(Weekday, hours),
            )
        ),
        *(
            client.create_calendar(
                Calendar(name=name, display_name=display_name, time_zone=ZONE, schedule="hours")
            )
            for name, display_name in (
                ("stylist-1", "Stylist 1"),
                ("stylist-2", "Stylist 2"),
                ("colour-room", "Colour room"),
            )
        ),
        client.create_appointment_type(
            AppointmentType(
                name="haircut",
                display_name="Haircut",
                durations=(HOUR / 2, HOUR),
                any_of=("stylist-1", "stylist-2"),
                buffer_after=timedelta(minutes=10),
                slot_step=HOUR / 2,
            )
        ),
        client.create_appointment_type(
            AppointmentType(
                name="colouring",
                display_name="Colouring, with a stylist in the colour room",
                durations=(2 * HOUR,),
                slot_step=HOUR / 2,
                any_of=("stylist-1", "stylist-2"),
                all_of=("colour-room",),
                requires_approval=True,
            )
        ),
        client.create_appointment_type(
            AppointmentType(
                name="class",
                display_name="Styling class for eight",
                durations=(HOUR,),
                all_of=("colour-room",),
                capacity=8,
                day_cap=2,
            )
        ),
    ]
