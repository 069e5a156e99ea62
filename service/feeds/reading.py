"""Reading files beside the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime

from service.domain.busy_time import import_window
from service.domain.errors import BadFeed, Overloaded
from service.domain.interval import Interval
from service.feeds import ics
from service.ops.tasks import shared

INTERVALS_MAX = 20_000
PARSES_MAX = 2
WAITING_MAX = 16
"""How many files are read or wait for it, each in memory; beyond it, Overloaded."""


class FeedReader:
    """Reads files in threads."""

    def __init__(self) -> None:
        """Begin with nothing to read."""
        self._parses = asyncio.Semaphore(PARSES_MAX)
        self._waiting = 0

    async def read(
        self, data: bytes, zone: str, now: datetime, *, field: str = "ics"
    ) -> tuple[Interval, ...]:
        """Return the busy time in a file; Overloaded where too many wait.

        Where it cannot be read, BadFeed names the field of the request that it came by.

        A thread cannot be stopped: a file whose caller has left counts until it is read.
        """
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            await self._parses.acquire()
        except asyncio.CancelledError:
            self._waiting -= 1
            raise
        return await shared(self._parse(data, zone, now, field))

    def _parse(
        self, data: bytes, zone: str, now: datetime, field: str
    ) -> asyncio.Future[tuple[Interval, ...]]:
        loop = asyncio.get_running_loop()
        parsing = loop.run_in_executor(None, _busy, data, zone, now, field)
        parsing.add_done_callback(self._end)
        return parsing

    def _end(self, _: asyncio.Future[tuple[Interval, ...]]) -> None:
        self._waiting -= 1
        self._parses.release()


def _busy(data: bytes, zone: str, now: datetime, field: str) -> tuple[Interval, ...]:
    window = import_window(now)
    try:
        found = ics.busy_times(data, zone=zone, window_start=window.start, window_end=window.end)
    except ics.BadFeed as error:
        line = {} if error.line is None else {"line": str(error.line)}
        raise BadFeed(field, f"The file cannot be read: {error}", **line) from error
    if len(found) > INTERVALS_MAX:
        raise BadFeed(field, f"It has more than {INTERVALS_MAX:,} intervals of busy time.")
    return tuple(Interval(each.start, each.end) for each in found)
