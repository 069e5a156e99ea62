"""A report has all that a person needs in order to see what went wrong, in one folder."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from slotcast.v1.availability_service_pb2 import (
    WatchAvailabilityRequest,
    WatchAvailabilityResponse,
)
from slotcast.v1.booking_service_pb2 import BookRequest
from tests.robustness.history import (
    Arrival,
    ClockStep,
    Ending,
    Fault,
    History,
    Link,
    Outcome,
    Sight,
    Watch,
)
from tests.robustness.linearizability.rehearsal import Rehearsal
from tests.robustness.report.words import told
from tests.robustness.report.writing import write_report
from tests.robustness.violation import Violation, worst_first

CALLS = 120
LATE = Violation(promise="W9", rule="in time", text="A stream was late.", at=1.0, watches=(1,))
TWICE = Violation(promise="B1", rule="fits", text="Sold twice.", at=2.0, revision=3, calls=(7, 9))
UNDECIDED = Violation(promise="B1", rule="not decided", text="Not decided: too many steps.")


class Report(NamedTuple):
    """A report that was written, and what of."""

    folder: Path
    history: History

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    @property
    def page(self) -> str:
        return (self.folder / "timeline.html").read_text()

    @property
    def data(self) -> Any:
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.page)
        assert found is not None
        return json.loads(found[1])


@pytest.fixture
def report(tmp_path: Path) -> Report:
    rehearsal = Rehearsal(5, trouble=0.3)
    history = rehearsal.run(CALLS)
    history.watches += [_watch(history, 1), _watch(history, 2, resumes=1)]
    history.faults.append(
        Fault(
            kind="silence",
            target="a - postgres",
            began=1.0,
            ended=2.5,
            blocks=frozenset({Link("a", "postgres")}),
        )
    )
    history.clock_steps.append(ClockStep(3.0, timedelta(seconds=4)))
    history.sights += [
        Sight(at=at, watcher="onlooker-1", is_stale=at == 0.2, revision=1, slots=frozenset())
        for at in (0.1, 0.2, 0.3)
    ]
    folder = tmp_path / "report"
    violations = [LATE, UNDECIDED, TWICE]
    write_report(folder, history, rehearsal.desk.witness(), violations, seconds=12.0)
    return Report(folder, history)


def _watch(history: History, number: int, resumes: int | None = None) -> Watch:
    listed = next(call for call in history.calls if call.method == "ListSlots" and call.response)
    chunk, delta = (WatchAvailabilityResponse(revision=2, stream_seq=seq) for seq in (1, 2))
    for frame in (chunk, delta):
        frame.as_of.FromDatetime(history.database_time(1.0))
    chunk.snapshot_chunk.slots.extend(listed.response.slots)
    delta.delta.opened.extend(listed.response.slots[:1])
    return Watch(
        number=number,
        watcher=f"watcher-{number}",
        server="b",
        request=WatchAvailabilityRequest(parent="businesses/salon"),
        opened=0.9,
        resumes=resumes,
        arrivals=[Arrival(1.0, chunk), Arrival(1.1, delta)],
        pauses=[(1.2, 1.4)],
        ended=2.0,
        ending=Ending.GOODBYE,
    )


def test_every_call_and_stream_and_change_is_written_out(report: Report):
    history = report.history
    operations, watches = report.lines("operations.jsonl"), report.lines("watches.jsonl")

    assert [each["number"] for each in operations] == [call.number for call in history.calls]
    assert [each["outcome"] for each in operations] == [call.outcome for call in history.calls]
    answered = [each for each in operations if each["outcome"] == "ok"]
    assert all(each["response"] is not None for each in answered)
    assert [len(each["arrivals"]) for each in watches] == [2, 2]
    assert watches[1]["resumes"] == 1
    assert watches[0]["arrivals"][1]["opened"] != []
    log = report.lines("log.jsonl")
    assert [each["revision"] for each in log] == list(range(1, len(log) + 1))


def test_what_is_wrong_is_listed_worst_first_with_the_command_that_runs_it_again(report: Report):
    text = (report.folder / "violations.txt").read_text()

    assert text.startswith("rehearsal, seed 5: 3 violations\nagain: python -m tests.robustness")
    assert "--seed 5 --seconds 12\n" in text
    assert text.index("1. B1 fits, at 2.000 s, revision 3") < text.index("2. W9 in time")
    assert text.index("2. W9 in time") < text.index("3. B1 not decided")
    assert "calls: 7, 9" in text


def test_the_run_can_be_read_back(report: Report):
    run = json.loads((report.folder / "run.json").read_text())

    assert run["seed"] == 5
    assert run["faults"][0]["blocks"] == [["a", "postgres"]]
    assert run["clock_steps"] == [{"at": 3.0, "offset_seconds": 4.0}]


def test_the_page_draws_all_there_is(report: Report):
    data, history = report.data, report.history
    words = data["words"]

    assert len(data["calls"]) == CALLS
    assert {words[call[2]] for call in data["calls"]} == {call.client for call in history.calls}
    assert [frame[:2] for frame in data["frames"]] == [[0, 1.0], [0, 1.1], [1, 1.0], [1, 1.1]]
    assert [words[frame[2]] for frame in data["frames"][:2]] == ["snapshot_chunk", "delta"]
    assert data["watches"][0][8] == [[1.2, 1.4]]
    assert words[data["faults"][0][0]] == "silence"
    assert [each[2] for each in data["sights"]] == [0, 1, 0], "Only what changed is told."
    assert [each[0] for each in data["violations"]] == ["B1", "W9", "B1"]
    assert data["violations"][0][5] == [7, 9]


def test_every_call_for_a_slot_is_found_under_it(report: Report):
    cells = report.data["cells"]

    for row, call in zip(report.data["calls"], report.history.calls, strict=True):
        named = {cells[number].split(" ")[0] for number in row[13]}
        if call.outcome is Outcome.OK and call.method == "Book":
            for booking in call.response.bookings:
                assert named >= {name.rpartition("/")[2] for name in booking.calendars}
    assert "chair-1 10:00" in cells


def test_the_page_needs_nothing_from_anywhere(report: Report):
    page = report.page

    assert re.findall(r"(?:src|href)\s*=|https?://|@import|url\(", page) == []
    assert "default-src 'none'" in page
    assert "/* timeline.js */" not in page
    assert "/* timeline.css */" not in page


def test_no_text_of_a_run_is_taken_for_a_part_of_the_page(report: Report, tmp_path: Path):
    evil = Violation(promise="B1", rule="fits", text="</script><script>alert(1)</script>")
    rehearsal = Rehearsal(1)
    folder = tmp_path / "evil"
    write_report(folder, rehearsal.run(5), rehearsal.desk.witness(), [evil], seconds=12.0)

    written = Report(folder, rehearsal.history)
    assert written.data["violations"][0][2] == evil.text
    assert written.page.count("<script") == 2


def test_what_cannot_be_decided_comes_last():
    assert worst_first([UNDECIDED, LATE, TWICE]) == [TWICE, LATE, UNDECIDED]


def test_a_message_is_told_in_few_words():
    hold = "businesses/salon/holds/0f8fad5b-d9cb-469f-a165-70867728950e"
    request = BookRequest(parent="businesses/salon", request_id="r", holder="eve")
    request.appointments.add().hold = hold
    slot = request.appointments.add().slot
    slot.appointment_type = "businesses/salon/appointmentTypes/cut"
    slot.start_time.FromJsonString("2030-06-02T09:15:00Z")

    assert told(request) == "(hold 0f8fad5b) ((cut, 09:15)), holder eve"
