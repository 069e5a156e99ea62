"""What is drawn to use an id, or a name, that is not for it."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import pytest

from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot
from tests.robustness.traffic.ground import Drawn, Ground
from tests.robustness.traffic.requests import Draw, in_own_name

NAME = f"{asked.PARENT}/bookings/7"
BOOKING = booking_pb.Booking(name=NAME, version=1)
CUT = slot("cut", STARTS[0])
REQUESTS = (
    asked.hold(CUT),
    asked.book(CUT),
    asked.renew("businesses/salon/holds/1"),
    asked.release("businesses/salon/holds/1"),
    asked.move(BOOKING, CUT),
    asked.join("cut", STARTS[0]),
    asked.book_series(CUT),
    asked.leave("businesses/salon/waitlist/1"),
    *(asked.change(f"{verb}Booking", BOOKING) for verb in ("Cancel", "Approve", "Complete")),
)


@pytest.fixture
def draw():
    ground = Ground(recorder=cast(Any, None), targets={}, api_key="", starts=STARTS)
    return Draw(ground, Random(1), "eve")


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each[0])
def test_another_body_has_the_same_id(draw, request_):
    drawn = Drawn(*request_)
    other = draw.another_body(drawn, is_answered=True)

    assert other.request.request_id == drawn.request.request_id
    assert (other.method, other.request) != (drawn.method, drawn.request)


def test_another_body_of_what_may_not_have_been_done_has_another_start(draw):
    for method, request in REQUESTS:
        other = draw.another_body(Drawn(method, request), is_answered=False)
        if method in {"HoldSlot", "Book"}:
            assert (other.method, other.request) != (method, request)
            assert CUT.start_time not in _starts_of(other.request)
        else:
            assert other is None


def _starts_of(request):
    if isinstance(request, booking_pb.HoldSlotRequest):
        return [request.slot.start_time]
    return [wish.slot.start_time for wish in request.appointments]


def test_a_stranger_asks_for_what_has_the_same_id_in_its_own_business():
    asked_for = in_own_name(Drawn(*asked.get(NAME)), "rival")

    assert asked_for.request.name == "businesses/rival/bookings/7"
