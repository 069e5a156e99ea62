"""The change feed: each change once, in order, and nothing lost in silence."""

from datetime import timedelta

import grpc
import pytest

from slotcast import (
    BookingEvent,
    BookingsChanged,
    BookingStatus,
    CaughtUp,
    ChangesLost,
    InvalidResumeToken,
    ResetReason,
    Stale,
)
from slotcast.convert import duration
from slotcast.v1 import booking_service_pb2 as pb
from slotcast.v1.availability_service_pb2 import Goodbye, Heartbeat, Reset
from tests.clients.scripted import refused
from tests.clients.wire import AT_DAY, DAY, STALE_AFTER, STALE_AFTER_SECONDS, booking_message


def frame(revision, **what):
    return pb.WatchBookingsResponse(
        revision=revision,
        as_of=AT_DAY,
        resume_token=f"token-{revision}",
        stale_after=STALE_AFTER,
        **what,
    )


def change(revision, kind=pb.BookingChange.KIND_BOOKED, **booking):
    return frame(
        revision, change=pb.BookingChange(kind=kind, bookings=[booking_message(**booking)])
    )


def heartbeat(revision):
    return frame(revision, heartbeat=Heartbeat())


@pytest.fixture
async def feed(client):
    async with client.watch_bookings(calendars=["anna"]) as feed:
        yield feed


@pytest.fixture
async def stream(script, feed):
    return await script.stream()


async def test_a_feed_without_a_token_begins_now_and_says_at_which_revision(feed, stream):
    assert list(stream.request.calendars) == ["businesses/salon/calendars/anna"]
    stream.send(heartbeat(7))
    assert await anext(feed) == CaughtUp(revision=7, as_of=DAY, resume_token="token-7")


async def test_every_change_comes_with_its_bookings_and_its_token(feed, stream):
    cancelled = pb.BookingChange.KIND_CANCELLED
    stream.send(change(1), change(2, cancelled, status=pb.BOOKING_STATUS_CANCELLED))
    first, second = await anext(feed), await anext(feed)
    assert (first.event, first.resume_token) == (BookingEvent.BOOKED, "token-1")
    assert first.bookings[0].customer.display_name == "Ada"
    assert (second.event, second.revision) == (BookingEvent.CANCELLED, 2)
    assert second.bookings[0].status is BookingStatus.CANCELLED


async def test_an_event_of_a_newer_server_is_unknown(feed, stream):
    stream.send(change(1, 99))
    assert (await anext(feed)).event is BookingEvent.UNKNOWN


async def test_a_feed_that_is_cut_goes_on_after_the_last_change(feed, stream, script):
    stream.send(change(1), heartbeat(2))
    assert isinstance(await anext(feed), BookingsChanged)
    stream.end(refused(grpc.StatusCode.UNAVAILABLE))
    again = await script.stream()
    assert again.request.resume_token == "token-2"
    again.send(change(3))
    assert (await anext(feed)).revision == 3


async def test_a_goodbye_is_followed_by_another_stream(feed, stream, script):
    stream.send(frame(4, goodbye=Goodbye(retry_delay=duration(timedelta(seconds=1)))))
    again = await script.stream()
    assert again.request.resume_token == "token-4"


async def test_changes_that_were_lost_are_told(feed, stream):
    stream.send(frame(9, reset=Reset(reason=Reset.REASON_COMPACTED)), change(10))
    lost = await anext(feed)
    assert isinstance(lost, ChangesLost)
    assert (lost.reason, lost.revision) == (ResetReason.COMPACTED, 9)
    assert (await anext(feed)).revision == 10


async def test_a_feed_begins_where_the_caller_left_off(client, script):
    async with client.watch_bookings(resume_token="kept") as feed:
        stream = await script.stream()
        assert stream.request.resume_token == "kept"
        stream.send(change(5))
        assert (await anext(feed)).revision == 5


async def test_a_token_that_is_damaged_is_raised_since_changes_would_be_lost(client, script):
    async with client.watch_bookings(resume_token="damaged") as feed:
        stream = await script.stream()
        stream.end(refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN"))
        with pytest.raises(InvalidResumeToken):
            await anext(feed)


async def test_a_feed_that_hears_nothing_says_so_and_says_when_it_has_caught_up(
    feed, stream, script, clock
):
    stream.send(heartbeat(7))
    await anext(feed)
    clock.advance(STALE_AFTER_SECONDS)
    assert feed.is_stale
    assert isinstance(await anext(feed), Stale)
    again = await script.stream()
    again.send(heartbeat(8))
    assert (await anext(feed)).revision == 8
    assert not feed.is_stale


async def test_changes_that_came_before_the_end_are_told_before_it(feed, stream):
    stream.send(change(1), change(2))
    stream.end(refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID"))
    assert [(await anext(feed)).revision for _ in range(2)] == [1, 2]


async def test_a_slow_reader_loses_nothing(feed, stream):
    stream.send(*(change(revision) for revision in range(1, 1001)))
    assert [(await anext(feed)).revision for _ in range(1000)] == list(range(1, 1001))
