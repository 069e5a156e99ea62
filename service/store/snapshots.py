"""A business as it stands at one revision: its catalogue, and since when its claims matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.catalog import Catalog
from service.store import catalog as catalog_store
from service.store import tables

PAST_KEPT = timedelta(days=8)
"""Claims of the last week count towards a week's cap, and for who has been idle for longest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotHead:
    """At which revision and instant a snapshot shows a business."""

    business_id: str
    revision: int
    epoch: str
    as_of: datetime

    @property
    def claims_after(self) -> datetime:
        """Claims that ended by this instant matter to nobody."""
        return self.as_of - PAST_KEPT


@dataclass(frozen=True, kw_only=True, slots=True)
class BusinessSnapshot:
    """The head and the catalogue of one business; the claims are read in the same snapshot."""

    head: SnapshotHead
    catalog: Catalog


async def read_head(tx: AsyncConnection, business_id: str) -> SnapshotHead | None:
    """Read how far a business is. `tx` must be a snapshot (`Database.snapshot`)."""
    table = tables.businesses.c
    row = (
        await tx.execute(
            select(table.revision, table.epoch, func.transaction_timestamp()).where(
                table.business_id == business_id
            )
        )
    ).one_or_none()
    if row is None:
        return None
    revision, epoch, as_of = row
    return SnapshotHead(business_id=business_id, revision=revision, epoch=epoch, as_of=as_of)


async def load_business(tx: AsyncConnection, business_id: str) -> BusinessSnapshot | None:
    """Load all but the claims. `tx` must be a snapshot; None: there is no such business."""
    head = await read_head(tx, business_id)
    catalog = None if head is None else await catalog_store.load(tx, business_id)
    if head is None or catalog is None:
        return None
    return BusinessSnapshot(head=head, catalog=catalog)
