"""Lanes: one queue per business and process. What waits is decided together, in one transaction.

A command waits here, never in PostgreSQL, and its transaction belongs to the lane: a caller that
goes away takes nothing with it. Of several processes one at a time has a batch of a business.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from service.actions.bookings import Done, Result, run_batch
from service.actions.catalog import run_catalog_change
from service.actions.catalog_cache import CatalogCache
from service.actions.submission import Submission
from service.domain.change import Change
from service.domain.commands import BookingCommand
from service.domain.errors import DomainError, Overloaded, TryAgain
from service.ops.failpoints import Failpoint, reach
from service.ops.jitter import JITTER
from service.store.business_lock import serialized
from service.store.database import Database, is_conflict, is_retryable, sqlstate

logger = logging.getLogger(__name__)

Committed = Callable[[str, str, Sequence[Change], int], None]
"""Told after each commit: the business, its epoch, its changes, and the revision before them."""

_Waiting = tuple[Submission, "asyncio.Future[bytes]"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLimits:
    """Limits of one lane; `concurrent_max` is how many lanes have a connection at one time.

    `queue_max`: beyond it a submission is refused as Overloaded. `attempts_max`, and no new attempt
    after `batch_seconds_max`: then TryAgain.
    """

    batch_max: int = 256
    queue_max: int = 4096
    attempts_max: int = 8
    attempt_seconds_max: float = 10.0
    batch_seconds_max: float = 20.0
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
        # Lanes wait for it in the order in which they came, so no business can keep another out.
        self._connections = asyncio.Semaphore(limits.concurrent_max)
        self._draining = False

    def submit(self, submission: Submission) -> asyncio.Future[bytes]:
        """Return what will be the answer: the same bytes for the same request, for at least 24 h.

        Or else the DomainError that refuses it, Overloaded (nothing was changed), or TryAgain (what
        became of it is not known). Who cancels it before its batch begins takes it back.
        """
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        queue = None if self._draining else self._queue(submission.business_id)
        if queue is None or len(queue) >= self._limits.queue_max:
            answer.set_exception(Overloaded())
        else:
            queue.append((submission, answer))
        return answer

    async def drain(self) -> None:
        """Refuse what comes, and finish what waits."""
        self._draining = True
        while self._running:
            await asyncio.wait(self._running)

    def _queue(self, business_id: str) -> deque[_Waiting]:
        queue = self._waiting.get(business_id)
        if queue is None:
            queue = self._waiting[business_id] = deque()
            task = asyncio.create_task(self._run(business_id, queue), name=f"lane {business_id}")
            self._running.add(task)
            task.add_done_callback(partial(self._end, business_id, queue))
        return queue

    async def _run(self, business_id: str, queue: deque[_Waiting]) -> None:
        try:
            while queue:
                await self._finish(business_id, queue)
        finally:
            # No await since the last look at the queue: nobody can have joined it.
            self._leave(business_id, queue)

    def _leave(self, business_id: str, queue: deque[_Waiting]) -> None:
        """Close a lane; if it was broken off, leave nobody waiting in it."""
        if self._waiting.get(business_id) is queue:
            del self._waiting[business_id]
        _give_up(queue)

    def _end(self, business_id: str, queue: deque[_Waiting], task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        # A task that is cancelled before it begins never runs.
        self._leave(business_id, queue)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a lane broke off", exc_info=error)

    async def _finish(self, business_id: str, queue: deque[_Waiting]) -> None:
        """Take a batch of what waits and answer all of it."""
        taken: list[_Waiting] = []
        try:
            done = await self._attempt(business_id, queue, taken)
            self._tell(business_id, done)
            reach(Failpoint.BEFORE_ANSWER)
            for (_, answer), result in zip(taken, done.results, strict=True):
                _settle(answer, result)
        except Exception as error:
            if len(taken) > 1 and not isinstance(error, TryAgain):
                # One of them may be to blame: the others must not suffer for it.
                logger.warning("a batch failed; its commands run one by one", exc_info=error)
                await self._finish_each(business_id, taken)
            elif not isinstance(error, TryAgain) and not is_retryable(error):
                for _, answer in taken:
                    _fail(answer, error)
        finally:
            _give_up(taken)
            # An error has this frame, which must not have the answers that have the error.
            taken.clear()

    async def _finish_each(self, business_id: str, taken: Sequence[_Waiting]) -> None:
        """Run the commands of a batch one by one, as many as there is time for."""
        clock = asyncio.get_running_loop().time
        last_start = clock() + self._limits.batch_seconds_max
        for each in taken:
            if clock() > last_start:
                break
            await self._finish(business_id, deque([each]))

    async def _attempt(
        self, business_id: str, queue: deque[_Waiting], taken: list[_Waiting]
    ) -> Done:
        """Try until it is known what became of a batch. It is taken when its turn has come."""
        clock = asyncio.get_running_loop().time
        last_start = clock() + self._limits.batch_seconds_max
        for attempt in range(self._limits.attempts_max):
            try:
                async with self._connections, asyncio.timeout(self._limits.attempt_seconds_max):
                    if not taken:
                        taken += self._take(queue)
                    return await self._transact(business_id, [each for each, _ in taken])
            except Exception as error:
                # A row that does not fit a second time is no lost race.
                if not is_retryable(error) or (attempt > 0 and is_conflict(error)):
                    raise
                cause = sqlstate(error) or type(error).__name__
                logger.info("attempt %d of a batch failed: %s", attempt + 1, cause)
            backoff_seconds = self._backoff_seconds(attempt)
            if clock() + backoff_seconds > last_start:
                break
            await asyncio.sleep(backoff_seconds)
        raise TryAgain

    async def _transact(self, business_id: str, submissions: Sequence[Submission]) -> Done:
        if not submissions:
            return Done(results=[])
        async with serialized(self._database, business_id) as tx:
            if isinstance(submissions[0].command, BookingCommand):
                return await run_batch(tx, self._catalogs, business_id, submissions)
            return await run_catalog_change(tx, business_id, submissions[0])

    def _take(self, queue: deque[_Waiting]) -> list[_Waiting]:
        """Take what waits, in order, without those that nobody waits for any more.

        A change of the catalogue is taken alone.
        """
        taken: list[_Waiting] = []
        weight = 0
        while queue and weight < self._limits.batch_max:
            submission, answer = queue[0]
            alone = not isinstance(submission.command, BookingCommand)
            if alone and taken:
                break
            queue.popleft()
            if answer.cancelled():
                continue
            taken.append((submission, answer))
            weight += submission.weight
            if alone:
                break
        return taken

    def _tell(self, business_id: str, done: Done) -> None:
        """Say what was committed; whoever is told cannot undo it."""
        if done.changes:
            try:
                self._on_commit(business_id, done.epoch, done.changes, done.revision_before)
            except Exception:
                logger.exception("a commit was not told")

    def _backoff_seconds(self, attempt: int) -> float:
        longest = min(0.005 * 2**attempt, self._limits.backoff_seconds_max)
        return JITTER.uniform(longest / 2, longest)


def _settle(answer: asyncio.Future[bytes], result: Result) -> None:
    if isinstance(result, DomainError):
        _fail(answer, result)
    elif not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[bytes], error: Exception) -> None:
    with suppress(asyncio.InvalidStateError):
        answer.set_exception(error)


def _give_up(waiting: Iterable[_Waiting]) -> None:
    """Say that it is not known what became of those who have no answer."""
    for _, answer in waiting:
        if not answer.done():
            answer.set_exception(TryAgain())
