"""The waitlist: who waits for which slots, and what happens to a wish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from service.domain.booking import Customer, Holder
from service.domain.catalog import AppointmentType, Catalog
from service.domain.change import Change, ClaimRef
from service.domain.claim import Claim
from service.domain.hours import Hours
from service.domain.interval import Interval
from service.domain.slot import SlotKey

OFFER_GRACE = timedelta(seconds=60)
"""So long after its end an offer still keeps its slot, for whoever passes it on to come in time."""
OFFERS_MAX = 20
"""A decision offers no more; what is left is offered by the next look at what is open."""
UNTOLD_OFFERS_MAX = 10
"""So many offers of which its letter never told leave an entry waiting; one more lapses."""
UNTOLD_REST_FIRST = timedelta(minutes=30)
UNTOLD_REST_MAX = timedelta(hours=4)
"""For so long after such an offer others come first; twice as long each time, up to the latter."""
WAITING_PER_BUSINESS_MAX = 10_000
ALL_WAITING = Holder("")
"""Under whom all live entries are counted."""


class EntryStatus(StrEnum):
    """Where an entry stands. Only the first two are live; what has ended waits no more."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LEFT = "left"
    LAPSED = "lapsed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitlistEntry:
    """One who waits for a slot that starts in one of the windows.

    `calendar_ids` empty: any of the type's; `duration` None: the type's first. `revision` is that
    of the change in which it joined: the order in which offers are made. `untold_offers` have ended
    without its letter having gone out; where it waits again, `offer_expires_at` is when the last
    one was passed on.
    """

    entry_id: UUID
    principal_id: str
    holder: str
    holder_key: str
    type_id: str
    calendar_ids: tuple[str, ...]
    windows: tuple[Interval, ...]
    duration: timedelta | None
    customer: Customer
    fields: Mapping[str, str]
    status: EntryStatus
    revision: int
    joined_at: datetime
    ended_at: datetime | None = None
    hold_id: UUID | None = None
    offer_expires_at: datetime | None = None
    untold_offers: int = 0

    @property
    def is_live(self) -> bool:
        """Say whether it waits, or is offered a slot."""
        return self.status in {EntryStatus.WAITING, EntryStatus.OFFERED}

    @property
    def owner(self) -> Holder:
        """The holder whose live entries it is one of."""
        return Holder(self.principal_id, self.holder_key)

    @property
    def last_end(self) -> datetime:
        """The instant from which no start will do any more."""
        return max(window.end for window in self.windows)

    def rests(self, now: datetime) -> bool:
        """Say whether it is offered nothing yet, since nobody could tell it of its last offer."""
        is_untold = self.status is EntryStatus.WAITING and self.untold_offers > 0
        if not is_untold or self.offer_expires_at is None:
            return False
        doubled: timedelta = UNTOLD_REST_FIRST * 2 ** (self.untold_offers - 1)
        return now < self.offer_expires_at + min(doubled, UNTOLD_REST_MAX)

    def wants(self, slot: SlotKey) -> bool:
        """Say whether a slot of its type and duration is one that it waits for."""
        takes = not self.calendar_ids or slot.calendar_id in self.calendar_ids
        return takes and any(window.start <= slot.start < window.end for window in self.windows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Freed:
    """A time of a calendar that is free again, or free at last.

    Where an appointment left it, `type_id` and `start` are those: caps counted it.
    """

    calendar_id: str
    span: Interval
    type_id: str | None = None
    start: datetime | None = None


def freed_of(claim: Claim) -> Freed:
    """Return what a claim leaves that is removed."""
    appointment = claim.appointment
    return Freed(
        calendar_id=claim.calendar_id,
        span=Interval(claim.start, claim.end),
        type_id=claim.type_id,
        start=None if appointment is None else appointment.start,
    )


def parts_left(claim: Claim, times: Iterable[Freed]) -> Iterator[Freed]:
    """Yield the parts of some times that a claim leaves which is removed."""
    span = Interval(claim.start, claim.end)
    for time in times:
        if time.calendar_id == claim.calendar_id and span.overlaps(time.span):
            start, end = max(span.start, time.span.start), min(span.end, time.span.end)
            yield replace(time, span=Interval(start, end))


def left_by(change: Change) -> Iterator[Freed]:
    """Yield what a change has removed and not put there again."""
    for ref in change.removed:
        if not any(_covers(other, ref) for other in change.added):
            yield Freed(calendar_id=ref.calendar_id, span=Interval(ref.start, ref.end))


def is_back(claim: Claim, added: Iterable[Claim]) -> bool:
    """Say whether what a claim leaves is taken again, all of it, for the same type."""
    return any(other.type_id == claim.type_id and _covers(other, claim) for other in added)


def _covers(claim: Claim, other: Claim | ClaimRef) -> bool:
    return (
        claim.calendar_id == other.calendar_id
        and claim.start <= other.start
        and other.end <= claim.end
    )


class Vacancy(NamedTuple):
    """Where slots of a type may have opened.

    They take some of `span` on `occupied_id`, lie on one of `calendar_ids`, and start in `starts`.
    """

    type_id: str
    calendar_ids: tuple[str, ...]
    occupied_id: str
    span: Interval
    starts: Interval

    def has(self, slot: SlotKey, type_: AppointmentType) -> bool:
        """Say whether a slot of the type lies there, its buffers counted."""
        occupied = Interval(slot.start - type_.buffer_before, slot.end + type_.buffer_after)
        return slot.calendar_id in self.calendar_ids and occupied.overlaps(self.span)


def vacancies(catalog: Catalog, hours: Hours, freed: Freed) -> Iterator[Vacancy]:
    """Yield where slots may have opened by what was freed: of each type that takes the calendar."""
    if freed.calendar_id not in catalog.calendars:
        return
    for type_ in catalog.types.values():
        calendar_ids = tuple(
            primary_id
            for primary_id in type_.primary_calendar_ids
            if primary_id in catalog.calendars
            and freed.calendar_id in type_.calendar_ids_for(primary_id)
        )
        if calendar_ids:
            span = _span(hours, type_, freed)
            yield Vacancy(
                type_id=type_.type_id,
                calendar_ids=calendar_ids,
                occupied_id=freed.calendar_id,
                span=span,
                starts=Interval(
                    span.start - max(type_.durations) - type_.buffer_after,
                    span.end + type_.buffer_before,
                ),
            )


def _span(hours: Hours, type_: AppointmentType, freed: Freed) -> Interval:
    """Return the time that counts as freed: a cap that has room again opens its day or week."""
    if type_.type_id != freed.type_id or freed.start is None:
        return freed.span
    day = hours.day_of(freed.calendar_id, freed.start)
    spans = [freed.span]
    if type_.day_cap is not None:
        spans.append(Interval(*hours.day_span(freed.calendar_id, day)))
    if type_.week_cap is not None:
        spans.append(Interval(*hours.week_span(freed.calendar_id, day)))
    return Interval(min(span.start for span in spans), max(span.end for span in spans))
