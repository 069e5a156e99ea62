"""Grounds: what an answer about open slots is worked out from, a replica or PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Protocol

from service.domain.availability import (
    ClaimBook,
    DaySlots,
    DaySource,
    Hours,
    Offer,
    day_slots,
    list_facts,
    slot_facts,
)
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.days import DayCache
from service.live.replica import Replica
from service.live.source import Part

Mark = tuple[int | str, int]
"""Tells one state of a business from every other."""


class Ground(Protocol):
    """A business at one revision, proved to be as new as any answer given before it was asked for.

    It may go on to a later one whenever others have their turn; `mark` tells.
    """

    @property
    def offer(self) -> Offer:
        """What the evaluator looks at."""

    @property
    def epoch(self) -> str:
        """Which life of the business it is."""

    @property
    def revision(self) -> int:
        """The revision that it is at."""

    @property
    def proved_as_of(self) -> datetime:
        """The last instant at which it is known to have had all that PostgreSQL had."""

    @property
    def mark(self) -> Mark:
        """What tells whether it is still the same."""

    @property
    def is_whole(self) -> bool:
        """Say whether all claims are there at once, so that they tell what does not exist."""

    async def need_list(self, query: SlotQuery, now: datetime) -> None:
        """Have all that a list of a query looks at."""

    async def need_slot(
        self, type_id: str, calendar_id: str, start: datetime, duration: timedelta
    ) -> None:
        """Have all that a verdict on one slot looks at."""

    def days(self, now: datetime, holder_key: str | None) -> DaySource:
        """Return where the evaluator gets the slots of days from."""


class ReplicaGround:
    """A replica: it has all, and its days are remembered."""

    is_whole = True

    def __init__(self, replica: Replica, days: DayCache, proved_as_of: datetime) -> None:
        """Take a replica, and as of when it was proved fresh."""
        self.proved_as_of = proved_as_of
        self._replica = replica
        self._days = days

    @property
    def offer(self) -> Offer:
        """Return what the replica has now."""
        return self._replica.offer

    @property
    def epoch(self) -> str:
        """Return which life of the business the replica has."""
        return self._replica.epoch

    @property
    def revision(self) -> int:
        """Return the revision that the replica is at now."""
        return self._replica.revision

    @property
    def mark(self) -> Mark:
        """Return another one after each change."""
        return self._replica.generation, self._replica.revision

    async def need_list(self, query: SlotQuery, now: datetime) -> None:
        """Have it already."""

    async def need_slot(
        self, type_id: str, calendar_id: str, start: datetime, duration: timedelta
    ) -> None:
        """Have it already."""

    def days(self, now: datetime, holder_key: str | None) -> DaySource:
        """Return the days that all lists and watches share."""
        return self._days.source(self._replica, now, holder_key)


class DirectGround:
    """A snapshot of PostgreSQL, of which only those claims are read that are asked for."""

    is_whole = False

    def __init__(self, part: Part) -> None:
        """Begin without claims."""
        self.epoch, self.revision = part.epoch, part.revision
        self.mark: Mark = (part.epoch, part.revision)
        self.offer = Offer(part.catalog, Hours(part.catalog), ClaimBook())
        self._part = part
        self._known: dict[str, Interval] = {}

    @property
    def proved_as_of(self) -> datetime:
        """Return when the snapshot was taken."""
        return self._part.as_of

    async def need_list(self, query: SlotQuery, now: datetime) -> None:
        """Read the claims in the asked window, on the asked calendars."""
        await self._need(list_facts(self.offer.catalog, query, now))

    async def need_slot(
        self, type_id: str, calendar_id: str, start: datetime, duration: timedelta
    ) -> None:
        """Read the claims around one slot."""
        catalog = self.offer.catalog
        await self._need(slot_facts(catalog, type_id, calendar_id, start, duration))

    def days(self, now: datetime, holder_key: str | None) -> DaySource:
        """Return days that are derived each time."""

        def derive(type_id: str, calendar_id: str, day: date, duration: timedelta) -> DaySlots:
            return day_slots(
                self.offer, type_id, calendar_id, day, duration, now, holder_key=holder_key
            )

        return derive

    async def _need(self, windows: Iterable[tuple[str, Interval]]) -> None:
        missing = [
            (calendar_id, gap)
            for calendar_id, window in windows
            for gap in self._missing(calendar_id, window)
        ]
        for claim in await self._part.claims_in(missing):
            self.offer.claims.add(claim)

    def _missing(self, calendar_id: str, window: Interval) -> list[Interval]:
        """Return what must be read so that one time without gaps is known, and call it known."""
        known = self._known.get(calendar_id)
        if known is None:
            self._known[calendar_id] = window
            return [window]
        start, end = min(known.start, window.start), max(known.end, window.end)
        self._known[calendar_id] = Interval(start, end)
        before = [Interval(start, known.start)] if start < known.start else []
        after = [Interval(known.end, end)] if known.end < end else []
        return before + after
