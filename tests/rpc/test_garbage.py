"""What a call had is freed when it is over: the collector, which comes by rarely, has no work."""

import gc
from contextlib import contextmanager

import grpc
import pytest

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.rpc.stack import refusal, stamp, tomorrow

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


@pytest.fixture
def taken(shop):
    """A booking of a slot that is no longer open."""
    request = shop.book_request(tomorrow())
    shop.call(shop.bookings.Book, request)
    return request


def once_more(shop):
    return shop.book_request(tomorrow())


def test_a_refused_slot_leaves_nothing_to_the_collector(shop, taken):
    with collected() as found:
        for _ in range(TIMES):
            _, reason, _ = refusal(shop.bookings.Book, once_more(shop), metadata=shop.metadata)
            assert reason == "SLOT_TAKEN"

    assert not found


def test_a_call_that_is_not_let_in_leaves_nothing_to_the_collector(nobody):
    with collected() as found:
        for _ in range(TIMES):
            _, reason, _ = refusal(nobody.bookings.Book, nobody.book_request(tomorrow()))
            assert reason == "KEY_MISSING"

    assert not found


def test_a_refusal_on_a_stream_leaves_nothing_to_the_collector(shop, taken):
    requests = [booking_pb.StreamBookingsRequest(book=once_more(shop)) for _ in range(TIMES)]
    with collected() as found:
        stream = shop.call(shop.bookings.StreamBookings, iter(requests))
        answers = list(stream)

    assert all(answer.HasField("error") for answer in answers)
    assert len(answers) == TIMES
    assert not found


def test_a_watch_that_is_cancelled_leaves_nothing_to_the_collector(shop):
    request = availability_pb.WatchAvailabilityRequest(
        parent=shop.business, start_time=stamp(tomorrow()), end_time=stamp(tomorrow(hour=17))
    )
    with collected() as found:
        for _ in range(TIMES):
            stream = shop.call(shop.availability.WatchAvailability, request)
            next(stream)
            stream.cancel()
            with pytest.raises(grpc.RpcError):
                list(stream)

    assert not found
