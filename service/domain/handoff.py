"""Handoffs: one-time tickets that carry a hold, and what is known already, to a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

HANDOFFS_PER_HOLD_MAX = 10
REDEMPTIONS_MAX = 100
"""So often one holder may redeem one ticket: a page that is loaded anew does."""

TICKET_LASTS_AFTER_THE_HOLD = timedelta(hours=1)
"""Who comes late may still be told why, and choose another time."""

TICKET_PRINCIPAL = "manage.handoff."
"""As whom a ticket acts: this, and its handoff's id. No API key has an id with a dot."""


class Provenance(StrEnum):
    """How something is known: the person said so, or a model took it from what was said."""

    SAID = "said"
    INFERRED = "inferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefilledField:
    """Something that a form need not ask."""

    name: str
    value: str
    provenance: Provenance


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """A ticket. Only for who is behind `holder_key` its hold is: its maker, then its redeemer.

    `redeemed_by` is the principal who redeemed it, under `request_ids`. `booking_id` is what was
    booked by the ticket itself, with this hold or with another. Once it is erased it has no fields.
    """

    handoff_id: UUID
    hold_id: UUID
    type_id: str
    holder_key: str
    fields: tuple[PrefilledField, ...]
    created_at: datetime
    expires_at: datetime
    redeemed_by: str | None = None
    request_ids: tuple[str, ...] = ()
    booking_id: UUID | None = None
    erased_at: datetime | None = None


def handoff_of(principal_id: str) -> UUID | None:
    """Return the handoff whose ticket acts as a principal; None: it is no ticket."""
    if not principal_id.startswith(TICKET_PRINCIPAL):
        return None
    return UUID(principal_id.removeprefix(TICKET_PRINCIPAL))
