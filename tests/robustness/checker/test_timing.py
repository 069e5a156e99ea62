"""What is late, silent or dishonest is found, and excused only where something is in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.rpc.convert.times import write_instant
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, TYPES_SEEN, look, slot, told
from tests.robustness.checker.judge import examine
from tests.robustness.checker.staged_streams import Stream
from tests.robustness.history import ClockStep, Fault, Link, Outcome
from tests.robustness.scenarios import STANDBY_LINK

CUT = slot("cut", STARTS[0], "chair-1")
TO_CLIENTS = frozenset({Link("clients", "a")})
TO_POSTGRES = frozenset({Link("a", "postgres")})
OF_THE_OTHER = frozenset({Link("clients", "b"), Link("b", "postgres")})
TO_STANDBY = frozenset({STANDBY_LINK})
LATE = {"W4", "W6", "W9"}


@pytest.fixture
def stage():
    return asked.opened()


@pytest.fixture
def stream(stage):
    return watching(stage)


def watching(stage, *types, **more):
    request = asked.window(WatchAvailabilityRequest, types or TYPES_SEEN, **more)
    return Stream(stage, request).snapshot()


def broken(stage, seconds, blocks=frozenset(), *, kind="silence", target="a"):
    """Let something be broken from now on, and return when it no longer is."""
    ended = stage.now + seconds
    fault = Fault(kind=kind, target=target, began=stage.now, ended=ended, blocks=blocks)
    stage.history.faults.append(fault)
    stage.history.faults_ended = ended
    return ended


def set_clock(stage, seconds):
    """Let PostgreSQL's clock be so far from that of the machine."""
    stage.history.clock_steps.append(ClockStep(stage.now, timedelta(seconds=seconds)))


def beat(stage, *streams, seconds):
    """Let time pass, with heartbeats."""
    until = stage.now + seconds
    while stage.now < until:
        stage.wait(2.4)
        for stream in streams:
            stream.heartbeat()


def test_a_stream_that_beats_has_no_violation(stage, stream):
    beat(stage, stream, seconds=20)

    assert told(stage) == set()


def test_w4_a_stream_that_falls_silent(stage, stream):
    stage.wait(8)
    stream.heartbeat()

    assert told(stage) == {("W4", "silence")}


def test_w4_a_stream_that_never_begins(stage):
    Stream(stage, asked.window(WatchAvailabilityRequest, TYPES_SEEN))
    stage.wait(7)

    assert told(stage) >= {("W4", "silence")}


def test_w4_a_reader_that_pauses_hears_nothing(stage, stream):
    stream.watch.pauses.append((stage.now + 1, stage.now + 6))
    stage.wait(7)
    stream.heartbeat()

    assert told(stage) == set()


@pytest.mark.parametrize("blocks", [TO_CLIENTS, TO_POSTGRES])
def test_w4_a_server_that_is_cut_off_may_be_silent_and_a_while_longer(stage, stream, blocks):
    broken(stage, 4, blocks)
    stage.wait(8)
    stream.heartbeat()
    beat(stage, stream, seconds=6)

    assert told(stage) == set()


def test_w4_faults_of_other_servers_and_of_valkey_excuse_nothing(stage, stream):
    broken(stage, 6, OF_THE_OTHER)
    broken(stage, 6, TO_STANDBY)
    broken(stage, 6, kind="Valkey restarted", target="valkey")
    stage.wait(8)
    stream.heartbeat()
    beat(stage, stream, seconds=4)

    assert ("W4", "silence") in told(stage)


def test_w4_a_heartbeat_from_memory(stage):
    """M4: a heartbeat whose revision is not PostgreSQL's, though nothing of the filter changed."""
    stream = watching(stage, "class", calendars=("room",))
    beat(stage, stream, seconds=2)
    revision = stage.revision
    stage.ask(*asked.book(CUT))
    stage.wait(0.3)
    stream.heartbeat().revision = revision

    assert told(stage) == {("W4", "heartbeat")}


def test_w5_an_as_of_that_lies(stage):
    """A server that cannot see PostgreSQL tells what time has done, as if it knew the rest."""
    stream = watching(stage, "walk-in", soon=True)
    broken(stage, 30, TO_POSTGRES)
    revision = stage.revision
    stage.ask(*asked.book(CUT), server="b")
    for _ in range(3):
        stage.wait(4)
        stream.delta().revision = revision

    assert told(stage) == {("W5", "as_of")}


def test_w5_an_as_of_ahead_of_the_clock(stage, stream):
    frame = stream.heartbeat()
    frame.as_of.CopyFrom(write_instant(stage.clock + timedelta(seconds=3)))

    assert told(stage) == {("W5", "as_of ahead")}


@pytest.mark.parametrize(
    ("ahead", "seconds", "is_right"),
    [(0, 2, True), (15, 2, True), (15, 4, False), (16, 2, False)],
    ids=["by the new clock", "by the old one", "by the old one for long", "by none of both"],
)
def test_w5_a_clock_that_was_set_back_is_gone_by_until_it_is_noticed(
    stage, stream, ahead, seconds, is_right
):
    # All watches begin anew.
    stream.end()
    set_clock(stage, -15)
    stage.ask(*asked.book(CUT))
    stage.wait(seconds)
    stream = watching(stage)
    stream.heartbeat().as_of.CopyFrom(write_instant(stage.clock + timedelta(seconds=ahead)))

    assert told(stage) == (set() if is_right else {("W5", "as_of ahead")})


def test_w5_what_was_sent_by_the_old_clock_may_be_read_after_a_pause(stage, stream):
    stage.wait(1)
    stream.watch.pauses.append((stage.now - 0.5, stage.now + 4))
    revision = stage.revision
    set_clock(stage, -15)
    stage.ask(*asked.book(CUT))
    stage.wait(4.1)
    frame = stream.heartbeat()
    frame.revision = revision
    frame.as_of.CopyFrom(write_instant(stage.clock + timedelta(seconds=10.5)))

    assert told(stage) == set()


def test_w5_an_as_of_that_lies_when_the_clock_was_set_back(stage, stream):
    stream.end()
    broken(stage, 30, TO_POSTGRES)
    set_clock(stage, -15)
    stage.wait(4)
    stream = watching(stage, "walk-in", soon=True)
    revision = stage.revision
    stage.ask(*asked.book(CUT), server="b")
    for _ in range(3):
        stage.wait(4)
        stream.delta().revision = revision

    assert told(stage) == {("W5", "as_of")}


def test_w5_a_frame_that_does_not_say_how_long_it_holds(stage, stream):
    stream.heartbeat().ClearField("stale_after")

    assert told(stage) == {("W5", "stale_after")}


def test_w6_a_hold_that_expires_and_is_not_told(stage, stream):
    """M14: nobody writes when a hold expires."""
    stage.ask(*asked.hold(CUT))
    stream.delta()
    beat(stage, stream, seconds=9)
    stage.wait(5)
    stream.delta()

    assert told(stage) == {("W6", "late")}


def test_w6_a_hold_that_expires_and_is_told(stage, stream):
    stage.ask(*asked.hold(CUT))
    stream.delta()
    beat(stage, stream, seconds=9)
    stage.wait(1.5)
    stream.delta()

    assert told(stage) == set()


def test_w6_a_start_that_passes_its_notice_and_is_not_told(stage):
    stream = watching(stage, "walk-in", soon=True)
    while stage.now < 99:
        stream.delta()
        stage.wait(2.4)
    # The start at two minutes past is too near from 100 s on.
    stage.now = 99.2
    stream.delta()
    stage.wait(5.4)

    assert told(stage) == {("W6", "late")}


def test_w7_a_reader_that_paused_and_is_never_told_what_it_missed(stage, stream):
    """M7: what was merged while nobody read has lost something."""
    stage.wait(1)
    stream.watch.pauses.append((stage.now, stage.now + 2))
    revision, shown = stage.revision, dict(stream.shown)
    stage.ask(*asked.book(CUT))
    stage.wait(2.2)
    for _ in range(3):
        frame = stream.heartbeat()
        frame.revision = revision
        stage.wait(2.2)
    stream.shown = shown
    stream.delta()

    assert ("W7", "caught up") in told(stage)


def test_w7_a_reader_that_paused_and_catches_up(stage, stream):
    stage.wait(1)
    stream.watch.pauses.append((stage.now, stage.now + 2))
    stage.ask(*asked.book(CUT))
    stage.wait(2.2)
    stream.delta()
    beat(stage, stream, seconds=6)

    assert told(stage) == set()


def test_w9_a_write_that_is_not_told_while_valkey_is_gone(stage, stream):
    """M11: hints were lost, and PostgreSQL was not asked."""
    broken(stage, 20, kind="silence", target="a - valkey")
    stage.ask(*asked.book(CUT))
    stage.wait(4.9)
    stream.delta()

    assert told(stage) == {("W9", "late")}


def test_w9_frames_that_keep_coming_and_never_tell_of_a_write(stage, stream):
    """A server that honestly tells how it was some time ago."""
    old = stream.heartbeat()
    stage.ask(*asked.book(CUT))
    for _ in range(5):
        stage.wait(1)
        frame = stream.heartbeat()
        frame.revision = old.revision
        frame.as_of.CopyFrom(old.as_of)

    assert told(stage) == {("W9", "late")}


@pytest.mark.parametrize("blocks", [OF_THE_OTHER, TO_STANDBY])
def test_w9_what_keeps_others_from_reading_postgresql_excuses_nothing(stage, stream, blocks):
    broken(stage, 6, blocks)
    stage.ask(*asked.book(CUT))
    stage.wait(4.9)
    stream.delta()

    assert told(stage) == {("W9", "late")}


@pytest.mark.parametrize(("seconds", "is_late"), [(3.5, False), (4.5, True)])
def test_w9_a_server_that_was_cut_off_finds_its_way_back_soon(stage, stream, seconds, is_late):
    """It has a second for that, two to show what it missed, and the slack."""
    stage.ask(*asked.book(CUT), server="b")
    stage.now = broken(stage, 2, TO_POSTGRES)
    stage.wait(seconds)
    stream.delta()
    beat(stage, stream, seconds=6)

    assert told(stage) == ({("W9", "late")} if is_late else set())


@pytest.mark.parametrize(("blocks", "excused"), [(OF_THE_OTHER, set()), (TO_POSTGRES, LATE)])
def test_what_is_compared_while_other_things_are_broken_is_counted(stage, stream, blocks, excused):
    broken(stage, 20, blocks)
    beat(stage, stream, seconds=7)
    counted = examine(*stage.end()).checks

    assert counted["W5 amid faults"] > 0
    assert {name for name in LATE if not counted[f"{name} amid faults"]} == excused


def test_w9_what_does_not_concern_a_filter_need_not_be_told_at_once(stage):
    stream = watching(stage, "class")
    stage.ask(*asked.book(CUT))
    stage.wait(4.9)
    stream.delta()

    assert told(stage) == set()


def test_w9_bookings_that_wait_for_the_standby_may_stop(stage):
    broken(stage, 20, target="valkey")
    broken(stage, 20, TO_STANDBY)
    nobody_answers(stage)
    stage.wait(20)

    assert told(stage) == set()


def test_w9_bookings_that_stop_while_valkey_is_gone(stage):
    broken(stage, 20, target="valkey")
    nobody_answers(stage)
    stage.wait(20)

    assert told(stage) == {("W9", "bookings")}
    assert examine(*stage.end()).checks["W9 of bookings"] == 1


def test_liveness_a_server_that_answers_nothing_though_nothing_is_broken(stage):
    stage.wait(4)
    nobody_answers(stage)

    assert told(stage) == {("liveness", "unanswered")}


def nobody_answers(stage):
    """Let bookings be tried, of which nothing is heard and nothing comes."""
    for _ in range(25):
        call = stage.ask(*asked.book(CUT))
        stage.answered.pop(call.request.request_id, None)
        call.outcome, call.reason, call.response = Outcome.UNKNOWN, "DEADLINE_EXCEEDED", None
    while len(stage.changes) > 11:
        stage.changes.pop()
    stage.ledger.bookings.clear()
    for claim in list(stage.ledger.offer.claims):
        stage.ledger.offer.claims.remove(claim.claim_id)


def test_liveness_a_stream_that_stays_behind_when_all_is_over(stage, stream):
    fault_over = broken(stage, 1, TO_POSTGRES)
    revision = stage.revision
    stage.ask(*asked.book(CUT), server="b")
    while stage.now < fault_over + 9:
        stage.wait(2)
        stream.heartbeat().revision = revision

    assert ("liveness", "behind") in told(stage)


def test_liveness_a_stream_that_is_refused_when_all_is_over(stage, stream):
    broken(stage, 1, TO_CLIENTS)
    beat(stage, stream, seconds=8)
    Stream(stage, asked.window(WatchAvailabilityRequest, TYPES_SEEN)).end("UNAVAILABLE")

    assert told(stage) == {("liveness", "refused")}


# The Python client.


def test_w5_a_client_that_shows_what_is_so(stage):
    look(stage)
    stage.ask(*asked.hold(CUT))
    look(stage)
    stage.wait(11)
    look(stage)
    look(stage, (), stale=True)
    look(stage)

    assert told(stage) == set()


def test_w5_a_client_that_may_still_show_a_hold_that_has_just_expired(stage):
    stage.ask(*asked.hold(CUT))
    slots = stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN))
    stage.wait(11)
    look(stage, slots)
    look(stage)

    assert told(stage) == set()


def test_w5_a_client_that_shows_what_is_taken(stage):
    slots = stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN))
    stage.ask(*asked.book(CUT))
    look(stage, slots)

    assert told(stage) == {("W5", "slots")}


def test_w5_a_client_that_shows_a_hold_again_that_it_had_shown_to_be_over(stage):
    stage.ask(*asked.hold(CUT))
    slots = stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN))
    stage.wait(11)
    look(stage)
    look(stage, slots)

    assert told(stage) == {("W5", "slots")}


def test_w5_a_client_that_is_not_stale_though_it_has_heard_nothing(stage):
    watching(stage).end()
    slots, revision = (
        stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN)),
        stage.revision,
    )
    stage.ask(*asked.book(CUT))
    stage.wait(13)
    look(stage, slots, revision=revision)

    assert told(stage) == {("W5", "fresh though old")}


def test_w5_a_client_that_offers_slots_though_it_is_stale(stage):
    look(stage, stale=True)

    assert told(stage) == {("W5", "stale")}


def test_w5_a_client_that_goes_back(stage):
    slots = stage.slots(asked.window(WatchAvailabilityRequest, TYPES_SEEN))
    stage.ask(*asked.book(CUT))
    look(stage)
    look(stage, slots, revision=stage.revision - 1)

    assert told(stage) == {("W5", "back")}


def test_liveness_a_client_that_is_stale_when_all_is_long_over(stage):
    broken(stage, 1, TO_CLIENTS)
    stage.wait(20)
    look(stage, (), stale=True)

    assert told(stage) == {("liveness", "stale")}
