"""Frames of a watch folded into the slots that are open. Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from slotcast import convert
from slotcast.errors import ViewMismatch
from slotcast.models import Slot, SlotKey
from slotcast.v1.availability_service_pb2 import (
    ClearedSpan,
    Delta,
    Heartbeat,
    Reset,
    WatchAvailabilityResponse,
)

_DIGEST_MODULUS = 2**64


def digest_term(slot: Slot) -> int:
    """Return what one open slot adds to a heartbeat's digest."""
    start, end = int(slot.start.timestamp()), int(slot.end.timestamp())
    line = f"{slot.appointment_type}\n{slot.calendar}\n{start}\n{end}\n{slot.seats_left}"
    return int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big")


class OpenSlots:
    """The slots that are open at `revision` and `as_of`, as far as the frames have told.

    `whole` is False until a snapshot has ended, and after a reset: then there is nothing to show.
    `changes` are the keys that were touched since they were last taken, with their slot or None;
    `replaced` says that all slots were.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.slots: dict[SlotKey, Slot] = {}
        self.revision = 0
        self.as_of: datetime | None = None
        self.resume_token = ""
        self.whole = False
        self.changes: dict[SlotKey, Slot | None] = {}
        self.replaced = False
        self._digest = 0
        self._snapshot: dict[SlotKey, Slot] = {}
        self._parts: list[Delta] = []

    def begin_stream(self) -> None:
        """Drop what the stream before left unfinished: the next one tells it again."""
        self._snapshot = {}
        self._parts = []

    def forget(self) -> None:
        """Drop all slots and the token. The revision stays: what is shown never goes back."""
        self.begin_stream()
        self._replace({})
        self.whole = False
        self.resume_token = ""

    def take_changes(self) -> dict[SlotKey, Slot | None]:
        """Return what was touched since the last time, and begin to count anew."""
        changes, self.changes, self.replaced = self.changes, {}, False
        return changes

    def apply(self, frame: WatchAvailabilityResponse) -> bool:
        """Fold a frame in; True when the slots now equal the truth at its revision and `as_of`.

        Raises ViewMismatch where the frames cannot be right: the view is to be fetched anew.
        Kinds of frame that this client does not know change nothing.
        """
        kind = frame.WhichOneof("frame")
        if kind == "reset":
            self._reset(frame.reset)
        elif kind is not None and frame.revision < self.revision:
            raise ViewMismatch(f"Revision {frame.revision} came after {self.revision}.")
        if self._parts and kind not in ("delta", "goodbye", "reset", None):
            raise ViewMismatch("A delta was not finished.")
        complete = self._fold(frame)
        if complete:
            self.revision = frame.revision
            self.as_of = convert.instant(frame.as_of)
            self.resume_token = frame.resume_token or self.resume_token
        return complete

    def _fold(self, frame: WatchAvailabilityResponse) -> bool:
        match frame.WhichOneof("frame"):
            case "snapshot_chunk":
                self._snapshot |= _by_key(convert.slot(item) for item in frame.snapshot_chunk.slots)
                return False
            case "snapshot_end":
                return self._end_snapshot(frame.snapshot_end.open_slots)
            case "delta":
                return self._add_part(frame.delta)
            case "heartbeat":
                return self._check(frame.heartbeat)
            case "goodbye":
                # Its token stands for all before it: with a part missing, the older one is right.
                return self.whole and not self._parts
            case _:
                return False

    def _reset(self, reset: Reset) -> None:
        self.forget()
        if reset.reason == Reset.REASON_EPOCH:
            self.revision = 0  # another life of the business, which counts anew

    def _end_snapshot(self, open_slots: int) -> bool:
        if len(self._snapshot) != open_slots:
            raise ViewMismatch(f"{len(self._snapshot)} of {open_slots} slots of a snapshot came.")
        self._replace(self._snapshot)
        self._snapshot = {}
        self.whole = True
        return True

    def _replace(self, slots: dict[SlotKey, Slot]) -> None:
        self.slots = slots
        self._digest = sum(map(digest_term, slots.values())) % _DIGEST_MODULUS
        self.changes = {}
        self.replaced = True

    def _add_part(self, delta: Delta) -> bool:
        if not self.whole:
            raise ViewMismatch("A delta came before any snapshot.")
        self._parts.append(delta)
        if delta.more:
            return False
        parts, self._parts = self._parts, []
        for span in (span for part in parts for span in part.cleared):
            for key in _in_span(self.slots, span):
                self._close(key)
        for closed in (key for part in parts for key in part.closed):
            self._close(convert.slot_key(closed))
        for opened in (slot for part in parts for slot in part.opened):
            self._open(convert.slot(opened))
        return True

    def _open(self, slot: Slot) -> None:
        self._close(slot.key)
        self.slots[slot.key] = slot
        self._digest = (self._digest + digest_term(slot)) % _DIGEST_MODULUS
        self.changes[slot.key] = slot

    def _close(self, key: SlotKey) -> None:
        if slot := self.slots.pop(key, None):
            self._digest = (self._digest - digest_term(slot)) % _DIGEST_MODULUS
            self.changes[key] = None

    def _check(self, heartbeat: Heartbeat) -> bool:
        if not self.whole:
            return False
        if (len(self.slots), self._digest) != (heartbeat.open_slots, heartbeat.digest):
            raise ViewMismatch(
                f"{len(self.slots)} slots are not the server's {heartbeat.open_slots}."
            )
        return True


def _by_key(slots: Iterable[Slot]) -> dict[SlotKey, Slot]:
    return {slot.key: slot for slot in slots}


def _in_span(keys: Iterable[SlotKey], span: ClearedSpan) -> list[SlotKey]:
    start, end = convert.instant(span.start_time), convert.instant(span.end_time)
    return [
        key
        for key in keys
        if start <= key.start < end
        and span.appointment_type in ("", key.appointment_type)
        and span.calendar in ("", key.calendar)
    ]
