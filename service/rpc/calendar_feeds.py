"""The bookings of a calendar as an iCalendar file: by a key, or by a secret address."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from google.api.httpbody_pb2 import HttpBody

from service.domain.errors import InvalidRequest, Overloaded, ResourceNotFound
from service.domain.ids import calendar_name
from service.domain.interval import Interval
from service.feeds.outgoing import AHEAD, EVENTS_MAX, PAST, CalendarPage
from service.rpc.availability import IF_NONE_MATCH, NOT_MODIFIED
from service.rpc.call import Behaviour, Call
from service.rpc.convert.etags import HEADER_LENGTH_MAX
from service.rpc.convert.feeds import write_feed_link
from service.rpc.convert.names import child_id, grandchild_ids
from service.rpc.interceptors.rate_limit import RateLimiter
from service.store import batch, bookings, claims, feeds
from service.store import catalog as catalog_store
from service.store.database import Database
from service.store.feeds import FeedLink
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1 import feed_service_pb2 as feed_pb

LINKS_PER_CALENDAR_MAX = 50
READS_PER_LINK_PER_MINUTE_MAX = 30
FILES_MAX = 4
FILE_SECONDS_MAX = 5.0
"""So many files are made at a time, and addresses looked up; who waits longer is Overloaded."""
SECRET_BYTES = 24

_TOKEN = re.compile(
    r"([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)_([0-9a-f]{32})_([A-Za-z0-9_-]{20,60})(?:\.ics)?"
)
_TAG = re.compile(r'"([0-9a-f]{32})"')
_DAY = timedelta(days=1)


class _Token(NamedTuple):
    """What a secret address says."""

    business_id: str
    link_id: UUID
    secret: str


class _File(NamedTuple):
    """A calendar's file at a revision; `ics` None: the one that the client has."""

    ics: bytes | None
    tag: str
    revision: int


class CalendarFeeds:
    """Makes the files, and keeps their secret addresses."""

    def __init__(self, *, database: Database, limiter: RateLimiter, public_url: str) -> None:
        """Take what has the bookings, what counts, and what addresses begin with."""
        self._database = database
        self._limiter = limiter
        self._public_url = public_url
        self._files = asyncio.Semaphore(FILES_MAX)

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "GetCalendarFeed": self.get,
            "CreateFeedLink": self.create_link,
            "ListFeedLinks": self.list_links,
            "DeleteFeedLink": self.delete_link,
        }

    async def get(
        self, request: catalog_pb.GetCalendarFeedRequest, call: Call
    ) -> catalog_pb.GetCalendarFeedResponse:
        """Answer GetCalendarFeed."""
        calendar_id = child_id(request.calendar, call.business_id)
        known = _known_tags(call) if call.is_rest else frozenset()
        async with self._turn():
            file = await self._make(
                call.business_id, calendar_id, with_names=request.with_names, known=known
            )
        if call.is_rest:
            await _tell_caches(call, file)
        return catalog_pb.GetCalendarFeedResponse(ics=file.ics or b"", revision=file.revision)

    async def get_shared(self, request: feed_pb.GetSharedFeedRequest, call: Call) -> HttpBody:
        """Answer GetSharedFeed."""
        token = _read_token(request.token)
        await self._limiter.take(f"feed-{token.link_id.hex}", "")
        async with self._turn():
            async with self._database.snapshot(token.business_id) as tx:
                link = await feeds.find_link(tx, token.business_id, token.link_id)
            stored = link.secret_hash if link else bytes(hashlib.sha256().digest_size)
            if not hmac.compare_digest(_hash(token.secret), stored) or link is None:
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

    async def create_link(
        self, request: catalog_pb.CreateFeedLinkRequest, call: Call
    ) -> catalog_pb.CreateFeedLinkResponse:
        """Answer CreateFeedLink. The secret is told this once; only its hash is kept."""
        calendar_id = child_id(request.parent, call.business_id)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.transaction(call.business_id) as tx:
            await self._check_calendar(tx, call.business_id, calendar_id)
            there = await feeds.links(tx, call.business_id, calendar_id)
            if len(there) >= LINKS_PER_CALENDAR_MAX:
                raise InvalidRequest(
                    "parent", f"A calendar has at most {LINKS_PER_CALENDAR_MAX} addresses."
                )
            link = FeedLink(
                link_id=uuid4(),
                calendar_id=calendar_id,
                display_name=request.display_name,
                with_names=request.with_names,
                secret_hash=_hash(secret),
                created_at=await feeds.now(tx),
            )
            await feeds.add_link(tx, call.business_id, link)
        token = f"{call.business_id}_{link.link_id.hex}_{secret}"
        return catalog_pb.CreateFeedLinkResponse(
            link=write_feed_link(link, call.business_id),
            url=f"{self._public_url}/v1/feeds/{token}.ics",
        )

    async def list_links(
        self, request: catalog_pb.ListFeedLinksRequest, call: Call
    ) -> catalog_pb.ListFeedLinksResponse:
        """Answer ListFeedLinks."""
        calendar_id = child_id(request.parent, call.business_id)
        async with self._database.snapshot(call.business_id) as tx:
            await self._check_calendar(tx, call.business_id, calendar_id)
            found = await feeds.links(tx, call.business_id, calendar_id)
        return catalog_pb.ListFeedLinksResponse(
            links=[write_feed_link(link, call.business_id) for link in found]
        )

    async def delete_link(
        self, request: catalog_pb.DeleteFeedLinkRequest, call: Call
    ) -> catalog_pb.DeleteFeedLinkResponse:
        """Answer DeleteFeedLink."""
        calendar_id, link_id = grandchild_ids(request.name, call.business_id)
        async with self._database.transaction(call.business_id) as tx:
            if not await feeds.remove_link(tx, call.business_id, calendar_id, UUID(link_id)):
                raise ResourceNotFound(request.name)
        return catalog_pb.DeleteFeedLinkResponse()

    async def _check_calendar(self, tx: Any, business_id: str, calendar_id: str) -> None:
        catalog = await catalog_store.load(tx, business_id)
        if catalog is None or calendar_id not in catalog.calendars:
            raise ResourceNotFound(calendar_name(business_id, calendar_id))

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
        self, business_id: str, calendar_id: str, *, with_names: bool, known: frozenset[str]
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
        ics = None if tag in known else await asyncio.to_thread(page.file)
        return _File(ics, tag, head.revision)


def _read_token(text: str) -> _Token:
    """Return what an address says. What cannot be one is not found, as any other that is wrong."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise ResourceNotFound("feeds/…")
    return _Token(match[1], UUID(hex=match[2]), match[3])


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _known_tags(call: Call) -> frozenset[str]:
    header = call.metadata.get(IF_NONE_MATCH)
    if not isinstance(header, str) or len(header) > HEADER_LENGTH_MAX:
        return frozenset()
    return frozenset(_TAG.findall(header))


async def _tell_caches(call: Call, file: _File) -> None:
    """Send what HTTP wants to know of a file."""
    headers = [("cache-control", "private, no-cache"), ("etag", f'W/"{file.tag}"')]
    if file.ics is None:
        headers.append((NOT_MODIFIED, "1"))
    await call.context.send_initial_metadata(tuple(headers))
