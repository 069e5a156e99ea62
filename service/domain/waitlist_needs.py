"""What must be known before offers can be made: who may wait for what is freed, and what is open.

A batch that frees nothing needs none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service.domain.booking import BookingEvent, Holder, HoldStatus
from service.domain.catalog import AppointmentType
from service.domain.claim import Claim
from service.domain.commands import (
    Book,
    BookingCommand,
    BookSeries,
    ChangeStatus,
    HoldSlot,
    JoinWaitlist,
    LeaveWaitlist,
    OfferOpen,
    PassOn,
    ReleaseHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.delivery import offer_letter_id
from service.domain.facts import list_facts
from service.domain.ids import holder_key
from service.domain.interval import Interval
from service.domain.ledger import Ledger
from service.domain.needs import Window, hold_windows
from service.domain.offers import Openings, duration_of, offer_query
from service.domain.places import claims_of_booking, claims_of_hold
from service.domain.series import wishes_that_may_be_placed
from service.domain.waitlist import EntryStatus, Freed, Vacancy, WaitlistEntry, freed_of, vacancies

CANDIDATES_PER_SLOT = 50
CANDIDATES_PER_BATCH_MAX = 1000
"""Where more could be served, a batch asks no more of them; later looks ask the others."""
_FREEING = frozenset({BookingEvent.CANCEL, BookingEvent.DECLINE})


@dataclass(frozen=True, slots=True)
class Survey:
    """What a batch may free: the claims, the times that they leave, where slots may open so."""

    claim_ids: frozenset[UUID]
    times: tuple[Freed, ...]
    vacancies: tuple[Vacancy, ...]


def entry_ids(command: BookingCommand) -> Iterator[UUID]:
    """Yield the entries of the waitlist that a command names."""
    match command:
        case LeaveWaitlist(entry_id=entry_id):
            yield entry_id
        case PassOn(entry_ids=named):
            yield from named
        case _:
            return


def offer_hold_ids(ledger: Ledger) -> set[UUID]:
    """Return the holds that are offers to the entries known, and are not known themselves."""
    return {
        entry.hold_id
        for entry in ledger.entries.values()
        if entry.hold_id is not None and entry.is_live and entry.hold_id not in ledger.holds
    }


def offered_entry_ids(ledger: Ledger) -> set[UUID]:
    """Return the entries that the holds known are offers to, and that are not known themselves."""
    return {
        hold.entry_id
        for hold in ledger.holds.values()
        if hold.entry_id is not None and hold.entry_id not in ledger.entries
    }


def offer_hold_windows(ledger: Ledger, command: BookingCommand) -> list[Window]:
    """Return the time of the offers that a command may end by naming their entries."""
    return [
        window
        for entry_id in entry_ids(command)
        if (entry := ledger.entries.get(entry_id)) is not None and entry.hold_id is not None
        for window in hold_windows(ledger, entry.hold_id)
    ]


def offer_letters(ledger: Ledger, commands: Iterable[BookingCommand]) -> dict[UUID, UUID]:
    """Return the letters that should have told of what commands pass on, each with its hold."""
    named = (
        ledger.entries.get(entry_id)
        for command in commands
        if isinstance(command, PassOn) and command.letters_are_on
        for entry_id in command.entry_ids
    )
    return {
        offer_letter_id(ledger.business_id, entry.hold_id): entry.hold_id
        for entry in named
        if entry is not None
        and entry.status is EntryStatus.OFFERED
        and entry.hold_id is not None
        and entry.customer.email
    }


def counted_waiting(command: BookingCommand) -> Iterator[Holder]:
    """Yield whose live entries must be counted."""
    if isinstance(command, JoinWaitlist):
        yield Holder(command.principal_id, holder_key(command.principal_id, command.holder))


def survey(ledger: Ledger, commands: Iterable[BookingCommand]) -> Survey:
    """Return what commands may free; the claims that they touch must be known."""
    offer = ledger.offer
    claims: dict[UUID, Claim] = {}
    freed: dict[Freed, None] = {}
    for command in commands:
        for claim in _claims_ended(ledger, command):
            claims[claim.claim_id] = claim
            freed[freed_of(claim)] = None
        if isinstance(command, JoinWaitlist | OfferOpen):
            freed.update(dict.fromkeys(command.found))
    where = {
        vacancy: None for each in freed for vacancy in vacancies(offer.catalog, offer.hours, each)
    }
    return Survey(frozenset(claims), tuple(freed), tuple(where))


class Shortlist:
    """Picks, of many who wait, those who could be offered something, so many for each slot.

    What they must wait for is open, or would be, if all were freed that a batch may free. The
    time of `all_windows` must be known, and whoever waits must come in order.
    """

    def __init__(self, ledger: Ledger, found: Survey) -> None:
        """Derive which slots those are."""
        claims = ledger.offer.claims
        freed = [claim for each in found.claim_ids if (claim := claims.remove(each)) is not None]
        self._openings = Openings(ledger, found.vacancies)
        # As many as decisions may have served before the last one of the batch, and some more.
        each_max = CANDIDATES_PER_SLOT + len(found.claim_ids)
        self._wanted = {
            slot: each_max
            for type_id, duration in _durations(ledger, found.vacancies)
            for slot in self._openings.of(type_id, duration)
        }
        for claim in freed:
            claims.add(claim)
        self.entries: list[WaitlistEntry] = []

    @property
    def is_full(self) -> bool:
        """Say whether nobody else could be served."""
        return not self._wanted or len(self.entries) >= CANDIDATES_PER_BATCH_MAX

    def add(self, entry: WaitlistEntry) -> None:
        """Pick who comes next, if it could be served."""
        slots = set(self._openings.all_for(entry)) & self._wanted.keys()
        if not slots or self.is_full:
            return
        self.entries.append(entry)
        for slot in slots:
            self._wanted[slot] -= 1
            if self._wanted[slot] == 0:
                del self._wanted[slot]


def all_windows(ledger: Ledger, where: Sequence[Vacancy]) -> list[Window]:
    """Return which time must be known to say what is open there, whoever may wait."""
    durations: dict[str, set[timedelta]] = {}
    for type_id, duration in _durations(ledger, where):
        durations.setdefault(type_id, set()).add(duration)
    return _windows(ledger, where, durations)


def offer_windows(
    ledger: Ledger, where: Sequence[Vacancy], commands: Iterable[BookingCommand]
) -> list[Window]:
    """Return which time must be known to say what is open there, for all who do wait."""
    types = ledger.offer.catalog.types
    durations: dict[str, set[timedelta]] = {}
    for entry in ledger.entries.values():
        if entry.status is EntryStatus.WAITING and entry.type_id in types:
            durations.setdefault(entry.type_id, set()).add(duration_of(ledger, entry))
    for command in commands:
        if isinstance(command, JoinWaitlist) and command.type_id in types:
            duration = command.duration or types[command.type_id].durations[0]
            durations.setdefault(command.type_id, set()).add(duration)
    return _windows(ledger, where, durations)


def _durations(ledger: Ledger, where: Iterable[Vacancy]) -> set[tuple[str, timedelta]]:
    types = ledger.offer.catalog.types
    return {
        (vacancy.type_id, duration)
        for vacancy in where
        for duration in types[vacancy.type_id].durations
    }


def _windows(
    ledger: Ledger, where: Iterable[Vacancy], durations: Mapping[str, Collection[timedelta]]
) -> list[Window]:
    return [
        window
        for vacancy in where
        for duration in durations.get(vacancy.type_id, ())
        for window in list_facts(
            ledger.offer.catalog, offer_query(ledger, vacancy, duration), ledger.now
        )
    ]


def _claims_ended(ledger: Ledger, command: BookingCommand) -> Iterator[Claim]:
    """Yield the claims that a command may free, and that somebody else may then have."""
    match command:
        case ReleaseHold(hold_id=hold_id):
            yield from _live(ledger, _claims_of_hold(ledger, hold_id))
        case LeaveWaitlist() | PassOn():
            for entry_id in entry_ids(command):
                entry = ledger.entries.get(entry_id)
                if entry is not None and entry.is_live and entry.hold_id is not None:
                    # An offer that nobody passed on in time may still be open.
                    yield from _claims_of_hold(ledger, entry.hold_id)
        case ChangeStatus(event=event, booking_id=booking_id) if event in _FREEING:
            yield from _claims_of_booking(ledger, booking_id)
        case Reschedule(booking_id=booking_id):
            yield from _claims_of_booking(ledger, booking_id)
        case HoldSlot(slot=slot):
            key = holder_key(command.principal_id, command.holder)
            yield from _giving_way(ledger, key, (slot,))
        case Book(holder_key=str(key), wishes=wishes):
            yield from _giving_way(ledger, key, wishes)
        case BookSeries(holder_key=str(key)):
            yield from _giving_way(ledger, key, wishes_that_may_be_placed(ledger, command))
        case _:
            return


def _claims_of_hold(ledger: Ledger, hold_id: UUID) -> list[Claim]:
    hold = ledger.holds.get(hold_id)
    if hold is None or hold.status is not HoldStatus.LIVE:
        return []
    return claims_of_hold(ledger, hold)


def _claims_of_booking(ledger: Ledger, booking_id: UUID) -> list[Claim]:
    booking = ledger.bookings.get(booking_id)
    return [] if booking is None else claims_of_booking(ledger, booking)


def _live(ledger: Ledger, claims: Iterable[Claim]) -> Iterator[Claim]:
    return (claim for claim in claims if claim.is_live(ledger.now))


def _giving_way(ledger: Ledger, key: str, wishes: Iterable[Wish]) -> Iterator[Claim]:
    """Yield the asker's own holds of which a part is left over when a wish is granted."""
    own = list(_live(ledger, ledger.offer.claims.holds_of(key)))
    for wish in wishes:
        type_ = ledger.offer.catalog.types.get(wish.type_id) if isinstance(wish, SlotWish) else None
        if type_ is None or not isinstance(wish, SlotWish):
            # A hold, which has its place.
            continue
        occupied = _occupied(type_, wish)
        taken = _taken_for_sure(type_, wish.calendar_id)
        for claim in own:
            span = Interval(claim.start, claim.end)
            is_back = (
                claim.type_id == type_.type_id
                and claim.calendar_id in taken
                and occupied.contains(span)
            )
            if span.overlaps(occupied) and not is_back:
                yield claim


def _occupied(type_: AppointmentType, wish: SlotWish) -> Interval:
    """Return the time that a slot takes with its buffers."""
    end = wish.start + (wish.duration or type_.durations[0])
    return Interval(wish.start - type_.buffer_before, end + type_.buffer_after)


def _taken_for_sure(type_: AppointmentType, calendar_id: str | None) -> tuple[str, ...]:
    """Return the calendars that a slot occupies, wherever it is placed."""
    possible = (calendar_id,) if calendar_id else type_.primary_calendar_ids
    return type_.calendar_ids_for(possible[0]) if len(possible) == 1 else type_.all_of
