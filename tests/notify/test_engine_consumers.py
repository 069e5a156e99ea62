"""Consumers: a durable cursor each, moved in the commit that plans what is owed."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.domain.delivery import CONSUMERS, Channel, DeliveryState
from service.notify.consumers import ConsumerLimits, Consumers
from service.ops.tasks import cancelled
from service.store import catalog, changes, consumers
from service.store.scope import ALL_BUSINESSES
from tests.actions.conftest import Books
from tests.notify.engine import Planner, a_delivery, add, stored
from tests.store.rows import make_business, put, some_changes

RETENTION = Retention(requests=timedelta(hours=24), changes=timedelta(hours=24))


@pytest.fixture
def books(owner):
    return Books(owner)


@pytest.fixture
def make_consumers(database):
    def make(*members, **limits):
        return Consumers(database, members, ConsumerLimits(**limits))

    return make


async def log(database, first, last, business_id="demo"):
    """Write changes of these revisions, as commits do."""
    await put(database, business_id=business_id, changes=some_changes(first, last))
    async with database.transaction(business_id) as tx:
        await tx.exec_driver_sql(
            "UPDATE businesses SET revision = $2 WHERE business_id = $1", (business_id, last)
        )


async def cursors(books):
    return dict(await books.rows("SELECT consumer, revision FROM consumers"))


async def test_a_business_has_a_cursor_for_each_consumer_from_its_beginning(shop, books):
    assert await cursors(books) == dict.fromkeys(CONSUMERS, 0)


async def test_each_change_is_planned_once_and_the_cursor_stands_behind_it(
    database, shop, books, make_consumers
):
    planner = Planner()
    following = make_consumers(planner)
    await log(database, 1, 5)

    await following.catch_up()
    await following.catch_up()
    await log(database, 6, 7)
    await following.catch_up()

    assert planner.planned == [1, 2, 3, 4, 5, 6, 7]
    assert (await cursors(books))["letters"] == 7
    assert [each.revision for each in await stored(database)] == [1, 2, 3, 4, 5, 6, 7]
    queued = await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer")
    assert queued == [(7,)]


async def test_a_long_log_is_read_in_pieces(database, shop, make_consumers):
    planner = Planner()
    await log(database, 1, 25)

    await make_consumers(planner, changes_max=10).catch_up()

    assert planner.planned == list(range(1, 26))


async def test_consumers_do_not_wait_for_each_other(database, shop, books, make_consumers):
    def never(_revision):
        return ConnectionError("the way is blocked")

    letters, webhooks = Planner(fails=never), Planner(name="webhooks")
    await log(database, 1, 3)

    await make_consumers(letters, webhooks).catch_up()

    assert webhooks.planned == [1, 2, 3]
    assert await cursors(books) == {"letters": 0, "webhooks": 3}


async def test_one_business_that_fails_does_not_keep_the_others(database, shop, make_consumers):
    await make_business(database, "red")
    await log(database, 1, 1)
    await log(database, 1, 1, "red")

    class Picky(Planner):
        async def plan(self, tx, business_id, found):
            if business_id == "demo":
                raise ConnectionError("the way is blocked")
            return await super().plan(tx, business_id, found)

    picky = Picky()

    await make_consumers(picky).catch_up()

    assert picky.planned == [1]
    assert len(await stored(database, "red")) == 1


async def test_more_businesses_than_one_look_finds_are_all_brought_up_to_date(
    database, shop, make_consumers
):
    names = [f"b{number}" for number in range(7)]
    for name in names:
        await make_business(database, name)
        await log(database, 1, 1, name)

    await make_consumers(Planner(), businesses_max=2, concurrent_max=2).catch_up()

    assert [len(await stored(database, name)) for name in names] == [1] * 7


async def test_a_business_that_is_written_faster_than_planned_does_not_keep_the_others(
    database, shop, make_consumers
):
    await make_business(database, "red")
    planned = []

    async def ten_more(number):
        await log(database, 10 * number + 1, 10 * number + 10)

    class Flooded(Planner):
        async def plan(self, tx, business_id, found):
            planned.append(business_id)
            if business_id == "demo" and len(planned) < 40:
                await ten_more(len(planned) + 1)
            if len(planned) == 3:
                # It sorts after the other, and is behind only now.
                await log(database, 1, 1, "red")
            return []

    await ten_more(0)
    await ten_more(1)
    await make_consumers(Flooded(), changes_max=10, pieces_max=2).catch_up()

    assert "red" in planned[:6]
    assert planned.count("demo") >= 40


async def test_who_is_behind_is_asked_for_a_tenth_of_the_time_at_most(database, shop):
    """Where there are many businesses, each look goes through the cursors of all."""
    clock = count(0, 0.25)
    pauses, paused, may_go = [], asyncio.Event(), asyncio.Event()

    async def pause(seconds):
        pauses.append(seconds)
        paused.set()
        await may_go.wait()

    planner = Planner()
    following = Consumers(
        database, [planner], ConsumerLimits(), monotonic=lambda: next(clock), pause=pause
    )
    running = asyncio.create_task(following.run())
    await paused.wait()
    await log(database, 1, 1)
    following.wake()
    may_go.set()
    paused.clear()
    await paused.wait()
    await cancelled(running)

    assert pauses[0] == 2.5
    assert planner.planned == [1], "Woken meanwhile, it looks as soon as it may."


async def test_a_business_of_a_process_that_knew_no_consumers_is_followed_from_now_on(
    database, shop, books, make_consumers, caplog
):
    await log(database, 1, 5)
    await books.run("DELETE FROM consumers WHERE consumer = 'letters'")
    await books.run("UPDATE consumers SET revision = 3")
    planner = Planner()
    following = make_consumers(planner)

    await following.follow_all()
    await following.follow_all()

    assert await cursors(books) == {"letters": 5, "webhooks": 3}
    told = [each.getMessage() for each in caplog.records]
    assert told == ["letters did not follow this business, and does after revision 5"]
    await log(database, 6, 6)
    await following.catch_up()
    assert planner.planned == [6]


async def test_businesses_that_are_not_followed_are_found_in_bounded_pages(
    database, shop, books, make_consumers
):
    for name in ("red", "green"):
        await make_business(database, name)
    await books.run("DELETE FROM consumers")
    following = make_consumers(Planner(), businesses_max=2)

    await following.follow_all()
    assert await books.rows("SELECT count(*) FROM consumers") == [(4,)]
    await following.follow_all()

    assert await books.rows("SELECT count(*) FROM consumers") == [(6,)]


async def test_one_that_failed_rests_and_goes_on_where_it_stopped(database, shop, books):
    clock = 0.0
    broken = True

    def fails(_revision):
        return ConnectionError("the way is blocked") if broken else None

    planner = Planner(fails=fails)
    following = Consumers(database, [planner], ConsumerLimits(), monotonic=lambda: clock)
    await log(database, 1, 2)
    await following.catch_up()
    broken = False

    await following.catch_up()
    assert planner.planned == []
    clock = 60.0
    await following.catch_up()

    assert planner.planned == [1, 2]


async def test_for_a_change_that_cannot_be_planned_a_dead_delivery_stands_and_the_others_go_on(
    database, shop, books, make_consumers, caplog
):
    def fails(revision):
        return ValueError("eve@example.org") if revision == 2 else None

    planner = Planner(fails=fails)
    await log(database, 1, 4)

    await make_consumers(planner).catch_up()

    assert planner.planned == [1, 3, 4]
    assert (await cursors(books))["letters"] == 4
    told = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert ["revision 2" in each.getMessage() for each in told] == [True]
    assert re.search(r": ValueError at \S+/tests/notify/engine\.py:\d+$", told[0].getMessage())
    assert "example.org" not in caplog.text, "The words of an error may name somebody."
    found = await stored(database)
    assert [each.revision for each in found] == [1, 2, 3, 4]
    dead = found[1]
    assert (dead.state, dead.channel, dead.kind, dead.detail) == (
        *(DeliveryState.DEAD, Channel.LETTER, "unplanned"),
        "revision 2 could not be planned: ValueError",
    )
    assert dead.ended_at is not None
    assert dead.booking_id == UUID(int=2), "So it is in the list of its booking."
    assert await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer") == [(3,)]
    kept = await books.rows("SELECT body::text FROM deliveries WHERE state = 'dead'")
    assert "example.org" not in str(kept)


async def test_a_statement_that_fails_while_planning_leaves_a_dead_delivery_too(
    database, shop, books, make_consumers
):
    class Wrong(Planner):
        async def plan(self, tx, business_id, found):
            if any(change.revision == 1 for change in found):
                await tx.exec_driver_sql("SELECT 1 / 0")
            return await super().plan(tx, business_id, found)

    await log(database, 1, 2)

    await make_consumers(Wrong()).catch_up()

    assert [(each.revision, each.state) for each in await stored(database)] == [
        (1, DeliveryState.DEAD),
        (2, DeliveryState.WAITING),
    ]


async def test_nothing_is_planned_where_the_commit_fails(database, shop, books, make_consumers):
    """The cursor, the deliveries and their jobs are one transaction."""
    await books.run(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$
        """
    )
    await books.run(
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON consumers DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    await log(database, 1, 2)

    await make_consumers(Planner()).catch_up()

    assert await stored(database) == []
    assert await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer") == [(0,)]
    assert (await cursors(books))["letters"] == 0


async def test_two_processes_share_the_work_and_plan_nothing_twice(
    database, shop, books, make_consumers
):
    await log(database, 1, 60)
    planners = [Planner(), Planner()]

    async def follow(planner):
        following = make_consumers(planner, changes_max=5)
        while (await cursors(books))["letters"] < 60:
            await following.catch_up()

    await asyncio.gather(*map(follow, planners))

    assert sorted(planners[0].planned + planners[1].planned) == list(range(1, 61))
    assert [each.revision for each in await stored(database)] == list(range(1, 61))


async def test_a_cursor_that_another_has_is_not_waited_for(database, shop, make_consumers):
    await log(database, 1, 1)
    planner = Planner()
    async with database.transaction("demo") as tx:
        assert await consumers.take(tx, "demo", "letters") is not None
        assert not await make_consumers(planner).advance("demo", "letters")

    assert planner.planned == []


async def test_trimming_waits_for_the_cursor(database, shop, books, make_consumers):
    await log(database, 1, 6)
    await books.run("UPDATE changes SET at = now() - interval '30 hours'")
    await books.run("UPDATE consumers SET revision = 6 WHERE consumer = 'webhooks'")
    await books.run("UPDATE consumers SET revision = 4 WHERE consumer = 'letters'")
    janitor = Janitor(database, RETENTION, JanitorLimits())

    await janitor.sweep()

    assert await revisions(database) == [5, 6]
    await make_consumers(Planner()).catch_up()
    await janitor.sweep()
    assert await revisions(database) == []


async def test_trimming_waits_no_longer_than_the_lag_that_is_allowed(
    database, shop, books, make_consumers, caplog
):
    await log(database, 1, 6)
    await books.run("UPDATE changes SET at = now() - interval '400 hours' WHERE revision <= 3")
    await books.run("UPDATE changes SET at = now() - interval '30 hours' WHERE revision > 3")

    await Janitor(database, RETENTION, JanitorLimits()).sweep()

    assert await revisions(database) == [4, 5, 6]
    planner = Planner()
    await make_consumers(planner).catch_up()
    assert planner.planned == [4, 5, 6]
    assert "letters has lost the changes 1 to 3" in caplog.text
    dead, *waiting = await stored(database)
    assert (dead.state, dead.channel, dead.kind, dead.revision) == (
        *(DeliveryState.DEAD, Channel.LETTER, "lost_changes"),
        1,
    )
    assert dead.detail.startswith("revisions 1 to 3 could not be planned: the log was trimmed")
    assert [each.revision for each in waiting] == [4, 5, 6]


async def test_a_consumer_jumps_to_the_head_where_all_it_missed_is_gone(
    database, shop, books, make_consumers, caplog
):
    await log(database, 1, 6)
    await books.run("DELETE FROM changes")

    await make_consumers(Planner()).catch_up()

    assert (await cursors(books))["letters"] == 6
    assert "letters has lost the changes 1 to 6" in caplog.text
    (dead,) = await stored(database)
    assert dead.detail.startswith("revisions 1 to 6 could not be planned")


async def revisions(database):
    async with database.snapshot("demo") as tx:
        return [change.revision for change in await changes.read_after(tx, "demo", 0, 100)]


async def test_finished_deliveries_are_kept_for_30_days_and_the_others_until_they_end(
    database, shop, books
):
    await add(database, *[a_delivery(number) for number in (1, 2, 3, 4)])
    for number, state, days in ((1, "sent", 31), (2, "dead", 31), (3, "skipped", 29)):
        await books.run(
            "UPDATE deliveries SET state = $1, ended_at = now() - make_interval(days => $2)"
            " WHERE revision = $3",
            state,
            days,
            number,
        )
    await books.run("UPDATE deliveries SET created_at = now() - interval '60 days'")

    swept = await Janitor(database, RETENTION, JanitorLimits()).sweep()

    assert swept.deliveries == 2
    left = [(each.revision, each.state) for each in await stored(database)]
    assert left == [(3, DeliveryState.SKIPPED), (4, DeliveryState.WAITING)]


async def test_the_queues_own_log_is_bounded(database, shop, books):
    await add(database, *[a_delivery(number) for number in range(5)])
    await books.run("UPDATE slotcast_jobs.pgqueuer_log SET created = now() - interval '25 hours'")
    await add(database, a_delivery(9))

    swept = await Janitor(database, RETENTION, JanitorLimits(rows_max=2)).sweep()

    assert swept.job_log == 5
    assert await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer_log") == [(1,)]


async def test_a_deleted_business_takes_its_cursors_and_deliveries_along(database, shop, books):
    await add(database, a_delivery())
    async with database.transaction("demo") as tx:
        await catalog.delete_business(tx, "demo")

    for table in ("consumers", "deliveries"):
        assert await books.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    async with database.transaction(ALL_BUSINESSES) as tx:
        assert await consumers.behind(tx, CONSUMERS, after=consumers.Behind("", ""), limit=9) == []
