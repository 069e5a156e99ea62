"""Feeds: busy time that comes from elsewhere, and a calendar's bookings that go elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from slotcast.convert import instant, moment, span, word
from slotcast.v1 import catalog_service_pb2 as pb


class FeedState(StrEnum):
    """How a feed fares. FAILING: its last state is kept; CLOSED: its calendar is closed."""

    OK = "OK"
    FAILING = "FAILING"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyFeed:
    """A source of busy time of a calendar; without a `url` it was uploaded.

    `failure` says why it could not be read; `busy_intervals` is how many it puts on the calendar.
    """

    name: str
    url: str
    state: FeedState
    failure: str
    busy_intervals: int
    refresh_interval: timedelta | None
    fail_closed_after: timedelta | None
    succeeded: datetime | None
    attempted: datetime | None
    next_attempt: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedBusy:
    """What an import left on a calendar: so many intervals of busy time, at a revision."""

    busy_intervals: int
    revision: int
    feed: BusyFeed


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLink:
    """A secret address of a calendar's bookings; `url` is told once, when it is made."""

    name: str
    display_name: str
    with_names: bool
    created: datetime
    url: str = ""


def busy_feed(message: pb.BusyFeed) -> BusyFeed:
    """Read a feed."""
    states = pb.BusyFeed.State
    return BusyFeed(
        name=message.name,
        url=message.url,
        state=word(
            FeedState,
            lambda number: states.Name(states.ValueType(number)),
            "STATE_",
            message.state,
        ),
        failure=message.failure,
        busy_intervals=message.busy_intervals,
        refresh_interval=span(message, "refresh_interval"),
        fail_closed_after=span(message, "fail_closed_after"),
        succeeded=moment(message, "success_time"),
        attempted=moment(message, "attempt_time"),
        next_attempt=moment(message, "next_time"),
    )


def feed_link(message: pb.FeedLink, url: str = "") -> FeedLink:
    """Read a secret address."""
    return FeedLink(
        name=message.name,
        display_name=message.display_name,
        with_names=message.with_names,
        created=instant(message.create_time),
        url=url,
    )
