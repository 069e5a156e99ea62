"""Handoffs: read and write them, and erase what they know of people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.handoff import Handoff, PrefilledField, Provenance

# The answers to those who redeemed it have the same fields: they go with them, and a repetition of
# such a request is decided anew.
_ERASE = """
WITH old AS ({found}), answers AS (
    DELETE FROM requests USING old
    WHERE requests.business_id = $1 AND requests.principal_id = old.redeemed_by
      AND requests.request_id = ANY(old.request_ids)
)
UPDATE handoffs SET fields = '[]', request_ids = '{{}}', erased_at = transaction_timestamp()
FROM old WHERE handoffs.business_id = $1 AND handoffs.handoff_id = old.handoff_id
"""
_OF_HOLDS = _ERASE.format(
    found="""
    SELECT handoff_id, redeemed_by, request_ids FROM handoffs
    WHERE business_id = $1 AND hold_id = ANY($2::uuid[]) AND erased_at IS NULL
    """
)
_OF_BUSINESS = _ERASE.format(
    found="""
    SELECT handoff_id, redeemed_by, request_ids FROM handoffs
    WHERE business_id = $1 AND erased_at IS NULL
    """
)
# The holds are locked, so that one that is renewed meanwhile is looked at again.
_LAPSED = _ERASE.format(
    found="""
    SELECT handoff_id, redeemed_by, request_ids
    FROM handoffs JOIN holds USING (business_id, hold_id)
    WHERE business_id = $1 AND erased_at IS NULL AND holds.expires_at <= transaction_timestamp()
    LIMIT $2 FOR UPDATE SKIP LOCKED
    """
)


async def by_ids(
    tx: AsyncConnection, business_id: str, handoff_ids: Iterable[UUID]
) -> list[Handoff]:
    """Return the handoffs with these ids, those that there are."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM handoffs WHERE business_id = $1 AND handoff_id = ANY($2::uuid[])",
        (business_id, list(handoff_ids)),
    )
    return [_handoff(row) for row in result.mappings()]


async def upsert(tx: AsyncConnection, business_id: str, handoffs: Sequence[Handoff]) -> None:
    """Write handoffs; of one that is there, who has it, and what was booked by it."""
    await tx.exec_driver_sql(
        """
        INSERT INTO handoffs (
            business_id, handoff_id, hold_id, type_id, holder_key, fields, created_at, expires_at,
            redeemed_by, request_ids, booking_id)
        SELECT $1, handoff_id, hold_id, type_id, holder_key, fields, created_at, expires_at,
            redeemed_by, request_ids::text[], booking_id
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[],
            $8::timestamptz[], $9::text[], $10::text[], $11::uuid[])
            AS new (handoff_id, hold_id, type_id, holder_key, fields, created_at, expires_at,
                redeemed_by, request_ids, booking_id)
        ON CONFLICT (business_id, handoff_id) DO UPDATE SET
            holder_key = excluded.holder_key, redeemed_by = excluded.redeemed_by,
            request_ids = excluded.request_ids, booking_id = excluded.booking_id
        """,
        (
            business_id,
            [handoff.handoff_id for handoff in handoffs],
            [handoff.hold_id for handoff in handoffs],
            [handoff.type_id for handoff in handoffs],
            [handoff.holder_key for handoff in handoffs],
            [json.dumps([_field_to_row(field) for field in each.fields]) for each in handoffs],
            [handoff.created_at for handoff in handoffs],
            [handoff.expires_at for handoff in handoffs],
            [handoff.redeemed_by for handoff in handoffs],
            [_to_array(handoff.request_ids) for handoff in handoffs],
            [handoff.booking_id for handoff in handoffs],
        ),
    )


async def erase(tx: AsyncConnection, business_id: str, hold_ids: Iterable[UUID]) -> None:
    """Erase what the handoffs of these holds, which have ended, know of people."""
    await tx.exec_driver_sql(_OF_HOLDS, (business_id, list(hold_ids)))


async def erase_all(tx: AsyncConnection, business_id: str) -> None:
    """Erase what all handoffs of a business know of people."""
    await tx.exec_driver_sql(_OF_BUSINESS, (business_id,))


async def erase_lapsed(tx: AsyncConnection, business_id: str, *, rows_max: int) -> int:
    """Erase what the handoffs of holds that have expired know of people; say of how many."""
    return (await tx.exec_driver_sql(_LAPSED, (business_id, rows_max))).rowcount


async def lapsed_businesses(
    tx: AsyncConnection, *, without: Iterable[str] = (), limit: int
) -> list[str]:
    """Return businesses with handoffs of holds that have expired, and that are to be erased."""
    result = await tx.exec_driver_sql(
        """
        SELECT DISTINCT business_id FROM handoffs JOIN holds USING (business_id, hold_id)
        WHERE handoffs.erased_at IS NULL AND holds.expires_at <= transaction_timestamp()
          AND business_id <> ALL($1::text[])
        LIMIT $2
        """,
        (list(without), limit),
    )
    return list(result.scalars())


def _handoff(row: RowMapping) -> Handoff:
    return Handoff(
        handoff_id=UUID(int=row["handoff_id"].int),
        hold_id=UUID(int=row["hold_id"].int),
        type_id=row["type_id"],
        holder_key=row["holder_key"],
        fields=tuple(_field_from_row(*field) for field in row["fields"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        redeemed_by=row["redeemed_by"],
        request_ids=tuple(row["request_ids"]),
        booking_id=None if row["booking_id"] is None else UUID(int=row["booking_id"].int),
        erased_at=row["erased_at"],
    )


def _field_to_row(field: PrefilledField) -> list[str]:
    return [field.name, field.value, field.provenance.value]


def _field_from_row(name: str, value: str, provenance: str) -> PrefilledField:
    return PrefilledField(name=name, value=value, provenance=Provenance(provenance))


def _to_array(request_ids: Sequence[str]) -> str:
    """Return an array as PostgreSQL reads it: arrays of arrays must all have the same length.

    A request_id has nothing in it that would have to be escaped; but unquoted, NULL is none.
    """
    return "{" + ",".join(f'"{each}"' for each in request_ids) + "}"
