"""A notifier at work: changes become deliveries, and these go out, whichever process is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.delivery import Channel, DeliveryState
from service.notify.delivery import Busy, TryLater
from service.store import deliveries, jobs
from service.store.scope import ALL_BUSINESSES
from tests.actions.conftest import Books
from tests.notify.conftest import QUICK
from tests.notify.engine import Post, a_delivery, add, stored
from tests.notify.test_engine_consumers import log


@pytest.fixture
def books(owner):
    return Books(owner)


async def until(is_so):
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_what_a_change_owes_goes_out_by_itself(database, shop, start_notifier, books):
    post = Post()
    await start_notifier(post)
    await log(database, 1, 3)

    await post.until(lambda: len(post.sent) == 3)

    assert sorted(each.revision for each in post.given) == [1, 2, 3]
    await until(lambda: no_jobs(books))
    assert {each.state for each in await stored(database)} == {DeliveryState.SENT}


async def no_jobs(books):
    return await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer") == [(0,)]


async def test_at_its_start_it_sees_to_it_that_each_business_is_followed(
    database, shop, start_notifier, books
):
    await books.run("DELETE FROM consumers")
    post = Post()

    await start_notifier(post)
    await until(lambda: is_followed(books))
    await log(database, 1, 1)

    await post.until(lambda: post.sent)


async def is_followed(books):
    return await books.rows("SELECT count(*) FROM consumers") == [(2,)]


async def test_two_notifiers_share_the_work_and_send_nothing_twice(
    database, shop, start_notifier, books
):
    posts = [Post(), Post()]
    for post in posts:
        await start_notifier(post)
    await log(database, 1, 80)
    await add(database, *[a_delivery(number, lane="one lane") for number in range(100, 120)])

    async def all_sent():
        return all(each.state is DeliveryState.SENT for each in await stored(database))

    await posts[0].until(lambda: sum(len(post.sent) for post in posts) >= 1)
    await until(lambda: is_count(database, 100))
    await until(all_sent)

    given = [each.revision for post in posts for each in post.given]
    assert sorted(given) == [*range(1, 81), *range(100, 120)]


async def is_count(database, count):
    return len(await stored(database)) == count


async def test_a_lane_keeps_its_order_whoever_sends(database, shop, start_notifier):
    order = []

    async def note(delivery):
        order.append(delivery.revision)
        await asyncio.sleep(0)

    posts = [Post(note), Post(note)]
    await add(database, *[a_delivery(number) for number in range(1, 30)])
    for post in posts:
        await start_notifier(post)

    await until(lambda: is_sent(database, 29))

    assert order == list(range(1, 30))


async def is_sent(database, revision):
    return (await stored(database))[-1].state is DeliveryState.SENT and bool(revision)


async def test_what_is_due_later_goes_out_when_it_is_due(database, shop, start_notifier, books):
    (now,) = (await books.rows("SELECT now()"))[0]
    await add(database, a_delivery(due_at=now + timedelta(seconds=1)))
    post = Post()
    await start_notifier(post)

    await post.until(lambda: post.sent)
    await until(lambda: no_jobs(books))

    assert await books.rows("SELECT ended_at >= due_at FROM deliveries") == [(True,)]


async def test_a_delivery_that_lost_its_job_is_found(database, shop, start_notifier, books):
    await add(database, a_delivery(1), a_delivery(2, lane="another"))
    await books.run("DELETE FROM slotcast_jobs.pgqueuer")
    post = Post()

    await start_notifier(post)
    await post.until(lambda: len(post.sent) == 2)

    assert len(post.given) == 2


async def test_the_look_for_lost_jobs_is_bounded_and_enqueues_none_twice(
    database, shop, start_notifier, books
):
    await add(database, *[a_delivery(number, lane=f"lane {number}") for number in range(10)])
    await books.run("DELETE FROM slotcast_jobs.pgqueuer")
    await books.run("UPDATE deliveries SET due_at = now() - interval '1 minute'")
    limits = replace(QUICK, sweep_max=4, sweep_seconds=3600)
    notifier = await start_notifier(Post(), limits=limits)
    await notifier.stop(0)

    assert await notifier.sweep() == 4
    # While these wait, no others are looked for; and they are not enqueued again.
    assert await notifier.sweep() == 0
    async with database.transaction(ALL_BUSINESSES) as tx:
        found = jobs.Job(
            entrypoint=deliveries.entrypoint_of(Channel.LETTER),
            business_id="demo",
            lane=(await first_lane(books)),
        )
        await jobs.enqueue(tx, [found], once=True)
    assert await books.rows("SELECT count(*) FROM slotcast_jobs.pgqueuer") == [(4,)]


async def test_what_waits_for_a_retry_hides_no_delivery_that_lost_its_job(
    database, shop, start_notifier, books
):
    """Neither what is behind one that is tried again later, nor behind one that found no room."""
    await add(database, *[a_delivery(number, lane="failing") for number in range(1, 4)])
    await add(database, *[a_delivery(number, lane="busy") for number in range(4, 7)])
    await books.run("UPDATE deliveries SET due_at = now() - interval '1 hour'")
    await books.run(
        "UPDATE deliveries SET attempts = 1, due_at = now() + interval '1 hour' WHERE revision = 1"
    )
    await books.run(
        "UPDATE deliveries SET leased_by = 0, leased_until = now() + interval '1 hour'"
        " WHERE revision = 4"
    )
    await add(database, a_delivery(7, lane="lost"), a_delivery(8, lane="lost"))
    await books.run(
        "UPDATE deliveries SET due_at = now() - interval '1 minute' WHERE lane = 'lost'"
    )
    await books.run("DELETE FROM slotcast_jobs.pgqueuer")
    notifier = await start_notifier(Post(), sweep_seconds=3600.0, sweep_max=1)
    await notifier.stop(0)

    assert await notifier.sweep() == 1
    assert await first_lane(books) == "lost"


async def first_lane(books):
    rows = await books.rows(
        "SELECT convert_from(payload, 'UTF8')::jsonb ->> 1 FROM slotcast_jobs.pgqueuer LIMIT 1"
    )
    return rows[0][0]


async def test_a_stalled_channel_does_not_hold_up_the_other(database, shop, start_notifier):
    stalled = Post(lambda _delivery: asyncio.Event().wait())
    webhooks = Post()
    lanes = [a_delivery(number, lane=f"lane {number}") for number in range(100)]
    await add(database, *lanes)
    await start_notifier(stalled, senders={Channel.WEBHOOK: webhooks})
    await stalled.until(lambda: len(stalled.given) == QUICK.runner.concurrent_max)

    await add(database, a_delivery(1, channel=Channel.WEBHOOK, lane="webhook"))

    await webhooks.until(lambda: webhooks.sent)
    assert len(stalled.given) == QUICK.runner.concurrent_max


async def test_a_thousand_lanes_that_find_no_room_do_not_delay_another(
    database, shop, start_notifier, books
):
    async def answer(delivery):
        if delivery.target == "dead":
            raise Busy(600.0)

    post = Post(answer)
    dead = [a_delivery(number, lane=f"dead:{number}", target="dead") for number in range(1000)]
    await add(database, *dead)
    quiet = replace(QUICK, sweep_seconds=3600.0)
    notifier = await start_notifier(post, limits=quiet)
    await until(lambda: are_back(books, 1000))
    await notifier.stop(5.0)
    assert len(post.given) == 1000
    assert await books.rows(
        "SELECT count(*) FROM slotcast_jobs.pgqueuer WHERE execute_after < now() + interval '4 min'"
    ) == [(0,)], "They come by no sooner than there may be room."
    # However it may be that all of them are due at one time:
    await books.run("UPDATE slotcast_jobs.pgqueuer SET execute_after = now()")
    await books.run("UPDATE deliveries SET leased_until = now()")
    await add(database, a_delivery(1000, lane="healthy"))

    await start_notifier(post, limits=quiet)
    await post.until(lambda: post.sent)

    at_the_same_time = QUICK.runner.concurrent_max
    targets = [each.target for each in post.given[1000:]]
    assert targets.index("customer") < at_the_same_time


async def are_back(books, count):
    return await books.rows(
        "SELECT count(*) FROM slotcast_jobs.pgqueuer WHERE execute_after > now()"
    ) == [(count,)] and await books.rows(
        "SELECT count(*) FROM slotcast_jobs.pgqueuer WHERE status = 'picked'"
    ) == [(0,)]


async def test_at_its_end_it_finishes_what_it_sends_and_takes_up_nothing_more(
    database, shop, start_notifier
):
    may_go = asyncio.Event()

    async def wait(_delivery):
        await may_go.wait()

    post = Post(wait)
    await add(database, a_delivery(1), a_delivery(2, lane="another"))
    notifier = await start_notifier(post)
    await post.until(lambda: len(post.given) == 2)
    await add(database, a_delivery(3, lane="a third"))
    await post.until(lambda: len(post.given) == 3)

    stopping = asyncio.create_task(notifier.stop(30.0))
    await asyncio.sleep(0)
    await add(database, a_delivery(4, lane="a fourth"))
    may_go.set()
    await stopping

    assert [each.state for each in await stored(database)] == [
        DeliveryState.SENT,
        DeliveryState.SENT,
        DeliveryState.SENT,
        DeliveryState.WAITING,
    ]


async def test_connections_that_break_are_made_anew(database, shop, start_notifier, books):
    post = Post()
    await start_notifier(post)
    await log(database, 1, 1)
    await post.until(lambda: len(post.sent) == 1)

    await books.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await database.engine.dispose()
    await log(database, 2, 2)

    await post.until(lambda: {each.revision for each in post.given} == {1, 2})


async def test_a_loop_that_fails_is_begun_again(database, shop, start_notifier):
    begun = []
    again = asyncio.Event()

    async def loop():
        begun.append(1)
        if len(begun) == 3:
            again.set()
            await asyncio.Event().wait()
        raise ValueError("a fault")

    await start_notifier(Post(), loops={"a loop": loop})

    await asyncio.wait_for(again.wait(), 30)


async def test_a_failure_is_tried_again_by_itself(database, shop, start_notifier, books):
    failed = []

    async def fail_once(delivery):
        if not failed:
            failed.append(delivery)
            raise TryLater("451 not now")

    post = Post(fail_once)
    await start_notifier(post)
    await add(database, a_delivery())
    await post.until(lambda: failed)
    await until(lambda: has_job(books))
    # It need not be waited for as long as it would be.
    await books.run("UPDATE deliveries SET due_at = now()")
    await books.run("UPDATE slotcast_jobs.pgqueuer SET execute_after = now()")

    await post.until(lambda: post.sent)

    assert [each.attempts for each in await stored(database)] == [2]


async def has_job(books):
    return await books.rows(
        "SELECT count(*) FROM slotcast_jobs.pgqueuer WHERE execute_after > now()"
    ) == [(1,)]
