"""Feeds of busy time over the API: by address, how they fare, and what a watch shows of them."""

import tracemalloc
from datetime import timedelta

import grpc
import pytest
from aiohttp import web
from google.protobuf.duration_pb2 import Duration

from service.actions.feeds import FeedRefresher
from service.domain.scopes import AVAILABILITY_READ, BOOKINGS_WRITE, CATALOG_READ
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.feeds.feed_server import ics_of, serving_feed
from tests.rpc.feeding import a_feed_shop, refused
from tests.rpc.stack import a_request_id, tomorrow


@pytest.fixture
async def shop(database_url, tmp_path):
    """On a server that may fetch from this machine."""
    async with a_feed_shop(database_url, tmp_path, outbound_private=True) as shop:
        yield shop


@pytest.fixture
async def guarded_shop(database_url, tmp_path):
    """On a server that may fetch from public addresses only, as by default."""
    async with a_feed_shop(database_url, tmp_path) as shop:
        yield shop


@pytest.fixture
async def server():
    async with serving_feed() as server:
        yield server


async def test_a_feed_by_address_is_fetched_at_once_and_told_how_it_fares(shop, server):
    server.body = ics_of((tomorrow(9), tomorrow(11)))

    imported = await shop.import_feed(url=server.url)

    feed = imported.feed
    assert await shop.open_hours(imported.revision) == {8, 11}
    assert (feed.name, feed.url) == (shop.feed, server.url)
    assert feed.state == catalog_pb.BusyFeed.STATE_OK
    assert (feed.failure, feed.busy_intervals) == ("", 1)
    assert feed.refresh_interval.seconds == 900
    assert feed.next_time.seconds - feed.success_time.seconds == 900
    assert feed.success_time == feed.attempt_time
    assert await shop.get_feed() == feed


async def test_a_repeated_import_by_address_fetches_nothing_and_answers_the_same(shop, server):
    server.body = ics_of((tomorrow(9), tomorrow(11)))
    request_id = a_request_id()
    imported = await shop.import_feed(url=server.url, request_id=request_id)
    server.status = 500

    assert await shop.import_feed(url=server.url, request_id=request_id) == imported
    assert len(server.requests) == 1


async def test_an_import_that_moves_nothing_has_no_revision_of_its_own(shop):
    data = ics_of((tomorrow(9), tomorrow(11)))
    first = await shop.import_feed(ics=data)
    other = await shop.import_feed(feed_id="other", ics=ics_of((tomorrow(14), tomorrow(15))))

    again = await shop.import_feed(ics=data)

    assert again.revision == other.revision == first.revision + 1
    assert again.busy_intervals == 1


async def test_what_is_uploaded_is_not_fetched_again(shop):
    imported = await shop.import_feed(ics=ics_of((tomorrow(9), tomorrow(11))))

    assert not imported.feed.url
    assert not imported.feed.HasField("next_time")
    code, _, _ = await refused(
        shop.import_feed(ics=ics_of(), refresh_interval=Duration(seconds=900))
    )
    assert code is grpc.StatusCode.INVALID_ARGUMENT


class Large:
    """Serves a file of so many bytes, which it does not have in memory."""

    def __init__(self, size):
        self.size = size
        self.url = ""

    async def __call__(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"BEGIN:VCALENDAR\r\n")
        for _ in range(self.size // 70_000):
            await response.write(b"X-A:b\r\n" * 10_000)
        await response.write(b"END:VCALENDAR\r\n")
        return response


class TestFirstFetch:
    """A first fetch that fails refuses, and stores nothing."""

    @staticmethod
    async def nothing_is_stored(shop):
        request = catalog_pb.ListBusyFeedsRequest(parent=shop.anna)
        assert not (await shop.call(shop.catalog.ListBusyFeeds, request)).feeds
        assert await shop.open_hours() == {8, 9, 10, 11}

    async def test_who_is_not_there_is_refused(self, shop):
        code, reason, text = await refused(shop.import_feed(url="http://127.0.0.1:1/a.ics"))

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
        assert "could not be connected to" in text
        await self.nothing_is_stored(shop)

    async def test_a_server_that_has_no_such_file_is_refused(self, shop, server):
        server.status = 404

        code, reason, text = await refused(shop.import_feed(url=server.url))

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
        assert "it answers 404" in text
        await self.nothing_is_stored(shop)

    async def test_a_damaged_file_is_refused_with_its_line(self, shop, server):
        server.body = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:tomorrow\r\n"

        code, reason, text = await refused(shop.import_feed(url=server.url))

        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FEED")
        assert "line " in text
        await self.nothing_is_stored(shop)

    async def test_a_feed_of_50_mb_is_refused_in_little_memory(self, shop):
        async with serving_feed(Large(50_000_000)) as server:
            tracemalloc.start()
            try:
                code, reason, text = await refused(shop.import_feed(url=server.url))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
        assert "more than 10,000,000 bytes" in text
        assert peak < 40_000_000
        await self.nothing_is_stored(shop)

    async def test_a_feed_of_a_hundred_thousand_recurrences_is_refused(self, shop, server):
        start = tomorrow(0)
        server.body = ics_of((start, start + timedelta(minutes=5))).replace(
            b"END:VEVENT", b"RRULE:FREQ=MINUTELY;INTERVAL=10;COUNT=100000\r\nEND:VEVENT"
        )

        code, reason, _ = await refused(shop.import_feed(url=server.url))

        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FEED")
        await self.nothing_is_stored(shop)

    async def test_an_address_of_this_machine_is_refused(self, guarded_shop, server):
        code, reason, text = await refused(guarded_shop.import_feed(url=server.url))

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
        assert "not public" in text
        assert not server.requests
        await self.nothing_is_stored(guarded_shop)

    async def test_a_redirect_to_this_machine_is_refused(self, guarded_shop, server, monkeypatch):
        monkeypatch.setattr("service.ops.outbound.is_public", lambda each: each == "127.0.0.2")
        async with serving_feed(host="127.0.0.2") as outer:
            outer.status, outer.headers = 302, {"Location": server.url}
            code, reason, text = await refused(guarded_shop.import_feed(url=outer.url))

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TARGET_REFUSED")
        assert "not public" in text
        assert len(outer.requests) == 1
        assert not server.requests
        await self.nothing_is_stored(guarded_shop)


async def test_a_feed_that_fails_later_says_why_and_a_watch_shows_it_closed_and_healed(
    shop, server
):
    server.body = ics_of((tomorrow(9), tomorrow(10)))
    await shop.import_feed(url=server.url, fail_closed_after=Duration(seconds=3600))
    parts = shop.stack.parts
    refresher = FeedRefresher(database=parts.database, lanes=parts.lanes, outbound=parts.outbound)
    watch = shop.call_watch()
    assert await watch.hours() == {8, 10, 11}

    server.status = 503
    await shop.let_fail(hours=2)
    await refresher.refresh_due()
    assert await watch.hours_until(set()) == set()
    feed = await shop.get_feed()
    assert feed.state == catalog_pb.BusyFeed.STATE_CLOSED
    assert "it answers 503" in feed.failure

    server.status = 200
    await shop.let_fail(hours=0)
    await refresher.refresh_due()
    assert await watch.hours_until({8, 10, 11}) == {8, 10, 11}
    assert (await shop.get_feed()).state == catalog_pb.BusyFeed.STATE_OK
    watch.cancel()


async def test_a_refresh_tells_watchers_the_difference_and_renews_no_replica(
    shop, server, monkeypatch
):
    busy = [(tomorrow(8), tomorrow(9)), (tomorrow(10), tomorrow(11))]
    server.body = ics_of(*busy)
    await shop.import_feed(url=server.url)
    parts = shop.stack.parts
    watch = shop.call_watch()
    assert await watch.hours() == {9, 11}
    renewed = []
    monkeypatch.setattr("service.live.following.Following.ask_renewal", lambda _: renewed.append(1))
    server.body = ics_of(busy[0], (tomorrow(9), tomorrow(10)))
    await shop.let_fail(hours=0)

    refresher = FeedRefresher(database=parts.database, lanes=parts.lanes, outbound=parts.outbound)
    await refresher.refresh_due()

    assert await watch.hours_until({10, 11}) == {10, 11}
    assert watch.changed == {9, 10}
    assert not renewed
    watch.cancel()


async def test_a_feed_is_ended_with_its_busy_time(shop, server):
    server.body = ics_of((tomorrow(9), tomorrow(11)))
    await shop.import_feed(url=server.url)
    delete = catalog_pb.DeleteBusyFeedRequest(name=shop.feed, request_id=a_request_id())

    deleted = await shop.call(shop.catalog.DeleteBusyFeed, delete)

    assert await shop.open_hours(deleted.revision) == {8, 9, 10, 11}
    assert await shop.call(shop.catalog.DeleteBusyFeed, delete) == deleted
    code, reason, _ = await refused(shop.get_feed())
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


async def test_a_calendar_has_at_most_20_feeds(shop):
    for number in range(20):
        await shop.import_feed(feed_id=f"feed-{number:02}", ics=ics_of())
    request = catalog_pb.ListBusyFeedsRequest(parent=shop.anna)

    code, _, text = await refused(shop.import_feed(feed_id="one-more", ics=ics_of()))

    assert (code, "at most 20 feeds" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    await shop.import_feed(feed_id="feed-07", ics=ics_of())
    names = [feed.name for feed in (await shop.call(shop.catalog.ListBusyFeeds, request)).feeds]
    assert names == [f"{shop.anna}/busyFeeds/feed-{number:02}" for number in range(20)]


async def test_the_key_of_a_page_cannot_read_the_addresses_of_feeds(shop):
    key = await shop.stack.make_key(
        "demo", scopes=(AVAILABILITY_READ, BOOKINGS_WRITE, CATALOG_READ)
    )
    page = (("authorization", f"Bearer {key}"),)
    for call in (
        shop.catalog.GetBusyFeed(catalog_pb.GetBusyFeedRequest(name=shop.feed), metadata=page),
        shop.catalog.ListBusyFeeds(
            catalog_pb.ListBusyFeedsRequest(parent=shop.anna), metadata=page
        ),
    ):
        code, reason, _ = await refused(call)
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
