"""Deliveries: what is owed to someone outside, and what became of it. They name no person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5


class Channel(StrEnum):
    """By which way it goes out."""

    LETTER = "letter"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """What became of it. A dead one was given up; an operator can have it sent again."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
    DEAD = "dead"


CONSUMERS = ("letters", "webhooks")
"""Who follows the change log: each has a cursor in every business from its beginning."""
PATIENCE = {Channel.LETTER: timedelta(hours=48), Channel.WEBHOOK: timedelta(hours=24)}
"""For how long after its first attempt a delivery is tried again before it is given up."""
ATTEMPTS_MAX = 500
"""More than fit into that time: so often at most is begun what ends the process that sends it."""
RETRY_DELAY_FIRST = timedelta(seconds=4)
RETRY_DELAY_MAX = timedelta(minutes=15)
_DOUBLINGS_MAX = 16
_OFFER_LETTERS = UUID("3f0b9a2e-7c55-4d0e-9f2a-5a1d8c6e4b17")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDelivery:
    """What a consumer plans. Nothing in it may name a person: that is joined in when it is sent.

    Within a lane, what is due goes out strictly in the order of (revision, ordinal); one that is
    not due yet holds nobody up, and one that is tried again holds up all behind it. `due_at` None
    is now. The id is made when it is planned, and stays: a letter's Message-ID, a call's event.
    """

    delivery_id: UUID
    channel: Channel
    lane: str
    revision: int
    ordinal: int
    kind: str
    target: str
    booking_id: UUID | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A delivery as it stands. `attempts` counts those that have begun, this one too."""

    business_id: str
    delivery_id: UUID
    channel: Channel
    lane: str
    revision: int
    ordinal: int
    kind: str
    target: str
    booking_id: UUID | None
    body: Mapping[str, Any]
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    detail: str = ""


def offer_letter_id(business_id: str, hold_id: UUID) -> UUID:
    """Return the id of the letter that tells of an offer of the waitlist: no hold has two."""
    return uuid5(_OFFER_LETTERS, f"{business_id}/{hold_id}")


def retry_delay(attempts: int, chance: float, asked: timedelta = timedelta()) -> timedelta:
    """Return how long to wait after so many attempts: twice as long each time, and no two alike.

    `chance` lies in [0, 1): what fails at one time is not tried again at one time. What the
    receiver asked for counts where it is longer, but is as bounded, and is not undercut.
    """
    doubled = min(RETRY_DELAY_FIRST * 2 ** min(attempts - 1, _DOUBLINGS_MAX), RETRY_DELAY_MAX)
    asked = min(asked, RETRY_DELAY_MAX)
    delay: timedelta = max(doubled * (0.75 + chance / 2), asked * (1 + chance / 4))
    return delay
