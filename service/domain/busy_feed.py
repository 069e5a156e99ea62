"""Feeds: where the busy time of a calendar comes from, and how its source fares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from service.domain.catalog import Closure
from service.domain.interval import Interval

REFRESH_INTERVAL_DEFAULT = timedelta(minutes=15)
FEEDS_PER_CALENDAR_MAX = 20
CLOSED_AHEAD = timedelta(days=3650)
"""A closure must end; nothing can be booked so far ahead."""


class FeedState(StrEnum):
    """How a feed fares. Closed: it could not be read for so long that its calendar is closed."""

    OK = "ok"
    FAILING = "failing"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedSource:
    """Where a file came from, and what it is known by there; without a URL it was uploaded.

    `next_in` is when to fetch it again. A refresh brings nothing where the feed is another by now,
    or none.
    """

    url: str = ""
    refresh_interval: timedelta = REFRESH_INTERVAL_DEFAULT
    fail_closed_after: timedelta | None = None
    etag: str = ""
    last_modified: str = ""
    content_hash: bytes = b""
    next_in: timedelta | None = None
    is_refresh: bool = False


UPLOADED = FeedSource()


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyFeed:
    """A feed as it is stored. One that was uploaded has no `url`, and no `next_at`."""

    calendar_id: str
    feed_id: str
    url: str
    refresh_interval: timedelta
    fail_closed_after: timedelta | None
    state: FeedState
    failure: str
    failures: int
    busy_intervals: int
    etag: str
    last_modified: str
    content_hash: bytes
    success_at: datetime | None
    attempt_at: datetime | None
    next_at: datetime | None


def stale_closure_id(calendar_id: str, feed_id: str) -> str:
    """Return the id of the closure that a stale feed puts on its calendar."""
    digest = sha256(f"{calendar_id}/{feed_id}".encode()).hexdigest()[:10]
    return f"feed-{feed_id[:12]}-{digest}-stale"


def stale_closure(feed: BusyFeed, now: datetime) -> Closure:
    """Return what closes a calendar while its feed cannot be read."""
    since = now if feed.success_at is None else feed.success_at
    return Closure(
        closure_id=stale_closure_id(feed.calendar_id, feed.feed_id),
        display_name=(
            f"The feed «{feed.feed_id}» could not be read since {since:%Y-%m-%d %H:%M} UTC:"
            " closed until it can."
        ),
        calendar_ids=frozenset({feed.calendar_id}),
        interval=Interval(now, now + CLOSED_AHEAD),
    )
