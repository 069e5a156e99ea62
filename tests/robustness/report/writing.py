"""Writing: a folder from which a person can see what went wrong in a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from tests.robustness.history import Arrival, Call, History, Watch, Witness
from tests.robustness.report.timeline import page
from tests.robustness.report.words import change_told, frame_told
from tests.robustness.violation import Violation, worst_first


def write_report(
    folder: Path,
    history: History,
    witness: Witness,
    violations: Sequence[Violation],
    *,
    seconds: float,
) -> None:
    """Write what was asked, answered, streamed and stored, and what of it is wrong.

    The faults went on for so many `seconds`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = replay_command(history, seconds)
    violations = worst_first(violations)
    _write_lines(folder / "operations.jsonl", (_call(call) for call in history.calls))
    _write_lines(folder / "watches.jsonl", (_watch(watch) for watch in history.watches))
    _write_lines(folder / "log.jsonl", _log(witness))
    (folder / "run.json").write_text(json.dumps(_run(history, witness, command), indent=2) + "\n")
    (folder / "violations.txt").write_text(_listed(violations, history, command))
    (folder / "timeline.html").write_text(page(history, witness, violations, command))


def replay_command(history: History, seconds: float) -> str:
    """Return the command that runs the same again, as far as time lets it be the same."""
    return (
        f"python -m tests.robustness {history.scenario} --seed {history.seed} --seconds {seconds:g}"
    )


def _listed(violations: Sequence[Violation], history: History, command: str) -> str:
    """Return the violations as a page of text."""
    head = [
        f"{history.scenario}, seed {history.seed}: {len(violations)} violations",
        f"again: {command}",
    ]
    body = [_violation(number, each) for number, each in enumerate(violations, start=1)]
    return "\n\n".join(["\n".join(head), *body]) + "\n"


def _violation(number: int, violation: Violation) -> str:
    at = "" if violation.at is None else f", at {violation.at:.3f} s"
    revision = "" if violation.revision is None else f", revision {violation.revision}"
    lines = [f"{number}. {violation.promise} {violation.rule}{at}{revision}", violation.text]
    for word, numbers in (("calls", violation.calls), ("watches", violation.watches)):
        if numbers:
            lines.append(f"{word}: {', '.join(str(each) for each in numbers)}")
    return "\n   ".join(lines)


def _run(history: History, witness: Witness, command: str) -> Mapping[str, Any]:
    return {
        "scenario": history.scenario,
        "seed": history.seed,
        "command": command,
        "started_at": history.started_at.isoformat(),
        "faults_ended": history.faults_ended,
        "traffic_ended": history.traffic_ended,
        "ended": history.ended,
        "revision": witness.revision,
        "faults": [
            {**asdict(fault), "blocks": sorted(list(link) for link in fault.blocks)}
            for fault in history.faults
        ],
        "clock_steps": [
            {"at": step.at, "offset_seconds": step.offset.total_seconds()}
            for step in history.clock_steps
        ],
    }


def _call(call: Call) -> Mapping[str, Any]:
    return {
        "number": call.number,
        "operation": call.operation,
        "client": call.client,
        "server": call.server,
        "method": call.method,
        "is_streamed": call.is_streamed,
        "began": call.began,
        "ended": call.ended,
        "outcome": call.outcome,
        "reason": call.reason,
        "words": call.words,
        "revision": call.revision,
        "request": MessageToDict(call.request),
        "response": None if call.response is None else MessageToDict(call.response),
    }


def _watch(watch: Watch) -> Mapping[str, Any]:
    return {
        "number": watch.number,
        "watcher": watch.watcher,
        "server": watch.server,
        "opened": watch.opened,
        "ended": watch.ended,
        "ending": watch.ending,
        "resumes": watch.resumes,
        "resumed_at": watch.resumed_at,
        "pauses": watch.pauses,
        "request": MessageToDict(watch.request),
        "arrivals": [_arrival(arrival) for arrival in watch.arrivals],
    }


def _arrival(arrival: Arrival) -> Mapping[str, Any]:
    frame = arrival.frame
    delta, chunk = frame.delta, frame.snapshot_chunk
    return {
        "at": arrival.at,
        "kind": frame.WhichOneof("frame"),
        "revision": frame.revision,
        "stream_seq": frame.stream_seq,
        "as_of": frame.as_of.ToJsonString(),
        "has_token": bool(frame.resume_token),
        "says": frame_told(frame),
        "cleared": [MessageToDict(span) for span in delta.cleared],
        "closed": [_slot(key) for key in delta.closed],
        "opened": [_slot(slot) for slot in (*delta.opened, *chunk.slots)],
    }


def _slot(slot: Any) -> str:
    """Return a slot in a line that can be searched for."""
    names = [name.rpartition("/")[2] for name in (slot.appointment_type, slot.calendar)]
    seats = f" {slot.seats_left}" if hasattr(slot, "seats_left") else ""
    return f"{' '.join(names)} {slot.start_time.ToJsonString()}{seats}"


def _log(witness: Witness) -> Iterator[Mapping[str, Any]]:
    kept = set(witness.log_revisions)
    for change in witness.changes:
        yield {
            "revision": change.revision,
            "at": change.at.isoformat(),
            "kind": change.kind,
            "says": change_told(change),
            "added": [_plain(asdict(claim)) for claim in change.added],
            "removed": [_plain(asdict(ref)) for ref in change.removed],
            "booking_ids": [str(each) for each in change.booking_ids],
            "is_in_log": change.revision in kept,
        }


def _plain(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in fields.items()}


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
