"""ListDeliveries and RetryDelivery: what was sent, what waits, what was given up, and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest

from service.domain.booking import BookingStatus
from service.domain.change import BookingState, Change, ChangeKind
from service.domain.delivery import Channel, DeliveryState
from service.domain.interval import Interval
from service.domain.scopes import AVAILABILITY_READ, BOOKINGS_STAFF
from service.domain.webhook import Webhook
from service.notify import unplanned
from service.notify.webhooks.planning import WebhooksConsumer
from service.store import deliveries, webhooks
from slotcast.v1 import notification_service_pb2 as pb
from tests.notify.engine import a_delivery
from tests.rpc.stack import refusal

BOOKING = uuid4()
LANE = f"letter:{BOOKING}:customer"
PATIENCE = timedelta(hours=48)
NOON = datetime(2030, 6, 3, 12, tzinfo=UTC)
A_CHANGE = Change(
    revision=7,
    at=NOON - timedelta(days=1),
    kind=ChangeKind.BOOKED,
    booking_ids=(BOOKING,),
    bookings=(
        BookingState(
            booking_id=BOOKING,
            version=1,
            status=BookingStatus.CONFIRMED,
            type_id="visit",
            calendar_ids=("anna",),
            appointment=Interval(NOON, NOON + timedelta(minutes=30)),
            zone="UTC",
        ),
    ),
)


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


@pytest.fixture
def stand(shop, shared_stack, loop_thread):
    """Have a dead delivery stand for what could not be planned."""

    async def run(keep, *values):
        async with shared_stack.database.transaction(shop.business_id) as tx:
            await keep(tx, shop.business_id, WebhooksConsumer(), *values)

    return lambda keep, *values: loop_thread.run(run(keep, *values))


@pytest.fixture
def run(shop, shared_stack, loop_thread):
    """Run a statement in the business."""

    async def run(statement):
        async with shared_stack.database.transaction(shop.business_id) as tx:
            await tx.exec_driver_sql(statement)

    return lambda statement: loop_thread.run(run(statement))


@pytest.fixture
def subscribe(shop, shared_stack, loop_thread):
    """Add a webhook to which nothing is sent: there is no notifier."""

    async def run():
        webhook = Webhook(
            webhook_id=uuid4(),
            url="https://example.org/",
            event_types=frozenset(),
            calendar_ids=frozenset(),
            include_customer=False,
            after_revision=0,
        )
        async with shared_stack.database.transaction(shop.business_id) as tx:
            await webhooks.add(tx, shop.business_id, webhook, b"secret")
        return str(webhook.webhook_id)

    return lambda: loop_thread.run(run())


def test_what_could_not_be_planned_is_planned_again_though_the_log_was_trimmed(
    shop, stand, subscribe, run
):
    stand(unplanned.keep, A_CHANGE, ValueError("eve@example.org"))
    webhook = subscribe()
    (dead,) = ask(shop, states=[pb.Delivery.STATE_DEAD]).deliveries
    assert (dead.channel, dead.kind, dead.revision, dead.attempts, dead.detail) == (
        *(pb.Delivery.CHANNEL_WEBHOOK, "unplanned", 7, 1),
        "revision 7 could not be planned: ValueError",
    )
    run("DELETE FROM changes")

    request = pb.RetryDeliveryRequest(name=dead.name)
    again = shop.call(shop.notifications.RetryDelivery, request).delivery

    assert (again.name, again.state, again.attempts, again.detail) == (
        *(dead.name, pb.Delivery.STATE_SKIPPED, 2),
        "planned again: 1 to be sent",
    )
    (waiting,) = ask(shop, states=[pb.Delivery.STATE_WAITING]).deliveries
    assert (waiting.kind, waiting.target, waiting.revision) == ("booking.booked", webhook, 7)
    code, reason, _ = refusal(shop.notifications.RetryDelivery, request, metadata=shop.metadata)
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INVALID_TRANSITION")


def test_what_cannot_be_planned_again_either_is_dead_again_and_owes_nothing_twice(
    shop, stand, subscribe, run
):
    subscribe()
    stand(unplanned.keep, A_CHANGE, ValueError())
    run("UPDATE deliveries SET body = '{\"change\": {}}'")
    (dead,) = ask(shop).deliveries

    request = pb.RetryDeliveryRequest(name=dead.name)
    again = shop.call(shop.notifications.RetryDelivery, request).delivery

    assert (again.state, again.attempts, again.detail) == (
        *(pb.Delivery.STATE_DEAD, 2),
        "revision 7 could not be planned: KeyError",
    )
    assert len(ask(shop).deliveries) == 1


def test_what_was_trimmed_before_it_was_planned_is_refused_and_it_is_said_why(shop, stand):
    stand(unplanned.keep_lost, 3, 9)
    (dead,) = ask(shop).deliveries
    request = pb.RetryDeliveryRequest(name=dead.name)

    with pytest.raises(grpc.RpcError) as refused:
        shop.call(shop.notifications.RetryDelivery, request)

    assert refused.value.code() == grpc.StatusCode.OUT_OF_RANGE
    assert "revisions 3 to 9" in (refused.value.details() or "")
    _, reason, details = refusal(shop.notifications.RetryDelivery, request, metadata=shop.metadata)
    assert reason == "LOG_TRIMMED"
    assert int(details["ErrorInfo"].metadata["first_revision"]) >= 1
    assert revisions(ask(shop, states=[pb.Delivery.STATE_DEAD])) == [3]


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
