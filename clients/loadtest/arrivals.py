"""When calls are made: in a closed loop, or at times that no answer can put off."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

Work = Callable[[int, int], Awaitable[None]]
"""Asks for one slot; it was due at that nanosecond of the monotonic clock."""

MonotonicNs = Callable[[], int]


def due_times(rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the seconds, from 0, at which calls of a Poisson process are due."""
    source = random.Random(seed)
    at = source.expovariate(rate)
    while at < seconds:
        yield at
        at += source.expovariate(rate)


async def closed_loop(
    indexes: Iterable[int],
    work: Work,
    *,
    callers: int,
    until_ns: int,
    clock: MonotonicNs = time.monotonic_ns,
) -> None:
    """Let each caller ask again as soon as it was answered, until the time or the slots are up."""
    left = iter(indexes)

    async def call() -> None:
        for index in left:
            await work(index, clock())
            if clock() >= until_ns:
                break

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())


async def open_loop(
    indexes: Iterable[int],
    work: Work,
    *,
    due: Iterable[float],
    in_flight_max: int,
    start_ns: int,
    clock: MonotonicNs = time.monotonic_ns,
) -> int:
    """Ask when it is due, whether or not others were answered.

    A call that is due while so many are in flight is not made; how many those were is returned, for
    with them the measured times are too good.
    """
    in_flight: set[asyncio.Task[None]] = set()
    not_sent = 0
    async with asyncio.TaskGroup() as group:
        for index, offset in zip(indexes, due, strict=False):
            due_ns = start_ns + round(offset * 1e9)
            if (wait_ns := due_ns - clock()) > 0:
                await asyncio.sleep(wait_ns / 1e9)
            if len(in_flight) >= in_flight_max:
                not_sent += 1
                continue
            task = group.create_task(_run(work, index, due_ns))
            in_flight.add(task)
            task.add_done_callback(in_flight.discard)
    return not_sent


async def _run(work: Work, index: int, due_ns: int) -> None:
    await work(index, due_ns)
