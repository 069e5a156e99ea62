"""B9 of protos/README.md, on the whole service: two servers, a notifier, PostgreSQL, Valkey."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.wiring import built_notifier
from slotcast import (
    Booking,
    Customer,
    HoldEnded,
    SlotChoice,
    SlotQuery,
    SlotTaken,
    TimeWindow,
    WaitlistStatus,
    WaitlistWish,
)
from tests.salon import make_salon

WHO = Customer(display_name="A visitor")
WAITING, GRABBERS = 20, 100
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def two(start_server, connect):
    """Clients of two servers on one database."""
    clients = [await connect(await start_server()) for _ in range(2)]
    await make_salon(clients[0])
    return clients


@pytest.fixture
async def notifier(settings, two):
    """What passes offers on."""
    async with built_notifier(replace(settings, pool_size=4)) as running:
        yield running


def start_of(hour=0):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now + timedelta(days=2, hours=hour)


def chair(start):
    return SlotChoice(appointment_type="cut", calendar="chair-1", start=start)


def wish(start, number):
    return WaitlistWish(
        appointment_type="cut",
        calendars=("chair-1",),
        windows=(TimeWindow(start, start + MINUTE),),
        customer=Customer(display_name=f"Number {number}"),
        holder=f"waiter-{number}",
    )


async def let_wait(two, start):
    """Let so many wait for a slot that is booked; return the booking, and them in order."""
    booking = await two[0].book(chair(start), customer=WHO)
    entries = [await two[n % 2].join_waitlist(wish(start, n)) for n in range(WAITING)]
    assert {entry.status for entry in entries} == {WaitlistStatus.WAITING}
    return booking, entries


class Watcher:
    """Notes whenever a slot is shown open, on a stream."""

    def __init__(self, client, start):
        self._client = client
        self._start = start
        self.shown = []
        self.revision = 0

    async def watch(self, ready):
        query = SlotQuery(
            start=self._start,
            end=self._start + MINUTE,
            appointment_types=("cut",),
            calendars=("chair-1",),
        )
        async with self._client.watch(query) as view:
            self._view = view
            async for update in view:
                if self.revision == 0:
                    ready.set()
                self.revision = view.revision
                self.shown += getattr(update, "opened", ())

    async def reached(self, revision):
        await self._view.reached(revision)


class Watching:
    """Two watchers on each server, while the block lasts."""

    def __init__(self, two, start):
        self.watchers = [Watcher(two[number % 2], start) for number in range(4)]

    async def __aenter__(self):
        ready = [asyncio.Event() for _ in self.watchers]
        self._tasks = [
            asyncio.create_task(watcher.watch(each))
            for watcher, each in zip(self.watchers, ready, strict=True)
        ]
        await asyncio.gather(*(each.wait() for each in ready))
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def shown_until(self, revision):
        """Return what any of them was shown open, up to a revision."""
        await asyncio.gather(*(watcher.reached(revision) for watcher in self.watchers))
        return [slot for watcher in self.watchers for slot in watcher.shown]


class Grabbing:
    """A hundred callers who try to book a slot, each again and again, while the block lasts."""

    def __init__(self, two, start):
        self._two = two
        self._start = start
        self._over = asyncio.Event()
        self._tries = asyncio.Semaphore(0)
        self.got = []

    async def _grab(self, client):
        while not self._over.is_set():
            with suppress(SlotTaken):
                self.got.append(await client.book(chair(self._start), customer=WHO))
            self._tries.release()

    async def __aenter__(self):
        self._tasks = [
            asyncio.create_task(self._grab(self._two[number % 2])) for number in range(GRABBERS)
        ]
        await self.round()
        return self

    async def round(self):
        """Wait until there were as many tries more as there are callers."""
        self._tries = asyncio.Semaphore(0)
        for _ in range(GRABBERS):
            await self._tries.acquire()

    async def __aexit__(self, *_):
        self._over.set()
        await asyncio.gather(*self._tasks)


async def statuses(client, entries):
    found = await asyncio.gather(*(client.get_waitlist_entry(entry) for entry in entries))
    return [entry.status for entry in found]


async def test_b9_a_cancellation_serves_the_first_of_twenty_whoever_grabs(two):
    start = start_of()
    booking, entries = await let_wait(two, start)
    async with Watching(two, start) as watching, Grabbing(two, start) as grabbing:
        cancelled = await two[0].cancel_booking(booking)
        await grabbing.round()
        await grabbing.round()
        first = await two[1].get_waitlist_entry(entries[0], min_revision=cancelled.revision)

        assert first.status is WaitlistStatus.OFFERED
        assert first.offer is not None
        taken = await two[1].book(first.offer, customer=WHO)
        await grabbing.round()
        shown = await watching.shown_until(taken.revision)

    assert grabbing.got == []
    assert shown == []
    assert await statuses(two[0], entries) == [
        WaitlistStatus.TAKEN,
        *[WaitlistStatus.WAITING] * (WAITING - 1),
    ]


async def test_b9_what_nobody_takes_goes_from_one_to_the_next_and_to_no_other(two, notifier, owner):
    start = start_of(1)
    booking, entries = await let_wait(two, start)
    async with Watching(two, start) as watching, Grabbing(two, start) as grabbing:
        revision = (await two[0].cancel_booking(booking)).revision
        for number in range(4):
            entry = await two[0].get_waitlist_entry(entries[number], min_revision=revision)
            while entry.status is not WaitlistStatus.OFFERED:
                entry = await two[0].get_waitlist_entry(entry)
            revision = entry.revision
            await let_offers_end(owner)
        last = await two[1].get_waitlist_entry(entries[4])
        while last.status is not WaitlistStatus.OFFERED:
            last = await two[1].get_waitlist_entry(last)
        shown = await watching.shown_until(last.revision)

        with pytest.raises(HoldEnded):
            await two[0].book(entry.offer, customer=WHO)
        assert isinstance(await two[0].book(last.offer, customer=WHO), Booking)

    assert grabbing.got == []
    assert shown == []
    assert await statuses(two[1], entries) == [
        *[WaitlistStatus.LAPSED] * 4,
        WaitlistStatus.TAKEN,
        *[WaitlistStatus.WAITING] * (WAITING - 5),
    ]


async def test_b9_the_last_who_does_not_take_it_leaves_it_to_all(two, notifier, owner):
    start = start_of(2)
    booking = await two[0].book(chair(start), customer=WHO)
    entry = await two[1].join_waitlist(wish(start, 0))
    cancelled = await two[0].cancel_booking(booking)
    offered = await two[1].get_waitlist_entry(entry, min_revision=cancelled.revision)
    assert offered.status is WaitlistStatus.OFFERED

    query = SlotQuery(
        start=start, end=start + MINUTE, calendars=("chair-1",), appointment_types=("cut",)
    )
    async with two[0].watch(query) as view:
        await view.reached(cancelled.revision)
        assert not view.slots
        await let_offers_end(owner)
        async for _ in view:
            if view.slots:
                break

    ended = await two[0].get_waitlist_entry(entry)
    assert ended.status is WaitlistStatus.LAPSED
    assert isinstance(await two[1].book(chair(start), customer=WHO), Booking)


async def test_b9_a_slot_that_opens_by_time_is_offered_soon(two, notifier, owner):
    start = start_of(3)
    await two[0].hold_slot(chair(start), holder="somebody")
    entry = await two[1].join_waitlist(wish(start, 0))
    assert entry.status is WaitlistStatus.WAITING

    # The hold expires, and nobody releases it.
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("UPDATE holds SET expires_at = now()")
        await tx.exec_driver_sql("UPDATE claims SET expires_at = now()")
    while entry.status is WaitlistStatus.WAITING:
        entry = await two[0].get_waitlist_entry(entry)

    assert entry.status is WaitlistStatus.OFFERED


async def test_who_could_not_be_written_to_waits_on_and_what_was_offered_passes_to_the_next(
    two, settings, owner
):
    start = start_of(4)
    booking = await two[0].book(chair(start), customer=WHO)
    told_by_letter = replace(WHO, email="first@example.org")
    first = await two[1].join_waitlist(replace(wish(start, 0), customer=told_by_letter))
    second = await two[0].join_waitlist(wish(start, 1))
    await two[0].cancel_booking(booking)
    # Nothing listens there.
    away = replace(settings, pool_size=4, smtp_url="smtp://127.0.0.1:9", mail_sender="a@b.example")

    async with built_notifier(away):
        await let_offers_end(owner)
        while second.status is not WaitlistStatus.OFFERED:
            second = await two[0].get_waitlist_entry(second)

    assert await statuses(two[1], [first]) == [WaitlistStatus.WAITING]


async def let_offers_end(owner):
    """Let what was offered have been offered long ago; its slot stays kept a little longer."""
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql(
            "UPDATE waitlist SET offer_expires_at = now() WHERE status = 'offered'"
        )
