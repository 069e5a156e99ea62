"""The booking feed: every change of a booking, in the order of the revisions, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.booking import Booking
from service.domain.change import Change
from service.domain.errors import Overloaded, ResourceNotFound
from service.domain.ids import business_name
from service.live.feed_reader import FeedReader
from service.live.follower import Follower
from service.live.following import Following
from service.live.frames import FeedFrame, Goodbye, GoodbyeReason, ResetReason
from service.live.limits import LiveLimits
from service.live.signals import Signal
from service.live.source import Source
from service.live.tokens import ResumeToken, Tokens
from service.ops.jitter import JITTER
from service.ops.tasks import shared
from service.store.changes import Head

PAGE = 200


@dataclass(frozen=True, slots=True)
class _Page:
    """A part of the log, with the bookings that it is about."""

    head: Head | None
    changes: Sequence[Change]
    bookings: dict[UUID, Booking]


class BookingFeed:
    """Reads the log for its streams when the follower says that there is more."""

    def __init__(
        self,
        *,
        follower: Follower,
        source: Source,
        tokens: Tokens,
        monotonic: Callable[[], float],
        limits: LiveLimits,
    ) -> None:
        """Begin without streams."""
        self._follower = follower
        self._source = source
        self._tokens = tokens
        self._monotonic = monotonic
        self._limits = limits
        self._reading: dict[tuple[str, int], asyncio.Task[_Page]] = {}
        self._streams: dict[FeedReader, Following] = {}
        self._is_draining = False
        self._ended = Signal()

    def __len__(self) -> int:
        """Count the streams."""
        return len(self._streams)

    async def drain(self) -> None:
        """Tell every stream goodbye, and wait until all have ended. The caller bounds the wait."""
        self._is_draining = True
        for following in set(self._streams.values()):
            following.advanced.fire()
        while self._streams:
            await self._ended.wait()

    async def watch(
        self,
        business_id: str,
        calendar_ids: frozenset[str] = frozenset(),
        *,
        resume_token: str = "",
        min_revision: int = 0,
        is_web: bool = False,
    ) -> AsyncGenerator[FeedFrame]:
        """Yield the frames of one stream. Close it when the reader is gone."""
        given = self._tokens.read_resume(resume_token, business_id) if resume_token else None
        if self._is_draining:
            raise Overloaded("The server is about to stop. Retry.")
        reader, frames = await self._open(business_id, calendar_ids, given, min_revision)
        with self._follower.pinned(business_id) as following:
            self._streams[reader] = following
            try:
                age_ends_at = self._monotonic() + self._limits.stream_age_seconds(is_web=is_web)
                while True:
                    for frame in frames:
                        yield frame
                    if frames and isinstance(frames[-1], Goodbye):
                        return
                    frames = await self._next(following, reader, age_ends_at)
            finally:
                del self._streams[reader]
                self._ended.fire()

    async def _open(
        self,
        business_id: str,
        calendar_ids: frozenset[str],
        given: ResumeToken | None,
        min_revision: int,
    ) -> tuple[FeedReader, list[FeedFrame]]:
        fresh = await self._follower.get(business_id, min_revision=min_revision)
        if given is not None and given.epoch == fresh.replica.epoch:
            ahead = max(given.revision, min_revision)
            fresh = await self._follower.get(business_id, min_revision=ahead)
        reader = FeedReader(
            business_id,
            calendar_ids,
            tokens=self._tokens,
            epoch=fresh.replica.epoch,
            revision=fresh.revision,
            as_of=fresh.as_of,
        )
        if given is None:
            return reader, [reader.heartbeat(fresh.revision, fresh.as_of)]
        if given.epoch != reader.epoch:
            return reader, [reader.reset(ResetReason.EPOCH)]
        if given.filter_hash != reader.filter_hash:
            return reader, [reader.reset(ResetReason.FILTER)]
        reader.resume(given)
        return reader, []

    async def _next(
        self, following: Following, reader: FeedReader, age_ends_at: float
    ) -> list[FeedFrame]:
        """Return the next frames; wait where there are none yet."""
        replica = following.replica
        if following.is_gone or replica is None:
            raise ResourceNotFound(business_name(reader.business_id))
        if self._is_draining or self._monotonic() >= age_ends_at:
            delay_seconds = JITTER.uniform(0, self._limits.drain_delay_seconds_max)
            if not self._is_draining:
                return [reader.goodbye(GoodbyeReason.AGE, 0.0)]
            return [reader.goodbye(GoodbyeReason.DRAIN, delay_seconds)]
        if replica.epoch != reader.epoch:
            return await self._read_on(reader)
        # Before more is read: changes of no concern may come faster than they are read.
        checked = following.checked
        if checked is not None and following.checks != reader.checks:
            revision, as_of = checked
            if revision <= reader.revision:
                reader.checks = following.checks
            if reader.may_tell(revision, as_of) and self._is_due(reader, as_of):
                return [reader.heartbeat(revision, as_of)]
        if replica.revision > reader.revision:
            return await self._read_on(reader)
        await following.advanced.wait()
        return []

    def _is_due(self, reader: FeedReader, as_of: datetime) -> bool:
        """Say whether the reading after this one would come too late for a heartbeat."""
        silent_seconds = (as_of - reader.as_of).total_seconds()
        return silent_seconds + self._limits.verify_seconds > self._limits.heartbeat_seconds

    async def _read_on(self, reader: FeedReader) -> list[FeedFrame]:
        page = await shared(self._page(reader.business_id, reader.revision))
        head = page.head
        if head is None:
            raise ResourceNotFound(business_name(reader.business_id))
        is_other = head.epoch != reader.epoch
        is_trimmed = head.revision > reader.revision and (
            not page.changes or page.changes[0].revision != reader.revision + 1
        )
        if is_other or is_trimmed:
            reader.epoch, reader.revision = head.epoch, head.revision
            return [reader.reset(ResetReason.EPOCH if is_other else ResetReason.COMPACTED)]
        told = (reader.take(change, page.bookings) for change in page.changes)
        return [frame for frame in told if frame is not None]

    def _page(self, business_id: str, after: int) -> asyncio.Task[_Page]:
        """Read a part of the log, once for all streams that are at the same revision."""
        key = (business_id, after)
        task = self._reading.get(key)
        if task is None:
            task = self._reading[key] = asyncio.create_task(self._read(business_id, after))
            task.add_done_callback(lambda _: self._reading.pop(key, None))
        return task

    async def _read(self, business_id: str, after: int) -> _Page:
        head, changes = await self._source.log_after(business_id, after, PAGE)
        ids = {booking_id for change in changes for booking_id in change.booking_ids}
        bookings = await self._source.bookings(business_id, ids) if ids else {}
        return _Page(head, changes, bookings)
