"""Importing busy time: repeated requests, and how many files are read at a time."""

import asyncio
import queue
import threading
from datetime import UTC, datetime

import grpc
import pytest

from service.domain.errors import Overloaded
from service.feeds import ics
from service.feeds.reading import PARSES_MAX, WAITING_MAX, FeedReader
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal

NOW = datetime(2030, 1, 1, tzinfo=UTC)
EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def imported_and_gone(shop):
    """A request that was answered before its calendar was removed, and its answer."""
    calendar = catalog_pb.Calendar(
        display_name="Ben", time_zone="UTC", schedule=shop.name("schedules", "always")
    )
    create = catalog_pb.CreateCalendarRequest(
        parent=shop.business, calendar_id="ben", calendar=calendar, request_id=a_request_id()
    )
    shop.call(shop.catalog.CreateCalendar, create)
    name = shop.name("calendars", "ben")
    request = catalog_pb.ImportBusyFeedRequest(
        calendar=name, feed_id="outlook", ics=EMPTY, request_id=a_request_id()
    )
    answer = shop.call(shop.catalog.ImportBusyFeed, request)
    delete = catalog_pb.DeleteCalendarRequest(name=name, request_id=a_request_id())
    shop.call(shop.catalog.DeleteCalendar, delete)
    return request, answer


def test_an_import_is_answered_the_same_after_its_calendar_is_gone(shop, imported_and_gone):
    request, answer = imported_and_gone

    assert shop.call(shop.catalog.ImportBusyFeed, request) == answer


def test_the_id_of_an_import_is_not_for_another_file(shop, imported_and_gone):
    request, _ = imported_and_gone
    request.ics = b"no file"

    code, reason, _ = refusal(shop.catalog.ImportBusyFeed, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


class Parses:
    """Stands for reading a file, which takes until it is told to end."""

    def __init__(self):
        self.begun = queue.SimpleQueue()
        self.end = threading.Event()

    def busy_times(self, data, **_):
        self.begun.put(data)
        assert self.end.wait(30)
        return []

    async def wait_until_begun(self, count):
        for _ in range(count):
            await asyncio.to_thread(self.begun.get, timeout=20)


@pytest.fixture
def parses(monkeypatch):
    parses = Parses()
    monkeypatch.setattr(ics, "busy_times", parses.busy_times)
    yield parses
    parses.end.set()


def read(reader, count):
    return [asyncio.create_task(reader.read(b"", "UTC", NOW)) for _ in range(count)]


async def test_a_file_whose_caller_left_counts_until_it_is_read(parses):
    reader = FeedReader()
    left = read(reader, PARSES_MAX)
    await parses.wait_until_begun(PARSES_MAX)
    for task in left:
        task.cancel()
    await asyncio.wait(left)

    waiting = read(reader, WAITING_MAX - PARSES_MAX)
    (refused,) = await asyncio.gather(*read(reader, 1), return_exceptions=True)

    assert all(task.cancelled() for task in left)
    assert isinstance(refused, Overloaded)
    assert parses.begun.empty()
    parses.end.set()
    assert await asyncio.gather(*waiting) == [()] * len(waiting)
    assert await asyncio.gather(*read(reader, WAITING_MAX)) == [()] * WAITING_MAX


async def test_a_file_whose_caller_left_before_its_turn_gives_its_place_back(parses):
    reader = FeedReader()
    read_first = read(reader, PARSES_MAX)
    await parses.wait_until_begun(PARSES_MAX)
    left = read(reader, WAITING_MAX - PARSES_MAX)
    await asyncio.sleep(0)
    for task in left:
        task.cancel()
    await asyncio.wait(left)

    waiting = read(reader, WAITING_MAX - PARSES_MAX)
    parses.end.set()

    assert await asyncio.gather(*read_first, *waiting) == [()] * WAITING_MAX
