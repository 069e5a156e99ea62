"""Watching: a view that resumes by itself, and offers nothing that it cannot know is open."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from slotcast import (
    Client,
    ClientClosed,
    DeadlineExceeded,
    KeyInvalid,
    ResourceNotFound,
    RevisionAhead,
    ServerUnreachable,
    Stale,
    StreamBroken,
    Timeouts,
    Update,
    ViewMismatch,
)
from slotcast.v1.availability_service_pb2 import Reset
from tests.clients.scripted import refused
from tests.clients.wire import (
    DAY,
    QUERY,
    STALE_AFTER_SECONDS,
    a_slot,
    delta,
    goodbye,
    heartbeat,
    reset,
    snapshot,
)

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
async def view(client):
    async with client.watch(QUERY) as view:
        yield view


@pytest.fixture
async def stream(script, view):
    """The view's first stream."""
    return await script.stream()


def offered(view):
    return list(view.slots.values())


async def begun(view, stream, slots, revision=1):
    stream.send(*snapshot(revision, slots))
    update = await anext(view)
    assert update.whole
    assert offered(view) == sorted(slots, key=lambda slot: slot.key)


async def test_the_question_is_asked_as_it_was_put(stream):
    assert stream.request.parent == "businesses/salon"
    assert list(stream.request.appointment_types) == ["businesses/salon/appointmentTypes/cut"]
    assert stream.request.start_time.ToSeconds() == DAY.timestamp()
    assert stream.request.resume_token == ""
    assert stream.metadata["authorization"] == "Bearer k.secret"


async def test_nothing_is_offered_before_the_snapshot_has_ended(view, stream):
    chunk, end = snapshot(1, [a_slot(1)])
    stream.send(chunk)
    assert view.is_stale
    assert offered(view) == []
    stream.send(end)
    assert await anext(view) == Update(
        opened=(a_slot(1),),
        closed=(),
        whole=True,
        revision=1,
        as_of=DAY + timedelta(seconds=1),
    )
    assert not view.is_stale
    assert offered(view) == [a_slot(1)]


async def test_changes_arrive_as_updates(view, stream):
    await begun(view, stream, [a_slot(1), a_slot(2)])
    stream.send(delta(2, closed=[a_slot(1)], opened=[a_slot(3)]))
    update = await anext(view)
    assert (update.opened, update.closed) == ((a_slot(3),), (a_slot(1).key,))
    assert not update.whole
    assert offered(view) == [a_slot(2), a_slot(3)]
    assert view.slots[a_slot(3).key] == a_slot(3)


async def test_a_slow_reader_gets_the_changes_merged(view, stream):
    await begun(view, stream, [a_slot(1)])
    stream.send(
        delta(2, opened=[a_slot(2)]),
        delta(3, opened=[a_slot(3)]),
        delta(4, closed=[a_slot(1), a_slot(2)]),
    )
    await view.reached(4)
    update = await anext(view)
    assert update.opened == (a_slot(3),)
    assert update.closed == (a_slot(1).key, a_slot(2).key)
    assert update.revision == 4


async def test_a_heartbeat_yields_nothing_and_keeps_the_view_fresh(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    clock.advance(STALE_AFTER_SECONDS - 1)
    stream.send(heartbeat(2, [a_slot(1)], seconds=15))
    await view.reached(2)
    clock.advance(STALE_AFTER_SECONDS - 1)
    assert not view.is_stale
    stream.send(delta(3, opened=[a_slot(2)], seconds=29))
    assert (await anext(view)).revision == 3


async def test_a_view_that_hears_nothing_grows_stale_and_offers_no_slot(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    clock.advance(STALE_AFTER_SECONDS)
    assert view.is_stale
    assert offered(view) == []
    assert len(view.slots) == 0
    assert a_slot(1).key not in view.slots
    with pytest.raises(KeyError):
        view.slots[a_slot(1).key]
    stale = await anext(view)
    assert isinstance(stale, Stale)
    assert stale.as_of == DAY + timedelta(seconds=1)


async def test_slots_that_were_asked_for_before_grow_stale_too(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    slots = view.slots
    clock.advance(STALE_AFTER_SECONDS)
    assert list(slots) == []


async def test_a_reader_who_waits_is_told_when_the_view_grows_stale(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    waiting = asyncio.create_task(anext(view))
    await asyncio.sleep(0)
    clock.advance(STALE_AFTER_SECONDS)
    assert isinstance(await waiting, Stale)


async def test_a_stale_view_is_fresh_again_after_a_frame_and_told_whole(
    view, stream, script, clock
):
    await begun(view, stream, [a_slot(1)])
    clock.advance(STALE_AFTER_SECONDS)
    assert isinstance(await anext(view), Stale)
    await stream.closed.wait()
    again = await script.stream()
    assert again.request.resume_token == "token-1"
    again.send(delta(2, opened=[a_slot(2)]))
    update = await anext(view)
    assert update.whole
    assert update.opened == (a_slot(1), a_slot(2))
    assert offered(view) == [a_slot(1), a_slot(2)]


async def test_parts_of_a_delta_keep_no_view_fresh(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    clock.advance(STALE_AFTER_SECONDS - 1)
    stream.send(delta(2, closed=[a_slot(1)], more=True))
    clock.advance(1)
    assert isinstance(await anext(view), Stale)
    assert offered(view) == []


async def test_frames_that_waited_unread_are_no_news(view, stream, script, clock):
    await begun(view, stream, [a_slot(1)])
    clock.jump(60)
    assert view.is_stale
    stream.send(heartbeat(2, [a_slot(1)], seconds=6))  # it had come 55 s ago
    again = await script.stream()
    assert again.request.resume_token == "token-2"
    assert view.is_stale
    again.send(heartbeat(3, [a_slot(1)], seconds=61))
    await view.reached(3)
    assert offered(view) == [a_slot(1)]


async def test_a_frame_that_was_long_under_way_stays_good_for_so_much_less(view, stream, clock):
    await begun(view, stream, [a_slot(1)])
    clock.jump(10)
    stream.send(heartbeat(2, [a_slot(1)], seconds=6))  # it had come 5 s ago
    await view.reached(2)
    clock.jump(STALE_AFTER_SECONDS - 5 - 1)
    assert not view.is_stale
    clock.jump(1)
    assert view.is_stale


@pytest.mark.parametrize("end", [None, refused(UNAVAILABLE), refused(grpc.StatusCode.INTERNAL)])
async def test_resumable_a_stream_that_is_cut_goes_on_after_its_last_token(
    view, stream, script, end
):
    await begun(view, stream, [a_slot(1)])
    stream.send(delta(2, opened=[a_slot(2)]))
    await anext(view)
    stream.end(end)
    again = await script.stream()
    assert again.request.resume_token == "token-2"
    assert again.request.min_revision == 0
    assert offered(view) == [a_slot(1), a_slot(2)]
    again.send(delta(3, closed=[a_slot(1)]))
    update = await anext(view)
    assert (update.closed, update.whole) == ((a_slot(1).key,), False)


async def test_a_stream_that_is_cut_amid_a_delta_hears_it_again_whole(view, stream, script):
    await begun(view, stream, [a_slot(1)])
    stream.send(delta(2, closed=[a_slot(1)], more=True))
    stream.end(refused(UNAVAILABLE))
    again = await script.stream()
    assert again.request.resume_token == "token-1"
    again.send(delta(2, opened=[a_slot(2)]))
    await anext(view)
    assert offered(view) == [a_slot(1), a_slot(2)]


async def test_a_goodbye_is_followed_by_another_stream_after_its_delay(view, stream, script, clock):
    await begun(view, stream, [a_slot(1)])
    stream.send(goodbye(4, retry_delay_seconds=3))
    stream.end()
    again = await script.stream()
    assert again.request.resume_token == "token-4"
    assert len(clock.slept) == 1
    assert 3 <= clock.slept[0] < 4


async def test_a_goodbye_lets_no_view_grow_stale(view, stream, script, clock):
    await begun(view, stream, [a_slot(1)])
    stream.send(goodbye(4, retry_delay_seconds=600))
    await script.stream()
    assert offered(view) == [a_slot(1)]
    assert clock.slept[0] < STALE_AFTER_SECONDS


async def test_goodbyes_that_come_at_once_are_answered_more_and_more_slowly(
    view, stream, script, clock
):
    await begun(view, stream, [])
    for revision in range(2, 8):
        stream.send(goodbye(revision, retry_delay_seconds=0))
        stream = await script.stream()
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] > 10 * clock.slept[0]


async def test_a_reset_forgets_all_slots_and_a_snapshot_follows(view, stream):
    await begun(view, stream, [a_slot(1)])
    stream.send(reset(2))
    assert isinstance(await anext(view), Stale)
    assert offered(view) == []
    stream.send(*snapshot(2, [a_slot(2)]))
    update = await anext(view)
    assert (update.opened, update.whole) == ((a_slot(2),), True)


async def test_a_reset_after_resuming_begins_anew_on_the_same_stream(view, stream, script):
    await begun(view, stream, [a_slot(1)])
    stream.end()
    again = await script.stream()
    again.send(reset(9), *snapshot(9, [a_slot(5)]))
    await view.reached(9)
    assert offered(view) == [a_slot(5)]


async def test_a_business_made_anew_may_count_from_one(view, stream):
    await begun(view, stream, [a_slot(1)], revision=50)
    stream.send(reset(1, Reset.REASON_EPOCH), *snapshot(1, [a_slot(2)], seconds=51))
    while offered(view) != [a_slot(2)]:
        await anext(view)
    assert view.revision == 1


async def test_a_digest_that_differs_watches_anew_without_a_token(view, stream, script):
    await begun(view, stream, [a_slot(1)])
    stream.send(heartbeat(2, [a_slot(1), a_slot(2)]))
    stale = await anext(view)
    assert isinstance(stale.cause, ViewMismatch)
    assert offered(view) == []
    await stream.closed.wait()
    again = await script.stream()
    assert again.request.resume_token == ""
    assert again.request.min_revision == 1
    again.send(*snapshot(2, [a_slot(1), a_slot(2)]))
    assert (await anext(view)).opened == (a_slot(1), a_slot(2))


async def test_revisions_that_go_back_are_not_shown(view, stream, script):
    await begun(view, stream, [a_slot(1)], revision=5)
    stream.send(delta(4, opened=[a_slot(2)]))
    again = await script.stream()
    assert view.revision == 5
    assert again.request.min_revision == 5
    assert a_slot(2) not in offered(view)


async def test_a_token_that_is_refused_is_dropped(view, stream, script):
    await begun(view, stream, [a_slot(1)])
    stream.end()
    again = await script.stream()
    again.end(refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN"))
    anew = await script.stream()
    assert anew.request.resume_token == ""
    assert anew.request.min_revision == 1


async def test_a_server_that_is_behind_is_asked_again_after_its_delay(client, script, clock):
    async with client.watch(QUERY, min_revision=8) as view:
        first = await script.stream()
        assert first.request.min_revision == 8
        first.end(refused(UNAVAILABLE, "REVISION_AHEAD", retry_after_seconds=0.2))
        stale = await anext(view)
        assert isinstance(stale.cause, RevisionAhead)
        assert clock.slept[0] >= 0.2
        second = await script.stream()
        second.send(*snapshot(8, [a_slot(1)]))
        assert (await anext(view)).revision == 8


async def test_a_reader_is_told_once_that_no_server_answers(view, stream, script):
    stream.end(refused(UNAVAILABLE))
    stale = await anext(view)
    assert isinstance(stale.cause, ServerUnreachable)
    assert stale.as_of is None
    (await script.stream()).end(refused(UNAVAILABLE))
    (await script.stream()).send(*snapshot(1, []))
    assert isinstance(await anext(view), Update)


async def test_pauses_between_streams_that_break_grow_to_a_limit(view, stream, script, clock):
    for _ in range(9):
        stream.end(refused(UNAVAILABLE))
        stream = await script.stream()
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[0] < clock.slept[-1] <= 5


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID"), KeyInvalid),
        (refused(grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND"), ResourceNotFound),
    ],
)
async def test_a_watch_that_is_refused_for_good_raises_and_offers_nothing(
    view, stream, refusal, error
):
    await begun(view, stream, [a_slot(1)])
    stream.end(refusal)
    with pytest.raises(error):
        await anext(view)
    assert offered(view) == []


async def test_an_outage_that_lasts_too_long_is_raised(script, clock):
    timeouts = Timeouts(outage_seconds_max=30, clock=clock)
    async with (
        Client("127.0.0.1:1", business="salon", timeouts=timeouts) as client,
        client.watch(QUERY) as view,
    ):
        assert isinstance(await anext(view), Stale)
        with pytest.raises(ServerUnreachable):
            await anext(view)
    assert clock.now > 1030


async def test_read_your_writes_a_view_reaches_the_revision_of_ones_own_booking(view, stream):
    await begun(view, stream, [a_slot(1)])
    reaching = asyncio.create_task(view.reached(2))
    stream.send(delta(2, closed=[a_slot(1)]))
    await reaching
    assert offered(view) == []


async def test_a_revision_that_never_comes_is_waited_for_within_the_total_deadline(
    view, stream, clock
):
    await begun(view, stream, [])
    reaching = asyncio.create_task(view.reached(2))
    await asyncio.sleep(0)
    clock.advance(Timeouts().total_seconds)
    with pytest.raises(DeadlineExceeded):
        await reaching


async def test_leaving_the_block_cancels_the_call_and_offers_nothing(client, script):
    async with client.watch(QUERY) as view:
        stream = await script.stream()
        await begun(view, stream, [a_slot(1)])
    await stream.closed.wait()
    assert offered(view) == []
    with pytest.raises(ClientClosed):
        await anext(view)


async def test_closing_the_client_ends_its_watches(client, script):
    async with client.watch(QUERY) as view:
        await begun(view, await script.stream(), [a_slot(1)])
        await client.close()
        with pytest.raises(ClientClosed):
            await anext(view)
        assert offered(view) == []


async def test_a_watch_of_a_closed_client_raises(client):
    await client.close()
    async with client.watch(QUERY) as view:
        with pytest.raises(ClientClosed):
            await anext(view)


async def test_a_stream_that_stays_silent_from_the_start_is_cut(view, stream, script, clock):
    clock.advance(Timeouts().silence_seconds_max)
    stale = await anext(view)
    assert isinstance(stale.cause, StreamBroken)
    await stream.closed.wait()
    await script.stream()
