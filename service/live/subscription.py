"""The subscription: hears the hints of other processes, and knows when it may have missed some."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.live.follower import Follower
from service.live.hints import channel_of, hint_from_json
from service.live.signals import Signal
from service.ops.tasks import cancelled

TURN_SECONDS = 0.2
"""How soon after a business is first followed its channel is subscribed, at the latest."""
PING_SECONDS = 1.5
SILENCE_SECONDS_MAX = 5.0
"""Redis answers each ping; a connection that is silent for so long is dead, whatever TCP says."""
CONNECT_SECONDS_MAX = 1.0
PAUSE_SECONDS_MIN = 0.05
PAUSE_SECONDS_MAX = 1.0

_log = logging.getLogger(__name__)


class Subscription:
    """One connection, of one task. Whenever a channel is confirmed, hints may have been lost."""

    def __init__(self, redis_url: str, follower: Follower, monotonic: Callable[[], float]) -> None:
        """Take where Redis is."""
        self._redis_url = redis_url
        self._follower = follower
        self._monotonic = monotonic
        self._task: asyncio.Task[None] | None = None
        self._channels: set[str] = set()
        self._pause_seconds = 0.0
        self.confirmed: set[str] = set()
        self.changed = Signal()

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        await cancelled(self._task)

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                await self._pause(error)
            except Exception as error:
                _log.exception("Hints could not be read.")
                await self._pause(error)

    async def _pause(self, error: Exception) -> None:
        if not self._pause_seconds:
            _log.warning("Redis gives no hints (%s); PostgreSQL is asked every second.", error)
        longer = max(2 * self._pause_seconds, PAUSE_SECONDS_MIN)
        self._pause_seconds = min(longer, PAUSE_SECONDS_MAX)
        await asyncio.sleep(self._pause_seconds)

    async def _listen(self) -> None:
        """Listen on a new connection until it breaks."""
        redis = Redis.from_url(
            self._redis_url,
            socket_timeout=CONNECT_SECONDS_MAX,
            socket_connect_timeout=CONNECT_SECONDS_MAX,
            socket_keepalive=True,
            # It must not connect anew by itself: what is said meanwhile would be missed unnoticed.
            retry=Retry(NoBackoff(), 0),
        )
        self._channels, self.confirmed = set(), set()
        try:
            async with redis.pubsub() as pubsub:
                await self._listen_on(pubsub)
        finally:
            self.confirmed = set()
            self.changed.fire()
            await redis.aclose()

    async def _listen_on(self, pubsub: PubSub) -> None:
        heard_at = pinged_at = self._monotonic()
        while True:
            await self._follow_channels(pubsub)
            if not self._channels:
                heard_at = self._monotonic()
                await asyncio.sleep(TURN_SECONDS)
                continue
            message = await pubsub.get_message(timeout=TURN_SECONDS)
            now = self._monotonic()
            if message is not None:
                heard_at = now
                self._pause_seconds = 0.0
                self._hear(message)
            elif now - heard_at > SILENCE_SECONDS_MAX:
                raise TimeoutError("it is silent")
            if now - pinged_at > PING_SECONDS:
                pinged_at = now
                await pubsub.ping()

    async def _follow_channels(self, pubsub: PubSub) -> None:
        wanted = {channel_of(business_id) for business_id in self._follower.business_ids}
        come, gone = wanted - self._channels, self._channels - wanted
        if come:
            await pubsub.subscribe(*come)
        if gone:
            await pubsub.unsubscribe(*gone)
        self._channels = wanted

    def _hear(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "subscribe":
                self.confirmed.add(message["channel"].decode())
                self.changed.fire()
                self._follower.verify_soon()
            case "message":
                hint = hint_from_json(message["data"])
                if hint is not None:
                    self._follower.hinted(hint)
