"""ImportBusyFeed: an iCalendar file, uploaded or fetched, becomes busy time of a calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.busy_feed import REFRESH_INTERVAL_DEFAULT, UPLOADED, FeedSource
from service.domain.commands import ImportBusy, Outcome
from service.domain.errors import (
    InvalidRequest,
    Overloaded,
    RequestIdReused,
    ResourceNotFound,
    TargetRefused,
)
from service.feeds.fetching import FeedUnreachable, Fetched, fetch
from service.feeds.reading import FeedReader
from service.ops.outbound import Outbound, asking_for
from service.rpc.call import Call
from service.rpc.convert.feeds import write_busy_feed
from service.rpc.convert.names import child_id
from service.rpc.convert.times import read_duration
from service.rpc.submitting import Asking, Encode, Submitter, Wanted, body_hash
from service.store import batch
from service.store import catalog as catalog_store
from service.store.database import Database
from slotcast.v1 import catalog_service_pb2 as catalog_pb

FETCHES_MAX = 8
FETCHES_PER_BUSINESS_MAX = 2
"""How many files are fetched at a time, each in memory; beyond it, Overloaded."""


class BusyImport:
    """Reads files and submits what they say."""

    def __init__(self, *, submitter: Submitter, database: Database, outbound: Outbound) -> None:
        """Take what stores busy time, what knows the calendars, and what fetches."""
        self._submitter = submitter
        self._database = database
        self._outbound = outbound
        self._reader = FeedReader()
        # The business of each.
        self._fetches: list[str] = []

    async def answer(self, request: catalog_pb.ImportBusyFeedRequest, call: Call) -> bytes:
        """Answer ImportBusyFeed."""
        source = _source(request)
        known = await self._look_up(request, call)
        if isinstance(known, bytes):
            return known
        data = request.ics
        if source.url:
            fetched = await self._fetch(source.url, call.business_id)
            data, source = fetched.data, _with_tags(source, fetched)
        command = ImportBusy(
            calendar_id=child_id(request.calendar, call.business_id),
            feed_id=request.feed_id,
            busy=await self._reader.read(
                data, known.zone, known.now, field="url" if source.url else "ics"
            ),
            source=source,
        )
        asking = Asking(
            method_name=call.method.name,
            business_id=call.business_id,
            principal_id=call.principal.principal_id,
        )
        return await self._submitter.submit(asking, request, Wanted(command, _encode(call)))

    async def _fetch(self, url: str, business_id: str) -> Fetched:
        fetches = self._fetches
        if len(fetches) >= FETCHES_MAX or fetches.count(business_id) >= FETCHES_PER_BUSINESS_MAX:
            raise Overloaded
        fetches.append(business_id)
        try:
            with asking_for(business_id):
                fetched = await fetch(self._outbound, url)
        except FeedUnreachable as error:
            raise TargetRefused(error.reason, field="url") from error
        finally:
            fetches.remove(business_id)
        assert fetched is not None, "Nothing was known of it."
        return fetched

    async def _look_up(
        self, request: catalog_pb.ImportBusyFeedRequest, call: Call
    ) -> bytes | _Place:
        """Return the answer that was given before, or else what the file is read with.

        All is read in one snapshot: the calendar may be gone since the request was answered.
        """
        key = (call.principal.principal_id, request.request_id)
        async with self._database.snapshot(call.business_id) as tx:
            answered = await batch.read_answered(tx, call.business_id, [key])
            if key in answered:
                return _repeat(answered[key], body_hash(call.method.name, request))
            head = await batch.read_head(tx, call.business_id)
            catalog = await catalog_store.load(tx, call.business_id)
        calendar_id = child_id(request.calendar, call.business_id)
        calendar = catalog.calendars.get(calendar_id) if catalog else None
        if head is None or calendar is None:
            raise ResourceNotFound(request.calendar)
        return _Place(zone=calendar.zone, now=head.now)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where and when a file is read."""

    zone: str
    now: datetime


def _source(request: catalog_pb.ImportBusyFeedRequest) -> FeedSource:
    """Return where the file comes from, and when it is to be fetched again."""
    if not request.HasField("url"):
        for field in ("refresh_interval", "fail_closed_after"):
            if request.HasField(field):
                raise InvalidRequest(field, "A file that is uploaded is not fetched again.")
        return UPLOADED
    interval = REFRESH_INTERVAL_DEFAULT
    if request.HasField("refresh_interval"):
        interval = read_duration(request.refresh_interval, "refresh_interval")
    closed_after = None
    if request.HasField("fail_closed_after"):
        closed_after = read_duration(request.fail_closed_after, "fail_closed_after")
    return FeedSource(
        url=request.url, refresh_interval=interval, fail_closed_after=closed_after, next_in=interval
    )


def _with_tags(source: FeedSource, fetched: Fetched) -> FeedSource:
    return replace(
        source,
        etag=fetched.tags.etag,
        last_modified=fetched.tags.last_modified,
        content_hash=fetched.content_hash,
    )


def _repeat(answered: batch.Answered, asked_hash: bytes) -> bytes:
    if answered.body_hash != asked_hash:
        raise RequestIdReused
    return answered.response


def _encode(call: Call) -> Encode:
    def encode(outcome: Outcome) -> bytes:
        feed = outcome.feed
        assert feed is not None, "It was imported."
        return catalog_pb.ImportBusyFeedResponse(
            busy_intervals=feed.busy_intervals,
            revision=outcome.revision,
            feed=write_busy_feed(feed, call.business_id),
        ).SerializeToString()

    return encode
