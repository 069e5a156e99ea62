"""The change log: read it after a revision, and ask how far it is.

The revision is a counter on the business's row, raised in the transaction of the change itself.
The row stays locked to commit, so the order of the revisions is the order of the commits, and a
rollback leaves no gap. A sequence or a timestamp would be neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.change import Change
from service.domain.change_codec import change_from_json
from service.store import tables


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """How far a business is."""

    revision: int
    epoch: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Heads:
    """How far businesses are at one instant of the database's clock; one that is gone is absent.

    The instant is that of BEGIN, as for `head`.
    """

    as_of: datetime
    by_business: dict[str, Head]


async def read_after(
    tx: AsyncConnection, business_id: str, revision: int, limit: int
) -> list[Change]:
    """Return the changes after a revision, in order."""
    result = await tx.exec_driver_sql(
        """
        SELECT body FROM changes WHERE business_id = $1 AND revision > $2
        ORDER BY revision LIMIT $3
        """,
        (business_id, revision, limit),
    )
    return [change_from_json(row[0]) for row in result.fetchall()]


async def floor(tx: AsyncConnection, business_id: str) -> int:
    """Return the revision after which the log is whole: what is older has been trimmed."""
    oldest = select(func.min(tables.changes.c.revision)).where(
        tables.changes.c.business_id == business_id
    )
    head = select(tables.businesses.c.revision).where(
        tables.businesses.c.business_id == business_id
    )
    result = await tx.execute(
        select(func.coalesce(oldest.scalar_subquery() - 1, head.scalar_subquery(), 0))
    )
    return int(result.scalar_one())


async def head(tx: AsyncConnection, business_id: str) -> tuple[datetime, Head | None]:
    """Return how far a business is, and at which instant; None: there is none.

    The instant is that of BEGIN: the snapshot is taken after it, and so has all that was answered
    before. The clock at the time of the reading would promise more.
    """
    result = await tx.exec_driver_sql(
        """
        SELECT transaction_timestamp() AS as_of, revision, epoch
        FROM (SELECT) AS once LEFT JOIN businesses ON business_id = $1
        """,
        (business_id,),
    )
    row = result.one()
    found = None if row.revision is None else Head(revision=row.revision, epoch=row.epoch)
    return row.as_of, found


async def heads(tx: AsyncConnection, business_ids: Sequence[str]) -> Heads:
    """Return how far these businesses are.

    For the operator's eyes. A session plans a statement anew when it asks as another role; so what
    asks for one business has a statement of its own.
    """
    result = await tx.exec_driver_sql(
        """
        SELECT transaction_timestamp() AS as_of, business_id, revision, epoch
        FROM (SELECT) AS once LEFT JOIN businesses ON business_id = ANY($1::text[])
        """,
        (list(business_ids),),
    )
    rows = result.mappings().all()
    return Heads(
        as_of=rows[0]["as_of"],
        by_business={
            row["business_id"]: Head(revision=row["revision"], epoch=row["epoch"])
            for row in rows
            if row["business_id"] is not None
        },
    )
