"""Webhooks over gRPC: whom a business has told of what, and what is refused."""

from __future__ import annotations

import base64
import queue
import re
import socket
import threading
from uuid import uuid4

import grpc
import pytest

from service.domain.webhook import WEBHOOKS_MAX
from service.ops import outbound
from service.ops.outbound import LOOKUPS_PER_TENANT_MAX
from slotcast.v1 import notification_service_pb2 as notification_pb
from tests.rpc.stack import refusal, tomorrow

URL = "https://192.88.98.1/hook"
"""A public address. Nothing is called here: no notifier runs."""


def create(shop, **wanted):
    webhook = notification_pb.Webhook(**{"url": URL, **wanted})
    request = notification_pb.CreateWebhookRequest(parent=shop.business, webhook=webhook)
    return shop.call(shop.notifications.CreateWebhook, request)


def get(shop, name):
    request = notification_pb.GetWebhookRequest(name=name)
    return shop.call(shop.notifications.GetWebhook, request).webhook


def all_of(shop):
    request = notification_pb.ListWebhooksRequest(parent=shop.business)
    return list(shop.call(shop.notifications.ListWebhooks, request).webhooks)


def update(shop, webhook, **options):
    request = notification_pb.UpdateWebhookRequest(webhook=webhook, **options)
    return shop.call(shop.notifications.UpdateWebhook, request)


def delete(shop, name):
    request = notification_pb.DeleteWebhookRequest(name=name)
    return shop.call(shop.notifications.DeleteWebhook, request)


def test_a_webhook_is_made_read_listed_changed_and_removed(shop):
    made = create(
        shop, event_types=["booking.cancelled"], calendars=[shop.name("calendars", "anna")]
    )
    webhook = made.webhook
    assert webhook.state == notification_pb.Webhook.STATE_ACTIVE
    assert get(shop, webhook.name) == webhook
    assert all_of(shop) == [webhook]

    webhook.include_customer = True
    del webhook.event_types[:]
    changed = update(shop, webhook)
    assert (changed.webhook, changed.secret) == (webhook, "")
    assert get(shop, webhook.name) == webhook

    delete(shop, webhook.name)
    assert all_of(shop) == []


def test_its_secret_is_told_once(shop):
    made = create(shop)

    assert re.fullmatch(r"whsec_[A-Za-z0-9+/=]{44}", made.secret)
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"))) == 32
    for later in (get(shop, made.webhook.name), *all_of(shop)):
        assert made.secret not in str(later)


def test_a_secret_can_be_replaced(shop):
    made = create(shop)

    changed = update(shop, made.webhook, rotate_secret=True)

    assert changed.secret.startswith("whsec_")
    assert changed.secret != made.secret


@pytest.mark.parametrize(
    "url",
    [
        "http://192.88.98.1/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://2130706433/hook",
        "https://user:word@192.88.98.1/hook",
        "ftp://192.88.98.1/hook",
    ],
)
def test_s23_a_private_address_and_what_is_not_https_are_refused(shop, url):
    webhook = notification_pb.Webhook(url=url)
    request = notification_pb.CreateWebhookRequest(parent=shop.business, webhook=webhook)

    code, reason, _ = refusal(shop.notifications.CreateWebhook, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
    assert all_of(shop) == []


def test_s23_a_webhook_cannot_be_moved_to_a_private_address(shop):
    webhook = create(shop).webhook
    webhook.url = "https://127.0.0.1/hook"
    request = notification_pb.UpdateWebhookRequest(webhook=webhook)

    _, reason, _ = refusal(shop.notifications.UpdateWebhook, request, metadata=shop.metadata)

    assert reason == "TARGET_REFUSED"
    assert get(shop, webhook.name).url == URL


def refused(shop, **wanted):
    webhook = notification_pb.Webhook(**{"url": URL, **wanted})
    request = notification_pb.CreateWebhookRequest(parent=shop.business, webhook=webhook)
    return refusal(shop.notifications.CreateWebhook, request, metadata=shop.metadata)


def test_the_names_of_one_business_take_no_more_than_its_share_of_lookups(
    shop, stranger, loop_thread, monkeypatch
):
    free, asked = threading.Event(), queue.SimpleQueue()

    def look_up(host, port, _family):
        asked.put(host)
        if host.startswith("slow"):
            free.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.88.98.1", port))]

    monkeypatch.setattr(outbound, "_look_up", look_up)
    requests = [
        notification_pb.CreateWebhookRequest(
            parent=shop.business, webhook=notification_pb.Webhook(url=f"https://slow{n}.example/")
        )
        for n in range(2 * LOOKUPS_PER_TENANT_MAX)
    ]
    calls = [
        shop.notifications.CreateWebhook.future(request, timeout=20, metadata=shop.metadata)
        for request in requests
    ]
    begun = [asked.get(timeout=20) for _ in range(LOOKUPS_PER_TENANT_MAX)]

    with pytest.raises(grpc.RpcError):
        create(stranger, url="https://other.example/")

    assert asked.get(timeout=20) == "other.example", "None of the others was looked up."
    free.set()
    for call in calls:
        call.result(timeout=20)
    assert len(begun) == LOOKUPS_PER_TENANT_MAX


def test_an_event_that_does_not_exist_is_refused(shop):
    code, reason, details = refused(shop, event_types=["booking.canceled"])

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    (violation,) = details["BadRequest"].field_violations
    assert violation.field == "webhook.event_types[0]"
    assert "booking.cancelled" in violation.description


@pytest.mark.parametrize("calendar", ["businesses/{own}/calendars/zoe", "businesses/b/calendars/a"])
def test_a_calendar_that_there_is_not_is_refused(shop, calendar):
    _, reason, _ = refused(shop, calendars=[calendar.format(own=shop.business_id)])

    assert reason == "RESOURCE_NOT_FOUND"


def test_a_business_has_so_many_webhooks_and_no_more(shop):
    for _ in range(WEBHOOKS_MAX):
        create(shop)

    _, reason, _ = refused(shop)

    assert reason == "INVALID_REQUEST"


def test_s1_the_webhooks_of_another_business_are_not_found(shop, stranger):
    webhook = create(shop).webhook
    known = webhook.name
    guessed = f"{stranger.business}/{known.partition('/')[2].partition('/')[2]}"
    for name in (known, guessed):
        moved = notification_pb.Webhook(name=name, url=URL)
        for method, request in (
            ("GetWebhook", notification_pb.GetWebhookRequest(name=name)),
            ("UpdateWebhook", notification_pb.UpdateWebhookRequest(webhook=moved)),
            ("DeleteWebhook", notification_pb.DeleteWebhookRequest(name=name)),
            ("ReplayWebhook", notification_pb.ReplayWebhookRequest(name=name)),
        ):
            behaviour = getattr(stranger.notifications, method)
            code, reason, _ = refusal(behaviour, request, metadata=stranger.metadata)
            assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND"), method
    assert all_of(shop) == [webhook]


def test_webhooks_need_a_scope_of_their_own(shop, make_caller):
    widget = make_caller(shop.business_id, "bookings.write", "bookings.read", "catalog.write")
    request = notification_pb.ListWebhooksRequest(parent=shop.business)

    code, reason, _ = refusal(widget.notifications.ListWebhooks, request, metadata=widget.metadata)

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")


def test_a_replay_says_how_much_is_sent_again_and_how_far_it_goes(shop):
    booked = shop.call(shop.bookings.Book, shop.book_request(tomorrow(9)))
    webhook = create(shop).webhook
    replay = notification_pb.ReplayWebhookRequest(name=webhook.name, after_revision=0)

    done = shop.call(shop.notifications.ReplayWebhook, replay)

    assert (done.events, done.revision) == (1, booked.revision)
    assert get(shop, webhook.name).waiting == 1


def test_what_waits_is_dropped_with_its_webhook(shop):
    shop.call(shop.bookings.Book, shop.book_request(tomorrow(9)))
    webhook = create(shop).webhook
    shop.call(
        shop.notifications.ReplayWebhook, notification_pb.ReplayWebhookRequest(name=webhook.name)
    )

    delete(shop, webhook.name)

    listed = notification_pb.ListDeliveriesRequest(parent=shop.business)
    assert not shop.call(shop.notifications.ListDeliveries, listed).deliveries


def test_a_webhook_that_there_is_not_is_not_found(shop):
    request = notification_pb.DeleteWebhookRequest(name=shop.name("webhooks", str(uuid4())))

    _, reason, _ = refusal(shop.notifications.DeleteWebhook, request, metadata=shop.metadata)

    assert reason == "RESOURCE_NOT_FOUND"
