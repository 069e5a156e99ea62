"""Dates, times and durations as iCalendar writes them (RFC 5545 section 3.3)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from service.feeds.content_lines import BadFeed

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z)?)?")
_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=.)(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])?")
_LEAP_SECOND = 60
# Clocks on walls know no zone: the first and last times they can show, and midnight of a day.
EARLIEST = datetime.min  # noqa: DTZ901
LATEST = datetime.max  # noqa: DTZ901


class Kind(Enum):
    DATE = "a day"
    FLOATING = "a time of whatever zone applies"
    UTC = "a time in UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class WallTime:
    """What a clock on the wall shows; a day is its midnight."""

    at: datetime
    kind: Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """Days are counted on the calendar, the rest by a stopwatch (RFC 5545 section 3.3.6)."""

    days: int
    exact: timedelta

    @property
    def at_most(self) -> timedelta:
        """No day of a calendar is longer than 26 hours."""
        return timedelta(hours=26) * self.days + self.exact


def read_wall_time(text: str, line: int) -> WallTime:
    match = _DATE.fullmatch(text.strip().upper())
    if match is None:
        raise BadFeed(f"{text[:40]!r} is no date and no time", line)
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    try:
        at = EARLIEST.replace(
            year=year,
            month=month,
            day=day,
            hour=hour,
            minute=minute,
            second=59 if second == _LEAP_SECOND else second,
        )
    except ValueError:
        raise BadFeed(f"{text[:40]!r} is on no calendar", line) from None
    if match[4] is None:
        return WallTime(at=at, kind=Kind.DATE)
    return WallTime(at=at, kind=Kind.UTC if match[7] else Kind.FLOATING)


def read_duration(text: str, line: int) -> Duration:
    match = _DURATION.fullmatch(text.strip().upper())
    if match is None:
        raise BadFeed(f"{text[:40]!r} is no duration", line)
    sign = -1 if match[1] == "-" else 1
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return Duration(days=sign * (7 * weeks + days), exact=sign * exact)


def read_utc_offset(text: str, line: int) -> timedelta:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        raise BadFeed(f"{text[:40]!r} is no offset from UTC", line)
    hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:])
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if match[1] == "-" else offset


def shifted(at: datetime, by: timedelta) -> datetime:
    """Moves a wall time, as far as the years go: UNTIL=99991231T235959Z is in use."""
    try:
        return at + by
    except OverflowError:
        return LATEST if by > timedelta() else EARLIEST
