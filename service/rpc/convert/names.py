"""Resource names: of which business they are, and what they end with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from service.domain import ids
from service.domain.errors import ResourceNotFound

NAME_LENGTH_MAX = 200
NAME = re.compile(
    r"businesses/([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)(?:/[A-Za-z]{1,40}/[a-z0-9-]{1,40}){0,2}"
)


@lru_cache(maxsize=4096)
def business_of(name: str) -> str | None:
    """Return the business in a resource name, or None where it is no such name."""
    if len(name) > NAME_LENGTH_MAX:
        return None
    match = NAME.fullmatch(name)
    return match[1] if match else None


def child_id(name: str, business_id: str) -> str:
    """Return the id that a name ends with; one of another business is not found, as if absent."""
    if business_of(name) != business_id:
        raise ResourceNotFound(name)
    return ids.last_part(name)


def child_ids(names: Sequence[str], business_id: str) -> tuple[str, ...]:
    """Return the ids that the names end with."""
    return tuple(child_id(name, business_id) for name in names)


def child_uuid(name: str, business_id: str) -> UUID:
    """Return the UUID that the name of a booking or hold ends with."""
    return UUID(child_id(name, business_id))


def grandchild_ids(name: str, business_id: str) -> tuple[str, str]:
    """Return the two ids in `businesses/*/calendars/*/busyFeeds/*` and its like."""
    last = child_id(name, business_id)
    return name.split("/")[3], last
