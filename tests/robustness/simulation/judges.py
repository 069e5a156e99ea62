"""What the record of a run must show: one function for each promise about watching.

Each yields what broke it. The truth is asked of the evaluator at the revision and the instant that
a frame names; what a frame should have known is taken from when things were committed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from service.domain.change import ClaimRef
from service.domain.claim import Claim
from service.live.frames import (
    Chunk,
    ClearedSpan,
    Delta,
    Goodbye,
    Heartbeat,
    Reset,
    ResetReason,
    SnapshotEnd,
)
from service.live.tokens import ResumeToken, filter_hash
from tests.builders import minutes
from tests.robustness.simulation import resets
from tests.robustness.simulation.fold import digest
from tests.robustness.simulation.readers import Arrival, Stream
from tests.robustness.simulation.refusals import HINDRANCES, REFUSALS, objection, refused
from tests.robustness.simulation.shop import second
from tests.robustness.simulation.store import Reading
from tests.robustness.simulation.truth import Life, Step
from tests.robustness.simulation.world import END_SECONDS, WRITES_UNTIL_SECONDS, Record

FRESH = second(2)
RIGHT_SECONDS = 2.0
HEARTBEAT_SECONDS_MAX = 5.0
OPENING_SECONDS_MAX = 3.5
PROBE_SECONDS = 0.7
LOOK_SECONDS_MAX = 0.2
"""A look at PostgreSQL that is due at once is asked for so soon, after one that is under way."""
REACH = minutes(90)
"""No claim turns a slot of a day that is further away."""
STEP_BACK_MIN = second(1)
"""A smaller step back of the database's clock is waited out."""
ENDINGS = {"", "goodbye", "cancelled", *REFUSALS}


class Violation(NamedTuple):
    """A promise that was broken: when, on which stream, and how."""

    promise: str
    at: float
    stream: int
    what: str


def violations(record: Record) -> list[Violation]:
    """Ask all judges."""
    return sorted(
        (found for judge in JUDGES for found in judge(record)), key=lambda found: found.at
    )


# W1: ordered, unique, atomic, state-reliable, resumable, bookmarkable.


def w1_ordered(record: Record) -> Iterator[Violation]:
    """Neither the revision nor the instant goes back on a stream; a new life counts anew."""
    for stream in record.streams:
        for before, after in pairwise(stream.arrivals):
            is_anew = isinstance(after.frame, Reset) and after.frame.reason is ResetReason.EPOCH
            if after.frame.revision < before.frame.revision and not is_anew:
                yield _broken(
                    "W1 ordered", stream, after, f"after revision {before.frame.revision}"
                )
            if after.frame.as_of < before.frame.as_of:
                yield _broken("W1 ordered", stream, after, f"after {before.frame.as_of}")


def w1_state_reliable(record: Record) -> Iterator[Violation]:
    """After a frame the slots are the truth at its revision and instant."""
    for stream in record.streams:
        for arrival, token in stream.tokens:
            if (token.revision, token.as_of) != (arrival.frame.revision, arrival.frame.as_of):
                yield _broken("W1 bookmarkable", stream, arrival, f"its token says {token}")
            life = record.truth.lives[token.epoch]
            if life.at(token.revision) is None:
                yield _broken("W1 state-reliable", stream, arrival, "that revision never was")
                continue
            truth = record.truth.open_slots(token.epoch, token.revision, token.as_of, stream.query)
            if arrival.slots != truth:
                yield _broken(
                    "W1 state-reliable", stream, arrival, _difference(truth, arrival.slots)
                )


def w1_unique(record: Record) -> Iterator[Violation]:
    """Who resumes is not told again what the token stands for."""
    for stream in record.streams:
        whole = stream.tokens
        if stream.given is None or not whole or isinstance(stream.arrivals[0].frame, Reset):
            continue
        arrival, now = whole[0]
        life, since = record.truth.lives[now.epoch], stream.given.token
        for sent in stream.arrivals[: stream.arrivals.index(arrival) + 1]:
            for span in sent.frame.cleared if isinstance(sent.frame, Delta) else ():
                if span.calendar_id and not _has_cause(span, life, since, now):
                    yield _broken("W1 unique", stream, sent, f"nothing has changed in {span}")


def _has_cause(span: ClearedSpan, life: Life, since: ResumeToken, now: ResumeToken) -> bool:
    state = life.at(now.revision)
    assert state is not None
    type_ = state.catalog.types[span.type_id]
    moved: list[Claim | ClaimRef] = [
        claim
        for claim in state.claims.values()
        if claim.expires_at is not None and since.as_of < claim.expires_at <= now.as_of
    ]
    for later in life.after(since.revision):
        if later.revision <= now.revision and later.change is not None:
            moved += (*later.change.removed, *later.change.added)
    calendars = type_.calendar_ids_for(span.calendar_id)
    if any(
        claim.calendar_id in calendars
        and claim.start < span.end + REACH
        and claim.end > span.start - REACH
        for claim in moved
    ):
        return True
    # Notice and horizon move on by themselves, over the days that they lie in.
    return any(
        span.start <= now.as_of + ahead and since.as_of + ahead < span.end
        for ahead in (type_.minimum_notice, type_.horizon)
    )


# W2: the end of a snapshot is said.


def w2_snapshot_ends(record: Record) -> Iterator[Violation]:
    """Chunks are followed by chunks or the end, which counts them; a reset by a snapshot."""
    for stream in record.streams:
        chunks = 0
        for before, after in pairwise([None, *stream.arrivals]):
            assert after is not None
            frame, last = after.frame, None if before is None else before.frame
            is_open = isinstance(last, Chunk | Reset)
            if is_open and not isinstance(frame, Chunk | SnapshotEnd):
                yield _broken("W2", stream, after, "in the middle of a snapshot")
            if isinstance(last, Delta) and last.more and not isinstance(frame, Delta):
                yield _broken("W2", stream, after, "in the middle of a delta")
            if isinstance(frame, Chunk):
                chunks += len(frame.slots)
            elif isinstance(frame, SnapshotEnd):
                if frame.open_slots != chunks:
                    yield _broken("W2", stream, after, f"{chunks} slots had come")
                chunks = 0


# W3: resume or reset, never silence.


def w3_resumes_or_resets(record: Record) -> Iterator[Violation]:
    """A token is honoured, or there is a reset; and the stream opens, or says why not."""
    for stream in record.streams:
        given = stream.given
        if not stream.arrivals:
            yield from _silent(record, stream)
            continue
        first = stream.arrivals[0]
        if isinstance(first.frame, Goodbye):
            continue
        if given is None:
            if not isinstance(first.frame, Chunk | SnapshotEnd):
                yield _broken("W3", stream, first, "does not begin with a snapshot")
            continue
        if not isinstance(first.frame, Reset | Delta):
            yield _broken("W3", stream, first, "neither resumes nor resets")
        if not stream.tokens:
            continue
        is_anew = given.token.epoch != stream.tokens[0][1].epoch
        if isinstance(first.frame, Reset):
            continue
        if given.token.filter_hash != filter_hash(stream.query):
            yield _broken("W3", stream, first, "resumes the token of another filter")
        if is_anew:
            yield _broken("W3", stream, first, "resumes the token of another epoch")
        elif first.frame.revision < given.token.revision:
            yield _broken("W3", stream, first, f"goes back behind revision {given.token.revision}")


def w3_resets_for_a_reason(record: Record) -> Iterator[Violation]:
    """All is told anew only where it must be, and for the reason that is named."""
    for stream in record.streams:
        for number, arrival in enumerate(stream.arrivals):
            if isinstance(arrival.frame, Reset):
                what = resets.objection(record, stream, number)
                if what is not None:
                    yield _broken("W3 reset", stream, arrival, what)


def w3_refuses_for_a_reason(record: Record) -> Iterator[Violation]:
    """A watch or a list is refused only for something that was so while it was asked for."""
    for call in refused(record):
        what = objection(record, call)
        if what is not None:
            asked = f"{call.reason} on {call.process}, since {call.since:.2f} s"
            yield Violation("W3 refusal", call.ended_at, call.stream, f"{asked}: {what}")
    for stream in record.streams:
        last = stream.arrivals[-1].frame if stream.arrivals else None
        if stream.ending == "goodbye" and not isinstance(last, Goodbye):
            at = stream.ended_at or END_SECONDS
            yield Violation("W3 refusal", at, stream.number, "it ends without a goodbye")


def _silent(record: Record, stream: Stream) -> Iterator[Violation]:
    until = END_SECONDS if stream.ended_at is None else stream.ended_at
    due_at = stream.opened_at + OPENING_SECONDS_MAX
    if until > due_at and record.is_calm(stream.process, stream.opened_at, due_at):
        yield Violation("W3", until, stream.number, "nothing came, and no reason why")


# W4: verified heartbeats.


def w4_heartbeats(record: Record) -> Iterator[Violation]:
    """While PostgreSQL answers, a frame comes at least every five seconds."""
    for stream in record.streams:
        ended_at = END_SECONDS if stream.ended_at is None else stream.ended_at
        times = [arrival.at for arrival in stream.arrivals] + [ended_at]
        for earlier, later in pairwise(times):
            if later - earlier > HEARTBEAT_SECONDS_MAX + 0.1 and not _is_excused(
                record, stream, earlier, later
            ):
                yield Violation(
                    "W4 in time", later, stream.number, f"silence for {later - earlier:.1f} s"
                )


def _is_excused(record: Record, stream: Stream, since: float, until: float) -> bool:
    return not record.is_calm(stream.process, since, until) or stream.is_paused(since, until)


def w4_verified(record: Record) -> Iterator[Violation]:
    """A heartbeat's revision was read from PostgreSQL; its count and digest are the slots'."""
    for stream in record.streams:
        readings = record.store.readings[stream.process]
        for arrival, token in stream.tokens:
            beat = arrival.frame
            if not isinstance(beat, Heartbeat):
                continue
            waited_out = STEP_BACK_MIN if _steps_back(record, arrival.made_at) else second(0)
            slots = arrival.slots or {}
            if (beat.open_slots, beat.digest) != (len(slots), digest(beat.business_id, slots)):
                yield _broken("W4 digest", stream, arrival, f"the client has {len(slots)} slots")
            if not any(
                reading.epoch == token.epoch
                and reading.revision >= beat.revision
                and reading.as_of + waited_out >= beat.as_of
                and reading.answered_at <= arrival.made_at
                for reading in readings
            ):
                yield _broken("W4 verified", stream, arrival, "PostgreSQL had not told so")


# W5: as_of is honest.


def w5_contains_all_but_the_last_seconds(record: Record) -> Iterator[Violation]:
    """A frame that says `as_of` has every change that was committed two seconds before that."""
    for stream in record.streams:
        for arrival, token in stream.tokens:
            frame = arrival.frame
            lost = _lost(
                record, stream.process, token.epoch, frame.revision, frame.as_of, arrival.made_at
            )
            if lost is not None:
                yield _broken("W5 complete", stream, arrival, lost)


def _lost(
    record: Record, process: str, epoch: str, revision: int, as_of: datetime, made_at: float
) -> str | None:
    """Return what should have been known when something was said, in the database's own time."""
    until = as_of - FRESH
    # What was committed after a step back may seem older than it is, until that is found out.
    if _steps_back(record, made_at):
        made_at = _able_to_look_before(record, process, made_at)
    life = record.truth.lives[epoch]
    for state in life.after(revision):
        if state.committed_at > made_at:
            break
        if state.stamp < until:
            return f"revision {state.revision} was committed at {state.stamp}"
    if life.ended is not None and life.ended[0] <= made_at and life.ended[1] < until:
        return f"the business was deleted at {life.ended[1]}"
    return None


def _able_to_look_before(record: Record, process: str, at: float) -> float:
    """Return an instant since which a process had time to look; what hindered it gave it none."""
    since = at - RIGHT_SECONDS
    for fault in reversed(record.faults):
        is_hindered = fault.kind in HINDRANCES and fault.process in ("", process)
        if is_hindered and fault.began < at and fault.ended > since:
            since = min(since, fault.began)
    return since


def w5_is_not_ahead(record: Record) -> Iterator[Violation]:
    """`as_of` is not ahead of the database's clock, as far as the process can know that clock."""
    for stream in record.streams:
        taken = record.store.readings[stream.process]
        for arrival in stream.arrivals:
            ahead = arrival.frame.as_of - record.truth.clock(arrival.made_at)
            if ahead <= second(0.02):
                continue
            back = _steps_back(record, arrival.made_at)
            if back and isinstance(arrival.frame, Goodbye):
                continue
            is_known = back and any(
                _shows(reading, back[-1]) and reading.answered_at < arrival.made_at
                for reading in taken
            )
            if not back or (is_known and ahead > STEP_BACK_MIN):
                yield _broken("W5 not ahead", stream, arrival, f"by {ahead}")


def _shows(reading: Reading, step: Step) -> bool:
    """Say whether a step back shows in a reading: it was asked for later, and soon answered."""
    way_there = reading.taken_at - reading.asked_at
    return reading.asked_at > step.at and second(way_there + LOOK_SECONDS_MAX) < -step.by


def _steps_back(record: Record, until: float) -> list[Step]:
    return [step for step in record.truth.steps if step.by < second(0) and step.at <= until]


# W6 and W9: right within two seconds, whether time or a write made the difference.


def right_within_two_seconds(record: Record) -> Iterator[Violation]:
    """Who reads has what was true two seconds ago, or something later: without any hint, too."""
    for stream in record.streams:
        whole = stream.tokens
        if whole:
            times = [arrival.at for arrival, _ in whole]
            at = whole[0][0].at + RIGHT_SECONDS
            until = END_SECONDS if stream.ended_at is None else stream.ended_at
            while at < until:
                arrival, token = whole[bisect_right(times, at) - 1]
                if not _is_excused(record, stream, at - RIGHT_SECONDS, at):
                    yield from _wrong(record, stream, arrival, token, at)
                at += PROBE_SECONDS


def _wrong(
    record: Record, stream: Stream, arrival: Arrival, token: ResumeToken, at: float
) -> Iterator[Violation]:
    life = record.truth.lives[token.epoch]
    if life is not record.truth.life_at(at):
        yield Violation("W9", at, stream.number, f"still shows {token.epoch}")
        return
    due_at = at - RIGHT_SECONDS
    revision = max(token.revision, life.revision_at(due_at))
    as_of = max(token.as_of, record.truth.clock(due_at))
    truth = record.truth.open_slots(token.epoch, revision, as_of, stream.query)
    if arrival.slots != truth and not _is_true_of_later(
        record, stream, arrival, life, revision, as_of, at
    ):
        promise = "W6" if revision == token.revision else "W9"
        what = f"{revision} as of {as_of}: " + _difference(truth, arrival.slots)
        yield Violation(promise, at, stream.number, what)


def _is_true_of_later(
    record: Record,
    stream: Stream,
    arrival: Arrival,
    life: Life,
    revision: int,
    as_of: datetime,
    at: float,
) -> bool:
    """Say whether changes that undid each other, and so were not told, lie between."""
    later = [state for state in life.after(revision - 1) if state.committed_at <= at]
    return any(
        arrival.slots == record.truth.open_slots(life.epoch, state.revision, instant, stream.query)
        for state in later
        for instant in (max(as_of, state.stamp), record.truth.clock(at))
    )


def w6_promptly(record: Record) -> Iterator[Violation]:
    """What time alone has done is told as it happens, not at the next reading."""
    for stream in record.streams:
        for before, after in pairwise(stream.tokens):
            frame = after[0].frame
            if (
                not isinstance(frame, Delta)
                or frame.cleared
                or stream.is_paused(before[0].at, after[0].at)
            ):
                continue
            if frame.revision == before[0].frame.revision and record.is_calm(
                stream.process, after[0].at - RIGHT_SECONDS, after[0].at
            ):
                yield from _late(record, stream, before[1], after)


def _late(
    record: Record, stream: Stream, before: ResumeToken, after: tuple[Arrival, ResumeToken]
) -> Iterator[Violation]:
    """A delta of time alone: half a second before its instant all was as it was told before."""
    arrival, token = after
    as_of = max(before.as_of, token.as_of - second(0.5))
    truth = record.truth.open_slots(token.epoch, token.revision, as_of, stream.query)
    told = record.truth.open_slots(token.epoch, before.revision, before.as_of, stream.query)
    if truth != told:
        yield _broken("W6 promptly", stream, arrival, _difference(truth, told))


# W7: who does not read delays nobody, and is given merged state.


def w7_merged(record: Record) -> Iterator[Violation]:
    """After a pause comes what is left of all that was missed: a delta or snapshot, a heartbeat."""
    for stream in record.streams:
        for _, resumed_at in stream.pauses:
            whole = [arrival for arrival, _ in stream.tokens if arrival.at == resumed_at]
            # The frame that was under way when the pause began may be a part of a larger one.
            if len(whole) > 4:
                yield _broken("W7", stream, whole[-1], f"{len(whole)} frames had been kept")


# W8: read your writes.


def w8_at_least(record: Record) -> Iterator[Violation]:
    """What opens is at least at `min_revision`, and at what was committed before it was asked."""
    for stream in record.streams:
        if not stream.tokens:
            continue
        arrival, token = stream.tokens[0]
        life = record.truth.lives[token.epoch]
        due = max(stream.min_revision, life.revision_at(stream.opened_at))
        if isinstance(arrival.frame, Goodbye) or life is not record.truth.life_at(stream.opened_at):
            continue
        if arrival.frame.revision < due:
            yield _broken("W8", stream, arrival, f"{due} was there before")


def lists_are_true(record: Record) -> Iterator[Violation]:
    """A list is as fresh as a stream that opens, and just as true and honest."""
    for listing in record.listings:
        life = record.truth.life_at(listing.asked_at)
        if life is None or life is not record.truth.life_at(listing.answered_at):
            continue
        due = max(listing.min_revision, life.revision_at(listing.asked_at))
        truth = record.truth.open_slots(life.epoch, listing.revision, listing.as_of, listing.query)
        if listing.revision < due:
            yield Violation("W8", listing.answered_at, -1, f"a list is at {listing.revision}")
        lost = _lost(
            record,
            listing.process,
            life.epoch,
            listing.revision,
            listing.as_of,
            listing.answered_at,
        )
        if lost is not None:
            yield Violation("W5 complete", listing.answered_at, -1, f"a list: {lost}")
        slots = {slot.key: slot.seats_left for slot in listing.slots}
        if slots != truth:
            what = f"a list at {listing.revision}: {_difference(truth, slots)}"
            yield Violation("B5", listing.answered_at, -1, what)


# W9: whatever was missed is looked for.


def looks_after_each_subscription(record: Record) -> Iterator[Violation]:
    """Whenever a channel is confirmed, hints may have been lost: PostgreSQL is asked at once."""
    for process, at in record.bus.confirmations:
        asked = record.store.heads_asked[process]
        has_looked = any(at <= each <= at + LOOK_SECONDS_MAX for each in asked)
        if not has_looked and at < END_SECONDS - 1 and record.is_calm(process, at - 1, at + 1):
            yield Violation("W9", at, -1, f"{process} did not look after it had subscribed")


# In the end.


def all_is_well_in_the_end(record: Record) -> Iterator[Violation]:
    """Long after the last fault and the last write, who reads is at the last revision."""
    quiet_since = max([WRITES_UNTIL_SECONDS, *(fault.ended for fault in record.faults)])
    life = record.truth.life
    for stream in record.streams:
        whole = stream.tokens
        is_open = stream.ended_at is None or stream.ended_at >= END_SECONDS
        if not is_open or stream.opened_at > quiet_since + 1 or life is None:
            continue
        if stream.is_paused(END_SECONDS - 1, END_SECONDS):
            continue
        revision = whole[-1][0].frame.revision if whole else None
        if revision != life.head.revision or whole[-1][1].epoch != life.epoch:
            what = f"is at {revision}, not at {life.head.revision}"
            yield Violation("liveness", END_SECONDS, stream.number, what)


def nothing_crashes(record: Record) -> Iterator[Violation]:
    """No stream ends, and nothing is logged, but for a reason that clients are told."""
    for stream in record.streams:
        if stream.ending not in ENDINGS:
            yield Violation("no crash", stream.ended_at or 0.0, stream.number, stream.ending)
    for crash in record.crashes:
        yield Violation("no crash", END_SECONDS, -1, crash)


Judge = Callable[[Record], Iterator[Violation]]
JUDGES: tuple[Judge, ...] = (
    w1_ordered,
    w1_state_reliable,
    w1_unique,
    w2_snapshot_ends,
    w3_resumes_or_resets,
    w3_resets_for_a_reason,
    w3_refuses_for_a_reason,
    w4_heartbeats,
    w4_verified,
    w5_contains_all_but_the_last_seconds,
    w5_is_not_ahead,
    right_within_two_seconds,
    w6_promptly,
    w7_merged,
    w8_at_least,
    lists_are_true,
    looks_after_each_subscription,
    all_is_well_in_the_end,
    nothing_crashes,
)


def _broken(promise: str, stream: Stream, arrival: Arrival, what: str) -> Violation:
    frame = arrival.frame
    said = f"{type(frame).__name__} {frame.revision} as of {_clock(frame.as_of)}"
    return Violation(promise, arrival.at, stream.number, f"{said}: {what}")


def _difference(truth: object, slots: object) -> str:
    if not isinstance(truth, dict) or not isinstance(slots, dict):
        return f"{slots} and not {truth}"
    wrong = sorted(key for key in truth.keys() | slots.keys() if truth.get(key) != slots.get(key))
    shown = [
        f"{key.type_id} on {key.calendar_id} at {_clock(key.start)}: "
        f"shown {slots.get(key, 'closed')}, is {truth.get(key, 'closed')}"
        for key in wrong[:3]
    ]
    return f"{len(wrong)} slots wrong, " + "; ".join(shown)


def _clock(instant: datetime) -> str:
    return f"{instant:%d %H:%M:%S.%f}"[:-3]
