"""What a worker process and the one that started it say to each other."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Go:
    """To a worker: begin at this nanosecond of the machine's monotonic clock."""

    start_ns: int


@dataclass(frozen=True, slots=True)
class Finish:
    """To a worker that only looks on: end when you have seen this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: connected, and all is prepared."""


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: so many things done since it last said so."""

    count: int


@dataclass(frozen=True, slots=True)
class Finished:
    """From a worker: what it has seen."""

    result: Any


@dataclass(frozen=True, slots=True)
class Crashed:
    """From a worker: it cannot go on."""

    reason: str


class Gate(Protocol):
    """How a job learns when to begin, and tells how far it is."""

    async def ready(self) -> int:
        """Say that all is prepared; return the nanosecond at which to begin."""

    async def finish(self) -> int:
        """Return the revision that must be seen before the end."""

    def done(self, count: int = 1) -> None:
        """Say that so many more things are done."""


@dataclass(frozen=True, slots=True)
class Line:
    """A pipe for each direction: one that an event loop listens to cannot take long messages."""

    orders: Connection
    reports: Connection

    def close(self) -> None:
        """Close this side."""
        self.orders.close()
        self.reports.close()


@dataclass(slots=True)
class PipeGate:
    """A gate over a line."""

    TOLD_EVERY_SECONDS: ClassVar[float] = 0.2

    line: Line
    _untold: int = 0
    _told_at: float = 0.0
    _orders: asyncio.Queue[Go | Finish | None] = field(default_factory=asyncio.Queue)

    def open(self) -> None:
        """Listen, so that the end of the other side is the end of this one."""
        asyncio.get_running_loop().add_reader(self.line.orders.fileno(), self._listen)

    def close(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self.line.orders.fileno())

    async def ready(self) -> int:
        self.line.reports.send(Ready())
        order = await self._orders.get()
        assert isinstance(order, Go), "A worker is told to begin first."
        if (wait_ns := order.start_ns - time.monotonic_ns()) > 0:
            await asyncio.sleep(wait_ns / 1e9)
        return order.start_ns

    async def finish(self) -> int:
        order = await self._orders.get()
        assert isinstance(order, Finish), "A worker is told to begin once."
        return order.revision

    def done(self, count: int = 1) -> None:
        self._untold += count
        now = time.monotonic()
        if now - self._told_at >= self.TOLD_EVERY_SECONDS:
            self.line.reports.send(Done(self._untold))
            self._untold, self._told_at = 0, now

    def _listen(self) -> None:
        try:
            self._orders.put_nowait(self.line.orders.recv())
        except (EOFError, OSError):
            raise SystemExit(1) from None
