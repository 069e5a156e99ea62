"""A business on a database of the test's own, and what brings its deliveries out."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from service.domain.delivery import Channel
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.jobs import RunnerLimits
from service.notify.notifier import Notifier, NotifierLimits
from service.store.database import Database
from tests.notify.engine import Planner
from tests.store.rows import make_business

QUICK = NotifierLimits(
    sweep_seconds=0.2,
    overdue_seconds=0.2,
    restart_seconds_first=0.05,
    runner=RunnerLimits(heartbeat_seconds_max=4.0, look_seconds=0.3, restart_seconds_first=0.05),
)


@pytest.fixture
async def shop(database):
    """The business `demo`, at revision 0."""
    await make_business(database)


@pytest.fixture
async def start_notifier(database_url):
    """Start one more notifier, with a pool of its own; all end after the test."""
    async with AsyncExitStack() as stack:

        async def start(post, planner=None, *, limits=QUICK, **changes):
            database = Database(database_url, pool_size=4)
            stack.push_async_callback(database.close)
            members = [planner or Planner()]
            senders = {Channel.LETTER: post, **changes.pop("senders", {})}
            notifier = Notifier(
                database,
                Consumers(database, members, ConsumerLimits(poll_seconds=0.05)),
                Deliverer(database, senders),
                replace(
                    limits, **{key: changes.pop(key) for key in list(changes) if key != "loops"}
                ),
                **changes,
            )
            await notifier.start()
            stack.push_async_callback(notifier.stop, 5.0)
            return notifier

        yield start
