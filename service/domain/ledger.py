"""The ledger: what a batch of decisions looks at, and what each of them did to it.

Commands of one batch are decided one after another; each sees what those before it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from service.domain.booking import Booking, Hold, Holder
from service.domain.change import ChangeKind, OfferRef, Placement
from service.domain.claim import Claim
from service.domain.commands import Occurrence
from service.domain.handoff import Handoff
from service.domain.rules import Offer
from service.domain.waitlist import ALL_WAITING, EntryStatus, Freed, WaitlistEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a command does. `hold` is the one to answer with; `holds` are all that it changes."""

    kind: ChangeKind
    added: tuple[Claim, ...]
    removed: tuple[Claim, ...]
    bookings: tuple[Booking, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    # Where the booking was that it moves.
    moved_from: Placement | None = None
    holds: tuple[Hold, ...] = ()
    hold: Hold | None = None
    live_holds_by: Mapping[Holder, int] = field(default_factory=dict)
    # What it offers to whom of the waitlist; all entries that it changes; the one to answer with.
    offers: tuple[OfferRef, ...] = ()
    entries: tuple[WaitlistEntry, ...] = ()
    entry: WaitlistEntry | None = None
    # The handoff that it makes or changes.
    handoff: Handoff | None = None

    @property
    def changed_entry_ids(self) -> tuple[UUID, ...]:
        """The entries that it changes, but for those that waited before and are now offered."""
        offered = {offer.entry_id for offer in self.offers}
        own = None if self.entry is None else self.entry.entry_id
        return tuple(
            entry.entry_id
            for entry in self.entries
            if entry.entry_id == own or entry.entry_id not in offered
        )


@dataclass(kw_only=True, slots=True)
class Ledger:
    """The facts, as they are at this point of the batch. `new_id` gives ids to claims.

    Known are the bookings, holds and handoffs that the batch names, the holds that may give way to
    it, the claims in its windows, and the entries of the waitlist that it names or may make an
    offer to (see domain/needs.py). `revision` is that of the last decision. `waiting` counts live
    entries, by holder, by principal, and all of them under ALL_WAITING. `surveyed` are the claims
    around which enough is known to offer what they leave; None: all. Of what else is removed, what
    lies in the `surveyed_times` can be offered. `untold` are holds that are offers, and of which
    the letter that should tell of them has not gone out.
    """

    now: datetime
    offer: Offer
    bookings: dict[UUID, Booking]
    holds: dict[UUID, Hold]
    live_holds: dict[Holder, int]
    new_id: Callable[[], UUID]
    revision: int = 0
    entries: dict[UUID, WaitlistEntry] = field(default_factory=dict)
    waiting: dict[Holder, int] = field(default_factory=dict)
    surveyed: AbstractSet[UUID] | None = None
    surveyed_times: Sequence[Freed] = ()
    untold: AbstractSet[UUID] = frozenset()
    handoffs: dict[UUID, Handoff] = field(default_factory=dict)

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
        for entry in decision.entries:
            self._settle_entry(entry)
        if decision.handoff is not None:
            self.handoffs[decision.handoff.handoff_id] = decision.handoff
        self.revision += 1

    def _settle_entry(self, entry: WaitlistEntry) -> None:
        before = self.entries.get(entry.entry_id)
        by = entry.is_live - (before is not None and before.is_live)
        for holder in (entry.owner, Holder(entry.principal_id), ALL_WAITING):
            self.waiting[holder] = self.waiting.get(holder, 0) + by
        self.entries[entry.entry_id] = entry


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
        self.entries: dict[UUID, WaitlistEntry] = {}
        self.offers: list[OfferRef] = []

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

    def put_entry(self, entry: WaitlistEntry) -> None:
        """Let an entry of the waitlist be as given."""
        self.entries[entry.entry_id] = entry

    def waiting(self, known: Mapping[UUID, WaitlistEntry]) -> Iterator[WaitlistEntry]:
        """Yield who waits at this point, in the order in which they joined."""
        entries = [*({**known, **self.entries}).values()]
        entries.sort(key=_revision_of)
        return (entry for entry in entries if entry.status is EntryStatus.WAITING)

    def _count(self, hold: Hold, by: int) -> None:
        if hold.entry_id is not None:
            # An offer counts towards no limit.
            return
        for holder in (hold.owner, Holder(hold.principal_id)):
            self.live_holds_by[holder] = self.live_holds_by.get(holder, 0) + by

    def undo(self) -> None:
        """Leave the claims as they were."""
        for claim in self.added:
            self._claims.remove(claim.claim_id)
        for claim in self.removed:
            self._claims.add(claim)


def _revision_of(entry: WaitlistEntry) -> int:
    return entry.revision
