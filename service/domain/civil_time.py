"""Wall clocks and instants: the one place that knows time zones.

A wall time that a change of clocks skips counts as the first instant after the gap; one that occurs
twice counts as its first occurrence. All instants are UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

CIVIL_YEARS = range(1971, 9000)
"""Outside these years there is no civil time here, and everything is closed."""

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_ZONES_KEPT_MAX = 1024
_DAY_STARTS_KEPT_MAX = 65_536


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return every IANA zone that there is."""
    listed = resources.files("tzdata").joinpath("zones").read_text("utf-8")
    return frozenset(listed.split())


def is_zone(name: str) -> bool:
    """Say whether there is a zone of that name."""
    return name in zone_names()


@lru_cache(maxsize=_ZONES_KEPT_MAX)
def _zone(name: str) -> ZoneInfo:
    # Not ZoneInfo(name): it prefers the files of the system, which differ between servers.
    if not is_zone(name):
        raise ValueError(f"There is no time zone {name}.")
    path = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def instant_at(zone: str, day: date, minute: int) -> datetime:
    """Return the instant of a wall time, in minutes after midnight; over 1,440 on later days."""
    wall = datetime.combine(day, time()) + minute * _MINUTE
    tz = _zone(zone)
    # With fold=0 a skipped time is read with the offset before the gap, so it comes back later.
    instant = wall.replace(tzinfo=tz).astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(tz, wall, instant)


def _end_of_gap(tz: ZoneInfo, wall: datetime, after: datetime) -> datetime:
    """Return the first instant at which the clock shows `wall` or later; `after` is one."""
    before = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle <= before:
            middle = before + _SECOND
        if middle.astimezone(tz).replace(tzinfo=None) >= wall:
            after = middle
        else:
            before = middle
    return after


@lru_cache(maxsize=_DAY_STARTS_KEPT_MAX)
def day_start(zone: str, day: date) -> datetime:
    """Return the first instant of a civil day."""
    return instant_at(zone, day, 0)


def civil_day(zone: str, instant: datetime) -> date:
    """Return the civil day that an instant lies in.

    Days are cut at `day_start`: where clocks go back over midnight, the new day has begun for good.
    """
    day = instant.astimezone(_zone(zone)).date()
    return day + ONE_DAY if instant >= day_start(zone, day + ONE_DAY) else day


def monday_of(day: date) -> date:
    """Return the first day of a civil week."""
    return day - timedelta(days=day.weekday())


def is_second_occurrence(zone: str, instant: datetime) -> bool:
    """Say whether the clock showed the same time before, as clocks had not gone back yet."""
    return instant.astimezone(_zone(zone)).fold == 1


def told_in(zone: str, instant: datetime) -> datetime:
    """Return an instant as it is told in a zone: what the clock shows, with its offset."""
    return instant.astimezone(_zone(zone))


def wall_clock(zone: str, instant: datetime) -> datetime:
    """Return what the clock shows, as a naive time, to be told to people."""
    return instant.astimezone(_zone(zone)).replace(tzinfo=None)
