"""The days that scenarios speak of, reckoned here by itself: not as the service reads words."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_WEEKDAYS = tuple(name.lower() for name in calendar.day_name)
_MONTHS = tuple(calendar.month_name)[1:]
_PLACE = re.compile(r"\{(date|weekday|iso|month-date|time):([^{}]+)\}")
_DAYS_AHEAD_MAX = 800


def day_of(text: str, now: datetime, zone: ZoneInfo) -> date:
    """Return the civil day that a scenario means, in a zone.

    `today`, `tomorrow`, `+5` days; `friday`: the first one after today; `next-week friday`: that of
    the calendar week after this one, from Monday on; `change`, `spring`, `autumn`: the next day on
    which the clocks change, go forward, go back; any with `+1` or `-1` after it.
    """
    base, _, more = text.partition(" ") if text.startswith("next-week") else (text, "", "")
    today = now.astimezone(zone).date()
    if base == "next-week":
        monday = today + timedelta(days=7 - today.weekday())
        return monday + timedelta(days=_WEEKDAYS.index(more))
    match = re.fullmatch(r"([a-z]*)([+-]\d+)?", text)
    if match is None:
        raise ValueError(f"{text} is no day.")
    name, shift = match.group(1), int(match.group(2) or 0)
    return _named_day(name, today, zone) + timedelta(days=shift)


def moment_of(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time on a day."""
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def filled(text: str, now: datetime, zone: ZoneInfo) -> str:
    """Return what a person says, with its days written out: `{date:+5}`, `{weekday:+5}`."""

    def write(match: re.Match[str]) -> str:
        return _WRITERS[match.group(1)](day_of(match.group(2), now, zone))

    return _PLACE.sub(write, text)


_WRITERS: dict[str, Callable[[date], str]] = {
    "date": lambda day: f"{day.day} {_MONTHS[day.month - 1]}",
    "month-date": lambda day: f"{_MONTHS[day.month - 1]} {day.day}",
    "weekday": lambda day: _WEEKDAYS[day.weekday()].capitalize(),
    "iso": lambda day: day.isoformat(),
}


def _named_day(name: str, today: date, zone: ZoneInfo) -> date:
    if name in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS.index(name) - today.weekday() - 1) % 7 + 1)
    if name in {"change", "spring", "autumn"}:
        return _clock_change(name, today, zone)
    if name == "tomorrow":
        return today + timedelta(days=1)
    if name in {"", "today"}:
        return today
    raise ValueError(f"{name} is no day.")


def _clock_change(which: str, today: date, zone: ZoneInfo) -> date:
    for ahead in range(2, _DAYS_AHEAD_MAX):
        day = today + timedelta(days=ahead)
        before, after = (
            datetime.combine(each, time(), zone).utcoffset() or timedelta()
            for each in (day, day + timedelta(days=1))
        )
        if before != after and which in {"change", "spring" if after > before else "autumn"}:
            return day
    raise ValueError(f"The clocks of {zone.key} do not change.")
