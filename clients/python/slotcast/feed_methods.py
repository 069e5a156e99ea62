"""What a client can ask CatalogService about feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from slotcast.calls import Calls, new_request_id
from slotcast.channel import Connected
from slotcast.convert import duration
from slotcast.feeds import BusyFeed, FeedLink, ImportedBusy, busy_feed, feed_link
from slotcast.v1 import catalog_service_pb2 as pb

FETCH_SECONDS = 30.0


class FeedMethods(Connected):
    """Busy time from elsewhere, and bookings for elsewhere. A feed's `name` is given in full."""

    async def import_busy_feed(
        self,
        calendar: str,
        feed_id: str,
        source: bytes | str,
        *,
        refresh_interval: timedelta | None = None,
        fail_closed_after: timedelta | None = None,
        request_id: str | None = None,
    ) -> ImportedBusy:
        """Replace the busy time that a feed puts on a calendar by that of an iCalendar file.

        `source`: the file, at most 900,000 bytes, or its address, from which it is then fetched
        again every `refresh_interval` (None: 15 minutes). With `fail_closed_after` the calendar is
        closed once the address could not be read for so long. BadFeed: the file is damaged, and
        nothing was imported. TargetRefused: it cannot be fetched.
        """
        link = self._connection
        request = pb.ImportBusyFeedRequest(
            calendar=link.names.calendar(calendar),
            feed_id=feed_id,
            request_id=new_request_id(request_id),
            refresh_interval=duration(refresh_interval),
            fail_closed_after=duration(fail_closed_after),
        )
        if isinstance(source, bytes):
            request.ics = source
        else:
            request.url = source
        calls = link.calls if isinstance(source, bytes) else _patient(link.calls)
        response = await calls.unary(link.catalog.ImportBusyFeed, request)
        return ImportedBusy(
            busy_intervals=response.busy_intervals,
            revision=response.revision,
            feed=busy_feed(response.feed),
        )

    async def get_busy_feed(self, name: BusyFeed | str) -> BusyFeed:
        """Read how a feed fares. ResourceNotFound: there is none."""
        link = self._connection
        request = pb.GetBusyFeedRequest(name=_name(name))
        return busy_feed((await link.calls.unary(link.catalog.GetBusyFeed, request)).feed)

    async def list_busy_feeds(self, calendar: str) -> Sequence[BusyFeed]:
        """List the feeds of a calendar by name."""
        link = self._connection
        request = pb.ListBusyFeedsRequest(parent=link.names.calendar(calendar))
        response = await link.calls.unary(link.catalog.ListBusyFeeds, request)
        return tuple(busy_feed(feed) for feed in response.feeds)

    async def delete_busy_feed(self, name: BusyFeed | str, *, request_id: str | None = None) -> int:
        """End a feed, and free its busy time; returns the revision."""
        link = self._connection
        request = pb.DeleteBusyFeedRequest(name=_name(name), request_id=new_request_id(request_id))
        return (await link.calls.unary(link.catalog.DeleteBusyFeed, request)).revision

    async def get_calendar_feed(self, calendar: str, *, with_names: bool = False) -> bytes:
        """Return the bookings of a calendar as an iCalendar file."""
        link = self._connection
        request = pb.GetCalendarFeedRequest(
            calendar=link.names.calendar(calendar), with_names=with_names
        )
        return (await link.calls.unary(link.catalog.GetCalendarFeed, request)).ics

    async def create_feed_link(
        self, calendar: str, *, display_name: str = "", with_names: bool = False
    ) -> FeedLink:
        """Make a secret address of that file, to which any calendar program can subscribe.

        Whoever has its `url` can read the file, until `delete_feed_link`.
        """
        link = self._connection
        request = pb.CreateFeedLinkRequest(
            parent=link.names.calendar(calendar), display_name=display_name, with_names=with_names
        )
        response = await link.calls.unary(link.catalog.CreateFeedLink, request)
        return feed_link(response.link, response.url)

    async def list_feed_links(self, calendar: str) -> Sequence[FeedLink]:
        """List the addresses of a calendar by age, without their secrets."""
        link = self._connection
        request = pb.ListFeedLinksRequest(parent=link.names.calendar(calendar))
        response = await link.calls.unary(link.catalog.ListFeedLinks, request)
        return tuple(feed_link(each) for each in response.links)

    async def delete_feed_link(self, name: FeedLink | str) -> None:
        """Make an address worthless at once. ResourceNotFound: it was none."""
        link = self._connection
        request = pb.DeleteFeedLinkRequest(name=_name(name))
        await link.calls.unary(link.catalog.DeleteFeedLink, request)


def _patient(calls: Calls) -> Calls:
    """Return calls that wait for another's server too, which the server does for 20 s."""
    seconds = max(FETCH_SECONDS, calls.timeouts.attempt_seconds)
    total = max(2 * seconds, calls.timeouts.total_seconds)
    timeouts = replace(calls.timeouts, attempt_seconds=seconds, total_seconds=total)
    return Calls(calls.metadata, timeouts)


def _name(thing: BusyFeed | FeedLink | str) -> str:
    return thing if isinstance(thing, str) else thing.name
