"""How many calls a key and a client may make."""

import asyncio

import pytest
import redis.asyncio

from service.domain.errors import RateLimited
from service.rpc.interceptors.rate_limit import Counters, RateLimiter


class Time:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Time()


@pytest.fixture
async def counters(redis_url, now):
    """Counters in an empty Redis, which is given all the time that it takes."""
    client = redis.asyncio.Redis.from_url(redis_url)
    await client.flushdb()
    await client.aclose()
    counters = Counters(redis_url, monotonic=now, wait_seconds_max=10.0)
    yield counters
    await counters.close()


def a_limiter(counters, now, *, per_key=1_000_000, per_client=1_000_000):
    return RateLimiter(
        counters, per_key_per_minute=per_key, per_client_per_minute=per_client, monotonic=now
    )


async def count(limiter, key="k1", client="c1", most=2000):
    """Call until refused, and return how many calls were let through."""
    for number in range(most):
        try:
            await limiter.take(key, client)
        except RateLimited:
            return number
    return most


@pytest.mark.parametrize("limit", [1, 7, 100, 250])
async def test_a_key_is_let_through_as_often_as_its_limit_says(counters, now, limit):
    assert await count(a_limiter(counters, now, per_key=limit)) == limit


async def test_a_client_is_limited_by_itself(counters, now):
    limiter = a_limiter(counters, now, per_client=5)

    assert [await count(limiter, client=client) for client in ("c1", "c2", "c1")] == [5, 5, 0]


async def test_the_clients_of_two_keys_are_not_mixed_up(counters, now):
    limiter = a_limiter(counters, now, per_client=5)

    assert [await count(limiter, key=key) for key in ("k1", "k2")] == [5, 5]


async def test_a_refusal_names_the_limit_and_when_to_come_back(counters, now):
    limiter = a_limiter(counters, now, per_key=1)
    await limiter.take("k1", "c1")

    with pytest.raises(RateLimited) as refused:
        await limiter.take("k1", "c1")

    assert refused.value.metadata == {"limit": "1 per 1 minute"}
    assert refused.value.retry_after_seconds


async def test_servers_share_a_limit_to_the_last_permit(counters, redis_url, now):
    other = Counters(redis_url, monotonic=now, wait_seconds_max=10.0)
    limiters = [a_limiter(each, now, per_key=250) for each in (counters, other)]

    let_through = [await count(limiter) for limiter in limiters]
    await other.close()

    assert let_through == [250, 0]


async def test_most_calls_ask_nobody(counters, now, monkeypatch):
    asked = []
    take = Counters.take

    async def counted(self, *arguments):
        asked.append(arguments)
        return await take(self, *arguments)

    monkeypatch.setattr(Counters, "take", counted)
    limiter = a_limiter(counters, now, per_key=1000, per_client=2000)

    assert await count(limiter, most=500) == 500
    assert len(asked) == 50 + 25


async def test_what_is_left_of_a_lease_is_not_used_in_a_later_window(counters, now):
    limiter = a_limiter(counters, now, per_key=1000)
    await limiter.take("k1", "c1")

    now.seconds += 61

    assert not limiter._keys.take_leased("k1")


async def test_callers_at_once_get_no_more_than_the_limit(counters, now):
    limiter = a_limiter(counters, now, per_key=30)

    results = await asyncio.gather(
        *(limiter.take("k1", "c1") for _ in range(100)), return_exceptions=True
    )

    assert results.count(None) == 30
    assert sum(isinstance(result, RateLimited) for result in results) == 70


async def test_without_redis_calls_are_counted_in_memory(now):
    limiter = a_limiter(Counters(None, monotonic=now), now, per_key=250)

    assert await count(limiter) == 250


class SilentServer:
    """Accepts connections and never answers, as a Redis that hangs."""

    async def __aenter__(self):
        self.connections = 0
        self._writers = []
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _accept(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"


async def test_a_redis_that_hangs_is_left_alone_and_asked_again_later(now):
    async with SilentServer() as server:
        counters = Counters(server.url, monotonic=now)
        limiter = a_limiter(counters, now, per_key=250)

        assert await count(limiter) == 250
        assert server.connections == 1
        now.seconds += Counters.BREAK_SECONDS
        await count(limiter, key="k2", most=1)

        assert server.connections == 2
        await counters.close()


async def test_once_redis_is_back_it_counts_again(counters, redis_url, now):
    limiter = a_limiter(counters, now, per_key=5)
    counters._break(OSError())
    await count(limiter, most=3)

    now.seconds += Counters.BREAK_SECONDS
    await count(limiter, most=1)
    client = redis.asyncio.Redis.from_url(redis_url)
    keys = await client.keys("slotcast:limits*")
    await client.aclose()

    assert keys
