"""Offers: how a decision ends. What it frees is held at once for the first who waits for it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from service.domain.booking import Booking, Hold, HoldStatus
from service.domain.change import ChangeKind, OfferRef
from service.domain.commands import SlotWish
from service.domain.interval import Interval
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.listing import open_slots
from service.domain.places import find_place, put_hold
from service.domain.slot import SlotKey, SlotQuery
from service.domain.waitlist import (
    OFFER_GRACE,
    OFFERS_MAX,
    EntryStatus,
    Freed,
    Vacancy,
    WaitlistEntry,
    freed_of,
    is_back,
    parts_left,
    vacancies,
)

_BOOKING_KINDS = frozenset({ChangeKind.BOOKED, ChangeKind.RESCHEDULED})


def conclude(
    ledger: Ledger,
    draft: Draft,
    kind: ChangeKind,
    *,
    bookings: tuple[Booking, ...] = (),
    hold: Hold | None = None,
    entry_id: UUID | None = None,
    found: Sequence[Freed] = (),
) -> Decision:
    """Return what was drafted as a decision, once all that it frees is offered to who waits.

    `found` are times that may be open though the draft freed nothing there. Of an entry to answer
    with, `hold` is what is offered to it.
    """
    _end_offers(ledger, draft, kind)
    _offer(ledger, draft, [*_left_free(ledger, draft), *found])
    entry = None if entry_id is None else draft.entries[entry_id]
    if entry is not None and entry.status is EntryStatus.OFFERED and entry.hold_id is not None:
        hold = draft.holds[entry.hold_id]
    return Decision(
        kind=kind,
        added=tuple(draft.added),
        removed=tuple(draft.removed),
        bookings=bookings,
        holds=tuple(draft.holds.values()),
        hold=hold,
        live_holds_by=draft.live_holds_by,
        offers=tuple(draft.offers),
        entries=tuple(draft.entries.values()),
        entry=entry,
    )


def offer_query(ledger: Ledger, vacancy: Vacancy, duration: timedelta) -> SlotQuery:
    """Return the question that says which slots of a duration are open where some may have."""
    type_ = ledger.offer.catalog.types[vacancy.type_id]
    return SlotQuery(
        business_id=ledger.business_id,
        window=Interval(
            vacancy.span.start - duration - type_.buffer_after,
            vacancy.span.end + type_.buffer_before,
        ),
        type_ids=(vacancy.type_id,),
        calendar_ids=vacancy.calendar_ids,
        duration=duration,
    )


def duration_of(ledger: Ledger, entry: WaitlistEntry) -> timedelta:
    """Return how long an entry's slot lasts, whose type there is."""
    return entry.duration or ledger.offer.catalog.types[entry.type_id].durations[0]


def _end_offers(ledger: Ledger, draft: Draft, kind: ChangeKind) -> None:
    """Let the entries whose offers' holds have ended in the draft be taken, or else left."""
    for hold in draft.holds.values():
        entry = None if hold.entry_id is None else ledger.entries.get(hold.entry_id)
        if entry is None or hold.status is HoldStatus.LIVE or entry.entry_id in draft.entries:
            continue
        if entry.status is EntryStatus.OFFERED and entry.hold_id == hold.hold_id:
            status = EntryStatus.TAKEN if kind in _BOOKING_KINDS else EntryStatus.LEFT
            draft.put_entry(replace(entry, status=status, ended_at=ledger.now))


def _left_free(ledger: Ledger, draft: Draft) -> Iterator[Freed]:
    """Yield what live claims have left that the draft has not put there again."""
    surveyed = ledger.surveyed
    for claim in draft.removed:
        is_known = surveyed is None or claim.claim_id in surveyed
        if is_known and claim.is_live(ledger.now) and not is_back(claim, draft.added):
            yield freed_of(claim)
        elif claim.is_live(ledger.now) and not is_back(claim, draft.added):
            # It was put there in this batch, as an offer may be.
            yield from parts_left(claim, ledger.surveyed_times)


def _offer(ledger: Ledger, draft: Draft, freed: Sequence[Freed]) -> None:
    """Hold for each who waits, first come first, the first slot that fits of what was freed."""
    if not freed:
        return
    catalog, hours = ledger.offer.catalog, ledger.offer.hours
    openings = Openings(ledger, (at for each in freed for at in vacancies(catalog, hours, each)))
    for entry in draft.waiting(ledger.entries):
        slot = openings.first_for(entry)
        if slot is None:
            continue
        hold_for(ledger, draft, entry, slot)
        if len(draft.offers) >= OFFERS_MAX:
            return
        openings.look_again()


def hold_for(ledger: Ledger, draft: Draft, entry: WaitlistEntry, slot: SlotKey) -> None:
    """Hold an open slot for an entry: that is an offer."""
    wish = SlotWish(
        type_id=slot.type_id,
        calendar_id=slot.calendar_id,
        start=slot.start,
        duration=slot.end - slot.start,
    )
    # Asked as somebody who holds nothing: an offer ends no hold of who waits.
    place = find_place(ledger, draft, wish, None)
    ends_at = min(ledger.now + place.type.offer_duration, slot.start)
    hold = Hold(
        hold_id=ledger.new_id(),
        principal_id=entry.principal_id,
        holder=entry.holder,
        holder_key=entry.holder_key,
        type_id=entry.type_id,
        calendar_ids=place.calendar_ids,
        appointment=place.appointment,
        created_at=ledger.now,
        expires_at=ends_at + OFFER_GRACE,
        status=HoldStatus.LIVE,
        entry_id=entry.entry_id,
    )
    put_hold(ledger, draft, place, hold)
    draft.begin_hold(hold)
    draft.put_entry(
        replace(entry, status=EntryStatus.OFFERED, hold_id=hold.hold_id, offer_expires_at=ends_at)
    )
    draft.offers.append(OfferRef(entry_id=entry.entry_id, hold_id=hold.hold_id, expires_at=ends_at))


class Openings:
    """The open slots of some vacancies, by type and duration, as they are at this point."""

    def __init__(self, ledger: Ledger, where: Iterable[Vacancy]) -> None:
        """Derive nothing yet."""
        self._ledger = ledger
        self._vacancies: dict[str, dict[Vacancy, None]] = {}
        for vacancy in where:
            self._vacancies.setdefault(vacancy.type_id, {})[vacancy] = None
        self._slots: dict[tuple[str, timedelta], list[SlotKey]] = {}

    def first_for(self, entry: WaitlistEntry) -> SlotKey | None:
        """Return the first slot that an entry waits for."""
        return min(self.all_for(entry), default=None)

    def all_for(self, entry: WaitlistEntry) -> Iterator[SlotKey]:
        """Yield the slots that an entry waits for; one may come twice."""
        if entry.type_id not in self._vacancies or entry.rests(self._ledger.now):
            return
        slots = self.of(entry.type_id, duration_of(self._ledger, entry))
        for window in entry.windows if slots else ():
            first = bisect_left(slots, window.start, key=_start_of)
            last = bisect_left(slots, window.end, key=_start_of)
            yield from (slot for slot in slots[first:last] if entry.wants(slot))

    def of(self, type_id: str, duration: timedelta) -> list[SlotKey]:
        """Return the slots of a type that last so long, in order."""
        slots = self._slots.get((type_id, duration))
        if slots is None:
            slots = self._slots[type_id, duration] = self._derive(type_id, duration)
        return slots

    def look_again(self) -> None:
        """Forget what was open: something was taken of it."""
        self._slots.clear()

    def _derive(self, type_id: str, duration: timedelta) -> list[SlotKey]:
        ledger = self._ledger
        type_ = ledger.offer.catalog.types[type_id]
        found: set[SlotKey] = set()
        for vacancy in self._vacancies[type_id]:
            query = offer_query(ledger, vacancy, duration)
            keys = (slot.key for slot in open_slots(ledger.offer, query, ledger.now))
            found.update(key for key in keys if vacancy.has(key, type_))
        return sorted(found)


def _start_of(slot: SlotKey) -> datetime:
    return slot.start
