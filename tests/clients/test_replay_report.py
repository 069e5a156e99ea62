"""What a replay measures, and what its report says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from loadtest.figures import latency
from loadtest.replay.audit import Breach, Promise
from loadtest.replay.machine import Machine, this_machine
from loadtest.replay.measures import Measures, ShownAt
from loadtest.replay.report import Checked, Outcomes, Played, Report, Watched
from loadtest.replay.town import ALL_DAY, Unit
from loadtest.replay.watchers import Watcher, differing, freshness_of
from slotcast import Client, Slot, SlotKey, SlotQuery, SlotTaken

NINE = datetime(2030, 6, 3, 9, 0, tzinfo=UTC)
MILLISECOND = 1_000_000
REPORT = Report(
    played=Played(
        requests=1200,
        units=3,
        people=1000,
        first_date="2030-06-03",
        last_date="2030-06-28",
        weeks_moved=700,
        speed=None,
        concurrency=32,
        seed=1,
        seconds=4.0,
        requests_per_second=300.0,
        late_seconds_max=0.0,
    ),
    outcomes=Outcomes(
        booked=1190,
        on_another_day=7,
        full=6,
        outrun=4,
        failed=0,
        unknown=0,
        not_played=0,
        cancelled=100,
        taken=50,
        errors={},
    ),
    calls={"list": latency([MILLISECOND, 2 * MILLISECOND]), "cancel": None},
    watched=Watched(
        watchers=2,
        freshness=latency([3 * MILLISECOND]),
        frame_first=1,
        unseen=0,
        stale=0,
        differences=[],
    ),
    checked=Checked(bookings=1190, live_bookings=1090, open_seats=9000, breaches=[]),
    machine=Machine(cpu="A CPU", cores=2, memory_gib=8.0, system="Linux", python="3.11"),
)
BREACH = Breach(promise=Promise.NEVER_TWICE, what="centro at nine takes 1: b1, b2")


def shown_text(report: Report) -> str:
    console = Console(width=200, file=StringIO())
    console.print(report.as_text())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


async def a_watcher(revisions: list[int], seen_at_ms: list[int]) -> Watcher:
    query = SlotQuery(start=NINE, end=NINE + timedelta(days=1))
    async with Client("localhost:1", business="town") as client:
        return Watcher(
            unit=Unit(
                slug="centro", display_name="Centro", requests=1, opening=ALL_DAY, capacity=1
            ),
            query=query,
            view=client.watch(query),
            revisions=revisions,
            seen_at_ns=[at * MILLISECOND for at in seen_at_ms],
        )


def test_a_report_says_what_was_found_and_on_which_machine():
    text = shown_text(REPORT)

    assert "1,200 requests of 1,000 people at 3 units" in text
    assert "300 requests/s" in text
    assert "1,190 booked (7 of them on another day), 100 of those cancelled later" in text
    assert "No double booking, no lost booking." in text
    assert "2 cores of A CPU, 8 GiB" in text


def test_a_broken_promise_is_shown_and_never_called_kept():
    broken = replace(REPORT, checked=replace(REPORT.checked, breaches=[BREACH]))

    assert not broken.kept
    assert "double booking: centro at nine takes 1: b1, b2" in shown_text(broken)
    assert "No double booking" not in shown_text(broken)


def test_a_watch_that_differs_from_a_list_is_a_broken_promise():
    assert not replace(REPORT, watched=replace(REPORT.watched, differences=["x"])).kept


def test_a_trace_that_was_not_played_to_its_end_is_not_called_kept():
    stopped = replace(REPORT, outcomes=replace(REPORT.outcomes, not_played=5))

    assert not stopped.kept
    assert "5 requests were not played" in shown_text(stopped)


def test_the_report_for_programs_is_json_with_all_of_it():
    values = json.loads(json.dumps(REPORT.as_json()))

    assert values["kept"] is True
    assert values["outcomes"]["booked"] == 1190
    assert values["calls"]["list"]["p50_ms"] == 1.0
    assert values["calls"]["cancel"] is None
    assert values["watched"]["freshness"]["max_ms"] == 3.0
    assert values["machine"]["cores"] == 2


async def test_freshness_counts_from_an_answer_to_the_first_frame_that_has_it():
    watcher = await a_watcher(revisions=[5, 9, 12], seen_at_ms=[100, 200, 300])
    shown = [
        ShownAt("centro", 4, 90 * MILLISECOND),
        ShownAt("centro", 6, 190 * MILLISECOND),
        ShownAt("centro", 9, 205 * MILLISECOND),
        ShownAt("centro", 13, 300 * MILLISECOND),
        ShownAt("elsewhere", 6, 0),
    ]

    freshness = freshness_of([watcher], shown)

    assert freshness.nanoseconds == [10 * MILLISECOND, 10 * MILLISECOND, 0]
    assert freshness.frame_first == 1
    assert freshness.unseen == 1


def test_a_view_equals_a_list_only_with_the_same_slots_and_seats():
    key = SlotKey(NINE, "visit", "centro", NINE + timedelta(minutes=15))
    two = Slot(appointment_type="visit", calendar="centro", start=NINE, end=key.end, seats_left=2)

    assert differing("centro", {key: two}, {key: two}) == []
    assert (
        "shows 2 seats open, the list 1"
        in differing("centro", {key: two}, {key: replace(two, seats_left=1)})[0]
    )
    assert "shows 0 seats open, the list 2" in differing("centro", {}, {key: two})[0]


async def test_a_refusal_takes_time_too():
    measures = Measures()

    async def refuse() -> None:
        raise SlotTaken

    with pytest.raises(SlotTaken):
        await measures.timed("hold", refuse())

    assert len(measures.nanoseconds["hold"]) == 1


def test_this_machine_has_a_name_and_cores():
    machine = this_machine()

    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory_gib > 0
