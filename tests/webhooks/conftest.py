"""A business whose changes are told, a receiver of them, and the desk that carries them out."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from service.actions.lanes import LaneLimits, Lanes
from service.domain.delivery import Channel
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.jobs import RunnerLimits
from service.notify.notifier import Notifier, NotifierLimits
from service.notify.webhooks.planning import WebhooksConsumer
from service.notify.webhooks.sending import WebhookSender
from service.ops.outbound import Outbound
from service.store.database import Database
from tests.actions.conftest import Books, open_shop
from tests.actions.submissions import a_shop
from tests.builders import a_type
from tests.webhooks.desk import Desk
from tests.webhooks.receiver import receiving

TYPES = (
    a_type(any_of=("anna", "bert"), all_of=()),
    a_type("talk", any_of=("anna",), all_of=(), requires_approval=True),
)


@pytest.fixture
def books(owner):
    return Books(owner)


@pytest.fixture
async def lanes(database_url):
    database = Database(database_url, pool_size=4)
    lanes = Lanes(database, LaneLimits(), lambda *_: None)
    yield lanes
    await lanes.drain()
    await database.close()


@pytest.fixture
async def shop(lanes):
    """The business `demo`, with `visit` on `anna` or `bert`, and `talk`, which needs approval."""
    await open_shop(lanes, a_shop(*TYPES, calendar_ids=("anna", "bert")))


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def outbound():
    """Calls to this machine too."""
    async with Outbound(allow_private=True, connections_per_host_max=32) as outbound:
        yield outbound


@pytest.fixture
async def desk(shop, database, lanes, books, outbound):
    return Desk(database=database, lanes=lanes, books=books, outbound=outbound)


@pytest.fixture
async def start_notifier(database_url, outbound):
    """Start a notifier that sends webhooks, with a pool of its own."""
    async with AsyncExitStack() as stack:

        async def start(**options):
            database = Database(database_url, pool_size=6)
            stack.push_async_callback(database.close)
            notifier = Notifier(
                database,
                Consumers(database, [WebhooksConsumer()], ConsumerLimits(poll_seconds=0.05)),
                Deliverer(
                    database, {Channel.WEBHOOK: WebhookSender(database, outbound, **options)}
                ),
                NotifierLimits(runner=RunnerLimits(look_seconds=0.3)),
            )
            await notifier.start()
            stack.push_async_callback(notifier.stop, 0.1)

        yield start
