"""An event loop in which time passes only when nothing else is left to do.

It has no sockets, no threads and no clock of the machine, so a run depends on its seed alone. All
simulated processes share it; each callback belongs to the home that its context names, and a home
can be paused: like a process that gets no CPU while the rest of the world goes on.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, Self, TypeVarTuple

Args = TypeVarTuple("Args")
WORLD = "world"
HOME: ContextVar[str] = ContextVar("home", default=WORLD)


class Stuck(Exception):
    """Everyone waits, and nothing will ever happen."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, in order; then goes to the next timer at once."""

    def __init__(self) -> None:
        """Begin at 0 seconds."""
        self._now = 0.0
        # What is ready, and what will be, each with the home that it belongs to.
        self._ready: deque[tuple[str, asyncio.Handle]] = deque()
        self._timers: list[tuple[float, int, str, asyncio.TimerHandle]] = []
        self._order = count()
        # What paused homes will do when they go on.
        self._parked: dict[str, list[tuple[str, asyncio.Handle]]] = {}
        self._paused_until: dict[str, float] = {}
        self.crashes: list[str] = []

    @classmethod
    def begun(cls) -> Self:
        """Return one; of what asyncio asks of a loop it has only what is called here."""
        return cls()

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._now

    def spend(self, seconds: float) -> None:
        """Let what runs now take a while."""
        self._now += seconds

    async def elapse(self, seconds: float) -> None:
        """Wait until so much virtual time has passed."""
        woken = self.create_future()
        timer = self.call_later(seconds, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

    def pause(self, home: str, seconds: float) -> None:
        """Let a home do nothing for a while; what becomes due meanwhile is done late."""
        self._parked.setdefault(home, [])
        self._paused_until[home] = max(self._paused_until.get(home, 0.0), self._now + seconds)
        self.call_later(seconds, self._go_on, home, context=Context())

    def _go_on(self, home: str) -> None:
        # It may have been paused again meanwhile.
        if self._now >= self._paused_until[home]:
            self._ready.extend(self._parked.pop(home, []))

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run until this is done."""
        events._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                self._run_once()
            task.result()
        finally:
            events._set_running_loop(None)

    def _run_once(self) -> None:
        if not self._ready:
            if not self._timers:
                raise Stuck
            self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2:])
        for _ in range(len(self._ready)):
            home, handle = self._ready.popleft()
            if handle.cancelled():
                continue
            if home in self._parked:
                self._parked[home].append((home, handle))
            else:
                handle._run()

    # What asyncio asks of a loop.

    def call_soon(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append((_home_of(context), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._order), _home_of(context), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.crashes.append(f"{context.get('message')}: {context.get('exception')!r}")

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is: it is passed over when its time comes."""


def _home_of(context: Context | None) -> str:
    return HOME.get() if context is None else context.get(HOME, WORLD)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def at_home(home: str) -> Context:
    """Return a context whose callbacks and tasks belong to a home."""
    context = copy_context()
    context.run(HOME.set, home)
    return context
