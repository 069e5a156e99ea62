"""The ledger: what a batch of decisions looks at, and what each of them did to it.

Commands of one batch are decided one after another; each sees what those before it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from service.domain.booking import Booking, Hold, Holder
from service.domain.change import ChangeKind
from service.domain.claim import Claim
from service.domain.rules import Offer


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a command does. `hold` is the one to answer with; `holds` are all that it changes."""

    kind: ChangeKind
    added: tuple[Claim, ...]
    removed: tuple[Claim, ...]
    bookings: tuple[Booking, ...] = ()
    holds: tuple[Hold, ...] = ()
    hold: Hold | None = None
    live_holds_by: Mapping[Holder, int] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Ledger:
    """The facts, as they are at this point of the batch. `new_id` gives ids to claims.

    Known are the bookings and holds that the batch names, the holds that may give way to it, and
    the claims in its windows (see domain/needs.py).
    """

    now: datetime
    offer: Offer
    bookings: dict[UUID, Booking]
    holds: dict[UUID, Hold]
    live_holds: dict[Holder, int]
    new_id: Callable[[], UUID]

    @property
    def business_id(self) -> str:
        """The business that all of it belongs to."""
        return self.offer.catalog.business.business_id

    def settle(self, decision: Decision) -> None:
        """Remember a decision for those that come after it; its claims are in the offer already."""
        self.bookings.update((booking.booking_id, booking) for booking in decision.bookings)
        self.holds.update((hold.hold_id, hold) for hold in decision.holds)
        for holder, by in decision.live_holds_by.items():
            self.live_holds[holder] = self.live_holds.get(holder, 0) + by


class Draft:
    """Claims taken and freed while one command is decided; undone if it is refused."""

    def __init__(self, ledger: Ledger) -> None:
        """Start with nothing done."""
        self._claims = ledger.offer.claims
        self._now = ledger.now
        self.added: list[Claim] = []
        self.removed: list[Claim] = []
        self.holds: dict[UUID, Hold] = {}
        self.live_holds_by: dict[Holder, int] = {}

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

    def begin_hold(self, hold: Hold) -> None:
        """Count a hold from now on."""
        self.holds[hold.hold_id] = hold
        self._count(hold, 1)

    def end_hold(self, hold: Hold) -> None:
        """Count a hold no longer, if it was live until now."""
        if hold.expires_at > self._now and hold.hold_id not in self.holds:
            self._count(hold, -1)
        self.holds[hold.hold_id] = hold

    def _count(self, hold: Hold, by: int) -> None:
        for holder in (hold.owner, Holder(hold.principal_id)):
            self.live_holds_by[holder] = self.live_holds_by.get(holder, 0) + by

    def undo(self) -> None:
        """Leave the claims as they were."""
        for claim in self.added:
            self._claims.remove(claim.claim_id)
        for claim in self.removed:
            self._claims.add(claim)
