"""Consumers: who follows the change log with a durable cursor, and plans what is owed for it.

The cursor, the deliveries and their jobs are one transaction. So nothing is planned twice or left
out, whenever a process ends; and of several processes one has a cursor at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.domain.change import Change
from service.domain.delivery import NewDelivery
from service.notify.delivery import Consumer
from service.ops.failpoints import Failpoint, reach
from service.ops.jitter import JITTER
from service.store import changes, consumers, deliveries
from service.store.consumers import Behind
from service.store.database import Database, Transaction, is_retryable
from service.store.scope import ALL_BUSINESSES

logger = logging.getLogger(__name__)

_BEGINNING = Behind("", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerLimits:
    """How often it is asked who is behind, and how much is done at a time.

    One that fails is left alone for a while, each time longer, up to `failure_seconds_max`.
    """

    poll_seconds: float = 0.5
    changes_max: int = 200
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
    ) -> None:
        """Take who follows the log."""
        self._database = database
        self._members = {member.name: member for member in members}
        self._limits = limits
        self._monotonic = monotonic
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
            try:
                await asyncio.wait_for(self._woken.wait(), self._limits.poll_seconds)
            except TimeoutError:
                continue

    async def catch_up(self) -> None:
        """Bring up to date all who are behind now; one query says who, for all businesses."""
        after = _BEGINNING
        while True:
            async with self._database.transaction(ALL_BUSINESSES) as tx:
                page = await consumers.behind(
                    tx, list(self._members), after=after, limit=self._limits.businesses_max
                )
            await self._advance_all([each for each in page if not self._rests(each)])
            if len(page) < self._limits.businesses_max:
                return
            after = page[-1]

    async def _advance_all(self, behind: Sequence[Behind]) -> None:
        """Advance so many at a time."""
        left = iter(behind)

        async def work() -> None:
            for each in left:
                await self._advance_safely(each)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._limits.concurrent_max, len(behind))):
                group.create_task(work())

    def _rests(self, each: Behind) -> bool:
        return self._resting.get(each, 0.0) > self._monotonic()

    async def _advance_safely(self, each: Behind) -> None:
        """Advance one; its failure is no other's."""
        try:
            while await self.advance(each.business_id, each.consumer):
                pass
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
        else:
            self._failures.pop(each, None)
            self._resting.pop(each, None)

    async def advance(self, business_id: str, name: str) -> bool:
        """Plan for the next changes of a business; say whether there may be more."""
        async with self._database.transaction(business_id) as tx:
            cursor = await consumers.take(tx, business_id, name)
            if cursor is None:
                return False
            limit = self._limits.changes_max
            found = await changes.read_after(tx, business_id, cursor.revision, limit)
            first = found[0].revision if found else await _after_floor(tx, business_id)
            if first > cursor.revision + 1:
                _tell_jump(business_id, name, cursor.revision, first)
            planned = await self._plan(tx, business_id, self._members[name], found)
            await deliveries.add(tx, business_id, planned)
            last = found[-1].revision if found else max(first - 1, cursor.revision)
            await consumers.move(tx, business_id, name, last)
            reach(Failpoint.AFTER_PLAN)
        return len(found) == limit

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
                logger.exception(
                    "%s cannot plan for revision %d, and passes over it",
                    consumer.name,
                    found[0].revision,
                    extra={"business": business_id},
                )
                return []
        return [
            new for change in found for new in await self._plan(tx, business_id, consumer, [change])
        ]


async def _after_floor(tx: Transaction, business_id: str) -> int:
    """Return the first revision that is not trimmed, where nothing is left to read."""
    return await changes.floor(tx, business_id) + 1


def _tell_jump(business_id: str, name: str, revision: int, first: int) -> None:
    """Say what nobody will be told of."""
    logger.error(
        "%s has lost the changes %d to %d: the log was trimmed before it came there",
        name,
        revision + 1,
        first - 1,
        extra={"business": business_id},
    )
