"""Frames folded into slots as the API tells clients to; written anew, not taken from any client."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from service.domain.slot import SlotKey
from service.live.frames import (
    Chunk,
    ClearedSpan,
    Delta,
    Frame,
    Goodbye,
    Heartbeat,
    Reset,
    SnapshotEnd,
)
from tests.robustness.simulation.truth import OpenSlots


class Fold:
    """What a client has."""

    def __init__(self, slots: OpenSlots) -> None:
        """Begin with what it had when it left."""
        self._slots = dict(slots)
        self._coming: dict[SlotKey, int] = {}

    def take(self, frame: Frame) -> OpenSlots | None:
        """Fold a frame in; return the slots after it, None while they are not whole."""
        match frame:
            case Chunk():
                self._coming.update(frame.slots)
            case SnapshotEnd():
                self._slots, self._coming = self._coming, {}
            case Reset():
                self._slots = {}
            case Delta():
                self._apply(frame)
            case Heartbeat() | Goodbye():
                pass
        return dict(self._slots) if frame.resume_token else None

    def _apply(self, delta: Delta) -> None:
        for span in delta.cleared:
            for key in [key for key in self._slots if _is_in(span, key)]:
                del self._slots[key]
        for key in delta.closed:
            self._slots.pop(key, None)
        self._slots.update(delta.opened)


def digest(business_id: str, slots: OpenSlots) -> int:
    """Return the digest that a heartbeat must carry."""
    terms = (_term(business_id, key, seats) for key, seats in slots.items())
    return sum(terms) % 2**64


@lru_cache(maxsize=65_536)
def _term(business_id: str, key: SlotKey, seats: int) -> int:
    business = f"businesses/{business_id}"
    lines = [
        f"{business}/appointmentTypes/{key.type_id}",
        f"{business}/calendars/{key.calendar_id}",
        str(int(key.start.timestamp())),
        str(int(key.end.timestamp())),
        str(seats),
    ]
    return int.from_bytes(hashlib.sha256("\n".join(lines).encode()).digest()[:8], "big")


def _is_in(span: ClearedSpan, key: SlotKey) -> bool:
    return (
        span.start <= key.start < span.end
        and span.type_id in ("", key.type_id)
        and span.calendar_id in ("", key.calendar_id)
    )
