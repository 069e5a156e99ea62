"""Redis as a bad day has it: hints are dropped, doubled, late, and overtake each other.

The publisher and the subscription are the real ones; only what they connect to is not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from service.live.follower import Follower
from service.live.publisher import Publisher
from service.live.subscription import Subscription
from tests.robustness.simulation.loop import VirtualLoop

URL = "redis://simulated"


@dataclass(frozen=True, slots=True)
class Manners:
    """How the bus treats hints."""

    drops: float = 0.0
    doubles: float = 0.0
    delay_seconds_max: float = 0.005


class Confirmation(NamedTuple):
    """A process heard that it is subscribed: what was said before may be lost."""

    process: str
    at: float


class Bus:
    """The server, with a line to each subscriber."""

    def __init__(self, loop: VirtualLoop, chance: Random, manners: Manners) -> None:
        """Begin without subscribers."""
        self.confirmations: list[Confirmation] = []
        self._loop = loop
        self._chance = chance
        self._manners = manners
        self._lines: list[Line] = []
        self._dead_until = 0.0
        self._is_silent = False

    def die(self, seconds: float, *, silently: bool) -> None:
        """Take no hints for a while; silently: without closing any connection."""
        self._dead_until = self._loop.time() + seconds
        self._is_silent = silently
        if not silently:
            for line in self._lines:
                line.cut()

    def connect(self, process: str) -> Line:
        """Open a line."""
        self.check()
        line = Line(self, process, self._loop)
        self._lines.append(line)
        return line

    def disconnect(self, line: Line) -> None:
        """Forget a line."""
        self._lines.remove(line)

    def check(self) -> None:
        """Raise what a connection to a server that is not there raises."""
        if self.is_dead:
            raise RedisConnectionError("it is not there")

    @property
    def is_dead(self) -> bool:
        """Say whether it takes and gives nothing."""
        return self._loop.time() < self._dead_until

    def publish(self, channel: str, data: bytes) -> None:
        """Tell each subscriber: once, or twice, or not at all, each time sooner or later."""
        message = {"type": "message", "channel": channel.encode(), "data": data}
        for line in self._lines:
            if channel not in line.channels or self._chance.random() < self._manners.drops:
                continue
            self.send(line, message)
            if self._chance.random() < self._manners.doubles:
                self.send(line, message)

    def send(self, line: Line, message: dict[str, Any]) -> None:
        """Let something come over a line, unless the server is dead by then."""
        seconds = self._chance.uniform(0.0002, self._manners.delay_seconds_max)
        self._loop.call_later(seconds, line.take, message, context=Context())


class Line:
    """What the subscription has for a connection: as much of a PubSub as it uses."""

    def __init__(self, bus: Bus, process: str, loop: VirtualLoop) -> None:
        """Begin open, with nothing subscribed."""
        self.channels: set[str] = set()
        self._bus = bus
        self._process = process
        self._loop = loop
        self._inbox: deque[dict[str, Any]] = deque()
        self._is_cut = False
        self._waiter: asyncio.Future[None] | None = None

    def cut(self) -> None:
        """Break it."""
        self._is_cut = True
        self._wake()

    def take(self, message: dict[str, Any]) -> None:
        """Something has come."""
        if not self._is_cut and not self._bus.is_dead:
            self._inbox.append(message)
            self._wake()

    async def subscribe(self, *channels: str) -> None:
        """Ask for channels; each is confirmed."""
        self.channels.update(channels)
        for channel in channels:
            self._bus.send(self, {"type": "subscribe", "channel": channel.encode()})

    async def unsubscribe(self, *channels: str) -> None:
        """Ask for channels no longer."""
        self.channels.difference_update(channels)

    async def ping(self) -> None:
        """Ask for a sign of life."""
        self._bus.send(self, {"type": "pong"})

    async def get_message(self, timeout: float) -> dict[str, Any] | None:  # noqa: ASYNC109 (redis-py's)
        """Return what has come, or None when the time is up."""
        if not self._inbox and not self._is_cut:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(timeout, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
        if self._is_cut:
            raise RedisConnectionError("it was closed")
        if not self._inbox:
            return None
        message = self._inbox.popleft()
        if message["type"] == "subscribe":
            self._bus.confirmations.append(Confirmation(self._process, self._loop.time()))
        return message

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class SimulatedSubscription(Subscription):
    """The subscription, on a line of the bus."""

    def __init__(
        self, process: str, bus: Bus, follower: Follower, monotonic: Callable[[], float]
    ) -> None:
        """Take who listens to what."""
        super().__init__(URL, follower, monotonic)
        self._process = process
        self._bus = bus

    async def _listen(self) -> None:
        self._channels, self.confirmed = set(), set()
        line = self._bus.connect(self._process)
        try:
            await self._listen_on(cast(PubSub, line))
        finally:
            self.confirmed = set()
            self.changed.fire()
            self._bus.disconnect(line)


class SimulatedPublisher(Publisher):
    """The publisher, on the bus."""

    def __init__(
        self, bus: Bus, follower: Follower, monotonic: Callable[[], float], loop: VirtualLoop
    ) -> None:
        """Take where hints go."""
        super().__init__(URL, follower, monotonic)
        self._connection = cast("Redis", Pipelines(bus, loop))

    async def _run(self, redis_url: str) -> None:
        while True:
            await self._is_waiting.wait()
            self._is_waiting.clear()
            hints = list(self._waiting)
            self._waiting.clear()
            await self._publish(self._connection, hints)


class Pipelines:
    """As much of a Redis client as the publisher uses: pipelines, one at a time."""

    def __init__(self, bus: Bus, loop: VirtualLoop) -> None:
        """Begin with nothing to say."""
        self._bus = bus
        self._loop = loop
        self._said: list[tuple[str, bytes]] = []

    def pipeline(self, *, transaction: bool) -> Pipelines:
        """Begin one."""
        assert not transaction
        return self

    async def __aenter__(self) -> Pipelines:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._said = []

    def publish(self, channel: str, data: bytes) -> None:
        """Put a message on it."""
        self._said.append((channel, data))

    async def execute(self) -> None:
        """Send all."""
        await asyncio.sleep(0)
        self._bus.check()
        for channel, data in self._said:
            self._bus.publish(channel, data)
