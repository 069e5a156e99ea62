"""What is open now, who has shown it, and whom to tell."""

from __future__ import annotations

import copy
import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import Protocol

from slotcast.clock import Clock
from slotcast.conversations.days import SlotDays
from slotcast.conversations.moving_view import MovingView
from slotcast.errors import SlotcastError, ViewStale
from slotcast.models import Slot, SlotKey
from slotcast.streams import Stale
from slotcast.watch import Update


class Listener(Protocol):
    """Who may want to look again."""

    def wake(self) -> None:
        """Look again: something may have changed for you."""

    def begin_anew(self) -> None:
        """Forget revisions and holds: the business was restored or made anew."""


class Hub:
    """Keeps the view up to date, and wakes those for whom a change may be news.

    Nothing is queued for anyone: who is woken compares what it told with what is so now.
    """

    def __init__(self, view: MovingView, clock: Clock) -> None:
        """Take the view; follow nothing yet."""
        self.view = view
        self.clock = clock
        self.stale = Stale(as_of=None, cause=None)
        self._days = SlotDays()
        self._revision = 0
        self._error: SlotcastError | None = None
        self._listeners: set[Listener] = set()
        self._showing: dict[SlotKey, set[Listener]] = {}
        self._behind: set[Listener] = set()
        self._lapses: list[tuple[datetime, int, Listener]] = []
        self._numbers = count()

    @property
    def shown_count(self) -> int:
        """How many different slots are shown to anyone."""
        return len(self._showing)

    # The view.

    def end(self, error: SlotcastError) -> None:
        """Tell everybody that there is no more to come, and why."""
        self._error = error
        self._wake(self._listeners)

    def catch_up(self) -> None:
        """Take in all that the view has read. Raises why there is no more."""
        if self._error is not None:
            raise copy.copy(self._error)
        while (news := self.view.take()) is not None:
            if isinstance(news, Stale):
                self.stale = news
                self._wake(self._listeners)
            else:
                self._update(news)
        if self.view.revision < self._revision:
            for listener in self._listeners:
                listener.begin_anew()
        self._revision = self.view.revision
        self._wake_by_time()

    async def reach(self, revision: int, patience_seconds: float) -> Mapping[SlotKey, Slot]:
        """Wait until the view is fresh and at least at a revision, and return all open slots.

        ViewStale: not within the patience. Await nothing while you look.
        """
        self.catch_up()
        if (known := self.view.open_at(revision)) is not None:
            return known
        try:
            async with self.clock.timeout(patience_seconds):
                while (known := self.view.open_at(revision)) is None:
                    await self.view.moved()
                    self.catch_up()
        except TimeoutError:
            raise ViewStale from self.stale.cause
        return known

    def starting(self, start: datetime, end: datetime) -> Iterator[SlotKey]:
        """Yield the open slots that start in [start, end), in order; await nothing meanwhile."""
        return self._days.within(start, end)

    def _update(self, update: Update) -> None:
        if update.whole:
            self._days.replace(slot.key for slot in update.opened)
            self._wake(self._listeners)
            return
        for key in update.closed:
            self._days.remove(key)
            self._wake(self._showing.get(key, ()))
        for slot in update.opened:
            self._days.add(slot.key)
            self._wake(self._showing.get(slot.key, ()))

    def _wake_by_time(self) -> None:
        """Wake whose hold lapses, and who waited for a revision of its own."""
        as_of = self.view.as_of
        while self._lapses and as_of is not None and self._lapses[0][0] <= as_of:
            heapq.heappop(self._lapses)[2].wake()
        if self._behind:
            behind, self._behind = self._behind, set()
            self._wake(behind)

    # Who listens.

    def join(self, listener: Listener) -> None:
        """Tell it of what changes for all."""
        self._listeners.add(listener)

    def leave(self, listener: Listener, shown: Iterable[SlotKey]) -> None:
        """Tell it nothing any more."""
        self._listeners.discard(listener)
        self._behind.discard(listener)
        self.shown_no_more(listener, shown)

    def shown_now(self, listener: Listener, keys: Iterable[SlotKey]) -> None:
        """Tell it of what becomes of these."""
        for key in keys:
            self._showing.setdefault(key, set()).add(listener)

    def shown_no_more(self, listener: Listener, keys: Iterable[SlotKey]) -> None:
        """Tell it nothing of these any more."""
        for key in keys:
            listeners = self._showing.get(key, set())
            listeners.discard(listener)
            if not listeners:
                self._showing.pop(key, None)

    def wake_next(self, listener: Listener) -> None:
        """Wake it by whatever is read next: the view is behind what it did itself."""
        self._behind.add(listener)

    def wake_at(self, moment: datetime, listener: Listener) -> None:
        """Wake it when a moment has passed by the server's clock."""
        heapq.heappush(self._lapses, (moment, next(self._numbers), listener))

    @staticmethod
    def _wake(listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            listener.wake()
