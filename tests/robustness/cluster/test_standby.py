"""A commit that is answered, or shown to anyone, is on the standby too, however slow that is."""

import asyncio
from contextlib import suppress

import pytest

from service.store.database import Database
from tests.robustness.cluster.keeper import Keeper
from tests.robustness.cluster.postgres_pair import PostgresPair

BUSINESS = "salon"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
COUNTED = "SELECT count(*) FROM notes"


@pytest.fixture
async def pair(tmp_path):
    """A primary with a table, and a synchronous standby."""
    async with Keeper() as keeper:
        pair = PostgresPair(tmp_path, keeper, standby=True)
        try:
            await pair.start()
            async with pair.connected() as connection:
                await connection.execute("CREATE TABLE notes (word text)")
            await pair.start_standby()
            yield pair
        finally:
            await pair.stop()


@pytest.fixture
async def writing(pair):
    """A transaction that wants to commit while the standby stands still."""
    database = Database(pair.dsn, pool_size=1, role=None)

    async def write():
        async with database.transaction(BUSINESS) as tx:
            await tx.exec_driver_sql("INSERT INTO notes VALUES ('booked')")

    pair.stop_standby()
    task = asyncio.create_task(write())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()


async def asked(pair, question):
    async with pair.connected() as connection:
        return await connection.fetchval(question)


async def until_it_waits(pair):
    while not await asked(pair, WAITING):
        pass


async def test_a_commit_that_is_given_up_is_not_shown_before_its_standby_has_it(pair, writing):
    await until_it_waits(pair)
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing

    # A request to cancel would have arrived by now.
    async with pair.connected() as connection:
        await connection.execute("SELECT pg_sleep(0.3)")
    assert await asked(pair, WAITING) == 1
    assert await asked(pair, COUNTED) == 0

    pair.cont_standby()
    while await asked(pair, COUNTED) == 0:
        pass
