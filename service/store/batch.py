"""A batch of decisions in one transaction: read what was answered before, write what is new.

Each table is written with one array statement, so that a batch costs as many round trips as a
single booking.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.booking import Booking, Customer, Hold, HoldStatus
from service.domain.change import Change, ClaimRef, ref_of
from service.domain.change_codec import change_to_json
from service.domain.claim import Claim
from service.domain.handoff import Handoff
from service.domain.ledger import Decision
from service.domain.waitlist import WaitlistEntry
from service.ops.failpoints import Failpoint, reach
from service.store import handoffs
from service.store.waitlist import instants_to_text


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchHead:
    """How far a business is, read inside the transaction."""

    now: datetime
    revision: int
    epoch: str
    catalog_version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What was answered to a request before."""

    body_hash: bytes
    response: bytes


RequestKey = tuple[str, str]
"""A principal and the request_id that it chose."""


@dataclass(kw_only=True, slots=True)
class Rows:
    """What a batch writes. Later states of the same booking or hold replace earlier ones."""

    claims_removed: dict[UUID, ClaimRef] = field(default_factory=dict)
    claims_added: dict[UUID, Claim] = field(default_factory=dict)
    bookings: dict[UUID, Booking] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    entries: dict[UUID, WaitlistEntry] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    answers: list[tuple[RequestKey, Answered]] = field(default_factory=list)
    handoffs: dict[UUID, Handoff] = field(default_factory=dict)
    # Holds of whose handoffs it is erased what they know of people.
    hold_ids_erased: set[UUID] = field(default_factory=set)

    def add(self, decision: Decision) -> None:
        """Add what a decision does; a claim that came and went within the batch is not written."""
        for claim in decision.removed:
            if self.claims_added.pop(claim.claim_id, None) is None:
                self.claims_removed[claim.claim_id] = ref_of(claim)
        for claim in decision.added:
            self.claims_added[claim.claim_id] = claim
        self.bookings.update((booking.booking_id, booking) for booking in decision.bookings)
        self.holds.update((hold.hold_id, hold) for hold in decision.holds)
        self.entries.update((entry.entry_id, entry) for entry in decision.entries)
        self.hold_ids_erased.update(
            hold.hold_id
            for hold in decision.holds
            if hold.handoffs and hold.status is not HoldStatus.LIVE
        )
        if (handoff := decision.handoff) is not None:
            self.handoffs[handoff.handoff_id] = handoff
            if handoff.booking_id is not None:
                self.hold_ids_erased.add(handoff.hold_id)


async def read_head(tx: AsyncConnection, business_id: str) -> BatchHead | None:
    """Read how far the business is; None: there is no such business."""
    result = await tx.exec_driver_sql(
        """
        SELECT transaction_timestamp() AS now, revision, epoch, catalog_version
        FROM businesses WHERE business_id = $1
        """,
        (business_id,),
    )
    row = result.mappings().one_or_none()
    return None if row is None else BatchHead(**row)


async def read_answered(
    tx: AsyncConnection, business_id: str, keys: Sequence[RequestKey]
) -> dict[RequestKey, Answered]:
    """Return what was answered to those of these requests that were answered OK before."""
    result = await tx.exec_driver_sql(
        """
        SELECT r.principal_id, r.request_id, r.body_hash, r.response
        FROM unnest($2::text[], $3::text[]) AS asked (principal_id, request_id)
        JOIN requests AS r ON r.business_id = $1
          AND r.principal_id = asked.principal_id AND r.request_id = asked.request_id
        """,
        (business_id, [principal for principal, _ in keys], [request for _, request in keys]),
    )
    return {
        (row["principal_id"], row["request_id"]): Answered(
            body_hash=row["body_hash"], response=row["response"]
        )
        for row in result.mappings()
    }


async def write(tx: AsyncConnection, business_id: str, rows: Rows) -> None:
    """Write a batch and raise the business's revision to that of its last change."""
    await _delete_claims(tx, business_id, list(rows.claims_removed.values()))
    await _insert_claims(tx, business_id, list(rows.claims_added.values()))
    reach(Failpoint.AFTER_INSERT)
    await _upsert_bookings(tx, business_id, list(rows.bookings.values()))
    await _upsert_holds(tx, business_id, list(rows.holds.values()))
    await _upsert_entries(tx, business_id, list(rows.entries.values()))
    if rows.handoffs:
        await handoffs.upsert(tx, business_id, list(rows.handoffs.values()))
    await _insert_log(tx, business_id, rows)
    if rows.hold_ids_erased:
        await handoffs.erase(tx, business_id, rows.hold_ids_erased)


async def _delete_claims(tx: AsyncConnection, business_id: str, refs: Sequence[ClaimRef]) -> None:
    if refs:
        await tx.exec_driver_sql(
            """
            DELETE FROM claims USING unnest($2::text[], $3::timestamptz[], $4::uuid[])
                AS gone (calendar_id, starts_at, claim_id)
            WHERE claims.business_id = $1 AND claims.calendar_id = gone.calendar_id
              AND claims.starts_at = gone.starts_at AND claims.claim_id = gone.claim_id
            """,
            (
                business_id,
                [ref.calendar_id for ref in refs],
                [ref.start for ref in refs],
                [ref.claim_id for ref in refs],
            ),
        )


async def _insert_claims(tx: AsyncConnection, business_id: str, claims: Sequence[Claim]) -> None:
    if claims:
        appointments = [claim.appointment for claim in claims]
        await tx.exec_driver_sql(
            """
            INSERT INTO claims (
                business_id, claim_id, calendar_id, kind, owner_id, starts_at, ends_at, type_id,
                appointment_starts_at, appointment_ends_at, seat, expires_at, holder_key)
            SELECT $1, * FROM unnest(
                $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                $7::timestamptz[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::int[],
                $12::timestamptz[], $13::text[])
            """,
            (
                business_id,
                [claim.claim_id for claim in claims],
                [claim.calendar_id for claim in claims],
                [claim.kind.value for claim in claims],
                [claim.owner_id for claim in claims],
                [claim.start for claim in claims],
                [claim.end for claim in claims],
                [claim.type_id for claim in claims],
                [None if each is None else each.start for each in appointments],
                [None if each is None else each.end for each in appointments],
                [claim.seat for claim in claims],
                [claim.expires_at for claim in claims],
                [claim.holder_key for claim in claims],
            ),
        )


async def _upsert_bookings(
    tx: AsyncConnection, business_id: str, bookings: Sequence[Booking]
) -> None:
    if bookings:
        await tx.exec_driver_sql(
            """
            INSERT INTO bookings (
                business_id, booking_id, type_id, calendar_ids, starts_at, ends_at, zone, status,
                version, customer, fields, created_at, updated_at, cancel_reason, series_id,
                conversation)
            SELECT $1, booking_id, type_id, string_to_array(calendar_ids, ','), starts_at, ends_at,
                zone, status, version, customer, fields, created_at, updated_at, cancel_reason,
                series_id, conversation
            FROM unnest(
                $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::text[], $8::text[], $9::bigint[], $10::jsonb[], $11::jsonb[],
                $12::timestamptz[], $13::timestamptz[], $14::text[], $15::uuid[], $16::text[])
                AS new (booking_id, type_id, calendar_ids, starts_at, ends_at, zone, status,
                    version, customer, fields, created_at, updated_at, cancel_reason, series_id,
                    conversation)
            ON CONFLICT (business_id, booking_id) DO UPDATE SET
                calendar_ids = excluded.calendar_ids, starts_at = excluded.starts_at,
                ends_at = excluded.ends_at, zone = excluded.zone, status = excluded.status,
                version = excluded.version, updated_at = excluded.updated_at,
                cancel_reason = excluded.cancel_reason
            """,
            (
                business_id,
                [booking.booking_id for booking in bookings],
                [booking.type_id for booking in bookings],
                [",".join(booking.calendar_ids) for booking in bookings],
                [booking.appointment.start for booking in bookings],
                [booking.appointment.end for booking in bookings],
                [booking.zone for booking in bookings],
                [booking.status.value for booking in bookings],
                [booking.version for booking in bookings],
                [json.dumps(_customer(booking.customer)) for booking in bookings],
                [json.dumps(dict(booking.fields)) for booking in bookings],
                [booking.created_at for booking in bookings],
                [booking.updated_at for booking in bookings],
                [booking.cancel_reason for booking in bookings],
                [booking.series_id for booking in bookings],
                [booking.conversation for booking in bookings],
            ),
        )


async def _upsert_holds(tx: AsyncConnection, business_id: str, holds: Sequence[Hold]) -> None:
    if holds:
        await tx.exec_driver_sql(
            """
            INSERT INTO holds (
                business_id, hold_id, principal_id, holder, holder_key, type_id, calendar_ids,
                starts_at, ends_at, expires_at, status, entry_id, conversation, handoffs)
            SELECT $1, hold_id, principal_id, holder, holder_key, type_id,
                string_to_array(calendar_ids, ','), starts_at, ends_at, expires_at, status,
                entry_id, conversation, handoffs
            FROM unnest(
                $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[],
                $12::uuid[], $13::text[], $14::int[])
                AS new (hold_id, principal_id, holder, holder_key, type_id, calendar_ids,
                    starts_at, ends_at, expires_at, status, entry_id, conversation, handoffs)
            ON CONFLICT (business_id, hold_id) DO UPDATE SET
                principal_id = excluded.principal_id, holder = excluded.holder,
                holder_key = excluded.holder_key, calendar_ids = excluded.calendar_ids,
                expires_at = excluded.expires_at, status = excluded.status,
                conversation = excluded.conversation, handoffs = excluded.handoffs
            """,
            (
                business_id,
                [hold.hold_id for hold in holds],
                [hold.principal_id for hold in holds],
                [hold.holder for hold in holds],
                [hold.holder_key for hold in holds],
                [hold.type_id for hold in holds],
                [",".join(hold.calendar_ids) for hold in holds],
                [hold.appointment.start for hold in holds],
                [hold.appointment.end for hold in holds],
                [hold.expires_at for hold in holds],
                [hold.status.value for hold in holds],
                [hold.entry_id for hold in holds],
                [hold.conversation for hold in holds],
                [hold.handoffs for hold in holds],
            ),
        )


async def _upsert_entries(
    tx: AsyncConnection, business_id: str, entries: Sequence[WaitlistEntry]
) -> None:
    """Write entries; of one that has ended, who it was is erased."""
    if entries:
        await tx.exec_driver_sql(
            """
            INSERT INTO waitlist (
                business_id, entry_id, principal_id, holder, holder_key, type_id, calendar_ids,
                window_starts, window_ends, waits_until, duration, customer, fields, status,
                revision, joined_at, ended_at, hold_id, offer_expires_at, untold_offers)
            SELECT $1, entry_id, principal_id, holder, holder_key, type_id,
                string_to_array(calendar_ids, ','), window_starts::timestamptz[],
                window_ends::timestamptz[], waits_until, duration, customer, fields, status,
                revision, joined_at, ended_at, hold_id, offer_expires_at, untold_offers
            FROM unnest(
                $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::text[], $10::timestamptz[], $11::interval[],
                $12::jsonb[], $13::jsonb[], $14::text[], $15::bigint[], $16::timestamptz[],
                $17::timestamptz[], $18::uuid[], $19::timestamptz[], $20::int[])
                AS new (entry_id, principal_id, holder, holder_key, type_id, calendar_ids,
                    window_starts, window_ends, waits_until, duration, customer, fields, status,
                    revision, joined_at, ended_at, hold_id, offer_expires_at, untold_offers)
            ON CONFLICT (business_id, entry_id) DO UPDATE SET
                status = excluded.status, ended_at = excluded.ended_at,
                hold_id = excluded.hold_id, offer_expires_at = excluded.offer_expires_at,
                untold_offers = excluded.untold_offers,
                customer = CASE WHEN excluded.ended_at IS NULL THEN waitlist.customer ELSE '{}' END,
                fields = CASE WHEN excluded.ended_at IS NULL THEN waitlist.fields ELSE '{}' END
            """,
            (
                business_id,
                [entry.entry_id for entry in entries],
                [entry.principal_id for entry in entries],
                [entry.holder for entry in entries],
                [entry.holder_key for entry in entries],
                [entry.type_id for entry in entries],
                [",".join(entry.calendar_ids) for entry in entries],
                [instants_to_text(each.start for each in entry.windows) for entry in entries],
                [instants_to_text(each.end for each in entry.windows) for entry in entries],
                [entry.last_end for entry in entries],
                [entry.duration for entry in entries],
                [json.dumps(_customer(entry.customer)) for entry in entries],
                [json.dumps(dict(entry.fields)) for entry in entries],
                [entry.status.value for entry in entries],
                [entry.revision for entry in entries],
                [entry.joined_at for entry in entries],
                [entry.ended_at for entry in entries],
                [entry.hold_id for entry in entries],
                [entry.offer_expires_at for entry in entries],
                [entry.untold_offers for entry in entries],
            ),
        )


async def _insert_log(tx: AsyncConnection, business_id: str, rows: Rows) -> None:
    """Write the log, the answers and the new revision: one statement."""
    changes = rows.changes
    await tx.exec_driver_sql(
        """
        WITH logged AS (
            INSERT INTO changes (business_id, revision, at, body)
            SELECT $1, * FROM unnest($2::bigint[], $3::timestamptz[], $4::bytea[])
        ), answered AS (
            INSERT INTO requests (
                business_id, principal_id, request_id, body_hash, response, created_at)
            SELECT $1, *, transaction_timestamp()
            FROM unnest($5::text[], $6::text[], $7::bytea[], $8::bytea[])
        )
        UPDATE businesses SET revision = revision + cardinality($2::bigint[]),
            catalog_version = COALESCE($9, catalog_version)
        WHERE business_id = $1
        """,
        (
            business_id,
            [change.revision for change in changes],
            [change.at for change in changes],
            [change_to_json(change) for change in changes],
            [key[0] for key, _ in rows.answers],
            [key[1] for key, _ in rows.answers],
            [answer.body_hash for _, answer in rows.answers],
            [answer.response for _, answer in rows.answers],
            max((change.revision for change in changes if change.changes_catalog), default=None),
        ),
    )


def _customer(customer: Customer) -> dict[str, str]:
    # dataclasses.asdict copies deeply, and takes as long as deciding a booking.
    return {name: getattr(customer, name) for name in Customer.__slots__}
