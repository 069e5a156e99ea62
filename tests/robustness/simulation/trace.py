"""A run as lines that a person can read, in the order in which things happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from service.domain.change import Change
from service.live.frames import Chunk, Delta, Frame, Goodbye, Heartbeat, Reset, SnapshotEnd
from tests.robustness.simulation.judges import Violation
from tests.robustness.simulation.readers import Stream
from tests.robustness.simulation.truth import Life
from tests.robustness.simulation.world import Record

Line = tuple[float, str]


def trace(record: Record, found: list[Violation]) -> list[str]:
    """Return all that happened, and what was wrong with it."""
    lines = [
        *_said_first(record),
        *_faults(record),
        *(line for life in record.truth.lives.values() for line in _commits(life)),
        *(line for stream in record.streams for line in _stream(stream)),
        *_lists(record),
        *(
            (broken.at, f"!! {broken.promise}, stream {broken.stream}: {broken.what}")
            for broken in found
        ),
    ]
    return [f"{at:8.4f}  {text}" for at, text in sorted(lines, key=lambda line: line[0])]


def _said_first(record: Record) -> Iterator[Line]:
    yield 0.0, f"seed {record.seed}"
    for name, value in record.narrowed.items():
        yield 0.0, f"limit {name} = {value}"


def _faults(record: Record) -> Iterator[Line]:
    for fault in record.faults:
        for_whom = fault.process or "all"
        seconds = fault.ended - fault.began
        yield fault.began, f"## {fault.kind} {fault.detail} ({for_whom}, {seconds:.2f} s)"
    for process, at in record.bus.confirmations:
        yield at, f"   {process} is subscribed"


def _commits(life: Life) -> Iterator[Line]:
    for state in life.states:
        what = "the business is made" if state.change is None else _change(state.change)
        stamp = _clock(state.stamp)
        yield state.committed_at, f"++ {life.epoch} {state.revision}, at {stamp}: {what}"
    if life.ended is not None:
        yield life.ended[0], f"++ {life.epoch} is deleted"


def _change(change: Change) -> str:
    parts = [str(change.kind)]
    parts += [f"-{ref.calendar_id} {_clock(ref.start)}" for ref in change.removed]
    for claim in change.added:
        until = "" if claim.expires_at is None else f" until {_clock(claim.expires_at)}"
        parts.append(f"+{claim.calendar_id} {_clock(claim.start)}{until}")
    return " ".join(parts)


def _stream(stream: Stream) -> Iterator[Line]:
    who = f"stream {stream.number}"
    query = stream.query
    asked = f"{query.window.start:%d %H}-{query.window.end:%d %H} {query.type_ids or 'all'}"
    given = "" if stream.given is None else f", with {stream.given.token.revision}"
    calendars = query.calendar_ids or "all"
    asks = f"{stream.reader} asks {stream.process} for {asked} on {calendars}"
    yield stream.opened_at, f"-> {who}: {asks}{given}, at least {stream.min_revision}"
    for arrival in stream.arrivals:
        yield arrival.at, f"<- {who}: {_frame(arrival.frame)}"
    for began, ended in stream.pauses:
        yield began, f".. {who}: reads nothing until {ended:.2f}"
    if stream.ended_at is not None:
        yield stream.ended_at, f"xx {who}: {stream.ending}"


def _frame(frame: Frame) -> str:
    match frame:
        case Chunk():
            what = f"chunk of {len(frame.slots)}"
        case SnapshotEnd():
            what = f"end of a snapshot of {frame.open_slots}"
        case Delta():
            counts = f"{len(frame.cleared)} cleared, -{len(frame.closed)} +{len(frame.opened)}"
            what = f"delta: {counts}{', more' if frame.more else ''}"
        case Heartbeat():
            what = f"heartbeat of {frame.open_slots}"
        case Reset():
            what = f"reset: {frame.reason}"
        case Goodbye():
            what = f"goodbye: {frame.reason}"
    return f"{frame.revision} as of {_clock(frame.as_of)}: {what}"


def _lists(record: Record) -> Iterator[Line]:
    for listing in record.listings:
        lists = (
            f"{listing.process} lists {len(listing.slots)} slots, asked at {listing.asked_at:.4f}"
        )
        yield listing.answered_at, f"== {lists}: {listing.revision} as of {_clock(listing.as_of)}"
    for none in record.refused_listings:
        asked = f"asked at {none.asked_at:.4f} for at least {none.min_revision}"
        yield none.ended_at, f"== {none.process} lists nothing, {asked}: {none.reason}"


def _clock(instant: datetime) -> str:
    return f"{instant:%d %H:%M:%S.%f}"[:-3]
