"""Feeds of busy time: where from, how they fare, and who fetches which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import RowMapping, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.busy_feed import BusyFeed, FeedSource, FeedState, stale_closure_id
from service.store import tables


class FeedKey(NamedTuple):
    """Which feed."""

    business_id: str
    calendar_id: str
    feed_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasedFeed:
    """A feed that is this process's to fetch, as of an instant of the database's clock.

    `is_closed_for`: its calendar is closed because it could not be read, whatever its state says.
    """

    key: FeedKey
    feed: BusyFeed
    zone: str
    now: datetime
    is_closed_for: bool


async def find(
    tx: AsyncConnection, business_id: str, calendar_id: str, feed_id: str
) -> BusyFeed | None:
    """Return a feed."""
    found = await of_calendar(tx, business_id, calendar_id, feed_id)
    return found[0] if found else None


async def of_calendar(
    tx: AsyncConnection, business_id: str, calendar_id: str, feed_id: str | None = None
) -> list[BusyFeed]:
    """Return the feeds of a calendar by id, or one of them."""
    result = await tx.exec_driver_sql(
        """
        SELECT * FROM busy_feeds
        WHERE business_id = $1 AND calendar_id = $2 AND ($3::text IS NULL OR feed_id = $3)
        ORDER BY feed_id
        """,
        (business_id, calendar_id, feed_id),
    )
    return [_feed(row) for row in result.mappings()]


async def write(
    tx: AsyncConnection,
    business_id: str,
    calendar_id: str,
    feed_id: str,
    source: FeedSource,
    busy_intervals: int,
) -> BusyFeed:
    """Note that a feed was read well, and when to read it next; return it as it is then."""
    result = await tx.exec_driver_sql(
        """
        INSERT INTO busy_feeds (
            business_id, calendar_id, feed_id, url, refresh_interval, fail_closed_after, etag,
            last_modified, content_hash, busy_intervals, state, failure, failures, success_at,
            attempt_at, next_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'ok', '', 0, transaction_timestamp(),
            transaction_timestamp(), transaction_timestamp() + $11::interval)
        ON CONFLICT (business_id, calendar_id, feed_id) DO UPDATE SET
            url = excluded.url, refresh_interval = excluded.refresh_interval,
            fail_closed_after = excluded.fail_closed_after, etag = excluded.etag,
            last_modified = excluded.last_modified, content_hash = excluded.content_hash,
            busy_intervals = excluded.busy_intervals, state = excluded.state, failure = '',
            failures = 0, success_at = excluded.success_at, attempt_at = excluded.attempt_at,
            next_at = excluded.next_at, leased_until = NULL
        RETURNING *
        """,
        (
            business_id,
            calendar_id,
            feed_id,
            source.url,
            source.refresh_interval,
            source.fail_closed_after,
            source.etag,
            source.last_modified,
            source.content_hash,
            busy_intervals,
            source.next_in,
        ),
    )
    return _feed(result.mappings().one())


async def remove(tx: AsyncConnection, business_id: str, calendar_id: str, feed_id: str) -> None:
    """Forget a feed."""
    table = tables.busy_feeds
    await tx.execute(
        delete(table).where(
            table.c.business_id == business_id,
            table.c.calendar_id == calendar_id,
            table.c.feed_id == feed_id,
        )
    )


async def due(
    tx: AsyncConnection, *, limit: int, without_businesses: Sequence[str]
) -> list[FeedKey]:
    """Return feeds that are due and that nobody fetches, those that wait longest first.

    For the operator's eyes; `without_businesses` have enough of theirs being fetched.
    """
    result = await tx.exec_driver_sql(
        """
        SELECT business_id, calendar_id, feed_id FROM busy_feeds
        WHERE next_at <= now() AND (leased_until IS NULL OR leased_until < now())
          AND business_id <> ALL($2::text[])
        ORDER BY next_at LIMIT $1
        """,
        (limit, list(without_businesses)),
    )
    return [FeedKey(row.business_id, row.calendar_id, row.feed_id) for row in result]


async def lease(tx: AsyncConnection, key: FeedKey, duration: timedelta) -> LeasedFeed | None:
    """Take a feed upon this process for a while; None: it is not due any more, or another's."""
    result = await tx.exec_driver_sql(
        """
        WITH mine AS (
            UPDATE busy_feeds SET leased_until = now() + $4::interval
            WHERE business_id = $1 AND calendar_id = $2 AND feed_id = $3
              AND next_at <= now() AND (leased_until IS NULL OR leased_until < now())
            RETURNING *
        )
        SELECT mine.*, zone, now() AS now, EXISTS (
            SELECT FROM closures WHERE business_id = $1 AND closure_id = $5
        ) AS is_closed_for
        FROM mine
        JOIN calendars ON calendars.business_id = $1 AND calendars.calendar_id = mine.calendar_id
        """,
        (*key, duration, stale_closure_id(key.calendar_id, key.feed_id)),
    )
    row = result.mappings().one_or_none()
    if row is None:
        return None
    return LeasedFeed(
        key=key,
        feed=_feed(row),
        zone=row["zone"],
        now=row["now"],
        is_closed_for=row["is_closed_for"],
    )


async def note_unchanged(tx: AsyncConnection, key: FeedKey, url: str, next_in: timedelta) -> None:
    """Note that a feed was read well, and says what it said before.

    Not of one that was closed for meanwhile: it is still to be read whole, which opens.
    """
    await tx.exec_driver_sql(
        """
        UPDATE busy_feeds SET state = 'ok', failure = '', failures = 0, leased_until = NULL,
            success_at = now(), attempt_at = now(), next_at = now() + $5::interval
        WHERE business_id = $1 AND calendar_id = $2 AND feed_id = $3 AND url = $4
          AND state <> 'closed'
        """,
        (*key, url, next_in),
    )


async def note_failure(
    tx: AsyncConnection,
    key: FeedKey,
    url: str,
    *,
    read_at: datetime | None,
    failure: str,
    is_closed: bool,
    next_in: timedelta,
) -> BusyFeed | None:
    """Note that a feed was not read, and why; return it as it is then.

    None, and nothing is noted: it is gone, has another URL, or was read since `read_at`.
    """
    result = await tx.exec_driver_sql(
        """
        UPDATE busy_feeds SET state = CASE WHEN $6 THEN 'closed' ELSE 'failing' END,
            failure = $5, failures = failures + 1, leased_until = NULL, attempt_at = now(),
            next_at = now() + $7::interval
        WHERE business_id = $1 AND calendar_id = $2 AND feed_id = $3 AND url = $4
          AND success_at IS NOT DISTINCT FROM $8::timestamptz
        RETURNING *
        """,
        (*key, url, failure, is_closed, next_in, read_at),
    )
    row = result.mappings().one_or_none()
    return None if row is None else _feed(row)


def _feed(row: RowMapping) -> BusyFeed:
    return BusyFeed(
        calendar_id=row["calendar_id"],
        feed_id=row["feed_id"],
        url=row["url"],
        refresh_interval=row["refresh_interval"],
        fail_closed_after=row["fail_closed_after"],
        state=FeedState(row["state"]),
        failure=row["failure"],
        failures=row["failures"],
        busy_intervals=row["busy_intervals"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        content_hash=bytes(row["content_hash"]),
        success_at=row["success_at"],
        attempt_at=row["attempt_at"],
        next_at=row["next_at"],
    )
