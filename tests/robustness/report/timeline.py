"""The timeline: a run as one page that needs nothing else, time from left to right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import CALENDARS, MINUTE, QUARTER, TYPES
from tests.robustness.history import Arrival, Call, Fault, History, Sight, Watch, Witness
from tests.robustness.report.words import change_told, clock, frame_told, told
from tests.robustness.violation import Violation

FOLDER = Path(__file__).parent
SLOTS_OF_FRAME_MAX = 200
"""A frame with more slots is found under any slot."""
TIME_DIGITS = 4


def page(history: History, witness: Witness, violations: Sequence[Violation], command: str) -> str:
    """Return the page."""
    data = json.dumps(_Data(history, witness, violations, command).all(), separators=(",", ":"))
    html = (FOLDER / "timeline.html").read_text()
    for mark, text in (
        ("/* timeline.css */", (FOLDER / "timeline.css").read_text()),
        ("/* timeline.js */", (FOLDER / "timeline.js").read_text()),
        # No text can be taken for a tag.
        ('{"run": null}', data.replace("<", "\\u003c")),
    ):
        html = html.replace(mark, text)
    return html


class _Words:
    """Texts by number: each is written once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append(text)
        return self._numbers[text]


class _Data:
    """What the page draws, as short rows: it may be forty thousand of them."""

    def __init__(
        self, history: History, witness: Witness, violations: Sequence[Violation], command: str
    ) -> None:
        self._history = history
        self._witness = witness
        self._violations = violations
        self._command = command
        self._words = _Words()
        self._cells = _Words()
        self._places = _places_of(history)
        self._answered_at = {
            call.revision: call.ended or call.began
            for call in reversed(history.calls)
            if call.revision and call.response is not None and call.request_id
        }

    def all(self) -> dict[str, Any]:
        """Return all rows; those with words come before the words."""
        history = self._history
        rows: dict[str, Any] = {
            "run": {
                "scenario": history.scenario,
                "seed": history.seed,
                "command": self._command,
                "startedAt": history.started_at.isoformat(),
                "faultsEnded": history.faults_ended,
                "trafficEnded": history.traffic_ended,
                "ended": _end_of(history),
            },
            "calls": [self._call(call) for call in history.calls],
            "watches": [self._watch(watch) for watch in history.watches],
            "frames": [
                self._frame(index, arrival)
                for index, watch in enumerate(history.watches)
                for arrival in watch.arrivals
            ],
            "changes": [self._change(change) for change in self._witness.changes],
            "sights": self._sights(),
            "faults": [self._fault(fault) for fault in history.faults],
            "clockSteps": [
                [_rounded(step.at), step.offset.total_seconds()] for step in history.clock_steps
            ],
            "violations": [self._violation(violation) for violation in self._violations],
            "calendars": list(CALENDARS),
        }
        return {**rows, "words": self._words.all, "cells": self._cells.all}

    def _call(self, call: Call) -> list[Any]:
        word = self._words.number
        return [
            call.number,
            call.operation,
            word(call.client),
            word(call.server),
            word(call.method + (" (streamed)" if call.is_streamed else "")),
            _rounded(call.began),
            None if call.ended is None else _rounded(call.ended),
            call.outcome.value,
            word(call.reason),
            call.revision,
            call.request_id,
            told(call.request),
            told(call.response),
            self._cells_of_call(call),
        ]

    def _watch(self, watch: Watch) -> list[Any]:
        word = self._words.number
        return [
            watch.number,
            word(watch.watcher),
            word(watch.server),
            _rounded(watch.opened),
            None if watch.ended is None else _rounded(watch.ended),
            word(str(watch.ending)),
            watch.resumes,
            watch.resumed_at,
            [[_rounded(began), _rounded(ended)] for began, ended in watch.pauses],
            word(told(watch.request)),
        ]

    def _frame(self, watch: int, arrival: Arrival) -> list[Any]:
        frame = arrival.frame
        slots = [*frame.delta.closed, *frame.delta.opened, *frame.snapshot_chunk.slots]
        lag = self._history.database_time(arrival.at) - frame.as_of.ToDatetime(tzinfo=UTC)
        return [
            watch,
            _rounded(arrival.at),
            self._words.number(frame.WhichOneof("frame") or "unknown"),
            frame.revision,
            frame.stream_seq,
            _rounded(lag.total_seconds()),
            self._words.number(frame_told(frame)),
            self._cells_of_slots(slots) if len(slots) <= SLOTS_OF_FRAME_MAX else None,
        ]

    def _change(self, change: Any) -> list[Any]:
        at = (change.at - self._history.started_at).total_seconds()
        # Its own time is that of the database's clock, which may have been set.
        if self._history.clock_steps:
            at = self._answered_at.get(change.revision, at)
        spans = [(each.calendar_id, each.start, each.end) for each in change.added]
        spans += [(each.calendar_id, each.start, each.end) for each in change.removed]
        return [
            change.revision,
            _rounded(at),
            self._words.number(change.kind.value),
            change_told(change),
            self._numbered(cell for span in spans for cell in _cells(*span)),
        ]

    def _sights(self) -> list[list[Any]]:
        """Return when each onlooker's view began to be stale, or good again."""
        last: dict[str, bool] = {}
        rows: list[list[Any]] = []
        for sight in self._history.sights:
            if last.get(sight.watcher) != sight.is_stale:
                last[sight.watcher] = sight.is_stale
                rows.append(self._sight(sight))
        return rows

    def _sight(self, sight: Sight) -> list[Any]:
        return [
            self._words.number(sight.watcher),
            _rounded(sight.at),
            int(sight.is_stale),
            sight.revision,
            len(sight.slots),
        ]

    def _fault(self, fault: Fault) -> list[Any]:
        return [
            self._words.number(fault.kind),
            self._words.number(fault.target),
            _rounded(fault.began),
            None if fault.ended is None else _rounded(fault.ended),
            fault.detail,
            sorted(list(link) for link in fault.blocks),
        ]

    def _violation(self, violation: Violation) -> list[Any]:
        return [
            violation.promise,
            violation.rule,
            violation.text,
            None if violation.at is None else _rounded(violation.at),
            violation.revision,
            list(violation.calls),
            list(violation.watches),
        ]

    def _cells_of_call(self, call: Call) -> list[int]:
        found: list[str] = []
        for choice in _choices_in(call.request):
            type_id = choice.appointment_type.rpartition("/")[2]
            rules = TYPES.get(type_id)
            if rules is None:
                continue
            named = choice.calendar.rpartition("/")[2]
            calendars = {named} if named else {*rules.any_of}
            start = choice.start_time.ToDatetime(tzinfo=UTC)
            end = start + rules.duration + rules.buffer_after
            for calendar in sorted({*calendars, *rules.all_of}):
                found += _cells(calendar, start, end)
        for name in _names_in(call):
            for place in self._places.get(name, ()):
                found += _cells(*place)
        return self._numbered(found)

    def _cells_of_slots(self, slots: Iterable[Any]) -> list[int]:
        found: list[str] = []
        for slot in slots:
            start = slot.start_time.ToDatetime(tzinfo=UTC)
            end = slot.end_time.ToDatetime(tzinfo=UTC)
            found += _cells(slot.calendar.rpartition("/")[2], start, end)
        return self._numbered(found)

    def _numbered(self, cells: Iterable[str]) -> list[int]:
        return sorted({self._cells.number(cell) for cell in cells})


Place = tuple[str, datetime, datetime]


def _places_of(history: History) -> dict[str, set[Place]]:
    """Return where each booking and hold ever lay, as answers told it."""
    found: dict[str, set[Place]] = {}
    for call in history.calls:
        for told_of in _told_in(call.response):
            start = told_of.start_time.ToDatetime(tzinfo=UTC)
            end = told_of.end_time.ToDatetime(tzinfo=UTC)
            places = {(name.rpartition("/")[2], start, end) for name in told_of.calendars}
            found.setdefault(told_of.name, set()).update(places)
    return found


def _told_in(response: Any) -> list[Any]:
    """Return the bookings and the hold that an answer tells of."""
    if response is None:
        return []
    fields = response.DESCRIPTOR.fields_by_name
    single = [getattr(response, name) for name in ("booking", "hold") if name in fields]
    return single + (list(response.bookings) if "bookings" in fields else [])


def _choices_in(request: Any) -> list[SlotChoice]:
    """Return the slots that a request names."""
    if isinstance(request, booking_pb.BookRequest):
        return [each.slot for each in request.appointments if each.HasField("slot")]
    if isinstance(request, booking_pb.RescheduleBookingRequest):
        return [request.to.slot] if request.to.HasField("slot") else []
    slot = getattr(request, "slot", None)
    return [slot] if isinstance(slot, SlotChoice) else []


def _names_in(call: Call) -> set[str]:
    """Return the bookings and holds that a call names, or was answered."""
    request = call.request
    names = {getattr(request, "name", "")}
    if isinstance(request, booking_pb.BookRequest):
        names.update(each.hold for each in request.appointments)
    if isinstance(request, booking_pb.RescheduleBookingRequest):
        names.add(request.to.hold)
    return {*names, *(each.name for each in _told_in(call.response))} - {""}


def _cells(calendar: str, start: datetime, end: datetime) -> list[str]:
    """Return the quarters of an hour that a time covers; of a minute, that minute."""
    step = QUARTER if end - start >= QUARTER else MINUTE
    return [
        f"{calendar} {clock(start + number * step)}"
        for number in range(max(1, -((start - end) // step)))
    ]


def _end_of(history: History) -> float:
    ends: list[float] = [history.ended, history.traffic_ended, history.faults_ended]
    ends += [call.ended or call.began for call in history.calls]
    ends += [watch.ended or watch.opened for watch in history.watches]
    return _rounded(max(ends))


def _rounded(seconds: float) -> float:
    return round(seconds, TIME_DIGITS)
