"""A business for tests of the whole service."""

from datetime import timedelta
from typing import Any

from slotcast import AppointmentType, Business, Calendar, Schedule, WallInterval, Weekday

QUARTER = timedelta(minutes=15)


async def make_salon(client, name="salon"):
    """Make two chairs and a room, open day and night in UTC, and a type for each kind of rule."""
    always = (WallInterval(start="00:00", end="24:00"),)
    await client.create_business(Business(name=name, display_name="Salon"))
    await client.create_schedule(
        Schedule(name="always", display_name="Always", weekly=dict.fromkeys(Weekday, always))
    )
    for calendar in ("chair-1", "chair-2", "room"):
        await client.create_calendar(
            Calendar(name=calendar, display_name=calendar, time_zone="UTC", schedule="always")
        )
    for name_, rules in TYPES.items():
        await client.create_appointment_type(
            AppointmentType(name=name_, display_name=name_, durations=(QUARTER,), **rules)
        )


TYPES: dict[str, dict[str, Any]] = {
    "cut": {"any_of": ("chair-1", "chair-2")},
    "colour": {"any_of": ("chair-1", "chair-2"), "all_of": ("room",)},
    "class": {"all_of": ("room",), "capacity": 3},
    "consult": {"any_of": ("chair-1",), "requires_approval": True},
    "quick": {"any_of": ("chair-2",), "hold_duration": timedelta(seconds=10)},
}
