"""W1, W2, W3, W8: the rules of streams that know no clock, so that none is given any slack."""

from __future__ import annotations

from service.domain.change import Change
from slotcast.v1.availability_service_pb2 import Reset
from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import ALIKE_MAX, Findings
from tests.robustness.checker.folding import Fold
from tests.robustness.checker.instants import shown
from tests.robustness.checker.reads import difference, slot_of
from tests.robustness.checker.retention import may_be_trimmed
from tests.robustness.checker.streams import Clocks, Seen, Stream
from tests.robustness.checker.timeline import Slot, View
from tests.robustness.checker.witness import NEVER_REASONS, WIRE_REASONS
from tests.robustness.history import Ending

CHUNK_SLOTS_MAX = 500
SNAPSHOT_KINDS = frozenset({"snapshot_chunk", "snapshot_end"})


def judge_w1(evidence: Evidence, findings: Findings, stream: Stream) -> None:
    """Ordered, unique, atomic, resumable; and after each frame the slots are the model's.

    On the way the stream's states are noted, for the rules that come after.
    """
    last = stream.token_point
    for seen in stream.seen:
        findings.checks["W1"] += 1
        _judge_place(evidence, findings, stream, seen, last)
        last = seen
    fold = Fold(evidence.history.business_id, stream.resumed)
    view = View(evidence.timeline, stream.query)
    unsure: set[Slot] = set(fold.open)
    wrong_frames = 0
    for seen in stream.seen:
        moved = fold.take(stream.watch.arrivals[seen.place].frame)
        for promise, rule, text in fold.faults:
            _tell(findings, stream, seen, promise, rule, text)
        if moved is None:
            continue
        stream.complete.append(seen)
        if seen.place in stream.wanted:
            stream.kept[seen.place] = dict(fold.open)
        if seen.revision > evidence.timeline.revision or wrong_frames > ALIKE_MAX:
            continue
        findings.checks["W1"] += 1
        looked = view.move(seen.revision, seen.as_of) | moved | unsure
        if seen.kind == "snapshot_end":
            looked |= view.open.keys()
        unsure = {slot for slot in looked if fold.open.get(slot, 0) != view.open.get(slot, 0)}
        if unsure:
            wrong_frames += 1
            promise = "W4" if seen.kind == "heartbeat" else "W1"
            text = difference(
                {slot: fold.open.get(slot, 0) for slot in unsure},
                {slot: view.open.get(slot, 0) for slot in unsure},
            )
            where = f"after a {seen.kind} as of {shown(seen.as_of)} the truth is another"
            _tell(findings, stream, seen, promise, "state", f"{where}: {text}")


def _judge_place(
    evidence: Evidence, findings: Findings, stream: Stream, seen: Seen, last: Seen | None
) -> None:
    """Judge what a frame says of itself, against the one before it or the token."""
    frame = stream.watch.arrivals[seen.place].frame
    if frame.stream_seq != seen.place + 1:
        text = f"stream_seq is {frame.stream_seq} where {seen.place + 1} should be"
        _tell(findings, stream, seen, "W1", "stream_seq", text)
    if last is not None and seen.revision < last.revision:
        text = f"revision {seen.revision} came after {last.revision}"
        _tell(findings, stream, seen, "W1", "ordered", text)
    may_go_back = last is stream.token_point and _may_go_back(evidence, stream, seen, last)
    if last is not None and seen.as_of < last.as_of and not may_go_back:
        text = f"as_of went back from {shown(last.as_of)} to {shown(seen.as_of)}"
        _tell(findings, stream, seen, "W1", "as_of", text)
    if seen.revision > evidence.possible_by(seen.at):
        text = f"revision {seen.revision} was told before it can have been"
        _tell(findings, stream, seen, "W1", "future", text)
    is_middle = seen.kind == "snapshot_chunk" or (seen.kind == "delta" and frame.delta.more)
    if seen.kind not in {"", "reset"} and is_middle == bool(frame.resume_token):
        text = f"a {seen.kind} has {'a' if is_middle else 'no'} resume token"
        _tell(findings, stream, seen, "W3", "token", text)
    if not frame.HasField("stale_after"):
        _tell(findings, stream, seen, "W5", "stale_after", "a frame does not say how long it holds")


def _may_go_back(evidence: Evidence, stream: Stream, seen: Seen, token: Seen | None) -> bool:
    """Say whether PostgreSQL's clock was set back since a token: no stream lasts over that."""
    if token is None or stream.before is None:
        return False
    since = stream.before.sent_from(token)
    return Clocks(evidence.history).may_go_back(since, seen.at)


def judge_w2(_: Evidence, findings: Findings, stream: Stream) -> None:
    """A snapshot is chunks and an end that counts them, all of one state, with nothing between."""
    chunk: Seen | None = None
    slots: list[Slot] = []
    follows_reset = False
    for seen in stream.seen:
        findings.checks["W2"] += 1
        frame = stream.watch.arrivals[seen.place].frame
        if chunk is not None and seen.kind in SNAPSHOT_KINDS:
            state, other = (chunk.revision, chunk.as_of), (seen.revision, seen.as_of)
            if state != other:
                _tell(findings, stream, seen, "W2", "one state", "a snapshot is of two states")
        if chunk is not None and seen.kind not in {*SNAPSHOT_KINDS, "reset", ""}:
            text = f"a {seen.kind} came before the snapshot had ended"
            _tell(findings, stream, seen, "W2", "no end", text)
            chunk, slots = None, []
        if follows_reset and seen.kind not in {*SNAPSHOT_KINDS, "reset", ""}:
            text = f"after a reset came a {seen.kind} instead of a snapshot"
            _tell(findings, stream, seen, "W2", "reset without snapshot", text)
        follows_reset = seen.kind == "reset"
        if seen.kind == "reset":
            chunk, slots = None, []
        elif seen.kind == "snapshot_chunk":
            chunk = seen
            told = [slot_of(message) for message in frame.snapshot_chunk.slots]
            slots += told
            if len(told) > CHUNK_SLOTS_MAX:
                _tell(findings, stream, seen, "W2", "chunk", f"a chunk has {len(told)} slots")
        elif seen.kind == "snapshot_end":
            _judge_snapshot(findings, stream, seen, slots)
            chunk, slots = None, []


def _judge_snapshot(findings: Findings, stream: Stream, seen: Seen, slots: list[Slot]) -> None:
    count = stream.watch.arrivals[seen.place].frame.snapshot_end.open_slots
    if count != len(set(slots)):
        text = f"a snapshot ends with {count} slots, {len(set(slots))} were sent"
        _tell(findings, stream, seen, "W2", "count", text)
    keys = [(slot.first, slot.type_id, slot.calendar, slot.last) for slot in slots]
    if keys != sorted(set(keys)):
        _tell(
            findings, stream, seen, "W2", "order", "a snapshot is out of order, or repeats itself"
        )


def judge_w3(evidence: Evidence, findings: Findings, stream: Stream) -> None:
    """A token is honoured with a delta, or answered by a reset and a snapshot, or a typed error."""
    findings.checks["W3"] += 1
    _judge_ending(evidence, findings, stream)
    point = stream.token_point
    for seen in stream.seen:
        if seen.kind == "reset":
            _judge_reset(evidence, findings, stream, seen, point if seen.place == 0 else None)
    if not stream.seen:
        return
    first = stream.seen[0]
    if stream.watch.resumes is None:
        if first.kind not in {*SNAPSHOT_KINDS, "goodbye"}:
            text = f"a stream without a token began with a {first.kind}"
            _tell(findings, stream, first, "W3", "beginning", text)
    elif first.kind == "delta" and not stream.keeps_filter:
        text = "a token of another filter was honoured"
        _tell(findings, stream, first, "W3", "filter", text)
    elif first.kind not in {"delta", "reset", "goodbye"}:
        text = f"a stream that was resumed began with a {first.kind}"
        _tell(findings, stream, first, "W3", "beginning", text)


def _judge_reset(
    evidence: Evidence, findings: Findings, stream: Stream, seen: Seen, point: Seen | None
) -> None:
    """Judge the reason: `point` is where the token was given, None in the middle of a stream."""
    reason = stream.watch.arrivals[seen.place].frame.reset.reason
    if point is None:
        is_right = reason == Reset.REASON_SLOW_READER
    elif reason == Reset.REASON_FILTER:
        is_right = not stream.keeps_filter
    elif reason == Reset.REASON_CATALOG:
        log = evidence.witness.changes[point.revision : seen.revision]
        is_right = any(map(_is_reread, log))
    elif reason == Reset.REASON_COMPACTED:
        is_right = may_be_trimmed(evidence, point.revision + 1, seen.at)
    else:
        is_right = False
    if not is_right:
        text = f"a reset says {Reset.Reason.Name(reason)}, which was not so"
        _tell(findings, stream, seen, "W3", "reset", text)


def _is_reread(change: Change) -> bool:
    """Say whether a change does not carry all that it changes."""
    is_carried = change.kind == "busy_imported" and change.reread_calendar_ids == ()
    return change.kind in {"busy_imported", "catalog_changed"} and not is_carried


def _judge_ending(evidence: Evidence, findings: Findings, stream: Stream) -> None:
    """A stream ends with a goodbye, an error that says what to do, or because of its reader."""
    watch = stream.watch
    ending = str(watch.ending)
    if ending in {Ending.OPEN, Ending.CANCELLED}:
        return
    if ending == Ending.GOODBYE:
        return
    is_bad = ending in NEVER_REASONS or ending in {"OK", "INVALID_RESUME_TOKEN", "INVALID_REQUEST"}
    if ending in WIRE_REASONS and evidence.was_cut(watch.server, watch.opened, watch.ended):
        return
    if is_bad or ending in {"RESOURCE_NOT_FOUND", "INVALID_ARGUMENT"}:
        findings.add(
            "W3",
            "ending",
            f"a stream ended with {ending}",
            at=watch.ended,
            watches=(watch.number,),
        )


def judge_w8(_: Evidence, findings: Findings, stream: Stream) -> None:
    """The first frame is at least as new as was asked for."""
    least = stream.watch.request.min_revision
    if not least or not stream.seen:
        return
    findings.checks["W8"] += 1
    first = stream.seen[0]
    if first.revision < least:
        text = f"the first frame has revision {first.revision}, {least} was asked for"
        _tell(findings, stream, first, "W8", "min_revision", text)


def _tell(
    findings: Findings, stream: Stream, seen: Seen, promise: str, rule: str, text: str
) -> None:
    findings.add(
        promise,
        rule,
        f"watch {stream.number} at {stream.watch.server}, frame {seen.place + 1}: {text}",
        at=seen.at,
        revision=seen.revision,
        watches=(stream.number,),
    )
