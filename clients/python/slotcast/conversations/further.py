"""The watches of further durations, as long as slots of them are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from slotcast.clock import Clock
from slotcast.conversations.watched import Watched
from slotcast.errors import SlotcastError

LINGER_SECONDS = 60.0
"""So long a watch is kept after its last use: the next person asks for as long a slot."""
RETRY_SECONDS = 30.0
"""So long a watch that was refused is not tried again."""


@dataclass(slots=True)
class _Further:
    watched: Watched
    following: asyncio.Task[None]
    used_at: float
    is_shown: bool = False


class FurtherWatches:
    """At most so many watches of one duration each, shared by all conversations.

    One begins when a slot of its duration is shown or asked for. Where there are too many, the one
    that nobody shows and that was used longest ago makes room; where each is shown, there is none.
    """

    def __init__(
        self,
        clock: Clock,
        watches_max: int,
        begin: Callable[[timedelta], Watched],
        take: Callable[[Watched], None],
        lost: Callable[[timedelta], None],
    ) -> None:
        """Take how to begin one, where its news goes, and who is told that it is over."""
        self._clock = clock
        self._watches_max = watches_max
        self._begin = begin
        self._take = take
        self._lost = lost
        self._by_duration: dict[timedelta, _Further] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Watched]:
        return (further.watched for further in list(self._by_duration.values()))

    def __len__(self) -> int:
        return len(self._by_duration)

    def get(self, duration: timedelta) -> Watched | None:
        """Return the watch of a duration; None: there is none."""
        found = self._by_duration.get(duration)
        return found.watched if found else None

    def use(self, duration: timedelta) -> Watched | None:
        """Return the watch of a duration, begun if need be; None: there is no room for it."""
        found = self._by_duration.get(duration)
        if found is None:
            if not self._has_room():
                return None
            watched = self._begin(duration)
            following = asyncio.create_task(self._follow(duration, watched))
            found = self._by_duration[duration] = _Further(watched, following, 0)
        found.used_at = self._clock.monotonic()
        return found.watched

    def keep(self, shown: set[timedelta]) -> None:
        """Watch what is shown, as far as there is room, and end what is of no use any more."""
        unused_since = self._clock.monotonic() - LINGER_SECONDS
        for duration, further in list(self._by_duration.items()):
            further.is_shown = duration in shown
            if not further.is_shown and further.used_at <= unused_since:
                self._end(duration)
        for duration in sorted(shown):
            if self.use(duration) is not None:
                self._by_duration[duration].is_shown = True

    async def close(self) -> None:
        """End all, and wait until they are left."""
        for duration in list(self._by_duration):
            self._end(duration)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _has_room(self) -> bool:
        if len(self._by_duration) < self._watches_max:
            return True
        unused = [(each.used_at, d) for d, each in self._by_duration.items() if not each.is_shown]
        if unused:
            self._end(min(unused)[1])
        return bool(unused)

    def _end(self, duration: timedelta) -> None:
        following = self._by_duration.pop(duration).following
        self._leaving.add(following)
        following.add_done_callback(self._leaving.discard)
        following.cancel()

    async def _follow(self, duration: timedelta, watched: Watched) -> None:
        try:
            async with watched:
                while True:
                    self._take(watched)
                    await watched.view.moved()
        except SlotcastError:
            # It is not known what is open of this duration. Perhaps it is later: a key that is
            # refused for good ends the watch of the first durations too, which tells everybody.
            self._lost(duration)
            await self._clock.sleep(RETRY_SECONDS)
            self._by_duration.pop(duration, None)
