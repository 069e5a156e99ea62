"""Feeds of busy time and secret addresses of calendars, between messages and values."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from service.domain import ids
from service.domain.busy_feed import BusyFeed, FeedState
from service.rpc.convert.times import write_duration, write_instant
from service.store.feed_links import FeedLink
from slotcast.v1 import catalog_service_pb2 as catalog_pb

_STATES: Mapping[FeedState, catalog_pb.BusyFeed.State.ValueType] = {
    FeedState.OK: catalog_pb.BusyFeed.STATE_OK,
    FeedState.FAILING: catalog_pb.BusyFeed.STATE_FAILING,
    FeedState.CLOSED: catalog_pb.BusyFeed.STATE_CLOSED,
}


def write_busy_feed(feed: BusyFeed, business_id: str) -> catalog_pb.BusyFeed:
    """Return how a feed fares; of one that is uploaded nothing is due."""
    message = catalog_pb.BusyFeed(
        name=ids.feed_name(business_id, feed.calendar_id, feed.feed_id),
        url=feed.url,
        state=_STATES[feed.state],
        failure=feed.failure,
        busy_intervals=feed.busy_intervals,
    )
    if feed.url:
        message.refresh_interval.CopyFrom(write_duration(feed.refresh_interval))
    if feed.fail_closed_after is not None:
        message.fail_closed_after.CopyFrom(write_duration(feed.fail_closed_after))
    instants: Mapping[str, Timestamp] = {
        name: write_instant(instant)
        for name, instant in (
            ("success_time", feed.success_at),
            ("attempt_time", feed.attempt_at),
            ("next_time", feed.next_at),
        )
        if instant is not None
    }
    for name, instant in instants.items():
        getattr(message, name).CopyFrom(instant)
    return message


def write_feed_link(link: FeedLink, business_id: str) -> catalog_pb.FeedLink:
    """Return an address without its secret."""
    return catalog_pb.FeedLink(
        name=ids.feed_link_name(business_id, link.calendar_id, link.link_id),
        display_name=link.display_name,
        with_names=link.with_names,
        create_time=write_instant(link.created_at),
    )
