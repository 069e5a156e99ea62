"""One process of the service without its doors: what writes, and what watches."""

import json
import time
from contextlib import aclosing, asynccontextmanager

from service.actions.lanes import LaneLimits, Lanes
from service.live.availability import Availability
from service.live.board import Board
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.feed import BookingFeed
from service.live.follower import Follower
from service.live.following import Surroundings
from service.live.frames import Delta, Goodbye, SnapshotEnd
from service.live.grounds import Grounds
from service.live.limits import LiveLimits
from service.live.publisher import Publisher
from service.live.source import Source
from service.live.subscription import Subscription
from service.live.tokens import Tokens
from service.live.watchers import Watchers
from service.store.database import Database
from tests.live.world import Client

SECRET = b"s" * 32
QUICK = {"verify_seconds": 0.05, "heartbeat_seconds": 0.1, "revision_wait_seconds_max": 2.0}
SLOW = {"verify_seconds": 600.0, "heartbeat_seconds": 1200.0}
"""PostgreSQL is not asked by itself: what arrives has come by a hint."""


class CountingSource(Source):
    """Counts what is read, and can be told that PostgreSQL cannot be read."""

    def __init__(self, database):
        super().__init__(database)
        self.heads_read = self.loads = self.logs_read = 0
        self.broken_by = None

    async def heads(self, business_ids):
        self._break()
        self.heads_read += 1
        return await super().heads(business_ids)

    async def load(self, business_id):
        self._break()
        self.loads += 1
        return await super().load(business_id)

    async def log_after(self, business_id, revision, limit):
        self._break()
        self.logs_read += 1
        return await super().log_after(business_id, revision, limit)

    def _break(self):
        if self.broken_by is not None:
            raise self.broken_by


class Process:
    """What the wiring builds, with everything within reach of a test."""

    def __init__(self, database, redis_url, limits, monotonic):
        self.limits = LiveLimits(**limits)
        self.encoded = []
        self.source = CountingSource(database)
        self.clock, self.days, tokens = DatabaseClock(monotonic), DayCache(), Tokens(SECRET)
        shared = {"monotonic": monotonic, "limits": self.limits}
        self.board = Board(
            clock=self.clock, days=self.days, tokens=tokens, encode=self._encode, **shared
        )
        around = Surroundings(
            source=self.source, clock=self.clock, days=self.days, board=self.board
        )
        self.follower = Follower(around, **shared)
        self.publisher = Publisher(redis_url, self.follower, monotonic)
        self.subscription = None
        if redis_url:
            self.subscription = Subscription(redis_url, self.follower, monotonic)
        self.lanes = Lanes(database, LaneLimits(), self.publisher.committed)
        self.grounds = Grounds(
            follower=self.follower,
            source=self.source,
            days=self.days,
            clock=self.clock,
            **shared,
        )
        self.availability = Availability(
            grounds=self.grounds, clock=self.clock, monotonic=monotonic
        )
        self.watchers = Watchers(follower=self.follower, board=self.board, tokens=tokens, **shared)
        self.feed = BookingFeed(follower=self.follower, source=self.source, tokens=tokens, **shared)

    def _encode(self, frame):
        self.encoded.append(frame)
        return b""

    async def submit(self, submission):
        return json.loads(await self.lanes.submit(submission))

    @asynccontextmanager
    async def watching(self, query, **more):
        """Open a stream and read it to the end of what it begins with."""
        async with aclosing(self.watchers.watch(query, **more)) as frames:
            stream = Watching(frames)
            await stream.until(
                lambda frame: isinstance(frame, SnapshotEnd | Delta) and frame.resume_token
            )
            yield stream

    @asynccontextmanager
    async def running(self):
        parts: list[Follower | Publisher | Subscription] = [self.follower, self.publisher]
        if self.subscription:
            parts.append(self.subscription)
        for part in parts:
            await part.start()
        try:
            yield self
        finally:
            await self.lanes.drain()
            for part in reversed(parts):
                await part.stop()


class Watching:
    """A client that reads a stream as it likes."""

    def __init__(self, frames):
        self.frames = frames
        self.client = Client()

    async def read(self):
        sent = await anext(self.frames)
        self.client.take([sent])
        return sent.frame

    async def until(self, is_enough):
        while True:
            frame = await self.read()
            if is_enough(frame):
                return frame

    async def until_revision(self, revision):
        return await self.until(
            lambda frame: frame.revision >= revision and not getattr(frame, "more", False)
        )

    async def until_goodbye(self):
        return await self.until(lambda frame: isinstance(frame, Goodbye))

    @property
    def starts(self):
        return {key.start for key in self.client.slots}

    @property
    def token(self):
        return next(
            frame.resume_token for frame in reversed(self.client.frames) if frame.resume_token
        )


@asynccontextmanager
async def a_process(database_url, redis_url=None, monotonic=time.monotonic, **limits):
    """Run a process until the block ends."""
    database = Database(database_url, pool_size=4)
    try:
        process = Process(database, redis_url, {**QUICK, **limits}, monotonic)
        async with process.running():
            yield process
    finally:
        await database.close()
