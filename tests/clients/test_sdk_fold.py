"""Folding frames: however they are split or merged, the slots are those of the server."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotcast import ViewMismatch
from slotcast.convert import timestamp
from slotcast.fold import OpenSlots, digest_term
from slotcast.v1.availability_service_pb2 import ClearedSpan, Reset, WatchAvailabilityResponse
from tests.clients.wire import (
    DAY,
    a_slot,
    delta,
    frame,
    goodbye,
    heartbeat,
    reset,
    snapshot,
)

CALENDARS = ("anna", "bert")
ALL_SLOTS = [a_slot(number, calendar=name) for name in CALENDARS for number in range(8)]
states = st.dictionaries(
    st.sampled_from(ALL_SLOTS).map(lambda slot: slot.key), st.integers(1, 3), max_size=12
)


def folded(*frames):
    slots = OpenSlots()
    for item in frames:
        slots.apply(item)
    return slots


def slots_of(state):
    return [replace(slot, seats_left=state[slot.key]) for slot in ALL_SLOTS if slot.key in state]


def changes_between(before, after, seen):
    """What a server sends that last told `before`; `seen` chooses spans to clear first."""
    cleared = [key for key in before if key.start in seen]
    spans = [_span(start) for start in seen]
    kept = {key: seats for key, seats in before.items() if key not in cleared}
    closed = [slot for slot in slots_of(kept) if slot.key not in after]
    opened = [slot for slot in slots_of(after) if kept.get(slot.key) != slot.seats_left]
    return spans, closed, opened


def _span(start):
    return ClearedSpan(
        start_time=timestamp(start), end_time=timestamp(start + timedelta(minutes=30))
    )


def parts(draw, revision, spans, closed, opened):
    """One delta, its content dealt out to a few parts in any manner."""
    count = draw(st.integers(1, 4))
    hands: list[list[list[object]]] = [[[], [], []] for _ in range(count)]
    for place, items in enumerate((spans, closed, opened)):
        for item in items:
            hands[draw(st.integers(0, count - 1))][place].append(item)
    return [
        delta(revision, cleared=hand[0], closed=hand[1], opened=hand[2], more=at < count - 1)
        for at, hand in enumerate(hands)
    ]


@settings(deadline=None)
@given(st.data())
def test_however_frames_are_split_or_merged_the_view_is_the_same(data):
    history = data.draw(st.lists(states, min_size=1, max_size=5))
    told = {0: history[0]}
    frames = snapshot(1, slots_of(history[0]), chunk_size=data.draw(st.integers(1, 12)))
    last = history[0]
    for at, state in enumerate(history[1:], start=1):
        if at < len(history) - 1 and data.draw(st.booleans()):
            continue  # merged into the next
        seen = data.draw(st.sets(st.sampled_from([slot.start for slot in ALL_SLOTS]), max_size=2))
        frames += parts(data.draw, at + 1, *changes_between(last, state, seen))
        last = told[at] = state
    frames.append(heartbeat(len(history) + 1, slots_of(history[-1])))
    view = OpenSlots()
    for item in frames:
        complete = view.apply(item)
        if complete and item.WhichOneof("frame") != "heartbeat":
            assert _seats(view) == told[item.revision - 1]
    assert _seats(view) == history[-1]


@settings(deadline=None)
@given(states, states)
def test_the_changes_that_were_taken_turn_what_was_shown_into_what_is_open(before, after):
    view = folded(*snapshot(1, slots_of(before)))
    shown = dict(view.slots)
    view.take_changes()
    spans, closed, opened = changes_between(before, after, [])
    view.apply(delta(2, cleared=spans, closed=closed, opened=opened))
    for key, slot in view.take_changes().items():
        if slot is None:
            shown.pop(key)
        else:
            shown[key] = slot
    assert shown == view.slots


def _seats(view):
    return {key: slot.seats_left for key, slot in view.slots.items()}


def test_the_digest_of_a_slot_is_the_one_that_the_proto_tells():
    slot = a_slot(18, seats=2)
    start = int(slot.start.timestamp())
    line = (
        "businesses/salon/appointmentTypes/cut\nbusinesses/salon/calendars/anna\n"
        f"{start}\n{start + 1800}\n2"
    )
    expected = int.from_bytes(hashlib.sha256(line.encode()).digest()[:8], "big")
    assert digest_term(slot) == expected


def test_a_snapshot_is_shown_when_it_has_ended():
    view = OpenSlots()
    chunk, end = snapshot(3, [a_slot(1)])
    assert not view.apply(chunk)
    assert not view.whole
    assert not view.slots
    assert view.apply(end)
    assert list(view.slots.values()) == [a_slot(1)]
    assert (view.revision, view.resume_token) == (3, "token-3")


def test_an_empty_snapshot_is_a_whole_view():
    view = folded(*snapshot(3, []))
    assert view.whole
    assert view.slots == {}


def test_a_snapshot_with_a_slot_missing_is_refused():
    first, _, end = snapshot(3, [a_slot(1), a_slot(2)], chunk_size=1)
    with pytest.raises(ViewMismatch):
        folded(first, end)


def test_atomic_no_part_of_a_delta_is_shown_before_its_last():
    view = folded(*snapshot(1, [a_slot(1)]))
    view.apply(delta(2, closed=[a_slot(1)], more=True))
    assert list(view.slots.values()) == [a_slot(1)]
    assert view.revision == 1
    view.apply(delta(2, opened=[a_slot(2)]))
    assert list(view.slots.values()) == [a_slot(2)]
    assert view.revision == 2


def test_a_cleared_span_closes_the_starts_in_it_of_what_it_names():
    slots = [a_slot(1), a_slot(2), a_slot(2, calendar="bert"), a_slot(3)]
    span = ClearedSpan(
        calendar="businesses/salon/calendars/anna",
        start_time=timestamp(DAY + timedelta(minutes=60)),
        end_time=timestamp(DAY + timedelta(minutes=90)),
    )
    view = folded(*snapshot(1, slots), delta(2, cleared=[span]))
    assert sorted(view.slots) == [a_slot(1).key, a_slot(2, calendar="bert").key, a_slot(3).key]


def test_what_is_cleared_and_opened_in_one_delta_is_open():
    everything = ClearedSpan(start_time=timestamp(DAY), end_time=timestamp(DAY + timedelta(days=1)))
    view = folded(
        *snapshot(1, [a_slot(1), a_slot(2)]),
        delta(2, opened=[a_slot(2, seats=3)], more=True),
        delta(2, cleared=[everything]),
    )
    assert list(view.slots.values()) == [a_slot(2, seats=3)]


def test_a_heartbeat_moves_the_revision_and_the_token():
    view = folded(*snapshot(1, [a_slot(1)]), heartbeat(5, [a_slot(1)]))
    assert (view.revision, view.resume_token) == (5, "token-5")


@pytest.mark.parametrize("vouched", [[], [a_slot(2)], [a_slot(1, seats=2)]])
def test_a_heartbeat_that_vouches_for_other_slots_is_a_mismatch(vouched):
    view = folded(*snapshot(1, [a_slot(1)]))
    with pytest.raises(ViewMismatch):
        view.apply(heartbeat(2, vouched))


def test_the_digest_is_kept_over_deltas():
    view = folded(
        *snapshot(1, [a_slot(1), a_slot(2)]),
        delta(2, closed=[a_slot(1)], opened=[a_slot(2, seats=4), a_slot(3)]),
    )
    assert view.apply(heartbeat(3, [a_slot(2, seats=4), a_slot(3)]))


def test_revisions_never_go_back():
    view = folded(*snapshot(5, []))
    with pytest.raises(ViewMismatch):
        view.apply(delta(4, opened=[a_slot(1)]))


def test_time_is_a_writer_a_delta_may_come_at_the_same_revision():
    view = folded(*snapshot(5, []))
    assert view.apply(delta(5, opened=[a_slot(1)], seconds=60))


def test_a_reset_forgets_all_slots_and_the_token():
    view = folded(*snapshot(5, [a_slot(1)]), reset(5))
    assert not view.whole
    assert not view.slots
    assert view.resume_token == ""
    assert view.revision == 5


def test_a_business_made_anew_counts_its_revisions_anew():
    view = folded(*snapshot(5, [a_slot(1)]), reset(1, Reset.REASON_EPOCH), *snapshot(1, []))
    assert view.revision == 1
    with pytest.raises(ViewMismatch):
        folded(*snapshot(5, []), reset(5), *snapshot(1, []))


def test_a_delta_before_any_snapshot_is_refused():
    with pytest.raises(ViewMismatch):
        folded(delta(1, opened=[a_slot(1)]))


def test_another_frame_amid_a_delta_is_refused():
    view = folded(*snapshot(1, []), delta(2, opened=[a_slot(1)], more=True))
    with pytest.raises(ViewMismatch):
        view.apply(heartbeat(2, []))


def test_a_goodbye_amid_a_delta_leaves_the_token_of_what_was_whole():
    view = folded(*snapshot(1, []), delta(2, opened=[a_slot(1)], more=True), goodbye(2))
    assert view.resume_token == "token-1"
    view.begin_stream()
    assert view.apply(delta(2, opened=[a_slot(2)]))
    assert list(view.slots.values()) == [a_slot(2)]


def test_a_frame_of_an_unknown_kind_changes_nothing():
    view = folded(*snapshot(3, [a_slot(1)]))
    unknown = WatchAvailabilityResponse.FromString(frame(9).SerializeToString() + b"\xfa\x01\x00")
    assert not view.apply(unknown)
    assert (view.revision, view.resume_token) == (3, "token-3")
