"""Lanes on a database of the test's own, and a look at what they have written."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from service.actions.lanes import LaneLimits, Lanes
from service.domain.change_codec import change_from_json
from service.domain.errors import DomainError
from service.store.database import Database
from tests.actions.submissions import a_shop, opening


class Commits(list):
    """What was told after each commit."""

    def __call__(self, business_id, epoch, changes, revision_before):
        self.append((business_id, epoch, list(changes), revision_before))


@pytest.fixture
def commits():
    return Commits()


@pytest.fixture
async def make_lanes(database_url, commits):
    """Make the lanes of one more process."""
    async with AsyncExitStack() as stack:

        def make(on_commit=commits, pool_size=6, **limits):
            database = Database(database_url, pool_size=pool_size)
            stack.push_async_callback(database.close)
            lanes = Lanes(database, LaneLimits(**limits), on_commit)
            stack.push_async_callback(lanes.drain)
            return lanes

        yield make


@pytest.fixture
async def lanes(make_lanes):
    return make_lanes()


@pytest.fixture
async def shop(lanes):
    """The business `demo`, with `visit` on `anna`."""
    await open_shop(lanes, a_shop())


async def open_shop(lanes, catalog, business_id="demo"):
    for submission in opening(catalog, business_id):
        await lanes.submit(submission)


async def outcome(lanes, submission):
    """Return the answer, or the refusal."""
    try:
        return json.loads(await lanes.submit(submission))
    except DomainError as refusal:
        return refusal


async def outcomes(lanes, submissions):
    """Submit all at once."""
    return await asyncio.gather(*(outcome(lanes, submission) for submission in submissions))


def answers(results):
    """Return those that are no refusals."""
    return [result for result in results if isinstance(result, dict)]


class Books:
    """What the database says."""

    def __init__(self, owner: Database) -> None:
        self._owner = owner

    async def rows(self, query: str, *values) -> list[tuple]:
        async with self._owner.read_committed.connect() as tx:
            return [tuple(row) for row in await tx.exec_driver_sql(query, values)]

    async def run(self, statement: str, *values) -> None:
        async with self._owner.read_committed.begin() as tx:
            await tx.exec_driver_sql(statement, values)

    async def revision(self, business_id: str = "demo") -> int:
        query = "SELECT revision FROM businesses WHERE business_id = $1"
        return (await self.rows(query, business_id))[0][0]

    async def log(self, business_id: str = "demo") -> list:
        query = "SELECT body FROM changes WHERE business_id = $1 ORDER BY revision"
        return [change_from_json(body) for (body,) in await self.rows(query, business_id)]

    async def counts(self) -> dict[str, int]:
        tables = ("claims", "bookings", "holds", "changes", "requests")
        return {name: (await self.rows(f"SELECT count(*) FROM {name}"))[0][0] for name in tables}

    async def locks(self) -> list[tuple]:
        return await self.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")


@pytest.fixture
def books(owner):
    return Books(owner)
