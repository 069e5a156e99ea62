"""Consumers of the change log: how far each has come, business by business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.delivery import CONSUMERS


class Behind(NamedTuple):
    """A consumer that has not passed all changes of a business."""

    business_id: str
    consumer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The last change that a consumer has passed, at the instant of the transaction."""

    revision: int
    now: datetime


async def add(tx: AsyncConnection, business_id: str) -> None:
    """Let all consumers follow a business from its beginning."""
    await tx.exec_driver_sql(
        """
        INSERT INTO consumers (business_id, consumer, revision)
        SELECT $1, consumer, 0 FROM unnest($2::text[]) AS consumer
        """,
        (business_id, list(CONSUMERS)),
    )


async def lacking(tx: AsyncConnection, *, limit: int) -> list[str]:
    """Return businesses that a consumer has no cursor in; for the operator's eyes."""
    result = await tx.exec_driver_sql(
        """
        SELECT business_id FROM businesses
        WHERE EXISTS (
            SELECT FROM unnest($1::text[]) AS name WHERE NOT EXISTS (
                SELECT FROM consumers
                WHERE consumers.business_id = businesses.business_id AND consumer = name))
        ORDER BY business_id LIMIT $2
        """,
        (list(CONSUMERS), limit),
    )
    return list(result.scalars())


async def add_lacking(tx: AsyncConnection, business_id: str) -> dict[str, int]:
    """Let consumers that do not follow a business do so from now on; return from where each."""
    result = await tx.exec_driver_sql(
        """
        INSERT INTO consumers (business_id, consumer, revision)
        SELECT business_id, consumer, revision
        FROM businesses CROSS JOIN unnest($2::text[]) AS consumer
        WHERE business_id = $1
        ON CONFLICT DO NOTHING RETURNING consumer, revision
        """,
        (business_id, list(CONSUMERS)),
    )
    return {row.consumer: row.revision for row in result}


async def behind(
    tx: AsyncConnection, names: Sequence[str], *, after: Behind, limit: int
) -> list[Behind]:
    """Return consumers that are behind, in order, after one; for the operator's eyes."""
    result = await tx.exec_driver_sql(
        """
        SELECT business_id, consumer
        FROM consumers JOIN businesses USING (business_id)
        WHERE consumers.revision < businesses.revision AND consumer = ANY($1::text[])
          AND (business_id, consumer) > ($2, $3)
        ORDER BY business_id, consumer LIMIT $4
        """,
        (list(names), after.business_id, after.consumer, limit),
    )
    return [Behind(row["business_id"], row["consumer"]) for row in result.mappings()]


async def take(tx: AsyncConnection, business_id: str, consumer: str) -> Cursor | None:
    """Take a consumer's cursor for this transaction; None: another has it, or there is none."""
    result = await tx.exec_driver_sql(
        """
        SELECT revision, transaction_timestamp() AS now FROM consumers
        WHERE business_id = $1 AND consumer = $2 FOR UPDATE SKIP LOCKED
        """,
        (business_id, consumer),
    )
    row = result.mappings().one_or_none()
    return None if row is None else Cursor(**row)


async def move(tx: AsyncConnection, business_id: str, consumer: str, revision: int) -> None:
    """Move a cursor that this transaction has taken."""
    await tx.exec_driver_sql(
        "UPDATE consumers SET revision = $3 WHERE business_id = $1 AND consumer = $2",
        (business_id, consumer, revision),
    )
