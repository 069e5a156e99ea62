"""Following one business: its replica, and how it is brought to what PostgreSQL has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.change import Change
from service.domain.errors import DomainError, Overloaded
from service.live import heap
from service.live.board import Board
from service.live.cells import Touch
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.frames import ResetReason
from service.live.replica import Replica
from service.live.signals import Signal
from service.live.source import Loaded, Source
from service.ops.failpoints import Failpoint, reach
from service.ops.tasks import cancelled

LOG_PAGE = 1_000
WAITING_MAX = 1_024
"""Changes that came out of order wait, up to so many; then the log is read."""
REORDER_SECONDS = 0.02
"""How long a gap may last before the log is read: hints may overtake each other."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What everything that is followed shares."""

    source: Source
    clock: DatabaseClock
    days: DayCache
    board: Board


class Following:
    """One business. Whatever it must read, it reads in one task."""

    def __init__(self, business_id: str, around: Surroundings) -> None:
        """Begin without a replica."""
        self.business_id = business_id
        self.replica: Replica | None = None
        self.advanced = Signal()
        self.recalling = asyncio.Lock()
        self.is_gone = False
        self.pins = 0
        self.used_at = 0.0
        # The last reading of PostgreSQL that the replica is known to have, and how many there were.
        self.checked: tuple[int, datetime] | None = None
        self.checks = 0
        self._around = around
        # Readings that the replica has not come to, the oldest and the newest. With the newest
        # only, a replica that is always a little behind would never be known to have anything.
        self._unchecked: list[tuple[int, datetime]] = []
        self._waiting: dict[int, tuple[str, Change]] = {}
        self._wanted = 0
        self._must_load = True
        self._must_renew = False
        self._task: asyncio.Task[None] | None = None
        self._error: DomainError | None = None
        self._repair: asyncio.TimerHandle | None = None

    @property
    def is_current(self) -> bool:
        """Say whether the replica may be shown: it is there, and not about to be loaded anew."""
        return self.replica is not None and not self._must_load

    @property
    def is_ready(self) -> bool:
        """Say whether the replica is current and can be brought on by changes alone."""
        return self.is_current and not self._must_renew

    def take(self, epoch: str, changes: Sequence[Change]) -> None:
        """Take changes that were committed; apply those that are next, keep others for a moment."""
        revision = 0 if self.replica is None else self.replica.revision
        for change in changes:
            if change.revision > revision:
                self._waiting[change.revision] = (epoch, change)
        self._apply_waiting()
        if len(self._waiting) > WAITING_MAX:
            self._wanted = max(self._wanted, *self._waiting)
            self._waiting.clear()
            self._work()

    def ask(self, revision: int) -> None:
        """Come to a revision, or as far as PostgreSQL is."""
        self._wanted = max(self._wanted, revision)
        self._work()

    def ask_load(self) -> None:
        """Load the replica anew."""
        self._must_load = True
        self._work()

    def ask_renewal(self) -> None:
        """Read what the next change does not carry."""
        self._must_renew = True
        self._work()

    def check(self, revision: int, as_of: datetime) -> None:
        """PostgreSQL was read: come to that revision, then tell that all of it is here."""
        self._unchecked = [*self._unchecked[:1], (revision, as_of)]
        if self.replica is not None and self.replica.revision < revision:
            self.ask(revision)
        self._tell_checked()

    def set_back(self, now: datetime) -> None:
        """The database's clock was set back: what was read before proves nothing any more."""
        self._unchecked = []
        if self.replica is not None and self.replica.set_back(now):
            self.ask_load()

    async def advance(self, seconds_max: float) -> None:
        """Wait until something was applied or read, or there is no such business any more.

        Raises what prevented it. Who is told that it is gone must ask PostgreSQL: the reading that
        did not find it may have begun before it was made.
        """
        if seconds_max <= 0:
            raise Overloaded("The server is behind its database. Retry.")
        try:
            async with asyncio.timeout(seconds_max):
                await self.advanced.wait()
        except TimeoutError:
            return
        if self._error is not None and self._task is None:
            raise self._error

    def end(self) -> None:
        """There is no such business any more."""
        self.is_gone = True
        if self.replica is not None:
            heap.take_back(len(self.replica.offer.claims))
        self._around.board.gone(self.business_id)
        self.advanced.fire()
        self._cancel_repair()

    async def stop(self) -> None:
        """End what runs."""
        self._cancel_repair()
        await cancelled(self._task)

    def _apply_waiting(self) -> None:
        replica = self.replica
        if replica is None or self._must_load or self._must_renew:
            return
        touches: list[Touch] = []
        before = replica.revision
        while (next_one := self._waiting.pop(replica.revision + 1, None)) is not None:
            epoch, change = next_one
            if epoch != replica.epoch:
                self.ask_load()
                break
            if change.reloads:
                self.ask_renewal()
                break
            reach(Failpoint.BEFORE_APPLY)
            touches += replica.apply(change)
        if replica.revision > before:
            self._around.days.forget(replica, touches)
            self._around.board.touched(replica, touches, before)
            self._tell_checked()
            self.advanced.fire()
        self._drop_late()

    def _drop_late(self) -> None:
        """Forget what has been applied; what is ahead waits for its turn, but not for long."""
        revision = 0 if self.replica is None else self.replica.revision
        for late in [number for number in self._waiting if number <= revision]:
            del self._waiting[late]
        if not self._waiting:
            self._cancel_repair()
        elif self._repair is None:
            loop = asyncio.get_running_loop()
            self._repair = loop.call_later(REORDER_SECONDS, self._repair_gap)

    def _repair_gap(self) -> None:
        self._repair = None
        if self._waiting:
            self.ask(max(self._waiting))

    def _cancel_repair(self) -> None:
        if self._repair is not None:
            self._repair.cancel()
            self._repair = None

    def _tell_checked(self) -> None:
        if self.replica is None or self._must_load:
            return
        for number in reversed(range(len(self._unchecked))):
            revision, as_of = self._unchecked[number]
            if self.replica.revision >= revision:
                self._unchecked = self._unchecked[number + 1 :]
                self.checked = (revision, as_of)
                self.checks += 1
                self.replica.prove(as_of)
                self._around.board.verified(self.replica, revision, as_of)
                self.advanced.fire()
                return

    # What is read, in one task.

    def _work(self) -> None:
        if self._task is None and not self.is_gone and self._has_work():
            self._error = None
            self._task = asyncio.create_task(self._read())

    def _has_work(self) -> bool:
        if self.replica is None or self._must_load or self._must_renew:
            return True
        return self.replica.revision < self._wanted

    async def _read(self) -> None:
        try:
            while self._has_work() and not self.is_gone:
                if self.replica is None or self._must_load:
                    await self._load()
                elif self._must_renew:
                    await self._renew(self.replica)
                else:
                    await self._catch_up(self.replica)
        except DomainError as error:
            self._error = error.with_traceback(None)
        except Exception:
            _log.exception("A business could not be followed.")
            self._error = Overloaded("The business could not be loaded. Retry.")
        finally:
            self._task = None
            self._tell_checked()
            self.advanced.fire()

    async def _load(self) -> None:
        asked_at = self._around.clock.asking()
        loaded = await self._around.source.load(self.business_id)
        if loaded is None:
            self.end()
            return
        if not self._around.clock.observe(loaded.as_of, asked_at):
            return
        if self.replica is None:
            self.replica = Replica(
                epoch=loaded.epoch,
                revision=loaded.revision,
                catalog=loaded.catalog,
                claims=loaded.claims,
            )
            self.replica.prove(loaded.as_of)
        else:
            self._replace(self.replica, loaded)
        self._must_load = self._must_renew = False
        # A change that came meanwhile may ask for another load.
        self._apply_waiting()

    async def _renew(self, replica: Replica) -> None:
        """Bring the replica on over a change that does not carry all; nothing else moves it now."""
        before = replica.revision
        asked_at = self._around.clock.asking()
        found = await self._around.source.renewal(self.business_id, replica.epoch, before)
        if found is None:
            self._must_renew, self._must_load = False, True
            return
        if not self._around.clock.observe(found.as_of, asked_at):
            return
        self._must_renew = False
        replica.prove(found.as_of)
        if found.changes:
            replica.renew(
                revision=found.revision,
                changes=found.changes,
                catalog=found.catalog,
                claims=found.claims,
            )
            self._around.board.reloaded(replica, before, None)
        self._apply_waiting()

    def _replace(self, replica: Replica, loaded: Loaded) -> None:
        before = replica.revision
        is_continued = loaded.epoch == replica.epoch and loaded.revision >= before
        replica.load(
            epoch=loaded.epoch,
            revision=loaded.revision,
            catalog=loaded.catalog,
            claims=loaded.claims,
        )
        replica.prove(loaded.as_of)
        if not is_continued:
            # They are of another life of the business.
            self._unchecked = []
        self._around.board.reloaded(replica, before, None if is_continued else ResetReason.EPOCH)

    async def _catch_up(self, replica: Replica) -> None:
        after, wanted = replica.revision, self._wanted
        head, changes = await self._around.source.log_after(self.business_id, after, LOG_PAGE)
        if head is None:
            self.end()
        elif head.epoch != replica.epoch:
            self._must_load = True
        elif not changes:
            # Either a hint promised what never came, or the log is trimmed.
            self._must_load = head.revision > replica.revision
            self._settle_for(head.revision, wanted)
        elif changes[0].revision != after + 1:
            self._must_load = True
        else:
            self._settle_for(head.revision, wanted)
            self.take(head.epoch, changes)

    def _settle_for(self, revision: int, wanted_before: int) -> None:
        """Want no more than PostgreSQL had, unless more was asked for after it was read."""
        if self._wanted == wanted_before:
            self._wanted = min(self._wanted, revision)
