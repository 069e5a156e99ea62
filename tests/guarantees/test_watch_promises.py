"""W1 to W9 of protos/README.md, on the whole service: two servers, PostgreSQL and Valkey."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from service.embedded.valkey import Valkey
from slotcast import Closure, Customer, DateSpan, SlotChoice, SlotQuery, SlotTaken
from slotcast.v1.availability_service_pb2 import Reset, WatchAvailabilityRequest
from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub
from tests.salon import QUARTER, make_salon

WHO = Customer(display_name="A visitor")
DAY = timedelta(days=1)


@pytest.fixture
async def targets(start_server):
    return [await start_server(), await start_server()]


@pytest.fixture
async def two(targets, connect):
    clients = [await connect(target) for target in targets]
    await make_salon(clients[0])
    return clients


@pytest.fixture
def open_watch(operator_key):
    """Open a raw watch, to look at its frames."""

    @asynccontextmanager
    async def open_(target, **more):
        request = WatchAvailabilityRequest(
            parent="businesses/salon",
            appointment_types=["businesses/salon/appointmentTypes/cut"],
            **more,
        )
        request.start_time.FromDatetime(noon())
        request.end_time.FromDatetime(noon() + DAY)
        async with grpc.aio.insecure_channel(target) as channel:
            call = AvailabilityServiceStub(channel).WatchAvailability(
                request, metadata=(("authorization", f"Bearer {operator_key}"),)
            )
            try:
                yield call
            finally:
                call.cancel()

    return open_


class Follower:
    """Folds frames as a client should, and checks their order."""

    def __init__(self, slots=None):
        self.slots = dict(slots or {})
        self.pending = {}
        self.revision = self.seq = 0
        self.token = ""
        self.kinds = []

    async def until(self, call, is_enough):
        while True:
            frame = await call.read()
            assert frame is not grpc.aio.EOF
            self.take(frame)
            if is_enough(self):
                return self

    async def until_revision(self, call, revision):
        return await self.until(call, lambda _: self.revision >= revision)

    async def until_snapshot(self, call):
        return await self.until(call, lambda _: "snapshot_end" in self.kinds)

    def take(self, frame):
        kind = frame.WhichOneof("frame")
        assert frame.stream_seq == self.seq + 1
        assert frame.revision >= self.revision
        self.seq, self.revision = frame.stream_seq, frame.revision
        self.token = frame.resume_token or self.token
        self.kinds.append(kind)
        match kind:
            case "snapshot_chunk":
                self.pending.update(
                    (key(slot), slot.seats_left) for slot in frame.snapshot_chunk.slots
                )
            case "snapshot_end":
                assert len(self.pending) == frame.snapshot_end.open_slots
                self.slots, self.pending = self.pending, {}
            case "reset":
                self.slots, self.pending = {}, {}
            case "delta":
                self.fold(frame.delta)
            case "heartbeat":
                assert len(self.slots) == frame.heartbeat.open_slots

    def fold(self, delta):
        for span in delta.cleared:
            first, end = span.start_time.ToDatetime(UTC), span.end_time.ToDatetime(UTC)
            self.slots = {
                each: seats
                for each, seats in self.slots.items()
                if not (
                    first <= each[2] < end
                    and span.calendar in {"", each[1]}
                    and span.appointment_type in {"", each[0]}
                )
            }
        for closed in delta.closed:
            self.slots.pop(key(closed))
        self.slots.update((key(slot), slot.seats_left) for slot in delta.opened)


def key(slot):
    start, end = slot.start_time.ToDatetime(UTC), slot.end_time.ToDatetime(UTC)
    return (slot.appointment_type, slot.calendar, start, end)


def noon():
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + 2 * DAY


def at(quarters, calendar="chair-1"):
    return SlotChoice(appointment_type="cut", calendar=calendar, start=noon() + QUARTER * quarters)


async def truth(client, revision=0):
    query = SlotQuery(start=noon(), end=noon() + DAY, appointment_types=("cut",))
    page = await client.list_slots(query, min_revision=revision)
    found = {
        (slot.appointment_type, slot.calendar, slot.start, slot.end): slot.seats_left
        for slot in page.items
    }
    return found, page.revision


async def churn(clients, rounds):
    """Book, move and cancel at random; returns the last revision."""
    bookings, revision = [], 0
    for _ in range(rounds):
        client = random.choice(clients)
        if bookings and random.random() < 0.3:
            booking = bookings.pop(random.randrange(len(bookings)))
            revision = (await client.cancel_booking(booking)).revision
            continue
        try:
            if bookings and random.random() < 0.3:
                booking = bookings.pop(random.randrange(len(bookings)))
                moved = await client.reschedule_booking(booking, at(random.randrange(96)))
                bookings.append(moved)
                revision = moved.revision
            else:
                wish = at(random.randrange(96), random.choice(["chair-1", "chair-2"]))
                booking = await client.book(wish, customer=WHO)
                bookings.append(booking)
                revision = booking.revision
        except SlotTaken:
            continue
    return revision


async def test_w1_the_slots_of_a_client_equal_the_truth_at_each_revision(two, targets, open_watch):
    async with open_watch(targets[0]) as here, open_watch(targets[1]) as there:
        followers = [Follower(), Follower()]
        churning = asyncio.create_task(churn(two, 60))
        for follower, call in zip(followers, (here, there), strict=True):
            await follower.until(call, lambda _: churning.done())
            await follower.until_revision(call, await churning)
        for follower in followers:
            assert follower.slots == (await truth(two[1], await churning))[0]


async def test_w1_a_move_is_never_half_visible(two, targets, open_watch):
    booking = await two[0].book(at(0), customer=WHO)
    keys = [
        (
            "businesses/salon/appointmentTypes/cut",
            booking.calendars[0],
            at(n).start,
            at(n + 1).start,
        )
        for n in range(2)
    ]
    async with open_watch(targets[1]) as call:
        follower = await Follower().until_snapshot(call)
        for number in range(1, 21):
            booking = await two[0].reschedule_booking(booking, at(number % 2))
            revision = booking.revision

            def is_there(each, revision=revision):
                assert sum(key in each.slots for key in keys) == 1
                return each.revision >= revision

            await follower.until(call, is_there)


async def test_w2_a_snapshot_says_its_end_and_nothing_is_missing_after_it(two, targets, open_watch):
    churning = asyncio.create_task(churn(two, 40))
    followers = []
    while not churning.done():
        async with open_watch(random.choice(targets)) as call:
            follower = await Follower().until_snapshot(call)
            goal = (await truth(two[0]))[1]
            await follower.until_revision(call, goal)
            followers.append(follower)
    revision = await churning
    async with open_watch(targets[0], min_revision=revision) as call:
        follower = await Follower().until_snapshot(call)
        assert follower.slots == (await truth(two[1], revision))[0]
    assert followers


async def test_w3_a_token_resumes_on_another_server_without_a_snapshot(two, targets, open_watch):
    async with open_watch(targets[0]) as call:
        before = await Follower().until_snapshot(call)
    for _ in range(3):
        revision = await churn(two, 15)
        async with open_watch(targets[1], resume_token=before.token) as call:
            after = Follower(before.slots)
            await after.until_revision(call, revision)
        assert {"reset", "snapshot_end"}.isdisjoint(after.kinds)
        assert after.slots == (await truth(two[0], revision))[0]
        before = after


async def test_w3_a_token_from_before_a_change_of_the_catalogue_is_reset(two, targets, open_watch):
    async with open_watch(targets[0]) as call:
        before = await Follower().until_snapshot(call)
    date = (noon() + DAY).date()
    closure = Closure(
        name="c", display_name="closed", span=DateSpan(first_date=date, last_date=date)
    )
    changed = await two[0].create_closure(closure)
    async with open_watch(targets[1], resume_token=before.token) as call:
        frame = await call.read()
        assert frame.reset.reason == Reset.REASON_CATALOG
        after = Follower()
        after.take(frame)
        await after.until_snapshot(call)
        assert after.slots == (await truth(two[0], changed.revision))[0]


@pytest.mark.parametrize("spoil", [lambda token: token[:-4] + "AAAA", lambda token: "x" + token])
async def test_w3_an_altered_token_is_refused(two, targets, open_watch, spoil):
    async with open_watch(targets[0]) as call:
        follower = await Follower().until_snapshot(call)
    async with open_watch(targets[0], resume_token=spoil(follower.token)) as call:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call.read()
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_w3_a_token_that_is_too_old_is_reset(two, targets, open_watch, database):
    async with open_watch(targets[0]) as call:
        before = await Follower().until_snapshot(call)
    revision = await churn(two, 10)
    async with database.transaction("salon") as tx:
        await tx.exec_driver_sql("DELETE FROM changes WHERE revision < $1", (revision,))
    async with open_watch(targets[1], resume_token=before.token) as call:
        frame = await call.read()
        assert frame.reset.reason == Reset.REASON_COMPACTED


async def test_w4_heartbeats_come_when_nothing_happens_and_carry_what_postgres_has(
    two, targets, open_watch, database
):
    async with open_watch(targets[0]) as call:
        follower = await Follower().until(call, lambda each: each.kinds.count("heartbeat") >= 3)
    async with database.snapshot("salon") as tx:
        revision = (await tx.exec_driver_sql("SELECT revision FROM businesses")).scalar_one()
    assert follower.revision == revision


async def test_w5_every_frame_says_when_it_was_true_and_for_how_long(two, targets, open_watch):
    async with open_watch(targets[0]) as call:
        last = datetime.min.replace(tzinfo=UTC)
        for _ in range(4):
            frame = await call.read()
            assert frame.as_of.ToDatetime(UTC) >= last
            assert frame.stale_after.seconds > 0
            last = frame.as_of.ToDatetime(UTC)


async def test_w6_a_hold_that_expires_arrives_without_a_write(two):
    wish = SlotChoice(appointment_type="quick", calendar="chair-2", start=noon())
    query = SlotQuery(start=noon(), end=noon() + QUARTER, appointment_types=("quick",))
    async with two[1].watch(query) as view:
        hold = await two[0].hold_slot(wish, holder="me")
        await view.reached(hold.revision)
        assert not view.slots
        async for update in view:
            if update.opened and not update.whole:
                break
        assert view.revision == hold.revision
        assert update.as_of >= hold.expires_at


async def test_w7_a_reader_that_does_not_read_delays_nobody_and_is_given_merged_state(
    two, targets, open_watch
):
    async with open_watch(targets[0]) as slow, open_watch(targets[0]) as quick:
        follower = await Follower().until_snapshot(slow)
        last = Follower()
        for _ in range(5):
            revision = await churn(two, 12)
            await last.until_revision(quick, revision)
        await follower.until_revision(slow, revision)
        assert follower.slots == last.slots


async def test_w8_reads_and_watches_are_at_least_as_new_as_ones_own_writes(
    two, targets, open_watch
):
    for number in range(10):
        booking = await two[0].book(at(number), customer=WHO)
        slots, revision = await truth(two[1], booking.revision)
        assert revision >= booking.revision
        async with open_watch(targets[1], min_revision=booking.revision) as call:
            assert (await call.read()).revision >= booking.revision
        taken = (
            "businesses/salon/appointmentTypes/cut",
            booking.calendars[0],
            booking.start,
            booking.end,
        )
        assert taken not in slots


async def test_w9_with_redis_dead_bookings_go_on_and_streams_stay_right(
    start_server, connect, open_watch, tmp_path
):
    valkey = Valkey(tmp_path / "valkey").start()
    targets = [await start_server(redis_url=valkey.url) for _ in range(2)]
    two = [await connect(target) for target in targets]
    await make_salon(two[0])
    async with open_watch(targets[1]) as call:
        follower = await Follower().until_snapshot(call)
        valkey.kill()
        revision = await churn([two[0]], 15)
        await follower.until_revision(call, revision)
        assert follower.slots == (await truth(two[0], revision))[0]
        valkey.start()
        revision = await churn([two[0]], 15)
        await follower.until_revision(call, revision)
        assert follower.slots == (await truth(two[0], revision))[0]
    valkey.stop()
