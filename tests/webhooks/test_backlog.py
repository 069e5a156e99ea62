"""The more waits for a receiver that has no room, the later it comes by again."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from service.domain.delivery import Channel
from service.notify.delivery import Busy
from service.notify.webhooks.backlog import (
    BUSY_SECONDS_MAX,
    COUNTED_SECONDS,
    FAILING_PER_SECOND,
    PER_SECOND,
    Backlog,
)
from service.notify.webhooks.sending import WebhookSender
from tests.notify.engine import a_delivery, add


def calls(webhook_id, count, **changes):
    """Return so many events of a webhook, each in a lane of its own."""
    entry = {"name": f"businesses/demo/waitlistEntries/{uuid4()}"}
    return [
        a_delivery(
            channel=Channel.WEBHOOK,
            lane=f"webhook:{webhook_id}:{uuid4()}",
            target=str(webhook_id),
            kind="waitlist.joined",
            body={"waitlistEntry": entry},
            **changes,
        )
        for _ in range(count)
    ]


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def backlog(desk, clock):
    return Backlog(desk.database, monotonic=lambda: clock[0])


async def test_how_long_it_stays_away_is_in_proportion_to_what_waits(desk, backlog):
    one, other = uuid4(), uuid4()
    await add(desk.database, *calls(one, 300))

    async def seconds(webhook_id, *, is_failing):
        return await backlog.busy_seconds("demo", webhook_id, is_failing=is_failing)

    assert await seconds(one, is_failing=True) == 300 / FAILING_PER_SECOND
    assert await seconds(one, is_failing=False) == 300 / PER_SECOND
    assert await seconds(other, is_failing=True) == 0


async def test_it_is_counted_once_in_a_while_however_many_ask(desk, backlog, clock):
    webhook_id = uuid4()
    await add(desk.database, *calls(webhook_id, 10))

    async def asked():
        return await backlog.busy_seconds("demo", webhook_id, is_failing=True)

    assert set(await asyncio.gather(*[asked() for _ in range(20)])) == {1.0}
    await add(desk.database, *calls(webhook_id, 10))
    assert await asked() == 1.0
    clock[0] = COUNTED_SECONDS

    assert await asked() == 2.0


async def test_it_stays_away_no_longer_than_some_minutes(desk, backlog):
    webhook_id = uuid4()
    beyond = int(BUSY_SECONDS_MAX * FAILING_PER_SECOND) + 1
    await add(desk.database, *calls(webhook_id, beyond))

    seconds = await backlog.busy_seconds("demo", webhook_id, is_failing=True)

    assert seconds == BUSY_SECONDS_MAX


async def test_of_a_thousand_lanes_one_calls_a_dead_receiver_and_the_others_stay_away(
    desk, receiver, books
):
    webhook = await desk.subscribe(receiver.url())
    await books.run("UPDATE webhooks SET failing_since = now()")
    await add(desk.database, *calls(webhook.webhook_id, 1000))
    first, *others = await desk.owed()
    answered = asyncio.Event()

    async def answer(_call):
        await answered.wait()
        return 200

    receiver.answer = answer
    sender = WebhookSender(desk.database, desk.outbound)
    calling = asyncio.create_task(sender.send(first))
    await receiver.until(lambda: len(receiver.calls) == 1)

    for other in others[:20]:
        with pytest.raises(Busy) as busy:
            await sender.send(other)
        assert busy.value.after_seconds == 1000 / FAILING_PER_SECOND

    assert len(receiver.calls) == 1
    answered.set()
    await calling
