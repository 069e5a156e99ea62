"""The open slots of days, derived once for all lists and watches of this process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from service.domain.availability import DaySlots, DaySource, day_slots
from service.live.cells import Touch
from service.live.replica import Replica

SLOTS_KEPT_MAX = 200_000
"""About 50 MB. Over it, the days that were not asked for lately are forgotten."""

_Key = tuple[str, str, str, date, timedelta]


class _Kept(NamedTuple):
    """A day as it was derived: from a state of a replica, as of an instant."""

    generation: int
    since: datetime
    found: DaySlots

    def is_valid(self, replica: Replica, now: datetime) -> bool:
        """Say whether it is true at an instant: before its own, holds that expired still count."""
        until = self.found.valid_until
        is_of_now = self.since <= now and (until is None or now < until)
        return is_of_now and self.generation == replica.generation


class DayCache:
    """Remembers `day_slots` until a claim touches the day, a hold on it expires, or a reload."""

    def __init__(self, slots_kept_max: int = SLOTS_KEPT_MAX) -> None:
        """Begin empty."""
        self._slots_kept_max = slots_kept_max
        self._kept: dict[_Key, _Kept] = {}
        self._slots_kept = 0

    def get(
        self,
        replica: Replica,
        type_id: str,
        calendar_id: str,
        day: date,
        duration: timedelta,
        now: datetime,
        holder_key: str | None = None,
    ) -> DaySlots:
        """Return the slots of a civil day that all rules but notice and horizon allow."""
        offer = replica.offer
        # Who holds nothing sees what everyone sees.
        if holder_key is not None and offer.claims.holds_of(holder_key):
            return day_slots(offer, type_id, calendar_id, day, duration, now, holder_key=holder_key)
        key = (replica.business_id, type_id, calendar_id, day, duration)
        kept = self._kept.pop(key, None)
        if kept is not None and kept.is_valid(replica, now):
            self._kept[key] = kept
            return kept.found
        if kept is not None:
            self._slots_kept -= _size(kept.found)
        found = day_slots(offer, type_id, calendar_id, day, duration, now)
        self._keep(key, _Kept(replica.generation, now, found))
        return found

    def source(self, replica: Replica, now: datetime, holder_key: str | None = None) -> DaySource:
        """Return it as the evaluator wants to be handed days."""

        def derive(type_id: str, calendar_id: str, day: date, duration: timedelta) -> DaySlots:
            return self.get(replica, type_id, calendar_id, day, duration, now, holder_key)

        return derive

    def forget(self, replica: Replica, touches: Iterable[Touch]) -> None:
        """Forget the days that changes have touched."""
        for touch in touches:
            for cell in replica.cells_by_calendar.get(touch.calendar_id, ()):
                for day in cell.days_touched(touch):
                    type_id, calendar_id = cell.type.type_id, cell.calendar_id
                    self._drop((replica.business_id, type_id, calendar_id, day, cell.duration))

    def _keep(self, key: _Key, kept: _Kept) -> None:
        self._kept[key] = kept
        self._slots_kept += _size(kept.found)
        while self._slots_kept > self._slots_kept_max and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._slots_kept -= _size(kept.found)


def _size(found: DaySlots) -> int:
    # A day without slots takes room too.
    return len(found.slots) + 1
