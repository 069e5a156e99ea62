"""One watch as conversations use it: what it knows, in order, and whose holds lapse when."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Protocol, Self

from slotcast.conversations.days import SlotDays
from slotcast.conversations.moving_view import MovingView
from slotcast.models import Slot, SlotKey
from slotcast.streams import Stale
from slotcast.watch import Update

LAPSES_KEPT_MIN = 1000
LEFT_MAX = 10_000
"""Of so many slots that are not open any more it is kept when they left; the last that did."""
_numbers = count()


class Listener(Protocol):
    """Who may want to look again."""

    def wake(self) -> None:
        """Look again: something may have changed for you."""

    def begin_anew(self) -> None:
        """Forget revisions and holds: the business was restored or made anew."""


Lapse = tuple[datetime, int, Listener]


@dataclass(frozen=True, slots=True)
class Left:
    """A slot was open at one revision, and is not at another."""

    after: int
    by: int


@dataclass(frozen=True, slots=True)
class Known:
    """All open slots that start before `end`, at one moment. Await nothing while you look."""

    slots: Mapping[SlotKey, Slot]
    end: datetime
    as_of: datetime
    revision: int


class Watched:
    """A view, its slots in order, and who is to be woken as its time passes."""

    def __init__(
        self,
        view: MovingView,
        duration: timedelta | None = None,
        *,
        least_revision: int = 0,
        lapses: Iterable[Lapse] = (),
    ) -> None:
        """Take a view that is not entered yet, of one duration or of the first ones.

        Before `least_revision` it knows nothing.
        """
        self.view = view
        self.duration = duration
        self.days = SlotDays()
        self.least_revision = least_revision
        self.lapses = list(lapses)
        heapq.heapify(self.lapses)
        self._left: dict[SlotKey, Left] = {}
        self._taken_revision = 0
        self._is_entered = False

    async def __aenter__(self) -> Self:
        await self.view.__aenter__()
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.view.__aexit__(kind, error, traceback)

    def known(self) -> Known | None:
        """Return what is known now; None: nothing."""
        slots, as_of = self.view.open_at(self.least_revision), self.view.as_of
        if slots is None or as_of is None:
            return None
        return Known(slots, self.view.window.end, as_of, self.view.revision)

    def reaches(self, revision: int) -> bool:
        """Tell whether it is known what is open, at least at a revision."""
        return self.view.open_at(max(revision, self.least_revision)) is not None

    def take(self) -> Update | Stale | None:
        """Return what is new, merged; None: nothing. Raises why there is no more."""
        news = self.view.take() if self._is_entered else None
        if isinstance(news, Update):
            self._note_left(news)
            self._order(news)
        self._taken_revision = self.view.revision
        return news

    def left(self, key: SlotKey) -> Left | None:
        """Return when a slot left; None: it is open, was never, or when it left is not known."""
        return self._left.get(key)

    def _note_left(self, update: Update) -> None:
        if update.revision < self._taken_revision:
            self._left = {}  # the business counts anew
            return
        for slot in update.opened:
            self._left.pop(slot.key, None)
        for key in update.closed:
            self._left.pop(key, None)
            self._left[key] = Left(self._taken_revision, update.revision)
        while len(self._left) > LEFT_MAX:
            del self._left[next(iter(self._left))]

    def _order(self, update: Update) -> None:
        if update.whole:
            self.days.replace(slot.key for slot in update.opened)
            return
        for key in update.closed:
            self.days.remove(key)
        for slot in update.opened:
            self.days.add(slot.key)

    def wake_at(self, moment: datetime, listener: Listener, listeners: set[Listener]) -> None:
        """Wake it when a moment has passed by the server's clock.

        While that is not heard, nothing passes: so those who are no longer among the listeners are
        left out when there are many.
        """
        if len(self.lapses) > LAPSES_KEPT_MIN + 2 * len(listeners):
            self.lapses = [lapse for lapse in self.lapses if lapse[2] in listeners]
            heapq.heapify(self.lapses)
        heapq.heappush(self.lapses, (moment, next(_numbers), listener))

    def wake_lapsed(self) -> None:
        """Wake those whose moment has passed."""
        as_of = self.view.as_of
        while self.lapses and as_of is not None and self.lapses[0][0] <= as_of:
            heapq.heappop(self.lapses)[2].wake()
