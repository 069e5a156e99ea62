"""Processes on a database of the test's own, and a shop to watch."""

from contextlib import AsyncExitStack

import pytest

from tests.actions.submissions import a_shop, opening
from tests.live.process import a_process


@pytest.fixture
async def start_process(database_url):
    """Start one more process on the same database."""
    async with AsyncExitStack() as stack:

        async def start(redis_url=None, **limits):
            return await stack.enter_async_context(a_process(database_url, redis_url, **limits))

        yield start


@pytest.fixture
async def process(start_process):
    return await start_process()


@pytest.fixture
async def shop(process):
    """The business `demo`, with `visit` on `anna`, open day and night."""
    await open_shop(process, a_shop())


async def open_shop(process, catalog):
    for submission in opening(catalog):
        await process.submit(submission)
