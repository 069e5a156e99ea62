"""The ledger: what a batch of decisions looks at, and what each of them did to it.

Commands of one batch are decided one after another; each sees what those before it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from service.domain.booking import Booking, Hold, HoldStatus
from service.domain.change import ChangeKind
from service.domain.claim import Claim
from service.domain.rules import Offer


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a command does. `ended` are holds of which only the claims were looked at."""

    kind: ChangeKind
    added: tuple[Claim, ...]
    removed: tuple[Claim, ...]
    bookings: tuple[Booking, ...] = ()
    holds: tuple[Hold, ...] = ()
    hold: Hold | None = None
    ended: Mapping[str, HoldStatus] = field(default_factory=dict)
    live_holds_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Ledger:
    """The facts, as they are at this point of the batch. `new_id` gives ids to claims."""

    now: datetime
    offer: Offer
    bookings: dict[UUID, Booking]
    holds: dict[UUID, Hold]
    live_holds: dict[str, int]
    new_id: Callable[[], UUID]

    def settle(self, decision: Decision) -> None:
        """Remember a decision for those that come after it; its claims are in the offer already."""
        for booking in decision.bookings:
            self.bookings[booking.booking_id] = booking
        for hold in decision.holds:
            self.holds[hold.hold_id] = hold
        for hold_id, status in decision.ended.items():
            hold_ended = self.holds.get(UUID(hold_id))
            if hold_ended is not None:
                self.holds[hold_ended.hold_id] = replace(hold_ended, status=status)
        for key, by in decision.live_holds_by.items():
            self.live_holds[key] = self.live_holds.get(key, 0) + by


class Draft:
    """Claims taken and freed while one command is decided; undone if it is refused."""

    def __init__(self, ledger: Ledger) -> None:
        """Start with nothing done."""
        self._claims = ledger.offer.claims
        self.added: list[Claim] = []
        self.removed: list[Claim] = []
        self.ended: dict[str, HoldStatus] = {}
        self.live_holds_by: dict[str, int] = {}

    def take(self, claim: Claim) -> None:
        """Put a claim on its calendar."""
        self._claims.add(claim)
        self.added.append(claim)

    def free(self, claim: Claim) -> None:
        """Remove a claim from its calendar, if it is still there."""
        if self._claims.remove(claim.claim_id) is None:
            return
        if claim in self.added:
            self.added.remove(claim)
        else:
            self.removed.append(claim)

    def end_hold(self, claim: Claim, status: HoldStatus) -> None:
        """Free a claim of a live hold, and say that the hold is over."""
        self.free(claim)
        if claim.owner_id not in self.ended:
            self.ended[claim.owner_id] = status
            self.count_hold(claim.holder_key, -1)

    def count_hold(self, holder_key: str | None, by: int) -> None:
        """Count what a holder has more, or less."""
        if holder_key is not None:
            self.live_holds_by[holder_key] = self.live_holds_by.get(holder_key, 0) + by

    def undo(self) -> None:
        """Leave the claims as they were."""
        for claim in self.added:
            self._claims.remove(claim.claim_id)
        for claim in self.removed:
            self._claims.add(claim)
