"""The hot statements use their indexes: none reads a whole table, however large it has become."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from service.domain.booking import BookingQuery, BookingStatus, Holder, HoldStatus
from service.domain.change import ChangeKind
from service.domain.delivery import Channel, Delivery, DeliveryState
from service.domain.handoff import Handoff
from service.domain.interval import Interval
from service.domain.ledger import Decision
from service.domain.waitlist import Vacancy
from service.store import (
    api_keys,
    batch,
    bookings,
    business_lock,
    catalog,
    changes,
    claims,
    consumers,
    deliveries,
    feed_links,
    feeds,
    handoffs,
    letters,
    snapshots,
    trimming,
    waitlist,
)
from service.store.scope import ALL_BUSINESSES
from service.store.tables import metadata
from tests.builders import a_claim, hours
from tests.store.rows import a_booking, a_hold_row, make_business, some_changes

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
WINDOWS = [(f"calendar-{n}", Interval(START, START + hours(2))) for n in range(5)]
KEYS = [("chatbot", f"request-{number}") for number in range(20)]
IDS = [UUID(int=number) for number in range(20)]
HOLDERS = [Holder(f"principal-{number % 3}", f"key-{number}") for number in range(20)]
VACANCIES = [
    Vacancy(
        type_id="visit",
        calendar_ids=("calendar-0",),
        occupied_id="calendar-0",
        span=Interval(START, START + hours(1)),
        starts=Interval(START, START + hours(1)),
    )
]
DELIVERY = Delivery(
    business_id="demo",
    delivery_id=IDS[0],
    channel=Channel.LETTER,
    lane="letter:700",
    revision=2100,
    ordinal=0,
    kind="confirmation",
    target="customer",
    booking_id=IDS[0],
    body={},
    state=DeliveryState.WAITING,
    attempts=1,
    created_at=START,
    due_at=START,
)
HANDOFF = Handoff(
    handoff_id=IDS[0],
    hold_id=IDS[1],
    type_id="visit",
    holder_key="key-1",
    fields=(),
    created_at=START,
    expires_at=START,
)
ROWS = 20_000
SMALL_TABLES = {"appointment_types", "calendars", "closures", "schedules", "removed_businesses"}

# One business has most of it, a hundred others have a little; and most of it is past.
FILL = """
CREATE TEMPORARY TABLE n AS
    SELECT i, CASE WHEN i % 10 < 9 THEN 'demo' ELSE 'business-' || i % 1000 / 10 END AS business_id,
        date_trunc('hour', now()) + (i - 0.96 * ROWS) * interval '30 minutes' AS starts_at
    FROM generate_series(1, ROWS) AS i;
INSERT INTO businesses SELECT 'business-' || i, 'B', 5, 'e', 0, 0 FROM generate_series(1, 2000) i;
INSERT INTO calendars
    SELECT 'demo', 'calendar-' || i, 'C', 'UTC', 'office' FROM generate_series(0, 49) i;
INSERT INTO claims (business_id, calendar_id, starts_at, ends_at, claim_id, kind, owner_id, type_id,
        expires_at, holder_key)
    SELECT business_id, 'calendar-' || i % 5, starts_at, starts_at + interval '30 minutes',
        gen_random_uuid(), CASE WHEN i % 10 = 0 THEN 'hold' ELSE 'booking' END, i::text, 'visit',
        CASE WHEN i % 10 = 0 THEN starts_at END, NULL
    FROM n;
INSERT INTO claims (business_id, calendar_id, starts_at, ends_at, claim_id, kind, owner_id)
    SELECT 'demo', 'calendar-' || i % 5, starts_at, starts_at + interval '1 day',
        gen_random_uuid(), 'busy', 'feed'
    FROM n WHERE i % 400 = 0;
INSERT INTO bookings SELECT business_id, gen_random_uuid(), 'visit', ARRAY['calendar-' || i % 5],
        starts_at, starts_at + interval '30 minutes', 'UTC', 'confirmed', 1,
        '{"display_name": "Eve"}', '{}', starts_at, starts_at, '', NULL,
        CASE WHEN i % 2 = 0 THEN 'chat-' || i ELSE '' END FROM n;
INSERT INTO holds SELECT business_id, gen_random_uuid(), 'principal-' || i % 100, 'h',
        'key-' || i % 1000, 'visit', ARRAY['calendar-0'], starts_at, starts_at, starts_at,
        CASE WHEN i % 2 = 0 THEN 'live' ELSE 'booked' END FROM n;
INSERT INTO changes
    SELECT business_id, i, starts_at, '{"r": 1, "t": 0, "k": "booked"}'::bytea FROM n;
INSERT INTO requests SELECT business_id, 'chatbot', 'request-' || i, '', '', starts_at FROM n;
INSERT INTO consumers SELECT business_id, name, 0
    FROM businesses CROSS JOIN (VALUES ('letters'), ('webhooks')) AS each (name)
    ON CONFLICT DO NOTHING;
INSERT INTO deliveries SELECT business_id, gen_random_uuid(), 'letter', 'letter:' || i / 3, i, 0,
        'confirmation', gen_random_uuid(), 'customer', '{}',
        CASE WHEN i % 100 = 0 THEN 'waiting' ELSE 'sent' END, 0, starts_at, NULL, NULL, NULL,
        starts_at, CASE WHEN i % 100 = 0 THEN NULL ELSE starts_at END,
        sha256(('address-' || i % 5000)::bytea), ''
    FROM n;
INSERT INTO waitlist SELECT business_id, gen_random_uuid(), 'principal-' || i % 100, 'h',
        'key-' || i % 1000, 'visit', '{}', ARRAY[starts_at], ARRAY[starts_at + interval '1 day'],
        starts_at + interval '1 day', NULL, '{}', '{}',
        CASE i % 20 WHEN 0 THEN 'waiting' WHEN 1 THEN 'offered' ELSE 'left' END, i, starts_at,
        CASE WHEN i % 20 > 1 THEN starts_at END, NULL, starts_at
    FROM n;
INSERT INTO handoffs SELECT business_id, gen_random_uuid(), gen_random_uuid(), 'visit', 'key', '[]',
        starts_at, starts_at, NULL, '{}', NULL, CASE WHEN i % 200 > 0 THEN starts_at END
    FROM n;
INSERT INTO busy_feeds SELECT 'demo', 'calendar-' || i % 50, 'feed-' || i, '', interval '1 hour',
        NULL, 'ok', '', 0, 0, '', '', '', NULL, NULL, now(), NULL
    FROM generate_series(1, 2000) AS i;
INSERT INTO feed_links SELECT 'demo', gen_random_uuid(), 'calendar-' || i % 50, '', false, '', now()
    FROM generate_series(1, 2500) AS i;
INSERT INTO api_keys SELECT 'demo', 'key-' || i, 'K', '', '{}', now(), NULL FROM n;
DROP TABLE n;
"""


async def read_all(tx):
    """Run every statement that a call, a batch, a follower or the janitor waits for."""
    await claims.in_windows(tx, "demo", WINDOWS)
    for some in (None, ["calendar-1", "calendar-2"]):
        pages = claims.pages_ending_after(tx, "demo", START, page=1000, calendar_ids=some)
        async for _ in pages:
            pass
    await changes.read_after(tx, "demo", 100, 500)
    await changes.floor(tx, "demo")
    await changes.head(tx, "demo")
    await batch.read_head(tx, "demo")
    await batch.read_answered(tx, "demo", KEYS)
    await bookings.by_ids(tx, "demo", IDS)
    await bookings.holds_by_ids(tx, "demo", IDS)
    await bookings.count_live_holds(tx, "demo", HOLDERS)
    await handoffs.by_ids(tx, "demo", IDS)
    await handoffs.erase_lapsed(tx, "demo", rows_max=100)
    await waitlist.by_ids(tx, "demo", IDS)
    await waitlist.count_live(tx, "demo", HOLDERS)
    await waitlist.candidates(tx, "demo", VACANCIES, after_revision=0, limit=100)


async def deliver_all(tx):
    """Run what the notifier runs for each lane, and for each change that it passes."""
    await consumers.take(tx, "demo", "letters")
    lane = DELIVERY.lane
    await deliveries.take(tx, "demo", lane, job_id=1, lease=hours(1), patience=hours(1))
    await letters.first_in_lane(tx, "demo", IDS[0], lane)
    await letters.later(tx, DELIVERY, IDS, ["customer"])
    await letters.sent(tx, "demo", IDS)
    await letters.take_turn(tx, DELIVERY, b"address", most=50, within=hours(24))
    await deliveries.counts(tx, "demo", Channel.WEBHOOK, ["one"])
    await deliveries.put_off(tx, DELIVERY, "later", hours(1))
    await deliveries.end(tx, DELIVERY, DeliveryState.SENT, "sent")
    await consumers.move(tx, "demo", "letters", 1)


async def refresh_a_feed(tx):
    """Run what the refresh of a feed runs, and what calendar programs ask for."""
    key = feeds.FeedKey("demo", "calendar-1", "feed-1")
    await feeds.lease(tx, key, hours(1))
    await claims.of_feed(tx, *key, ending_after=START)
    await claims.delete_busy(tx, *key, ended_by=START)
    await feeds.of_calendar(tx, "demo", "calendar-1")
    await feeds.note_unchanged(tx, key, "", hours(1))
    await feeds.note_failure(
        tx, key, "", read_at=START, failure="", is_closed=False, next_in=hours(1)
    )
    await claims.booking_ids(tx, "demo", "nowhere", WINDOWS[0][1], limit=50)
    await feed_links.find(tx, "demo", IDS[0])
    await feed_links.of_calendar(tx, "demo", "calendar-1")


async def look_for_all(tx):
    """Run what the notifier asks of all businesses, again and again."""
    await deliveries.overdue(tx, Channel.LETTER, for_longer_than=hours(1), limit=100)
    await waitlist.overdue(tx, 100)
    await waitlist.businesses_waiting(tx, after="", limit=100)
    await waitlist.expired_holds(tx, since=START, limit=100)
    await handoffs.lapsed_businesses(tx, limit=50)
    await feeds.due(tx, limit=10, without_businesses=[])


async def read_of_all(tx):
    """Run what is asked of all businesses, or before one is known."""
    await changes.heads(tx, ["demo", *(f"business-{number}" for number in range(50))])
    await api_keys.find(tx, "key-1")
    await catalog.list_businesses(tx, after="business-1", limit=50)


async def list_pages(tx):
    for calendar_id, statuses, after in (
        (None, frozenset(), None),
        ("anna", frozenset(), (START, IDS[0])),
        (None, frozenset({BookingStatus.CONFIRMED}), (START, IDS[0])),
    ):
        await bookings.list_page(
            tx,
            "demo",
            BookingQuery(
                window=Interval(START, START + hours(24)),
                calendar_id=calendar_id,
                statuses=statuses,
            ),
            after=after,
            limit=50,
        )
    await bookings.list_page(
        tx,
        "demo",
        BookingQuery(
            window=Interval(START - timedelta(days=365), START + timedelta(days=365)),
            conversation="chat-7",
            statuses=frozenset({BookingStatus.CONFIRMED, BookingStatus.PENDING}),
        ),
        limit=50,
    )


async def write_all(tx):
    removed = [a_claim(START), a_claim(START + hours(1))]
    rows = batch.Rows(
        changes=some_changes(10**6, 10**6 + 5),
        answers=[(("chatbot", "new"), batch.Answered(body_hash=b"", response=b""))],
    )
    rows.add(
        Decision(
            kind=ChangeKind.BOOKED,
            added=(replace(a_claim(START), calendar_id="new"),),
            removed=tuple(removed),
            bookings=(a_booking(START),),
            holds=(a_hold_row(START, hold_id=IDS[1], handoffs=1, status=HoldStatus.BOOKED),),
            handoff=HANDOFF,
        )
    )
    await batch.write(tx, "demo", rows)


async def trim_all(tx):
    age = timedelta(days=9999)
    await trimming.trim_requests(tx, older_than=age, rows_max=100)
    await trimming.trim_expired_claims(tx, older_than=age, rows_max=100)
    await trimming.trim_holds(tx, older_than=age, rows_max=100)
    await trimming.trim_changes(
        tx, older_than=age, at_latest=age, after="", businesses_max=5, rows_max=100
    )
    await trimming.trim_deliveries(tx, older_than=age, rows_max=100)
    await trimming.trim_handoffs(tx, older_than=age, rows_max=100)
    await trimming.trim_waitlist(tx, older_than=age, rows_max=100)
    await trimming.next_removed(tx)


async def trim_removed(tx):
    await trimming.trim_removed(tx, "business-5", rows_max=100)
    await catalog.is_being_removed(tx, "business-5")


STORIES = [
    ("demo", read_all),
    ("demo", list_pages),
    ("demo", write_all),
    ("demo", refresh_a_feed),
    ("demo", lambda tx: snapshots.load_business(tx, "demo")),
    (ALL_BUSINESSES, read_of_all),
    ("demo", deliver_all),
    (ALL_BUSINESSES, look_for_all),
    (ALL_BUSINESSES, trim_all),
    ("business-5", trim_removed),
]
"""Each as the service runs it: what row-level security adds is part of the plan."""


@pytest.fixture
async def full(database, owner):
    await make_business(database)
    async with owner.read_committed.begin() as tx:
        raw = (await tx.get_raw_connection()).driver_connection
        await raw.execute("SET LOCAL statement_timeout = 0")
        await raw.execute(FILL.replace("ROWS", str(ROWS)))
        await raw.execute("ANALYZE")
    return database


async def statements_of(database, story, scope="demo"):
    """Return what a story sends to the database, with its values. What it has done is undone."""
    seen: list[tuple[str, tuple]] = []
    engine = database.engine.sync_engine

    def see(connection, cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", see)
    async with database.transaction(scope) as tx:
        await story(tx)
        await tx.rollback()
    event.remove(engine, "before_cursor_execute", see)
    return [each for each in seen if not each[0].startswith("SELECT pg_")]


async def plan_with_values(tx, statement, values):
    result = await tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values)
    return result.scalar_one()


async def plan_for_any_values(tx, statement, values):
    """A statement that is run often is planned once, for values that are not known."""
    # Through SQLAlchemy, which begins the transaction: outside of it, LOCAL would be for nothing.
    await tx.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    raw = (await tx.get_raw_connection()).driver_connection
    await raw.execute(f"PREPARE asked AS {statement}")
    unknown = f"({', '.join(['NULL'] * len(values))})" if values else ""
    plan = await raw.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{unknown}")
    await raw.execute("DEALLOCATE asked")
    return plan


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def tables_read_whole(plan):
    """Return the tables that a plan reads from end to end."""
    return [
        node["Relation Name"]
        for node in nodes(plan[0]["Plan"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in metadata.tables
    ]


async def test_no_hot_statement_reads_a_large_table_whole(full):
    """As PostgreSQL plans by itself: our sessions forbid it to, but here that is not relied on."""
    guilty = {}
    for scope, story in STORIES:
        for statement, values in await statements_of(full, story, scope):
            async with full.transaction(scope) as tx:
                await tx.exec_driver_sql("SET LOCAL enable_seqscan = on")
                found = tables_read_whole(await plan_with_values(tx, statement, values))
            # They have a page or two.
            if large := set(found) - SMALL_TABLES:
                guilty[statement] = large

    assert guilty == {}


async def read_whole_in_our_sessions(database, planned):
    guilty = {}
    for scope, story in STORIES:
        for statement, values in await statements_of(database, story, scope):
            async with database.transaction(scope) as tx:
                if found := tables_read_whole(await planned(tx, statement, values)):
                    guilty[statement] = found
    return guilty


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_no_hot_statement_reads_a_table_whole_whatever_its_values(full, planned):
    assert await read_whole_in_our_sessions(full, planned) == {}


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_no_hot_statement_reads_a_young_table_whole(database, planned):
    """A table that is read whole is locked whole, and the writers of all businesses fail."""
    await make_business(database)

    assert await read_whole_in_our_sessions(database, planned) == {}


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_claims_are_looked_for_in_a_bounded_range_of_one_b_tree(full, planned):
    """Through the constraint's GiST index a search would lock pages on each level (SSI)."""
    ((statement, values),) = await statements_of(
        full, lambda tx: claims.in_windows(tx, "demo", WINDOWS)
    )

    async with full.transaction("demo") as tx:
        plan = await planned(tx, statement, values)

    ranges = {
        node["Index Name"]: node["Index Cond"]
        for node in nodes(plan[0]["Plan"])
        if "Index Name" in node
    }
    assert set(ranges) == {"claims_pkey", "claims_that_last"}
    for condition in ranges.values():
        # What a policy adds must not keep the others from the index.
        for bound in ("business_id = ", "calendar_id = ", "starts_at > ", "starts_at < "):
            assert bound in condition


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_holds_are_counted_by_one_index_and_only_those_that_live(full, planned):
    """A key that has held much today must not be slower for it: what expired is not looked at."""
    ((statement, values),) = await statements_of(
        full, lambda tx: bookings.count_live_holds(tx, "demo", HOLDERS)
    )

    async with full.transaction("demo") as tx:
        plan = await planned(tx, statement, values)

    (search,) = [node for node in nodes(plan[0]["Plan"]) if "Index Name" in node]
    assert search["Index Name"] == "holds_by_principal"
    condition = search["Index Cond"]
    assert all(name in condition for name in ("business_id", "principal_id", "expires_at"))


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_what_a_chat_has_booked_is_found_by_one_index(full, planned):
    (of_a_chat,) = [each for each in await statements_of(full, list_pages) if "chat-7" in each[1]]
    async with full.transaction("demo") as tx:
        plan = await planned(tx, *of_a_chat)

    used = {node["Index Name"] for node in nodes(plan[0]["Plan"]) if "Index Name" in node}
    assert used == {"bookings_by_conversation"}


async def test_a_batch_locks_no_table_as_a_whole(full):
    """A predicate lock on a relation makes every other writer fail."""
    async with business_lock.serialized(full, "demo") as tx:
        await read_all(tx)
        await write_all(tx)
        locked = await tx.exec_driver_sql(
            "SELECT relation::regclass::text FROM pg_locks"
            " WHERE mode = 'SIReadLock' AND locktype = 'relation'"
            " AND relation::regclass::text NOT LIKE 'pg_%'"
            # Locks of other databases are shown as well.
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert list(locked) == []
        await tx.rollback()
