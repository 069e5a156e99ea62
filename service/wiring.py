"""Builds one worker process from its settings, line by line, and starts and stops it in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta

from service.actions.erasing import Eraser
from service.actions.feeds import FeedRefresher
from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.actions.lanes import Committed, LaneLimits, Lanes
from service.actions.offering import Offering
from service.domain.change import Change
from service.domain.delivery import Channel
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
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.delivery import Consumer, Sender
from service.notify.letters.consumer import LettersConsumer
from service.notify.letters.sender import LetterSender, LetterSettings
from service.notify.letters.smtp import MailServer, Postbox
from service.notify.notifier import Notifier, NotifierLimits
from service.notify.webhooks.planning import WebhooksConsumer
from service.notify.webhooks.sending import WebhookSender
from service.ops.outbound import CONNECTIONS_MAX, Outbound
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
    limits, monotonic = _live_limits(settings), time.monotonic
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
        erasing = asyncio.create_task(Eraser(database).run(), name="eraser")
        stack.push_async_callback(cancelled, erasing)
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
            outbound=await stack.enter_async_context(_outbound(settings)),
            consumers=_consumers(settings),
        )


@asynccontextmanager
async def built_notifier(settings: Settings) -> AsyncIterator[Notifier]:
    """Run a notifier until the block ends, then finish what is being sent."""
    assert settings.database_url is not None
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, pool_size=settings.pool_size)
        stack.push_async_callback(database.close)
        publisher = Publisher(settings.redis_url, None, time.monotonic)
        stack.push_async_callback(publisher.stop)
        await publisher.start()
        outbound = Outbound(
            allow_private=settings.outbound_private, connections_per_host_max=CONNECTIONS_MAX
        )
        stack.push_async_callback(outbound.close)
        following = Consumers(database, _consumers(settings), ConsumerLimits())
        lanes = Lanes(database, _lane_limits(settings), _both(publisher.committed, following))
        stack.push_async_callback(lanes.drain)
        # Of their own: slow receivers of webhooks must not make feeds look unreachable.
        fetching = await stack.enter_async_context(_outbound(settings))
        refresher = FeedRefresher(database=database, lanes=lanes, outbound=fetching)
        notifier = Notifier(
            database,
            following,
            Deliverer(database, _senders(settings, database, outbound)),
            NotifierLimits(),
            loops={
                "waitlist": Offering(
                    database, lanes, letters_are_on=settings.smtp_url is not None
                ).run,
                "feeds": refresher.run,
            },
        )
        stack.push_async_callback(notifier.stop, settings.drain_seconds)
        await notifier.start()
        yield notifier


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
    heap.collect_less_often()
    await _run(built_server(settings, reuse_port=True), ready_fd)


async def run_notifier(settings: Settings, *, ready_fd: int) -> None:
    """Notify in this process until SIGTERM, or until the parent is gone; then finish."""
    await _run(built_notifier(settings), ready_fd)


async def _run(built: AbstractAsyncContextManager[object], ready_fd: int) -> None:
    """Run what is built until this process is told to stop, and say when it works."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_reader(sys.stdin.fileno(), _stop_when_orphaned, stopping)
    async with built:
        os.write(ready_fd, b"1")
        os.close(ready_fd)
        await stopping.wait()


def _stop_when_orphaned(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()


def _consumers(settings: Settings) -> list[Consumer]:
    """Return who follows the log. Without a mail server, letters are owed to nobody."""
    return [LettersConsumer(is_on=settings.smtp_url is not None), WebhooksConsumer()]


def _senders(settings: Settings, database: Database, outbound: Outbound) -> dict[Channel, Sender]:
    """Return who sends what is planned."""
    senders: dict[Channel, Sender] = {Channel.WEBHOOK: WebhookSender(database, outbound)}
    if settings.smtp_url is not None:
        senders[Channel.LETTER] = LetterSender(
            database,
            Postbox(MailServer.from_url(settings.smtp_url)),
            LetterSettings(
                sender=settings.mail_sender,
                public_url=settings.public_url,
                secret=token_secret_bytes(settings),
                per_recipient_per_day_max=settings.letters_per_recipient_per_day_max,
            ),
        )
    return senders


def _both(tell: Committed, following: Consumers) -> Committed:
    """Tell of a commit of this process, and wake who follows the log here."""

    def committed(
        business_id: str, epoch: str, changes: Sequence[Change], revision_before: int
    ) -> None:
        tell(business_id, epoch, changes, revision_before)
        following.wake()

    return committed


def _live_limits(settings: Settings) -> LiveLimits:
    return LiveLimits(
        heartbeat_seconds=settings.heartbeat_seconds,
        verify_seconds=settings.verify_seconds,
        stream_age_seconds_max=settings.stream_age_seconds_max,
        web_stream_age_seconds_max=settings.web_stream_age_seconds_max,
    )


def _outbound(settings: Settings) -> Outbound:
    return Outbound(allow_private=settings.outbound_private)


def _retention(settings: Settings) -> Retention:
    return Retention(
        requests=timedelta(hours=settings.request_retention_hours),
        changes=timedelta(hours=settings.change_retention_hours),
        handoffs=timedelta(hours=settings.request_retention_hours),
        consumer_lag_max=timedelta(hours=settings.consumer_lag_hours_max),
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
        public_url=settings.public_url or "",
        rate_limit_per_key_per_minute=settings.rate_limit_per_key_per_minute,
        rate_limit_per_client_per_minute=settings.rate_limit_per_client_per_minute,
    )
