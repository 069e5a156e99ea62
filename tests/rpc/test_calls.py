"""What callers get from the whole server."""

from datetime import timedelta

import pytest

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import booking_service_pb2_grpc
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal, stamp, tomorrow


def test_a_booked_slot_is_listed_no_more(shop):
    start = tomorrow()
    query = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(start),
        end_time=stamp(start + timedelta(hours=1)),
    )
    before = shop.call(shop.availability.ListSlots, query)
    booked = shop.call(shop.bookings.Book, shop.book_request(start))
    query.min_revision = booked.revision
    after = shop.call(shop.availability.ListSlots, query)

    assert [slot.start_time.ToDatetime() for slot in before.slots] == [
        start.replace(tzinfo=None),
        start.replace(tzinfo=None) + timedelta(minutes=30),
    ]
    assert list(after.slots) == list(before.slots)[1:]
    assert after.revision == booked.revision
