"""What a key may do: each method of the API needs one of these scopes."""

from __future__ import annotations

AVAILABILITY_READ = "availability.read"
BOOKINGS_WRITE = "bookings.write"
BOOKINGS_READ = "bookings.read"
BOOKINGS_STAFF = "bookings.staff"
BOOKINGS_REPLIES = "bookings.replies"
CATALOG_READ = "catalog.read"
CATALOG_WRITE = "catalog.write"
NOTIFICATIONS = "notifications"
OPERATOR = "operator"
SCOPES = (
    AVAILABILITY_READ,
    BOOKINGS_WRITE,
    BOOKINGS_READ,
    BOOKINGS_STAFF,
    BOOKINGS_REPLIES,
    CATALOG_READ,
    CATALOG_WRITE,
    NOTIFICATIONS,
    OPERATOR,
)
"""All of them, in the order in which they are told."""
