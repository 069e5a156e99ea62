"""Consumers: who follows the change log with a durable cursor, and plans what is owed for it.

The cursor, the deliveries and their jobs are one transaction. So nothing is planned twice or left
out, whenever a process ends; and of several processes one has a cursor at a time. For what cannot
be planned a dead delivery stands, which an operator sees and has planned again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from service.domain.change import Change
from service.domain.delivery import NewDelivery
from service.notify import unplanned
from service.notify.delivery import Consumer
from service.ops.failpoints import Failpoint, reach
from service.ops.jitter import JITTER
from service.store import changes, consumers, deliveries
from service.store.consumers import Behind
from service.store.database import Database, Transaction, is_retryable
from service.store.scope import ALL_BUSINESSES

logger = logging.getLogger(__name__)

_BEGINNING = Behind("", "")
_PAUSE_PER_LOOK = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerLimits:
    """How often it is asked who is behind, and how much is done at a time.

    Who is behind passes `pieces_max` times `changes_max` changes, then the next has its turn. One
    that fails is left alone for a while, each time longer, up to `failure_seconds_max`. To ask who
    is behind takes no more than a tenth of the time, up to a pause of `pause_seconds_max`.
    """

    poll_seconds: float = 0.5
    pause_seconds_max: float = 5.0
    changes_max: int = 200
    pieces_max: int = 4
    businesses_max: int = 200
    concurrent_max: int = 3
    failure_seconds_max: float = 30.0


class Consumers:
    """Brings all consumers up to date, again and again, until cancelled."""

    def __init__(
        self,
        database: Database,
        members: Sequence[Consumer],
        limits: ConsumerLimits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take who follows the log; `pause` is what waits after a look that took long."""
        self._database = database
        self._members = {member.name: member for member in members}
        self._limits = limits
        self._monotonic = monotonic
        self._pause = pause
        self._look_seconds = 0.0
        self._woken = asyncio.Event()
        self._failures: dict[Behind, int] = {}
        self._resting: dict[Behind, float] = {}

    def wake(self) -> None:
        """Look at once: this process has committed something."""
        self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            self._woken.clear()
            await self.catch_up()
            # Also where it was woken meanwhile: each look goes through the cursors of all.
            seconds = _PAUSE_PER_LOOK * self._look_seconds
            await self._pause(min(seconds, self._limits.pause_seconds_max))
            try:
                await asyncio.wait_for(self._woken.wait(), self._limits.poll_seconds)
            except TimeoutError:
                continue

    async def catch_up(self) -> None:
        """Bring up to date all who are behind, round by round: a long log delays no other."""
        while await self._round():
            pass

    async def _round(self) -> bool:
        """Let each who is behind advance a little; say whether one has more to do."""
        after, has_more = _BEGINNING, False
        while True:
            page = await self._look(after)
            due = [each for each in page if not self._rests(each)]
            has_more |= await self._advance_all(due)
            if len(page) < self._limits.businesses_max:
                return has_more
            after = page[-1]

    async def _look(self, after: Behind) -> list[Behind]:
        """Return who is behind; one query says it, for all businesses."""
        began = self._monotonic()
        async with self._database.transaction(ALL_BUSINESSES) as tx:
            page = await consumers.behind(
                tx, list(self._members), after=after, limit=self._limits.businesses_max
            )
        self._look_seconds = self._monotonic() - began
        return page

    async def _advance_all(self, behind: Sequence[Behind]) -> bool:
        """Advance so many at a time; say whether one has more to do."""
        left, has_more = iter(behind), False

        async def work() -> None:
            nonlocal has_more
            for each in left:
                has_more |= await self._advance_safely(each)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._limits.concurrent_max, len(behind))):
                group.create_task(work())
        return has_more

    def _rests(self, each: Behind) -> bool:
        return self._resting.get(each, 0.0) > self._monotonic()

    async def _advance_safely(self, each: Behind) -> bool:
        """Advance one a little; say whether it has more to do. Its failure is no other's."""
        try:
            has_more = await self._advance_a_little(each)
        except Exception as error:
            failures = self._failures[each] = self._failures.get(each, 0) + 1
            seconds = min(0.5 * 2 ** min(failures, 10), self._limits.failure_seconds_max)
            self._resting[each] = self._monotonic() + seconds * JITTER.uniform(0.75, 1.25)
            logger.warning(
                "%s cannot follow the log: %s",
                each.consumer,
                type(error).__name__,
                exc_info=not is_retryable(error),
                extra={"business": each.business_id},
            )
            return False
        self._failures.pop(each, None)
        self._resting.pop(each, None)
        return has_more

    async def _advance_a_little(self, each: Behind) -> bool:
        for _ in range(self._limits.pieces_max):
            if not await self.advance(each.business_id, each.consumer):
                return False
        return True

    async def advance(self, business_id: str, name: str) -> bool:
        """Plan for the next changes of a business; say whether there may be more."""
        async with self._database.transaction(business_id) as tx:
            cursor = await consumers.take(tx, business_id, name)
            if cursor is None:
                return False
            limit = self._limits.changes_max
            found = await changes.read_after(tx, business_id, cursor.revision, limit)
            first = found[0].revision if found else await _after_floor(tx, business_id)
            member = self._members[name]
            if first > cursor.revision + 1:
                await _tell_jump(tx, business_id, member, cursor.revision + 1, first - 1)
            planned = await self._plan(tx, business_id, member, found)
            await deliveries.add(tx, business_id, planned)
            last = found[-1].revision if found else max(first - 1, cursor.revision)
            await consumers.move(tx, business_id, name, last)
            reach(Failpoint.AFTER_PLAN)
        return len(found) == limit

    async def follow_all(self) -> None:
        """Let each consumer follow each business.

        A process of a version that knew of no consumers makes businesses without cursors, while
        the new version is rolled out.
        """
        async with self._database.transaction(ALL_BUSINESSES) as tx:
            found = await consumers.lacking(tx, limit=self._limits.businesses_max)
        for business_id in found:
            async with self._database.transaction(business_id) as tx:
                added = await consumers.add_lacking(tx, business_id)
            for name, revision in added.items():
                logger.warning(
                    "%s did not follow this business, and does after revision %d",
                    name,
                    revision,
                    extra={"business": business_id},
                )

    async def _plan(
        self, tx: Transaction, business_id: str, consumer: Consumer, found: Sequence[Change]
    ) -> list[NewDelivery]:
        """Plan for all at once; if that fails, one by one, and without what fails alone too."""
        if not found:
            return []
        try:
            async with tx.begin_nested():
                return await consumer.plan(tx, business_id, found)
        except Exception as error:
            if is_retryable(error):
                raise
            if len(found) == 1:
                await unplanned.keep(tx, business_id, consumer, found[0], error)
                return []
        return [
            new for change in found for new in await self._plan(tx, business_id, consumer, [change])
        ]


async def _after_floor(tx: Transaction, business_id: str) -> int:
    """Return the first revision that is not trimmed, where nothing is left to read."""
    return await changes.floor(tx, business_id) + 1


async def _tell_jump(
    tx: Transaction, business_id: str, consumer: Consumer, first: int, last: int
) -> None:
    """Say what nobody will be told of, to who reads the log and to who looks at deliveries."""
    logger.error(
        "%s has lost the changes %d to %d: the log was trimmed before it came there",
        consumer.name,
        first,
        last,
        extra={"business": business_id},
    )
    await unplanned.keep_lost(tx, business_id, consumer, first, last)
