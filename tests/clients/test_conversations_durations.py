"""Conversations: what was shown is judged by what is true of it, or said not to be known."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from slotcast import (
    ConversationForgotten,
    ConversationLimits,
    Conversations,
    ShownChanged,
    ViewStale,
)
from slotcast.conversations.further import RETRY_SECONDS
from slotcast.v1.availability_service_pb2 import Reset
from tests.clients.chat import (
    caught_up,
    delta,
    heartbeat,
    hold_answer,
    nothing_is_told,
    reset,
    slot,
    snapshot,
    waiting,
)
from tests.clients.scripted import refused
from tests.clients.wire import STALE_AFTER_SECONDS

DAY_SECONDS = 86_400
HOUR = timedelta(hours=1)
FIVE = [slot(number) for number in range(5)]


def long(number, minutes=60, **more):
    """A slot of another duration than its type's first."""
    short = slot(number, **more)
    return replace(short, end=short.start + timedelta(minutes=minutes))


LONG = [long(number) for number in range(5)]


@pytest.fixture
async def conversations(client):
    limits = ConversationLimits(further_durations_max=2)
    async with Conversations(client, limits=limits) as conversations:
        yield conversations


@pytest.fixture
async def stream(script, conversations):
    """The watch of the first durations, with five slots open at revision 1."""
    stream = await script.stream()
    stream.send(*snapshot(1, FIVE))
    await conversations.ready()
    return stream


@pytest.fixture
async def ada(conversations, stream):
    """A conversation that has shown five slots of an hour."""
    ada = conversations.open("ada")
    ada.remember(LONG)
    return ada


@pytest.fixture
async def hours(ada, script):
    """The watch of those of an hour."""
    hours = await script.stream()
    hours.send(*snapshot(1, LONG))
    while ada.unknown:
        await anext(ada)
    return hours


async def test_a_duration_that_is_shown_gets_a_watch_that_all_share(
    conversations, ada, hours, script
):
    assert hours.request.duration.ToTimedelta() == HOUR
    assert hours.request.parent == "businesses/salon"
    for number in range(100):
        conversations.open(f"c{number}").remember(LONG)
        conversations.open(f"c{number}").remember(FIVE)
    assert script._streams.empty()


async def test_a_slot_of_another_duration_is_told_gone_and_back_by_its_own_watch(ada, hours):
    hours.send(delta(2, closed=[LONG[1]]))
    assert (await anext(ada)).gone == (LONG[1],)
    assert await ada.gone() == (LONG[1],)
    hours.send(delta(3, opened=[LONG[1]]))
    assert (await anext(ada)).back == (LONG[1],)


async def test_what_becomes_of_slots_of_the_first_duration_says_nothing_of_others(
    ada, conversations, hours, stream
):
    stream.send(delta(2, closed=FIVE[:2]))
    await caught_up(conversations, 2)
    await nothing_is_told(ada)
    assert await ada.gone() == ()


async def test_before_its_watch_has_begun_a_slot_is_unknown_and_neither_gone_nor_back(
    ada, script, conversations
):
    news = await anext(ada)
    assert (news.gone, news.back, news.unknown) == ((), (), tuple(LONG))
    assert ada.unknown == tuple(LONG)
    assert await ada.gone() == ()
    (await script.stream()).send(*snapshot(1, LONG[1:]))
    news = await anext(ada)
    assert (news.gone, news.back, news.unknown) == ((LONG[0],), (), ())


async def test_slots_of_a_duration_are_those_of_its_watch(ada, hours, conversations, script):
    assert await ada.slots(duration=HOUR, limit=2) == tuple(LONG[:2])
    assert await ada.slots(limit=2) == tuple(FIVE[:2])
    # Of a type whose first duration it is, all is known already.
    half = timedelta(minutes=30)
    assert await ada.slots(appointment_types=("cut",), duration=half, limit=1) == (FIVE[0],)
    assert script._streams.empty()


async def test_the_first_question_for_a_duration_waits_for_its_watch(conversations, stream, script):
    asking = asyncio.create_task(conversations.open("ada").slots(duration=HOUR))
    (await script.stream()).send(*snapshot(1, LONG))
    assert await asking == tuple(LONG)


async def test_a_watch_that_is_older_than_what_is_known_tells_nothing_yet(
    conversations, stream, script
):
    stream.send(delta(7, opened=[slot(8)]))
    await caught_up(conversations, 7)
    asking = asyncio.create_task(conversations.open("ada").slots(duration=HOUR))
    hours = await script.stream()
    hours.send(*snapshot(6, LONG[1:]), delta(7, opened=[LONG[0]]))
    assert await asking == tuple(LONG)


async def test_ones_own_hold_of_a_duration_is_read_and_stood_before_in_its_own_watch(
    ada, conversations, hours, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(LONG[0], 2, seconds=60))
    await ada.hold_slot(LONG[0])
    asking = asyncio.create_task(ada.slots(duration=HOUR))
    # The other watch is as new as the hold, and has its time out; this one is not.
    stream.send(delta(3, closed=FIVE[:2], seconds=61))
    await caught_up(conversations, 3)
    assert ada.holds == ()
    hours.send(delta(2, closed=LONG[:2]))
    await asking
    assert await ada.gone() == ()
    await nothing_is_told(ada)
    hours.send(heartbeat(3, LONG[2:], seconds=61))
    assert set((await anext(ada)).gone) == set(LONG[:2])


async def test_what_one_did_oneself_is_awaited_in_each_watch_before_a_slot_is_told_gone(
    ada, conversations, hours, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[4], 5))
    await ada.hold_slot(FIVE[4])
    asking, waiter = asyncio.create_task(ada.gone()), waiting(ada)
    stream.send(delta(5, closed=[FIVE[4]]))
    await caught_up(conversations, 5)
    hours.send(delta(4, closed=LONG[:2]))
    await reached(hours_of(ada), 4)
    hours.send(delta(5, opened=[LONG[0]]))
    assert await asking == (LONG[1],)
    assert (await waiter).gone == (LONG[1],)


async def test_what_was_gone_before_ones_own_doing_is_told_as_soon_as_that_is_reached(
    ada, conversations, hours, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[4], 5))
    await ada.hold_slot(FIVE[4])
    stream.send(delta(5, closed=[FIVE[4]]))
    await caught_up(conversations, 5)
    waiter = waiting(ada)
    hours.send(delta(4, closed=[LONG[0]]))
    await reached(hours_of(ada), 4)
    hours.send(heartbeat(5, LONG[1:]))
    assert (await waiter).gone == (LONG[0],)


def hours_of(conversation):
    (further,) = conversation._shared.hub.further
    return further


async def reached(further, revision):
    """Wait until a further watch is at a revision, and everyone concerned has been woken."""
    while further.view.revision < revision:
        await further.view.moved()
    for _ in range(3):
        await asyncio.sleep(0)


async def test_where_too_many_durations_are_shown_one_more_is_unknown(
    ada, conversations, hours, script
):
    bob = conversations.open("bob")
    bob.remember([long(1, 90)])
    bob.remember([long(1, 120)])
    ninety = await script.stream()
    ninety.send(*snapshot(1, [long(1, 90)]))
    while bob.unknown != (long(1, 120),):
        await anext(bob)
    assert await bob.gone() == ()
    with pytest.raises(ViewStale):
        await bob.slots(duration=timedelta(hours=2))
    assert script._streams.empty()
    assert len(bob._shared.hub.further) == 2


async def test_a_watch_that_nobody_needs_any_more_ends_and_makes_room(
    ada, conversations, hours, script, stream, clock
):
    bob = conversations.open("bob")
    for minutes in (90, 120):
        bob.remember([long(1, minutes)])
    (await script.stream()).send(*snapshot(1, [long(1, 90)]))
    ada.close()
    clock.jump(1)
    bob.remember([long(2, 120)])
    assert (await script.stream()).request.duration.ToTimedelta() == timedelta(hours=2)
    await hours.closed.wait()
    bob.close()
    clock.jump(59)
    stream.send(heartbeat(2, FIVE, seconds=60))
    await caught_up(conversations, 2)
    assert len(bob._shared.hub.further) == 2
    clock.jump(1)
    stream.send(heartbeat(3, FIVE, seconds=61))
    await caught_up(conversations, 3)
    assert len(bob._shared.hub.further) == 0


async def test_a_watch_that_falls_silent_is_unknown_and_heals(ada, hours, stream, script, clock):
    clock.jump(STALE_AFTER_SECONDS - 1)
    stream.send(heartbeat(1, FIVE, seconds=STALE_AFTER_SECONDS - 1))
    await ada._shared.hub.view.moved()
    waiter = waiting(ada)
    await asyncio.sleep(0)
    clock.advance(1)
    news = await waiter
    assert (news.gone, news.unknown) == ((), tuple(LONG))
    (await script.stream()).send(delta(4, closed=[LONG[0]], seconds=STALE_AFTER_SECONDS))
    news = await anext(ada)
    assert (news.gone, news.unknown) == ((LONG[0],), ())


async def test_a_watch_that_is_refused_is_unknown_and_tried_again_after_a_pause(
    ada, hours, script, clock, stream, conversations
):
    pauses, pause = [], asyncio.Event()

    async def sleep(seconds):
        pauses.append(seconds)
        await pause.wait()

    clock.sleep = sleep
    hours.end(refused(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"))
    news = await anext(ada)
    assert (news.gone, news.unknown) == ((), tuple(LONG))
    stream.send(heartbeat(2, FIVE))
    await caught_up(conversations, 2)
    assert script._streams.empty()
    pause.set()
    stream.send(heartbeat(3, FIVE))
    assert (await script.stream()).request.duration.ToTimedelta() == HOUR
    assert pauses == [RETRY_SECONDS]


async def test_a_type_that_was_never_seen_open_is_watched_by_its_duration(
    conversations, stream, script
):
    dyed = slot(0, kind="dye")
    ada = conversations.open("ada")
    ada.remember([dyed])
    halves = await script.stream()
    assert halves.request.duration.ToTimedelta() == timedelta(minutes=30)
    halves.send(*snapshot(1, []))
    while not (news := await anext(ada)).gone:
        assert news.unknown == (dyed,)
    assert news.gone == (dyed,)


@pytest.mark.parametrize("now_open", [LONG, [long(9, kind="dye")]])
async def test_where_another_duration_becomes_the_first_each_is_judged_by_its_own(
    ada, hours, stream, script, now_open
):
    ada.remember(FIVE)
    stream.send(reset(3, Reset.REASON_CATALOG), *snapshot(3, now_open))
    halves = await script.stream()
    assert halves.request.duration.ToTimedelta() == timedelta(minutes=30)
    halves.send(*snapshot(3, FIVE[1:]))
    while not (isinstance(news := await anext(ada), ShownChanged) and not news.unknown):
        pass
    assert await ada.gone() == (FIVE[0],)


async def test_leaving_the_block_ends_all_watches(client, script):
    async with Conversations(client) as conversations:
        (await script.stream()).send(*snapshot(1, FIVE))
        await conversations.ready()
        conversations.open("ada").remember(LONG)
        hours = await script.stream()
    await hours.closed.wait()
    assert len(conversations._shared.hub.further) == 0


# Not watched.


async def test_a_slot_beyond_the_window_is_unknown_until_the_window_covers_it(
    conversations, stream, script
):
    ada = conversations.open("ada")
    far, farther = slot(31 * 48 + 30), slot(31 * 48 + 31)
    ada.remember([far, farther])
    news = await anext(ada)
    assert (news.gone, news.back, news.unknown) == ((), (), (far, farther))
    assert await ada.gone() == ()
    stream.send(delta(2, closed=[FIVE[0]]))
    await caught_up(conversations, 2)
    assert (await nothing_is_told(ada)).unknown == (far, farther)
    stream.send(heartbeat(2, FIVE[1:], seconds=2 * DAY_SECONDS))
    moved = await script.stream()
    moved.send(*snapshot(2, [far], seconds=2 * DAY_SECONDS))
    news = await anext(ada)
    assert (news.gone, news.back, news.unknown) == ((farther,), (), ())


async def test_what_began_before_the_window_is_gone(ada, conversations, stream):
    past = slot(-24 * 4)
    ada.remember([past, long(-24 * 4)])
    assert await ada.gone() == (past, long(-24 * 4))


@pytest.mark.parametrize(
    ("watched", "other"),
    [
        ({"appointment_types": ("cut",)}, {"kind": "dye"}),
        ({"calendars": ("anna",)}, {"calendar": "bert"}),
    ],
)
async def test_a_slot_of_a_type_or_calendar_that_is_not_watched_is_unknown(
    client, script, watched, other
):
    async with Conversations(client, **watched) as conversations:
        (await script.stream()).send(*snapshot(1, FIVE))
        ada = conversations.open("ada")
        other = slot(0, **other)
        ada.remember([*FIVE[:1], other])
        await conversations.ready()
        news = await anext(ada)
        assert (news.gone, news.unknown) == ((), (other,))
        assert await ada.gone() == ()


# Bounded.


async def test_a_question_that_outlives_its_conversation_leaves_nothing_behind(
    conversations, script
):
    ada = conversations.open("ada")
    asking = asyncio.create_task(ada.slots())
    stream = await script.stream()
    ada.close()
    stream.send(*snapshot(1, FIVE))
    with pytest.raises(ConversationForgotten):
        await asking
    assert ada._shared.hub.shown_count == 0


async def test_of_ten_thousand_that_showed_and_held_nothing_is_kept(
    client, script, conversations, stream
):
    hub = conversations._shared.hub
    for number in range(10_000):
        one = conversations.open(f"c{number}")
        one.remember([*FIVE, *LONG, long(number, 90)])
        hub.wake_at(FIVE[0].start, one)
        one.close()
    assert (hub.shown_count, len(hub._shown_durations), len(conversations)) == (0, 0, 0)
    assert (len(hub._listeners), len(hub._behind)) == (0, 0)
    assert len(hub.first.lapses) <= 1001
    assert len(hub.further) == 2


async def test_a_conversation_that_is_never_iterated_queues_nothing(ada, hours, conversations):
    for turn in range(100):
        hours.send(delta(2 + 2 * turn, closed=LONG[:1]), delta(3 + 2 * turn, opened=LONG[:1]))
    hours.send(delta(300, closed=LONG[1:2]))
    await reached(hours_of(ada), 300)
    news = await anext(ada)
    assert (news.gone, news.back) == ((LONG[1],), ())
