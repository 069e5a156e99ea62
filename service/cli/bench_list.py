"""`slotcast bench list`: does ListSlots grow with the bookings of the business?"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from rich.console import Console
from rich.progress import track
from rich.table import Table

from service.cli.connection import Access, connect, find_access
from service.cli.running import RunningServer
from service.domain import booking as domain
from service.domain.change import Change, ChangeKind
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval
from service.store import batch
from service.store.business_lock import serialized
from service.store.database import Database
from slotcast import (
    AppointmentType,
    Business,
    Calendar,
    Client,
    Closure,
    Customer,
    DateSpan,
    Schedule,
    SlotQuery,
    WallInterval,
    Weekday,
)

LENGTH = timedelta(minutes=30)
CALENDARS = 100
WRITTEN_AT_ONCE = 2000
CATALOG_CHANGES = 5
LONG_AGO = DateSpan(first_date=date(2000, 1, 1), last_date=date(2000, 1, 1))


async def bench_list(
    running: RunningServer, sizes: tuple[int, int], rounds: int, as_json: bool
) -> None:
    """Time ListSlots in two businesses that are alike but for their bookings, in turn."""
    access = find_access(running.target, None)
    await _bench(access, running.database_url, sizes, rounds, as_json)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long ListSlots took, in milliseconds, as the client sees it."""

    bookings: int
    first_ms: float
    p50_ms: float
    p99_ms: float
    after_write_p50_ms: float
    after_write_p99_ms: float
    after_catalog_p50_ms: float


async def _bench(
    access: Access, database_url: str, sizes: tuple[int, int], rounds: int, as_json: bool
) -> None:
    database = Database(database_url, pool_size=2)
    async with (
        _business(access, database, sizes[0]) as few,
        _business(access, database, sizes[1]) as many,
    ):
        timings = await _measure((few, many), sizes, rounds)
    await database.close()
    if as_json:
        values = [{name: getattr(timing, name) for name in Timing.__slots__} for timing in timings]
        sys.stdout.write(json.dumps(values, indent=2) + "\n")
        return
    table = Table(
        *("bookings", "first", "p50", "p99", "after a write p50", "p99", "of the catalogue p50"),
        box=None,
    )
    for timing in timings:
        table.add_row(
            f"{timing.bookings:,}",
            *(
                f"{value:.2f} ms"
                for value in (
                    timing.first_ms,
                    timing.p50_ms,
                    timing.p99_ms,
                    timing.after_write_p50_ms,
                    timing.after_write_p99_ms,
                    timing.after_catalog_p50_ms,
                )
            ),
        )
    Console().print(table)
    ratio = timings[1].p50_ms / timings[0].p50_ms
    Console().print(f"{sizes[1]:,} bookings take {ratio:.2f} × the time of {sizes[0]:,}.")


@asynccontextmanager
async def _business(access: Access, database: Database, bookings: int) -> AsyncIterator[Client]:
    name = f"bench-{uuid4().hex[:12]}"
    async with connect(access, name) as client:
        await _make(client, name)
        try:
            await _fill(database, name, bookings)
            yield client
        finally:
            await client.delete_business(name)


async def _make(client: Client, name: str) -> None:
    await client.create_business(Business(name=name, display_name="Bench"))
    hours = (WallInterval(start="09:00", end="17:00"),)
    await client.create_schedule(
        Schedule(name="s", display_name="s", weekly=dict.fromkeys(Weekday, hours))
    )
    for number in range(CALENDARS):
        await client.create_calendar(
            Calendar(name=f"c{number}", display_name="c", time_zone="UTC", schedule="s")
        )
    await client.create_appointment_type(
        AppointmentType(
            name="t",
            display_name="t",
            durations=(LENGTH,),
            any_of=("c0", "c1"),
            horizon=timedelta(days=365),
        )
    )


async def _fill(database: Database, business_id: str, count: int) -> None:
    """Book the other calendars full, in the past and in the future, as the write path would."""
    bookings = _bookings(count)
    for done in track(
        range(0, count, WRITTEN_AT_ONCE),
        description=f"{count:,} bookings",
        console=Console(stderr=True),
    ):
        rows = batch.Rows()
        for _ in range(min(WRITTEN_AT_ONCE, count - done)):
            _add(rows, next(bookings))
        async with serialized(database, business_id) as tx:
            head = await batch.read_head(tx, business_id)
            assert head is not None
            # A change of the catalogue makes every replica load anew.
            rows.changes.append(
                Change(revision=head.revision + 1, at=head.now, kind=ChangeKind.BUSY_IMPORTED)
            )
            await batch.write(tx, business_id, rows)


def _bookings(count: int) -> Iterator[domain.Booking]:
    now = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    per_calendar = -(-count // (CALENDARS - 2))
    first = now - LENGTH * (per_calendar // 2)
    for number in range(count):
        calendar, at = divmod(number, per_calendar)
        start = first + LENGTH * at
        yield domain.Booking(
            booking_id=uuid4(),
            type_id="t",
            calendar_ids=(f"c{calendar + 2}",),
            appointment=Interval(start, start + LENGTH),
            zone="UTC",
            status=domain.BookingStatus.CONFIRMED,
            version=1,
            customer=domain.Customer(display_name="Bench"),
            fields={},
            created_at=now,
            updated_at=now,
        )


def _add(rows: batch.Rows, booking: domain.Booking) -> None:
    rows.bookings[booking.booking_id] = booking
    claim = Claim(
        claim_id=uuid4(),
        calendar_id=booking.calendar_ids[0],
        kind=ClaimKind.BOOKING,
        owner_id=str(booking.booking_id),
        start=booking.appointment.start,
        end=booking.appointment.end,
        type_id=booking.type_id,
        appointment=booking.appointment,
    )
    rows.claims_added[claim.claim_id] = claim


async def _measure(
    clients: tuple[Client, Client], sizes: tuple[int, int], rounds: int
) -> list[Timing]:
    start = datetime.now(UTC) + timedelta(hours=1)
    query = SlotQuery(start=start, end=start + timedelta(days=30), calendars=("c0",))
    first = [await _time(client, query) for client in clients]
    quiet: list[list[float]] = [[], []]
    written: list[list[float]] = [[], []]
    for _ in range(rounds):
        for index, client in enumerate(clients):
            quiet[index].append(await _time(client, query))
    open_slots = [list((await client.list_slots(query)).items) for client in clients]
    for number in range(min(rounds, 100, len(open_slots[0]))):
        for index, client in enumerate(clients):
            await client.book(open_slots[index][number], customer=Customer(display_name="Bench"))
            written[index].append(await _time(client, query))
    changed: list[list[float]] = [[], []]
    for number in range(CATALOG_CHANGES):
        for index, client in enumerate(clients):
            await client.create_closure(Closure(name=f"k{number}", display_name="k", span=LONG_AGO))
            changed[index].append(await _time(client, query))
    return [
        Timing(
            bookings=sizes[index],
            first_ms=first[index],
            p50_ms=statistics.median(quiet[index]),
            p99_ms=_p99(quiet[index]),
            after_write_p50_ms=statistics.median(written[index]),
            after_write_p99_ms=_p99(written[index]),
            after_catalog_p50_ms=statistics.median(changed[index]),
        )
        for index in range(len(clients))
    ]


async def _time(client: Client, query: SlotQuery) -> float:
    before = time.perf_counter()
    await client.list_slots(query)
    return (time.perf_counter() - before) * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]
