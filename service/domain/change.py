"""Changes: the entries of the change log. They name no person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.domain.claim import Claim


class ChangeKind(StrEnum):
    """What happened."""

    HELD = "held"
    RENEWED = "renewed"
    RELEASED = "released"
    BOOKED = "booked"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    APPROVED = "approved"
    DECLINED = "declined"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    BUSY_IMPORTED = "busy_imported"
    CATALOG_CHANGED = "catalog_changed"


RELOADING_KINDS = frozenset({ChangeKind.BUSY_IMPORTED, ChangeKind.CATALOG_CHANGED})
"""Changes that do not carry all they change: a replica loads a new snapshot."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimRef:
    """Which claim was removed, and what time it freed."""

    claim_id: UUID
    calendar_id: str
    start: datetime
    end: datetime


def ref_of(claim: Claim) -> ClaimRef:
    """Return what is left of a claim that is removed."""
    return ClaimRef(
        claim_id=claim.claim_id,
        calendar_id=claim.calendar_id,
        start=claim.start,
        end=claim.end,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One entry of the change log: what one commit did, in the order of the revisions."""

    revision: int
    at: datetime
    kind: ChangeKind
    added: tuple[Claim, ...] = ()
    removed: tuple[ClaimRef, ...] = ()
    booking_ids: tuple[UUID, ...] = ()

    @property
    def reloads(self) -> bool:
        """Say whether a replica must load a new snapshot."""
        return self.kind in RELOADING_KINDS

    @property
    def changes_catalog(self) -> bool:
        """Say whether the catalogue is another after it."""
        return self.kind is ChangeKind.CATALOG_CHANGED
