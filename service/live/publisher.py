"""The publisher: tells of commits, in this process at once, and to others through Redis."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.domain.change import Change
from service.live.follower import Follower
from service.live.hints import Hint, channel_of, hint_to_json
from service.ops.failpoints import Failpoint, reach
from service.ops.tasks import cancelled

QUEUE_MAX = 1_000
"""Hints that wait for Redis; beyond it the oldest are dropped, and followers find out."""
REDIS_SECONDS_MAX = 0.05
PAUSE_SECONDS_MIN = 0.05
PAUSE_SECONDS_MAX = 1.0

_log = logging.getLogger(__name__)


class Publisher:
    """Sends hints. It never delays a commit, and never fails one."""

    def __init__(
        self, redis_url: str | None, follower: Follower | None, monotonic: Callable[[], float]
    ) -> None:
        """Take where Redis is, without which only this process is told, and who is told here."""
        self._redis_url = redis_url
        self._follower = follower
        self._monotonic = monotonic
        self._waiting: deque[Hint] = deque()
        self._is_waiting = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._paused_until = 0.0
        self._pause_seconds = 0.0
        self.dropped = 0
        self.published = 0

    def committed(
        self, business_id: str, epoch: str, changes: Sequence[Change], revision_before: int
    ) -> None:
        """Tell of changes that were committed. Never waits, never raises."""
        if self._follower is not None:
            self._tell(self._follower, business_id, epoch, changes)
        if self._redis_url is None or not changes:
            return
        if self._monotonic() < self._paused_until:
            self.dropped += 1
            return
        if len(self._waiting) >= QUEUE_MAX:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(
            Hint(
                business_id=business_id,
                epoch=epoch,
                revision=changes[-1].revision,
                revision_before=revision_before,
                changes=tuple(changes),
            )
        )
        self._is_waiting.set()

    def _tell(
        self, follower: Follower, business_id: str, epoch: str, changes: Sequence[Change]
    ) -> None:
        try:
            follower.committed(business_id, epoch, changes)
        except Exception:
            _log.exception("A commit could not be followed at once.")
            follower.verify_soon()

    async def start(self) -> None:
        """Begin to send."""
        if self._redis_url is not None:
            self._task = asyncio.create_task(self._run(self._redis_url))

    async def stop(self) -> None:
        """End; what still waits is dropped."""
        await cancelled(self._task)

    async def _run(self, redis_url: str) -> None:
        redis = Redis.from_url(
            redis_url,
            socket_timeout=REDIS_SECONDS_MAX,
            socket_connect_timeout=REDIS_SECONDS_MAX,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            while True:
                await self._is_waiting.wait()
                self._is_waiting.clear()
                hints = list(self._waiting)
                self._waiting.clear()
                await self._publish(redis, hints)
        finally:
            await redis.aclose()

    async def _publish(self, redis: Redis, hints: Sequence[Hint]) -> None:
        reach(Failpoint.BEFORE_HINT)
        try:
            async with redis.pipeline(transaction=False) as pipeline:
                for hint in hints:
                    pipeline.publish(channel_of(hint.business_id), hint_to_json(hint))
                await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)
            self.dropped += len(hints)
        else:
            self._pause_seconds = 0.0
            self.published += len(hints)

    def _pause(self, error: Exception) -> None:
        """Leave Redis alone for a while, each time longer."""
        if not self._pause_seconds:
            _log.warning("Redis takes no hints (%s); streams are kept right by PostgreSQL.", error)
        longer = max(2 * self._pause_seconds, PAUSE_SECONDS_MIN)
        self._pause_seconds = min(longer, PAUSE_SECONDS_MAX)
        self._paused_until = self._monotonic() + self._pause_seconds
