"""Workers that watch one calendar, and what their frames say about a writer's bookings."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc

from loadtest.answers import refusal_of_call
from loadtest.callers import Desk
from loadtest.cpu import cpu_seconds
from loadtest.gate import Gate
from loadtest.grid import DAY_SECONDS, Grid
from loadtest.recording import Breaches, Recording
from loadtest.target import CALL_SECONDS_MAX, open_channel
from loadtest.view import View
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub

CATCH_UP_SECONDS_MAX = 10.0
"""So long after the last booking a watcher may take to see it: two heartbeats."""


def watch_request(grid: Grid, first_day: int, days: int) -> WatchAvailabilityRequest:
    """Return what all watchers ask: some days of the grid's first calendar."""
    request = WatchAvailabilityRequest(
        parent=grid.parent,
        appointment_types=[grid.type_name],
        calendars=[grid.calendar_name(grid.calendars[0])],
    )
    request.start_time.seconds = grid.first_start + first_day * DAY_SECONDS
    request.end_time.seconds = request.start_time.seconds + days * DAY_SECONDS
    return request


class Sighting(NamedTuple):
    """What one watcher has seen."""

    revisions: array[int]
    received_ns: array[int]
    closed_in: dict[int, int]
    open_starts: frozenset[int]


@dataclass(slots=True)
class Sightings:
    """What the watchers of one worker have seen."""

    watchers: list[Sighting] = field(default_factory=list)
    breaches: Breaches = field(default_factory=Breaches)
    failures: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchJob:
    """Hold many watches of the same days."""

    desk: Desk
    watchers: int
    first_day: int
    days: int

    async def run(self, gate: Gate) -> Sightings:
        async with AsyncExitStack() as stack:
            channels = [open_channel(self.desk.target) for _ in range(self.desk.channels)]
            for channel in channels:
                await stack.enter_async_context(channel)
            watches = [
                _Watch(self, channels[number % len(channels)], number)
                for number in range(self.watchers)
            ]
            tasks = [asyncio.create_task(watch.follow()) for watch in watches]
            try:
                return await self._look_on(gate, watches)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_on(self, gate: Gate, watches: Sequence[_Watch]) -> Sightings:
        seen = Sightings()
        async with asyncio.timeout(CALL_SECONDS_MAX):
            await asyncio.gather(*(watch.begun.wait() for watch in watches))
        await gate.ready()
        spent = cpu_seconds()
        revision = await gate.finish()
        await _wait_for(revision, watches)
        seen.cpu_seconds = cpu_seconds() - spent
        for watch in watches:
            view = watch.view
            if view.revision < revision:
                view.breaches.add(f"a watch stayed behind: at {view.revision}, not at {revision}")
            seen.breaches.join(view.breaches)
            if watch.failure:
                seen.failures[watch.failure] += 1
            sighting = Sighting(
                view.revisions, view.received_ns, view.closed_in, frozenset(view.open_seats)
            )
            seen.watchers.append(sighting)
        return seen


class _Watch:
    """One stream, and the view that it feeds."""

    def __init__(self, job: WatchJob, channel: grpc.aio.Channel, number: int) -> None:
        self.view = View(job.desk.grid)
        self.begun = asyncio.Event()
        self.moved = asyncio.Event()
        self.failure = ""
        self._call = AvailabilityServiceStub(channel).WatchAvailability(
            watch_request(job.desk.grid, job.first_day, job.days),
            metadata=job.desk.client(number),
        )

    async def follow(self) -> None:
        """Take frames until the stream ends."""
        try:
            async for frame in self._call:
                self.view.take(frame, time.monotonic_ns())
                self.moved.set()
                if self.view.is_whole:
                    self.begun.set()
        except grpc.aio.AioRpcError as failure:
            self.failure = refusal_of_call(failure).reason
        finally:
            self.failure = self.failure or "the server ended a watch"
            self.view.is_over = True
            self.begun.set()
            self.moved.set()

    async def reach(self, revision: int) -> None:
        """Wait until the view is as new as that, or over."""
        while self.view.revision < revision and not self.view.is_over:
            self.moved.clear()
            await self.moved.wait()


async def _wait_for(revision: int, watches: Sequence[_Watch]) -> None:
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS_MAX):
            await asyncio.gather(*(watch.reach(revision) for watch in watches))
    except TimeoutError:
        return


class Shown(NamedTuple):
    """When one booking was answered, and how many nanoseconds it then took to one watcher."""

    answered_ns: int
    after_answer: int
    after_send: int


def judge(
    sighting: Sighting, bookings: Recording, grid: Grid, breaches: Breaches
) -> Iterator[Shown]:
    """Yield when a watcher saw each booking; find frames that are missing, late, or ahead (W1).

    A booking of revision R must be in the first frame whose revision is at least R: not in a later
    one, for that frame would not have been the truth, and not in an earlier one.
    """
    frame = 0
    last = len(sighting.revisions)
    columns = zip(
        bookings.revision, bookings.index, bookings.sent_ns, bookings.answered_ns, strict=True
    )
    for revision, index, sent_ns, answered_ns in sorted(columns):
        while frame < last and sighting.revisions[frame] < revision:
            frame += 1
        closed_in = sighting.closed_in.get(grid.place(index).start)
        if closed_in is None:
            breaches.add("a booked slot was never shown as closed")
            continue
        if closed_in > frame:
            breaches.add("a frame said it had a revision whose booking it did not show")
        elif closed_in < frame:
            breaches.add("a slot was shown as closed before the revision that closed it")
        received_ns = sighting.received_ns[closed_in]
        yield Shown(answered_ns, received_ns - answered_ns, received_ns - sent_ns)
