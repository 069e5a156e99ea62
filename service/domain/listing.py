"""The slots of days and windows: what list and watch show."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from service.domain.catalog import AppointmentType, Catalog
from service.domain.civil_time import ONE_DAY
from service.domain.errors import ResourceNotFound
from service.domain.ids import calendar_name, type_name
from service.domain.interval import Interval
from service.domain.opening import Span
from service.domain.rules import CapCount, Offer, Wish, caps, earliest_start, latest_start
from service.domain.slot import Slot, SlotKey, SlotQuery
from service.domain.standing import Asker, Standing, seats_taken, standing


class DaySlots(NamedTuple):
    """The slots of a day, by start, that all rules but notice and horizon allow.

    True until a claim or the catalogue changes, or until `valid_until`, when a hold expires.
    """

    slots: tuple[Slot, ...]
    valid_until: datetime | None


def day_slots(
    offer: Offer,
    type_id: str,
    calendar_id: str,
    day: date,
    duration: timedelta,
    now: datetime,
    *,
    holder_key: str | None = None,
) -> DaySlots:
    """Return the open slots of a civil day of the calendar, in one sweep over its claims."""
    starts = offer.hours.starts(type_id, calendar_id, duration, day)
    if not starts:
        return DaySlots((), None)
    asker = Asker(now, holder_key)
    appointment_type = offer.catalog.types[type_id]
    wishes = [
        Wish(appointment_type, calendar_id, start, start + duration, asker) for start in starts
    ]
    day_span = Span(wishes[0].occupied.start, wishes[-1].occupied.end)
    calendar_ids = appointment_type.calendar_ids_for(calendar_id)
    around = standing(offer.claims, calendar_ids, day_span, asker)
    day_caps = caps(offer, wishes[0])
    expiries = [around.expires_first, *(cap.expires_first for cap in day_caps)]
    valid_until = min((expiry for expiry in expiries if expiry is not None), default=None)
    return DaySlots(tuple(_sweep(wishes, around, day_caps)), valid_until)


def _sweep(wishes: list[Wish], around: Standing, day_caps: list[CapCount]) -> Iterator[Slot]:
    first = 0
    occupied = around.occupied
    for wish in wishes:
        span = wish.occupied
        while first < len(occupied) and occupied[first].end <= span.start:
            first += 1
        taken = seats_taken(occupied, first, span, wish.group)
        if taken is None or len(taken) >= wish.type.capacity:
            continue
        if any(cap.is_reached(wish.start, wish.end) for cap in day_caps):
            continue
        key = SlotKey(wish.start, wish.type.type_id, wish.calendar_id, wish.end)
        yield Slot(key, wish.type.capacity - len(taken))


DaySource = Callable[[str, str, date, timedelta], DaySlots]
"""(type, calendar, civil day, duration) -> its slots: `day_slots`, or a cache of it."""


def open_slots(
    offer: Offer, query: SlotQuery, now: datetime, *, days: DaySource | None = None
) -> list[Slot]:
    """Return all open slots that a query asks for, in the order of their keys."""
    return sorted(slot for stream in _streams(offer, query, now, days) for slot in stream)


def iterate_open_slots(
    offer: Offer, query: SlotQuery, now: datetime, *, days: DaySource | None = None
) -> Iterator[Slot]:
    """Yield the same in the same order, and derive no day before it is reached."""
    return heapq.merge(*_streams(offer, query, now, days))


def _streams(
    offer: Offer, query: SlotQuery, now: datetime, days: DaySource | None
) -> Iterator[Iterator[Slot]]:
    def derive(type_id: str, calendar_id: str, day: date, duration: timedelta) -> DaySlots:
        return day_slots(
            offer, type_id, calendar_id, day, duration, now, holder_key=query.holder_key
        )

    for appointment_type in _types_of(offer.catalog, query):
        span = offered_span(appointment_type, query.window, now)
        duration = query.duration or appointment_type.durations[0]
        if span is None or duration not in appointment_type.durations:
            continue
        for calendar_id in _calendars_of(query, appointment_type):
            source = partial(days or derive, appointment_type.type_id, calendar_id)
            yield _stream(offer, source, calendar_id, duration, span)


def _stream(
    offer: Offer,
    source: Callable[[date, timedelta], DaySlots],
    calendar_id: str,
    duration: timedelta,
    span: Span,
) -> Iterator[Slot]:
    day = offer.hours.day_of(calendar_id, span.start)
    last = offer.hours.day_of(calendar_id, span.end)
    while day <= last:
        for slot in source(day, duration).slots:
            if span.start <= slot.key.start < span.end:
                yield slot
        day += ONE_DAY


def offered_span(appointment_type: AppointmentType, window: Interval, now: datetime) -> Span | None:
    """Return in which part of a window notice and horizon allow starts; None: in no part."""
    start = max(window.start, earliest_start(appointment_type, now))
    # A start at the horizon's very end is still allowed, and instants are whole microseconds.
    end = min(window.end, latest_start(appointment_type, now) + timedelta.resolution)
    return Span(start, end) if start < end else None


class ListDays:
    """The days that one list is made of, and until when they keep it true."""

    def __init__(self, days: DaySource) -> None:
        """Take where the days come from."""
        self._days = days
        self._valid_until: datetime | None = None

    def __call__(self, type_id: str, calendar_id: str, day: date, duration: timedelta) -> DaySlots:
        """Return the slots of a day, as a DaySource does."""
        found = self._days(type_id, calendar_id, day, duration)
        if found.valid_until is not None:
            self._valid_until = min(found.valid_until, self._valid_until or found.valid_until)
        return found

    def list_valid_until(
        self, offer: Offer, query: SlotQuery, now: datetime, slots: Sequence[Slot]
    ) -> datetime | None:
        """Return when time may change a list, or a page of it: it is true before. None: never.

        A hold expires, the notice of its first slot passes, a start comes within the horizon. That
        may be too early, where the page ends before it; it is never too late.
        """
        instants = list(self._horizon_moves_at(offer, query, now))
        if self._valid_until is not None:
            instants.append(self._valid_until)
        first = {slot.key.type_id: slot.key.start for slot in reversed(slots)}
        instants += [
            start - offer.catalog.types[type_id].minimum_notice + timedelta.resolution
            for type_id, start in first.items()
        ]
        return min(instants, default=None)

    def _horizon_moves_at(
        self, offer: Offer, query: SlotQuery, now: datetime
    ) -> Iterator[datetime]:
        """Yield for each calendar when its next start may come within the horizon."""
        for appointment_type in _types_of(offer.catalog, query):
            duration = query.duration or appointment_type.durations[0]
            latest = latest_start(appointment_type, now)
            if latest + timedelta.resolution >= query.window.end:
                continue
            for calendar_id in _calendars_of(query, appointment_type):
                day = offer.hours.day_of(calendar_id, latest)
                # Of a day with a hold that is in the way it is not known what comes next.
                found = self(appointment_type.type_id, calendar_id, day, duration)
                later = (slot.key.start for slot in found.slots if slot.key.start > latest)
                comes = next(later, offer.hours.day_span(calendar_id, day).end)
                yield comes - appointment_type.horizon


def _types_of(catalog: Catalog, query: SlotQuery) -> Iterator[AppointmentType]:
    business_id = catalog.business.business_id
    for calendar_id in query.calendar_ids:
        if calendar_id not in catalog.calendars:
            raise ResourceNotFound(calendar_name(business_id, calendar_id))
    for type_id in query.type_ids or catalog.types:
        if type_id not in catalog.types:
            raise ResourceNotFound(type_name(business_id, type_id))
        yield catalog.types[type_id]


def _calendars_of(query: SlotQuery, appointment_type: AppointmentType) -> Iterator[str]:
    for calendar_id in appointment_type.primary_calendar_ids:
        if not query.calendar_ids or calendar_id in query.calendar_ids:
            yield calendar_id
