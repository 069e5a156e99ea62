"""Frames folded into the slots that are open, by the comments of the protos and nothing else."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from service.domain.ids import calendar_name, last_part, type_name
from slotcast.v1.availability_service_pb2 import (
    ClearedSpan,
    Delta,
    WatchAvailabilityResponse,
)
from tests.robustness.checker.instants import SECOND, micros_of
from tests.robustness.checker.reads import slot_of
from tests.robustness.checker.timeline import Slot

DIGEST_MODULUS = 2**64


@lru_cache(maxsize=100_000)
def digest_term(business_id: str, slot: Slot, seats: int) -> int:
    """Return what an open slot adds to a heartbeat's digest."""
    lines = (
        type_name(business_id, slot.type_id),
        calendar_name(business_id, slot.calendar),
        str(slot.first // SECOND),
        str(slot.last // SECOND),
        str(seats),
    )
    return int.from_bytes(sha256("\n".join(lines).encode()).digest()[:8], "big")


class Fold:
    """The slots of one stream. `faults` are those of the last frame, as (promise, rule, text)."""

    def __init__(self, business_id: str, resumed: dict[Slot, int] | None = None) -> None:
        """Begin with nothing, or with what was there at the token."""
        self.open = dict(resumed or {})
        self.is_whole = resumed is not None
        self.faults: list[tuple[str, str, str]] = []
        self._business_id = business_id
        self._digest = sum(digest_term(business_id, *each) for each in self.open.items())
        self._snapshot: dict[Slot, int] = {}
        self._parts: list[Delta] = []

    def take(self, frame: WatchAvailabilityResponse) -> set[Slot] | None:
        """Fold a frame in; return the slots that it moved, or None while it is not complete."""
        self.faults = []
        kind = frame.WhichOneof("frame")
        if self._parts and kind not in {"delta", None}:
            self.faults.append(("W1", "atomic", f"a {kind} came in the middle of a delta"))
            self._parts = []
        match kind:
            case "snapshot_chunk":
                for message in frame.snapshot_chunk.slots:
                    self._snapshot[slot_of(message)] = message.seats_left
                return None
            case "snapshot_end":
                return self._end_snapshot()
            case "delta":
                return self._add_part(frame.delta)
            case "heartbeat":
                self._check(frame)
                return set() if self.is_whole else None
            case "reset":
                self.open, self._snapshot, self._digest = {}, {}, 0
                self.is_whole = False
                return None
            case "goodbye":
                return set() if self.is_whole else None
        return None

    def _end_snapshot(self) -> set[Slot]:
        moved = self.open.keys() | self._snapshot.keys()
        self.open, self._snapshot = self._snapshot, {}
        self._digest = sum(digest_term(self._business_id, *each) for each in self.open.items())
        self.is_whole = True
        return moved

    def _add_part(self, delta: Delta) -> set[Slot] | None:
        if not self.is_whole:
            self.faults.append(("W2", "delta", "a delta came before a snapshot had ended"))
            return None
        self._parts.append(delta)
        if delta.more:
            return None
        parts, self._parts = self._parts, []
        moved: set[Slot] = set()
        for span in (span for part in parts for span in part.cleared):
            for slot in _within(self.open, span):
                self._set(slot, 0)
                moved.add(slot)
        for closed in (key for part in parts for key in part.closed):
            slot = slot_of(closed)
            self._set(slot, 0)
            moved.add(slot)
        for opened in (each for part in parts for each in part.opened):
            slot = slot_of(opened)
            self._set(slot, opened.seats_left)
            moved.add(slot)
        return moved

    def _set(self, slot: Slot, seats: int) -> None:
        before = self.open.pop(slot, 0)
        if before:
            self._digest -= digest_term(self._business_id, slot, before)
        if seats:
            self.open[slot] = seats
            self._digest += digest_term(self._business_id, slot, seats)

    def _check(self, frame: WatchAvailabilityResponse) -> None:
        told = frame.heartbeat
        if self.is_whole and (told.open_slots, told.digest) != (
            len(self.open),
            self._digest % DIGEST_MODULUS,
        ):
            text = f"a heartbeat tells of {told.open_slots} slots, {len(self.open)} were sent"
            self.faults.append(("W4", "digest", f"{text}, or its digest is another"))


def _within(slots: dict[Slot, int], span: ClearedSpan) -> list[Slot]:
    start, end = micros_of(span.start_time), micros_of(span.end_time)
    type_id = last_part(span.appointment_type) if span.appointment_type else ""
    calendar = last_part(span.calendar) if span.calendar else ""
    return [
        slot
        for slot in slots
        if start <= slot.first < end
        and type_id in {"", slot.type_id}
        and calendar in {"", slot.calendar}
    ]
