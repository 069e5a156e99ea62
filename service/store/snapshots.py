"""A business as it stands at one revision, for a replica to start from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.catalog import Catalog
from service.domain.claim import Claim
from service.store import catalog as catalog_store
from service.store import claims, tables

PAST_KEPT = timedelta(days=8)
"""Claims of the last week count towards a week's cap, and for who has been idle for longest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BusinessSnapshot:
    """The catalogue and the claims of one business at one revision."""

    business_id: str
    revision: int
    epoch: str
    as_of: datetime
    catalog: Catalog
    claims: list[Claim]


async def load_business(tx: AsyncConnection, business_id: str) -> BusinessSnapshot | None:
    """Load a business. `tx` must be a snapshot (`Database.snapshot`); None: there is none."""
    table = tables.businesses.c
    head = (
        await tx.execute(
            select(table.revision, table.epoch, func.clock_timestamp()).where(
                table.business_id == business_id
            )
        )
    ).one_or_none()
    if head is None:
        return None
    revision, epoch, as_of = head
    catalog = await catalog_store.load(tx, business_id)
    if catalog is None:
        return None
    return BusinessSnapshot(
        business_id=business_id,
        revision=revision,
        epoch=epoch,
        as_of=as_of,
        catalog=catalog,
        claims=await claims.ending_after(tx, business_id, as_of - PAST_KEPT),
    )
