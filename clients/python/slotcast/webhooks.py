"""Webhooks, and what a reply by mail came to, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slotcast.convert import booking, moment, word
from slotcast.models import Booking
from slotcast.names import Names
from slotcast.v1 import notification_service_pb2 as pb


class WebhookState(StrEnum):
    """How a webhook fares. FAILING ones go on being called; an ENDED one answered 410."""

    ACTIVE = "ACTIVE"
    FAILING = "FAILING"
    ENDED = "ENDED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """An address that is told of changes: of these types and calendars; of none named: of all.

    `name` and what follows `include_customer` are set by the service. `waiting` and `dead` count
    its calls that are still to arrive, and those that were given up.
    """

    url: str
    event_types: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    include_customer: bool = False
    name: str = ""
    state: WebhookState = WebhookState.ACTIVE
    failing_since: datetime | None = None
    last_outcome: str = ""
    last_attempt: datetime | None = None
    waiting: int = 0
    dead: int = 0
    created: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedWebhook:
    """A webhook, and the secret that its calls are signed with; it is told this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """How many events are sent again, and the last revision of which they tell."""

    events: int
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a mail came to: it cancelled a booking, or `detail` says why it did not."""

    cancelled: bool
    detail: str
    booking: Booking | None


def webhook(message: pb.Webhook) -> Webhook:
    """Read a webhook."""
    states = pb.Webhook.State
    return Webhook(
        url=message.url,
        event_types=tuple(message.event_types),
        calendars=tuple(message.calendars),
        include_customer=message.include_customer,
        name=message.name,
        state=word(
            WebhookState,
            lambda number: states.Name(states.ValueType(number)),
            "STATE_",
            message.state,
        ),
        failing_since=moment(message, "failing_since_time"),
        last_outcome=message.last_outcome,
        last_attempt=moment(message, "last_attempt_time"),
        waiting=message.waiting,
        dead=message.dead,
        created=moment(message, "create_time"),
    )


def webhook_message(names: Names, value: Webhook, *, name: str = "") -> pb.Webhook:
    """Write what one wants of a webhook."""
    return pb.Webhook(
        name=name,
        url=value.url,
        event_types=value.event_types,
        calendars=[names.calendar(each) for each in value.calendars],
        include_customer=value.include_customer,
    )


def reply(message: pb.ReceiveReplyResponse) -> Reply:
    """Read what a mail came to."""
    return Reply(
        cancelled=message.action == pb.ReceiveReplyResponse.ACTION_CANCELLED,
        detail=message.detail,
        booking=booking(message.booking) if message.HasField("booking") else None,
    )
