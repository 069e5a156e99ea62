"""The one view of a business, whose window moves on with time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from slotcast.conversations.window import Window
from slotcast.errors import SlotcastError
from slotcast.models import Slot, SlotKey, SlotQuery
from slotcast.streams import Stale
from slotcast.watch import SlotView, Update

if TYPE_CHECKING:
    from slotcast.client import Client
    from slotcast.timeouts import Timeouts


class MovingView:
    """A SlotView that lasts: before its window runs out, another takes over without a gap.

    The next one is whole, and at least as new, before the one before it is left: for that moment
    there are two watches. Where the next does not come, the one before goes on, and it is tried
    again after a pause. An outage of any length heals. What cannot heal, such as KeyInvalid, is
    raised by `take`.
    """

    def __init__(
        self, client: Client, timeouts: Timeouts, query: SlotQuery, ahead: timedelta
    ) -> None:
        """Take what to ask but for the window, and how far ahead to look; open nothing yet."""
        self._client = client.with_timeouts(replace(timeouts, outage_seconds_max=math.inf))
        self._timeouts = timeouts
        self._query = query
        self._ahead = ahead
        # The server's clock corrects this machine's: a window that is off is due at once.
        self.window = Window.around(datetime.now(UTC), ahead)
        self._view = self._view_of(self.window)
        self._moving: asyncio.Task[None] | None = None
        self._failures = 0

    async def __aenter__(self) -> Self:
        await self._view.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._moving is not None:
            self._moving.cancel()
            await asyncio.wait((self._moving,))
        await self._view.__aexit__(kind, error, traceback)

    @property
    def is_stale(self) -> bool:
        """True: which slots are open is not known."""
        as_of = self._view.as_of
        return self._view.is_stale or as_of is None or as_of < self.window.start

    @property
    def revision(self) -> int:
        """The revision that the slots are at."""
        return self._view.revision

    @property
    def as_of(self) -> datetime | None:
        """The last instant, by the server's clock, at which the slots were as told."""
        return self._view.as_of

    def open_at(self, revision: int) -> Mapping[SlotKey, Slot] | None:
        """Return all open slots, at least at a revision; None: they are not known.

        Take what `take` has first, and await nothing while you look at them.
        """
        known = self._view.known_slots()
        return None if self.is_stale or self.revision < revision else known

    def take(self) -> Update | Stale | None:
        """Return what is new, merged; None: nothing. Begin to move on where that is due."""
        as_of = self._view.as_of
        if as_of is not None and self._moving is None and self.window.is_due(as_of):
            self._moving = asyncio.create_task(self._move_on(as_of))
        return self._view.take()

    async def moved(self) -> None:
        """Wait for a frame, or until the view grows stale, fails or is replaced."""
        await self._view.moved()

    async def _move_on(self, now: datetime) -> None:
        try:
            await self._replace(Window.around(now, self._ahead))
            self._failures = 0
        except SlotcastError as error:
            self._failures += 1
            pause = self._timeouts.pause_seconds(self._failures, error.retry_after)
            await self._timeouts.clock.sleep(pause)
        finally:
            self._moving = None

    async def _replace(self, window: Window) -> None:
        following = self._view_of(window, min_revision=self._view.revision)
        await following.__aenter__()
        try:
            while following.is_stale or following.revision < self._view.revision:
                await following.reached(self._view.revision)  # which moves on meanwhile
        except BaseException:
            await following.__aexit__(None, None, None)
            raise
        left, self._view, self.window = self._view, following, window
        await left.__aexit__(None, None, None)

    def _view_of(self, window: Window, *, min_revision: int = 0) -> SlotView:
        query = replace(self._query, start=window.start, end=window.end)
        return self._client.watch(query, min_revision=min_revision)
