"""Webhooks: who is told of what, and how that fares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

WEBHOOKS_MAX = 50
"""Of one business."""
OLD_SECRET_LIFETIME = timedelta(hours=24)
"""So long the secret before the last still signs, beside it."""


class EventType(StrEnum):
    """What a webhook can be told of."""

    BOOKED = "booking.booked"
    PENDING = "booking.pending"
    APPROVED = "booking.approved"
    DECLINED = "booking.declined"
    RESCHEDULED = "booking.rescheduled"
    CANCELLED = "booking.cancelled"
    COMPLETED = "booking.completed"
    NO_SHOW = "booking.no_show"
    WAITLIST_JOINED = "waitlist.joined"
    WAITLIST_OFFERED = "waitlist.offered"
    WAITLIST_LEFT = "waitlist.left"


class WebhookState(StrEnum):
    """How it fares. One that has ended is called no more; a failing one goes on being called."""

    ACTIVE = "active"
    FAILING = "failing"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """An address that is told of what comes after a revision; no types or calendars: of all.

    Its secrets are no part of it, so that nothing that shows one can show them.
    """

    webhook_id: UUID
    url: str
    event_types: frozenset[str]
    calendar_ids: frozenset[str]
    include_customer: bool
    after_revision: int
    state: WebhookState = WebhookState.ACTIVE
    failing_since: datetime | None = None
    last_outcome: str = ""
    last_attempt_at: datetime | None = None
    created_at: datetime | None = None

    def wants(self, event_type: EventType, calendar_ids: frozenset[str] | None) -> bool:
        """Say whether it asked for events of this type on one of these calendars; None: on any."""
        if self.event_types and event_type not in self.event_types:
            return False
        if not self.calendar_ids or calendar_ids is None:
            return True
        return not self.calendar_ids.isdisjoint(calendar_ids)
