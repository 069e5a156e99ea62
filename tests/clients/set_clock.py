"""A clock that stands still until it is told to go on."""

import asyncio
import contextlib

from slotcast import Clock


class SetClock(Clock):
    """Sleeping takes no time but moves it; timeouts end when it is moved past their ends."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []
        self._ends = []

    def monotonic(self):
        return self.now

    def chance(self):
        return 0.0

    def timeout(self, seconds):
        if seconds is not None and seconds <= 0:
            return asyncio.timeout(0)
        block = asyncio.timeout(None)
        if seconds is not None:
            self._ends.append((self.now + seconds, block))
        return block

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def jump(self, seconds):
        """Move the clock as for a program that was stopped: no timeout has noticed yet."""
        self.now += seconds

    def advance(self, seconds):
        self.now += seconds
        due = [block for ends_at, block in self._ends if ends_at <= self.now]
        self._ends = [(ends_at, block) for ends_at, block in self._ends if ends_at > self.now]
        for block in due:
            with contextlib.suppress(RuntimeError):  # the block was left before
                block.reschedule(asyncio.get_running_loop().time())
