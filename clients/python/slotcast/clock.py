"""Waiting and the time that passes, in one place, so that a test can set them."""

from __future__ import annotations

import asyncio
import random
import sys
import time


class Clock:
    """What a client measures its waits by. It tells spans of time, never the time of day."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; those in which the machine slept count."""
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """Return a block that raises TimeoutError when it lasts longer; None: it never does."""
        return asyncio.timeout(seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def chance(self) -> float:
        """Return a random number in [0, 1), for jitter."""
        return random.random()
