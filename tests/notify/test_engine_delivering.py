"""A lane's deliveries: in order, leased before they are sent, recorded after it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.domain.delivery import ATTEMPTS_MAX, Channel, DeliveryState
from service.notify.delivering import Deliverer
from service.notify.delivery import Busy, GiveUp, Sent, Skipped, TryLater
from service.store import deliveries
from service.store.database import Database
from tests.actions.conftest import Books
from tests.notify.engine import Post, a_delivery, add, stored

LANE = "letter:one:customer"


@pytest.fixture
def books(owner):
    return Books(owner)


@pytest.fixture
def make_deliverer(database):
    def make(post, **options):
        return Deliverer(database, {Channel.LETTER: post, Channel.WEBHOOK: post}, **options)

    return make


def answering(*outcomes):
    """Return a sender's answer: the next of these each time, an exception raised."""
    left = list(outcomes)

    async def answer(_delivery):
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return answer


async def deliver(deliverer, job_id=1, lane=LANE):
    return await deliverer.deliver(Channel.LETTER, job_id, "demo", lane)


async def jobs(books) -> list[tuple]:
    """The lanes for which jobs are queued, and whether they are due."""
    return await books.rows(
        """
        SELECT convert_from(payload, 'UTF8')::jsonb ->> 1, execute_after <= now()
        FROM slotcast_jobs.pgqueuer ORDER BY id
        """
    )


async def make_due(books):
    await books.run("UPDATE deliveries SET due_at = now() WHERE state = 'waiting'")


async def test_what_is_due_in_a_lane_goes_out_by_revision_and_ordinal(
    database, shop, make_deliverer
):
    late, second, first = a_delivery(3), a_delivery(2, ordinal=1), a_delivery(2)
    await add(database, late, second, first)
    post = Post()

    assert await deliver(make_deliverer(post))

    assert post.sent == [each.delivery_id for each in (first, second, late)]
    assert {each.state for each in await stored(database)} == {DeliveryState.SENT}


async def test_other_lanes_are_left_alone(database, shop, make_deliverer):
    await add(database, a_delivery(), a_delivery(lane="letter:two:customer"))
    post = Post()

    await deliver(make_deliverer(post))

    assert len(post.sent) == 1


async def test_one_that_is_not_due_holds_nobody_up_and_is_not_sent(
    database, shop, make_deliverer, books
):
    (now,) = (await books.rows("SELECT now()"))[0]
    reminder = a_delivery(1, due_at=now + timedelta(days=20))
    await add(database, reminder, a_delivery(2))
    post = Post()

    assert await deliver(make_deliverer(post))

    assert [each.revision for each in post.given] == [2]
    assert (await stored(database))[0].state is DeliveryState.WAITING
    assert await jobs(books) == [(LANE, False), (LANE, True)]


async def test_one_that_failed_holds_up_those_behind_it_until_it_is_through(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery(1), a_delivery(2))
    post = Post(answering(TryLater("451 not now"), Sent("first"), Sent("second")))
    deliverer = make_deliverer(post)

    assert await deliver(deliverer)
    assert await deliver(deliverer, job_id=2)
    assert [each.revision for each in post.given] == [1]
    assert (await stored(database))[0].detail == "451 not now"
    await make_due(books)
    assert await deliver(deliverer, job_id=3)

    assert [each.revision for each in post.given] == [1, 1, 2]
    assert [each.detail for each in await stored(database)] == ["first", "second"]


async def test_a_failure_and_the_job_that_comes_back_are_one_commit(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery())

    await deliver(make_deliverer(Post(answering(TryLater("451 not now")))))

    assert await jobs(books) == [(LANE, True), (LANE, False)]
    same = await books.rows(
        "SELECT due_at = execute_after FROM deliveries, slotcast_jobs.pgqueuer"
        " WHERE execute_after > now()"
    )
    assert same == [(True,)]


async def test_a_dead_one_does_not_block_those_behind_it(database, shop, make_deliverer):
    await add(database, a_delivery(1), a_delivery(2))
    post = Post(answering(GiveUp("550 no such user"), Sent("second")))

    assert await deliver(make_deliverer(post))

    dead, sent = await stored(database)
    assert (dead.state, dead.detail, dead.attempts) == (DeliveryState.DEAD, "550 no such user", 1)
    assert sent.state is DeliveryState.SENT


async def test_a_skipped_one_says_why_and_is_no_failure(database, shop, make_deliverer):
    await add(database, a_delivery())

    await deliver(make_deliverer(Post(answering(Skipped("the booking was cancelled")))))

    (skipped,) = await stored(database)
    assert (skipped.state, skipped.detail) == (DeliveryState.SKIPPED, "the booking was cancelled")


async def test_what_the_sender_did_not_foresee_is_tried_again_and_names_nobody(
    database, shop, make_deliverer, caplog
):
    await add(database, a_delivery())

    await deliver(make_deliverer(Post(answering(ValueError("eve@example.org")))))

    (waiting,) = await stored(database)
    assert waiting.state is DeliveryState.WAITING
    assert waiting.detail == "a fault of this service: ValueError"


async def test_an_attempt_takes_no_longer_than_its_time(database, shop, make_deliverer):
    await add(database, a_delivery())

    async def stall(_delivery):
        await asyncio.Event().wait()

    await deliver(make_deliverer(Post(stall), send_seconds_max=0.01))

    (waiting,) = await stored(database)
    assert (waiting.state, waiting.detail) == (DeliveryState.WAITING, "not sent within 0.01 s")


async def test_it_is_given_up_when_its_time_is_over_and_tried_until_then(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery(1), a_delivery(2))
    later = TryLater("451 not now", after_seconds=600)
    deliverer = make_deliverer(Post(answering(later, later, Sent("second"))))
    await deliver(deliverer)
    # It would be tried in minutes; but its time is over in one.
    await books.run(
        "UPDATE deliveries SET give_up_at = now() + interval '1 minute', due_at = now()"
    )
    await books.run("UPDATE deliveries SET give_up_at = now() WHERE revision = 1")

    await deliver(deliverer)

    dead, sent = await stored(database)
    assert (dead.state, dead.attempts, dead.detail) == (DeliveryState.DEAD, 2, "451 not now")
    assert sent.state is DeliveryState.SENT


async def test_the_last_attempt_is_made_when_its_time_ends(database, shop, make_deliverer, books):
    await add(database, a_delivery())
    deliverer = make_deliverer(Post(answering(*[TryLater("451", after_seconds=900)] * 2)))
    await deliver(deliverer)
    await books.run(
        "UPDATE deliveries SET give_up_at = now() + interval '1 minute', due_at = now()"
    )

    await deliver(deliverer)

    assert await books.rows("SELECT due_at = give_up_at, state FROM deliveries") == [
        (True, "waiting")
    ]


async def test_its_time_is_48_hours_for_a_letter_and_24_for_a_webhook(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery())
    deliverer = make_deliverer(Post(answering(*[TryLater("no")] * 2)))
    await deliver(deliverer)
    await add(database, a_delivery(channel=Channel.WEBHOOK, lane="webhook:a:b"))
    await deliverer.deliver(Channel.WEBHOOK, 2, "demo", "webhook:a:b")

    hours = await books.rows(
        "SELECT channel, round(extract(epoch FROM give_up_at - created_at) / 3600)::int"
        " FROM deliveries ORDER BY channel"
    )
    assert hours == [("letter", 48), ("webhook", 24)]


async def test_one_that_ends_every_process_is_given_up(database, shop, make_deliverer, books):
    await add(database, a_delivery(1), a_delivery(2))
    await books.run("UPDATE deliveries SET attempts = $1 WHERE revision = 1", ATTEMPTS_MAX)
    post = Post()

    await deliver(make_deliverer(post))

    assert [each.revision for each in post.given] == [2]
    assert (await stored(database))[0].state is DeliveryState.DEAD


async def test_a_busy_receiver_costs_no_attempt_keeps_the_order_and_is_left_alone_for_a_while(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery(1), a_delivery(2))
    post = Post(answering(Busy(600), Sent("first"), Sent("second")))
    deliverer = make_deliverer(post)

    await deliver(deliverer, job_id=1)
    await deliver(deliverer, job_id=2)
    assert [each.revision for each in post.given] == [1]
    assert await jobs(books) == [(LANE, True), (LANE, True), (LANE, False)]
    await books.run("UPDATE deliveries SET leased_until = now()")
    await deliver(deliverer, job_id=3)

    assert [each.revision for each in post.given] == [1, 1, 2]
    assert [each.attempts for each in await stored(database)] == [1, 1]


async def test_two_jobs_of_one_lane_do_not_send_side_by_side(database, shop, make_deliverer):
    await add(database, a_delivery(1), a_delivery(2))
    may_go = asyncio.Event()

    async def wait(_delivery):
        await may_go.wait()

    post = Post(wait)
    deliverer = make_deliverer(post)
    first = asyncio.create_task(deliver(deliverer, job_id=1))
    await post.until(lambda: post.given)

    assert await deliver(deliverer, job_id=2)
    assert len(post.given) == 1
    may_go.set()
    await first
    assert [each.revision for each in post.given] == [1, 2]


async def test_a_job_that_is_taken_up_again_need_not_wait_for_its_own_lease(
    database, shop, make_deliverer
):
    await add(database, a_delivery())
    stuck = Post(lambda _delivery: asyncio.Event().wait())
    crashed = asyncio.create_task(deliver(make_deliverer(stuck), job_id=7))
    await stuck.until(lambda: stuck.given)
    crashed.cancel()
    await asyncio.wait([crashed])
    post = Post()

    assert await deliver(make_deliverer(post), job_id=7)

    assert post.sent == [stuck.given[0].delivery_id]
    assert [each.attempts for each in await stored(database)] == [2]


async def test_what_was_sent_is_recorded_although_postgresql_was_away_for_a_moment(
    database_url, database, shop, books
):
    await add(database, a_delivery())
    other = Database(database_url, pool_size=1)
    async with other.snapshot("demo") as tx:
        process_id = (await tx.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()

    async def cut(_delivery):
        # The pool's only connection dies while the letter goes out.
        await books.rows("SELECT pg_terminate_backend($1)", process_id)

    post = Post(cut)
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    try:
        deliverer = Deliverer(other, {Channel.LETTER: post}, pause=pause)
        await deliver(deliverer)
    finally:
        await other.close()

    assert [each.state for each in await stored(database)] == [DeliveryState.SENT]
    assert len(post.given) == 1


async def test_a_dead_one_is_sent_again_when_asked_and_only_then(
    database, shop, make_deliverer, books
):
    await add(database, a_delivery())
    post = Post(answering(GiveUp("550 no such user"), Sent("again")))
    deliverer = make_deliverer(post)
    await deliver(deliverer)
    assert await deliver(deliverer)
    (dead,) = await stored(database)

    async with database.transaction("demo") as tx:
        again = await deliveries.retry(tx, "demo", dead.delivery_id)
    async with database.transaction("demo") as tx:
        assert await deliveries.retry(tx, "demo", dead.delivery_id) is None

    assert again is not None
    assert again.state is DeliveryState.WAITING
    assert len(await jobs(books)) == 2
    await deliver(deliverer)
    (sent,) = await stored(database)
    assert (sent.state, sent.attempts, sent.detail) == (DeliveryState.SENT, 1, "again")
    assert post.given[0].delivery_id == post.given[1].delivery_id


async def test_planning_the_same_again_sends_what_has_ended_once_more_and_nothing_twice(
    database, shop, make_deliverer
):
    planned = a_delivery()
    post = Post()
    deliverer = make_deliverer(post)
    await add(database, planned)
    await add(database, planned, again=True)
    await deliver(deliverer)
    await add(database, planned)
    await deliver(deliverer)
    assert len(post.sent) == 1

    await add(database, planned, again=True)
    await deliver(deliverer)

    assert post.sent == [planned.delivery_id] * 2


async def test_counts_and_drops_by_target(database, shop, make_deliverer):
    hooks = [
        a_delivery(number, channel=Channel.WEBHOOK, lane=f"webhook:{target}", target=target)
        for number, target in enumerate(("a", "a", "b"), start=1)
    ]
    await add(database, *hooks, a_delivery())
    deliverer = make_deliverer(Post(answering(GiveUp("410"), Sent("200"))))
    await deliverer.deliver(Channel.WEBHOOK, 1, "demo", "webhook:a")

    async with database.transaction("demo") as tx:
        found = await deliveries.counts(tx, "demo", Channel.WEBHOOK, ["a", "b", "c"])
        await deliveries.drop_target(tx, "demo", Channel.WEBHOOK, "b")

    assert found == {"a": deliveries.Count(0, 1), "b": deliveries.Count(1, 0)}
    assert sorted(each.target for each in await stored(database)) == ["a", "a", "customer"]
