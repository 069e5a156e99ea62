"""Staged streams: what a server would send, from the slots that the domain says are open."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from service.domain.slot import Slot
from service.rpc.convert.slots import write_slot, write_slot_key
from service.rpc.convert.times import write_instant
from slotcast.v1.availability_service_pb2 import (
    Delta,
    Goodbye,
    Heartbeat,
    Reset,
    SnapshotChunk,
    SnapshotEnd,
    WatchAvailabilityRequest,
    WatchAvailabilityResponse,
)
from tests.robustness.catalogue import BUSINESS
from tests.robustness.checker.staged import Stage
from tests.robustness.history import Arrival, Ending, Watch

STALE_AFTER = timedelta(seconds=10)


class Stream:
    """One stream of a stage, at what was last sent."""

    def __init__(
        self,
        stage: Stage,
        request: WatchAvailabilityRequest,
        *,
        server: str = "a",
        resumes: Stream | None = None,
        resumed_at: int | None = None,
    ) -> None:
        """Open it; with `resumes` it is given the token of an arrival, the last one by default."""
        self.stage = stage
        self.shown: dict[Any, Slot] = {}
        self.watch = Watch(
            number=len(stage.history.watches) + 1,
            watcher="watcher",
            server=server,
            request=request,
            opened=stage.now,
        )
        if resumes is not None:
            arrivals = resumes.watch.arrivals
            self.watch.resumes = resumes.watch.number
            self.watch.resumed_at = len(arrivals) - 1 if resumed_at is None else resumed_at
            token = arrivals[self.watch.resumed_at].frame.resume_token
            self.watch.request.resume_token = token
            self.shown = dict(resumes.shown)
        stage.history.watches.append(self.watch)

    def send(self, *, token: bool = True, **frame: Any) -> WatchAvailabilityResponse:
        """Send a frame, which takes 5 ms."""
        stage = self.stage
        response = WatchAvailabilityResponse(
            revision=stage.revision,
            stream_seq=len(self.watch.arrivals) + 1,
            as_of=write_instant(stage.clock),
            resume_token=f"{stage.revision} {stage.now}" if token else "",
            **frame,
        )
        response.stale_after.FromTimedelta(STALE_AFTER)
        stage.wait(0.005)
        self.watch.arrivals.append(Arrival(stage.now, response))
        return response

    def snapshot(self) -> Stream:
        """Send all open slots."""
        slots = self.stage.slots(self.watch.request)
        as_of = self.stage.now
        chunk = SnapshotChunk(slots=[write_slot(slot, BUSINESS) for slot in slots])
        self.send(token=False, snapshot_chunk=chunk)
        self.stage.now = as_of
        self.send(snapshot_end=SnapshotEnd(open_slots=len(slots)))
        self.shown = {slot.key: slot for slot in slots}
        return self

    def delta(self) -> WatchAvailabilityResponse:
        """Send what has changed."""
        slots = {slot.key: slot for slot in self.stage.slots(self.watch.request)}
        closed = [key for key in self.shown if key not in slots]
        opened = [slot for slot in slots.values() if self.shown.get(slot.key) != slot]
        self.shown = slots
        return self.send(
            delta=Delta(
                closed=[write_slot_key(key, BUSINESS) for key in sorted(closed)],
                opened=[write_slot(slot, BUSINESS) for slot in sorted(opened)],
            )
        )

    def heartbeat(self) -> WatchAvailabilityResponse:
        """Say that nothing has changed."""
        digest = sum(map(_digest, self.shown.values())) % 2**64
        return self.send(heartbeat=Heartbeat(open_slots=len(self.shown), digest=digest))

    def reset(self, reason: str) -> Stream:
        """Begin anew."""
        as_of = self.stage.now
        self.send(token=False, reset=Reset(reason=Reset.Reason.Value(f"REASON_{reason}")))
        self.stage.now = as_of
        return self.snapshot()

    def goodbye(self) -> Stream:
        """End it as planned."""
        last = self.watch.arrivals[-1].frame
        frame = self.send(goodbye=Goodbye(reason=Goodbye.REASON_DRAIN))
        # It says no more than the frame before it.
        frame.revision, frame.resume_token = last.revision, last.resume_token
        frame.as_of.CopyFrom(last.as_of)
        return self.end(Ending.GOODBYE)

    def end(self, ending: str = Ending.CANCELLED) -> Stream:
        """End it."""
        self.watch.ending, self.watch.ended = ending, self.stage.now
        return self


def _digest(slot: Slot) -> int:
    message = write_slot(slot, BUSINESS)
    start, end = message.start_time.seconds, message.end_time.seconds
    lines = (message.appointment_type, message.calendar, start, end, slot.seats_left)
    return int.from_bytes(sha256("\n".join(map(str, lines)).encode()).digest()[:8], "big")
