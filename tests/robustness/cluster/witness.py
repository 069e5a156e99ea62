"""What PostgreSQL itself has seen: every change and answer, and the life of every claim.

Triggers copy what is written in the very transaction that writes it, so a trimmed log takes nothing
from what is judged. They only insert, into tables without an index: a serializable transaction
reads nothing more for their sake, and so has no more conflicts.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from service.domain.change_codec import change_from_json
from tests.robustness.history import Answered, StoredBooking, StoredClaim, StoredEntry, Witness

# What came and went is numbered, since a hold that is renewed is removed and added with one id.
_TABLES = """
CREATE SCHEMA witness;
CREATE SEQUENCE witness.numbers;
CREATE TABLE witness.changes (LIKE public.changes);
CREATE TABLE witness.requests (LIKE public.requests);
CREATE TABLE witness.claims (
    LIKE public.claims,
    number bigint NOT NULL,
    added_by xid8 NOT NULL,
    added_at timestamptz NOT NULL
);
CREATE TABLE witness.removals (
    claim_id uuid NOT NULL,
    number bigint NOT NULL,
    removed_by xid8 NOT NULL
);
"""
_SEEN = {
    "changes": ("INSERT", "NEW", "INSERT INTO witness.changes SELECT * FROM seen"),
    "requests": ("INSERT", "NEW", "INSERT INTO witness.requests SELECT * FROM seen"),
    "claims": (
        "INSERT",
        "NEW",
        """
        INSERT INTO witness.claims
        SELECT seen.*, nextval('witness.numbers'), pg_current_xact_id(), transaction_timestamp()
        FROM seen
        """,
    ),
    "removals": (
        "DELETE",
        "OLD",
        """
        INSERT INTO witness.removals
        SELECT claim_id, nextval('witness.numbers'), pg_current_xact_id() FROM seen
        """,
    ),
}
# The function belongs to who owns the witness, and sees the clock that the session sees.
_TRIGGER = """
CREATE FUNCTION witness.see_{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN {statement}; RETURN NULL; END $$;
CREATE TRIGGER witness_{name} AFTER {event} ON public.{table}
REFERENCING {which} TABLE AS seen FOR EACH STATEMENT EXECUTE FUNCTION witness.see_{name}();
"""

# How long each claim was there, by the numbers.
_LIVES = """
CREATE TEMPORARY TABLE lives ON COMMIT DROP AS
    SELECT DISTINCT ON (claims.number) claims.*, removals.removed_by,
        int8range(claims.number, removals.number, '()') AS lasted,
        tstzrange(starts_at, ends_at) AS during
    FROM witness.claims LEFT JOIN witness.removals
        ON removals.claim_id = claims.claim_id AND removals.number > claims.number
    WHERE kind <> 'busy'
    ORDER BY claims.number, removals.number;
CREATE INDEX ON lives USING gist (business_id, calendar_id, lasted, during);
ANALYZE lives;
"""
# B1, whatever the log says. When the later of two claims was added, the earlier one must have been
# gone, at the latest by the same transaction, or have expired by the clock that this one went by.
# Several places in one group may be taken, and imported busy time may lie over anything.
_OVERLAPS = """
SELECT format('%s %s on %s from %s to %s was added over %s %s from %s to %s', later.kind,
    later.owner_id, later.calendar_id, later.starts_at, later.ends_at,
    earlier.kind, earlier.owner_id, earlier.starts_at, earlier.ends_at)
FROM lives AS later JOIN lives AS earlier USING (business_id, calendar_id)
WHERE business_id = $1 AND earlier.lasted @> later.number AND earlier.during && later.during
  AND earlier.removed_by IS DISTINCT FROM later.added_by
  AND (earlier.expires_at IS NULL OR earlier.expires_at > later.added_at)
  AND (earlier.type_id, earlier.starts_at, earlier.ends_at, true)
      IS DISTINCT FROM (later.type_id, later.starts_at, later.ends_at, earlier.seat <> later.seat)
ORDER BY later.number, earlier.number
"""
_WITHOUT_OWNER = """
SELECT format('%s %s has a claim on %s at %s, and is %s', kind, owner_id, claims.calendar_id,
    claims.starts_at, coalesce(bookings.status, holds.status, 'not there'))
FROM claims
LEFT JOIN bookings ON kind = 'booking' AND bookings.business_id = claims.business_id
    AND bookings.booking_id::text = owner_id
LEFT JOIN holds ON kind = 'hold' AND holds.business_id = claims.business_id
    AND holds.hold_id::text = owner_id
WHERE claims.business_id = $1 AND (
    kind = 'booking' AND coalesce(bookings.status, '') NOT IN (
        'pending', 'confirmed', 'completed', 'no_show')
    -- What has expired counts nowhere, and is trimmed on its own.
    OR kind = 'hold' AND claims.expires_at > now() AND coalesce(holds.status, '') <> 'live')
"""
_WITHOUT_CLAIMS = """
SELECT format('%s booking %s at %s has %s claims on %s calendars', status, booking_id, starts_at,
    claimed.count, cardinality(calendar_ids))
FROM bookings CROSS JOIN LATERAL (
    SELECT count(DISTINCT calendar_id) FROM claims
    WHERE claims.business_id = bookings.business_id AND kind = 'booking'
      AND owner_id = booking_id::text AND claims.calendar_id = ANY (calendar_ids)
) AS claimed
WHERE bookings.business_id = $1 AND status IN ('pending', 'confirmed')
  AND claimed.count <> cardinality(calendar_ids)
"""
_REMEMBERED = """
SELECT format('the ticket %s tells of a person, and its hold is %s', handoff_id, status)
FROM handoffs JOIN holds USING (business_id, hold_id)
WHERE business_id = $1 AND status <> 'live' AND (erased_at IS NULL OR fields <> '[]')
"""
_IDLE_IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%'
  AND state_change <= clock_timestamp() - $1::interval
"""
_ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND datname = current_database()
  AND state_change <= clock_timestamp() - $1::interval
"""
LEFT_BEHIND_AFTER = timedelta(seconds=2)
"""A session that did nothing for so long is left behind; janitors and followers go on."""


async def install(connection: asyncpg.Connection) -> None:
    """Begin to see: before anything is written."""
    await connection.execute(_TABLES)
    for name, (event, which, statement) in _SEEN.items():
        table = "claims" if name == "removals" else name
        await connection.execute(
            _TRIGGER.format(name=name, table=table, event=event, which=which, statement=statement)
        )


async def read_witness(
    connection: asyncpg.Connection,
    business_id: str,
    left_behind_after: timedelta = LEFT_BEHIND_AFTER,
) -> Witness:
    """Return what was seen of a business, and what there is of it, in one state of the database.

    `overlaps` also tells of claims without an owner, and of bookings without their claims.
    """
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(_LIVES)
        head = await connection.fetchrow(
            "SELECT epoch, revision FROM businesses WHERE business_id = $1", business_id
        )
        assert head is not None, f"The business {business_id} is not there."
        return Witness(
            epoch=head["epoch"],
            revision=head["revision"],
            changes=[
                change_from_json(body)
                for (body,) in await connection.fetch(
                    "SELECT body FROM witness.changes WHERE business_id = $1 ORDER BY revision",
                    business_id,
                )
            ],
            answered=await _answered(connection, business_id),
            claims=await _claims(connection, business_id),
            bookings=await _bookings(connection, business_id),
            entries=await _entries(connection, business_id),
            log_revisions=await _texts(
                connection,
                "SELECT revision FROM changes WHERE business_id = $1 ORDER BY revision",
                business_id,
            ),
            overlaps=[
                *await _texts(connection, _OVERLAPS, business_id),
                *await _texts(connection, _WITHOUT_OWNER, business_id),
                *await _texts(connection, _WITHOUT_CLAIMS, business_id),
            ],
            remembered=await _texts(connection, _REMEMBERED, business_id),
            idle_in_transaction=await connection.fetchval(_IDLE_IN_TRANSACTION, left_behind_after),
            advisory_locks=await connection.fetchval(_ADVISORY_LOCKS, left_behind_after),
        )


async def _answered(connection: asyncpg.Connection, business_id: str) -> list[Answered]:
    rows = await connection.fetch(
        "SELECT principal_id, request_id, response FROM witness.requests WHERE business_id = $1",
        business_id,
    )
    return [Answered(**row) for row in rows]


async def _claims(connection: asyncpg.Connection, business_id: str) -> list[StoredClaim]:
    rows = await connection.fetch(
        """
        SELECT claim_id, calendar_id, kind, owner_id, starts_at AS start, ends_at AS "end", type_id,
            seat, expires_at
        FROM claims WHERE business_id = $1 ORDER BY starts_at, calendar_id, claim_id
        """,
        business_id,
    )
    return [StoredClaim(**row) for row in rows]


async def _bookings(connection: asyncpg.Connection, business_id: str) -> list[StoredBooking]:
    rows = await connection.fetch(
        """
        SELECT booking_id, type_id, calendar_ids, starts_at AS start, ends_at AS "end", status,
            version
        FROM bookings WHERE business_id = $1 ORDER BY starts_at, booking_id
        """,
        business_id,
    )
    return [StoredBooking(**{**row, "calendar_ids": tuple(row["calendar_ids"])}) for row in rows]


async def _entries(connection: asyncpg.Connection, business_id: str) -> list[StoredEntry]:
    rows = await connection.fetch(
        """
        SELECT entry_id, status, revision, hold_id::text, offer_expires_at
        FROM waitlist WHERE business_id = $1 ORDER BY revision, entry_id
        """,
        business_id,
    )
    return [StoredEntry(**row) for row in rows]


async def _texts(connection: asyncpg.Connection, query: str, business_id: str) -> list:
    return [row[0] for row in await connection.fetch(query, business_id)]
