"""A webhook is told things in the very JSON in which REST shows them."""

from __future__ import annotations

import pytest

from service.domain.delivery import Channel
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.webhooks.planning import WebhooksConsumer
from service.notify.webhooks.sending import WebhookSender
from service.ops.outbound import Outbound
from service.store import deliveries
from tests.gateway.requests import a_booking, a_slot, text
from tests.rpc.stack import a_request_id, tomorrow
from tests.webhooks.receiver import receiving

KIM = {
    "displayName": "Kim",
    "email": "kim@example.org",
    "timeZone": "Europe/Berlin",
    "language": "de",
}


@pytest.fixture
def told(shop, stack, loop_thread, make_lane_numbers):
    """Return what a webhook of the shop is told from now on, whenever it is asked for."""
    webhook = {"url": "https://192.88.98.1/hook", "includeCustomer": True}
    made = shop.web.post(f"{shop.path}/webhooks", {"webhook": webhook})
    assert made.json["secret"].startswith("whsec_")
    business_id = shop.caller.business_id

    async def tell():
        database = stack.database
        async with receiving() as receiver, Outbound(allow_private=True) as outbound:
            async with database.transaction(business_id) as tx:
                await tx.exec_driver_sql("UPDATE webhooks SET url = $1", (receiver.url(),))
            await Consumers(database, [WebhooksConsumer()], ConsumerLimits()).catch_up()
            async with database.snapshot(business_id) as tx:
                owed = await deliveries.list_page(
                    tx, business_id, deliveries.Wanted(), before=None, limit=100
                )
            deliverer = Deliverer(database, {Channel.WEBHOOK: WebhookSender(database, outbound)})
            for lane in {each.lane for each in owed}:
                number = next(make_lane_numbers)
                await deliverer.deliver(Channel.WEBHOOK, number, business_id, lane)
            return [call.event for call in receiver.calls]

    return lambda: loop_thread.run(tell())


@pytest.fixture
def make_lane_numbers():
    return iter(range(1, 1_000_000))


def test_a_booking_is_told_as_rest_shows_it(shop, told):
    booked = shop.web.post(
        f"{shop.path}/bookings", a_booking(shop, customer=KIM, fields={"note": "a window seat"})
    )
    path = f"/v1/{booked.json['bookings'][0]['name']}"

    (event,) = told()
    shown = shop.web.get(path).json
    assert event["booking"] == shown["booking"]
    assert event["revision"] == shown["revision"]

    to = {"slot": a_slot(shop, hour=14)}
    shop.web.post(f"{path}:reschedule", {"requestId": a_request_id(), "version": "1", "to": to})
    (event,) = told()
    assert event["booking"] == shop.web.get(path).json["booking"]
    assert event["before"]["startTime"] == text(tomorrow(9))

    cancel = {"requestId": a_request_id(), "version": "2", "reason": "Ill"}
    shop.web.post(f"{path}:cancel", cancel)
    (event,) = told()
    assert event["booking"] == shop.web.get(path).json["booking"]
    assert event["booking"]["cancelReason"] == "Ill"


def test_who_waits_is_told_as_rest_shows_it(shop, told):
    request = {
        "requestId": a_request_id(),
        "appointmentType": shop.caller.name("appointmentTypes", "visit"),
        "calendars": [shop.caller.name("calendars", "anna")],
        "windows": [{"startTime": text(tomorrow(9)), "endTime": text(tomorrow(12))}],
        "duration": "1800s",
        "holder": "kim",
        "customer": KIM,
    }
    joined = shop.web.post(f"{shop.path}/waitlist", request)

    events = told()
    shown = shop.web.get(f"/v1/{joined.json['entry']['name']}").json["entry"]

    assert events[0]["type"] == "waitlist.joined"
    assert events[-1]["waitlistEntry"] == shown


def test_webhooks_are_kept_over_rest(shop):
    webhook = {"url": "https://192.88.98.1/hook", "eventTypes": ["booking.cancelled"]}
    made = shop.web.post(f"{shop.path}/webhooks", {"webhook": webhook}).json["webhook"]
    path = f"/v1/{made['name']}"

    assert made["state"] == "STATE_ACTIVE"
    assert shop.web.get(f"{shop.path}/webhooks").json["webhooks"] == [made]

    changed = shop.web.ask("PUT", path, '{"webhook": {"url": "https://192.88.98.2/hook"}}')
    assert changed.json["webhook"]["url"] == "https://192.88.98.2/hook"
    assert shop.web.get(path).json["webhook"] == changed.json["webhook"]

    assert shop.web.post(f"{path}:replay", {"afterRevision": "0"}).status == 200
    assert shop.web.ask("DELETE", path).status == 200
    assert shop.web.get(path).status == 404
