"""Webhooks as the wire has them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from service.domain import ids
from service.domain.errors import InvalidRequest
from service.domain.webhook import EventType, Webhook, WebhookState
from service.rpc.convert.names import child_ids
from service.rpc.convert.times import write_instant
from service.store.deliveries import Count
from slotcast.v1 import notification_service_pb2 as notification_pb

STATE_MESSAGES: Mapping[WebhookState, notification_pb.Webhook.State.ValueType] = {
    WebhookState.ACTIVE: notification_pb.Webhook.STATE_ACTIVE,
    WebhookState.FAILING: notification_pb.Webhook.STATE_FAILING,
    WebhookState.ENDED: notification_pb.Webhook.STATE_ENDED,
}
_EVENT_TYPES = frozenset(EventType)


def read_webhook(
    message: notification_pb.Webhook, business_id: str, webhook_id: UUID, after_revision: int
) -> Webhook:
    """Return what a request wants; what the service sets is not read."""
    for index, event_type in enumerate(message.event_types):
        if event_type not in _EVENT_TYPES:
            known = ", ".join(EventType)
            raise InvalidRequest(f"webhook.event_types[{index}]", f"It must be one of {known}.")
    return Webhook(
        webhook_id=webhook_id,
        url=message.url,
        event_types=frozenset(message.event_types),
        calendar_ids=frozenset(child_ids(message.calendars, business_id)),
        include_customer=message.include_customer,
        after_revision=after_revision,
    )


def write_webhook(webhook: Webhook, business_id: str, count: Count) -> notification_pb.Webhook:
    """Return a webhook as a message, and how many of its calls wait or were given up."""
    message = notification_pb.Webhook(
        name=ids.webhook_name(business_id, webhook.webhook_id),
        url=webhook.url,
        event_types=sorted(webhook.event_types),
        calendars=[ids.calendar_name(business_id, each) for each in sorted(webhook.calendar_ids)],
        include_customer=webhook.include_customer,
        state=STATE_MESSAGES[webhook.state],
        last_outcome=webhook.last_outcome,
        waiting=count.waiting,
        dead=count.dead,
    )
    for field, instant in (
        (message.failing_since_time, webhook.failing_since),
        (message.last_attempt_time, webhook.last_attempt_at),
        (message.create_time, webhook.created_at),
    ):
        if instant is not None:
            field.CopyFrom(write_instant(instant))
    return message
