"""Feeds of busy time: how they fare, and their end."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.commands import DeleteFeed, Outcome
from service.domain.errors import ResourceNotFound
from service.rpc.call import Behaviour, Call
from service.rpc.convert.feeds import write_busy_feed
from service.rpc.convert.names import child_id, grandchild_ids
from service.rpc.submitting import Asking, Submitter, Wanted
from service.store import catalog as catalog_store
from service.store import feeds
from service.store.database import Database
from slotcast.v1 import catalog_service_pb2 as catalog_pb


class BusyFeeds:
    """Reads and ends feeds."""

    def __init__(self, *, submitter: Submitter, database: Database) -> None:
        """Take what frees busy time, and what knows the feeds."""
        self._submitter = submitter
        self._database = database

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "GetBusyFeed": self.get,
            "ListBusyFeeds": self.list,
            "DeleteBusyFeed": self.delete,
        }

    async def get(
        self, request: catalog_pb.GetBusyFeedRequest, call: Call
    ) -> catalog_pb.GetBusyFeedResponse:
        """Answer GetBusyFeed."""
        calendar_id, feed_id = grandchild_ids(request.name, call.business_id)
        async with self._database.snapshot(call.business_id) as tx:
            feed = await feeds.find(tx, call.business_id, calendar_id, feed_id)
        if feed is None:
            raise ResourceNotFound(request.name)
        return catalog_pb.GetBusyFeedResponse(feed=write_busy_feed(feed, call.business_id))

    async def list(
        self, request: catalog_pb.ListBusyFeedsRequest, call: Call
    ) -> catalog_pb.ListBusyFeedsResponse:
        """Answer ListBusyFeeds."""
        calendar_id = child_id(request.parent, call.business_id)
        async with self._database.snapshot(call.business_id) as tx:
            catalog = await catalog_store.load(tx, call.business_id)
            found = await feeds.of_calendar(tx, call.business_id, calendar_id)
        if catalog is None or calendar_id not in catalog.calendars:
            raise ResourceNotFound(request.parent)
        return catalog_pb.ListBusyFeedsResponse(
            feeds=[write_busy_feed(feed, call.business_id) for feed in found]
        )

    async def delete(self, request: catalog_pb.DeleteBusyFeedRequest, call: Call) -> bytes:
        """Answer DeleteBusyFeed."""
        calendar_id, feed_id = grandchild_ids(request.name, call.business_id)
        asking = Asking(
            method_name=call.method.name,
            business_id=call.business_id,
            principal_id=call.principal.principal_id,
        )
        command = DeleteFeed(calendar_id=calendar_id, feed_id=feed_id)
        return await self._submitter.submit(asking, request, Wanted(command, _encode))


def _encode(outcome: Outcome) -> bytes:
    return catalog_pb.DeleteBusyFeedResponse(revision=outcome.revision).SerializeToString()
