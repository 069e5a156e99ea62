"""How many calls of one webhook are in flight: a slow receiver holds up itself, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from service.notify.delivery import Busy

CALLS_MAX = 4
WAITING_MAX = 24
WAIT_SECONDS_MAX = 1.0
"""Who finds no place in that time comes by again later; who cannot hope to, at once."""
CALL_SECONDS_GUESSED = 0.25


@dataclass(slots=True)
class _Receiver:
    """A webhook that is being called: when its calls began, and how long the last one took."""

    begun: list[float] = field(default_factory=list)
    waiting: int = 0
    call_seconds: float = CALL_SECONDS_GUESSED

    def waiting_max(self, now: float) -> int:
        """Return how many will have had their turn by the time that one waits at most."""
        slowest = max(self.call_seconds, now - min(self.begun, default=now), 0.001)
        return min(int(CALLS_MAX * WAIT_SECONDS_MAX / slowest), WAITING_MAX)


class InFlight:
    """Counts the calls of each webhook in this process. One that fails has a single place."""

    def __init__(self) -> None:
        """Begin with none."""
        self._receivers: dict[UUID, _Receiver] = {}
        self._ended = asyncio.Condition()

    @asynccontextmanager
    async def place(self, webhook_id: UUID, *, is_failing: bool) -> AsyncIterator[None]:
        """Take a place for the time of the block, or raise Busy."""
        receiver = self._receivers.setdefault(webhook_id, _Receiver())
        try:
            await self._enter(receiver, 1 if is_failing else CALLS_MAX)
            begun = asyncio.get_running_loop().time()
            receiver.begun.append(begun)
            try:
                yield
            finally:
                receiver.begun.remove(begun)
                receiver.call_seconds = asyncio.get_running_loop().time() - begun
                async with self._ended:
                    self._ended.notify_all()
        finally:
            if not receiver.begun and not receiver.waiting:
                self._receivers.pop(webhook_id, None)

    async def _enter(self, receiver: _Receiver, calls_max: int) -> None:
        if len(receiver.begun) < calls_max:
            return
        now = asyncio.get_running_loop().time()
        if calls_max == 1 or receiver.waiting >= receiver.waiting_max(now):
            raise Busy
        receiver.waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX), self._ended:
                await self._ended.wait_for(lambda: len(receiver.begun) < calls_max)
        except TimeoutError:
            raise Busy from None
        finally:
            receiver.waiting -= 1
