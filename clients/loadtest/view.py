"""The slots that one watch shows, frame by frame, and whether each frame kept what was promised."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from loadtest.grid import STEP_SECONDS, Grid
from loadtest.recording import Breaches
from slotcast.v1.availability_service_pb2 import Delta, WatchAvailabilityResponse

_MODULUS = 2**64


@dataclass(slots=True)
class View:
    """One watch of one calendar: which starts are open, and in which frame each was closed.

    Frames are numbered from 0 in the order in which they came; parts of one delta are one frame.
    """

    grid: Grid
    breaches: Breaches = field(default_factory=Breaches)
    open_seats: dict[int, int] = field(default_factory=dict)
    is_whole: bool = False
    is_over: bool = False
    revisions: array[int] = field(default_factory=lambda: array("q"))
    received_ns: array[int] = field(default_factory=lambda: array("q"))
    closed_in: dict[int, int] = field(default_factory=dict)
    _seq: int = 0
    _draft: dict[int, int] = field(default_factory=dict)
    _parts: list[Delta] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """The revision of the last frame; 0: none came."""
        return self.revisions[-1] if self.revisions else 0

    def take(self, frame: WatchAvailabilityResponse, received_ns: int) -> None:
        """Apply a frame."""
        self._check_order(frame)
        match frame.WhichOneof("frame"):
            case "snapshot_chunk":
                for slot in frame.snapshot_chunk.slots:
                    self._draft[slot.start_time.seconds] = slot.seats_left
            case "snapshot_end":
                self._show_snapshot(frame.snapshot_end.open_slots)
                self._note(frame.revision, received_ns)
            case "delta":
                self._parts.append(frame.delta)
                if not frame.delta.more:
                    self._apply_parts()
                    self._note(frame.revision, received_ns)
            case "heartbeat":
                self._check_heartbeat(frame)
                self._note(frame.revision, received_ns)
            case "reset":
                self._draft.clear()
                self.is_whole = False
                # What it had missed comes with the snapshot: no frame shows when.
                self.breaches.add(f"a watch was reset, reason {frame.reset.reason}")
            case "goodbye":
                self.is_over = True
                self.breaches.add("a watch was ended by the server during the test")

    def _check_order(self, frame: WatchAvailabilityResponse) -> None:
        self._seq += 1
        if frame.stream_seq != self._seq:
            self.breaches.add(f"frame {self._seq} of a stream says it is {frame.stream_seq}")
            self._seq = frame.stream_seq
        if frame.revision < self.revision:
            self.breaches.add(f"revision {frame.revision} came after {self.revision}")

    def _note(self, revision: int, received_ns: int) -> None:
        self.revisions.append(revision)
        self.received_ns.append(received_ns)

    def _show_snapshot(self, open_slots: int) -> None:
        if open_slots != len(self._draft):
            self.breaches.add(f"a snapshot of {open_slots} slots brought {len(self._draft)}")
        self.open_seats, self._draft = self._draft, {}
        self.is_whole = True

    def _apply_parts(self) -> None:
        """Turn the slots at the frame before into those at this one."""
        before: dict[int, int] = {}
        for part in self._parts:
            for span in part.cleared:
                first, last = span.start_time.seconds, span.end_time.seconds
                for start in [each for each in self.open_seats if first <= each < last]:
                    before[start] = self.open_seats.pop(start)
            for key in part.closed:
                seats = self.open_seats.pop(key.start_time.seconds, None)
                if seats is None:
                    self.breaches.add("a delta closed a slot that was not open")
                else:
                    before[key.start_time.seconds] = seats
            for slot in part.opened:
                self.open_seats[slot.start_time.seconds] = slot.seats_left
        number = len(self.revisions)
        for start in before.keys() - self.open_seats.keys():
            self.closed_in[start] = number
        self._parts.clear()

    def _check_heartbeat(self, frame: WatchAvailabilityResponse) -> None:
        heartbeat = frame.heartbeat
        if not self.is_whole:
            return
        count = len(self.open_seats)
        if heartbeat.open_slots != count:
            self.breaches.add(
                f"a heartbeat counts {heartbeat.open_slots} slots, the frames {count}"
            )
        elif heartbeat.digest != self._digest():
            self.breaches.add("a heartbeat's digest is not that of the frames")

    def _digest(self) -> int:
        calendar = self.grid.calendar_name(self.grid.calendars[0])
        parts = (
            _slot_digest(self.grid.type_name, calendar, start, seats)
            for start, seats in self.open_seats.items()
        )
        return sum(parts) % _MODULUS


@lru_cache(maxsize=20_000)
def _slot_digest(type_name: str, calendar: str, start: int, seats: int) -> int:
    text = f"{type_name}\n{calendar}\n{start}\n{start + STEP_SECONDS}\n{seats}"
    return int.from_bytes(sha256(text.encode()).digest()[:8])
