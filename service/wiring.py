"""Builds one worker process from its settings, line by line, and starts and stops it in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.actions.lanes import LaneLimits, Lanes
from service.live import heap
from service.live.availability import Availability
from service.live.board import Board
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.feed import BookingFeed
from service.live.follower import Follower
from service.live.following import Surroundings
from service.live.grounds import Grounds
from service.live.limits import LiveLimits
from service.live.publisher import Publisher
from service.live.source import LOADS_MAX, Source
from service.live.subscription import Subscription
from service.live.tokens import Tokens
from service.live.watchers import Watchers
from service.ops.tasks import cancelled
from service.rpc.convert.frames import FrameCodec
from service.rpc.interceptors.rate_limit import Counters
from service.rpc.server import Parts, RpcServer, ServerOptions
from service.settings import Settings, token_secret_bytes
from service.store.database import Database

READING_CONNECTIONS = 2
"""Of the pool, how many the lanes leave to those who read."""


@asynccontextmanager
async def built_parts(settings: Settings) -> AsyncIterator[Parts]:
    """Build what the server answers with; all of it runs until the block ends."""
    assert settings.database_url is not None
    limits = LiveLimits(
        heartbeat_seconds=settings.heartbeat_seconds,
        verify_seconds=settings.verify_seconds,
        stream_age_seconds_max=settings.stream_age_seconds_max,
        web_stream_age_seconds_max=settings.web_stream_age_seconds_max,
    )
    monotonic = time.monotonic
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, pool_size=settings.pool_size)
        stack.push_async_callback(database.close)
        frames = FrameCodec(settings.stale_after_seconds)
        tokens = Tokens(token_secret_bytes(settings))
        clock, days = DatabaseClock(monotonic), DayCache()
        source = Source(database, loads_max=min(LOADS_MAX, max(1, settings.pool_size // 2)))
        board = Board(
            clock=clock,
            days=days,
            tokens=tokens,
            encode=frames.encode,
            monotonic=monotonic,
            limits=limits,
        )
        around = Surroundings(source=source, clock=clock, days=days, board=board)
        follower = Follower(around, monotonic=monotonic, limits=limits)
        stack.push_async_callback(follower.stop)
        await follower.start()
        grounds = Grounds(
            follower=follower,
            source=source,
            days=days,
            clock=clock,
            monotonic=monotonic,
            limits=limits,
        )
        publisher = Publisher(settings.redis_url, follower, monotonic)
        stack.push_async_callback(publisher.stop)
        await publisher.start()
        if settings.redis_url is not None:
            subscription = Subscription(settings.redis_url, follower, monotonic)
            stack.push_async_callback(subscription.stop)
            await subscription.start()
        counters = Counters(settings.redis_url)
        stack.push_async_callback(counters.close)
        lanes = Lanes(database, _lane_limits(settings), publisher.committed)
        stack.push_async_callback(lanes.drain)
        janitor = Janitor(
            database,
            _retention(settings),
            JanitorLimits(interval_seconds=settings.janitor_interval_seconds),
        )
        sweeping = asyncio.create_task(janitor.run(), name="janitor")
        stack.push_async_callback(cancelled, sweeping)
        yield Parts(
            database=database,
            follower=follower,
            lanes=lanes,
            availability=Availability(grounds=grounds, clock=clock, monotonic=monotonic),
            watchers=Watchers(
                follower=follower, board=board, tokens=tokens, monotonic=monotonic, limits=limits
            ),
            feed=BookingFeed(
                follower=follower, source=source, tokens=tokens, monotonic=monotonic, limits=limits
            ),
            tokens=tokens,
            frames=frames,
            counters=counters,
        )


@asynccontextmanager
async def built_server(settings: Settings, *, reuse_port: bool) -> AsyncIterator[tuple[str, Parts]]:
    """Serve until the block ends, then drain. Yields where it listens."""
    async with built_parts(settings) as parts:
        server = RpcServer(parts, _server_options(settings, reuse_port=reuse_port))
        port = await server.start()
        try:
            yield f"{settings.listen_address.rpartition(':')[0]}:{port}", parts
        finally:
            await server.drain()


async def run_worker(settings: Settings, *, ready_fd: int) -> None:
    """Serve in this process until SIGTERM, or until the parent is gone; then drain."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_reader(sys.stdin.fileno(), _stop_when_orphaned, stopping)
    heap.collect_less_often()
    async with built_server(settings, reuse_port=True):
        os.write(ready_fd, b"1")
        os.close(ready_fd)
        await stopping.wait()


def _stop_when_orphaned(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()


def _retention(settings: Settings) -> Retention:
    return Retention(
        requests=timedelta(hours=settings.request_retention_hours),
        changes=timedelta(hours=settings.change_retention_hours),
    )


def _lane_limits(settings: Settings) -> LaneLimits:
    return LaneLimits(
        batch_max=settings.lane_batch_max,
        queue_max=settings.lane_queue_max,
        attempts_max=settings.transaction_attempts_max,
        concurrent_max=max(1, settings.pool_size - READING_CONNECTIONS),
    )


def _server_options(settings: Settings, *, reuse_port: bool) -> ServerOptions:
    return ServerOptions(
        listen_address=settings.listen_address,
        message_bytes_max=settings.message_bytes_max,
        metadata_bytes_max=settings.metadata_bytes_max,
        concurrent_streams_max=settings.concurrent_streams_max,
        reuse_port=reuse_port,
        reflection_enabled=settings.reflection_enabled,
        drain_seconds=settings.drain_seconds,
        key_cache_seconds=settings.key_cache_seconds,
        rate_limit_per_key_per_minute=settings.rate_limit_per_key_per_minute,
        rate_limit_per_client_per_minute=settings.rate_limit_per_client_per_minute,
    )
