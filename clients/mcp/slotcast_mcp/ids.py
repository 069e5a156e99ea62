"""The names of times, holds and windows: to be copied, never to be made up or reckoned with.

A time is `<service>|<person>|<start>|<minutes>`, such as `haircut|anna|2026-12-01T10:00+01:00|30`;
without a person it is with whoever is free. A hold is its own id and its time:
`<id>|<service>|<person>|<start>|<minutes>`. So each says what it is, and no server has to remember.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from slotcast import Hold, SlotChoice, TimeWindow
from slotcast_mcp.refusals import Refused

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_HOLD = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEARS = range(2000, 3000)
_MINUTES_MAX = 24 * 60
_TEXT_MAX = 300


@dataclass(frozen=True, slots=True)
class Time:
    """A time that can be booked: with someone, or with whoever is free."""

    service: str
    person: str
    start: datetime
    minutes: int

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.service}|{self.person}|{instant_text(self.start)}|{self.minutes}"

    @property
    def end(self) -> datetime:
        """The instant after its last."""
        return self.start + timedelta(minutes=self.minutes)

    def choice(self) -> SlotChoice:
        """As the service is asked for it."""
        return SlotChoice(
            appointment_type=self.service,
            calendar=self.person,
            start=self.start,
            duration=timedelta(minutes=self.minutes),
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, and the time that it holds."""

    hold_id: str
    time: Time

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.hold_id}|{self.time}"


def instant_text(moment: datetime) -> str:
    """`2026-12-01T10:00+01:00`; with seconds, where there are any."""
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def last_part(name: str) -> str:
    """Return the short id that a resource name ends with."""
    return name.rsplit("/", 1)[-1]


def time_of(hold: Hold, zone: ZoneInfo) -> Time:
    """Return the time that a hold holds, with a zone's offset."""
    return Time(
        last_part(hold.appointment_type),
        last_part(hold.calendars[0]),
        hold.start.astimezone(zone),
        (hold.end - hold.start) // timedelta(minutes=1),
    )


def read_time(text: str, field: str) -> Time:
    """Read a time as it was told; anything else is refused."""
    parts = text.split("|") if len(text) <= _TEXT_MAX else []
    if len(parts) != 4 or not SLUG.fullmatch(parts[0]):
        raise _unknown(field)
    service, person, start, minutes = parts
    if person and not SLUG.fullmatch(person):
        raise _unknown(field)
    if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes[:5]) <= _MINUTES_MAX):
        raise _unknown(field)
    return Time(service, person, read_instant(start, field), int(minutes))


def read_hold(text: str, field: str) -> Held:
    """Read a hold as it was told; anything else is refused."""
    hold_id, _, time = text.partition("|")
    if not _HOLD.fullmatch(hold_id):
        raise _unknown(field)
    return Held(hold_id, read_time(time, field))


def read_hold_or_time(text: str, field: str) -> Held | Time:
    """Read a hold or a time as it was told; anything else is refused."""
    return read_hold(text, field) if text.count("|") == 4 else read_time(text, field)


def window_text(window: TimeWindow) -> str:
    """`2026-12-01T13:00+01:00/2026-12-01T18:00+01:00`."""
    return f"{instant_text(window.start)}/{instant_text(window.end)}"


def read_window(text: str, field: str) -> TimeWindow:
    """Read a window as it was told; anything else is refused."""
    first, _, last = text.partition("/")
    window = TimeWindow(read_instant(first, field), read_instant(last, field))
    if window.start >= window.end:
        raise _unknown(field)
    return window


def read_instant(text: str, field: str) -> datetime:
    """Read an instant with its offset; anything else is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise _unknown(field) from wrong
    if moment.utcoffset() is None or moment.year not in _YEARS:
        raise _unknown(field)
    return moment


def _unknown(field: str) -> Refused:
    return Refused(
        "INVALID_REQUEST",
        f"{field} is not one that these tools gave.",
        "Copy it exactly as find_times or hold_time gave it, or call find_times anew.",
        field=field,
    )
