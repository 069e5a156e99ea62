"""Claims: those that touch given windows, by bounded ranges of one b-tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval

# Most claims are short, so it is enough to begin four hours before the window; the few that last
# have an index of their own. A search through the GiST index would lock pages at each of its
# levels, and the writers of all businesses would fail each other.
_IN_WINDOWS = """
SELECT c.*
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS w (calendar_id, starts_at, ends_at)
CROSS JOIN LATERAL (
    SELECT * FROM claims
    WHERE business_id = $1 AND calendar_id = w.calendar_id
      AND starts_at > w.starts_at - interval '4 hours' AND starts_at < w.ends_at
      AND ends_at > w.starts_at AND ends_at - starts_at <= interval '4 hours'
    UNION ALL
    SELECT * FROM claims
    WHERE business_id = $1 AND calendar_id = w.calendar_id
      AND starts_at > w.starts_at - interval '3 days' AND starts_at < w.ends_at
      AND ends_at > w.starts_at AND ends_at - starts_at > interval '4 hours'
) AS c
"""

# No claim is on a calendar that is not there, and none lasts longer than three days: so the past,
# however long it grows, is not read.
_ENDING_AFTER = """
SELECT c.*
FROM calendars CROSS JOIN LATERAL (
    SELECT * FROM claims
    WHERE claims.business_id = :business_id AND claims.calendar_id = calendars.calendar_id
      AND starts_at > CAST(:instant AS timestamptz) - interval '3 days' AND ends_at > :instant
) AS c
WHERE calendars.business_id = :business_id
"""
_ALL_CALENDARS = text(_ENDING_AFTER)
_SOME_CALENDARS = text(
    _ENDING_AFTER + "AND calendars.calendar_id = ANY(CAST(:calendar_ids AS text[]))"
)


async def in_windows(
    tx: AsyncConnection, business_id: str, windows: Iterable[tuple[str, Interval]]
) -> list[Claim]:
    """Return the claims that touch any of the windows (calendar, interval), each once."""
    merged = _merge(windows)
    if not merged:
        return []
    result = await tx.exec_driver_sql(
        _IN_WINDOWS,
        (
            business_id,
            [calendar_id for calendar_id, _, _ in merged],
            [start for _, start, _ in merged],
            [end for _, _, end in merged],
        ),
    )
    # A long claim may touch two windows.
    unique = {row["claim_id"]: row for row in result.mappings()}
    return [_claim(row) for row in unique.values()]


async def pages_ending_after(
    tx: AsyncConnection,
    business_id: str,
    instant: datetime,
    *,
    page: int,
    calendar_ids: Sequence[str] | None = None,
) -> AsyncIterator[list[Claim]]:
    """Yield the claims that end after an instant, of all calendars or some, so many at a time."""
    values = {"business_id": business_id, "instant": instant}
    if calendar_ids is None:
        result = await tx.stream(_ALL_CALENDARS, values)
    else:
        result = await tx.stream(_SOME_CALENDARS, values | {"calendar_ids": list(calendar_ids)})
    try:
        async for rows in result.mappings().partitions(page):
            yield [_claim(row) for row in rows]
    finally:
        await result.close()


async def has_any_from(
    tx: AsyncConnection,
    business_id: str,
    instant: datetime,
    *,
    calendar_id: str | None,
    type_id: str | None,
) -> bool:
    """Say whether a hold or booking ends after an instant, on a calendar or of a type."""
    result = await tx.exec_driver_sql(
        """
        SELECT EXISTS (
            SELECT FROM claims
            WHERE business_id = $1 AND kind <> 'busy'
              AND starts_at > $2::timestamptz - interval '3 days' AND ends_at > $2
              AND ($3::text IS NULL OR calendar_id = $3) AND ($4::text IS NULL OR type_id = $4)
              AND (expires_at IS NULL OR expires_at > $2)
        )
        """,
        (business_id, instant, calendar_id, type_id),
    )
    return bool(result.scalar_one())


async def of_feed(
    tx: AsyncConnection, business_id: str, calendar_id: str, feed_id: str, *, ending_after: datetime
) -> list[Claim]:
    """Return the busy time that a feed has put on a calendar and that ends after an instant."""
    result = await tx.exec_driver_sql(
        """
        SELECT * FROM claims
        WHERE business_id = $1 AND calendar_id = $2 AND kind = 'busy' AND owner_id = $3
          AND starts_at > $4::timestamptz - interval '3 days' AND ends_at > $4
        """,
        (business_id, calendar_id, feed_id, ending_after),
    )
    return [_claim(row) for row in result.mappings()]


async def booking_ids(
    tx: AsyncConnection, business_id: str, calendar_id: str, window: Interval, *, limit: int
) -> list[UUID]:
    """Return the bookings with a claim on a calendar that starts in a window, the first ones."""
    result = await tx.exec_driver_sql(
        """
        SELECT owner_id FROM claims
        WHERE business_id = $1 AND calendar_id = $2 AND kind = 'booking'
          AND starts_at >= $3 AND starts_at < $4
        ORDER BY starts_at, claim_id LIMIT $5
        """,
        (business_id, calendar_id, window.start, window.end, limit),
    )
    return [UUID(row.owner_id) for row in result]


async def delete_busy(
    tx: AsyncConnection, business_id: str, calendar_id: str, feed_id: str, *, ended_by: datetime
) -> None:
    """Remove what a feed has put on a calendar and what ended by an instant."""
    await tx.exec_driver_sql(
        """
        DELETE FROM claims
        WHERE business_id = $1 AND calendar_id = $2 AND kind = 'busy' AND owner_id = $3
          AND starts_at < $4 AND ends_at <= $4
        """,
        (business_id, calendar_id, feed_id, ended_by),
    )


def _merge(windows: Iterable[tuple[str, Interval]]) -> list[tuple[str, datetime, datetime]]:
    merged: list[tuple[str, datetime, datetime]] = []
    for calendar_id, window in sorted(windows, key=lambda each: (each[0], each[1].start)):
        if merged and merged[-1][0] == calendar_id and window.start <= merged[-1][2]:
            _, start, end = merged.pop()
            merged.append((calendar_id, start, max(end, window.end)))
        else:
            merged.append((calendar_id, window.start, window.end))
    return merged


def _claim(row: RowMapping) -> Claim:
    start, end = row["appointment_starts_at"], row["appointment_ends_at"]
    return Claim(
        claim_id=UUID(int=row["claim_id"].int),
        calendar_id=row["calendar_id"],
        kind=ClaimKind(row["kind"]),
        owner_id=row["owner_id"],
        start=row["starts_at"],
        end=row["ends_at"],
        type_id=row["type_id"],
        appointment=None if start is None else Interval(start, end),
        seat=row["seat"],
        expires_at=row["expires_at"],
        holder_key=row["holder_key"],
    )
