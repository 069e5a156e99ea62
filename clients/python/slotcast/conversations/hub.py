"""What is open now, who has shown it, and whom to tell."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from slotcast.clock import Clock
from slotcast.conversations.further import FurtherWatches
from slotcast.conversations.looking import Look
from slotcast.conversations.moving_view import MovingView
from slotcast.conversations.watched import Listener, Watched
from slotcast.errors import SlotcastError, ViewStale
from slotcast.models import SlotKey, SlotQuery
from slotcast.streams import Stale
from slotcast.watch import Update


class Hub:
    """Keeps the views up to date, and wakes those for whom a change may be news.

    One view has the slots of each type's first duration. A slot of another is not among them, and
    nothing that is says whether it can be had: hours, buffers, caps and other claims bear on it
    anew. Only the server's evaluator knows. So of each further duration that is shown there is one
    view more, for all conversations: it costs one stream, not one for each conversation. Which
    duration is a type's first is read off the first view's slots.

    Nothing is queued for anyone: who is woken compares what it told with what is so now.
    """

    def __init__(
        self,
        make_view: Callable[[timedelta | None], MovingView],
        query: SlotQuery,
        clock: Clock,
        further_durations_max: int,
    ) -> None:
        """Take how a view of one duration, or of the first ones, is made; follow nothing yet."""
        self.clock = clock
        self.stale = Stale(as_of=None, cause=None)
        self.first = Watched(make_view(None))
        self.further = FurtherWatches(
            clock, further_durations_max, self._begin, self._take_further, self._wake_duration
        )
        self._make_view = make_view
        self._types = frozenset(query.appointment_types)
        self._calendars = frozenset(query.calendars)
        self._first_durations: dict[str, timedelta] = {}
        self._revision = 0
        self._error: SlotcastError | None = None
        self._listeners: set[Listener] = set()
        self._showing: dict[SlotKey, set[Listener]] = {}
        self._shown_durations: Counter[tuple[str, timedelta]] = Counter()
        self._behind: set[Listener] = set()

    @property
    def view(self) -> MovingView:
        """The view of the first durations."""
        return self.first.view

    @property
    def shown_count(self) -> int:
        """How many different slots are shown to anyone."""
        return len(self._showing)

    @property
    def passed(self) -> datetime | None:
        """The instant, by the server's clock, that all views have reached; None: none is fresh."""
        known = (watched.known() for watched in (self.first, *self.further))
        return min((each.as_of for each in known if each is not None), default=None)

    # The views.

    def end(self, error: SlotcastError) -> None:
        """Tell everybody that there is no more to come, and why."""
        self._error = error
        self._wake(self._listeners)

    def catch_up(self) -> None:
        """Take in all that the views have read. Raises why there is no more."""
        if self._error is not None:
            raise copy.copy(self._error)
        while (news := self.first.take()) is not None:
            if isinstance(news, Stale):
                self.stale = news
                self._wake(self._listeners)
            else:
                self._update(news)
        if self.view.revision < self._revision:
            self._begin_anew()
        self._revision = self.view.revision
        for watched in self.further:
            with suppress(SlotcastError):  # who follows it is told too
                self._take_further(watched)
        self._wake_by_time(self.first)

    async def reach(self, watched: Watched, revision: int, patience_seconds: float) -> None:
        """Wait until it is known what is open, at least at a revision.

        ViewStale: not within the patience. Await nothing while you look at it.
        """
        self.catch_up()
        if watched.reaches(revision):
            return  # and leave no timer behind
        try:
            async with self.clock.timeout(patience_seconds):
                while not watched.reaches(revision):
                    await watched.view.moved()
                    self.catch_up()
        except TimeoutError:
            raise ViewStale from self.stale.cause

    def keep_further(self) -> None:
        """Watch the durations that are shown and are not the first of their type, and no others."""
        if self.view.is_stale:
            return  # then it is not known either which they are
        self.further.keep(
            {
                duration
                for type_, duration in self._shown_durations
                if self._first_durations.get(type_) != duration and self._is_watched(type_)
            }
        )

    def look(self, revision: int) -> Look:
        """Look at what is known at this moment; await nothing meanwhile."""
        return Look(self.watched, self.is_watched, self.view.window.start, revision)

    def watched(self, type_: str, duration: timedelta) -> Watched | None:
        """Return what knows the slots of a type and a duration; None: nothing does."""
        if self._first_durations.get(type_) == duration:
            return self.first
        return self.further.get(duration)

    def watched_for(self, types: frozenset[str], duration: timedelta | None) -> Watched | None:
        """Return the same for several types, or for all; None: there is no room for it."""
        if duration is None:
            return self.first
        if types and all(self._first_durations.get(type_) == duration for type_ in types):
            return self.first
        return self.further.use(duration)

    def is_watched(self, key: SlotKey) -> bool:
        """Tell whether slots of its type and calendar are watched at all."""
        calendars = self._calendars
        return self._is_watched(key.appointment_type) and (
            not calendars or key.calendar in calendars
        )

    def _is_watched(self, type_: str) -> bool:
        return not self._types or type_ in self._types

    def _begin(self, duration: timedelta) -> Watched:
        # Before it is as new as what conversations were shown, it would tell them what is over.
        return Watched(
            self._make_view(duration),
            duration,
            least_revision=self.view.revision,
            lapses=self.first.lapses,
        )

    def _begin_anew(self) -> None:
        for watched in self.further:
            watched.least_revision = 0
        for listener in self._listeners:
            listener.begin_anew()

    def _update(self, update: Update) -> None:
        if update.whole:
            self._first_durations = {}
        self._learn(update)
        if update.whole:
            self._wake(self._listeners)
        else:
            self._wake_changed(update)

    def _learn(self, update: Update) -> None:
        """Read off which duration is the first of each type that has an open slot."""
        known = self._first_durations
        for slot in update.opened:
            duration = slot.end - slot.start
            if known.get(slot.appointment_type) != duration:
                known[slot.appointment_type] = duration
                self._wake_duration(duration)

    def _take_further(self, watched: Watched) -> None:
        while (news := watched.take()) is not None:
            if isinstance(news, Update) and not news.whole:
                self._wake_changed(news)
            elif watched.duration is not None:
                self._wake_duration(watched.duration)
        self._wake_by_time(watched)

    def _wake_changed(self, update: Update) -> None:
        for key in update.closed:
            self._wake(self._showing.get(key, ()))
        for slot in update.opened:
            self._wake(self._showing.get(slot.key, ()))

    def _wake_duration(self, duration: timedelta) -> None:
        for key, listeners in self._showing.items():
            if key.end - key.start == duration:
                self._wake(listeners)

    def _wake_by_time(self, watched: Watched) -> None:
        """Wake whose hold lapses, and who waited for a revision of its own."""
        watched.wake_lapsed()
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
        is_further = False
        for key in keys:
            if key not in self._showing:
                self._shown_durations[_duration(key)] += 1
            self._showing.setdefault(key, set()).add(listener)
            is_further |= self.watched(*_duration(key)) is not self.first
        if is_further:
            self.keep_further()

    def shown_no_more(self, listener: Listener, keys: Iterable[SlotKey]) -> None:
        """Tell it nothing of these any more."""
        for key in keys:
            listeners = self._showing.get(key)
            if listeners is None:
                continue
            listeners.discard(listener)
            if not listeners:
                del self._showing[key]
                self._shown_no_more(_duration(key))

    def _shown_no_more(self, duration: tuple[str, timedelta]) -> None:
        self._shown_durations[duration] -= 1
        if not self._shown_durations[duration]:
            del self._shown_durations[duration]

    def wake_next(self, listener: Listener) -> None:
        """Wake it by whatever is read next: a view is behind what it did itself."""
        self._behind.add(listener)

    def wake_at(self, moment: datetime, listener: Listener) -> None:
        """Wake it when a moment has passed by the server's clock, as each view tells it."""
        for watched in (self.first, *self.further):
            watched.wake_at(moment, listener, self._listeners)

    @staticmethod
    def _wake(listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            listener.wake()


def _duration(key: SlotKey) -> tuple[str, timedelta]:
    return key.appointment_type, key.end - key.start
