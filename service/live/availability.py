"""Lists, explanations and alternatives, from a ground that is proved fresh."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from service.domain.availability import (
    DaySource,
    ListDays,
    RuleVerdict,
    explain,
    iterate_open_slots,
    rank_alternatives,
)
from service.domain.choice import ALTERNATIVES_MAX
from service.domain.civil_time import CIVIL_YEARS
from service.domain.errors import InvalidRequest, Overloaded, ResourceNotFound
from service.domain.ids import type_name
from service.domain.interval import Interval
from service.domain.slot import Slot, SlotKey, SlotQuery
from service.live.cells import cells_of
from service.live.clock import DatabaseClock
from service.live.ground import Ground, Mark
from service.live.grounds import Grounds

CELL_DAYS_PER_TURN = 50
"""About so many days are derived before others may get their turn on the event loop."""
SLICE_SECONDS = 0.004
COLLECTIONS_MAX = 3
"""So often an answer is begun anew as the business changed; the last time nobody interrupts."""
ALTERNATIVES_AROUND = timedelta(days=7)
ANSWERS_KEPT_MAX = 1_024
ANSWER_KEPT = timedelta(seconds=1)


class Alternatives(NamedTuple):
    """Open slots, the best first, and the revision at which they are open."""

    slots: list[Slot]
    revision: int


class Validity(NamedTuple):
    """How long a list is as it was told: while its business has a revision, between two instants.

    Time changes lists too: a hold expires, a notice passes, a day comes within the horizon. And
    before `since` holds were in the way that have expired by then.
    """

    epoch: str
    revision: int
    since: datetime
    until: datetime | None

    def covers(self, epoch: str, revision: int, now: datetime) -> bool:
        """Say whether a list is still as it was told."""
        is_same = (self.epoch, self.revision) == (epoch, revision)
        return is_same and self.since <= now and (self.until is None or now < self.until)


class Listed(NamedTuple):
    """A list, or a page of it. `slots` None: as they were known. `validity` None: not known."""

    slots: list[Slot] | None
    revision: int
    as_of: datetime
    validity: Validity | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A slot that somebody wanted; `calendar_id` None: on any calendar of the type."""

    business_id: str
    type_id: str
    calendar_id: str | None
    start: datetime
    duration: timedelta | None
    holder_key: str | None = None


class Availability:
    """Answers about open slots, from the same days as the watches."""

    def __init__(
        self,
        *,
        grounds: Grounds,
        clock: DatabaseClock,
        monotonic: Callable[[], float],
    ) -> None:
        """Begin with nothing remembered."""
        self._grounds = grounds
        self._clock = clock
        self._monotonic = monotonic
        self._answers: OrderedDict[tuple[Lost, Mark], tuple[datetime, Alternatives]] = OrderedDict()
        self._searching = asyncio.Lock()

    async def list_slots(
        self,
        query: SlotQuery,
        min_revision: int = 0,
        *,
        after: SlotKey | None = None,
        limit: int | None = None,
    ) -> tuple[list[Slot], int, datetime]:
        """Return open slots in order, at most `limit` after a key; the revision; the instant."""
        found = await self.list_if_changed(
            query, min_revision, after=after, limit=limit, wants_validity=False
        )
        assert found.slots is not None, "Nobody said what is known."
        return found.slots, found.revision, found.as_of

    async def list_if_changed(
        self,
        query: SlotQuery,
        min_revision: int = 0,
        *,
        after: SlotKey | None = None,
        limit: int | None = None,
        known: Validity | None = None,
        wants_validity: bool = True,
    ) -> Listed:
        """Return the same with its validity, and without its slots if they are as they were known.

        Whether they are is found by the revision and the clock, and no slot is looked at. To find
        how long a list is valid takes a look at each of its slots: only where it is wanted.
        """
        async with self._grounds.proved(query.business_id, min_revision) as ground:
            # Also raises ResourceNotFound for what a query may not ask.
            chunk = _chunk(len(cells_of(ground.offer.catalog, query)))
            for attempt in range(COLLECTIONS_MAX):
                is_last = attempt == COLLECTIONS_MAX - 1
                now, revision = self._clock.now_proved(ground.proved_as_of), ground.revision
                if known is not None and known.covers(ground.epoch, revision, now):
                    return Listed(None, revision, now, known)
                days = ListDays(ground.days(now, query.holder_key))
                slots = await self._collect(
                    ground, query, now, days, _Page(after, limit), None if is_last else chunk
                )
                if slots is not None:
                    validity = None
                    if wants_validity and ground.is_whole:
                        until = days.list_valid_until(ground.offer, query, now, slots)
                        validity = Validity(ground.epoch, revision, now, until)
                    return Listed(slots, revision, now, validity)
        raise AssertionError("The last collection is not interrupted.")

    def now(self) -> datetime:
        """Return the database's time, as it was last read."""
        if not self._clock.is_known:
            raise Overloaded("The server has only just begun. Retry.")
        return self._clock.now()

    async def explain(
        self, wanted: Lost, min_revision: int = 0
    ) -> tuple[list[RuleVerdict], bool, int, datetime]:
        """Return every rule's verdict, whether it can be booked, the revision, and the instant."""
        async with self._grounds.proved(wanted.business_id, min_revision) as ground:
            type_ = ground.offer.catalog.types.get(wanted.type_id)
            if type_ is None:
                raise ResourceNotFound(type_name(wanted.business_id, wanted.type_id))
            duration = wanted.duration or type_.durations[0]
            if duration not in type_.durations:
                raise InvalidRequest("slot.duration", "The appointment type has no such duration.")
            calendar_ids = _calendars(wanted.calendar_id, type_.primary_calendar_ids)
            for calendar_id in calendar_ids:
                await ground.need_slot(wanted.type_id, calendar_id, wanted.start, duration)
            # From here on nobody else has a turn.
            now = self._clock.now_proved(ground.proved_as_of)
            by_calendar = [
                explain(
                    ground.offer,
                    wanted.type_id,
                    calendar_id,
                    wanted.start,
                    duration,
                    now,
                    holder_key=wanted.holder_key,
                )
                for calendar_id in calendar_ids
            ]
            verdicts = [verdict for each in by_calendar for verdict in each]
            is_bookable = any(all(verdict.passed for verdict in each) for each in by_calendar)
            return verdicts, is_bookable, ground.revision, now

    async def alternatives(self, lost: Lost, min_revision: int = 0) -> Alternatives:
        """Return open slots to offer instead, and the revision at which they are open.

        Remembered for each revision, so that all who lose the same slot cost one search.
        """
        async with self._grounds.at_least(lost.business_id, min_revision) as ground:
            if lost.holder_key is not None and _holds_nothing(ground, lost.holder_key):
                lost = replace(lost, holder_key=None)
            known = self._known(ground, lost)
            if known is not None:
                return known
            async with self._searching:
                known = self._known(ground, lost)
                if known is not None:
                    return known
                now = self._clock.now()
                found = Alternatives(await self._search(ground, lost, now), ground.revision)
                # Nobody has had a turn since it was found: it is true of what the ground has now.
                self._answers[lost, ground.mark] = (now, found)
                while len(self._answers) > ANSWERS_KEPT_MAX:
                    self._answers.popitem(last=False)
                return found

    async def _collect(
        self,
        ground: Ground,
        query: SlotQuery,
        now: datetime,
        days: DaySource,
        page: _Page,
        chunk: timedelta | None,
    ) -> list[Slot] | None:
        """Return the slots of a page; None: the business changed while others had their turn."""
        mark = ground.mark
        until = self._monotonic() + SLICE_SECONDS
        found: list[Slot] = []
        for window in page.windows(query.window, chunk):
            part = replace(query, window=window)
            await ground.need_list(part, now)
            room = None if page.limit is None else page.limit - len(found)
            slots = iterate_open_slots(ground.offer, part, now, days=days)
            found += islice((slot for slot in slots if page.has(slot.key)), room)
            if page.limit is not None and len(found) >= page.limit:
                break
            if chunk is not None and self._monotonic() >= until:
                await asyncio.sleep(0)
                if ground.mark != mark:
                    return None
                until = self._monotonic() + SLICE_SECONDS
        return found

    def _known(self, ground: Ground, lost: Lost) -> Alternatives | None:
        answer = self._answers.get((lost, ground.mark))
        if answer is None:
            return None
        age = self._clock.now() - answer[0]
        # The database's clock may have been set back since.
        return answer[1] if timedelta() <= age <= ANSWER_KEPT else None

    async def _search(self, ground: Ground, lost: Lost, now: datetime) -> list[Slot]:
        for attempt in range(COLLECTIONS_MAX):
            is_last = attempt == COLLECTIONS_MAX - 1
            found = await self._rank(ground, lost, now, is_interrupted=not is_last)
            if found is not None:
                return found
        raise AssertionError("The last search is not interrupted.")

    async def _rank(
        self, ground: Ground, lost: Lost, now: datetime, *, is_interrupted: bool
    ) -> list[Slot] | None:
        """Return the best alternatives; None: the business changed while others had their turn."""
        catalog = ground.offer.catalog
        type_ = catalog.types.get(lost.type_id)
        if type_ is None or lost.start.year not in CIVIL_YEARS:
            return []
        own = tuple(_calendars(lost.calendar_id, type_.primary_calendar_ids))
        if any(calendar_id not in catalog.calendars for calendar_id in own):
            return []
        duration = lost.duration or type_.durations[0]
        wanted = SlotKey(lost.start, lost.type_id, lost.calendar_id or "", lost.start + duration)
        hours = ground.offer.hours
        day = hours.day_span(own[0], hours.day_of(own[0], lost.start))
        around = Interval(lost.start - ALTERNATIVES_AROUND, lost.start + ALTERNATIVES_AROUND)
        chunk = _chunk(len(type_.primary_calendar_ids)) if is_interrupted else None
        found: list[Slot] = []
        # Wider and wider, until there are enough.
        for window, calendar_ids in ((Interval(*day), own), (around, own), (around, ())):
            query = SlotQuery(
                business_id=lost.business_id,
                window=window,
                type_ids=(lost.type_id,),
                calendar_ids=calendar_ids,
                duration=duration,
                holder_key=lost.holder_key,
            )
            days = ground.days(now, query.holder_key)
            collected = await self._collect(ground, query, now, days, _Page(None, None), chunk)
            if collected is None:
                return None
            found = collected
            if len(found) >= ALTERNATIVES_MAX:
                break
        zone = catalog.calendars[own[0]].zone
        return rank_alternatives(found, wanted, zone, ALTERNATIVES_MAX)


@dataclass(frozen=True, slots=True)
class _Page:
    """Which part of a list is asked for."""

    after: SlotKey | None
    limit: int | None

    def has(self, key: SlotKey) -> bool:
        return self.after is None or key > self.after

    def windows(self, window: Interval, chunk: timedelta | None) -> Iterator[Interval]:
        """Yield the window in parts, from the page's start."""
        start = window.start if self.after is None else max(window.start, self.after.start)
        while start < window.end:
            end = window.end if chunk is None else min(start + chunk, window.end)
            yield Interval(start, end)
            start = end


def _chunk(cells: int) -> timedelta:
    """Return how much of a window may be derived at once."""
    return timedelta(days=max(1, CELL_DAYS_PER_TURN // max(cells, 1)))


def _calendars(calendar_id: str | None, primary_ids: tuple[str, ...]) -> tuple[str, ...]:
    return primary_ids if calendar_id is None else (calendar_id,)


def _holds_nothing(ground: Ground, holder_key: str) -> bool:
    """Say whether it is known that a holder has no hold, and so sees what everyone sees."""
    return ground.is_whole and not ground.offer.claims.holds_of(holder_key)
