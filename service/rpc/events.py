"""EventService: the frames of watches as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import MessageToJson

from service.domain.errors import InvalidRequest
from service.rpc.call import Behaviour, Call
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb

CONTENT_TYPE = "text/event-stream"
LAST_EVENT_ID = "last-event-id"
LAST_EVENT_ID_MAX = 1024
RETRY_MS_MIN = 1000

Frame = availability_pb.WatchAvailabilityResponse | booking_pb.WatchBookingsResponse


class EventService:
    """Sends what the watches send in another form."""

    def __init__(self, *, watch_slots: Behaviour, watch_bookings: Behaviour) -> None:
        """Take what answers the watches."""
        self._watch_slots = watch_slots
        self._watch_bookings = watch_bookings

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "WatchSlotEvents": partial(_as_events, self._watch_slots),
            "WatchBookingEvents": partial(_as_events, self._watch_bookings),
        }


async def _as_events(watch: Behaviour, request: Any, call: Call) -> None:
    if last_id := call.metadata.get(LAST_EVENT_ID):
        if not isinstance(last_id, str) or len(last_id) > LAST_EVENT_ID_MAX:
            raise InvalidRequest("resume_token", "Last-Event-ID must be the id of an event.")
        request.resume_token = last_id
    call.form = _write_event
    await watch(request, call)


def _write_event(frame: Frame | bytes) -> HttpBody:
    if isinstance(frame, bytes):
        frame = availability_pb.WatchAvailabilityResponse.FromString(frame)
    lines = []
    # In the middle of a snapshot or of a delta there is none: the one before stays the last.
    if frame.resume_token:
        lines.append(f"id: {frame.resume_token}")
    if frame.WhichOneof("frame") == "goodbye":
        # The client keeps it for good, and would hammer at a server that is away.
        delay_ms = max(frame.goodbye.retry_delay.ToMilliseconds(), RETRY_MS_MIN)
        lines.append(f"retry: {delay_ms}")
    lines.append(f"data: {MessageToJson(frame, indent=None)}")
    return HttpBody(content_type=CONTENT_TYPE, data=("\n".join(lines) + "\n\n").encode())
