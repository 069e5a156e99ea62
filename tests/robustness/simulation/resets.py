"""Whether a reset was needed, and for the reason that it names."""

from __future__ import annotations

from service.live.frames import Reset, ResetReason
from service.live.tokens import ResumeToken, filter_hash
from tests.robustness.simulation.readers import Stream
from tests.robustness.simulation.world import Record


def objection(record: Record, stream: Stream, number: int) -> str | None:
    """Return what is wrong with a stream's arrival that is a reset; None: it had to be."""
    arrival = stream.arrivals[number]
    frame = arrival.frame
    assert isinstance(frame, Reset)
    before = _before(stream, number)
    after = next((each.token for each in stream.arrivals[number:] if each.token is not None), None)
    if before is None:
        return "there was nothing to begin anew"
    if after is None:
        # It was left before it was told which life it sees.
        return None
    is_first = number == 0
    if before.epoch != after.epoch:
        return None if frame.reason is ResetReason.EPOCH else f"says {frame.reason}, not epoch"
    if is_first and before.filter_hash != filter_hash(stream.query):
        return None if frame.reason is ResetReason.FILTER else f"says {frame.reason}, not filter"
    match frame.reason:
        case ResetReason.CATALOG if is_first and _was_altered(record, before, frame.revision):
            return None
        case ResetReason.COMPACTED if is_first and _was_trimmed(record, before, arrival.made_at):
            return None
        case ResetReason.SLOW_READER if not is_first and stream.is_paused(
            stream.arrivals[number - 1].made_at, arrival.at
        ):
            return None
    return f"says {frame.reason}, for no cause"


def _before(stream: Stream, number: int) -> ResumeToken | None:
    """Return what the client had: what it was last told, or came with."""
    told = [each.token for each in stream.arrivals[:number] if each.token is not None]
    if told:
        return told[-1]
    return None if stream.given is None else stream.given.token


def _was_altered(record: Record, since: ResumeToken, revision: int) -> bool:
    """Say whether there was a change that the log does not carry all of."""
    later = record.truth.lives[since.epoch].after(since.revision)
    return any(
        state.change is not None and state.change.reloads
        for state in later
        if state.revision <= revision
    )


def _was_trimmed(record: Record, since: ResumeToken, until: float) -> bool:
    """Say whether the log had been trimmed after a token, or had ended with its business."""
    life = record.truth.lives[since.epoch]
    has_ended = life.ended is not None and life.ended[0] <= until
    return has_ended or life.floor_at(until) > since.revision
