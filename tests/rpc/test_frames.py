"""Frames as clients read them."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.change import ChangeKind
from service.domain.slot import Slot, SlotKey
from service.live import frames
from service.live.frames import ClearedSpan, FeedFrame, GoodbyeReason, ResetReason
from service.rpc.convert.bookings import CHANGE_KINDS
from service.rpc.convert.frames import GOODBYE_REASONS, RESET_REASONS, FrameCodec, with_stream_seq
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.builders import at

CODEC = FrameCodec(stale_after_seconds=12.0)
STAMP: dict[str, Any] = {
    "business_id": "demo",
    "revision": 41,
    "as_of": at("08:00"),
    "resume_token": "token",
}
KEY = SlotKey(at("09:00"), "visit", "anna", at("09:30"))


def read(frame):
    return availability_pb.WatchAvailabilityResponse.FromString(
        with_stream_seq(CODEC.encode(frame), 300)
    )


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (frames.Chunk(**STAMP, slots=(Slot(KEY, 1),)), "snapshot_chunk"),
        (frames.SnapshotEnd(**STAMP, open_slots=0), "snapshot_end"),
        (frames.Delta(**STAMP), "delta"),
        (frames.Heartbeat(**STAMP), "heartbeat"),
        (frames.Reset(**STAMP, reason=ResetReason.EPOCH), "reset"),
        (
            frames.Goodbye(**STAMP, reason=GoodbyeReason.AGE, retry_delay_seconds=0.5),
            "goodbye",
        ),
    ],
)
def test_every_frame_carries_its_stamp_and_its_kind(frame, kind):
    message = read(frame)

    assert message.WhichOneof("frame") == kind
    assert (message.revision, message.stream_seq) == (41, 300)
    assert message.resume_token == "token"
    assert message.as_of.ToDatetime() == at("08:00").replace(tzinfo=None)
    assert message.stale_after.ToTimedelta() == timedelta(seconds=12)


def test_a_delta_tells_what_is_cleared_closed_and_opened():
    frame = frames.Delta(
        **STAMP,
        cleared=(ClearedSpan("", "anna", at("09:00"), at("10:00")),),
        closed=(KEY,),
        opened=(Slot(KEY, 3),),
        more=True,
    )

    delta = read(frame).delta

    assert delta.more
    assert (delta.cleared[0].appointment_type, delta.cleared[0].calendar) == (
        "",
        "businesses/demo/calendars/anna",
    )
    assert delta.closed[0].appointment_type == "businesses/demo/appointmentTypes/visit"
    assert delta.opened[0].seats_left == 3
    assert delta.opened[0].start_time == delta.closed[0].start_time


def test_every_reason_to_reset_or_to_end_has_its_message():
    assert set(RESET_REASONS) == set(ResetReason)
    assert set(GOODBYE_REASONS) == set(GoodbyeReason)
    assert 0 not in {*RESET_REASONS.values(), *GOODBYE_REASONS.values()}


def test_every_change_that_touches_bookings_has_its_kind():
    silent = {
        ChangeKind.HELD,
        ChangeKind.RENEWED,
        ChangeKind.RELEASED,
        ChangeKind.HANDED_OVER,
        ChangeKind.BUSY_IMPORTED,
        ChangeKind.CATALOG_CHANGED,
        ChangeKind.WAITLIST_JOINED,
        ChangeKind.WAITLIST_LEFT,
        ChangeKind.WAITLIST_OFFERED,
    }

    assert set(CHANGE_KINDS) == set(ChangeKind) - silent
    assert len(set(CHANGE_KINDS.values())) == len(CHANGE_KINDS)


@pytest.mark.parametrize("kind", ["heartbeat", "reset", "goodbye"])
def test_a_feed_frame_has_its_kind(kind):
    examples: dict[str, FeedFrame] = {
        "heartbeat": frames.Heartbeat(**STAMP),
        "reset": frames.Reset(**STAMP, reason=ResetReason.COMPACTED),
        "goodbye": frames.Goodbye(**STAMP, reason=GoodbyeReason.DRAIN, retry_delay_seconds=0),
    }

    message = CODEC.write_feed_frame(examples[kind], 1, personal=False)

    assert isinstance(message, booking_pb.WatchBookingsResponse)
    assert message.WhichOneof("frame") == kind
    assert message.stream_seq == 1
