"""Claims: what holds, bookings and imported busy time put on a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.domain.interval import Interval

CLAIM_DURATION_MAX = timedelta(days=3)
"""No claim lasts longer, so a query for those that touch a window can begin this long before it.

An appointment of a day with both buffers of half a day lasts two; imported busy time is cut up.
"""


class ClaimKind(StrEnum):
    """Who put a claim on a calendar."""

    HOLD = "hold"
    BOOKING = "booking"
    BUSY = "busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A claim on one calendar.

    `start` and `end` include buffers; `appointment` is without them, and absent on busy time.
    `seat` is the place that it takes in a group, or None where it has the calendar for itself.
    """

    claim_id: UUID
    calendar_id: str
    kind: ClaimKind
    owner_id: str
    start: datetime
    end: datetime
    type_id: str | None = None
    appointment: Interval | None = None
    seat: int | None = None
    expires_at: datetime | None = None
    holder_key: str | None = None

    def is_live(self, now: datetime) -> bool:
        """Say whether it still counts: a hold does until, and not at, the instant it expires."""
        return self.expires_at is None or self.expires_at > now
