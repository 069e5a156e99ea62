"""The subscription: what holds of the connection that hears hints."""

import asyncio
import time

import pytest

from service.live.follower import Follower
from service.live.subscription import Subscription
from service.ops.tasks import cancelled


class OfOneBusiness(Follower):
    """Follows one business, and looks nowhere."""

    def __init__(self):
        pass

    @property
    def business_ids(self):
        return {"salon"}

    def verify_soon(self):
        pass


@pytest.mark.parametrize("turns", range(60))
async def test_it_ends_at_whatever_turn_of_the_loop_it_is_stopped(redis_url, turns):
    subscription = Subscription(redis_url, OfOneBusiness(), time.monotonic)
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
