"""What is seen past the service: all that was written, and claims that should not be together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from service.domain.booking import BookingStatus, HoldStatus
from service.domain.change import ChangeKind
from service.domain.claim import ClaimKind
from service.domain.ledger import Decision
from service.store import batch, trimming
from service.store.business_lock import serialized
from service.store.scope import ALL_BUSINESSES
from tests.builders import a_claim, minutes
from tests.robustness.cluster import witness
from tests.robustness.history import Answered
from tests.schema import test_query_plans as plans
from tests.store.rows import a_booking, a_hold_row, make_business, put, some_changes

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
LATER = START + timedelta(hours=1)


@pytest.fixture
async def seen(database_url, database):
    """A connection past the service, on a database that is watched, with one business."""
    connection = await asyncpg.connect(database_url)
    await witness.install(connection)
    await make_business(database)
    yield connection
    await connection.close()


@pytest.fixture
async def unguarded(seen):
    """The same without the second wall."""
    await seen.execute("ALTER TABLE claims DROP CONSTRAINT claims_fit_capacity")
    return seen


async def overlaps(connection):
    return (await witness.read_witness(connection, "demo")).overlaps


def claim_of(booking, **changes):
    changes.setdefault("owner_id", str(booking.booking_id))
    return a_claim(booking.appointment.start, booking.appointment.end, **changes)


async def put_booked(database, start=START, **changes):
    booking = a_booking(start)
    claim = claim_of(booking, **changes)
    await put(database, bookings=[booking], claims=[claim])
    return booking, claim


async def put_held(database, expires_at, **changes):
    hold = a_hold_row(expires_at)
    claim = a_claim(
        START, kind=ClaimKind.HOLD, owner_id=str(hold.hold_id), expires_at=expires_at, **changes
    )
    await put(database, holds=[hold], claims=[claim])
    return hold, claim


async def decide(database, *, added=(), removed=(), bookings=(), holds=()):
    rows = batch.Rows()
    rows.add(
        Decision(
            kind=ChangeKind.BOOKED,
            added=tuple(added),
            removed=tuple(removed),
            bookings=tuple(bookings),
            holds=tuple(holds),
        )
    )
    async with serialized(database, "demo") as tx:
        await batch.write(tx, "demo", rows)


async def test_every_change_and_answer_is_seen_though_the_log_was_trimmed(seen, database):
    log = [replace(each, at=datetime.now(UTC)) for each in some_changes(1, 5)]
    rows = batch.Rows(changes=log)
    rows.answers.append((("eve", "first"), batch.Answered(body_hash=b"", response=b"yes")))
    async with serialized(database, "demo") as tx:
        await batch.write(tx, "demo", rows)
    async with database.transaction(ALL_BUSINESSES) as tx:
        await trimming.trim_changes(
            tx,
            older_than=minutes(-1),
            at_latest=minutes(-1),
            after="",
            businesses_max=10,
            rows_max=3,
        )
        await trimming.trim_requests(tx, older_than=minutes(-1), rows_max=10)

    told = await witness.read_witness(seen, "demo")
    assert told.changes == log
    assert told.log_revisions == [4, 5]
    assert told.answered == [Answered(principal_id="eve", request_id="first", response=b"yes")]
    assert (told.epoch, told.revision) == ("epoch of demo", 5)


async def test_what_was_rolled_back_is_not_seen(seen, database):
    async with serialized(database, "demo") as tx:
        await batch.write(tx, "demo", batch.Rows(changes=some_changes(1, 2)))
        await tx.rollback()

    assert (await witness.read_witness(seen, "demo")).changes == []


async def test_claims_and_bookings_are_told_as_they_are(seen, database):
    booking, claim = await put_booked(database)

    told = await witness.read_witness(seen, "demo")
    (stored,) = told.bookings
    assert (stored.booking_id, stored.calendar_ids) == (booking.booking_id, ("anna",))
    (kept,) = told.claims
    assert (kept.claim_id, kept.start, kept.end) == (claim.claim_id, claim.start, claim.end)
    assert told.overlaps == []
    assert (told.idle_in_transaction, told.advisory_locks) == (0, 0)


async def test_who_waits_in_a_transaction_and_what_is_locked_is_told(seen, database):
    async with serialized(database, "demo") as tx:
        await batch.read_head(tx, "demo")
        moment = await witness.read_witness(seen, "demo")
        told = await witness.read_witness(seen, "demo", left_behind_after=timedelta())

    assert (told.idle_in_transaction, told.advisory_locks) == (1, 1)
    assert (moment.idle_in_transaction, moment.advisory_locks) == (0, 0)


async def test_two_bookings_of_the_same_time_are_found(unguarded, database):
    await put_booked(database)
    await put_booked(database, START + minutes(15))

    (text,) = await overlaps(unguarded)
    assert "was added over booking" in text


async def test_two_bookings_are_found_though_one_of_them_was_cancelled_since(unguarded, database):
    booking, claim = await put_booked(database)
    await put_booked(database)
    cancelled = replace(booking, status=BookingStatus.CANCELLED)
    await decide(database, removed=[claim], bookings=[cancelled])

    assert len(await overlaps(unguarded)) == 1


async def test_a_time_that_was_freed_may_be_taken(seen, database):
    booking, claim = await put_booked(database)
    cancelled = replace(booking, status=BookingStatus.CANCELLED)
    await decide(database, removed=[claim], bookings=[cancelled])
    await put_booked(database)

    assert await overlaps(seen) == []


async def test_a_time_may_be_freed_and_taken_in_one_transaction(seen, database):
    hold, claim = await put_held(database, LATER)
    booking = a_booking(START)
    await decide(
        database,
        removed=[claim],
        added=[claim_of(booking)],
        bookings=[booking],
        holds=[replace(hold, status=HoldStatus.BOOKED)],
    )

    assert await overlaps(seen) == []


async def test_a_hold_may_be_renewed_under_its_own_name(seen, database):
    hold, claim = await put_held(database, LATER)
    for number in range(1, 4):
        renewed = replace(claim, expires_at=LATER + minutes(number))
        await decide(
            database,
            removed=[claim],
            added=[renewed],
            holds=[replace(hold, expires_at=renewed.expires_at)],
        )
        claim = renewed

    assert await overlaps(seen) == []


async def test_a_booking_over_a_hold_that_lives_is_found(unguarded, database):
    await put_held(database, LATER)
    await put_booked(database)

    (text,) = await overlaps(unguarded)
    assert "was added over hold" in text


async def test_a_booking_may_lie_over_a_hold_that_has_expired(unguarded, database):
    await put_held(database, datetime.now(UTC) - minutes(1))
    await put_booked(database)

    assert await overlaps(unguarded) == []


async def test_places_in_one_group_may_be_taken_together(seen, database):
    for seat in range(3):
        await put_booked(database, seat=seat)

    assert await overlaps(seen) == []


@pytest.mark.parametrize(
    "other",
    [
        {"seat": 0},
        {"seat": 1, "type_id": "another"},
        {"seat": None},
    ],
    ids=["the same place", "a place in another group", "all for oneself"],
)
async def test_what_a_group_does_not_share_is_found(unguarded, database, other):
    await put_booked(database, seat=0)
    await put_booked(database, **other)

    assert len(await overlaps(unguarded)) == 1


async def test_places_in_groups_that_begin_at_different_times_are_found(unguarded, database):
    await put_booked(database, seat=0)
    await put_booked(database, START + minutes(15), seat=1)

    assert len(await overlaps(unguarded)) == 1


async def test_imported_busy_time_may_lie_over_anything(seen, database):
    await put_booked(database)
    await put(
        database,
        claims=[a_claim(START, kind=ClaimKind.BUSY, owner_id="feed") for _ in range(2)],
    )

    assert await overlaps(seen) == []


async def test_times_that_touch_do_not_overlap(seen, database):
    await put_booked(database)
    await put_booked(database, START + minutes(30))

    assert await overlaps(seen) == []


async def test_another_calendar_may_be_taken_at_the_same_time(seen, database):
    await put_booked(database)
    booking = replace(a_booking(START), calendar_ids=("bella",))
    await put(database, bookings=[booking], claims=[claim_of(booking, calendar_id="bella")])

    assert await overlaps(seen) == []


async def test_a_claim_without_its_owner_is_found(seen, database):
    await put(database, claims=[a_claim(START, owner_id=str(uuid4()))])
    cancelled = replace(a_booking(LATER), status=BookingStatus.CANCELLED)
    await put(database, bookings=[cancelled], claims=[claim_of(cancelled)])

    found = await overlaps(seen)
    assert sorted(text.rpartition(" is ")[2] for text in found) == ["cancelled", "not there"]


async def test_a_hold_that_was_released_and_left_its_claim_is_found(seen, database):
    hold, _ = await put_held(database, LATER)
    await decide(database, holds=[replace(hold, status=HoldStatus.RELEASED)])

    (text,) = await overlaps(seen)
    assert text.endswith("is released")


async def test_a_booking_without_one_of_its_claims_is_found(seen, database):
    booking = replace(a_booking(START), calendar_ids=("anna", "bella"))
    await put(database, bookings=[booking], claims=[claim_of(booking)])

    (text,) = await overlaps(seen)
    assert text.endswith("has 1 claims on 2 calendars")


async def test_what_watches_reads_nothing_that_another_writer_could_fail_on(seen, database):
    async with serialized(database, "demo") as tx:
        await plans.read_all(tx)
        await plans.write_all(tx)
        locked = await seen.fetch(
            "SELECT DISTINCT relation::regclass::text FROM pg_locks"
            " WHERE mode = 'SIReadLock' AND relation::regclass::text LIKE 'witness.%'"
        )
        await tx.rollback()

    assert locked == []
