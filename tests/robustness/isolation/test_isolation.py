"""B1, B3, B4 and B7: two transactions at once, statement by statement, in every order.

The lock keeps the batches of a business apart. Here it is first left out, so that the walls behind
it stand alone: SERIALIZABLE, and the exclusion constraint.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace

import asyncpg
import pytest

from service.store import business_lock
from service.store.database import Database
from tests.robustness.isolation.fights import Ring
from tests.robustness.isolation.turns import Side, reach_lock
from tests.robustness.isolation.worlds import WORLDS

ASKED = [
    pytest.param(world_name, name, id=f"{world_name}: {name}")
    for world_name, world in WORLDS.items()
    for name in world.works
]


def pairs_with(world_name, name):
    """Return it with each that comes after it in its world, and with itself."""
    names = list(WORLDS[world_name].works)
    return [(name, other) for other in names[names.index(name) :]]


@pytest.fixture
async def make_world(database_url, lanes):
    """Make a world, and two sessions that may fight in copies of it, any pair of works."""
    async with AsyncExitStack() as stack:
        sides = []
        for number in range(2):
            database = Database(database_url, pool_size=1)
            stack.push_async_callback(database.close)
            sides.append(Side(number, database))
        referee = await asyncpg.connect(database_url)
        stack.push_async_callback(referee.close)

        async def make(world_name):
            world = WORLDS[world_name]
            filling = await world.make(lanes)
            return lambda pair: world.ask(filling, pair), lambda asked: Ring(sides, referee, asked)

        yield make


@pytest.fixture
def without_lock(monkeypatch):
    """Leave out what keeps the transactions of a business apart."""

    async def nothing(lock):
        pass

    monkeypatch.setattr(business_lock._BusinessLock, "take", nothing)
    monkeypatch.setattr(business_lock._BusinessLock, "give_back", nothing)


@pytest.fixture
def stepwise_lock(monkeypatch):
    """Let the lock be taken in a step of its own."""
    take = business_lock._BusinessLock.take

    async def take_in_turn(lock):
        await reach_lock(lock._connection.get_server_pid())
        await take(lock)

    monkeypatch.setattr(business_lock._BusinessLock, "take", take_in_turn)


@pytest.mark.parametrize(("world_name", "name"), ASKED)
async def test_two_transactions_come_to_what_one_after_the_other_would_in_every_order(
    make_world, without_lock, world_name, name
):
    ask, ring_for = await make_world(world_name)
    for pair in pairs_with(world_name, name):
        ring = ring_for(ask(pair))
        allowed = await ring.one_after_the_other()

        fought = await ring.fight()

        assert fought.outcomes == allowed, pair
        assert fought.serial_orders == 2, pair
        assert fought.retries <= fought.orders - 2, pair


async def test_of_two_that_overlap_and_write_one_is_always_tried_again(make_world, without_lock):
    """Both raise the revision: so the walls are met in every order that is none of one by one."""
    ask, ring_for = await make_world("a free slot")

    fought = await ring_for(ask(("hold", "close"))).fight()

    assert fought.retries == fought.orders - 2 > 0
    assert fought.waits > 0


@pytest.mark.parametrize("world_name", ["a free slot", "a hold"])
async def test_a_request_that_is_sent_twice_at_once_is_done_once_in_every_order(
    make_world, without_lock, world_name
):
    ask, ring_for = await make_world(world_name)
    for name in WORLDS[world_name].works:
        asked = ask((name, name))
        ring = ring_for(replace(asked, works=asked.works[:1] * 2))
        allowed = await ring.one_after_the_other()

        fought = await ring.fight()

        assert fought.outcomes == allowed, name
        assert len({answer for outcome in allowed for answer in outcome.answers}) == 1


@pytest.mark.parametrize(("world_name", "name"), ASKED[-5:])
async def test_with_the_lock_no_statement_of_one_comes_between_those_of_the_other(
    make_world, stepwise_lock, world_name, name
):
    """And so none is ever tried again."""
    ask, ring_for = await make_world(world_name)
    for pair in pairs_with(world_name, name):
        ring = ring_for(ask(pair))
        allowed = await ring.one_after_the_other()

        fought = await ring.fight()

        assert fought.outcomes == allowed, pair
        assert fought.serial_orders == fought.orders, pair
        assert fought.waits > 0, pair
        assert fought.retries == 0, pair
