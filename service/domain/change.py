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
"""Changes that do not carry all they change: a replica reads what they do not carry."""


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
    """One entry of the change log: what one commit did, in the order of the revisions.

    `reread_calendar_ids` are those on which claims came or went that it does not list; None, for a
    change that reloads, is all: so say those that were written before it was told.
    """

    revision: int
    at: datetime
    kind: ChangeKind
    added: tuple[Claim, ...] = ()
    removed: tuple[ClaimRef, ...] = ()
    booking_ids: tuple[UUID, ...] = ()
    reread_calendar_ids: tuple[str, ...] | None = None

    @property
    def reloads(self) -> bool:
        """Say whether it does not carry all it changes: some of it, or all, must be read anew."""
        return self.kind in RELOADING_KINDS

    @property
    def reloads_all(self) -> bool:
        """Say whether it does not even tell which calendars' claims must be read anew."""
        return self.reloads and self.reread_calendar_ids is None

    @property
    def changes_catalog(self) -> bool:
        """Say whether the catalogue is another after it."""
        return self.kind is ChangeKind.CATALOG_CHANGED
