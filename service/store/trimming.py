"""Trimming: remove what is old, a bounded number of rows at a time.

None of it runs in a SERIALIZABLE transaction, so no writer of bookings fails on it but one that
removes the very same row, and that one tries again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnClause, any_, column, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import tables

_LOCK_CLASS = 0x510D
_LARGE_TABLES = (
    tables.claims,
    tables.bookings,
    tables.holds,
    tables.handoffs,
    tables.changes,
    tables.deliveries,
    tables.waitlist,
)
"""Where a business may have more rows than one transaction can remove in time."""


async def is_my_turn(tx: AsyncConnection) -> bool:
    """Take the trimming upon this transaction, unless another has it."""
    result = await tx.exec_driver_sql("SELECT pg_try_advisory_xact_lock($1, 0)", (_LOCK_CLASS,))
    return bool(result.scalar_one())


class TrimmedLog(NamedTuple):
    """How many changes were removed, and the last business looked at; None: there are no more."""

    rows: int
    last_business_id: str | None


async def trim_changes(
    tx: AsyncConnection,
    *,
    older_than: timedelta,
    at_latest: timedelta,
    after: str,
    businesses_max: int,
    rows_max: int,
) -> TrimmedLog:
    """Remove old changes of the businesses that follow one, `rows_max` of each at most.

    What a consumer has not passed stays until it is older than `at_latest`. What goes is always the
    oldest part of a log, so that what is left has no gap.
    """
    result = await tx.exec_driver_sql(
        """
        WITH page AS (
            SELECT business_id, (
                SELECT min(consumers.revision) FROM consumers
                WHERE consumers.business_id = businesses.business_id
            ) AS passed
            FROM businesses
            WHERE business_id > $1 ORDER BY business_id LIMIT $2
        ), old AS (
            SELECT page.business_id, log.revision
            FROM page CROSS JOIN LATERAL (
                SELECT revision, max(at) OVER (ORDER BY revision) AS newest_so_far
                FROM (
                    SELECT revision, at FROM changes
                    WHERE changes.business_id = page.business_id ORDER BY revision LIMIT $3
                ) AS oldest
            ) AS log
            WHERE log.newest_so_far < now() - $5::interval
               OR log.newest_so_far < now() - $4::interval
              AND log.revision <= coalesce(page.passed, log.revision)
        ), gone AS (
            DELETE FROM changes USING old
            WHERE changes.business_id = old.business_id AND changes.revision = old.revision
            RETURNING changes.revision
        )
        SELECT (SELECT count(*) FROM gone) AS rows, (SELECT max(business_id) FROM page) AS last
        """,
        (after, businesses_max, rows_max, older_than, max(older_than, at_latest)),
    )
    row = result.mappings().one()
    return TrimmedLog(rows=row["rows"], last_business_id=row["last"])


async def trim_requests(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Forget answers that need not be repeated any more."""
    result = await tx.exec_driver_sql(
        """
        DELETE FROM requests WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM requests WHERE created_at < now() - $1::interval
            ORDER BY created_at LIMIT $2))
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_expired_claims(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Remove the claims of holds that expired long ago: they count nowhere, so nothing changes."""
    result = await tx.exec_driver_sql(
        """
        DELETE FROM claims WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM claims WHERE kind = 'hold' AND expires_at < now() - $1::interval
            ORDER BY expires_at LIMIT $2))
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_holds(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Remove holds that would have expired long ago, whatever became of them.

    It is asked twice whether they have: a hold that is renewed while this waits for its row stays,
    and older versions of PostgreSQL would take what they have once found by `ctid`.
    """
    result = await tx.exec_driver_sql(
        """
        DELETE FROM holds WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM holds WHERE expires_at < now() - $1::interval
            ORDER BY expires_at LIMIT $2))
          AND expires_at < now() - $1::interval
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_deliveries(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Forget deliveries that ended long ago, whatever became of them.

    It is asked twice whether they have: a dead one that is sent again while this waits stays.
    """
    result = await tx.exec_driver_sql(
        """
        DELETE FROM deliveries WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM deliveries WHERE ended_at < now() - $1::interval
            ORDER BY ended_at LIMIT $2))
          AND ended_at < now() - $1::interval
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_waitlist(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Remove entries of the waitlist that ended long ago."""
    result = await tx.exec_driver_sql(
        """
        DELETE FROM waitlist USING (
            SELECT business_id, entry_id FROM waitlist WHERE ended_at < now() - $1::interval
            ORDER BY ended_at LIMIT $2
        ) AS old
        WHERE waitlist.business_id = old.business_id AND waitlist.entry_id = old.entry_id
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_handoffs(tx: AsyncConnection, *, older_than: timedelta, rows_max: int) -> int:
    """Remove handoffs whose tickets expired long ago."""
    result = await tx.exec_driver_sql(
        """
        DELETE FROM handoffs USING (
            SELECT business_id, handoff_id FROM handoffs WHERE expires_at < now() - $1::interval
            ORDER BY expires_at LIMIT $2
        ) AS old
        WHERE handoffs.business_id = old.business_id AND handoffs.handoff_id = old.handoff_id
        """,
        (older_than, rows_max),
    )
    return result.rowcount


async def trim_business(tx: AsyncConnection, business_id: str, *, rows_max: int) -> int:
    """Remove rows of a business; when they are fewer than `rows_max`, there are no more."""
    left = rows_max
    for table in _LARGE_TABLES:
        row: ColumnClause[str] = column("ctid")
        found = select(row).select_from(table).where(table.c.business_id == business_id)
        some = func.array(found.limit(left).scalar_subquery())
        result = await tx.execute(delete(table).where(row == any_(some)))
        left -= result.rowcount
    return rows_max - left


async def next_removed(tx: AsyncConnection) -> str | None:
    """Return a business that was deleted, and of which rows may still be there."""
    result = await tx.exec_driver_sql(
        "SELECT business_id FROM removed_businesses ORDER BY business_id LIMIT 1"
    )
    business_id: str | None = result.scalar_one_or_none()
    return business_id


async def trim_removed(tx: AsyncConnection, business_id: str, *, rows_max: int) -> int:
    """Remove rows of a business that was deleted; with the last ones, forget that it was.

    Nothing where it is not among the deleted any more: another may have its id by now. None can get
    it before this transaction ends.
    """
    result = await tx.exec_driver_sql(
        "SELECT 1 FROM removed_businesses WHERE business_id = $1 FOR UPDATE", (business_id,)
    )
    if result.first() is None:
        return 0
    rows = await trim_business(tx, business_id, rows_max=rows_max)
    if rows < rows_max:
        await tx.exec_driver_sql(
            "DELETE FROM removed_businesses WHERE business_id = $1", (business_id,)
        )
    return rows
