"""The tables. `business_id` leads every key, so that a business can live on any node.

Times are UTC. No foreign key leaves a business, no sequence orders anything. Alembic's migrations
make the same tables, with the policies of store/row_security.py; a test says so.
"""

from __future__ import annotations

from service.store.tables.base import metadata
from service.store.tables.bookings import (
    api_keys,
    bookings,
    changes,
    claims,
    handoffs,
    holds,
    requests,
    waitlist,
)
from service.store.tables.catalog import (
    appointment_types,
    businesses,
    busy_feeds,
    calendars,
    closures,
    feed_links,
    removed_businesses,
    schedules,
)
from service.store.tables.deliveries import (
    consumers,
    deliveries,
    webhooks,
)

__all__ = [
    "api_keys",
    "appointment_types",
    "bookings",
    "businesses",
    "busy_feeds",
    "calendars",
    "changes",
    "claims",
    "closures",
    "consumers",
    "deliveries",
    "feed_links",
    "handoffs",
    "holds",
    "metadata",
    "removed_businesses",
    "requests",
    "schedules",
    "waitlist",
    "webhooks",
]
