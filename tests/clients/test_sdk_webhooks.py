"""Webhooks, replies and deliveries by the client: plain values both ways."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest

from slotcast import Replayed, ServerUnreachable, Webhook, WebhookState
from slotcast.v1 import notification_service_pb2 as pb
from tests.clients.scripted import refused
from tests.clients.wire import DAY, booking_message

NAME = "businesses/salon/webhooks/w1"
WANTED = Webhook(
    url="https://example.com/hook",
    event_types=("booking.cancelled",),
    calendars=("anna",),
    include_customer=True,
)


def stored(**changes):
    message = pb.Webhook(
        name=NAME,
        url=WANTED.url,
        event_types=WANTED.event_types,
        calendars=["businesses/salon/calendars/anna"],
        include_customer=True,
        state=pb.Webhook.STATE_FAILING,
        last_outcome="500",
        waiting=2,
        dead=1,
        **changes,
    )
    for field in (message.failing_since_time, message.last_attempt_time, message.create_time):
        field.FromDatetime(DAY)
    return message


READ = replace(
    WANTED,
    name=NAME,
    calendars=("businesses/salon/calendars/anna",),
    state=WebhookState.FAILING,
    failing_since=DAY,
    last_outcome="500",
    last_attempt=DAY,
    waiting=2,
    dead=1,
    created=DAY,
)


async def test_a_webhook_is_made_read_and_changed(client, script):
    script.on("CreateWebhook", lambda _: pb.CreateWebhookResponse(webhook=stored(), secret="s"))
    script.on("GetWebhook", lambda _: pb.GetWebhookResponse(webhook=stored()))
    script.on("ListWebhooks", lambda _: pb.ListWebhooksResponse(webhooks=[stored()]))
    script.on("UpdateWebhook", lambda _: pb.UpdateWebhookResponse(webhook=stored(), secret="n"))
    script.on("DeleteWebhook", lambda _: pb.DeleteWebhookResponse())

    made = await client.create_webhook(WANTED)
    assert (made.webhook, made.secret) == (READ, "s")
    wanted = script.calls[-1].request.webhook
    assert list(wanted.calendars) == ["businesses/salon/calendars/anna"]

    assert await client.get_webhook("w1") == READ
    assert script.calls[-1].request.name == NAME
    assert await client.list_webhooks() == (READ,)
    assert await client.update_webhook(READ) == READ
    assert not script.calls[-1].request.rotate_secret
    assert (await client.rotate_webhook_secret(READ)).secret == "n"
    assert script.calls[-1].request.rotate_secret
    await client.delete_webhook(NAME)
    assert script.calls[-1].request.name == NAME


async def test_a_webhook_is_not_made_twice_where_the_answer_was_lost(client, script):
    def lose(_request):
        raise refused(grpc.StatusCode.UNAVAILABLE)

    script.on("CreateWebhook", lose)

    with pytest.raises(ServerUnreachable):
        await client.create_webhook(WANTED)

    assert [call.method for call in script.calls] == ["CreateWebhook"]


async def test_a_replay_says_how_far_it_went(client, script):
    script.on("ReplayWebhook", lambda _: pb.ReplayWebhookResponse(events=3, revision=9))

    assert await client.replay_webhook("w1", after_revision=4) == Replayed(events=3, revision=9)
    assert script.calls[-1].request.after_revision == 4


async def test_a_mail_is_handed_in_and_one_is_told_what_it_came_to(client, script):
    response = pb.ReceiveReplyResponse
    answers = [
        response(action=response.ACTION_CANCELLED, booking=booking_message()),
        response(action=response.ACTION_NONE, detail="The customer has not declined."),
    ]
    script.on("ReceiveReply", lambda _: answers.pop(0))

    cancelled = await client.receive_reply(b"Subject: Declined")
    assert script.calls[-1].request.mail == b"Subject: Declined"
    assert (cancelled.cancelled, cancelled.booking.name) == (True, booking_message().name)
    ignored = await client.receive_reply(b"Subject: Accepted")
    assert (ignored.cancelled, ignored.detail) == (False, "The customer has not declined.")
    assert ignored.booking is None
