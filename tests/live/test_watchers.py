"""Streams of one process and between two, on a real database."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.booking import BookingEvent
from service.domain.commands import DeleteBusiness, PutClosure, PutType
from service.domain.errors import (
    InvalidResumeToken,
    Overloaded,
    ResourceNotFound,
    RevisionAhead,
)
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.frames import (
    Delta,
    Goodbye,
    GoodbyeReason,
    Heartbeat,
    Reset,
    ResetReason,
    SnapshotEnd,
)
from service.live.tokens import Tokens
from tests.actions.submissions import (
    DAY,
    a_shop,
    a_submission,
    book,
    change,
    hold,
    opening,
    slot,
)
from tests.builders import a_closure, a_type, minutes
from tests.live.process import SECRET, SLOW

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=1)))


async def open_shop(process, catalog=None):
    for submission in opening(catalog or a_shop()):
        await process.submit(submission)


def is_heartbeat(frame):
    return isinstance(frame, Heartbeat)


async def test_a_watch_begins_with_a_snapshot_and_says_its_end(process, shop):
    async with process.watching(QUERY) as stream:
        assert isinstance(stream.client.frames[-1], SnapshotEnd)
        assert len(stream.client.slots) == 48


async def test_an_empty_snapshot_has_an_end_too(process, shop):
    query = replace(QUERY, window=Interval(slot(-2000), slot(-1999)))

    async with process.watching(query) as stream:
        assert [type(frame) for frame in stream.client.frames] == [SnapshotEnd]


async def test_a_booking_of_this_process_arrives_without_redis_and_without_a_poll(start_process):
    process = await start_process(**SLOW)
    await open_shop(process)

    async with process.watching(QUERY) as stream:
        booked = await process.submit(book(slot(3)))
        delta = await stream.until_revision(booked["revision"])

        assert [key.start for key in delta.closed] == [slot(3)]


async def test_redis_is_a_hint_without_it_another_process_learns_by_asking(start_process):
    here, there = await start_process(), await start_process()
    await open_shop(here)

    async with there.watching(QUERY) as stream:
        booked = await here.submit(book(slot(3)))
        await stream.until_revision(booked["revision"])

        assert slot(3) not in stream.starts


async def test_the_last_change_is_not_lost_with_its_hint(start_process):
    """Nothing follows it that would show the gap."""
    here, there = await start_process(), await start_process()
    await open_shop(here)
    async with there.watching(QUERY) as stream:
        revision = (await here.submit(book(slot(3), slot(4))))["revision"]
        await stream.until(lambda frame: is_heartbeat(frame) and frame.revision >= revision)

        assert {slot(3), slot(4)}.isdisjoint(stream.starts)


async def test_a_move_arrives_in_one_frame(process, shop):
    booking = (await process.submit(book(slot(3))))["bookings"][0]
    async with process.watching(QUERY) as stream:
        cancelled = await process.submit(change(booking, BookingEvent.CANCEL))
        frame = await stream.until_revision(cancelled["revision"])

    assert [opened.key.start for opened in frame.opened] == [slot(3)]


async def test_resuming_on_another_process_loses_nothing_and_needs_no_snapshot(start_process):
    here, there = await start_process(), await start_process()
    await open_shop(here)
    async with here.watching(QUERY) as stream:
        await here.submit(book(slot(1)))
        await stream.until(lambda frame: slot(1) not in stream.starts)
    client, token = stream.client, stream.token
    revision = (await here.submit(book(slot(2))))["revision"]

    async with aclosing(there.watchers.watch(QUERY, resume_token=token)) as frames:
        sent = await anext(frames)

    assert isinstance(sent.frame, Delta)
    assert sent.frame.revision >= revision
    client.take([sent])
    assert {slot(1), slot(2)}.isdisjoint(key.start for key in client.slots)
    assert len(client.slots) == 46


async def test_resuming_at_every_revision_gives_the_same_slots(process, shop):
    points = []
    async with process.watching(QUERY) as stream:
        points.append((dict(stream.client.slots), stream.token))
        for number in range(5):
            booked = await process.submit(book(slot(number)))
            await stream.until_revision(booked["revision"])
            points.append((dict(stream.client.slots), stream.token))

    for slots, token in points:
        stream.client.slots = slots
        async with aclosing(process.watchers.watch(QUERY, resume_token=token)) as frames:
            stream.client.take([await anext(frames)])
        assert stream.client.slots == points[-1][0]


async def first_reset(process, query, token):
    """Return why a token was not honoured; a snapshot must follow."""
    async with process.watching(query, resume_token=token) as stream:
        first, *others = stream.client.frames
        assert isinstance(first, Reset)
        assert isinstance(others[-1], SnapshotEnd)
        return first.reason


@pytest.fixture
async def token(process, shop):
    async with process.watching(QUERY) as stream:
        return stream.token


async def test_a_token_older_than_the_log_is_reset(start_process, process, token, database):
    await process.submit(book(slot(1)))
    await process.submit(book(slot(2)))
    async with database.transaction("demo") as tx:
        await tx.exec_driver_sql("DELETE FROM changes WHERE revision < 6")

    assert await first_reset(await start_process(), QUERY, token) is ResetReason.COMPACTED


async def test_a_token_of_another_filter_is_reset(process, token):
    query = replace(QUERY, type_ids=("visit",))

    assert await first_reset(process, query, token) is ResetReason.FILTER


async def test_a_token_from_before_a_change_of_the_catalogue_is_reset(process, token):
    await process.submit(a_submission(PutClosure(create=True, closure=a_closure())))

    assert await first_reset(process, QUERY, token) is ResetReason.CATALOG


async def test_a_token_of_a_business_that_was_made_anew_is_reset(start_process, process, token):
    await process.submit(a_submission(DeleteBusiness(business_id="demo")))
    await open_shop(process)

    assert await first_reset(process, QUERY, token) is ResetReason.EPOCH
    assert await first_reset(await start_process(), QUERY, token) is ResetReason.EPOCH


async def test_an_altered_token_is_refused(process, token):
    spoilt = token[:-1] + ("A" if token[-1] != "A" else "B")
    with pytest.raises(InvalidResumeToken):
        await anext(process.watchers.watch(QUERY, resume_token=spoilt))


async def test_a_token_of_another_business_is_refused(process, token):
    query = replace(QUERY, business_id="other")
    with pytest.raises(InvalidResumeToken):
        await anext(process.watchers.watch(query, resume_token=token))


async def test_a_token_ahead_of_this_server_waits_and_is_then_told_so(start_process, token):
    process = await start_process(revision_wait_seconds_max=0.1)
    tokens = Tokens(SECRET)
    ahead = replace(tokens.read_resume(token, "demo"), revision=10**6)

    with pytest.raises(RevisionAhead):
        await anext(process.watchers.watch(QUERY, resume_token=tokens.resume(ahead)))


async def test_min_revision_that_does_not_come_is_told_so(start_process, shop):
    process = await start_process(revision_wait_seconds_max=0.1)

    with pytest.raises(RevisionAhead):
        await anext(process.watchers.watch(QUERY, min_revision=10**6))


async def test_read_your_writes_on_a_process_that_hears_nothing(start_process, process, shop):
    deaf = await start_process(**SLOW)
    await deaf.follower.get("demo")
    revision = (await process.submit(book(slot(3))))["revision"]

    async with deaf.watching(QUERY, min_revision=revision) as stream:
        assert stream.client.frames[0].revision >= revision
        assert slot(3) not in stream.starts


async def test_a_snapshot_is_never_older_than_what_was_answered_before(
    start_process, process, shop
):
    deaf = await start_process(**SLOW)
    for number in range(10):
        await process.submit(book(slot(number)))
        async with deaf.watching(QUERY) as stream:
            assert slot(number) not in stream.starts


async def test_a_hold_that_expires_opens_its_slot_without_any_write(start_process):
    process = await start_process()
    await open_shop(process, a_shop(a_type(hold_duration=timedelta(seconds=1))))

    async with process.watching(QUERY) as stream:
        held = await process.submit(hold(slot(3)))
        await stream.until(lambda frame: slot(3) not in stream.starts)
        opened = await stream.until(lambda frame: slot(3) in stream.starts)

    assert isinstance(opened, Delta)
    assert opened.revision == held["revision"]
    assert opened.as_of.isoformat() >= held["expires_at"]


async def test_heartbeats_come_where_nothing_matches_and_nothing_changes(process, shop):
    query = replace(QUERY, window=Interval(slot(-2000), slot(-1999)))

    async with process.watching(query) as stream:
        for _ in range(3):
            await stream.until(is_heartbeat)
        booked = await process.submit(book(slot(3)))
        await stream.until(lambda f: is_heartbeat(f) and f.revision >= booked["revision"])


async def test_no_heartbeat_is_made_while_the_database_cannot_be_read(process, shop):
    async with process.watching(QUERY) as stream:
        await stream.until(is_heartbeat)
        process.source.broken_by = Overloaded()
        live = next(iter(process.board._all()))
        beats = live.beats
        for _ in range(5):
            with pytest.raises(Overloaded):
                await process.follower.verify()
        assert live.beats == beats

        process.source.broken_by = None
        await stream.until(is_heartbeat)


async def test_a_heartbeat_says_what_the_database_has_and_not_what_memory_has(process, shop):
    async with process.watching(QUERY) as stream:
        heartbeat = await stream.until(is_heartbeat)
        heads = await process.source.heads(["demo"])

    assert heartbeat.revision == heads.by_business["demo"].revision
    assert heartbeat.as_of < heads.as_of


async def test_a_change_of_the_catalogue_is_one_delta(process, shop):
    async with process.watching(QUERY) as stream:
        longer = a_type(slot_step=minutes(60))
        revision = (await process.submit(a_submission(PutType(create=False, type=longer))))[
            "revision"
        ]
        frame = await stream.until_revision(revision)

        assert isinstance(frame, Delta)
        assert len(stream.client.slots) == 24


async def test_streams_of_a_business_that_is_deleted_end(process, shop):
    async with process.watching(QUERY) as stream:
        await process.submit(a_submission(DeleteBusiness(business_id="demo")))
        with pytest.raises(ResourceNotFound):
            await stream.until_goodbye()


async def test_an_unknown_business_and_an_unknown_type_are_not_found(process, shop):
    with pytest.raises(ResourceNotFound):
        await anext(process.watchers.watch(replace(QUERY, business_id="nobody")))
    with pytest.raises(ResourceNotFound):
        await anext(process.watchers.watch(replace(QUERY, type_ids=("nothing",))))
    assert len(process.board) == 0


async def test_a_server_that_drains_says_goodbye_and_another_goes_on(start_process):
    here, there = await start_process(), await start_process()
    await open_shop(here)
    async with here.watching(QUERY) as stream:
        draining = asyncio.create_task(here.watchers.drain())
        goodbye = await stream.until_goodbye()
        with pytest.raises(StopAsyncIteration):
            await anext(stream.frames)
    await draining
    revision = (await there.submit(book(slot(3))))["revision"]

    assert goodbye.reason is GoodbyeReason.DRAIN
    assert 0 <= goodbye.retry_delay_seconds <= 1
    with pytest.raises(Overloaded):
        await anext(here.watchers.watch(QUERY, resume_token=goodbye.resume_token))
    watch = there.watchers.watch(QUERY, resume_token=goodbye.resume_token)
    async with aclosing(watch) as frames:
        sent = await anext(frames)
    assert isinstance(sent.frame, Delta)
    assert sent.frame.revision >= revision


async def test_a_stream_that_is_of_age_says_goodbye(start_process):
    process = await start_process(stream_age_seconds_max=0.1)
    await open_shop(process)

    async with process.watching(QUERY) as stream:
        goodbye = await stream.until(lambda frame: isinstance(frame, Goodbye))

    assert goodbye.reason is GoodbyeReason.AGE


async def test_all_streams_of_a_filter_share_what_is_encoded(process, shop):
    async with process.watching(QUERY):
        pass
    streams = [process.watchers.watch(QUERY) for _ in range(50)]
    first = await asyncio.gather(*[read_snapshot(stream) for stream in streams])
    assert len({id(sent) for sent in first}) < 10
    assert len(process.board) == 1

    booked = await process.submit(book(slot(3)))
    waiting = [read_until(stream, booked["revision"]) for stream in streams]
    deltas = await asyncio.gather(*waiting)

    assert all(isinstance(sent.frame, Delta) for sent in deltas)
    assert len({id(sent) for sent in deltas}) == 1
    for stream in streams:
        await stream.aclose()
    assert len(process.board) == 0
    assert len(process.watchers) == 0


async def read_snapshot(stream):
    while True:
        sent = await anext(stream)
        if isinstance(sent.frame, SnapshotEnd):
            return sent


async def read_until(stream, revision):
    while True:
        sent = await anext(stream)
        if sent.frame.revision >= revision:
            return sent


async def test_a_reader_that_does_not_read_delays_nobody_and_is_given_merged_state(process, shop):
    async with process.watching(QUERY) as slow, process.watching(QUERY) as quick:
        for number in range(20):
            booked = await process.submit(book(slot(number)))
            await quick.until_revision(booked["revision"])

        frame = await slow.read()

        assert isinstance(frame, Delta)
        assert len(frame.closed) == 20
        assert slow.client.slots == quick.client.slots


async def test_more_filters_than_the_server_keeps_are_refused(start_process):
    process = await start_process(views_max=1)
    await open_shop(process)

    async with process.watching(QUERY), process.watching(QUERY):
        with pytest.raises(Overloaded):
            await anext(process.watchers.watch(replace(QUERY, type_ids=("visit",))))


async def test_snapshots_and_first_deltas_leave_no_hole_while_others_book(process, shop):
    async def keep_booking():
        for number in range(40):
            await process.submit(book(slot(number)))

    booking = asyncio.create_task(keep_booking())
    while not booking.done():
        async with process.watching(QUERY) as stream:
            slots, revision, _ = await process.availability.list_slots(QUERY)
            await stream.until_revision(revision)
            if stream.client.frames[-1].revision == revision:
                assert stream.client.sorted() == slots
    await booking
