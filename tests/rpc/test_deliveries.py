"""ListDeliveries and RetryDelivery: what was sent, what waits, what was given up, and again."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from service.domain.delivery import Channel, DeliveryState
from service.domain.scopes import AVAILABILITY_READ, BOOKINGS_STAFF
from service.store import deliveries
from slotcast.v1 import notification_service_pb2 as pb
from tests.notify.engine import a_delivery
from tests.rpc.stack import refusal

BOOKING = uuid4()
LANE = f"letter:{BOOKING}:customer"
PATIENCE = timedelta(hours=48)


@pytest.fixture
def plan(shop, shared_stack, loop_thread):
    """Plan deliveries; some at once."""

    async def run(planned):
        async with shared_stack.database.transaction(shop.business_id) as tx:
            await deliveries.add(tx, shop.business_id, planned)

    return lambda *planned: loop_thread.run(run(planned))


@pytest.fixture
def end_all(shop, shared_stack, loop_thread):
    """Say of all that waits in the lane what became of it."""

    async def run(state, detail):
        async with shared_stack.database.transaction(shop.business_id) as tx:
            while taken := await deliveries.take(
                tx, shop.business_id, LANE, job_id=1, lease=PATIENCE, patience=PATIENCE
            ):
                await deliveries.end(tx, taken, state, detail)

    return lambda state, detail: loop_thread.run(run(state, detail))


def ask(shop, **changes):
    request = pb.ListDeliveriesRequest(parent=shop.business, **changes)
    return shop.call(shop.notifications.ListDeliveries, request)


def revisions(answer):
    return [each.revision for each in answer.deliveries]


def test_they_are_listed_the_newest_first_with_what_became_of_them(shop, plan, end_all):
    plan(a_delivery(1, lane=LANE, booking_id=BOOKING))
    end_all(DeliveryState.SENT, "<1@example.org>")
    plan(a_delivery(2, lane=LANE, kind="cancelled", target="calendars/anna"))

    waiting, sent = ask(shop).deliveries

    assert (waiting.revision, waiting.state, waiting.kind, waiting.target, waiting.booking) == (
        *(2, pb.Delivery.STATE_WAITING, "cancelled", "calendars/anna"),
        "",
    )
    assert not waiting.HasField("end_time")
    assert (sent.state, sent.detail, sent.attempts, sent.booking) == (
        *(pb.Delivery.STATE_SENT, "<1@example.org>", 1),
        shop.name("bookings", str(BOOKING)),
    )
    assert sent.channel == pb.Delivery.CHANNEL_LETTER
    assert sent.end_time.ToDatetime() >= sent.create_time.ToDatetime()


def test_a_list_is_of_a_booking_of_a_channel_and_of_states_as_asked(shop, plan, end_all):
    plan(a_delivery(1, lane=LANE, booking_id=BOOKING), a_delivery(2, lane=LANE))
    end_all(DeliveryState.SKIPPED, "no need")
    plan(a_delivery(3, channel=Channel.WEBHOOK, lane="webhook:a:b"))

    assert revisions(ask(shop, booking=shop.name("bookings", str(BOOKING)))) == [1]
    assert revisions(ask(shop, channel=pb.Delivery.CHANNEL_WEBHOOK)) == [3]
    assert revisions(ask(shop, states=[pb.Delivery.STATE_SKIPPED])) == [2, 1]
    assert revisions(ask(shop, states=[pb.Delivery.STATE_DEAD])) == []


def test_pages_follow_each_other_without_a_gap_or_a_repetition(shop, plan):
    plan(*[a_delivery(number, lane=f"lane {number}") for number in range(1, 8)])
    seen, token = [], ""
    while True:
        answer = ask(shop, page_size=3, page_token=token)
        seen += revisions(answer)
        token = answer.next_page_token
        if not token:
            break

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_token_is_of_the_query_that_it_came_from(shop, plan):
    plan(a_delivery(1), a_delivery(2))
    token = ask(shop, page_size=1).next_page_token
    request = pb.ListDeliveriesRequest(
        parent=shop.business, page_token=token, channel=pb.Delivery.CHANNEL_LETTER
    )

    code, reason, _ = refusal(shop.notifications.ListDeliveries, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


def test_one_that_was_given_up_is_sent_again_and_no_other_is(shop, plan, end_all):
    plan(a_delivery(1, lane=LANE))
    end_all(DeliveryState.DEAD, "550 no such user")
    (dead,) = ask(shop, states=[pb.Delivery.STATE_DEAD]).deliveries
    request = pb.RetryDeliveryRequest(name=dead.name)

    again = shop.call(shop.notifications.RetryDelivery, request).delivery

    assert (again.name, again.state, again.attempts) == (
        *(dead.name, pb.Delivery.STATE_WAITING),
        0,
    )
    code, reason, details = refusal(
        shop.notifications.RetryDelivery, request, metadata=shop.metadata
    )
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INVALID_TRANSITION")
    assert details["ErrorInfo"].metadata["status"] == "WAITING"


def test_a_delivery_of_another_business_is_not_found(shop, stranger, plan, end_all):
    plan(a_delivery(1, lane=LANE))
    end_all(DeliveryState.DEAD, "550 no such user")
    (dead,) = ask(shop).deliveries

    for request in (
        pb.RetryDeliveryRequest(name=dead.name.replace(shop.business, stranger.business)),
        pb.RetryDeliveryRequest(name=shop.name("deliveries", str(uuid4()))),
    ):
        caller = stranger if stranger.business in request.name else shop
        code, reason, _ = refusal(
            caller.notifications.RetryDelivery, request, metadata=caller.metadata
        )
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


def test_deliveries_are_for_who_may_see_notifications(shop, make_caller):
    caller = make_caller(shop.business_id, AVAILABILITY_READ, BOOKINGS_STAFF)

    code, reason, _ = refusal(
        caller.notifications.ListDeliveries,
        pb.ListDeliveriesRequest(parent=shop.business),
        metadata=caller.metadata,
    )

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
