"""The follower: keeps replicas of businesses at what PostgreSQL has, and proves it.

Hints say when to look, and a change that is exactly the next one may be applied at once. Whether
all has come is only ever learned from PostgreSQL: once a second, and before each answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from service.domain.change import Change
from service.domain.errors import Overloaded, ResourceNotFound, RevisionAhead
from service.domain.ids import business_name
from service.live.following import Following, Surroundings
from service.live.frames import ResetReason
from service.live.hints import Hint
from service.live.limits import LiveLimits
from service.live.replica import CHANGES_KEPT_MAX, Replica
from service.live.signals import Signal
from service.live.source import HeadReads
from service.ops.tasks import cancelled
from service.store.changes import Head

PRUNE_SECONDS = 600.0
AHEAD_RETRY_SECONDS = 0.05
CATCH_UP_SECONDS = 0.5
"""So long a replica may take to have a revision that came at the very end of the wait for it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """A replica that has the revision that PostgreSQL had at `as_of`, after it was asked for."""

    replica: Replica
    revision: int
    as_of: datetime


class Follower:
    """All replicas of this process."""

    def __init__(
        self, around: Surroundings, *, monotonic: Callable[[], float], limits: LiveLimits
    ) -> None:
        """Begin without replicas."""
        self._around = around
        self._monotonic = monotonic
        self._limits = limits
        self._heads = HeadReads(around.source)
        self._followings: dict[str, Following] = {}
        self._verify_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pruned_at = monotonic()
        around.clock.when_set_back(self._set_back)
        # Whether PostgreSQL could not be read twice in a row; once may be for want of a connection.
        self.is_blind = False
        self._failures = 0
        self.sight_changed = Signal()

    async def start(self) -> None:
        """Begin to verify."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End all that runs."""
        await cancelled(self._task)
        await self._heads.stop()
        for following in list(self._followings.values()):
            await following.stop()
        self._followings.clear()

    @property
    def business_ids(self) -> set[str]:
        """The businesses that are followed."""
        return set(self._followings)

    # For those who need a replica.

    async def get(self, business_id: str, *, min_revision: int = 0) -> Fresh:
        """Return a replica that is proved to be as new as any answer given before this call.

        ResourceNotFound: no such business. RevisionAhead: `min_revision` did not come in time.
        Overloaded: nor did the replica; it goes on being loaded.
        """
        until: float | None = None
        loading_until = self._monotonic() + self._limits.loading_seconds_max
        while True:
            with self.pinned(business_id) as following:
                if following.replica is None:
                    following.ask(0)
                    await following.advance(loading_until - self._monotonic())
                until = until or self._monotonic() + self._limits.revision_wait_seconds_max
                fresh = await self._prove(following, min_revision, until)
            if fresh is not None:
                return fresh

    def is_loaded(self, business_id: str) -> bool:
        """Say whether there is a replica that need not be read, or renewed, before it answers."""
        following = self._followings.get(business_id)
        return following is not None and following.is_ready and not following.is_gone

    def load_soon(self, business_id: str) -> None:
        """Begin to load a replica that is not there, where there is room for one."""
        with suppress(Overloaded), self.pinned(business_id) as following:
            following.ask(0)

    async def at_least(self, business_id: str, revision: int) -> Replica:
        """Return a replica that has a revision; PostgreSQL is asked only where it has not."""
        following = self._followings.get(business_id)
        if following is not None and following.is_current:
            replica = following.replica
            if replica is not None and replica.revision >= revision:
                following.used_at = self._monotonic()
                return replica
        return (await self.get(business_id, min_revision=revision)).replica

    async def recall(self, replica: Replica, revision: int) -> ResetReason | None:
        """Let a replica remember its changes after a revision; say why the log cannot tell them.

        Where they are too many it remembers only some.
        """
        with self.pinned(replica.business_id) as following:
            async with following.recalling:
                if replica.touches_after(revision) is not None:
                    return None
                head, found = await self._around.source.log_after(
                    replica.business_id, revision, CHANGES_KEPT_MAX
                )
                if head is None or head.epoch != replica.epoch:
                    return ResetReason.EPOCH
                earlier = [each for each in found if each.revision <= replica.remembers_after]
                if not earlier or earlier[0].revision != revision + 1:
                    return ResetReason.COMPACTED
                if any(change.reloads for change in earlier):
                    return ResetReason.CATALOG
                replica.remember(earlier)
                return None

    @contextmanager
    def pinned(self, business_id: str) -> Iterator[Following]:
        """Keep a business's replica for as long as it is needed."""
        following = self._followings.get(business_id)
        if following is None or following.is_gone:
            following = self._add(business_id)
        following.pins += 1
        try:
            yield following
        finally:
            following.pins -= 1
            following.used_at = self._monotonic()

    # Hints.

    def committed(self, business_id: str, epoch: str, changes: Sequence[Change]) -> None:
        """Changes were committed in this process."""
        following = self._followings.get(business_id)
        if following is None:
            return
        if following.replica is None or following.replica.epoch == epoch:
            following.take(epoch, changes)
        else:
            following.ask_load()

    def hinted(self, hint: Hint) -> None:
        """Another process says that a business has come to a revision."""
        following = self._followings.get(hint.business_id)
        replica = None if following is None else following.replica
        if following is None or replica is None or hint.revision <= replica.revision:
            return
        # The servers of two databases may share a Redis by mistake.
        if hint.changes and hint.epoch == replica.epoch:
            following.take(hint.epoch, hint.changes)
        else:
            following.ask(hint.revision)

    def verify_soon(self) -> None:
        """Hints may have been lost: look at once."""
        self._verify_now.set()

    # Verifying.

    async def verify(self) -> None:
        """Read from PostgreSQL how far all businesses are, and catch up where one is behind."""
        before: dict[str, tuple[int, int]] = {}
        for business_id, following in self._followings.items():
            if following.replica is None:
                continue
            if not following.is_current:
                # A load that failed is tried again: those who watch would wait for ever.
                following.ask_load()
            else:
                before[business_id] = following.replica.generation, following.replica.revision
                self._around.board.verifying(following.replica)
        asked_at = self._around.clock.asking()
        heads = await self._around.source.heads(list(before))
        if not self._around.clock.observe(heads.as_of, asked_at):
            return
        for business_id, (generation, revision) in before.items():
            known = self._followings.get(business_id)
            replica = None if known is None else known.replica
            if known is None or replica is None or replica.generation != generation:
                continue
            head = heads.by_business.get(business_id)
            if head is None:
                self._remove(known)
            elif _never_happened(head, replica, revision):
                known.ask_load()
            else:
                known.check(head.revision, heads.as_of)
        self._evict()

    async def _run(self) -> None:
        while True:
            self._verify_now.clear()
            try:
                await self.verify()
            except Exception as error:
                self._report(error)
            else:
                self._failures = 0
                self._see(is_blind=False)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.verify_seconds):
                    await self._verify_now.wait()

    def _report(self, error: Exception) -> None:
        """Say once that PostgreSQL cannot be read: no heartbeat is sent, and clients turn stale."""
        if not self._failures:
            _log.error("Revisions cannot be verified.", exc_info=error)
        self._failures += 1
        self._see(is_blind=self._failures > 1)

    def _see(self, *, is_blind: bool) -> None:
        if is_blind != self.is_blind:
            self.is_blind = is_blind
            self.sight_changed.fire()

    def _set_back(self) -> None:
        """The database's clock was set back: what time has done is undone; watches begin anew.

        No frame of theirs could follow what they were told, until that instant came again.
        """
        _log.warning("The database's clock was set back; all watches begin anew.")
        now = self._around.clock.now()
        for following in self._followings.values():
            following.set_back(now)
        self._around.board.set_back()

    # Proving.

    async def _prove(self, following: Following, min_revision: int, until: float) -> Fresh | None:
        """Return the replica if it is proved; None: look again."""
        asked_at = self._around.clock.asking()
        head, as_of = await self._heads.head(following.business_id)
        if head is None:
            self._remove(following)
            raise ResourceNotFound(business_name(following.business_id))
        is_of_now = self._around.clock.observe(as_of, asked_at)
        replica = following.replica
        if replica is None or following.is_gone or not is_of_now:
            if self._monotonic() >= until + CATCH_UP_SECONDS:
                raise Overloaded("The server is behind its database. Retry.")
            return None
        if head.epoch != replica.epoch:
            following.ask_load()
        elif head.revision < min_revision:
            await self._wait_for_ahead(until)
            return None
        elif replica.revision >= head.revision and following.is_current:
            replica.prove(as_of)
            return Fresh(replica=replica, revision=head.revision, as_of=as_of)
        else:
            following.ask(head.revision)
        await following.advance(until + CATCH_UP_SECONDS - self._monotonic())
        return None

    async def _wait_for_ahead(self, until: float) -> None:
        if self._monotonic() >= until:
            raise RevisionAhead
        await asyncio.sleep(AHEAD_RETRY_SECONDS)

    # Coming and going.

    def _add(self, business_id: str) -> Following:
        is_new = business_id not in self._followings
        if is_new and len(self._followings) >= self._limits.replicas_max:
            self._remove_longest_unused()
        following = self._followings[business_id] = Following(business_id, self._around)
        return following

    def _remove(self, following: Following) -> None:
        if self._followings.get(following.business_id) is following:
            del self._followings[following.business_id]
        if not following.is_gone:
            following.end()

    def _remove_longest_unused(self) -> None:
        unused = [following for following in self._followings.values() if not following.pins]
        if not unused:
            raise Overloaded("This server follows as many businesses as it can. Retry.")
        self._remove(min(unused, key=lambda following: following.used_at))

    def _evict(self) -> None:
        """Forget replicas that nobody has used for long, and in the others what is long past."""
        now = self._monotonic()
        for following in list(self._followings.values()):
            idle_seconds = 0.0 if following.pins else now - following.used_at
            if following.is_gone or idle_seconds > self._limits.replica_idle_seconds_max:
                self._remove(following)
        if now - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = now
            for following in self._followings.values():
                replica = following.replica
                if replica is not None:
                    # Its views are not further than that.
                    replica.prune(self._around.clock.now_proved(replica.proved_as_of))


def _never_happened(head: Head, replica: Replica, revision: int) -> bool:
    """Say whether the replica had, when PostgreSQL was asked, what PostgreSQL has not."""
    return head.epoch != replica.epoch or head.revision < revision
