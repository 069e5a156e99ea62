"""ImportBusyFeed: an iCalendar file becomes busy time of a calendar."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.commands import ImportBusy, Outcome
from service.domain.errors import (
    BadFeed,
    NotImplementedYet,
    Overloaded,
    RequestIdReused,
    ResourceNotFound,
)
from service.domain.interval import Interval
from service.feeds import ics
from service.ops.tasks import shared
from service.rpc.call import Call
from service.rpc.convert.names import child_id
from service.rpc.submitting import Asking, Submitter, Wanted, body_hash
from service.store import batch
from service.store import catalog as catalog_store
from service.store.database import Database
from slotcast.v1 import catalog_service_pb2 as catalog_pb

PAST = timedelta(days=1)
AHEAD = timedelta(days=731)
INTERVALS_MAX = 20_000
PARSES_MAX = 2
WAITING_MAX = 16
"""How many files are read or wait for it, each in memory; beyond it, Overloaded."""


class FeedReader:
    """Reads files beside the event loop, a few at a time."""

    def __init__(self) -> None:
        """Begin with nothing to read."""
        self._parses = asyncio.Semaphore(PARSES_MAX)
        self._waiting = 0

    async def read(self, data: bytes, zone: str, now: datetime) -> tuple[Interval, ...]:
        """Return the busy time in a file; Overloaded where too many wait.

        A thread cannot be stopped: a file whose caller has left counts until it is read.
        """
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            await self._parses.acquire()
        except asyncio.CancelledError:
            self._waiting -= 1
            raise
        return await shared(self._parse(data, zone, now))

    def _parse(self, data: bytes, zone: str, now: datetime) -> asyncio.Future[tuple[Interval, ...]]:
        loop = asyncio.get_running_loop()
        parsing = loop.run_in_executor(None, _busy, data, zone, now)
        parsing.add_done_callback(self._end)
        return parsing

    def _end(self, _: asyncio.Future[tuple[Interval, ...]]) -> None:
        self._waiting -= 1
        self._parses.release()


class BusyImport:
    """Reads files and submits what they say."""

    def __init__(self, *, submitter: Submitter, database: Database) -> None:
        """Take what stores busy time, and what knows the calendars."""
        self._submitter = submitter
        self._database = database
        self._reader = FeedReader()

    async def answer(self, request: catalog_pb.ImportBusyFeedRequest, call: Call) -> bytes:
        """Answer ImportBusyFeed."""
        if request.HasField("url"):
            raise NotImplementedYet
        known = await self._look_up(request, call)
        if isinstance(known, bytes):
            return known
        command = ImportBusy(
            calendar_id=child_id(request.calendar, call.business_id),
            feed_id=request.feed_id,
            busy=await self._reader.read(request.ics, known.zone, known.now),
        )
        asking = Asking(
            method_name=call.method.name,
            business_id=call.business_id,
            principal_id=call.principal.principal_id,
        )
        return await self._submitter.submit(asking, request, Wanted(command, _encode))

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


def _repeat(answered: batch.Answered, asked_hash: bytes) -> bytes:
    if answered.body_hash != asked_hash:
        raise RequestIdReused
    return answered.response


def _busy(data: bytes, zone: str, now: datetime) -> tuple[Interval, ...]:
    try:
        found = ics.busy_times(data, zone=zone, window_start=now - PAST, window_end=now + AHEAD)
    except ics.BadFeed as error:
        line = {} if error.line is None else {"line": str(error.line)}
        raise BadFeed("ics", f"The file cannot be read: {error}", **line) from error
    if len(found) > INTERVALS_MAX:
        raise BadFeed("ics", f"It has more than {INTERVALS_MAX:,} intervals of busy time.")
    return tuple(Interval(each.start, each.end) for each in found)


def _encode(outcome: Outcome) -> bytes:
    return catalog_pb.ImportBusyFeedResponse(
        busy_intervals=outcome.busy_intervals, revision=outcome.revision
    ).SerializeToString()
