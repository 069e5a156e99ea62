"""NotificationService: webhooks, whom a business has told of what happens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from uuid import uuid4

from service.domain.delivery import Channel
from service.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    ResourceNotFound,
    TargetRefused,
)
from service.domain.ids import business_name
from service.domain.webhook import WEBHOOKS_MAX, Webhook, WebhookState
from service.notify.webhooks.replaying import ReplayLimits, replay
from service.notify.webhooks.signing import SECRET_BYTES, secret_text
from service.ops.outbound import Outbound, OutboundError, asking_for
from service.rpc.call import Behaviour, Call
from service.rpc.convert.names import child_uuid
from service.rpc.convert.webhooks import read_webhook, write_webhook
from service.store import catalog as catalog_store
from service.store import changes, deliveries, webhooks
from service.store.database import Database, Transaction
from service.store.deliveries import Count
from slotcast.v1 import notification_service_pb2 as notification_pb

CHECK_SECONDS_MAX = 5.0


class WebhookMethods:
    """Keeps who is told of what."""

    def __init__(self, *, database: Database, outbound: Outbound) -> None:
        """Take where they are kept, and what knows which addresses may be called."""
        self._database = database
        self._outbound = outbound

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "CreateWebhook": self.create_webhook,
            "GetWebhook": self.get_webhook,
            "ListWebhooks": self.list_webhooks,
            "UpdateWebhook": self.update_webhook,
            "DeleteWebhook": self.delete_webhook,
            "ReplayWebhook": self.replay_webhook,
        }

    async def create_webhook(
        self, request: notification_pb.CreateWebhookRequest, call: Call
    ) -> notification_pb.CreateWebhookResponse:
        """Answer CreateWebhook: what it is told of begins after the revision of now."""
        await self._check_target(request.webhook.url, call.business_id)
        secret = secrets.token_bytes(SECRET_BYTES)
        async with self._database.transaction(call.business_id) as tx:
            _, head = await changes.head(tx, call.business_id)
            if head is None:
                raise ResourceNotFound(request.parent)
            if len(await webhooks.all_of(tx, call.business_id)) >= WEBHOOKS_MAX:
                raise InvalidRequest("parent", f"A business has at most {WEBHOOKS_MAX} webhooks.")
            wanted = read_webhook(request.webhook, call.business_id, uuid4(), head.revision)
            await _check_calendars(tx, call.business_id, wanted)
            webhook = await webhooks.add(tx, call.business_id, wanted, secret)
        return notification_pb.CreateWebhookResponse(
            webhook=write_webhook(webhook, call.business_id, Count()), secret=secret_text(secret)
        )

    async def get_webhook(
        self, request: notification_pb.GetWebhookRequest, call: Call
    ) -> notification_pb.GetWebhookResponse:
        """Answer GetWebhook."""
        async with self._database.snapshot(call.business_id) as tx:
            webhook = await _found(tx, call.business_id, request.name)
            written = await _written(tx, call.business_id, [webhook])
        return notification_pb.GetWebhookResponse(webhook=written[0])

    async def list_webhooks(
        self, request: notification_pb.ListWebhooksRequest, call: Call
    ) -> notification_pb.ListWebhooksResponse:
        """Answer ListWebhooks."""
        async with self._database.snapshot(call.business_id) as tx:
            _, head = await changes.head(tx, call.business_id)
            if head is None:
                raise ResourceNotFound(request.parent)
            found = await webhooks.all_of(tx, call.business_id)
            written = await _written(tx, call.business_id, found)
        return notification_pb.ListWebhooksResponse(webhooks=written)

    async def update_webhook(
        self, request: notification_pb.UpdateWebhookRequest, call: Call
    ) -> notification_pb.UpdateWebhookResponse:
        """Answer UpdateWebhook."""
        webhook_id = child_uuid(request.webhook.name, call.business_id)
        wanted = read_webhook(request.webhook, call.business_id, webhook_id, 0)
        await self._check_target(request.webhook.url, call.business_id)
        secret = secrets.token_bytes(SECRET_BYTES) if request.rotate_secret else None
        async with self._database.transaction(call.business_id) as tx:
            await _check_calendars(tx, call.business_id, wanted)
            webhook = await webhooks.update(tx, call.business_id, wanted, secret)
            if webhook is None:
                raise ResourceNotFound(request.webhook.name)
            written = await _written(tx, call.business_id, [webhook])
        return notification_pb.UpdateWebhookResponse(
            webhook=written[0], secret="" if secret is None else secret_text(secret)
        )

    async def delete_webhook(
        self, request: notification_pb.DeleteWebhookRequest, call: Call
    ) -> notification_pb.DeleteWebhookResponse:
        """Answer DeleteWebhook: what was not delivered is dropped with it."""
        webhook_id = child_uuid(request.name, call.business_id)
        async with self._database.transaction(call.business_id) as tx:
            if not await webhooks.remove(tx, call.business_id, webhook_id):
                raise ResourceNotFound(request.name)
            await deliveries.drop_target(tx, call.business_id, Channel.WEBHOOK, str(webhook_id))
        return notification_pb.DeleteWebhookResponse()

    async def replay_webhook(
        self, request: notification_pb.ReplayWebhookRequest, call: Call
    ) -> notification_pb.ReplayWebhookResponse:
        """Answer ReplayWebhook."""
        async with self._database.transaction(call.business_id) as tx:
            webhook = await _found(tx, call.business_id, request.name)
            if webhook.state is WebhookState.ENDED:
                raise InvalidTransition(
                    "The webhook has ended. Update it, then replay.", status="ENDED"
                )
            done = await replay(
                tx, call.business_id, webhook, request.after_revision, ReplayLimits()
            )
        return notification_pb.ReplayWebhookResponse(events=done.events, revision=done.revision)

    async def _check_target(self, url: str, business_id: str) -> None:
        """Refuse at once what would be refused at every call."""
        if not (url.startswith("https://") or self._outbound.allows_private):
            raise TargetRefused("The URL must begin with https://.", field="webhook.url")
        try:
            with asking_for(business_id):
                await self._outbound.check(url, seconds_max=CHECK_SECONDS_MAX)
        except OutboundError as error:
            raise TargetRefused(error.reason, field="webhook.url") from error


async def _found(tx: Transaction, business_id: str, name: str) -> Webhook:
    webhook = await webhooks.get(tx, business_id, child_uuid(name, business_id))
    if webhook is None:
        raise ResourceNotFound(name)
    return webhook


async def _written(
    tx: Transaction, business_id: str, found: Sequence[Webhook]
) -> list[notification_pb.Webhook]:
    targets = [str(webhook.webhook_id) for webhook in found]
    counts = await deliveries.counts(tx, business_id, Channel.WEBHOOK, targets)
    return [
        write_webhook(webhook, business_id, counts.get(str(webhook.webhook_id), Count()))
        for webhook in found
    ]


async def _check_calendars(tx: Transaction, business_id: str, webhook: Webhook) -> None:
    """Refuse a calendar that there is not: nothing would ever be told of it."""
    if not webhook.calendar_ids:
        return
    catalog = await catalog_store.load(tx, business_id)
    if catalog is None:
        raise ResourceNotFound(business_name(business_id))
    for calendar_id in sorted(webhook.calendar_ids - set(catalog.calendars)):
        raise ResourceNotFound(f"{business_name(business_id)}/calendars/{calendar_id}")
