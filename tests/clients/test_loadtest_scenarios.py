"""What the load tester sees of an honest server, and of one that lies."""

import asyncio

import pytest

from loadtest.audit import Auditor, Ledger
from loadtest.callers import Desk, HotJob, StreamJob, UnaryJob
from loadtest.grid import Cursor, Grid
from loadtest.recording import Breaches, check_distinct, joined
from loadtest.watching import WatchJob, judge
from tests.clients.booking_server import booking_server

GRID = Grid(business="b", calendars=("c0", "c1"), first_start=86_400 * 20_000, days=70)
WATCHED = Grid(business="b", calendars=("w",), first_start=86_400 * 20_000, days=5)


class OpenGate:
    """Lets a job begin at once."""

    def __init__(self):
        self.count = 0
        self.is_ready = asyncio.Event()
        self.last_revision = asyncio.get_running_loop().create_future()

    async def ready(self):
        self.is_ready.set()
        return 0

    async def finish(self):
        return await self.last_revision

    def done(self, count=1):
        self.count += count


@pytest.fixture
async def server():
    async with booking_server() as server:
        yield server


@pytest.fixture
def desk(server):
    return a_desk(server, GRID)


def a_desk(server, grid):
    return Desk(target=server.target, api_key="k", worker="test", grid=grid, channels=2)


def unary(desk, indexes, **changes):
    # Begun at 0, so it ends only when the slots are used up.
    values = {"callers": 4, "seconds": 1e9, **changes}
    return UnaryJob(desk=desk, indexes=indexes, **values)


async def compare(server, *recordings, grid=GRID):
    ledger = Ledger(Cursor(grid))
    ledger.cursor.take(max(recording.reached for recording in recordings))
    for recording in recordings:
        ledger.add(recording)
    auditor = Auditor(server.target, "k")
    try:
        return await asyncio.to_thread(auditor.compare, [ledger])
    finally:
        auditor.close()


async def test_every_slot_is_booked_once_and_found_again(server, desk):
    gate = OpenGate()

    recording = await unary(desk, range(200)).run(gate)
    audit = await compare(server, recording)

    assert sorted(recording.index) == list(range(200))
    assert gate.count == 200
    assert not recording.failures
    assert (recording.breaches.count, audit.breaches.told) == (0, [])
    assert audit.bookings == 200
    assert audit.slots == 2 * 2 * 96 - 200


async def test_calls_that_are_due_at_times_are_measured_from_when_they_were_due(server, desk):
    # Begun at 0: all have long been due.
    job = unary(desk, range(50), rate=1000.0, seconds=10.0, callers=50)

    recording = await job.run(OpenGate())

    assert len(recording) + recording.not_sent == 50
    assert all(due < sent for due, sent in zip(recording.due_ns, recording.sent_ns, strict=True))


async def test_a_stream_has_all_its_requests_answered(server, desk):
    job = StreamJob(desk=desk, indexes=range(0, 300, 3), in_flight=8, seconds=1e9)

    recording = await job.run(OpenGate())

    assert sorted(recording.index) == list(range(0, 300, 3))
    assert recording.reached == 298
    assert not recording.failures
    assert not recording.breaches.count


async def test_a_refusal_of_a_slot_that_nobody_else_wants_is_a_failure(server, desk):
    server.refuses_with = "RATE_LIMITED"

    for job in (
        unary(desk, range(3)),
        StreamJob(desk=desk, indexes=range(3), in_flight=8, seconds=1e9),
    ):
        recording = await job.run(OpenGate())

        assert recording.failures == {"RATE_LIMITED": 3}
        assert len(recording) == 0


async def test_an_outcome_that_is_not_known_is_held_against_nobody(server, desk):
    recording = await unary(desk, range(10)).run(OpenGate())
    server.refuses_with = "TRY_AGAIN"
    unknown = await unary(desk, range(10, 12)).run(OpenGate())
    # The first of the two was booked before the answer was lost.
    calendar, start = GRID.calendar_name(GRID.place(10).calendar), GRID.place(10).start
    server.taken[calendar, start] = 1

    audit = await compare(server, recording, unknown)

    assert sorted(unknown.unknown) == [10, 11]
    assert audit.breaches.told == []


async def test_one_of_many_callers_wins_the_hot_slot(server, desk):
    job = HotJob(desk=desk, index=5, callers=20, attempts=3)

    recording = await job.run(OpenGate())

    assert len(recording) == 1
    assert len(recording.refused_ns) == 59
    assert recording.bare_refusals == 0
    assert not recording.failures
    assert not recording.breaches.count


async def test_refusals_without_alternatives_are_counted(server, desk):
    server.hides_alternatives = True

    recording = await HotJob(desk=desk, index=5, callers=5, attempts=1).run(OpenGate())

    assert recording.bare_refusals == 4


async def test_a_lying_server_that_sells_a_slot_twice_is_found_out(server, desk):
    server.sells_twice = True
    jobs = [HotJob(desk=desk, index=5, callers=2, attempts=1) for _ in range(2)]

    recording = joined([await job.run(OpenGate()) for job in jobs])
    check_distinct(recording)
    audit = await compare(server, recording)

    assert recording.breaches.told == ["slot 5 was answered OK 4 times"]
    assert "1 slots have more than one booking" in audit.breaches.told


async def test_a_lying_server_that_books_another_slot_is_found_out(server, desk):
    server.books_the_next_slot = True

    recording = await unary(desk, range(3)).run(OpenGate())

    assert recording.breaches.count == 3
    assert recording.breaches.told == ["another start was booked than was asked for"]


async def test_a_lying_server_that_forgets_bookings_is_found_out(server, desk):
    server.forgets = True

    recording = await unary(desk, range(3)).run(OpenGate())
    audit = await compare(server, recording)

    assert audit.breaches.told == [
        "3 bookings that were answered OK are not there",
        "3 booked slots are shown as open",
    ]


async def test_a_lying_server_that_gives_a_revision_twice_is_found_out(server, desk):
    first = await unary(desk, range(3)).run(OpenGate())
    server.revision = 0
    second = await unary(desk, range(3, 6)).run(OpenGate())
    both = joined([first, second])

    check_distinct(both)

    assert both.breaches.told == ["3 bookings have the revision of another booking"]


async def watch(server, bookings, watchers=3):
    """Let some watch while another books; return what they saw and what was booked."""
    job = WatchJob(desk=a_desk(server, WATCHED), watchers=watchers, first_day=0, days=WATCHED.days)
    gate = OpenGate()
    watching = asyncio.create_task(job.run(gate))
    await gate.is_ready.wait()
    recording = await unary(a_desk(server, WATCHED), range(bookings)).run(OpenGate())
    gate.last_revision.set_result(max(recording.revision))
    return await watching, recording


def findings(seen, recording):
    breaches = Breaches()
    shown = [list(judge(watcher, recording, WATCHED, breaches)) for watcher in seen.watchers]
    return shown, breaches.told


async def test_every_watcher_sees_every_booking_in_the_frame_of_its_revision(server):
    seen, recording = await watch(server, 20)

    shown, told = findings(seen, recording)

    assert [len(each) for each in shown] == [20, 20, 20]
    assert all(each.after_send > 0 for watcher in shown for each in watcher)
    assert (told, seen.breaches.told, seen.failures) == ([], [], {})
    left = {WATCHED.place(index).start for index in range(20, len(WATCHED))}
    assert all(watcher.open_starts == left for watcher in seen.watchers)


async def test_a_missing_frame_is_found_out(server):
    server.loses_frame = 7

    seen, recording = await watch(server, 20)
    shown, told = findings(seen, recording)

    assert [len(each) for each in shown] == [19, 19, 19]
    assert told == ["a booked slot was never shown as closed"]


async def test_a_watcher_that_stays_behind_is_found_out(server, monkeypatch):
    monkeypatch.setattr("loadtest.watching.CATCH_UP_SECONDS_MAX", 0.05)
    server.loses_frame = 20

    seen, _ = await watch(server, 20)

    assert seen.breaches.told == ["a watch stayed behind: at 19, not at 20"]
