"""Instants, durations, dates and wall-clock times as the wire has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from service.domain.catalog import MINUTES_PER_DAY, WallInterval
from service.domain.errors import InvalidRequest
from service.domain.interval import Interval
from slotcast.v1 import catalog_service_pb2 as catalog_pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_END = 2200
"""No request reaches further, so that sums of times stay far from the end of the calendar."""
NO_INSTANT = f"It must be a time from 1970 until {YEAR_END}."
SECONDS_END = int((datetime(YEAR_END, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_MICROSECOND = 1000
DATE_LENGTH = len("2030-12-24")
NOT_ZONES = frozenset({"Factory", "localtime", "posixrules"})


def is_instant(value: Timestamp) -> bool:
    """Say whether it is a time that a request may name."""
    return 0 <= value.nanos < NANOS_PER_SECOND and 0 <= value.seconds < SECONDS_END


def read_instant(value: Timestamp, field: str) -> datetime:
    """Return the first whole microsecond that is not before the instant.

    Starts lie on whole microseconds, so comparing with it is as good as with the instant.
    """
    if not is_instant(value):
        raise InvalidRequest(field, NO_INSTANT)
    microseconds = -(-value.nanos // NANOS_PER_MICROSECOND)
    return EPOCH + timedelta(seconds=value.seconds, microseconds=microseconds)


def write_instant(instant: datetime) -> Timestamp:
    """Return the instant as a message."""
    since = instant - EPOCH
    return Timestamp(
        seconds=since.days * 86_400 + since.seconds,
        nanos=since.microseconds * NANOS_PER_MICROSECOND,
    )


def read_window(start: Timestamp, end: Timestamp) -> Interval:
    """Return the window of a query."""
    window_start = read_instant(start, "start_time")
    window_end = read_instant(end, "end_time")
    if not window_start < window_end:
        raise InvalidRequest("end_time", "It must be after start_time.")
    return Interval(window_start, window_end)


def read_duration(value: Duration, field: str) -> timedelta:
    """Return a duration of whole seconds."""
    if value.nanos:
        raise InvalidRequest(field, "It must be whole seconds.")
    return timedelta(seconds=value.seconds)


def read_minutes(value: Duration, field: str) -> timedelta:
    """Return a duration of whole minutes."""
    if value.nanos or value.seconds % 60:
        raise InvalidRequest(field, "It must be whole minutes.")
    return timedelta(seconds=value.seconds)


def write_duration(duration: timedelta) -> Duration:
    """Return the duration as a message."""
    return Duration(
        seconds=duration.days * 86_400 + duration.seconds,
        nanos=duration.microseconds * NANOS_PER_MICROSECOND,
    )


def read_date(text: str, field: str) -> date:
    """Return a civil date; what no calendar has, such as 2030-02-30, is refused."""
    try:
        day = date.fromisoformat(text) if len(text) == DATE_LENGTH else None
    except ValueError:
        day = None
    if day is None or not EPOCH.year <= day.year < YEAR_END:
        raise InvalidRequest(field, f"It must be a date from 1970 until {YEAR_END}.")
    return day


def read_wall_interval(interval: catalog_pb.WallInterval) -> WallInterval:
    """Return the hours; an end at or before the start is on the next day."""
    start_minute = _minute(interval.start)
    end_minute = _minute(interval.end)
    if end_minute <= start_minute:
        end_minute += MINUTES_PER_DAY
    return WallInterval(start_minute=start_minute, end_minute=end_minute)


def write_wall_interval(interval: WallInterval) -> catalog_pb.WallInterval:
    """Return the hours as a message; midnight at the end is 24:00."""
    end_minute = interval.end_minute
    if end_minute > MINUTES_PER_DAY:
        end_minute -= MINUTES_PER_DAY
    return catalog_pb.WallInterval(start=_clock(interval.start_minute), end=_clock(end_minute))


def check_zone(zone: str, field: str) -> str:
    """Return the name of a zone that exists."""
    if zone not in known_zones():
        raise InvalidRequest(field, "There is no such IANA time zone.")
    return zone


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all zones; a calendar in no place of the earth is none of ours."""
    return frozenset(available_timezones()) - NOT_ZONES


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
