"""`slotcast bench conversations`: what they cost one process, and how soon each is told."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from service.cli.connection import Access, connect, find_access
from service.cli.running import RunningServer
from slotcast import (
    AppointmentType,
    Business,
    Calendar,
    Client,
    Conversation,
    ConversationLimits,
    Conversations,
    Customer,
    Schedule,
    ShownChanged,
    Slot,
    SlotKey,
    WallInterval,
    Weekday,
)

LENGTH = timedelta(minutes=30)
AHEAD = timedelta(days=30)
CALENDARS = ("c0", "c1", "c2", "c3", "c4")
LAST_TOLD_SECONDS_MAX = 15.0
LATENESS_EVERY_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How many conversations show how many slots each, and what is booked meanwhile."""

    count: int
    shown: int
    bookings_per_second: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What was measured. Memory is what the process has resident, with its waiting tasks."""

    conversations: int
    shown_each: int
    open_slots: int
    before_mib: float
    watching_mib: float
    following_mib: float
    kib_each: float
    ask_p50_ms: float
    ask_p99_ms: float
    bookings: int
    tellings: int
    untold: int
    told_p50_ms: float
    told_p99_ms: float
    told_max_ms: float
    load_average: float
    loop_late_p99_ms: float


@dataclass(slots=True)
class Seen:
    """What was booked and told, by the clock of this machine, and how late its loop was."""

    booked_at: dict[SlotKey, float] = field(default_factory=dict)
    told: list[tuple[SlotKey, float]] = field(default_factory=list)
    expected: int = 0
    asked: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)


async def bench_conversations(running: RunningServer, load: Load, as_json: bool) -> None:
    """Follow many conversations over one watch in this process, while slots are booked."""
    figures = await measure(find_access(running.target, None), load)
    if as_json:
        sys.stdout.write(json.dumps(asdict(figures), indent=2) + "\n")
    else:
        _print(figures)


async def measure(access: Access, load: Load) -> Figures:
    """Measure it in a business of its own, which is deleted after."""
    name = f"bench-{uuid4().hex[:12]}"
    async with connect(access, name) as client, _business(client, name):
        return await _measure(client, access, name, load)


@asynccontextmanager
async def _business(client: Client, name: str) -> AsyncIterator[None]:
    await client.create_business(Business(name=name, display_name="Bench"))
    try:
        hours = (WallInterval(start="08:00", end="18:00"),)
        await client.create_schedule(
            Schedule(name="s", display_name="s", weekly=dict.fromkeys(Weekday, hours))
        )
        for calendar in CALENDARS:
            await client.create_calendar(
                Calendar(name=calendar, display_name=calendar, time_zone="UTC", schedule="s")
            )
        for kind in ("cut", "talk"):
            await client.create_appointment_type(
                AppointmentType(name=kind, display_name=kind, durations=(LENGTH,), any_of=CALENDARS)
            )
        yield
    finally:
        await client.delete_business(name)


async def _measure(client: Client, access: Access, name: str, load: Load) -> Figures:
    seen, load_average = Seen(), os.getloadavg()[0]
    before = _resident_mib()
    limits = ConversationLimits(
        conversations_max=load.count, shown_max=max(load.shown, 1), patience_seconds=30
    )
    async with Conversations(client, ahead=AHEAD, limits=limits) as conversations:
        await conversations.ready()
        watching = _resident_mib()
        everyone = [conversations.open(f"chat-{number}") for number in range(load.count)]
        following = [asyncio.create_task(_follow(each, seen)) for each in everyone]
        await _show(everyone, load, seen)
        showing = _resident_mib()
        late = asyncio.create_task(_lateness(seen))
        async with connect(access, name) as booker:  # a connection of its own, as other chats have
            open_slots = await _book(booker, everyone, load, seen)
        await _told(seen)
        late.cancel()
        for task in following:
            task.cancel()
        await asyncio.gather(late, *following, return_exceptions=True)
    waits = [(at - seen.booked_at[key]) * 1000 for key, at in seen.told if key in seen.booked_at]
    return Figures(
        conversations=load.count,
        shown_each=load.shown,
        open_slots=open_slots,
        before_mib=before,
        watching_mib=watching,
        following_mib=showing,
        kib_each=(showing - watching) * 1024 / load.count,
        ask_p50_ms=_part(seen.asked, 0.5),
        ask_p99_ms=_part(seen.asked, 0.99),
        bookings=len(seen.booked_at),
        tellings=len(waits),
        untold=seen.expected - len(waits),
        told_p50_ms=_part(waits, 0.5),
        told_p99_ms=_part(waits, 0.99),
        told_max_ms=max(waits, default=0.0),
        load_average=load_average,
        loop_late_p99_ms=_part(seen.late, 0.99),
    )


async def _follow(conversation: Conversation, seen: Seen) -> None:
    async for news in conversation:
        at = time.time()
        if isinstance(news, ShownChanged):
            seen.told += [(slot.key, at) for slot in news.gone]
            seen.more.set()


async def _show(everyone: list[Conversation], load: Load, seen: Seen) -> None:
    """Let each ask for slots of another day and calendar, as people do."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number, conversation in enumerate(everyone):
        day = midnight + timedelta(days=1 + number % (AHEAD.days - 2))
        before = time.perf_counter()
        await conversation.slots(
            appointment_types=("cut",),
            calendars=(CALENDARS[number % len(CALENDARS)],),
            start=day,
            limit=load.shown,
        )
        seen.asked.append((time.perf_counter() - before) * 1000)


async def _book(client: Client, everyone: list[Conversation], load: Load, seen: Seen) -> int:
    """Book slots that are shown, evenly in time, whether or not those before were answered."""
    shown_by: dict[SlotKey, int] = {}
    slots: dict[SlotKey, Slot] = {}
    for conversation in everyone:
        for slot in conversation.shown:
            slots[slot.key] = slot
            shown_by[slot.key] = shown_by.get(slot.key, 0) + 1
    wanted = sorted(slots)[:: max(1, len(slots) // int(load.bookings_per_second * load.seconds))]
    begun = time.perf_counter()
    booking = []
    for number, key in enumerate(wanted):
        due = begun + number / load.bookings_per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        booking.append(asyncio.create_task(_book_one(client, slots[key], seen)))
    await asyncio.gather(*booking)
    seen.expected = sum(shown_by[key] for key in seen.booked_at)
    return len(slots)


async def _book_one(client: Client, slot: Slot, seen: Seen) -> None:
    booking = await client.book(slot, customer=Customer(display_name="Bench"))
    # When its transaction began: its commit was later.
    seen.booked_at[slot.key] = booking.created_at.timestamp()


async def _told(seen: Seen) -> None:
    """Wait until all were told, or for much longer than that takes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_TOLD_SECONDS_MAX):
            while len(seen.told) < seen.expected:
                seen.more.clear()
                await seen.more.wait()


async def _lateness(seen: Seen) -> None:
    """Tell how late this process is at all: what comes to it can be told no sooner."""
    while True:
        due = time.perf_counter() + LATENESS_EVERY_SECONDS
        await asyncio.sleep(LATENESS_EVERY_SECONDS)
        seen.late.append((time.perf_counter() - due) * 1000)


def _resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def _part(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _print(figures: Figures) -> None:
    table = Table(box=None, show_header=False)
    one = figures
    for what, value in (
        ("conversations, in one process, on one watch", f"{one.conversations:,}"),
        ("slots that each shows; different ones in all", f"{one.shown_each}; {one.open_slots:,}"),
        ("resident before", f"{one.before_mib:.1f} MiB"),
        ("with the watch", f"{one.watching_mib:.1f} MiB"),
        ("with all conversations, each followed", f"{one.following_mib:.1f} MiB"),
        ("each conversation", f"{one.kib_each:.2f} KiB"),
        ("asking for slots, p50, p99", f"{one.ask_p50_ms:.3f} ms, {one.ask_p99_ms:.3f} ms"),
        ("bookings; tellings; untold", f"{one.bookings:,}; {one.tellings:,}; {one.untold:,}"),
        (
            "transaction begun -> told, p50, p99, worst",
            f"{one.told_p50_ms:.1f} ms, {one.told_p99_ms:.1f} ms, {one.told_max_ms:.1f} ms",
        ),
        (
            "load average before; this loop late, p99",
            f"{one.load_average:.1f}; {one.loop_late_p99_ms:.1f} ms",
        ),
    ):
        table.add_row(what, value)
    Console().print(table)
