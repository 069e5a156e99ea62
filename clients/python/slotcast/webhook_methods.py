"""What a client can ask NotificationService about webhooks and replies."""

from __future__ import annotations

from dataclasses import replace

from slotcast.calls import Calls
from slotcast.channel import Connected
from slotcast.v1 import notification_service_pb2 as pb
from slotcast.webhooks import (
    Replayed,
    Reply,
    SignedWebhook,
    Webhook,
    reply,
    webhook,
    webhook_message,
)


class WebhookMethods(Connected):
    """Who is told of changes, and what comes back by mail."""

    async def create_webhook(self, wanted: Webhook) -> SignedWebhook:
        """Have an address told of what happens from now on; its secret is told this once.

        It is not tried again, as that could make a second one. TargetRefused: the address is
        private, or not https.
        """
        link = self._connection
        once = Calls(link.calls.metadata, replace(link.calls.timeouts, attempts_max=1))
        request = pb.CreateWebhookRequest(
            parent=link.names.business(), webhook=webhook_message(link.names, wanted)
        )
        response = await once.unary(link.notifications.CreateWebhook, request)
        return SignedWebhook(webhook=webhook(response.webhook), secret=response.secret)

    async def get_webhook(self, name: str) -> Webhook:
        """Read one, and how it fares."""
        link = self._connection
        request = pb.GetWebhookRequest(name=link.names.webhook(name))
        response = await link.calls.unary(link.notifications.GetWebhook, request)
        return webhook(response.webhook)

    async def list_webhooks(self) -> tuple[Webhook, ...]:
        """List all, by age."""
        link = self._connection
        request = pb.ListWebhooksRequest(parent=link.names.business())
        response = await link.calls.unary(link.notifications.ListWebhooks, request)
        return tuple(webhook(each) for each in response.webhooks)

    async def update_webhook(self, wanted: Webhook) -> Webhook:
        """Change where and of what one is told. One that had ended begins anew."""
        link = self._connection
        request = pb.UpdateWebhookRequest(
            webhook=webhook_message(link.names, wanted, name=link.names.webhook(wanted.name))
        )
        response = await link.calls.unary(link.notifications.UpdateWebhook, request)
        return webhook(response.webhook)

    async def rotate_webhook_secret(self, wanted: Webhook) -> SignedWebhook:
        """Give one a new secret; for 24 h the one before signs beside it.

        It is not tried again, as that could replace the new one, too.
        """
        link = self._connection
        once = Calls(link.calls.metadata, replace(link.calls.timeouts, attempts_max=1))
        request = pb.UpdateWebhookRequest(
            webhook=webhook_message(link.names, wanted, name=link.names.webhook(wanted.name)),
            rotate_secret=True,
        )
        response = await once.unary(link.notifications.UpdateWebhook, request)
        return SignedWebhook(webhook=webhook(response.webhook), secret=response.secret)

    async def delete_webhook(self, name: str) -> None:
        """End one. What was not delivered is dropped."""
        link = self._connection
        request = pb.DeleteWebhookRequest(name=link.names.webhook(name))
        await link.calls.unary(link.notifications.DeleteWebhook, request)

    async def replay_webhook(self, name: str, *, after_revision: int) -> Replayed:
        """Send again what happened after a revision, at most 10,000 events, with the same ids.

        LogTrimmed: the log does not reach back so far.
        """
        link = self._connection
        request = pb.ReplayWebhookRequest(
            name=link.names.webhook(name), after_revision=after_revision
        )
        response = await link.calls.unary(link.notifications.ReplayWebhook, request)
        return Replayed(events=response.events, revision=response.revision)

    async def receive_reply(self, mail: bytes) -> Reply:
        """Hand in a mail that may answer an invitation; the same one twice does nothing more."""
        link = self._connection
        request = pb.ReceiveReplyRequest(parent=link.names.business(), mail=mail)
        return reply(await link.calls.unary(link.notifications.ReceiveReply, request))
