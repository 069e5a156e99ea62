"""Waking all that wait for something to happen."""

from __future__ import annotations

import asyncio


class Signal:
    """Wakes its waiters. Who looks, and then waits without another await between, misses none."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiters: dict[asyncio.Future[None], None] = {}

    def fire(self) -> None:
        """Wake all that wait now."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next time that it fires."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)
