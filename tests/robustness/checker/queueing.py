"""Queueing: what a change must do for those who wait, and what it may (B9).

What it frees goes to the first who waits and fits, in the same change; only what was free and would
do is offered, and nobody is passed over for one who joined later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from service.domain.change import Change, OfferRef
from tests.robustness.checker.claims import HOLD, Taken
from tests.robustness.checker.instants import SECOND, micros, shown
from tests.robustness.checker.model import Spot
from tests.robustness.checker.offer import Span
from tests.robustness.checker.placing import Placing
from tests.robustness.checker.records import (
    EXPIRED,
    LAPSED,
    LEFT,
    OFFERED,
    TAKEN,
    WAITING,
    Held,
    Waiting,
)

FAIR = "B9"
GRACE = 60 * SECOND
"""So much longer than an offer lasts its slot is held, should nobody pass it on."""
TAKING = frozenset({"booked", "rescheduled"})
"""Changes by which an offer is taken; any other that ends its hold declines it."""


class Offered(NamedTuple):
    """An offer that a change makes."""

    entry: Waiting
    spot: Spot
    claims: tuple[Taken, ...]


class Queueing:
    """Follows one change: it is made before that is done, and settles afterwards what it offers."""

    def __init__(
        self,
        placing: Placing,
        change: Change,
        removed: Sequence[Taken],
        counts: Counter[str],
    ) -> None:
        """Look at what is open to whom before anything is freed."""
        self._placing = placing
        self._model = placing.model
        self._change = change
        self._counts = counts
        self._at = placing.at
        passed_on = {str(entry_id) for entry_id in change.entry_ids}
        self._freed = [
            Span(each.calendar, each.start, each.end)
            for each in removed
            if (each.is_live(self._at) or self._is_offered_to(each, passed_on))
            and not self._is_put_again(each)
        ]
        self._standing = dict(self._model.queue)
        self._open_before = {
            (entry.id, spot)
            for entry in self._model.waiting()
            for spot in self._open_to(entry, self._freed)
        }

    def pass_on(self) -> None:
        """Do what the notifier does when the time has come, without what it offers then."""
        for entry_id in map(str, self._change.entry_ids):
            entry = self._model.queue.get(entry_id)
            if entry is not None and entry.hold is not None and entry.ends <= self._at:
                self._counts["offers passed on"] += 1
                self._placing.end_hold(entry.hold.id)
                self._end(entry, LAPSED)
            elif entry is not None and entry.hold is None and entry.last_end <= self._at:
                self._counts["entries expired"] += 1
                self._end(entry, EXPIRED)
            else:
                status = "unknown, or has ended" if entry is None else entry.status
                self._fault("too soon", f"entry {entry_id} was passed on, and is {status}")
        if not self._change.entry_ids and not self._change.offers:
            self._fault("nothing", "the notifier has made a change that changes nothing")

    def settle(self) -> None:
        """Do what a change offers, and say whom it forgets or passes over."""
        self._end_what_was_offered()
        made = [offer for ref in self._change.offers for offer in self._offer(ref)]
        for entry in self._model.waiting():
            self._check_forgotten(entry)
            self._check_passed_over(entry, made)
        self._check_told()

    def _end_what_was_offered(self) -> None:
        """An offer whose hold has ended by this change is taken, or declined."""
        for entry in list(self._model.queue.values()):
            if entry.hold is None or self._model.is_held(entry.hold):
                continue
            is_taken = self._change.kind in TAKING
            self._counts["offers taken" if is_taken else "offers declined"] += 1
            self._end(entry, TAKEN if is_taken else LEFT)

    def _end(self, entry: Waiting, status: str) -> None:
        self._model.put_entry(replace(entry, status=status, hold=None, ends=0))

    def _offer(self, ref: OfferRef) -> Iterator[Offered]:
        entry = self._model.entries.get(str(ref.entry_id))
        if entry is None or entry.status != WAITING:
            status = "unknown" if entry is None else entry.status
            self._fault("offered twice", f"entry {ref.entry_id} is offered a slot, and is {status}")
            return
        claims = tuple(self._placing.added_for(str(ref.hold_id)))
        if not claims:
            self._fault("offered nothing", f"{_named(entry)} is offered what is not held")
            return
        spot = Spot(claims[0].type_id or "", claims[0].calendar, claims[0].first)
        if not entry.wants(*spot):
            self._fault("wish", f"{_named(entry)} is offered {_where(spot)}, which will not do")
        self._check_earliest(entry, spot)
        held = self._held(entry, ref, spot)
        if held is not None:
            self._counts["offers"] += 1
            self._counts["offers in another's change"] += self._change.kind not in _OF_WAITLIST
            self._model.put_hold(held)
            self._model.put_entry(
                replace(entry, status=OFFERED, hold=held, ends=micros(ref.expires_at))
            )
            yield Offered(entry, spot, claims)

    def _held(self, entry: Waiting, ref: OfferRef, spot: Spot) -> Held | None:
        # To one who waits nothing is offered over a hold of its own.
        place = self._placing.find(spot, None)
        if place is None:
            return None
        ends = min(self._at + place.rules.offer, spot.first)
        if micros(ref.expires_at) != ends:
            self._fault("how long", f"an offer ends at {shown(micros(ref.expires_at))}")
        expires = ends + GRACE
        self._placing.put(str(ref.hold_id), place, HOLD, expires, entry.key)
        return Held(
            id=str(ref.hold_id),
            principal=entry.principal,
            holder=entry.holder,
            key=entry.key,
            type_id=spot.type_id,
            calendars=place.calendars,
            first=spot.first,
            last=spot.first + place.rules.duration,
            created=self._at,
            expires=expires,
            is_offer=True,
        )

    def _check_earliest(self, entry: Waiting, spot: Spot) -> None:
        """Of what was freed the first is offered."""
        open_ = sorted(self._open_to(entry, self._freed), key=_in_time)
        if open_ and spot != open_[0]:
            self._fault("earliest", f"{_where(spot)} is offered, and {_where(open_[0])} was freed")

    def _check_forgotten(self, entry: Waiting) -> None:
        """What a change frees does not stay open to one who waits for it."""
        for spot in self._open_to(entry, self._freed):
            if (entry.id, spot) not in self._open_before:
                text = f"{_where(spot)} was freed and not offered, and {_named(entry)} waits for it"
                self._fault("not offered", text)
                return

    def _check_passed_over(self, entry: Waiting, made: Sequence[Offered]) -> None:
        """Nobody who joined later is offered what the first could have had."""
        later = [offer for offer in made if offer.entry.number > entry.number]
        if not later:
            return
        self._counts["offers past others"] += 1
        claims = [claim for offer in later for claim in offer.claims]
        for claim in claims:
            self._model.calendars.drop(claim)
        freed = set(self._open_to(entry, self._freed))
        same = {offer.spot for offer in later if entry.wants(*offer.spot)}
        for spot in sorted(freed | {spot for spot in same if self._is_open(spot)}):
            text = f"{_where(spot)} was for {_named(entry)}, not {_named(later[0].entry)}"
            self._fault("order", text)
            break
        for claim in claims:
            self._model.calendars.put(claim)

    def _check_told(self) -> None:
        """A change tells which entries it has changed otherwise than by an offer."""
        offered = {str(ref.entry_id) for ref in self._change.offers}
        told = sorted(map(str, self._change.entry_ids))
        found = sorted(
            entry_id
            for entry_id in self._standing.keys() | self._model.queue.keys()
            if self._standing.get(entry_id) is not self._model.queue.get(entry_id)
            and not (entry_id in self._standing and entry_id in offered)
        )
        if told != found:
            self._placing.fault("B3", "entries", f"a change tells of {told}, and changes {found}")

    def _is_offered_to(self, taken: Taken, entry_ids: set[str]) -> bool:
        entry = self._model.entry_of_hold(taken.owner)
        return entry is not None and entry.id in entry_ids

    def _is_put_again(self, taken: Taken) -> bool:
        """Say whether what is removed is put there again, as when a hold is booked."""
        return any(
            (each.calendar, each.type_id) == (taken.calendar, taken.type_id)
            and each.start <= taken.start
            and each.end >= taken.end
            for each in self._placing.added_but_for(
                {str(ref.hold_id) for ref in self._change.offers}
            )
        )

    def _open_to(self, entry: Waiting, spans: Sequence[Span]) -> Iterator[Spot]:
        """Yield what is open to one who waits, where it shares time with some spans."""
        for spot in self._model.wanted(entry) if spans else ():
            takes = self._model.takes(spot)
            is_there = any(_overlap(one, other) for one in takes for other in spans)
            if is_there and self._is_open(spot):
                yield spot

    def _is_open(self, spot: Spot) -> bool:
        return not self._model.reasons(spot, self._at, None)

    def _fault(self, rule: str, text: str) -> None:
        self._placing.fault(FAIR, rule, text)


_OF_WAITLIST = frozenset({"waitlist_joined", "waitlist_left", "waitlist_offered"})


def _in_time(spot: Spot) -> tuple[int, str]:
    return spot.first, spot.calendar


def _overlap(one: Span, other: Span) -> bool:
    return one.calendar == other.calendar and one.start < other.end and other.start < one.end


def _named(entry: Waiting) -> str:
    return f"{entry.holder}, who joined at {entry.number}"


def _where(spot: Spot) -> str:
    return f"{spot.type_id} on {spot.calendar} at {shown(spot.first)}"
