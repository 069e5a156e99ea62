"""Frames of watches. The bytes of one are shared by all streams that are sent it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from service.domain import ids
from service.live import frames
from service.live.frames import ClearedSpan, FeedFrame, Frame, GoodbyeReason, ResetReason
from service.rpc.convert.bookings import CHANGE_KINDS, write_booking
from service.rpc.convert.slots import encode_slot, write_slot_key
from service.rpc.convert.times import write_duration, write_instant
from service.rpc.wire import bytes_field, varint_field
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb

Response = availability_pb.WatchAvailabilityResponse
STREAM_SEQ_FIELD = Response.STREAM_SEQ_FIELD_NUMBER
CHUNK_SLOTS_FIELD = availability_pb.SnapshotChunk.SLOTS_FIELD_NUMBER
OPENED_FIELD = availability_pb.Delta.OPENED_FIELD_NUMBER

RESET_REASONS: Mapping[ResetReason, availability_pb.Reset.Reason.ValueType] = {
    ResetReason.COMPACTED: availability_pb.Reset.REASON_COMPACTED,
    ResetReason.EPOCH: availability_pb.Reset.REASON_EPOCH,
    ResetReason.FILTER: availability_pb.Reset.REASON_FILTER,
    ResetReason.CATALOG: availability_pb.Reset.REASON_CATALOG,
    ResetReason.SLOW_READER: availability_pb.Reset.REASON_SLOW_READER,
}
GOODBYE_REASONS: Mapping[GoodbyeReason, availability_pb.Goodbye.Reason.ValueType] = {
    GoodbyeReason.DRAIN: availability_pb.Goodbye.REASON_DRAIN,
    GoodbyeReason.AGE: availability_pb.Goodbye.REASON_AGE,
}


def with_stream_seq(body: bytes, stream_seq: int) -> bytes:
    """Return a frame for one stream: fields of a message may come in any order."""
    return body + varint_field(STREAM_SEQ_FIELD, stream_seq)


class FrameCodec:
    """Writes frames, each with how long it keeps a view good."""

    def __init__(self, stale_after_seconds: float) -> None:
        """Take after how long without a frame a view is stale."""
        self._stale_after = write_duration(timedelta(seconds=stale_after_seconds))

    def encode(self, frame: Frame) -> bytes:
        """Return a frame of WatchAvailability without its `stream_seq`."""
        head = Response(
            revision=frame.revision,
            as_of=write_instant(frame.as_of),
            resume_token=frame.resume_token,
            stale_after=self._stale_after,
        )
        match frame:
            case frames.Chunk():
                chunk = b"".join(
                    bytes_field(CHUNK_SLOTS_FIELD, encode_slot(slot, frame.business_id))
                    for slot in frame.slots
                )
                field = Response.SNAPSHOT_CHUNK_FIELD_NUMBER
                return head.SerializeToString() + bytes_field(field, chunk)
            case frames.Delta():
                delta = _delta(frame)
                return head.SerializeToString() + bytes_field(Response.DELTA_FIELD_NUMBER, delta)
            case frames.SnapshotEnd():
                head.snapshot_end.open_slots = frame.open_slots
                # An empty view has an end, too.
                head.snapshot_end.SetInParent()
            case frames.Heartbeat():
                head.heartbeat.CopyFrom(_heartbeat(frame))
            case frames.Reset():
                head.reset.reason = RESET_REASONS[frame.reason]
            case frames.Goodbye():
                head.goodbye.CopyFrom(_goodbye(frame))
        return head.SerializeToString()

    def write_feed_frame(
        self, frame: FeedFrame, stream_seq: int, *, personal: bool
    ) -> booking_pb.WatchBookingsResponse:
        """Return a frame of WatchBookings; not `personal`: without who comes."""
        message = booking_pb.WatchBookingsResponse(
            revision=frame.revision,
            stream_seq=stream_seq,
            as_of=write_instant(frame.as_of),
            resume_token=frame.resume_token,
            stale_after=self._stale_after,
        )
        match frame:
            case frames.BookingChange():
                message.change.kind = CHANGE_KINDS[frame.kind]
                message.change.bookings.extend(
                    write_booking(booking, frame.business_id, personal=personal)
                    for booking in frame.bookings
                )
            case frames.Heartbeat():
                message.heartbeat.CopyFrom(_heartbeat(frame))
                message.heartbeat.SetInParent()
            case frames.Reset():
                message.reset.reason = RESET_REASONS[frame.reason]
            case frames.Goodbye():
                message.goodbye.CopyFrom(_goodbye(frame))
        return message


def _delta(frame: frames.Delta) -> bytes:
    head = availability_pb.Delta(
        cleared=[_span(span, frame.business_id) for span in frame.cleared],
        closed=[write_slot_key(key, frame.business_id) for key in frame.closed],
        more=frame.more,
    )
    opened = b"".join(
        bytes_field(OPENED_FIELD, encode_slot(slot, frame.business_id)) for slot in frame.opened
    )
    return head.SerializeToString() + opened


def _span(span: ClearedSpan, business_id: str) -> availability_pb.ClearedSpan:
    return availability_pb.ClearedSpan(
        appointment_type=ids.type_name(business_id, span.type_id) if span.type_id else "",
        calendar=ids.calendar_name(business_id, span.calendar_id) if span.calendar_id else "",
        start_time=write_instant(span.start),
        end_time=write_instant(span.end),
    )


def _heartbeat(frame: frames.Heartbeat) -> availability_pb.Heartbeat:
    return availability_pb.Heartbeat(open_slots=frame.open_slots, digest=frame.digest)


def _goodbye(frame: frames.Goodbye) -> availability_pb.Goodbye:
    return availability_pb.Goodbye(
        reason=GOODBYE_REASONS[frame.reason],
        retry_delay=write_duration(timedelta(seconds=frame.retry_delay_seconds)),
    )
