"""ImportBusyFeed: an iCalendar file becomes busy time of a calendar."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from service.domain.commands import ImportBusy, Outcome
from service.domain.errors import BadFeed, NotImplementedYet, Overloaded, ResourceNotFound
from service.domain.interval import Interval
from service.feeds import ics
from service.rpc.call import Call
from service.rpc.convert.names import child_id
from service.rpc.reading import read_at_least
from service.rpc.submitting import Asking, Submitter
from service.store import catalog as catalog_store
from service.store.database import Database
from slotcast.v1 import catalog_service_pb2 as catalog_pb

PAST = timedelta(days=1)
AHEAD = timedelta(days=731)
INTERVALS_MAX = 20_000
PARSES_MAX = 2
WAITING_MAX = 16
"""How many files wait to be read, each in memory; beyond it, Overloaded."""


class BusyImport:
    """Reads files, a few at a time and beside the event loop, and submits what they say."""

    def __init__(self, *, submitter: Submitter, database: Database) -> None:
        """Take what stores busy time, and what knows the calendars."""
        self._submitter = submitter
        self._database = database
        self._parses = asyncio.Semaphore(PARSES_MAX)
        self._waiting = 0

    async def answer(self, request: catalog_pb.ImportBusyFeedRequest, call: Call) -> bytes:
        """Answer ImportBusyFeed."""
        if request.HasField("url"):
            raise NotImplementedYet
        calendar_id = child_id(request.calendar, call.business_id)
        zone, now = await self._zone_and_now(request.calendar, call.business_id, calendar_id)
        command = ImportBusy(
            calendar_id=calendar_id,
            feed_id=request.feed_id,
            busy=await self._read(request.ics, zone, now),
        )
        asking = Asking(
            method_name=call.method.name,
            business_id=call.business_id,
            principal_id=call.principal.principal_id,
        )
        return await self._submitter.submit(asking, request, command, _encode)

    async def _zone_and_now(
        self, name: str, business_id: str, calendar_id: str
    ) -> tuple[str, datetime]:
        async with read_at_least(self._database, business_id, 0, name) as reading:
            catalog = await catalog_store.load(reading.tx, business_id)
        calendar = catalog.calendars.get(calendar_id) if catalog else None
        if calendar is None:
            raise ResourceNotFound(name)
        return calendar.zone, reading.as_of

    async def _read(self, data: bytes, zone: str, now: datetime) -> tuple[Interval, ...]:
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._parses:
                return await asyncio.to_thread(_busy, data, zone, now)
        finally:
            self._waiting -= 1


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
