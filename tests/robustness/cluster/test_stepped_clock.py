"""The clock that can be set: the service's own statements go by it, and plan as they did before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.domain.booking import Holder
from service.store import batch, bookings, changes, snapshots, trimming
from service.store.business_lock import serialized
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES
from tests.builders import hours
from tests.robustness.cluster import stepped_clock
from tests.schema import test_query_plans as plans
from tests.store.rows import a_hold_row, make_business, put, some_changes

HOLDER = Holder("chatbot", "key of eve")


@pytest.fixture
async def machine(database_url):
    """A connection past the service, on a database whose clock can be set."""
    connection = await asyncpg.connect(database_url)
    await stepped_clock.install(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def stepped(machine, database_url):
    """The database as the service sees it, with two businesses."""
    database = Database(database_url, pool_size=6)
    await make_business(database, "one")
    await make_business(database, "two")
    yield database
    await database.close()


async def real_now(machine):
    return await machine.fetchval("SELECT pg_catalog.clock_timestamp()")


def is_ahead(instant, before, after, offset):
    return before + offset <= instant <= after + offset


async def test_decisions_go_by_the_clock_that_was_set(machine, stepped):
    for offset in (hours(2), hours(-3), timedelta()):
        await stepped_clock.set_clock(machine, offset)
        before = await real_now(machine)
        async with serialized(stepped, "one") as tx:
            head = await batch.read_head(tx, "one")

        assert is_ahead(head.now, before, await real_now(machine), offset)


async def test_a_transaction_keeps_the_clock_that_it_began_with(machine, stepped):
    async with serialized(stepped, "one") as tx:
        first = (await batch.read_head(tx, "one")).now
        await stepped_clock.set_clock(machine, hours(2))

        assert (await batch.read_head(tx, "one")).now == first


async def test_what_is_verified_goes_by_the_clock_that_was_set(machine, stepped):
    await stepped_clock.set_clock(machine, hours(2))
    before = await real_now(machine)
    async with stepped.snapshot("one") as tx:
        of_one, _ = await changes.head(tx, "one")
        of_snapshot = (await snapshots.read_head(tx, "one")).as_of
    async with stepped.snapshot(ALL_BUSINESSES) as tx:
        of_all = (await changes.heads(tx, ["one"])).as_of
    after = await real_now(machine)

    for instant in (of_one, of_all, of_snapshot):
        assert is_ahead(instant, before, after, hours(2))


async def test_holds_expire_by_the_clock_that_was_set(machine, stepped):
    await put(stepped, business_id="one", holds=[a_hold_row(datetime.now(UTC) + hours(1))])

    assert await live_holds(stepped) == 1
    await stepped_clock.set_clock(machine, hours(2))
    assert await live_holds(stepped) == 0


async def live_holds(database):
    async with serialized(database, "one") as tx:
        counted = await bookings.count_live_holds(tx, "one", [HOLDER])
    return counted.get(HOLDER, 0)


async def test_rows_are_made_at_the_time_of_the_clock_that_was_set(machine, stepped):
    await stepped_clock.set_clock(machine, hours(2))
    before = await real_now(machine)
    hold = a_hold_row(datetime.now(UTC) + hours(4))
    await put(stepped, business_id="one", holds=[hold])
    async with stepped.snapshot("one") as tx:
        (kept,) = await bookings.holds_by_ids(tx, "one", [hold.hold_id])

    assert is_ahead(kept.created_at, before, await real_now(machine), hours(2))


async def test_what_is_trimmed_goes_by_the_clock_that_was_set(machine, stepped):
    log = [replace(change, at=datetime.now(UTC)) for change in some_changes(1, 6)]
    await put(stepped, business_id="one", changes=log)

    assert await trim(stepped) == 0
    await stepped_clock.set_clock(machine, hours(2))
    assert await trim(stepped) == len(log)


async def trim(database):
    async with database.transaction(ALL_BUSINESSES) as tx:
        trimmed = await trimming.trim_changes(
            tx,
            older_than=hours(1),
            at_latest=hours(1),
            after="",
            businesses_max=10,
            rows_max=100,
        )
    return trimmed.rows


async def test_setting_the_clock_fails_no_transaction(machine, stepped):
    """Both read the clock, one after it was set and one before, and both write."""
    for number in range(1, 20):
        async with serialized(stepped, "one") as first, serialized(stepped, "two") as second:
            await read(first, "one")
            await stepped_clock.set_clock(machine, hours(number))
            await read(second, "two")
            await write(first, "one", number)
            await stepped_clock.set_clock(machine, -hours(number))
            await write(second, "two", number)


async def read(tx, business_id):
    await batch.read_head(tx, business_id)
    await bookings.count_live_holds(tx, business_id, [HOLDER])


async def write(tx, business_id, number):
    answer = batch.Answered(body_hash=b"", response=b"")
    rows = batch.Rows(
        changes=some_changes(number, number), answers=[(("chatbot", str(number)), answer)]
    )
    await batch.write(tx, business_id, rows)


@pytest.mark.parametrize("planned", [plans.plan_with_values, plans.plan_for_any_values])
async def test_every_statement_is_planned_as_it_is_without_it(database_url, owner, planned):
    without = Database(database_url, pool_size=2)
    await make_business(without)
    async with owner.read_committed.begin() as tx:
        raw = (await tx.get_raw_connection()).driver_connection
        await raw.execute(plans.FILL.replace("ROWS", "5000"))
        await raw.execute("ANALYZE")
    expected = await plans_of(without, planned)
    await without.close()
    connection = await asyncpg.connect(database_url)
    await stepped_clock.install(connection)
    await connection.close()

    stepped = Database(database_url, pool_size=2)
    assert await plans_of(stepped, planned) == expected
    await stepped.close()


async def plans_of(database, planned):
    """Return of every statement which indexes it looks into, and for what."""
    found = {}
    for scope, story in plans.STORIES:
        for statement, values in await plans.statements_of(database, story, scope):
            async with database.transaction(scope) as tx:
                plan = await planned(tx, statement, values)
            found[statement] = [
                (node["Node Type"], node.get("Index Name"), node.get("Index Cond"))
                for node in plans.nodes(plan[0]["Plan"])
            ]
    return found
