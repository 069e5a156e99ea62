"""The subscription: what holds of the connection that hears hints."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from service.live.subscription import Subscription
from service.ops.tasks import cancelled


@pytest.mark.parametrize("turns", range(60))
async def test_it_ends_at_whatever_turn_of_the_loop_it_is_stopped(redis_url, turns):
    follower = SimpleNamespace(business_ids={"salon"}, verify_soon=lambda: None)
    subscription = Subscription(redis_url, follower, time.monotonic)
    await subscription.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(subscription.stop(), 10)


async def test_a_task_ends_even_if_a_library_drops_a_cancellation():
    is_begun = asyncio.Event()

    async def deaf_once():
        is_begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    task = asyncio.create_task(deaf_once())
    await is_begun.wait()
    await asyncio.wait_for(cancelled(task), 10)
    assert task.cancelled()
