"""A notifier that dies at the worst moment: nothing is lost, and at most one more is sent."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from service.domain.delivery import DeliveryState
from tests.notify.engine import stored
from tests.notify.test_engine_consumers import log

BOOKINGS = 8


@asynccontextmanager
async def notifying(database_url, path, *arguments):
    """Run a notifier in a process of its own, and end it as its supervisor does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.notify.engine_process",
        database_url,
        str(path),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def until_all_are_sent(database):
    async with asyncio.timeout(60):
        while True:
            found = await stored(database)
            if len(found) == BOOKINGS and {each.state for each in found} == {DeliveryState.SENT}:
                return found
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("failpoint", "once_more"), [("AFTER_PLAN", 0), ("AFTER_LEASE", 0), ("BEFORE_RECORD", 1)]
)
async def test_a_crash_loses_nothing_and_sends_at_most_once_more_under_the_same_id(
    database, database_url, shop, tmp_path, failpoint, once_more
):
    path = tmp_path / "sent"
    await log(database, 1, BOOKINGS)

    async with notifying(database_url, path, "--failpoint", failpoint) as crashing:
        assert await asyncio.wait_for(crashing.wait(), 60) == -signal.SIGKILL
    async with notifying(database_url, path):
        found = await until_all_are_sent(database)

    sent = Counter(path.read_text().split("\n")[:-1])
    assert set(sent) == {f"{each.revision} {each.delivery_id}" for each in found}
    assert sum(sent.values()) == BOOKINGS + once_more
    assert max(sent.values()) == 1 + once_more
