"""The board: all views of this process, settled when changes or time touch them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from service.domain.errors import DomainError, Overloaded, ResourceNotFound
from service.domain.ids import business_name
from service.domain.slot import SlotQuery
from service.live.cells import Touch
from service.live.clock import UNPROVED_MAX, DatabaseClock
from service.live.days import DayCache
from service.live.frames import EncodeBody, ResetReason, Sent
from service.live.limits import LiveLimits
from service.live.replica import Replica
from service.live.shared import SharedFrames, Standing
from service.live.signals import Signal
from service.live.tokens import Tokens, filter_hash
from service.live.views import View
from service.ops.failpoints import Failpoint, reach

TIMER_SLACK_SECONDS = 0.001

_log = logging.getLogger(__name__)


class LiveView:
    """A view with its streams."""

    def __init__(self, view: View, replica: Replica, frames: SharedFrames) -> None:
        """Begin unsettled, without streams."""
        self.view = view
        self.replica = replica
        self.frames = frames
        self.streams = 0
        self.changed = Signal()
        self.settled = Signal()
        # The last heartbeat, the step that it belongs to, and how many there were.
        self.beat: Sent | None = None
        self.beat_seq = 0
        self.beats = 0
        # Where the view stood when PostgreSQL was last asked.
        self.stood: Standing | None = None
        self.failure: DomainError | None = None
        self.settled_at = float("-inf")
        self.sent_at = 0.0
        self.timer: asyncio.TimerHandle | None = None

    def fail(self, error: DomainError) -> None:
        """End all streams with an error."""
        self.failure = error
        self.changed.fire()
        self.settled.fire()


class Board:
    """Keeps the views true. It is told by the follower what happens to the replicas."""

    def __init__(
        self,
        *,
        clock: DatabaseClock,
        days: DayCache,
        tokens: Tokens,
        encode: EncodeBody,
        monotonic: Callable[[], float],
        limits: LiveLimits,
    ) -> None:
        """Begin without views."""
        self._clock = clock
        self._days = days
        self._tokens = tokens
        self._encode = encode
        self._monotonic = monotonic
        self._limits = limits
        self._views: dict[str, dict[str, LiveView]] = {}
        self._views_count = 0
        self._ready: dict[LiveView, None] = {}
        # What PostgreSQL was last read to have, for views that have not been told yet.
        self._read: dict[LiveView, tuple[int, datetime]] = {}
        self._work_is_due = False

    def __len__(self) -> int:
        """Count the views."""
        return self._views_count

    @asynccontextmanager
    async def watching(self, replica: Replica, query: SlotQuery) -> AsyncIterator[LiveView]:
        """Keep the view of a query for as long as a stream has it."""
        live = self._view(replica, query)
        live.streams += 1
        try:
            yield live
        finally:
            live.streams -= 1
            if live.streams == 0:
                self._drop(live)

    async def settle(self, live: LiveView, not_before: datetime) -> None:
        """Wait until a view has settled all that its replica has, as of an instant or later."""
        while live.failure is None and live.view.is_unsettled:
            await live.settled.wait()
        if live.failure is None and (live.view.as_of is None or live.view.as_of < not_before):
            self._settle(live)

    def wake_all(self) -> None:
        """Let every stream look whether it must end."""
        for live in self._all():
            live.changed.fire()

    # What the follower tells.

    def touched(self, replica: Replica, touches: Sequence[Touch], revision_before: int) -> None:
        """Changes were applied to a replica, the first of them to `revision_before`."""
        for live in self._views.get(replica.business_id, {}).values():
            if live.view.touch(touches, revision_before):
                self._plan(live)

    def reloaded(self, replica: Replica, revision_before: int, reason: ResetReason | None) -> None:
        """A replica was loaded anew; with a reason, as something that is no continuation."""
        for live in self._views.get(replica.business_id, {}).values():
            live.view.reload(revision_before, reason)
            if live.view.failure is not None:
                live.fail(live.view.failure)
            self._plan(live)

    def verifying(self, replica: Replica) -> None:
        """PostgreSQL is about to be read."""
        for live in self._views.get(replica.business_id, {}).values():
            live.stood = live.frames.standing()

    def verified(self, replica: Replica, revision: int, as_of: datetime) -> None:
        """PostgreSQL was read: the business was at this revision, and the replica has it."""
        views = self._views.get(replica.business_id, {}).values()
        self._read.update(dict.fromkeys(views, (revision, as_of)))
        is_time_up = self._slice()
        while self._read and not is_time_up():
            self._tell_next()
        if self._read:
            self._work_soon()

    def set_back(self) -> None:
        """The database's clock was set back: no view can go on from where it is."""
        for live in self._all():
            live.fail(Overloaded("The database's clock was set back. Retry."))

    def gone(self, business_id: str) -> None:
        """There is no such business any more."""
        for live in list(self._views.get(business_id, {}).values()):
            live.fail(ResourceNotFound(business_name(business_id)))

    # How views are kept true.

    def _view(self, replica: Replica, query: SlotQuery) -> LiveView:
        views = self._views.setdefault(replica.business_id, {})
        key = filter_hash(query)
        live = views.get(key)
        if live is not None and live.replica is replica and live.failure is None:
            return live
        if self._views_count >= self._limits.views_max:
            raise Overloaded("This server watches as many filters as it can. Retry.")
        view = View(query, replica, self._days)
        if view.failure is not None:
            raise view.failure
        frames = SharedFrames(view, replica, self._tokens, self._encode)
        live = views[key] = LiveView(view, replica, frames)
        self._views_count += 1
        self._plan(live)
        return live

    def _drop(self, live: LiveView) -> None:
        self._views_count -= 1
        self._ready.pop(live, None)
        self._read.pop(live, None)
        if live.timer is not None:
            live.timer.cancel()
        views = self._views.get(live.replica.business_id, {})
        # A view that failed may have been replaced.
        if views.get(live.frames.filter_hash) is live:
            del views[live.frames.filter_hash]
        if not views:
            self._views.pop(live.replica.business_id, None)

    def _plan(self, live: LiveView) -> None:
        """Settle a view now, or when its pace allows it, or when time will change it."""
        if live.timer is not None:
            live.timer.cancel()
            live.timer = None
        seconds = self._seconds_until_due(live)
        if seconds is None:
            return
        if seconds > 0:
            loop = asyncio.get_running_loop()
            live.timer = loop.call_later(seconds, self._make_ready, live)
        else:
            self._make_ready(live)

    def _seconds_until_due(self, live: LiveView) -> float | None:
        if live.view.is_unsettled:
            return live.settled_at + self._limits.pace_seconds - self._monotonic()
        event_at = live.view.next_event_at()
        # What is further ahead is planned when PostgreSQL has been read again.
        if event_at is None or event_at > live.replica.proved_as_of + UNPROVED_MAX:
            return None
        # Never at once: an event that does not go away must not keep the loop busy.
        seconds = self._clock.seconds_until(event_at) + TIMER_SLACK_SECONDS
        return max(seconds, TIMER_SLACK_SECONDS)

    def _make_ready(self, live: LiveView) -> None:
        self._ready[live] = None
        self._work_soon()

    def _work_soon(self) -> None:
        if not self._work_is_due:
            self._work_is_due = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        """Settle what is due and tell what was read, for a slice; then let others have a turn."""
        self._work_is_due = False
        is_time_up = self._slice()
        while self._ready or self._read:
            if self._ready:
                self._settle_next(is_time_up)
            if self._read:
                self._tell_next()
            if is_time_up():
                break
        if self._ready or self._read:
            self._work_soon()

    def _slice(self) -> Callable[[], bool]:
        """Begin a slice of time, and return what says that it is over."""
        until = self._monotonic() + self._limits.slice_seconds
        return lambda: self._monotonic() >= until

    def _settle_next(self, is_time_up: Callable[[], bool]) -> None:
        live = next(iter(self._ready))
        del self._ready[live]
        if live.failure is not None:
            return
        if live.view.warm(self._now(live), is_time_up):
            self._settle(live)
        else:
            self._ready[live] = None

    def _tell_next(self) -> None:
        """Tell a view what PostgreSQL was read to have."""
        live = next(iter(self._read))
        revision, as_of = self._read.pop(live)
        if live.failure is not None:
            return
        if self._is_beat_due(live):
            if not live.view.is_unsettled:
                self._settle(live)
            if live.failure is not None:
                return
            self._beat(live, revision, as_of)
        # What time does next may be told only now, or sooner than it seemed.
        self._plan(live)

    def _now(self, live: LiveView) -> datetime:
        """Return the instant as of which a view may be settled.

        Time goes on by itself, but what others commit must be read: a view that only time moved
        would look fresh, and miss it.
        """
        return self._clock.now_proved(live.replica.proved_as_of)

    def _settle(self, live: LiveView) -> None:
        try:
            has_changed = live.view.advance(self._now(live))
        except Exception:
            _log.exception("A view could not be settled; its streams end.")
            live.fail(Overloaded("The slots could not be derived. Retry."))
            return
        live.settled_at = self._monotonic()
        if has_changed:
            live.sent_at = live.settled_at
            live.changed.fire()
        live.settled.fire()
        self._plan(live)

    def _beat(self, live: LiveView, revision: int, as_of: datetime) -> None:
        reach(Failpoint.BEFORE_HEARTBEAT)
        beat = live.frames.heartbeat(revision, as_of)
        # Changes that show nothing may touch a view between any reading and its answer. A view that
        # has not been settled for long says nothing: it must not look alive. Nor does one that was
        # settled after the reading, where PostgreSQL was asked again before this could be told.
        settled_since = as_of - timedelta(seconds=self._limits.heartbeat_seconds)
        stood = live.stood
        if beat is None and stood is not None and settled_since <= stood.as_of <= as_of:
            beat = live.frames.heartbeat_at(stood, revision)
        if beat is not None:
            live.beat, live.beat_seq = beat, live.view.history.seq
            live.beats += 1
            live.sent_at = self._monotonic()
            live.changed.fire()

    def _is_beat_due(self, live: LiveView) -> bool:
        """Say whether the reading after this one would come too late for a heartbeat."""
        silent_seconds = self._monotonic() - live.sent_at
        return silent_seconds + self._limits.verify_seconds > self._limits.heartbeat_seconds

    def _all(self) -> Iterable[LiveView]:
        return [live for views in self._views.values() for live in views.values()]
