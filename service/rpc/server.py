"""The gRPC server: layers in their order, services, health and reflection, and how it stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service.actions.lanes import Lanes
from service.domain.capability import Capability
from service.live.availability import Availability
from service.live.feed import BookingFeed
from service.live.follower import Follower
from service.live.tokens import Tokens
from service.live.watchers import Watchers
from service.notify.delivery import Consumer
from service.ops.outbound import Outbound
from service.ops.tasks import cancelled
from service.rpc.alternatives import AlternativeSlots
from service.rpc.availability import AvailabilityService
from service.rpc.bookings import BookingService
from service.rpc.busy_feeds import BusyFeeds
from service.rpc.busy_import import BusyImport
from service.rpc.calendar_feeds import READS_PER_LINK_PER_MINUTE_MAX, CalendarFeeds
from service.rpc.call import Behaviour
from service.rpc.catalog import CatalogService
from service.rpc.convert.frames import FrameCodec
from service.rpc.deliveries import DeliveryMethods
from service.rpc.events import EventService
from service.rpc.feed_links import FeedLinks
from service.rpc.handlers import add_service
from service.rpc.handoffs import Handoffs
from service.rpc.interceptors.authentication import Authentication, KeyRing
from service.rpc.interceptors.capabilities import CapabilityRing
from service.rpc.interceptors.errors import Errors
from service.rpc.interceptors.layer import Layer
from service.rpc.interceptors.rate_limit import Counters, RateLimit, RateLimiter
from service.rpc.interceptors.request_log import RequestLog
from service.rpc.interceptors.validation import Validation
from service.rpc.methods import SERVICES
from service.rpc.replies import Replies
from service.rpc.stream_bookings import StreamedBookings
from service.rpc.submitting import Submitter
from service.rpc.waitlist import WaitlistMethods
from service.rpc.webhooks import WebhookMethods
from service.store import api_keys, batch, capabilities
from service.store.api_keys import ApiKey
from service.store.capabilities import Standing
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerOptions:
    """What may be set of the server. A port of 0 is one that is free."""

    listen_address: str = "127.0.0.1:0"
    message_bytes_max: int = 1_048_576
    metadata_bytes_max: int = 16_384
    # Of one connection, and of all of them.
    concurrent_streams_max: int = 1000
    concurrent_calls_max: int = 20_000
    reuse_port: bool = False
    # A client that pings more often than that, while nothing is sent, is sent away.
    ping_seconds_min: float = 10.0
    reflection_enabled: bool = False
    drain_seconds: float = 10.0
    key_cache_seconds: float = 10.0
    # What addresses that are given out begin with; empty: they are paths.
    public_url: str = ""
    rate_limit_per_key_per_minute: int = 600_000
    rate_limit_per_client_per_minute: int = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What the server answers with. Who made it also stops it, after the server."""

    database: Database
    follower: Follower
    lanes: Lanes
    availability: Availability
    watchers: Watchers
    feed: BookingFeed
    tokens: Tokens
    frames: FrameCodec
    counters: Counters
    outbound: Outbound
    # Who plans what follows a change, where it is to be planned again.
    consumers: Sequence[Consumer]


class RpcServer:
    """Serves the API on one address."""

    def __init__(self, parts: Parts, options: ServerOptions) -> None:
        """Make the server; it listens once it is started."""
        limiter = RateLimiter(
            parts.counters,
            per_key_per_minute=options.rate_limit_per_key_per_minute,
            per_client_per_minute=options.rate_limit_per_client_per_minute,
        )
        self._parts = parts
        self._options = options
        self._health = health.aio.HealthServicer()
        self._telling: asyncio.Task[None] | None = None
        self._server = grpc.aio.server(
            interceptors=_layers(parts, limiter, options),
            options=_channel_options(options),
            # Beyond it calls are refused with RESOURCE_EXHAUSTED before any work is done for them.
            maximum_concurrent_rpcs=options.concurrent_calls_max,
        )
        services, self._streamed = _services(parts, limiter, options.public_url)
        for name, behaviours in services.items():
            add_service(self._server, name, behaviours)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [service.full_name for service in SERVICES.values()]
        self._service_names = (health.OVERALL_HEALTH, *names)
        if options.reflection_enabled:
            reflection.enable_server_reflection(
                (*names, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
            )

    async def start(self) -> int:
        """Listen, and return the port."""
        port = self._server.add_insecure_port(self._options.listen_address)
        await self._server.start()
        await self._set_serving(not self._parts.follower.is_blind)
        self._telling = asyncio.create_task(self._tell_health(), name="health")
        return port

    async def _tell_health(self) -> None:
        """Say that calls are not welcome while PostgreSQL does not answer. Redis is not asked.

        In a task of its own: whoever watches and does not read must not hold up the follower.
        """
        follower, told = self._parts.follower, None
        while True:
            if (is_blind := follower.is_blind) != told:
                await self._set_serving(not is_blind)
                told = is_blind
            else:
                await follower.sight_changed.wait()

    async def _stop_telling(self) -> None:
        await cancelled(self._telling)

    async def _set_serving(self, serving: bool) -> None:
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if serving else statuses.NOT_SERVING
        for name in self._service_names:
            await self._health.set(name, status)

    async def drain(self) -> None:
        """Stop so that nobody loses anything: end streams as planned, and finish calls."""
        stops_at = time.monotonic() + self._options.drain_seconds
        await self._stop_telling()
        await self._health.enter_graceful_shutdown()
        self._streamed.drain()
        try:
            async with asyncio.timeout(self._options.drain_seconds):
                await asyncio.gather(self._parts.watchers.drain(), self._parts.feed.drain())
        except TimeoutError:
            # Their readers do not take what they are sent. They resume with what they have.
            pass
        await self._server.stop(max(stops_at - time.monotonic(), 0.0))

    async def stop_at_once(self) -> None:
        """Stop without waiting for anyone."""
        await self._stop_telling()
        await self._server.stop(0)


def _layers(parts: Parts, limiter: RateLimiter, options: ServerOptions) -> list[Layer]:
    async def find_key(key_id: str) -> ApiKey | None:
        async with parts.database.snapshot(ALL_BUSINESSES) as tx:
            return await api_keys.find(tx, key_id)

    async def find_standing(capability: Capability) -> Standing:
        async with parts.database.snapshot(capability.business_id) as tx:
            return await capabilities.find_standing(tx, capability)

    async def was_answered(capability: Capability, request_id: str) -> bool:
        key = (capability.principal_id, request_id)
        async with parts.database.snapshot(capability.business_id) as tx:
            return key in await batch.read_answered(tx, capability.business_id, [key])

    seconds = options.key_cache_seconds
    ring = CapabilityRing(
        parts.tokens.capability_key, find_standing, was_answered, cache_seconds=seconds
    )
    return [
        Errors(),
        RequestLog(),
        Authentication(KeyRing(find_key, cache_seconds=seconds), ring),
        RateLimit(limiter),
        Validation(),
    ]


def _services(
    parts: Parts, limiter: RateLimiter, public_url: str
) -> tuple[Mapping[str, Mapping[str, Behaviour]], StreamedBookings]:
    submitter = Submitter(parts.lanes, AlternativeSlots(parts.database, parts.availability))
    bookings = BookingService(
        submitter=submitter,
        database=parts.database,
        feed=parts.feed,
        frames=parts.frames,
        tokens=parts.tokens,
        take_permit=limiter.take,
        handoffs=Handoffs(parts.tokens.capability_key, public_url),
    )
    waitlist = WaitlistMethods(
        submitter=submitter,
        database=parts.database,
        availability=parts.availability,
        tokens=parts.tokens,
    )
    availability = AvailabilityService(
        availability=parts.availability, watchers=parts.watchers, tokens=parts.tokens
    )
    calendar_feeds = CalendarFeeds(
        database=parts.database,
        limiter=RateLimiter(
            parts.counters,
            per_key_per_minute=READS_PER_LINK_PER_MINUTE_MAX,
            per_client_per_minute=READS_PER_LINK_PER_MINUTE_MAX,
        ),
    )
    feed_links = FeedLinks(database=parts.database, public_url=public_url)
    catalog = CatalogService(
        submitter=submitter,
        database=parts.database,
        tokens=parts.tokens,
        busy_import=BusyImport(
            submitter=submitter, database=parts.database, outbound=parts.outbound
        ),
        busy_feeds=BusyFeeds(submitter=submitter, database=parts.database),
        calendar_feeds=calendar_feeds,
    )
    events = EventService(
        watch_slots=availability.watch_availability, watch_bookings=bookings.watch_bookings
    )
    services = {
        "EventService": events.behaviours(),
        "AvailabilityService": availability.behaviours(),
        "BookingService": {**bookings.behaviours(), **waitlist.behaviours()},
        "CatalogService": {**catalog.behaviours(), **feed_links.behaviours()},
        "NotificationService": {
            **WebhookMethods(database=parts.database, outbound=parts.outbound).behaviours(),
            **DeliveryMethods(
                database=parts.database, tokens=parts.tokens, consumers=parts.consumers
            ).behaviours(),
            **Replies(lanes=parts.lanes, database=parts.database).behaviours(),
        },
        "FeedService": {"GetSharedFeed": calendar_feeds.get_shared},
    }
    return services, bookings.streams


def _channel_options(options: ServerOptions) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", options.message_bytes_max),
        # The first is where gRPC begins to refuse at random, the second where it always does.
        ("grpc.max_metadata_size", options.metadata_bytes_max),
        ("grpc.absolute_max_metadata_size", options.metadata_bytes_max),
        ("grpc.max_concurrent_streams", options.concurrent_streams_max),
        # Several processes share a port only on purpose: two servers of a test must not.
        ("grpc.so_reuseport", int(options.reuse_port)),
        # A client that has vanished without a word is noticed within 40 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        # By default it is 5 min.
        ("grpc.http2.min_ping_interval_without_data_ms", int(options.ping_seconds_min * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
