"""Instants as whole microseconds since 1970: the checker compares millions of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Return an instant."""
    return (instant - _EPOCH) // _MICROSECOND


def micros_of(stamp: Timestamp) -> int:
    """Return the instant of a message."""
    return stamp.seconds * SECOND + stamp.nanos // 1000


def length_of(duration: Duration) -> int:
    """Return the length of a message, in microseconds."""
    return duration.seconds * SECOND + duration.nanos // 1000


def stamp(instant: int) -> Timestamp:
    """Write an instant as a message."""
    return Timestamp(seconds=instant // SECOND, nanos=instant % SECOND * 1000)


def shown(instant: int) -> str:
    """Write an instant for people."""
    return f"{_EPOCH + timedelta(microseconds=instant):%d %H:%M:%S.%f}"
