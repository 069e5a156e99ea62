"""The secret addresses of calendars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import tables


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLink:
    """A secret address of a calendar's file."""

    link_id: UUID
    calendar_id: str
    display_name: str
    with_names: bool
    secret_hash: bytes
    created_at: datetime


async def add(tx: AsyncConnection, business_id: str, link: FeedLink) -> None:
    """Add a secret address."""
    await tx.execute(
        tables.feed_links.insert().values(
            business_id=business_id,
            link_id=link.link_id,
            calendar_id=link.calendar_id,
            display_name=link.display_name,
            with_names=link.with_names,
            secret_hash=link.secret_hash,
            created_at=link.created_at,
        )
    )


async def of_calendar(tx: AsyncConnection, business_id: str, calendar_id: str) -> list[FeedLink]:
    """Return the secret addresses of a calendar by age."""
    table = tables.feed_links
    result = await tx.execute(
        select(table)
        .where(table.c.business_id == business_id, table.c.calendar_id == calendar_id)
        .order_by(table.c.created_at, table.c.link_id)
    )
    return [_link(row) for row in result.mappings()]


async def find(tx: AsyncConnection, business_id: str, link_id: UUID) -> FeedLink | None:
    """Return a secret address."""
    table = tables.feed_links
    result = await tx.execute(
        select(table).where(table.c.business_id == business_id, table.c.link_id == link_id)
    )
    row = result.mappings().one_or_none()
    return None if row is None else _link(row)


async def remove(tx: AsyncConnection, business_id: str, calendar_id: str, link_id: UUID) -> bool:
    """Make a secret address worthless; return whether it was one."""
    table = tables.feed_links
    result = await tx.execute(
        delete(table).where(
            table.c.business_id == business_id,
            table.c.calendar_id == calendar_id,
            table.c.link_id == link_id,
        )
    )
    return result.rowcount > 0


async def now(tx: AsyncConnection) -> datetime:
    """Return the instant of the transaction."""
    instant: datetime = (await tx.execute(select(func.transaction_timestamp()))).scalar_one()
    return instant


def _link(row: RowMapping) -> FeedLink:
    return FeedLink(
        link_id=UUID(int=row["link_id"].int),
        calendar_id=row["calendar_id"],
        display_name=row["display_name"],
        with_names=row["with_names"],
        secret_hash=bytes(row["secret_hash"]),
        created_at=row["created_at"],
    )
