"""One process of the service, as the wiring builds it, on the simulated store and bus."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.change import Change
from service.live.availability import Availability
from service.live.board import Board
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.follower import Follower
from service.live.following import Surroundings
from service.live.frames import Frame
from service.live.grounds import Grounds
from service.live.limits import LiveLimits
from service.live.tokens import Tokens
from service.live.watchers import Watchers
from tests.robustness.simulation.bus import Bus, SimulatedPublisher, SimulatedSubscription
from tests.robustness.simulation.loop import VirtualLoop, at_home
from tests.robustness.simulation.shop import BUSINESS
from tests.robustness.simulation.store import SimulatedSource, Store

SECRET = b"s" * 32
DRAIN_SECONDS_MAX = 3.0
_MADE_AT = struct.Struct("d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a process runs on: its clock, and how long it takes to look at it."""

    started_at: float
    drift: float
    look_seconds: float
    renewal_max: int


class Process:
    """What answers watches and lists, from its start to its end."""

    def __init__(
        self, name: str, machine: Machine, loop: VirtualLoop, store: Store, bus: Bus
    ) -> None:
        """Build it."""
        self.name = name
        self._machine = machine
        self._loop = loop
        # In order, so that they end in the same order each time.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self.is_up = False
        self.limits = LiveLimits(stream_age_seconds_max=9.0)
        source = SimulatedSource(name, store, loop, renewal_max=machine.renewal_max)
        monotonic, limits = self.monotonic, self.limits
        clock, days, tokens = DatabaseClock(monotonic), DayCache(), Tokens(SECRET)
        self.board = Board(
            clock=clock,
            days=days,
            tokens=tokens,
            encode=self._encode,
            monotonic=monotonic,
            limits=limits,
        )
        around = Surroundings(source=source, clock=clock, days=days, board=self.board)
        self.follower = Follower(around, monotonic=monotonic, limits=limits)
        self._publisher = SimulatedPublisher(bus, self.follower, monotonic, loop)
        self._subscription = SimulatedSubscription(name, bus, self.follower, monotonic)
        grounds = Grounds(
            follower=self.follower,
            source=source,
            days=days,
            clock=clock,
            monotonic=monotonic,
            limits=limits,
        )
        self.availability = Availability(grounds=grounds, clock=clock, monotonic=monotonic)
        self.watchers = Watchers(
            follower=self.follower,
            board=self.board,
            tokens=tokens,
            monotonic=monotonic,
            limits=limits,
        )

    def monotonic(self) -> float:
        """Return the time by this machine's clock."""
        if self._machine.look_seconds:
            self._loop.spend(self._machine.look_seconds)
        return self._machine.started_at + self._loop.time() * (1 + self._machine.drift)

    def _encode(self, frame: Frame) -> bytes:
        return _MADE_AT.pack(self._loop.time())

    def committed(self, epoch: str, changes: Sequence[Change]) -> None:
        """Tell what this process has committed."""
        before = changes[0].revision - 1
        self._publisher.committed(BUSINESS, epoch, changes, before)

    def do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let it do something, for as long as it is up."""
        task = self._loop.create_task(work, context=at_home(self.name))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    async def start(self) -> None:
        """Come up."""
        self.is_up = True
        await self.follower.start()
        await self._publisher.start()
        await self._subscription.start()

    async def stop(self, *, drains: bool) -> None:
        """Go down: with a goodbye to each stream, or at once."""
        self.is_up = False
        if drains:
            try:
                async with asyncio.timeout(DRAIN_SECONDS_MAX):
                    await self.watchers.drain()
            except TimeoutError:
                pass
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._subscription.stop()
        await self._publisher.stop()
        await self.follower.stop()


def made_at(body: bytes) -> float:
    """Return when a frame was made, by the loop."""
    (seconds,) = _MADE_AT.unpack(body)
    return float(seconds)
