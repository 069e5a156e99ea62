"""How the load tester reads the frames of a watch."""

from array import array
from hashlib import sha256

import pytest

from loadtest.grid import Grid
from loadtest.recording import Breaches, Recording, Times
from loadtest.view import View
from loadtest.watching import Sighting, judge
from slotcast.v1.availability_service_pb2 import (
    ClearedSpan,
    Delta,
    Goodbye,
    Heartbeat,
    Reset,
    SnapshotChunk,
    SnapshotEnd,
    WatchAvailabilityResponse,
)
from slotcast.v1.core_pb2 import Slot, SlotKey

DAY = 86_400
GRID = Grid(business="b", calendars=("w",), first_start=DAY, days=1)
A, B, C = DAY, DAY + 900, DAY + 1800


def a_slot(start, seats=1):
    slot = Slot(appointment_type=GRID.type_name, calendar=GRID.calendar_name("w"), seats_left=seats)
    slot.start_time.seconds, slot.end_time.seconds = start, start + 900
    return slot


def a_delta(*, closed=(), opened=(), cleared=(), more=False):
    delta = Delta(more=more, opened=[a_slot(start) for start in opened])
    for start in closed:
        delta.closed.append(SlotKey())
        delta.closed[-1].start_time.seconds = start
    for first, last in cleared:
        delta.cleared.append(ClearedSpan())
        delta.cleared[-1].start_time.seconds = first
        delta.cleared[-1].end_time.seconds = last
    return delta


class Sender:
    """Sends frames to a view, numbered as they should be."""

    def __init__(self):
        self.view = View(GRID)
        self.number = 0

    def send(self, revision, **content):
        self.number += 1
        frame = WatchAvailabilityResponse(stream_seq=self.number, revision=revision, **content)
        self.view.take(frame, 1000 * self.number)

    @property
    def told(self):
        return self.view.breaches.told


@pytest.fixture
def sender():
    sender = Sender()
    slots = [a_slot(start) for start in (A, B, C)]
    sender.send(5, snapshot_chunk=SnapshotChunk(slots=slots))
    sender.send(5, snapshot_end=SnapshotEnd(open_slots=3))
    return sender


def test_a_snapshot_shows_when_it_is_whole():
    sender = Sender()
    sender.send(5, snapshot_chunk=SnapshotChunk(slots=[a_slot(A)]))
    assert not sender.view.is_whole

    sender.send(5, snapshot_end=SnapshotEnd(open_slots=1))

    assert sender.view.is_whole
    assert sender.view.open_seats == {A: 1}


def test_a_snapshot_with_a_hole_is_found_out():
    sender = Sender()
    sender.send(5, snapshot_chunk=SnapshotChunk(slots=[a_slot(A)]))

    sender.send(5, snapshot_end=SnapshotEnd(open_slots=2))

    assert sender.told == ["a snapshot of 2 slots brought 1"]


def test_a_delta_is_applied_when_its_last_part_has_come(sender):
    sender.send(7, delta=a_delta(closed=[A], more=True))
    assert set(sender.view.open_seats) == {A, B, C}

    sender.send(7, delta=a_delta(closed=[B]))

    assert set(sender.view.open_seats) == {C}
    assert sender.view.closed_in == {A: 1, B: 1}
    assert list(sender.view.received_ns) == [2000, 4000]


def test_a_span_is_cleared_before_slots_are_opened_again(sender):
    sender.send(6, delta=a_delta(cleared=[(A, C)], opened=[B]))

    assert set(sender.view.open_seats) == {B, C}
    assert sender.view.closed_in == {A: 1}


@pytest.mark.parametrize(
    ("content", "breach"),
    [
        ({"delta": a_delta(closed=[A + 90])}, "a delta closed a slot that was not open"),
        ({"heartbeat": Heartbeat(open_slots=2)}, "a heartbeat counts 2 slots, the frames 3"),
        (
            {"heartbeat": Heartbeat(open_slots=3, digest=1)},
            "a heartbeat's digest is not that of the frames",
        ),
        ({"goodbye": Goodbye()}, "a watch was ended by the server during the test"),
        ({"reset": Reset(reason=Reset.REASON_SLOW_READER)}, "a watch was reset, reason 5"),
    ],
)
def test_a_frame_that_cannot_be_right_is_found_out(sender, content, breach):
    sender.send(6, **content)

    assert sender.told == [breach]


def test_a_frame_that_was_lost_or_comes_from_the_past_is_found_out(sender):
    sender.number += 1
    sender.send(4, delta=a_delta(closed=[A]))

    assert sender.told == ["frame 3 of a stream says it is 4", "revision 4 came after 5"]


def test_a_right_digest_is_taken(sender):
    name = f"{GRID.type_name}\n{GRID.calendar_name('w')}"
    lines = [f"{name}\n{start}\n{start + 900}\n1" for start in (A, B, C)]
    digest = (
        sum(int.from_bytes(sha256(line.encode()).digest()[:8], "big") for line in lines) % 2**64
    )

    sender.send(6, heartbeat=Heartbeat(open_slots=3, digest=digest))

    assert sender.told == []


def judged(closed_in, revisions=(5, 6, 7)):
    recording = Recording()
    recording.booked(0, 6, Times(0, 10, 30))
    sighting = Sighting(array("q", revisions), array("q", [0, 50, 70]), closed_in, frozenset())
    breaches = Breaches()
    return list(judge(sighting, recording, GRID, breaches)), breaches.told


def test_a_booking_is_shown_by_the_first_frame_that_has_its_revision():
    (shown,), told = judged({A: 1})

    assert (shown.after_answer, shown.after_send) == (20, 40)
    assert told == []


@pytest.mark.parametrize(
    ("closed_in", "breach"),
    [
        ({}, "a booked slot was never shown as closed"),
        ({A: 2}, "a frame said it had a revision whose booking it did not show"),
        ({A: 0}, "a slot was shown as closed before the revision that closed it"),
    ],
)
def test_a_booking_in_the_wrong_frame_is_found_out(closed_in, breach):
    assert judged(closed_in)[1] == [breach]
