"""A view: the open slots of one filter, kept true as claims and time change them."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from service.domain.availability import earliest_start, latest_start, offered_span
from service.domain.errors import DomainError
from service.domain.slot import Slot, SlotKey, SlotQuery
from service.live.cells import Cell, CellDay, Touch, by_calendar, cells_of
from service.live.days import DayCache
from service.live.digest import DIGEST_MODULUS, slot_digest
from service.live.frames import ResetReason
from service.live.history import History, SlotChanges
from service.live.replica import Replica

SPARE_EVENTS_MAX = 64
_INSTANT = timedelta.resolution


class _Leaf(NamedTuple):
    """The open slots of one day of a cell, and when time alone may change them."""

    slots: tuple[Slot, ...]
    event_at: datetime | None


_EMPTY = _Leaf((), None)


class View:
    """The open slots of a query on a replica: pure, `now` is told to it.

    After `touch` or `reload` it is unsettled: its slots are those of `revision` until `advance`.
    Each step of `history` leads from what it showed to what it shows.
    """

    def __init__(self, query: SlotQuery, replica: Replica, days: DayCache) -> None:
        """Begin unsettled, with no slots."""
        self.query = query
        self.history = History()
        self.failure: DomainError | None = None
        self.open_slots = 0
        self.digest = 0
        self.as_of: datetime | None = None
        # The revision and the instant at which the slots were last looked at for a reason.
        self.judged_revision = 0
        self.judged_as_of: datetime | None = None
        self._replica = replica
        self._days = days
        self._leaves: dict[CellDay, _Leaf] = {}
        self._events: list[tuple[datetime, CellDay]] = []
        self._unsettled: set[CellDay] = set()
        self._cold: list[CellDay] = []
        self._settled_revision = replica.revision
        self.reload(replica.revision)

    def reload(self, revision_before: int, reason: ResetReason | None = None) -> None:
        """Begin anew, since the replica was loaded anew; with a reason, nobody can follow."""
        if not self.is_unsettled:
            self._settled_revision = revision_before
        if reason is not None:
            self.history.restart(reason)
        self.failure = None
        try:
            cells = cells_of(self._replica.offer.catalog, self.query)
        except DomainError as error:
            self.failure = error.with_traceback(None)
            cells = []
        self._cells = {(cell.type.type_id, cell.calendar_id): cell for cell in cells}
        self._by_calendar = by_calendar(cells)
        self._cold = [
            CellDay(*cell_id, day)
            for cell_id, cell in self._cells.items()
            for day in cell.days_of(self.query.window)
        ]
        self._unsettled = self._leaves.keys() | self._cold

    @property
    def calendar_ids(self) -> Iterable[str]:
        """The calendars whose claims matter to it."""
        return self._by_calendar.keys()

    @property
    def is_unsettled(self) -> bool:
        """Say whether something was touched since it was last settled."""
        return bool(self._unsettled) or self.as_of is None

    @property
    def revision(self) -> int:
        """The revision whose slots it has: what touched none of them it has as well."""
        return self._settled_revision if self.is_unsettled else self._replica.revision

    def touch(self, touches: Iterable[Touch], revision_before: int) -> bool:
        """Note what changes have touched; say whether that concerns it."""
        was_settled = not self.is_unsettled
        for touch in touches:
            for cell in self._by_calendar.get(touch.calendar_id, ()):
                for day in cell.days_touched(touch):
                    key = CellDay(cell.type.type_id, cell.calendar_id, day)
                    if key in self._leaves:
                        self._unsettled.add(key)
        if was_settled and self._unsettled:
            self._settled_revision = revision_before
        return bool(self._unsettled)

    def next_event_at(self) -> datetime | None:
        """Return when time alone may change it next."""
        while self._events:
            event_at, key = self._events[0]
            if self._leaves.get(key, _EMPTY).event_at == event_at:
                return event_at
            heapq.heappop(self._events)
        return None

    def warm(self, now: datetime, is_time_up: Callable[[], bool]) -> bool:
        """Derive beforehand what `advance` will need; stop when told, and say whether it is all."""
        while self._cold:
            if is_time_up():
                return False
            key = self._cold.pop()
            cell = self._cells[key.type_id, key.calendar_id]
            for slot in self._derive(cell, key, now).slots:
                slot_digest(self.query.business_id, slot)
        return True

    def advance(self, now: datetime) -> bool:
        """Settle it at the replica's revision and an instant; say whether its slots changed."""
        gone: set[Slot] = set()
        come: set[Slot] = set()
        due = self._unsettled | set(self._due(now))
        for key in due:
            before, after = self._settle(key, now)
            if before != after:
                gone.update(before)
                come.update(after)
        changes = self._count(gone - come, come - gone)
        if due or self.as_of is None:
            self.judged_revision, self.judged_as_of = self._replica.revision, now
        self._unsettled = set()
        self._cold = []
        self._settled_revision = self._replica.revision
        is_first, self.as_of = self.as_of is None, now
        self._drop_spare_events()
        if changes and not is_first:
            self.history.append(changes)
        return bool(changes) or is_first

    def slots(self) -> list[Slot]:
        """Return the open slots in order."""
        return sorted(slot for leaf in self._leaves.values() for slot in leaf.slots)

    def cells(self) -> Iterator[Cell]:
        """Yield what it consists of."""
        yield from self._cells.values()

    def slots_of(self, key: CellDay) -> tuple[Slot, ...]:
        """Return the open slots of one day of a cell."""
        return self._leaves.get(key, _EMPTY).slots

    def _settle(self, key: CellDay, now: datetime) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
        """Derive a leaf anew, and return its slots before and after."""
        before = self._leaves.get(key, _EMPTY)
        cell = self._cells.get((key.type_id, key.calendar_id))
        if cell is None:
            self._leaves.pop(key, None)
            return before.slots, ()
        leaf = self._leaves[key] = self._derive(cell, key, now)
        if leaf.event_at is not None and leaf.event_at != before.event_at:
            heapq.heappush(self._events, (leaf.event_at, key))
        return before.slots, leaf.slots

    def _count(self, gone: set[Slot], come: set[Slot]) -> SlotChanges:
        business_id = self.query.business_id
        self.digest -= sum(slot_digest(business_id, slot) for slot in gone)
        self.digest += sum(slot_digest(business_id, slot) for slot in come)
        self.digest %= DIGEST_MODULUS
        self.open_slots += len(come) - len(gone)
        # A slot that moved between days, as its zone changed, or between seats, has come last.
        closed: dict[SlotKey, int | None] = {slot.key: None for slot in gone}
        return closed | {slot.key: slot.seats_left for slot in come}

    def _derive(self, cell: Cell, key: CellDay, now: datetime) -> _Leaf:
        type_, window = cell.type, self.query.window
        day = self._replica.offer.hours.day_span(key.calendar_id, key.day)
        if day.end <= max(earliest_start(type_, now), window.start):
            return _EMPTY
        latest = latest_start(type_, now)
        if day.start > latest:
            return _Leaf((), day.start - type_.horizon)
        found = self._days.get(
            self._replica,
            key.type_id,
            key.calendar_id,
            key.day,
            cell.duration,
            now,
            self.query.holder_key,
        )
        span = offered_span(type_, window, now)
        first = last = 0
        if span is not None:
            first = bisect_left(found.slots, span.start, key=_start_of)
            last = bisect_left(found.slots, span.end, key=_start_of)
        events = [] if found.valid_until is None else [found.valid_until]
        if first < last:
            events.append(found.slots[first].key.start - type_.minimum_notice + _INSTANT)
        beyond = bisect_left(found.slots, latest + _INSTANT, key=_start_of)
        if beyond < len(found.slots) and found.slots[beyond].key.start < window.end:
            events.append(found.slots[beyond].key.start - type_.horizon)
        return _Leaf(found.slots[first:last], min(events, default=None))

    def _due(self, now: datetime) -> Iterator[CellDay]:
        while (event_at := self.next_event_at()) is not None and event_at <= now:
            yield heapq.heappop(self._events)[1]

    def _drop_spare_events(self) -> None:
        if len(self._events) > 2 * len(self._leaves) + SPARE_EVENTS_MAX:
            self._events = [
                (leaf.event_at, key)
                for key, leaf in self._leaves.items()
                if leaf.event_at is not None
            ]
            heapq.heapify(self._events)


def _start_of(slot: Slot) -> datetime:
    return slot.key.start
