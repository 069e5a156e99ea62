"""Placing: where the claims of a change must lie, which must have gone, and whether all fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from service.domain.change import Change
from service.domain.ids import last_part
from tests.robustness.checker.claims import BOOKING, BUSY, HOLD, Taken
from tests.robustness.checker.findings import Flaw
from tests.robustness.checker.instants import micros, shown
from tests.robustness.checker.model import Model, Spot
from tests.robustness.checker.offer import TypeRules
from tests.robustness.checker.records import (
    BOOKED,
    LIVE,
    PENDING,
    RELEASED,
    STANDING,
    Booked,
    Held,
    Waiting,
)


class Deed(NamedTuple):
    """A request that was answered OK, and the answer that was stored.

    `principal` is whose API key it was, `calls` the numbers of those who asked.
    """

    principal: str
    request_id: str
    method: str
    request: Any
    response: Any
    calls: tuple[int, ...]


class Place(NamedTuple):
    """Where claims must lie. `seats` are those that they may have; None: no seat."""

    rules: TypeRules
    calendars: tuple[str, ...]
    first: int
    start: int
    end: int
    seats: frozenset[int] | None


class Placing:
    """Puts the claims of one change on the model's calendars. `faults` are what is wrong."""

    def __init__(self, model: Model, change: Change, added: list[Taken]) -> None:
        """Take what the change has added."""
        self.model = model
        self.faults: list[Flaw] = []
        self.at = micros(change.at)
        self._may_go: set[object] = set()
        self._must_go: set[object] = set()
        self._added: dict[str, list[Taken]] = {}
        for taken in added:
            self._added.setdefault(taken.owner, []).append(taken)

    def added_for(self, owner: str) -> list[Taken]:
        """Return what the change has added for a hold or a booking."""
        return self._added.get(owner, [])

    def added_but_for(self, owners: set[str]) -> Iterator[Taken]:
        """Yield what the change has added for others."""
        for owner, claims in self._added.items():
            if owner not in owners:
                yield from claims

    def take(self, wish: Any, owner: str, key: str | None, principal: str) -> Place | None:
        """Return the place of a slot, or of a hold, which is booked by that."""
        if wish.HasField("slot"):
            return self.find(self.chosen(wish.slot, owner), key)
        hold = self.named_hold(wish.hold, principal)
        if hold is None:
            return None
        place = self.place_of(hold)
        self.model.put_hold(replace(self.model.holds[hold.id], status=BOOKED))
        return place

    def chosen(self, choice: Any, owner: str) -> Spot | None:
        """Return the spot that a choice was given; where it names none, the server has chosen."""
        claims = self._added.get(owner)
        if not claims:
            self.fault("B2", "claims", "a change has no claim of what was answered")
            return None
        spots = self.model.spots(choice)
        for spot in spots:
            if spot.calendar == claims[0].calendar:
                return spot
        self.fault("B3", "answer", f"{claims[0].calendar} was given, which was not asked for")
        return None

    def find(self, spot: Spot | None, key: str | None) -> Place | None:
        """Return the place of a spot, which must be open, and free it of the holder's own holds."""
        if spot is None:
            return None
        for reason in sorted(self.model.reasons(spot, self.at, key)):
            self._refuse(spot, reason, key)
        rules = self.model.offer.types.get(spot.type_id)
        if rules is None:
            return None
        for hold_id in self.model.own_in_the_way(rules, spot, self.at, key):
            if hold_id in self.model.holds:
                self.end_hold(hold_id)
            else:
                self.free(hold_id)
        return Place(
            rules=rules,
            calendars=rules.calendars(spot.calendar),
            first=spot.first,
            start=spot.first - rules.before,
            end=spot.first + rules.duration + rules.after,
            seats=None if rules.capacity == 1 else frozenset(range(rules.capacity)),
        )

    def place_of(self, hold: Held) -> Place | None:
        """Return the place of a hold: while it lives, that which it has."""
        own = self.free(hold.id)
        rules = self.model.offer.types.get(hold.type_id)
        if rules is None or hold.expires <= self.at or len(own) != len(hold.calendars):
            return self.find(Spot(hold.type_id, hold.calendars[0], hold.first), hold.key)
        seat = own[0].seat
        return Place(
            rules=rules,
            calendars=hold.calendars,
            first=hold.first,
            start=own[0].start,
            end=own[0].end,
            seats=None if seat is None else frozenset({seat}),
        )

    def put(
        self, owner: str, place: Place, kind: str, expires: int | None, key: str | None
    ) -> None:
        """Compare the claims of the change with where they must lie, and put them there."""
        claims = self._added.get(owner, [])
        expected = [
            (calendar, kind, place.start, place.end, place.rules.type_id, expires, key)
            for calendar in place.calendars
        ]
        found = [
            (
                each.calendar,
                each.kind,
                each.start,
                each.end,
                each.type_id,
                each.expires,
                each.holder,
            )
            for each in claims
        ]
        if found != expected:
            self.fault("B3", "claims", f"claims {found} instead of {expected}")
        for each in claims:
            if (each.seat is None) != (place.seats is None) or (
                place.seats is not None and each.seat not in place.seats
            ):
                self.fault("B1", "seat", f"a claim has the seat {each.seat}")
            self.check_fit(each)
            self.model.calendars.put(each)

    def free(self, owner: str) -> list[Taken]:
        """Take away what a hold or booking has; the change must have removed what lives of it."""
        own = self.model.calendars.of_owner(owner)
        for taken in own:
            self.model.calendars.drop(taken)
            self._may_go.add(taken.id)
            # What had expired may have been trimmed before.
            if taken.is_live(self.at):
                self._must_go.add(taken.id)
        return own

    def end_hold(self, hold_id: str) -> None:
        """Take away what a hold has, and let it be over."""
        self.free(hold_id)
        self.model.put_hold(replace(self.model.holds[hold_id], status=RELEASED))

    def removed(self, change: Change) -> list[Taken]:
        """Return what a change has removed, as it was, but for imported busy time."""
        found = []
        for ref in change.removed:
            if ref.claim_id in self.model.pieces:
                continue
            taken = self.model.calendars.by_id.get(ref.claim_id)
            if taken is None:
                self.fault("B1", "removed", f"{ref.calendar_id} lost a claim that it had not")
                continue
            if (ref.calendar_id, micros(ref.start), micros(ref.end)) != (
                taken.calendar,
                taken.start,
                taken.end,
            ):
                self.fault("W1", "removed", "a claim that was removed is told to lie elsewhere")
            found.append(taken)
        return found

    def check_removed(self, removed: list[Taken]) -> None:
        """What had to go must have gone, and nothing else but holds that had expired."""
        gone = {taken.id for taken in removed}
        for taken in removed:
            if taken.id not in self._may_go and (taken.kind != HOLD or taken.is_live(self.at)):
                self.fault(
                    "B2" if taken.kind == BOOKING else "B7",
                    "removed",
                    f"a live {taken.kind} on {taken.calendar} at {shown(taken.start)} was removed",
                )
        if self._must_go - gone:
            self.fault("B1", "left", "claims were left on calendars that had to be removed")

    def check_fit(self, taken: Taken) -> None:
        """B1: whatever is put on a calendar fits what lives there."""
        others = self.model.calendars.overlapping(taken.calendar, taken.start, taken.end)
        for other in others:
            if other.id == taken.id or other.kind == BUSY or not other.is_live(self.at):
                continue
            if not taken.may_share_with(other):
                self.fault(
                    "B1",
                    "twice",
                    f"{taken.kind} {taken.owner} and {other.kind} {other.owner} both have "
                    f"{taken.calendar} at {shown(max(taken.start, other.start))}",
                )

    def _refuse(self, spot: Spot, reason: str, key: str | None) -> None:
        text = f"{spot.type_id} on {spot.calendar} at {shown(spot.first)} was given: {reason}"
        if reason != "SLOT_TAKEN":
            self.fault("B5", "not open", text)
            return
        kinds = {
            each.kind
            for each in self.model.around(self.model.offer.types[spot.type_id], spot)
            if each.is_live(self.at) and (key is None or each.holder != key)
        }
        promise = "B1" if BOOKING in kinds else "B7" if HOLD in kinds else "B5"
        self.fault(promise, "taken", text)

    def check_notice(self, booking: Booked, deed: Deed) -> None:
        """A booking may be changed until its cancellation notice, or by staff."""
        rules = self.model.offer.types.get(booking.type_id)
        notice = rules.cancellation_notice if rules else 0
        if self.at > booking.first - notice and not deed.request.override_notice:
            self.fault("B4", "notice", "a booking was changed after its cancellation notice")

    def count_holds(self, key: str, principal: str) -> None:
        """B7: a holder, and an API key, can have only so many holds."""
        offer = self.model.offer
        counted = self.model.counted_with(key, principal, self.at)
        if len(counted) > offer.holds_per_holder_max:
            self.fault("B7", "too many", "a holder has more holds than the business allows")
        # Most runs have fewer holds in all, and need not count.
        most = offer.holds_per_key_max
        if len(self.model.holds) <= most:
            return
        if self.model.live_holds_of_key(principal, self.at) > most:
            self.fault("B7", "too many", "a key has more holds than the business allows")

    def named_hold(self, name: str, principal: str) -> Held | None:
        """Return the hold that a request names: one of its key's, which must not have ended."""
        hold = self.model.holds.get(last_part(name))
        if hold is None:
            self.fault("B2", "hold", f"{name} was used, which nobody was given")
        elif hold.principal != principal:
            self._another_keys(hold)
        elif hold.status != LIVE:
            self.fault("B7", "ended", f"a hold was used that was {hold.status}")
        return hold

    def _another_keys(self, hold: Held) -> None:
        """Say that a hold was used that is another key's, as it was handed over or ever so."""
        tickets = self.model.tickets.values()
        is_handed_over = any(each.hold_id == hold.id and each.is_redeemed for each in tickets)
        promise = "C3" if is_handed_over else "B7"
        self.fault(promise, "another key's", "a hold was used that is another key's")

    def named_booking(self, deed: Deed) -> Booked | None:
        """Return the booking that a request names, which must have the version given."""
        booking = self.model.bookings.get(last_part(deed.request.name))
        if booking is None:
            self.fault("B2", "booking", f"{deed.request.name} was changed, which nobody was given")
        elif booking.version != deed.request.version:
            self.fault(
                "B8" if booking.status == PENDING else "B4",
                "version",
                f"version {deed.request.version} was changed where it was {booking.version}",
            )
        return booking

    def named_entry(self, name: str) -> Waiting | None:
        """Return the entry of the waitlist that a request names, which must not have ended."""
        entry = self.model.entries.get(last_part(name))
        if entry is None:
            self.fault("B2", "entry", f"{name} was left, which nobody was given")
        elif entry.status not in STANDING:
            self.fault("B9", "ended", f"an entry was left that has {entry.status}")
            return None
        return entry

    def keep(self, held: Held, deed: Deed) -> None:
        """Remember a hold, and compare it with the answer."""
        self.model.put_hold(held)
        if held.message(self.model.business_id) != deed.response.hold:
            self.fault("B3", "answer", f"the answer tells another hold than {held}")

    def tell(self, booked: Booked, told: Any) -> None:
        """Remember a booking, and compare it with the answer."""
        self.model.put_booking(booked)
        if booked.message(self.model.business_id) != told:
            self.fault("B3", "answer", f"the answer tells another booking than {booked}")

    def fault(self, promise: str, rule: str, text: str) -> None:
        """Say what is wrong."""
        self.faults.append(Flaw(promise, rule, text))
