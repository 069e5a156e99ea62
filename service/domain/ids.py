"""Resource names: how a business, and what belongs to it, is called on the wire."""

from __future__ import annotations

import hashlib
from uuid import UUID


def business_name(business_id: str) -> str:
    """`businesses/{business}`."""
    return f"businesses/{business_id}"


def calendar_name(business_id: str, calendar_id: str) -> str:
    """`businesses/{business}/calendars/{calendar}`."""
    return f"businesses/{business_id}/calendars/{calendar_id}"


def type_name(business_id: str, type_id: str) -> str:
    """`businesses/{business}/appointmentTypes/{type}`."""
    return f"businesses/{business_id}/appointmentTypes/{type_id}"


def schedule_name(business_id: str, schedule_id: str) -> str:
    """`businesses/{business}/schedules/{schedule}`."""
    return f"businesses/{business_id}/schedules/{schedule_id}"


def closure_name(business_id: str, closure_id: str) -> str:
    """`businesses/{business}/closures/{closure}`."""
    return f"businesses/{business_id}/closures/{closure_id}"


def booking_name(business_id: str, booking_id: UUID) -> str:
    """`businesses/{business}/bookings/{uuid}`."""
    return f"businesses/{business_id}/bookings/{booking_id}"


def hold_name(business_id: str, hold_id: UUID) -> str:
    """`businesses/{business}/holds/{uuid}`."""
    return f"businesses/{business_id}/holds/{hold_id}"


def waitlist_name(business_id: str, entry_id: UUID) -> str:
    """`businesses/{business}/waitlist/{uuid}`."""
    return f"businesses/{business_id}/waitlist/{entry_id}"


def webhook_name(business_id: str, webhook_id: UUID) -> str:
    """`businesses/{business}/webhooks/{uuid}`."""
    return f"businesses/{business_id}/webhooks/{webhook_id}"


def delivery_name(business_id: str, delivery_id: UUID) -> str:
    """`businesses/{business}/deliveries/{uuid}`."""
    return f"businesses/{business_id}/deliveries/{delivery_id}"


def last_part(name: str) -> str:
    """Return the id that a resource name ends with."""
    return name.rsplit("/", 1)[1]


def holder_key(principal_id: str, holder: str) -> str:
    """Return what stands for a holder on claims and in the change log, which name nobody."""
    return hashlib.sha256(f"{principal_id}\n{holder}".encode()).hexdigest()[:32]


def feed_name(business_id: str, calendar_id: str, feed_id: str) -> str:
    """Return the resource name of a feed of busy time."""
    return f"{calendar_name(business_id, calendar_id)}/busyFeeds/{feed_id}"


def feed_link_name(business_id: str, calendar_id: str, link_id: UUID) -> str:
    """Return the resource name of a secret address of a calendar."""
    return f"{calendar_name(business_id, calendar_id)}/feedLinks/{link_id}"
