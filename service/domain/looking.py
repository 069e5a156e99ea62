"""A look from outside at what is open for those who wait. What it finds, a decision asks again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice

from service.domain.facts import list_facts
from service.domain.interval import Interval
from service.domain.ledger import Draft, Ledger
from service.domain.listing import DaySlots, DaySource, day_slots, iterate_open_slots
from service.domain.offers import duration_of, hold_for
from service.domain.slot import SlotKey, SlotQuery
from service.domain.waitlist import Freed, WaitlistEntry


def look_windows(ledger: Ledger, entry: WaitlistEntry) -> list[tuple[str, Interval]]:
    """Return which time must be known to say which slots are open that an entry waits for."""
    if entry.type_id not in ledger.offer.catalog.types:
        return []
    return [
        window
        for query in _wishes(ledger, entry)
        for window in list_facts(ledger.offer.catalog, query, ledger.now)
    ]


def find_open(ledger: Ledger, entries: Iterable[WaitlistEntry]) -> Iterator[Freed | None]:
    """Yield for each entry the time of a slot that could be offered to it; None: there is none.

    What is found for one is not found for those after it.
    """
    draft, days = Draft(ledger), _Days(ledger)
    for entry in entries:
        slot = _first_open(ledger, entry, days)
        if slot is None:
            yield None
            continue
        hold_for(ledger, draft, entry, slot)
        days.forget()
        yield Freed(calendar_id=slot.calendar_id, span=Interval(slot.start, slot.end))


def _first_open(ledger: Ledger, entry: WaitlistEntry, days: DaySource) -> SlotKey | None:
    if entry.type_id not in ledger.offer.catalog.types or entry.rests(ledger.now):
        return None
    streams = (
        iterate_open_slots(ledger.offer, query, ledger.now, days=days)
        for query in _wishes(ledger, entry)
    )
    return min(
        (slot.key for slots in streams for slot in islice(slots, 1)),
        default=None,
    )


def _wishes(ledger: Ledger, entry: WaitlistEntry) -> list[SlotQuery]:
    """Return the questions that say which slots are open that an entry waits for."""
    type_ = ledger.offer.catalog.types[entry.type_id]
    calendar_ids = tuple(
        calendar_id
        for calendar_id in type_.primary_calendar_ids
        if calendar_id in (entry.calendar_ids or type_.primary_calendar_ids)
        and calendar_id in ledger.offer.catalog.calendars
    )
    if not calendar_ids:
        return []
    return [
        SlotQuery(
            business_id=ledger.business_id,
            window=window,
            type_ids=(entry.type_id,),
            calendar_ids=calendar_ids,
            duration=duration_of(ledger, entry),
        )
        for window in entry.windows
    ]


class _Days:
    """The slots of days, each derived once until something is taken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[str, str, date, timedelta], DaySlots] = {}

    def __call__(self, type_id: str, calendar_id: str, day: date, duration: timedelta) -> DaySlots:
        key = type_id, calendar_id, day, duration
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = day_slots(self._ledger.offer, *key, self._ledger.now)
        return found

    def forget(self) -> None:
        self._known.clear()
