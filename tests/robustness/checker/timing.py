"""W4, W5, W6, W7, W9 and liveness: the rules of streams that know a clock.

Frames are dated by the process that reads them, on a machine that is busy: each of these rules has
a slack, by name. What a frame says of itself has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.robustness.checker.evidence import CLOCK_SLACK, Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, shown
from tests.robustness.checker.streams import Clocks, Seen, Stream, Stretch, Weather, without
from tests.robustness.history import Ending, Outcome

BUSY_MACHINE_SECONDS = 1.0
"""The slack of every bound of seconds: one machine runs servers, databases, clients and proxies."""
HEARTBEAT_SECONDS = 5.0
HEARTBEAT_CLOCK_SLACK = SECOND // 10
AS_OF_LAG = 2 * SECOND
"""A frame that says how things are at an instant has all that was answered so long before it."""
RIGHT_WITHIN_SECONDS = 2.0
AMID_FAULTS = " amid faults"
"""What was compared while other things were broken is counted once more, under this name."""
GOING_ON = " of bookings"
SETTLED_SECONDS = 5.0
GOING_AGAIN_SECONDS = 1.5
SETTLED_SLACK_SECONDS = 3.0
ANSWERING_SECONDS = 3.0
UNKNOWN_SHARE_MAX = 0.5
"""Deadlines are short, and the machine is busy: so many of the calls may run out of time."""
TRIES_MIN = 20
"""Out of so many bookings that were tried in a stretch at least one must have come about."""


def judge_w4(evidence: Evidence, findings: Findings, stream: Stream, weather: Weather) -> None:
    """A frame at least every 5 s; and a heartbeat has all that was answered before its as_of."""
    excused = [*weather.storms(stream.watch.server), *stream.watch.pauses]
    for silence in _silences(evidence, stream):
        unexcused = list(without(silence, excused))
        if unexcused:
            _count(findings, weather, "W4", silence)
        for start, end in unexcused:
            if end - start > HEARTBEAT_SECONDS + BUSY_MACHINE_SECONDS:
                text = f"nothing came for {end - start:.1f} s"
                _tell(findings, stream, "W4", "silence", text, at=end)
    for seen in stream.seen:
        if seen.kind != "heartbeat":
            continue
        findings.checks["W4"] += 1
        known = _known_as_of(evidence, stream, seen, HEARTBEAT_CLOCK_SLACK)
        if seen.revision < known:
            text = f"a heartbeat as of {shown(seen.as_of)} has not {known}, answered before"
            _tell(findings, stream, "W4", "heartbeat", text, at=seen.at, revision=seen.revision)


def _silences(evidence: Evidence, stream: Stream) -> Iterator[Stretch]:
    last = stream.watch.opened
    for seen in stream.seen:
        yield last, seen.at
        last = seen.at
    if stream.watch.ending in {Ending.OPEN, Ending.CANCELLED}:
        yield last, stream.ended(evidence.history)


def _known_as_of(evidence: Evidence, stream: Stream, seen: Seen, lag: int) -> int:
    """Return up to where all was answered a while before the instant that a frame tells of."""
    clocks = Clocks(evidence.history)
    return evidence.acknowledged.before(
        clocks.earliest(seen.as_of - lag, stream.sent_from(seen), seen.at)
    )


def _count(findings: Findings, weather: Weather, promise: str, stretch: Stretch) -> None:
    findings.checks[promise] += 1
    if weather.is_amid_faults(*stretch):
        findings.checks[promise + AMID_FAULTS] += 1


def judge_w5(evidence: Evidence, findings: Findings, stream: Stream, weather: Weather) -> None:
    """An honest as_of, whatever is broken: not later than now, and nothing older is missing."""
    clocks = Clocks(evidence.history)
    for seen in stream.seen:
        _count(findings, weather, "W5", (seen.at, seen.at))
        ahead = seen.as_of - clocks.latest(stream.sent_from(seen), seen.at)
        if ahead > CLOCK_SLACK:
            text = f"a frame is as of {ahead / SECOND:.3f} s later"
            _tell(findings, stream, "W5", "as_of ahead", text, at=seen.at, revision=seen.revision)
        known = _known_as_of(evidence, stream, seen, AS_OF_LAG)
        if seen.revision < known:
            text = (
                f"a {seen.kind} says how it was at {shown(seen.as_of)}, "
                f"but has not {known}, answered more than 2 s before"
            )
            _tell(findings, stream, "W5", "as_of", text, at=seen.at, revision=seen.revision)


def judge_lateness(
    evidence: Evidence, findings: Findings, stream: Stream, weather: Weather
) -> None:
    """W9 and W6: what was answered, and what time alone has done, is shown within 2 s."""
    within = RIGHT_WITHIN_SECONDS + BUSY_MACHINE_SECONDS
    for index, seen in enumerate(stream.complete):
        is_last = index + 1 == len(stream.complete)
        end = stream.ended(evidence.history) if is_last else stream.complete[index + 1].at
        start = end - within
        if stream.is_paused(start, end):
            continue
        if not weather.is_calm(stream.watch.server, start, end):
            continue
        _count(findings, weather, "W9", (start, end))
        _count(findings, weather, "W6", (start, end))
        _judge_shown(evidence, findings, stream, seen, (start, end))


def _judge_shown(
    evidence: Evidence, findings: Findings, stream: Stream, seen: Seen, stretch: Stretch
) -> None:
    """Compare what a reader still sees with what had become true when a stretch began."""
    start, end = stretch
    promise = late_by(evidence, stream, seen, start)
    if promise is None:
        return
    what = "what was answered" if promise == "W9" else "what time has done"
    text = f"{what} by {start:.3f} s was not shown {end - start:.1f} s later"
    _tell(findings, stream, promise, "late", text, at=end, revision=seen.revision)


def late_by(evidence: Evidence, stream: Stream, seen: Seen, instant: float) -> str | None:
    """Return W9 or W6 if a state differs from the truth of an instant, by the log or by time."""
    timeline = evidence.timeline
    known = evidence.acknowledged.before(instant)
    revision = min(max(known, seen.revision), timeline.revision)
    at = (
        max(evidence.clock(instant), seen.as_of) if evidence.is_clock_known(instant) else seen.as_of
    )
    before = (seen.revision, seen.as_of)
    if seen.revision > timeline.revision or before == (revision, at):
        return None
    if not timeline.differences(stream.query, before, (revision, at)):
        return None
    by_log = timeline.differences(stream.query, before, (revision, seen.as_of))
    return "W9" if by_log else "W6"


def judge_w7(evidence: Evidence, findings: Findings, stream: Stream, weather: Weather) -> None:
    """A reader that paused and reads again is right soon; the others are judged by W4 meanwhile."""
    over = stream.ended(evidence.history)
    within = RIGHT_WITHIN_SECONDS + BUSY_MACHINE_SECONDS
    for _, resumed in stream.watch.pauses:
        caught_up = resumed + within
        if caught_up > over or stream.is_paused(resumed, caught_up):
            continue
        if not weather.is_calm(stream.watch.server, resumed, caught_up):
            continue
        findings.checks["W7"] += 1
        seen = stream.last_before(caught_up)
        if seen is None or late_by(evidence, stream, seen, resumed):
            text = f"a reader that paused until {resumed:.1f} s was not right {within:g} s on"
            _tell(findings, stream, "W7", "caught up", text, at=caught_up)


def judge_bookings_go_on(evidence: Evidence, findings: Findings, weather: Weather) -> None:
    """W9: while only Valkey is gone, and when all faults are over, bookings come about."""
    history = evidence.history
    standstills = weather.standstills()
    stretches = [
        ("W9", stretch)
        for gone in weather.without_hints()
        for stretch in without(gone, standstills)
    ]
    if history.faults:
        stretches.append(
            ("liveness", (history.faults_ended + GOING_AGAIN_SECONDS, history.traffic_ended))
        )
    for promise, (start, end) in stretches:
        tried = [
            call
            for call in history.calls
            if call.method in {"Book", "HoldSlot"}
            and start <= call.began
            and call.ended is not None
            and call.ended <= end
        ]
        if len(tried) < TRIES_MIN:
            continue
        findings.checks[promise + GOING_ON] += 1
        if not any(call.outcome is Outcome.OK for call in tried):
            text = f"of {len(tried)} tries none came about between {start:.1f} and {end:.1f} s"
            findings.add(promise, "bookings", text, at=end)


def judge_answering(evidence: Evidence, findings: Findings) -> None:
    """When all faults are over, and where there are none, each server answers what it is asked."""
    history = evidence.history
    start = history.faults_ended + ANSWERING_SECONDS if history.faults else ANSWERING_SECONDS
    for server in sorted({call.server for call in history.calls}):
        asked = [
            call
            for call in history.calls
            if call.server == server and start <= call.began <= history.traffic_ended
        ]
        findings.checks["liveness"] += 1
        unknown = sum(call.outcome is Outcome.UNKNOWN for call in asked)
        if unknown > UNKNOWN_SHARE_MAX * len(asked):
            text = (
                f"{unknown} of {len(asked)} calls at {server} had no answer from {start:.1f} s on"
            )
            findings.add("liveness", "unanswered", text, at=history.traffic_ended)


def judge_liveness(evidence: Evidence, findings: Findings, stream: Stream) -> None:
    """5 s after the last fault every open stream that is read is at the last revision answered."""
    history = evidence.history
    settled = history.faults_ended + SETTLED_SECONDS
    opened, over = stream.watch.opened, stream.ended(history)
    is_refused = not stream.seen and stream.watch.ending not in {Ending.OPEN, Ending.CANCELLED}
    if opened > settled and is_refused:
        findings.checks["liveness of streams"] += 1
        text = f"a stream was refused with {stream.watch.ending} when all faults were over"
        _tell(findings, stream, "liveness", "refused", text, at=over)
        return
    ends = [(settled, settled + SETTLED_SLACK_SECONDS)]
    if history.ended - settled > 2 * SETTLED_SECONDS:
        quiet = history.ended - HEARTBEAT_SECONDS - SETTLED_SLACK_SECONDS
        ends.append((quiet, history.ended))
    for known_at, reached_by in ends:
        if opened > known_at or over < reached_by or stream.is_paused(known_at, reached_by):
            continue
        findings.checks["liveness of streams"] += 1
        seen = stream.last_before(reached_by)
        known = evidence.acknowledged.before(known_at)
        if seen is None or (seen.revision < known and late_by(evidence, stream, seen, known_at)):
            has = "nothing" if seen is None else f"revision {seen.revision}"
            text = f"at {reached_by:.1f} s it has {has}, {known} was answered by {known_at:.1f} s"
            _tell(findings, stream, "liveness", "behind", text, at=reached_by)


def _tell(
    findings: Findings,
    stream: Stream,
    promise: str,
    rule: str,
    text: str,
    *,
    at: float,
    revision: int | None = None,
) -> None:
    findings.add(
        promise,
        rule,
        f"watch {stream.number} at {stream.watch.server}: {text}",
        at=at,
        revision=revision,
        watches=(stream.number,),
    )
