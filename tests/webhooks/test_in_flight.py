"""A slow receiver holds up itself: so many of its calls are in flight or wait, and no more."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from service.notify.delivery import Busy
from service.notify.webhooks.in_flight import CALLS_MAX, WAITING_MAX, InFlight

SLOW, QUICK = uuid4(), uuid4()


@pytest.fixture
async def places():
    """Enter places that are kept until the test ends."""
    async with AsyncExitStack() as stack:
        in_flight = InFlight()

        async def take(webhook_id, *, is_failing=False):
            place = in_flight.place(webhook_id, is_failing=is_failing)
            return await stack.enter_async_context(place)

        yield in_flight, take


async def test_one_that_fails_has_a_single_place(places):
    _, take = places
    await take(SLOW, is_failing=True)

    with pytest.raises(Busy):
        await take(SLOW, is_failing=True)
    await take(QUICK)


async def test_who_finds_no_place_waits_for_one(places):
    in_flight, take = places
    ending = in_flight.place(SLOW, is_failing=False)
    await ending.__aenter__()
    for _ in range(CALLS_MAX - 1):
        await take(SLOW)
    waiting = asyncio.create_task(take(SLOW))
    await asyncio.sleep(0)
    assert not waiting.done()

    await ending.__aexit__(None, None, None)

    await waiting


async def test_who_cannot_hope_for_a_place_does_not_wait(places):
    _, take = places
    for _ in range(CALLS_MAX):
        await take(SLOW)
    waiting = [asyncio.create_task(take(SLOW)) for _ in range(WAITING_MAX + 1)]

    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    assert all(isinstance(each.exception(), Busy) for each in done)
    await take(QUICK)
    for each in waiting:
        with pytest.raises(Busy):
            await each


async def test_a_place_is_free_again_when_a_call_fails(places):
    in_flight, take = places
    with pytest.raises(ZeroDivisionError):
        async with in_flight.place(SLOW, is_failing=True):
            raise ZeroDivisionError

    await take(SLOW, is_failing=True)
