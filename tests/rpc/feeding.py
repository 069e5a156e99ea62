"""A business whose feeds are tested, on a server of its own, and a watch as its client folds it."""

from contextlib import asynccontextmanager
from datetime import timedelta

import grpc
import pytest

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1 import feed_service_pb2 as feed_pb
from slotcast.v1 import feed_service_pb2_grpc
from tests.rpc.stack import (
    Caller,
    a_request_id,
    details_of,
    requests_of_a_shop,
    running,
    stamp,
    status_of,
    tomorrow,
)


class Watch:
    """A watch as a client folds it."""

    def __init__(self, call):
        self.call = call
        self.open = {}
        self.changed = set()

    def cancel(self):
        self.call.cancel()

    async def hours(self):
        """Return the hours that are open, once the snapshot has ended."""
        while await self._take() != "snapshot_end":
            pass
        return self._hours()

    async def hours_until(self, wanted):
        """Return the hours that are open, once they are those wanted."""
        self.changed = set()
        while self._hours() != wanted:
            await self._take()
        return self._hours()

    def _hours(self):
        return {slot.start_time.ToDatetime().hour for slot in self.open.values()}

    async def _take(self):
        frame = await self.call.read()
        kind = frame.WhichOneof("frame")
        if kind == "snapshot_chunk":
            self.open.update((_key(slot), slot) for slot in frame.snapshot_chunk.slots)
        if kind == "delta":
            for span in frame.delta.cleared:
                cleared = range(span.start_time.seconds, span.end_time.seconds)
                self.open = {key: at for key, at in self.open.items() if key[0] not in cleared}
                self.changed.add("all")
            for slot in frame.delta.closed:
                self.open.pop(_key(slot), None)
                self.changed.add(slot.start_time.ToDatetime().hour)
            for slot in frame.delta.opened:
                self.open[_key(slot)] = slot
                self.changed.add(slot.start_time.ToDatetime().hour)
        return kind


def _key(slot):
    return slot.start_time.seconds, slot.calendar


class Shop(Caller):
    """A business of the test's own, on a server of the test's own."""

    def __init__(self, channel, key, stack):
        super().__init__(channel, key, "demo")
        self.stack = stack
        self.feeds = feed_service_pb2_grpc.FeedServiceStub(channel)
        self.anna = self.name("calendars", "anna")
        self.feed = f"{self.anna}/busyFeeds/google"

    def import_feed(self, **values):
        request = catalog_pb.ImportBusyFeedRequest(
            **{
                "calendar": self.anna,
                "feed_id": "google",
                "request_id": a_request_id(),
                **values,
            }
        )
        return self.call(self.catalog.ImportBusyFeed, request)

    async def book(self, start, name="Kim"):
        request = self.book_request(start, customer=booking_pb.Customer(display_name=name))
        return (await self.call(self.bookings.Book, request)).bookings[0]

    async def get_feed(self):
        request = catalog_pb.GetBusyFeedRequest(name=self.feed)
        return (await self.call(self.catalog.GetBusyFeed, request)).feed

    async def open_hours(self, min_revision=0):
        request = availability_pb.ListSlotsRequest(
            parent=self.business,
            start_time=stamp(tomorrow(8)),
            end_time=stamp(tomorrow(12)),
            min_revision=min_revision,
        )
        listed = await self.call(self.availability.ListSlots, request)
        return {slot.start_time.ToDatetime().hour for slot in listed.slots}

    async def file(self, **options):
        request = catalog_pb.GetCalendarFeedRequest(calendar=self.anna, **options)
        return (await self.call(self.catalog.GetCalendarFeed, request)).ics

    async def link(self, **options):
        request = catalog_pb.CreateFeedLinkRequest(parent=self.anna, **options)
        return await self.call(self.catalog.CreateFeedLink, request)

    async def let_fail(self, *, hours):
        """Let it be that long ago that the feed was read well; it is due."""
        async with self.stack.database.transaction("demo") as tx:
            await tx.exec_driver_sql(
                "UPDATE busy_feeds SET next_at = now(), success_at = success_at - $1::interval",
                (timedelta(hours=hours),),
            )

    def call_watch(self):
        request = availability_pb.WatchAvailabilityRequest(
            parent=self.business, start_time=stamp(tomorrow(8)), end_time=stamp(tomorrow(12))
        )
        return Watch(self.availability.WatchAvailability(request, metadata=self.metadata))

    def shared(self, url, **options):
        token = url.rpartition("/")[2]
        return self.feeds.GetSharedFeed(feed_pb.GetSharedFeedRequest(token=token), **options)


@asynccontextmanager
async def a_feed_shop(database_url, data_folder, **options):
    """Serve, and yield a business that is open day and night."""
    async with (
        running(database_url, data_folder, **options) as stack,
        grpc.aio.insecure_channel(stack.address) as channel,
    ):
        yield await open_shop(stack, channel)


async def open_shop(stack, channel):
    operator = Caller(channel, await stack.make_key("*"), "demo")
    for request in requests_of_a_shop("demo"):
        method = getattr(operator.catalog, type(request).__name__.removesuffix("Request"))
        await operator.call(method, request)
    return Shop(channel, await stack.make_key("demo"), stack)


async def refused(call):
    """Return the code, the reason and the message of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    details = details_of(status_of(error))
    return error.code(), details["ErrorInfo"].reason, error.details()
