"""Watches of the busiest units: how soon they show what was answered, and whether rightly."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from loadtest.replay.measures import ShownAt
from loadtest.replay.person import FURTHER_DAYS
from loadtest.replay.town import Town, Unit, midnight
from slotcast import Client, Slot, SlotKey, SlotQuery, SlotView, Update

WINDOW_MAX = timedelta(days=62)
PAGE_SIZE = 2000
COMPARISONS_MAX = 5


@dataclass(kw_only=True, slots=True)
class Watcher:
    """One watch of a unit; when it came to show which revision, and how often it was stale."""

    unit: Unit
    query: SlotQuery
    view: SlotView
    revisions: list[int] = field(default_factory=list)
    seen_at_ns: list[int] = field(default_factory=list)
    stale: int = 0

    async def follow(self) -> None:
        """Note what comes, until cancelled."""
        async for item in self.view:
            if isinstance(item, Update):
                self.revisions.append(item.revision)
                self.seen_at_ns.append(time.monotonic_ns())
            else:
                self.stale += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """How long from an answer to the frame that shows it, per change; 0: the frame came first."""

    nanoseconds: list[int]
    frame_first: int
    unseen: int


@asynccontextmanager
async def watching(
    client: Client, town: Town, units: Iterable[Unit]
) -> AsyncIterator[list[Watcher]]:
    """Watch units while the block lasts; it begins when all views show what is open."""
    async with AsyncExitStack() as stack:
        watchers = []
        for unit in units:
            query = query_of(town, unit)
            view = await stack.enter_async_context(client.watch(query))
            watchers.append(Watcher(unit=unit, query=query, view=view))
        for watcher in watchers:
            await watcher.view.reached(1)
        following = [asyncio.create_task(watcher.follow()) for watcher in watchers]
        try:
            yield watchers
        finally:
            for task in following:
                task.cancel()
            # One that has failed before is told by its view, which is asked again in the end.
            await asyncio.gather(*following, return_exceptions=True)


def query_of(town: Town, unit: Unit) -> SlotQuery:
    """Ask for all days on which someone may get a visit, as far as one watch reaches."""
    start = midnight(town.first_date)
    end = midnight(town.last_date + timedelta(days=FURTHER_DAYS + 1))
    return SlotQuery(
        start=start,
        end=min(end, start + WINDOW_MAX),
        appointment_types=(unit.slug,),
        calendars=(unit.slug,),
    )


def freshness_of(watchers: Iterable[Watcher], shown: Iterable[ShownAt]) -> Freshness:
    """Pair each answered change of a watched unit with the first frame at its revision or later."""
    by_unit = {watcher.unit.slug: watcher for watcher in watchers}
    nanoseconds: list[int] = []
    frame_first = unseen = 0
    for change in shown:
        watcher = by_unit.get(change.unit)
        if watcher is None:
            continue
        place = bisect_left(watcher.revisions, change.revision)
        if place == len(watcher.revisions):
            unseen += 1
            continue
        waited_ns = watcher.seen_at_ns[place] - change.answered_at_ns
        frame_first += waited_ns <= 0
        nanoseconds.append(max(waited_ns, 0))
    return Freshness(nanoseconds=nanoseconds, frame_first=frame_first, unseen=unseen)


async def compare(client: Client, watcher: Watcher) -> list[str]:
    """Compare a view with a list at the same time of quiet; say what differs, if anything does."""
    differences: list[str] = []
    for _ in range(COMPARISONS_MAX):
        listed, revision = await list_all(client, watcher.query, watcher.view.revision)
        await watcher.view.reached(revision)
        differences = differing(watcher.unit.slug, dict(watcher.view.slots), listed)
        if not differences:
            return []
    return differences


def differing(
    unit: str, watched: Mapping[SlotKey, Slot], listed: Mapping[SlotKey, Slot]
) -> list[str]:
    """Say which slots a watch shows otherwise than a list."""
    return [
        f"{unit} at {key.start.isoformat()}: the watch shows {_seats(watched.get(key))} seats open,"
        f" the list {_seats(listed.get(key))}"
        for key in sorted(watched.keys() | listed.keys())
        if watched.get(key) != listed.get(key)
    ]


async def list_all(
    client: Client, query: SlotQuery, min_revision: int
) -> tuple[dict[SlotKey, Slot], int]:
    """List every open slot, and the revision of the last page."""
    slots: dict[SlotKey, Slot] = {}
    token = ""
    while True:
        page = await client.list_slots(
            query, min_revision=min_revision, page_size=PAGE_SIZE, page_token=token
        )
        slots |= {slot.key: slot for slot in page}
        token = page.next_page_token
        if not token:
            return slots, page.revision


def stale_times(watchers: Sequence[Watcher]) -> int:
    """How often any of the views was stale for a while."""
    return sum(watcher.stale for watcher in watchers)


def _seats(slot: Slot | None) -> int:
    return slot.seats_left if slot is not None else 0
