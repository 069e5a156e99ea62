"""The booking feed: every change of a booking, in order, each once."""

import asyncio
from contextlib import aclosing

import pytest

from service.domain.booking import BookingEvent, BookingStatus
from service.domain.change import ChangeKind
from service.domain.commands import DeleteBusiness
from service.domain.errors import InvalidResumeToken, Overloaded, ResourceNotFound
from service.live.frames import (
    BookingChange,
    Goodbye,
    GoodbyeReason,
    Heartbeat,
    Reset,
    ResetReason,
)
from tests.actions.submissions import (
    a_shop,
    a_submission,
    a_wish,
    book,
    change,
    hold,
    move,
    opening,
    slot,
)


async def changes(feed, number):
    """Read until so many changes have come."""
    found: list[BookingChange] = []
    while len(found) < number:
        frame = await anext(feed)
        if isinstance(frame, BookingChange):
            found.append(frame)
    return found


async def test_a_feed_begins_now_with_a_heartbeat(process, shop):
    await process.submit(book(slot(1)))
    async with aclosing(process.feed.watch("demo")) as feed:
        first = await anext(feed)
        heads = await process.source.heads(["demo"])

        assert isinstance(first, Heartbeat)
        assert first.revision == heads.by_business["demo"].revision


async def test_every_change_of_a_booking_comes_once_and_in_order(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        await anext(feed)
        booking = (await process.submit(book(slot(1))))["bookings"][0]
        await process.submit(hold(slot(5)))
        booking = (await process.submit(move(booking, a_wish(slot(2)))))["bookings"][0]
        await process.submit(change(booking, BookingEvent.CANCEL))

        found = await changes(feed, 3)

    assert [frame.kind for frame in found] == [
        ChangeKind.BOOKED,
        ChangeKind.RESCHEDULED,
        ChangeKind.CANCELLED,
    ]
    assert [frame.revision for frame in found] == sorted({frame.revision for frame in found})
    assert found[-1].bookings[0].status is BookingStatus.CANCELLED


async def test_a_feed_that_resumes_repeats_nothing_and_loses_nothing(start_process, shop, process):
    other = await start_process()
    async with aclosing(process.feed.watch("demo")) as feed:
        await anext(feed)
        await process.submit(book(slot(1)))
        token = (await changes(feed, 1))[0].resume_token
    starts = []
    for number in (2, 3, 4):
        await process.submit(book(slot(number)))

    async with aclosing(other.feed.watch("demo", resume_token=token)) as feed:
        for frame in await changes(feed, 3):
            starts += [booking.appointment.start for booking in frame.bookings]

    assert starts == [slot(2), slot(3), slot(4)]


async def test_a_feed_of_some_calendars_tells_also_of_what_leaves_them(process):
    for submission in opening(a_shop(calendar_ids=("anna", "ben"))):
        await process.submit(submission)
    async with aclosing(process.feed.watch("demo", frozenset({"ben"}))) as feed:
        await anext(feed)
        await process.submit(book(slot(1)))
        heads = await process.source.heads(["demo"])
        revision = heads.by_business["demo"].revision
        frame = await anext(feed)
        while frame.revision < revision:
            frame = await anext(feed)

        assert isinstance(frame, Heartbeat)


async def test_heartbeats_come_also_when_nothing_changes(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        frames = [await anext(feed) for _ in range(3)]

    assert all(isinstance(frame, Heartbeat) for frame in frames)
    assert sorted(frames, key=lambda frame: frame.as_of) == frames


async def test_a_token_older_than_the_log_is_reset_and_the_feed_goes_on(process, shop, database):
    async with aclosing(process.feed.watch("demo")) as feed:
        token = (await anext(feed)).resume_token
    await process.submit(book(slot(1)))
    await process.submit(book(slot(2)))
    async with database.transaction("demo") as tx:
        await tx.exec_driver_sql("DELETE FROM changes WHERE revision < 6")

    async with aclosing(process.feed.watch("demo", resume_token=token)) as feed:
        reset = await anext(feed)
        await process.submit(book(slot(3)))
        (booked,) = await changes(feed, 1)

    assert isinstance(reset, Reset)
    assert reset.reason is ResetReason.COMPACTED
    assert booked.bookings[0].appointment.start == slot(3)


async def test_a_token_of_another_feed_is_reset(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        token = (await anext(feed)).resume_token

    watch = process.feed.watch("demo", frozenset({"anna"}), resume_token=token)
    async with aclosing(watch) as feed:
        assert (await anext(feed)).reason is ResetReason.FILTER


async def test_a_token_of_a_business_made_anew_is_reset(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        token = (await anext(feed)).resume_token
    await process.submit(a_submission(DeleteBusiness(business_id="demo")))
    for submission in opening(a_shop()):
        await process.submit(submission)

    async with aclosing(process.feed.watch("demo", resume_token=token)) as feed:
        assert (await anext(feed)).reason is ResetReason.EPOCH


async def test_a_token_of_another_business_is_refused(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        token = (await anext(feed)).resume_token

    with pytest.raises(InvalidResumeToken):
        await anext(process.feed.watch("other", resume_token=token))


async def test_the_feed_of_a_business_that_is_deleted_ends(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        await anext(feed)
        await process.submit(a_submission(DeleteBusiness(business_id="demo")))
        with pytest.raises(ResourceNotFound):
            await changes(feed, 1)


async def test_a_server_that_drains_says_goodbye_with_a_token(process, shop):
    async with aclosing(process.feed.watch("demo")) as feed:
        await anext(feed)
        draining = asyncio.create_task(process.feed.drain())
        frame = await anext(feed)
        while not isinstance(frame, Goodbye):
            frame = await anext(feed)
        with pytest.raises(StopAsyncIteration):
            await anext(feed)
    await draining

    assert frame.reason is GoodbyeReason.DRAIN
    assert frame.resume_token
    with pytest.raises(Overloaded):
        await anext(process.feed.watch("demo"))


async def test_a_feed_that_is_of_age_says_goodbye(start_process, shop):
    process = await start_process(stream_age_seconds_max=0.1)
    async with aclosing(process.feed.watch("demo")) as feed:
        frame = await anext(feed)
        while not isinstance(frame, Goodbye):
            frame = await anext(feed)

    assert frame.reason is GoodbyeReason.AGE


async def test_feeds_at_the_same_place_share_what_is_read(process, shop):
    feeds = [process.feed.watch("demo") for _ in range(10)]
    for feed in feeds:
        await anext(feed)
    process.source.logs_read = 0

    await process.submit(book(slot(1)))
    found = await asyncio.gather(*[changes(feed, 1) for feed in feeds])

    assert {frame.kind for frames in found for frame in frames} == {ChangeKind.BOOKED}
    assert process.source.logs_read < 10
    for feed in feeds:
        await feed.aclose()
    assert len(process.feed) == 0
