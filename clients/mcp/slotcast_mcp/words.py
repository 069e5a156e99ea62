"""Times in words: each with its weekday, its zone and its offset."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slotcast_mcp.quoting import quoted
from slotcast_mcp.refusals import STEP_ZONE, Refused

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def zone_of(name: str, field: str = "time_zone") -> ZoneInfo:
    """Return an IANA zone; what is none is refused, and never guessed."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as unknown:
        raise Refused(
            "INVALID_REQUEST",
            f"{quoted(name)} is no IANA time zone.",
            STEP_ZONE,
            field=field,
        ) from unknown


def moment_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """`Tuesday 1 December 2026, 10:00 (Europe/Berlin, UTC+01:00)`."""
    local = moment.astimezone(zone)
    return f"{_day(local)}, {local:%H:%M} ({zone.key}, {offset(local)})"


def span_in_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """`Tuesday 1 December 2026, 10:00 to 10:30 (Europe/Berlin, UTC+01:00)`."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last)}, {last:%H:%M}"
    offsets = offset(first)
    if offset(last) != offsets:
        offsets = f"{offsets} to {offset(last)}"
    return f"{_day(first)}, {first:%H:%M} to {until} ({zone.key}, {offsets})"


def offset(local: datetime) -> str:
    """`UTC+01:00`."""
    text = f"{local:%z}"
    return f"UTC{text[:3]}:{text[3:5]}"


def minutes_in_words(minutes: int) -> str:
    """`30 minutes`."""
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _day(local: datetime) -> str:
    weekday, month = WEEKDAYS[local.weekday()], MONTHS[local.month - 1]
    return f"{weekday} {local.day} {month} {local.year}"
