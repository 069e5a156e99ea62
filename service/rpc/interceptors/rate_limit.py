"""How many calls a key, and each of its clients, may make in a minute: on all servers, by Redis.

A client is what it says it is, by its `x-client-id`: its limit is for sharing a key fairly among
those that mean well. Who names new clients evades it, and meets the limit of the key.

A server takes permits in leases of a hundredth of the limit, so that most calls ask nobody. Without
Redis each server counts for itself: limits then hold per server, and no call waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from service.domain.errors import RateLimited
from service.rpc.call import Behaviour, Call
from service.rpc.interceptors.layer import Layer
from service.rpc.methods import Method

logger = logging.getLogger(__name__)

Monotonic = Callable[[], float]

LEASES_PER_LIMIT = 100
WINDOW_SECONDS = 60.0
REFUSAL_SECONDS = 0.1
"""How long a refusal is repeated without asking again."""


class RateLimit(Layer):
    """Refuses calls beyond the limits."""

    def __init__(self, limiter: RateLimiter) -> None:
        """Take what counts."""
        super().__init__()
        self._limiter = limiter

    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Take a permit first."""

        async def answer(request: Any, call: Call) -> Any:
            await self._limiter.take(call.principal.principal_id, call.client)
            return await inner(request, call)

        return answer


class RateLimiter:
    """The two limits, and the counters behind them."""

    def __init__(
        self,
        counters: Counters,
        *,
        per_key_per_minute: int,
        per_client_per_minute: int,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Take the counters, which are shared by the limits."""
        self._keys = _Meter("key", per_key_per_minute, counters, monotonic)
        self._clients = _Meter("client", per_client_per_minute, counters, monotonic)

    async def take(self, key_id: str, client: str) -> None:
        """Take a permit of the key and one of its client, or raise RateLimited."""
        who = f"{key_id}/{client}"
        if not self._clients.take_leased(who):
            await self._clients.take(who)
        if not self._keys.take_leased(key_id):
            await self._keys.take(key_id)


@dataclass(slots=True)
class _Lease:
    permits: int
    until: float
    refused_until: float = 0.0
    taking: asyncio.Task[int] | None = None


class _Meter:
    """One limit: a lease for everyone who has called lately."""

    # Who was idle for longest loses the rest of a lease: at most a hundredth of what is his.
    LEASES_MAX = 20_000

    def __init__(self, kind: str, limit: int, counters: Counters, monotonic: Monotonic) -> None:
        self._item = RateLimitItemPerMinute(limit, namespace=kind)
        self._size = max(1, limit // LEASES_PER_LIMIT)
        self._text = f"{limit} per 1 minute"
        self._counters = counters
        self._monotonic = monotonic
        self._leases: OrderedDict[str, _Lease] = OrderedDict()

    def take_leased(self, who: str) -> bool:
        """Take a permit of a lease, if there is one."""
        lease = self._leases.get(who)
        if lease is None or lease.permits == 0 or lease.until <= self._monotonic():
            return False
        lease.permits -= 1
        return True

    async def take(self, who: str) -> None:
        """Take a new lease and a permit of it, or raise RateLimited."""
        lease = self._lease(who)
        # The one that waits first may find that others, before it, have used the lease up.
        while not self.take_leased(who):
            if lease.refused_until > self._monotonic():
                raise RateLimited(limit=self._text)
            if lease.taking is None:
                lease.taking = asyncio.create_task(self._renew(who, lease))
            await asyncio.shield(lease.taking)

    def _lease(self, who: str) -> _Lease:
        lease = self._leases.get(who)
        if lease is None:
            lease = self._leases[who] = _Lease(permits=0, until=0.0)
            if len(self._leases) > self.LEASES_MAX:
                self._leases.popitem(last=False)
        self._leases.move_to_end(who)
        return lease

    async def _renew(self, who: str, lease: _Lease) -> int:
        try:
            permits = await self._counters.take(self._item, who, self._size)
            now = self._monotonic()
            lease.permits, lease.until = permits, now + WINDOW_SECONDS
            if permits == 0:
                lease.refused_until = now + REFUSAL_SECONDS
            return permits
        finally:
            lease.taking = None


class Counters:
    """Counts permits in Redis, and in memory while Redis does not answer in time."""

    WAIT_SECONDS_MAX = 0.05
    # After a failure Redis is left alone for so long.
    BREAK_SECONDS = 2.0
    CONNECTIONS_MAX = 16
    MEMORY_COUNTERS_MAX = 100_000

    def __init__(
        self,
        redis_url: str | None,
        *,
        wait_seconds_max: float = WAIT_SECONDS_MAX,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Take the address of Redis; None: count in memory only. Nothing is connected yet."""
        self._wait_seconds_max = wait_seconds_max
        self._monotonic = monotonic
        self._broken_until = 0.0
        self._is_broken = False
        self._memory = MemoryStorage()
        self._in_memory = SlidingWindowCounterRateLimiter(self._memory)
        self._pool: redis.asyncio.ConnectionPool | None = None
        self._in_redis: SlidingWindowCounterRateLimiter | None = None
        if redis_url is not None:
            self._pool = redis.asyncio.ConnectionPool.from_url(
                redis_url,
                max_connections=self.CONNECTIONS_MAX,
                socket_connect_timeout=wait_seconds_max,
                socket_timeout=wait_seconds_max,
            )
            storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix="slotcast:limits",
                connection_pool=self._pool,  # type: ignore[arg-type]  # it is handed on as it is
            )
            self._in_redis = SlidingWindowCounterRateLimiter(storage)

    async def take(self, item: RateLimitItemPerMinute, who: str, most: int) -> int:
        """Return `most` permits; 1 where so many are not left; 0: none is."""
        if self._in_redis is not None and self._broken_until <= self._monotonic():
            # Until it has answered, the others do not wait for it as well.
            if self._is_broken:
                self._broken_until = self._monotonic() + self.BREAK_SECONDS
            try:
                async with asyncio.timeout(self._wait_seconds_max):
                    permits = await _take(self._in_redis, item, who, most)
            except (RedisError, OSError, TimeoutError) as error:
                self._break(error)
            else:
                self._mend()
                return permits
        if len(self._memory.storage) > self.MEMORY_COUNTERS_MAX:
            await self._memory.reset()
        return await _take(self._in_memory, item, who, most)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    def _break(self, error: Exception) -> None:
        self._broken_until = self._monotonic() + self.BREAK_SECONDS
        if not self._is_broken:
            logger.warning("Rate limits are counted in memory: Redis gave %s", type(error).__name__)
        self._is_broken = True

    def _mend(self) -> None:
        if self._is_broken:
            logger.info("Rate limits are counted in Redis again")
        self._is_broken = False
        self._broken_until = 0.0


async def _take(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, who: str, most: int
) -> int:
    for permits in sorted({most, 1}, reverse=True):
        if await limiter.hit(item, who, cost=permits):
            return permits
    return 0
