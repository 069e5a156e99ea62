"""B2, B3: whatever is broken off, at whichever await, leaves nothing behind and is done once.

Each test goes through all awaits of what it breaks off, one after the other, until there is none
left to break off at.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from itertools import count

import asyncpg
import pytest

from service.actions.bookings import run_batch
from service.actions.catalog_cache import CatalogCache
from service.actions.lanes import LaneLimits, Lanes
from service.domain.errors import DomainError, Overloaded, TryAgain
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.source import Source
from service.store.business_lock import serialized
from service.store.database import Database
from tests.actions.conftest import open_shop
from tests.actions.submissions import DAY, a_shop, book, slot
from tests.live.process import SLOW, a_process
from tests.robustness.isolation.aftermath import Aftermath, until
from tests.robustness.isolation.awaits import Broken, Cancelled, CancelledAgainAndAgain, Moment
from tests.robustness.isolation.deaf_relay import DeafRelay

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=1)))
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'slotcast'
"""
AWAITS_MIN = 10
"""Fewer than there are in any of these ways to the database and back."""


@pytest.fixture
async def witness(database_url):
    """A connection that is none of the service's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def shop(lanes):
    """The business `demo`, made by another process."""
    await open_shop(lanes, a_shop())


@pytest.fixture
async def make_scene(database_url, shop, witness):
    """Make a process: its pool, its lanes, and a look at what is left behind."""
    async with AsyncExitStack() as stack:

        def make(url=database_url, attempts_max=8):
            database = Database(url, pool_size=1)
            stack.push_async_callback(database.close)
            lanes = Lanes(database, LaneLimits(attempts_max=attempts_max), lambda *_: None)
            stack.push_async_callback(lanes.drain)
            return database, lanes, Aftermath(database, witness)

        yield make


@pytest.fixture
def scenes(make_scene, is_fresh):
    """Yield a process for each await: a new one, or the same whose connections have been used."""

    def each():
        used = make_scene()
        for number in count(1):
            yield number, *(make_scene() if is_fresh else used)

    return each()


@pytest.fixture
def break_connections(witness):
    """Break all connections that the service has."""

    async def all_are_gone():
        return await witness.fetch(TERMINATE) == []

    return lambda: until(all_are_gone)


every_moment = pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.value)
new_and_used = pytest.mark.parametrize("is_fresh", [True, False], ids=["new", "used"])


async def outcome_of(awaitable):
    """Return what was answered or how it was refused; None where a cancellation came out."""
    try:
        return await asyncio.ensure_future(awaitable)
    except DomainError as refusal:
        return refusal
    except asyncio.CancelledError:
        return None


def meddle_with(lanes, make):
    """Let the next lane that runs be one that is meddled with; return what will be it."""
    run, made = lanes._run, []

    async def run_meddled(business_id, queue):
        lanes._run = run
        made.append(make(run(business_id, queue)))
        await made[0]

    lanes._run = run_meddled
    return made


async def transact(database, submission):
    async with serialized(database, "demo") as tx:
        return await run_batch(tx, CatalogCache(), "demo", [submission])


async def call(lanes, submission):
    return await lanes.submit(submission)


async def is_idle(lanes):
    while lanes._running:
        await asyncio.wait(lanes._running)


@every_moment
@pytest.mark.parametrize("is_fresh", [False], ids=["used"])
async def test_a_transaction_that_is_cancelled_at_any_await_leaves_nothing_behind(
    scenes, moment, is_fresh
):
    for number, database, lanes, aftermath in scenes:
        submission = book(slot(number))

        transaction = Cancelled(transact(database, submission), number, moment)
        outcome = await outcome_of(transaction)
        assert (outcome is not None) is transaction.is_through
        await aftermath.check()
        await aftermath.check_request(submission, lanes.submit)
        if transaction.is_through:
            break
    assert number > AWAITS_MIN


@every_moment
@pytest.mark.parametrize(
    ("cancelled", "is_fresh"),
    [(Cancelled, True), (Cancelled, False), (CancelledAgainAndAgain, False)],
    ids=["new", "used", "used, again and again"],
)
async def test_a_lane_that_is_cancelled_at_any_await_leaves_nobody_waiting(
    scenes, moment, is_fresh, cancelled
):
    for number, _, lanes, aftermath in scenes:
        made = meddle_with(lanes, partial(cancelled, number=number, moment=moment))
        submission = book(slot(number))
        outcome = await outcome_of(lanes.submit(submission))
        await is_idle(lanes)
        await aftermath.check()
        answer = await aftermath.check_request(submission, lanes.submit)
        assert outcome == answer or isinstance(outcome, TryAgain)
        if made[0].is_through:
            assert outcome == answer
            break
    assert number > AWAITS_MIN


@every_moment
@pytest.mark.parametrize("is_fresh", [False], ids=["used"])
async def test_a_caller_that_goes_away_at_any_await_of_its_lane_takes_nothing_along(
    scenes, moment, is_fresh
):
    for number, _, lanes, aftermath in scenes:
        submission = book(slot(number))
        caller = asyncio.ensure_future(call(lanes, submission))
        cancelled = partial(Cancelled, number=number, moment=moment, victim=caller)
        made = meddle_with(lanes, cancelled)
        outcome = await outcome_of(caller)
        await is_idle(lanes)
        await aftermath.check()
        answer = await aftermath.check_request(submission, lanes.submit)
        assert outcome == (answer if made[0].is_through else None)
        if made[0].is_through:
            assert outcome == answer
            break
    assert number > AWAITS_MIN


@pytest.mark.parametrize(
    ("moment", "is_fresh"),
    [(Moment.WAITING, True), (Moment.WAITING, False), (Moment.ARRIVED, False)],
    ids=["new-waiting", "used-waiting", "used-arrived"],
)
async def test_a_lane_whose_connection_breaks_at_any_await_answers_all_the_same(
    scenes, moment, is_fresh, break_connections
):
    for number, _, lanes, aftermath in scenes:
        broken = partial(Broken, number=number, moment=moment, deed=break_connections)
        made = meddle_with(lanes, broken)
        submission = book(slot(number))
        outcome = await outcome_of(lanes.submit(submission))
        await is_idle(lanes)
        assert outcome == await aftermath.check_request(submission, lanes.submit)
        if made[0].is_through:
            break
    assert number > AWAITS_MIN


@every_moment
@new_and_used
async def test_a_business_whose_loading_is_cancelled_at_any_await_can_be_loaded(
    scenes, moment, is_fresh
):
    for number, database, _, aftermath in scenes:
        loading = Cancelled(Source(database).load("demo"), number, moment)
        outcome = await outcome_of(loading)
        assert (outcome is not None) is loading.is_through
        await aftermath.check()
        assert (await Source(database).load("demo")).revision == 4
        if loading.is_through:
            break
    assert number > AWAITS_MIN


@every_moment
@pytest.mark.parametrize("is_fresh", [False], ids=["used"])
async def test_a_business_whose_loading_breaks_at_any_await_is_loaded_or_can_be_asked_again(
    scenes, moment, is_fresh, break_connections
):
    for number, database, _, aftermath in scenes:
        loading = Broken(Source(database).load("demo"), number, moment, break_connections)
        outcome = await outcome_of(loading)
        assert isinstance(outcome, Overloaded) or outcome.revision == 4
        again = await outcome_of(Source(database).load("demo"))
        if isinstance(again, Overloaded):
            # The broken connection had gone back: who takes it next finds out.
            again = await Source(database).load("demo")
        assert again.revision == 4
        await aftermath.check()
        if loading.is_through:
            break
    assert number > AWAITS_MIN


async def list_slots(process):
    found, _, _ = await process.availability.list_slots(QUERY)
    return [each.key for each in found]


async def watch(process):
    async with process.watching(QUERY) as stream:
        return sorted(stream.client.slots)


@every_moment
@pytest.mark.parametrize(
    ("read", "awaits_min"), [(list_slots, 20), (watch, 3)], ids=["list", "watch"]
)
async def test_a_list_or_a_watch_that_is_cancelled_at_any_await_can_be_asked_for_again(
    database_url, shop, witness, moment, read, awaits_min
):
    """The first of them loads the business itself, or waits for it to be loaded by a task."""
    for number in count(1):
        async with a_process(database_url, **SLOW) as process:
            reading = Cancelled(read(process), number, moment)
            first = await outcome_of(reading)
            second = await read(process)
            assert second
            assert first == (second if reading.is_through else None)
            assert process.watchers._streams == 0
            await Aftermath(process.source._database, witness).check()
        if reading.is_through:
            break
    assert number > awaits_min


class TestLostAnswer:
    """A commit of which no answer comes: nobody knows what became of it."""

    @pytest.fixture
    async def relay(self, database_url):
        async with DeafRelay(database_url).running() as relay:
            yield relay

    @pytest.mark.parametrize("lost", [1, 3])
    async def test_what_was_done_is_found_again(self, make_scene, relay, lost):
        _, lanes, aftermath = make_scene(url=relay.url)
        submission = book(slot(1))
        relay.commits_to_lose = lost

        answer = await lanes.submit(submission)

        assert relay.commits_lost == lost
        assert answer == await aftermath.check_request(submission, lanes.submit)

    async def test_it_is_said_that_nothing_is_known_and_the_request_may_be_sent_again(
        self, make_scene, relay, witness
    ):
        """B6: never "taken", though by now the caller itself has it."""
        _, lanes, aftermath = make_scene(url=relay.url, attempts_max=1)
        submission = book(slot(1))
        relay.commits_to_lose = 1

        outcome = await outcome_of(lanes.submit(submission))

        assert isinstance(outcome, TryAgain)
        assert await witness.fetchval("SELECT count(*) FROM bookings") == 1
        await aftermath.check_request(submission, lanes.submit)
        assert await witness.fetchval("SELECT count(*) FROM bookings") == 1
