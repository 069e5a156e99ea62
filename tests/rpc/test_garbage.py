"""What a call had is freed when it is over: the collector, which comes by rarely, has no work."""

import asyncio
import gc
import queue
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

import grpc
import pytest

from service.domain.capability import booking_capability, write_capability
from service.domain.errors import TryAgain
from service.live.source import HeadReads, Source
from service.ops.tasks import shared
from service.rpc.interceptors.authentication import KeyRing
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal, stamp, tomorrow

TIMES = 5


@contextmanager
def collected():
    """Give the classes of the service of which the collector found what nobody else had freed."""
    found = set()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        classes = {type(each) for each in gc.garbage}
        found |= {each.__name__ for each in classes if each.__module__.startswith("service.")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def window(**changes):
    return {"start_time": stamp(tomorrow()), "end_time": stamp(tomorrow(hour=17)), **changes}


def book_what_is_taken(shop):
    request = shop.book_request(tomorrow())
    return refusal(shop.bookings.Book, request, metadata=shop.metadata)[1]


def book_a_series_of_which_one_is_taken(shop):
    request = booking_pb.BookSeriesRequest(
        parent=shop.business,
        request_id=a_request_id(),
        first=shop.choice(tomorrow()),
        recurrence="FREQ=DAILY;COUNT=3",
        mode=booking_pb.BookSeriesRequest.MODE_ALL_OR_NONE,
        customer=booking_pb.Customer(display_name="Kim"),
    )
    return refusal(shop.bookings.BookSeries, request, metadata=shop.metadata)[1]


def book_without_a_key(shop):
    return refusal(shop.bookings.Book, shop.book_request(tomorrow()))[1]


def list_what_is_not_there(shop):
    request = availability_pb.ListSlotsRequest(
        parent=shop.business, **window(calendars=[shop.name("calendars", "nobody")])
    )
    return refusal(shop.availability.ListSlots, request, metadata=shop.metadata)[1]


def watch_what_is_not_there(shop):
    request = availability_pb.WatchAvailabilityRequest(
        parent=shop.business, **window(calendars=[shop.name("calendars", "nobody")])
    )
    return refusal(
        lambda *given, **options: list(shop.availability.WatchAvailability(*given, **options)),
        request,
        metadata=shop.metadata,
    )[1]


def import_what_is_no_calendar(shop):
    request = catalog_pb.ImportBusyFeedRequest(
        calendar=shop.name("calendars", "anna"),
        feed_id="outlook",
        ics=b"no file",
        request_id=a_request_id(),
    )
    return refusal(shop.catalog.ImportBusyFeed, request, metadata=shop.metadata)[1]


def make_what_is_there(shop):
    request = catalog_pb.CreateCalendarRequest(
        parent=shop.business,
        calendar_id="anna",
        calendar=catalog_pb.Calendar(
            display_name="Anna", time_zone="UTC", schedule=shop.name("schedules", "always")
        ),
        request_id=a_request_id(),
    )
    return refusal(shop.catalog.CreateCalendar, request, metadata=shop.metadata)[1]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (book_what_is_taken, "SLOT_TAKEN"),
        (book_a_series_of_which_one_is_taken, "SERIES_REFUSED"),
        (book_without_a_key, "KEY_MISSING"),
        (list_what_is_not_there, "RESOURCE_NOT_FOUND"),
        (watch_what_is_not_there, "RESOURCE_NOT_FOUND"),
        (import_what_is_no_calendar, "BAD_FEED"),
        (make_what_is_there, "RESOURCE_EXISTS"),
    ],
)
def test_a_refused_call_leaves_nothing_to_the_collector(shop, call, reason):
    shop.call(shop.bookings.Book, shop.book_request(tomorrow()))
    with collected() as found:
        reasons = [call(shop) for _ in range(TIMES)]

    assert reasons == [reason] * TIMES
    assert not found


def test_a_link_that_has_ended_leaves_nothing_to_the_collector(shared_stack, shop):
    capability = booking_capability(shop.business_id, uuid4(), datetime.now(UTC))
    token = write_capability(shared_stack.parts.tokens.capability_key, capability)
    metadata = (("authorization", f"Bearer {token}"),)
    request = catalog_pb.GetBusinessRequest(name=shop.business)
    with collected() as found:
        reasons = [
            refusal(shop.catalog.GetBusiness, request, metadata=metadata)[1] for _ in range(TIMES)
        ]

    assert reasons == ["CAPABILITY_ENDED"] * TIMES
    assert not found


def test_a_refusal_on_a_stream_leaves_nothing_to_the_collector(shop):
    shop.call(shop.bookings.Book, shop.book_request(tomorrow()))
    request = booking_pb.StreamBookingsRequest(book=shop.book_request(tomorrow()))
    with collected() as found:
        for _ in range(TIMES):
            request.book.request_id = a_request_id()
            (answer,) = shop.call(shop.bookings.StreamBookings, iter([request]))
            assert answer.HasField("error")

    assert not found


def test_a_watch_that_is_cancelled_leaves_nothing_to_the_collector(shop):
    request = availability_pb.WatchAvailabilityRequest(parent=shop.business, **window())
    with collected() as found:
        for _ in range(TIMES):
            stream = shop.call(shop.availability.WatchAvailability, request)
            next(stream)
            stream.cancel()
            with pytest.raises(grpc.RpcError):
                list(stream)

    assert not found


def test_a_stream_of_bookings_that_is_cancelled_leaves_nothing_to_the_collector(shop):
    with collected() as found:
        for hour in range(TIMES):
            requests = queue.SimpleQueue()
            book = shop.book_request(tomorrow(hour))
            requests.put(booking_pb.StreamBookingsRequest(book=book))
            stream = shop.call(shop.bookings.StreamBookings, iter(requests.get, None))
            next(stream)
            stream.cancel()
            requests.put(None)
            # Whatever is answered after it finds it ended.
            book_without_a_key(shop)

    assert not found


def test_a_key_that_cannot_be_read_leaves_nothing_to_the_collector():
    async def find(key_id):
        raise TryAgain

    async def ask():
        keys = KeyRing(find, cache_seconds=10.0)
        for _ in range(TIMES):
            with pytest.raises(TryAgain):
                await keys.principal(f"Bearer sc_{'a' * 12}_{'b' * 22}")

    with collected() as found:
        asyncio.run(ask())

    assert not found


def test_a_revision_that_cannot_be_read_leaves_nothing_to_the_collector():
    class Silent(Source):
        def __init__(self):
            pass

        async def heads(self, business_ids):
            raise TryAgain

    async def ask_for(heads, business_id):
        with pytest.raises(TryAgain):
            await heads.head(business_id)

    async def ask():
        heads = HeadReads(Silent())
        await asyncio.gather(*(ask_for(heads, name) for name in ("demo", "demo", "other")))

    with collected() as found:
        asyncio.run(ask())

    assert not found


def test_the_collector_finds_what_keeps_itself():
    async def fail():
        raise TryAgain

    async def keep():
        task = asyncio.create_task(fail())
        await shared(task)

    async def ask():
        with suppress(TryAgain):
            await keep()

    with collected() as found:
        asyncio.run(ask())

    assert found == {"TryAgain"}
