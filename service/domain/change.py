"""Changes: the entries of the change log. They name no person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.domain.booking import Booking, BookingStatus
from service.domain.claim import Claim
from service.domain.interval import Interval


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
    WAITLIST_JOINED = "waitlist_joined"
    WAITLIST_LEFT = "waitlist_left"
    # A hold has another holder.
    HANDED_OVER = "handed_over"
    # What was not taken in time, or what time or the catalogue opened, is offered.
    WAITLIST_OFFERED = "waitlist_offered"


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
class Placement:
    """Where and when a booking is."""

    calendar_ids: tuple[str, ...]
    appointment: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingState:
    """A booking as a change left it, without anything about a person.

    `before` is where it was, if the change has moved it.
    """

    booking_id: UUID
    version: int
    status: BookingStatus
    type_id: str
    calendar_ids: tuple[str, ...]
    appointment: Interval
    zone: str
    before: Placement | None = None


def state_of(booking: Booking, before: Placement | None = None) -> BookingState:
    """Return what the log may tell of a booking."""
    return BookingState(
        booking_id=booking.booking_id,
        version=booking.version,
        status=booking.status,
        type_id=booking.type_id,
        calendar_ids=booking.calendar_ids,
        appointment=booking.appointment,
        zone=booking.zone,
        before=before,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferRef:
    """An entry of the waitlist to which a change offers a slot, by a hold, until an instant."""

    entry_id: UUID
    hold_id: UUID
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One entry of the change log: what one commit did, in the order of the revisions.

    `reread_calendar_ids` are those on which claims came or went that it does not list; None, for a
    change of the catalogue or of busy time, is all: so say those that were written before it was
    told.
    """

    revision: int
    at: datetime
    kind: ChangeKind
    added: tuple[Claim, ...] = ()
    removed: tuple[ClaimRef, ...] = ()
    booking_ids: tuple[UUID, ...] = ()
    reread_calendar_ids: tuple[str, ...] | None = None
    # As the change left them; none in what was written before this was told.
    bookings: tuple[BookingState, ...] = ()
    # What it offers, and the entries of the waitlist that it changed otherwise.
    offers: tuple[OfferRef, ...] = ()
    entry_ids: tuple[UUID, ...] = ()

    @property
    def reloads(self) -> bool:
        """Say whether it does not carry all it changes: some of it, or all, must be read anew."""
        if self.kind is ChangeKind.BUSY_IMPORTED:
            return self.reread_calendar_ids != ()
        return self.changes_catalog

    @property
    def reloads_all(self) -> bool:
        """Say whether it does not even tell which calendars' claims must be read anew."""
        return self.reloads and self.reread_calendar_ids is None

    @property
    def changes_catalog(self) -> bool:
        """Say whether the catalogue is another after it."""
        return self.kind is ChangeKind.CATALOG_CHANGED
