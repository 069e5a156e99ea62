"""When the load tester calls."""

import asyncio
from itertools import pairwise

import pytest

from loadtest.arrivals import closed_loop, due_times, open_loop

FAR_OFF = 2**62


def test_due_times_come_at_their_rate_and_end_in_time():
    times = list(due_times(1000, 10, seed=1))

    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 10
    assert 9_500 < len(times) < 10_500


def test_due_times_are_the_same_for_the_same_seed_and_clumped():
    assert list(due_times(10, 5, seed=3)) == list(due_times(10, 5, seed=3))
    gaps = [later - earlier for earlier, later in pairwise(due_times(100, 50, seed=3))]
    assert min(gaps) < 0.001
    assert max(gaps) > 0.03


async def test_a_closed_loop_asks_for_every_slot_once():
    asked = []

    async def work(index, due_ns):
        asked.append(index)
        await asyncio.sleep(0)

    await closed_loop(range(10), work, callers=3, until_ns=FAR_OFF)

    assert sorted(asked) == list(range(10))


async def test_a_closed_loop_never_has_more_in_flight_than_callers():
    in_flight, most = 0, 0

    async def work(index, due_ns):
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0)
        in_flight -= 1

    await closed_loop(range(20), work, callers=4, until_ns=FAR_OFF)

    assert most == 4


async def test_a_closed_loop_ends_when_its_time_is_up():
    now = 0
    asked = []

    async def work(index, due_ns):
        nonlocal now
        asked.append(index)
        now += 10

    await closed_loop(range(1000), work, callers=1, until_ns=45, clock=lambda: now)

    assert asked == [0, 1, 2, 3, 4]


async def test_an_open_loop_does_not_wait_for_answers():
    started = []
    answer = asyncio.Event()

    async def work(index, due_ns):
        started.append(due_ns)
        if len(started) == 3:
            answer.set()
        await answer.wait()

    not_sent = await open_loop(
        range(10),
        work,
        due=[0.001, 0.002, 0.003],
        in_flight_max=10,
        start_ns=0,
        clock=lambda: FAR_OFF,
    )

    assert not_sent == 0
    assert started == [1_000_000, 2_000_000, 3_000_000]


async def test_an_open_loop_counts_what_it_cannot_send_in_time():
    async def work(index, due_ns):
        await asyncio.sleep(0)

    not_sent = await open_loop(
        range(10), work, due=[0.0] * 5, in_flight_max=2, start_ns=0, clock=lambda: FAR_OFF
    )

    assert not_sent == 3


async def test_an_open_loop_waits_until_a_call_is_due():
    now = 0
    started = []

    async def work(index, due_ns):
        started.append(index)

    def clock():
        nonlocal now
        now += 1_000_000
        return now

    await open_loop(range(3), work, due=[0.002, 0.004], in_flight_max=9, start_ns=0, clock=clock)

    assert started == [0, 1]


async def test_what_a_caller_stumbles_over_ends_the_run():
    async def work(index, due_ns):
        raise ValueError("broken")

    with pytest.raises(ExceptionGroup):
        await closed_loop(range(3), work, callers=2, until_ns=FAR_OFF)
