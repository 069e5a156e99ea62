"""The rules that a slot must pass, each on its own. Whoever decides on slots asks these."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.domain.catalog import AppointmentType, Catalog
from service.domain.civil_time import CIVIL_YEARS
from service.domain.claim_book import ClaimBook
from service.domain.hours import Hours
from service.domain.interval import Interval
from service.domain.opening import Span
from service.domain.standing import Asker, Group, appointments_of_type, seats_taken, standing


@dataclass(frozen=True, slots=True)
class Offer:
    """What the evaluator looks at."""

    catalog: Catalog
    hours: Hours
    claims: ClaimBook


class Wish(NamedTuple):
    """A slot in question: that of a type, on its own calendar, [start, end), and who asks."""

    type: AppointmentType
    calendar_id: str
    start: datetime
    end: datetime
    asker: Asker

    @property
    def occupied(self) -> Span:
        """The time that it would take: its buffers included."""
        return Span(self.start - self.type.buffer_before, self.end + self.type.buffer_after)

    @property
    def group(self) -> Group | None:
        """The group that its seats belong to; None where the type takes calendars for itself."""
        if self.type.capacity == 1:
            return None
        return Group(self.type.type_id, Interval(self.start, self.end))


def is_open(offer: Offer, wish: Wish, calendar_id: str) -> bool:
    """The appointment lies within the opening hours of a calendar, and in no closure."""
    return offer.hours.is_open(calendar_id, wish.start, wish.end)


def is_on_grid(offer: Offer, wish: Wish) -> bool:
    """The start is one that the grid has."""
    return offer.hours.is_on_grid(wish.type.type_id, wish.calendar_id, wish.start)


def is_offered(offer: Offer, wish: Wish) -> bool:
    """Say whether it is open on all calendars and on the grid: both rules, by the memo."""
    if wish.start.year not in CIVIL_YEARS:
        return False
    day = offer.hours.day_of(wish.calendar_id, wish.start)
    duration = wish.end - wish.start
    starts = offer.hours.starts(wish.type.type_id, wish.calendar_id, duration, day)
    at = bisect_left(starts, wish.start)
    return at < len(starts) and starts[at] == wish.start


def earliest_start(appointment_type: AppointmentType, now: datetime) -> datetime:
    """Return the first start that the minimum notice allows."""
    return now + appointment_type.minimum_notice


def latest_start(appointment_type: AppointmentType, now: datetime) -> datetime:
    """Return the last start that the horizon allows."""
    return now + appointment_type.horizon


def seats_taken_around(offer: Offer, wish: Wish) -> AbstractSet[int] | None:
    """Return which seats of the slot are taken, or None where something else is in its way."""
    span = wish.occupied
    calendar_ids = wish.type.calendar_ids_for(wish.calendar_id)
    around = standing(offer.claims, calendar_ids, span, wish.asker)
    return seats_taken(around.occupied, 0, span, wish.group)


class CapCount(NamedTuple):
    """The appointments that a cap counts, until the first hold among them expires."""

    cap: int
    appointments: AbstractSet[Interval]
    expires_first: datetime | None

    def is_reached(self, start: datetime, end: datetime) -> bool:
        """Say whether one more appointment is too much; joining a group adds none."""
        if len(self.appointments) < self.cap:
            return False
        return len(self.appointments - {Interval(start, end)}) >= self.cap


def day_cap(offer: Offer, wish: Wish) -> CapCount | None:
    """Count towards the cap of the civil day; None where there is none."""
    if wish.type.day_cap is None:
        return None
    day = offer.hours.day_of(wish.calendar_id, wish.start)
    return _count(offer, wish, wish.type.day_cap, offer.hours.day_span(wish.calendar_id, day))


def week_cap(offer: Offer, wish: Wish) -> CapCount | None:
    """Count towards the cap of the civil week; None where there is none."""
    if wish.type.week_cap is None:
        return None
    day = offer.hours.day_of(wish.calendar_id, wish.start)
    return _count(offer, wish, wish.type.week_cap, offer.hours.week_span(wish.calendar_id, day))


def caps(offer: Offer, wish: Wish) -> list[CapCount]:
    """Return the caps that there are. They are the same for all slots of a civil day."""
    return [cap for cap in (day_cap(offer, wish), week_cap(offer, wish)) if cap is not None]


def _count(offer: Offer, wish: Wish, cap: int, span: Span) -> CapCount:
    type_id = wish.type.type_id
    found = appointments_of_type(offer.claims, wish.calendar_id, type_id, span, wish.asker)
    return CapCount(cap, *found)
