"""Letters and calls of webhooks, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slotcast.convert import instant, word
from slotcast.names import Names
from slotcast.v1 import notification_service_pb2 as pb


class DeliveryChannel(StrEnum):
    """What kind of thing is sent."""

    LETTER = "LETTER"
    WEBHOOK = "WEBHOOK"
    UNKNOWN = "UNKNOWN"


class DeliveryState(StrEnum):
    """Where it stands. A DEAD one was given up; `retry_delivery` sends it again."""

    WAITING = "WAITING"
    SENT = "SENT"
    SKIPPED = "SKIPPED"
    DEAD = "DEAD"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A letter, or a call of a webhook: to whom it goes, where it stands and why.

    `target` is `customer`, a calendar or a webhook; `detail` the letter's Message-ID, the
    receiver's status, or why it was not sent.
    """

    name: str
    channel: DeliveryChannel
    kind: str
    target: str
    booking: str
    revision: int
    state: DeliveryState
    attempts: int
    due: datetime
    created: datetime
    ended: datetime | None
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryQuery:
    """Which deliveries one asks for: of a booking, of a channel, in some states; or all."""

    booking: str = ""
    channel: DeliveryChannel | None = None
    states: Iterable[DeliveryState] = ()


def delivery(message: pb.Delivery) -> Delivery:
    """Read a delivery."""
    channels, states = pb.Delivery.Channel, pb.Delivery.State
    return Delivery(
        name=message.name,
        channel=word(
            DeliveryChannel,
            lambda number: channels.Name(channels.ValueType(number)),
            "CHANNEL_",
            message.channel,
        ),
        kind=message.kind,
        target=message.target,
        booking=message.booking,
        revision=message.revision,
        state=word(
            DeliveryState,
            lambda number: states.Name(states.ValueType(number)),
            "STATE_",
            message.state,
        ),
        attempts=message.attempts,
        due=instant(message.due_time),
        created=instant(message.create_time),
        ended=instant(message.end_time) if message.HasField("end_time") else None,
        detail=message.detail,
    )


def list_request(
    names: Names, query: DeliveryQuery, page_size: int, page_token: str
) -> pb.ListDeliveriesRequest:
    """Ask for a page of them."""
    request = pb.ListDeliveriesRequest(
        parent=names.business(),
        booking=names.booking(query.booking) if query.booking else "",
        states=[pb.Delivery.State.Value(f"STATE_{state}") for state in query.states],
        page_size=page_size,
        page_token=page_token,
    )
    if query.channel is not None:
        request.channel = pb.Delivery.Channel.Value(f"CHANNEL_{query.channel}")
    return request
