"""Lanes: one queue per business and process. What waits is decided together, in one transaction.

A command waits here, never in PostgreSQL, and its transaction belongs to the lane: a caller that goes
away takes nothing with it. Of several processes one at a time has a batch of a business.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from service.actions.bookings import Done, Result, run_batch
from service.actions.catalog import run_catalog_change
from service.actions.catalog_cache import CatalogCache
from service.actions.submission import Submission
from service.domain.change import Change
from service.domain.commands import BookingCommand
from service.domain.errors import DomainError, Overloaded, TryAgain
from service.store.batch import serialized
from service.store.database import Database, is_retryable

logger = logging.getLogger(__name__)

Committed = Callable[[str, str, Sequence[Change], int], None]
"""Told after each commit: the business, its epoch, its changes, and the revision before them."""

_Waiting = tuple[Submission, "asyncio.Future[bytes]"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLimits:
    """`queue_max`: beyond it a submission is refused as Overloaded. `attempts_max`: then TryAgain."""

    batch_max: int = 256
    queue_max: int = 4096
    attempts_max: int = 8
    concurrent_max: int = 6
    backoff_seconds_max: float = 0.25


class Lanes:
    """All lanes of this process."""

    def __init__(self, database: Database, limits: LaneLimits, on_commit: Committed) -> None:
        """Take no connection until there is work."""
        self._database = database
        self._limits = limits
        self._on_commit = on_commit
        self._catalogs = CatalogCache()
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(limits.concurrent_max)
        self._draining = False

    async def submit(self, submission: Submission) -> bytes:
        """Return the answer to a submission; the same bytes for the same request, for 24 h or more.

        Raises the DomainError that refuses it, Overloaded (nothing changed), or TryAgain (not known).
        """
        queue = self._queue(submission.business_id)
        if self._draining or len(queue) >= self._limits.queue_max:
            raise Overloaded
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        queue.append((submission, answer))
        return await answer

    async def drain(self) -> None:
        """Refuse what comes, and finish what waits."""
        self._draining = True
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _queue(self, business_id: str) -> deque[_Waiting]:
        queue = self._waiting.get(business_id)
        if queue is None:
            queue = self._waiting[business_id] = deque()
            task = asyncio.create_task(self._run(business_id, queue), name=f"lane {business_id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return queue

    async def _run(self, business_id: str, queue: deque[_Waiting]) -> None:
        try:
            while queue:
                async with self._connections:
                    await self._finish(business_id, self._take(queue))
        finally:
            # No await between the last look at the queue and here: nobody can have joined it.
            del self._waiting[business_id]
            for _, answer in queue:
                _fail(answer, TryAgain())

    def _take(self, queue: deque[_Waiting]) -> list[_Waiting]:
        """Take what waits, in order, without those that nobody waits for any more.

        A change of the catalogue is taken alone.
        """
        taken: list[_Waiting] = []
        while queue and len(taken) < self._limits.batch_max:
            submission, answer = queue[0]
            alone = not isinstance(submission.command, BookingCommand)
            if alone and taken:
                break
            queue.popleft()
            if answer.cancelled():
                continue
            taken.append((submission, answer))
            if alone:
                break
        return taken

    async def _finish(self, business_id: str, taken: Sequence[_Waiting]) -> None:
        if not taken:
            return
        try:
            done = await self._attempt(business_id, [submission for submission, _ in taken])
        except TryAgain as refusal:
            for _, answer in taken:
                _fail(answer, refusal)
        except Exception as error:
            if len(taken) == 1:
                _fail(taken[0][1], error)
                return
            # One of them may be to blame: the others must not suffer for it.
            logger.warning("a batch failed; its commands run one by one", exc_info=error)
            for each in taken:
                await self._finish(business_id, [each])
        else:
            if done.changes:
                self._on_commit(business_id, done.epoch, done.changes, done.revision_before)
            for (_, answer), result in zip(taken, done.results, strict=True):
                _settle(answer, result)

    async def _attempt(self, business_id: str, submissions: Sequence[Submission]) -> Done:
        for attempt in range(self._limits.attempts_max):
            try:
                async with serialized(self._database, business_id) as tx:
                    if isinstance(submissions[0].command, BookingCommand):
                        return await run_batch(tx, self._catalogs, business_id, submissions)
                    return await run_catalog_change(tx, business_id, submissions[0])
            except Exception as error:
                if not is_retryable(error):
                    raise
                logger.info("attempt %d of a batch failed: %s", attempt + 1, type(error).__name__)
            await asyncio.sleep(self._backoff_seconds(attempt))
        raise TryAgain

    def _backoff_seconds(self, attempt: int) -> float:
        longest = min(0.005 * 2**attempt, self._limits.backoff_seconds_max)
        return random.uniform(longest / 2, longest)  # noqa: S311 (jitter, not a secret)


def _settle(answer: asyncio.Future[bytes], result: Result) -> None:
    if isinstance(result, DomainError):
        _fail(answer, result)
    elif not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[bytes], error: Exception) -> None:
    with suppress(asyncio.InvalidStateError):
        answer.set_exception(error)
