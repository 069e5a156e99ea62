"""The bookings of a calendar as an iCalendar file: by a key, or by a secret address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from google.api.httpbody_pb2 import HttpBody

from service.domain.errors import Overloaded, ResourceNotFound
from service.domain.ids import calendar_name
from service.domain.interval import Interval
from service.feeds.outgoing import AHEAD, EVENTS_MAX, PAST, CalendarPage
from service.rpc.availability import IF_NONE_MATCH, NOT_MODIFIED
from service.rpc.call import Behaviour, Call
from service.rpc.convert.etags import HEADER_LENGTH_MAX, is_any
from service.rpc.convert.names import child_id
from service.rpc.feed_links import read_token
from service.rpc.interceptors.rate_limit import RateLimiter
from service.store import batch, bookings, claims, feed_links
from service.store import catalog as catalog_store
from service.store.database import Database
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1 import feed_service_pb2 as feed_pb

READS_PER_LINK_PER_MINUTE_MAX = 30
FILES_MAX = 4
FILE_SECONDS_MAX = 5.0
"""So many files are made at a time, and addresses looked up; who waits longer is Overloaded."""

_TAG = re.compile(r'"([0-9a-f]{32})"')
_DAY = timedelta(days=1)


class _File(NamedTuple):
    """A calendar's file at a revision; `ics` None: the one that the client has."""

    ics: bytes | None
    tag: str
    revision: int


class _KnownTags(NamedTuple):
    """Which files a client has; `is_any`: whatever there is."""

    tags: frozenset[str] = frozenset()
    is_any: bool = False

    def has(self, tag: str) -> bool:
        return self.is_any or tag in self.tags


_NOTHING_KNOWN = _KnownTags()


class CalendarFeeds:
    """Makes the files."""

    def __init__(self, *, database: Database, limiter: RateLimiter) -> None:
        """Take what has the bookings, and what counts."""
        self._database = database
        self._limiter = limiter
        self._files = asyncio.Semaphore(FILES_MAX)

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {"GetCalendarFeed": self.get}

    async def get(
        self, request: catalog_pb.GetCalendarFeedRequest, call: Call
    ) -> catalog_pb.GetCalendarFeedResponse:
        """Answer GetCalendarFeed."""
        calendar_id = child_id(request.calendar, call.business_id)
        known = _known_tags(call) if call.is_rest else _NOTHING_KNOWN
        async with self._turn():
            file = await self._make(
                call.business_id, calendar_id, with_names=request.with_names, known=known
            )
        if call.is_rest:
            await _tell_caches(call, file)
        return catalog_pb.GetCalendarFeedResponse(ics=file.ics or b"", revision=file.revision)

    async def get_shared(self, request: feed_pb.GetSharedFeedRequest, call: Call) -> HttpBody:
        """Answer GetSharedFeed."""
        token = read_token(request.token)
        await self._limiter.take(f"feed-{token.link_id.hex}", "")
        async with self._turn():
            async with self._database.snapshot(token.business_id) as tx:
                link = await feed_links.find(tx, token.business_id, token.link_id)
            if not token.opens(link) or link is None:
                raise ResourceNotFound("feeds/…")
            call.business_id = token.business_id
            file = await self._make(
                token.business_id,
                link.calendar_id,
                with_names=link.with_names,
                known=_known_tags(call),
            )
        await _tell_caches(call, file)
        return HttpBody(content_type="text/calendar; charset=utf-8", data=file.ics or b"")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(FILE_SECONDS_MAX):
                await self._files.acquire()
        except TimeoutError:
            raise Overloaded from None
        try:
            yield
        finally:
            self._files.release()

    async def _make(
        self, business_id: str, calendar_id: str, *, with_names: bool, known: _KnownTags
    ) -> _File:
        """Return a calendar's file, unless it is known."""
        async with self._database.snapshot(business_id) as tx:
            head = await batch.read_head(tx, business_id)
            catalog = await catalog_store.load(tx, business_id)
            calendar = catalog.calendars.get(calendar_id) if catalog else None
            if head is None or catalog is None or calendar is None:
                raise ResourceNotFound(calendar_name(business_id, calendar_id))
            today = head.now.replace(hour=0, minute=0, second=0, microsecond=0)
            ids = await claims.booking_ids(
                tx,
                business_id,
                calendar_id,
                Interval(today - PAST, today + AHEAD + _DAY),
                limit=EVENTS_MAX,
            )
            found = await bookings.by_ids(tx, business_id, ids)
        page = CalendarPage(
            business_id=business_id,
            business_name=catalog.business.display_name,
            location=catalog.business.location,
            calendar_name=calendar.display_name,
            zone=calendar.zone,
            type_names={each.type_id: each.display_name for each in catalog.types.values()},
            bookings=sorted(found, key=lambda each: (each.appointment.start, each.booking_id)),
            with_names=with_names,
        )
        tag = page.content_tag
        ics = None if known.has(tag) else await asyncio.to_thread(page.file)
        return _File(ics, tag, head.revision)


def _known_tags(call: Call) -> _KnownTags:
    header = call.metadata.get(IF_NONE_MATCH)
    if not isinstance(header, str) or len(header) > HEADER_LENGTH_MAX:
        return _NOTHING_KNOWN
    return _KnownTags(frozenset(_TAG.findall(header)), is_any=is_any(header))


async def _tell_caches(call: Call, file: _File) -> None:
    """Send what HTTP wants to know of a file."""
    headers = [("cache-control", "private, no-cache"), ("etag", f'W/"{file.tag}"')]
    if file.ics is None:
        headers.append((NOT_MODIFIED, "1"))
    await call.context.send_initial_metadata(tuple(headers))
