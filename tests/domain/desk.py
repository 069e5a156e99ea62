"""A desk: decisions on a ledger of plain values, with a clock that the test moves."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from service.domain.availability import ClaimBook
from service.domain.booking import Booking, BookingEvent, Customer, Hold, Holder, HoldStatus
from service.domain.catalog import Catalog
from service.domain.claim import Claim
from service.domain.commands import (
    Book,
    ChangeStatus,
    CreateHandoff,
    HoldSlot,
    HoldWish,
    JoinWaitlist,
    LeaveWaitlist,
    OfferOpen,
    PassOn,
    RedeemHandoff,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.decisions import decide
from service.domain.handoff import Handoff, PrefilledField
from service.domain.ids import holder_key
from service.domain.interval import Interval
from service.domain.ledger import Decision, Ledger
from service.domain.waitlist import Freed, WaitlistEntry
from tests.builders import NOW, an_offer

PRINCIPAL = "chatbot"


def a_wish(start: datetime, **changes) -> SlotWish:
    """Return the wish for a `visit` on `anna`."""
    return SlotWish(
        **{"type_id": "visit", "calendar_id": "anna", "start": start, "duration": None, **changes}
    )


class Desk:
    """One business, whose commands are decided as those of one batch are."""

    def __init__(self, catalog: Catalog | None = None, claims: tuple[Claim, ...] = ()) -> None:
        self._numbers = count(1_000_000)
        self.ledger = Ledger(
            now=NOW,
            offer=an_offer(catalog, claims),
            bookings={},
            holds={},
            live_holds={},
            new_id=self.new_id,
        )

    def new_id(self) -> UUID:
        return UUID(int=next(self._numbers))

    @property
    def claims(self) -> ClaimBook:
        return self.ledger.offer.claims

    @property
    def now(self) -> datetime:
        return self.ledger.now

    def wait(self, time: timedelta) -> None:
        """Let time pass, and count live holds as the database would."""
        self.ledger.now += time
        self.ledger.live_holds = {}
        for hold in self.ledger.holds.values():
            is_live = hold.status is HoldStatus.LIVE and hold.expires_at > self.now
            if is_live and hold.entry_id is None:
                for holder in (hold.owner, Holder(hold.principal_id)):
                    counted = self.ledger.live_holds.get(holder, 0)
                    self.ledger.live_holds[holder] = counted + 1

    def state(self) -> tuple:
        """Return all that a command could have changed."""
        ledger = self.ledger
        return (
            {claim.claim_id: claim for claim in self.claims},
            copy(ledger.bookings),
            copy(ledger.holds),
            copy(ledger.entries),
            copy(ledger.handoffs),
            {key: number for key, number in ledger.live_holds.items() if number},
        )

    def hold(
        self,
        start: datetime,
        *,
        holder: str = "eve",
        principal_id: str = PRINCIPAL,
        conversation: str = "",
        **slot,
    ) -> Hold:
        decision = decide(
            self.ledger,
            HoldSlot(
                hold_id=self.new_id(),
                principal_id=principal_id,
                holder=holder,
                slot=a_wish(start, **slot),
                conversation=conversation,
            ),
        )
        assert decision.hold is not None
        return decision.hold

    def renew(self, hold: Hold, *, principal_id: str = PRINCIPAL) -> Hold:
        command = RenewHold(hold_id=hold.hold_id, principal_id=principal_id)
        renewed = decide(self.ledger, command).hold
        assert renewed is not None
        return renewed

    def hand_off(
        self,
        hold: Hold,
        *,
        fields: tuple[PrefilledField, ...] = (),
        principal_id: str = PRINCIPAL,
        conversation: str = "",
    ) -> Handoff:
        command = CreateHandoff(
            handoff_id=self.new_id(),
            hold_id=hold.hold_id,
            principal_id=principal_id,
            fields=fields,
            conversation=conversation,
        )
        handoff = decide(self.ledger, command).handoff
        assert handoff is not None
        return handoff

    def redeem(self, handoff: Handoff, *, principal_id: str, holder: str = "page") -> Decision:
        command = RedeemHandoff(
            handoff_id=handoff.handoff_id,
            principal_id=principal_id,
            holder=holder,
            request_id=f"request-{next(self._numbers)}",
        )
        return decide(self.ledger, command)

    def release(self, hold: Hold, *, principal_id: str = PRINCIPAL) -> Decision:
        command = ReleaseHold(hold_id=hold.hold_id, principal_id=principal_id)
        return decide(self.ledger, command)

    def book_all(
        self,
        *wishes: Wish,
        holder: str | None = None,
        principal_id: str = PRINCIPAL,
        conversation: str = "",
    ) -> tuple[Booking, ...]:
        command = Book(
            principal_id=principal_id,
            holder_key=None if holder is None else holder_key(principal_id, holder),
            booking_ids=tuple(self.new_id() for _ in wishes),
            wishes=wishes,
            customer=Customer(display_name="Eve"),
            fields={},
            conversation=conversation,
        )
        return decide(self.ledger, command).bookings

    def book(self, start: datetime, *, holder: str | None = None, **slot) -> Booking:
        return self.book_all(a_wish(start, **slot), holder=holder)[0]

    def book_hold(self, hold: Hold, *, principal_id: str = PRINCIPAL) -> Booking:
        return self.book_all(HoldWish(hold_id=hold.hold_id), principal_id=principal_id)[0]

    def move(self, booking: Booking, wish: Wish, *, override: bool = False) -> Booking:
        command = Reschedule(
            booking_id=booking.booking_id,
            version=booking.version,
            principal_id=PRINCIPAL,
            wish=wish,
            override_notice=override,
        )
        return decide(self.ledger, command).bookings[0]

    def change(
        self, booking: Booking, event: BookingEvent, *, override: bool = False, reason: str = ""
    ) -> Booking:
        command = ChangeStatus(
            booking_id=booking.booking_id,
            version=booking.version,
            event=event,
            cancel_reason=reason,
            override_notice=override,
        )
        return decide(self.ledger, command).bookings[0]

    def cancel(self, booking: Booking, **options) -> Booking:
        return self.change(booking, BookingEvent.CANCEL, **options)

    def join(
        self,
        *windows: tuple[datetime, datetime],
        holder: str = "wendy",
        found: tuple[Freed, ...] = (),
        **wish,
    ) -> WaitlistEntry:
        """Let somebody wait for a `visit` on any calendar."""
        values = {"type_id": "visit", "calendar_ids": (), "duration": None, **wish}
        command = JoinWaitlist(
            entry_id=self.new_id(),
            principal_id=PRINCIPAL,
            holder=holder,
            windows=tuple(Interval(start, end) for start, end in windows),
            customer=Customer(display_name=holder.title()),
            fields={},
            found=found,
            **values,
        )
        entry = decide(self.ledger, command).entry
        assert entry is not None
        return entry

    def leave(self, entry: WaitlistEntry) -> Decision:
        return decide(self.ledger, LeaveWaitlist(entry_id=entry.entry_id))

    def pass_on(self, *entries: WaitlistEntry, is_told: bool = True) -> Decision:
        holds = {self.entry(each).hold_id for each in entries}
        self.ledger.untold = set() if is_told else {each for each in holds if each is not None}
        return decide(self.ledger, PassOn(entry_ids=tuple(each.entry_id for each in entries)))

    def offer_open(self, *found: Freed) -> Decision:
        return decide(self.ledger, OfferOpen(found=found))

    def entry(self, entry: WaitlistEntry) -> WaitlistEntry:
        """Return an entry as it is now."""
        return self.ledger.entries[entry.entry_id]

    def offered(self, entry: WaitlistEntry) -> Hold:
        """Return the hold that is offered to an entry, or was last."""
        hold_id = self.entry(entry).hold_id
        assert hold_id is not None
        return self.ledger.holds[hold_id]
