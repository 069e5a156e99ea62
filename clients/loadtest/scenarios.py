"""The scenarios, seen from where the work is dealt out and the findings are put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc

from loadtest.audit import Auditor, Ledger, Window, all_places
from loadtest.callers import Desk, HotJob, StreamJob, UnaryJob
from loadtest.crew import Crew, Job, OnDone
from loadtest.figures import latency
from loadtest.grid import Cursor, split
from loadtest.measures import (
    Round,
    Side,
    last_answer,
    latency_of,
    per_second,
    span_of,
)
from loadtest.options import Options, Scenario
from loadtest.recording import Recording, check_distinct, joined
from loadtest.target import CALL_SECONDS_MAX
from loadtest.watching import CATCH_UP_SECONDS_MAX, Sightings, WatchJob, judge

HOT_SECONDS_MAX = 300.0
OVERTIME_SECONDS = 3 * CALL_SECONDS_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One side, ready to be measured: where it is, and the slots that it has left."""

    options: Options
    side: Side
    target: str
    run_id: str
    many: Ledger
    hot: Ledger
    watched: Ledger
    # None: this side has nothing that could be asked.
    auditor: Auditor | None
    on_done: OnDone

    def desk(self, name: str, cursor: Cursor, channels: int) -> Desk:
        """Return where a worker asks; no two workers share a name."""
        return Desk(
            target=self.target,
            api_key=self.options.api_key,
            worker=f"{self.run_id}-{name}",
            grid=cursor.grid,
            channels=channels,
        )


def measure(stage: Stage, scenario: Scenario, number: int) -> Round:
    """Run one round of a scenario."""
    return _MEASURES[scenario](stage, number)


def _unary(stage: Stage, number: int) -> Round:
    options = stage.options
    indexes = stage.many.cursor.take(options.bookings_max)
    callers_by_part = shares(options.callers, options.processes)
    parts = len(callers_by_part)
    jobs = [
        UnaryJob(
            desk=stage.desk(f"u{number}-{part}", stage.many.cursor, options.channels),
            indexes=own,
            callers=callers,
            seconds=options.seconds,
            rate=None if options.rate is None else options.rate / parts,
            seed=number * parts + part,
        )
        for part, (own, callers) in enumerate(
            zip(split(indexes, parts), callers_by_part, strict=True)
        )
    ]
    return _distinct(stage, Scenario.UNARY, number, jobs)


def _stream(stage: Stage, number: int) -> Round:
    options = stage.options
    indexes = stage.many.cursor.take(options.bookings_max)
    jobs = [
        StreamJob(
            desk=stage.desk(f"s{number}-{part}", stage.many.cursor, options.channels),
            indexes=own,
            in_flight=options.in_flight,
            seconds=options.seconds,
        )
        for part, own in enumerate(split(indexes, options.processes))
    ]
    return _distinct(stage, Scenario.STREAM, number, jobs)


def _distinct(
    stage: Stage, scenario: Scenario, number: int, jobs: Sequence[Job[Recording]]
) -> Round:
    """Book slots that are asked for once each: every one must be won."""
    options, begun = stage.options, stage.many.cursor.used - stage.options.bookings_max
    with Crew(jobs) as crew:
        start_ns = crew.go()
        recording = joined(crew.results(options.seconds + OVERTIME_SECONDS, stage.on_done))
    check_distinct(recording)
    stage.many.add(recording)
    stage.many.cursor.give_back(max(recording.reached, begun))
    last_ns = last_answer(recording)
    span = span_of(start_ns, options.settle_seconds, options.seconds, last_ns)
    return Round(
        scenario=scenario,
        side=stage.side,
        number=number,
        per_second=per_second(recording.answered_ns, span),
        latency=latency_of(recording, span),
        not_sent=recording.not_sent,
        client_cores=recording.cpu_seconds / max(1e-9, (last_ns - start_ns) / 1e9),
        failures=dict(recording.failures),
        breaches=recording.breaches,
    )


def _hot(stage: Stage, number: int) -> Round:
    options = stage.options
    (index,) = stage.hot.cursor.take(1)
    jobs = [
        HotJob(
            desk=stage.desk(f"h{number}-{part}", stage.hot.cursor, options.channels),
            index=index,
            callers=callers,
            attempts=options.hot_attempts,
        )
        for part, callers in enumerate(shares(options.hot_callers, options.processes))
    ]
    with Crew(jobs) as crew:
        start_ns = crew.go()
        recording = joined(crew.results(HOT_SECONDS_MAX, stage.on_done))
    stage.hot.add(recording)
    winners = len(recording)
    if stage.side is Side.SERVICE and winners != 1:
        recording.breaches.add(f"{winners} callers won the one slot (B1)")
    if recording.refused_ns and recording.bare_refusals == len(recording.refused_ns):
        recording.breaches.add("no refusal came with alternatives (B6)")
    last_ns = last_answer(recording)
    span = span_of(start_ns, 0, HOT_SECONDS_MAX, last_ns)
    answered_ns = recording.answered_ns + recording.refused_ns
    return Round(
        scenario=Scenario.HOT,
        side=stage.side,
        number=number,
        per_second=per_second(answered_ns, span),
        latency=latency_of(recording, span),
        winners=winners,
        bare_refusals=recording.bare_refusals,
        client_cores=recording.cpu_seconds / max(1e-9, (last_ns - start_ns) / 1e9),
        failures=dict(recording.failures),
        breaches=recording.breaches,
    )


def _watch(stage: Stage, number: int) -> Round:
    options = stage.options
    cursor = stage.watched.cursor
    window = Window(cursor.skip_to_day(), options.watch_days)
    indexes = cursor.take(options.watch_bookings)
    watching = [
        WatchJob(
            desk=stage.desk(f"w{number}-{part}", cursor, options.channels),
            watchers=watchers,
            first_day=window.first_day,
            days=window.days,
        )
        for part, watchers in enumerate(shares(options.watchers, options.processes))
    ]
    writing = UnaryJob(
        desk=stage.desk(f"b{number}", cursor, 1),
        indexes=indexes,
        callers=options.callers,
        seconds=options.seconds,
        rate=options.watch_rate,
        seed=number,
    )
    with Crew(watching) as watchers_crew:
        watchers_crew.go()
        with Crew([writing]) as writer:
            start_ns = writer.go()
            (recording,) = writer.results(options.seconds + OVERTIME_SECONDS, stage.on_done)
        watchers_crew.finish(max(recording.revision, default=0))
        # The audit of a thousand watchers' frames takes a while to be sent.
        sightings = watchers_crew.results(CATCH_UP_SECONDS_MAX + OVERTIME_SECONDS, stage.on_done)
    seconds = (time.monotonic_ns() - start_ns) / 1e9
    check_distinct(recording)
    stage.watched.add(recording)
    check_last_view(stage, window, sightings, recording)
    for seen in sightings:
        recording.breaches.join(seen.breaches)
        recording.failures.update(seen.failures)
    return _watch_round(stage, number, start_ns, seconds, (recording, sightings))


def _watch_round(
    stage: Stage,
    number: int,
    start_ns: int,
    seconds: float,
    found: tuple[Recording, Sequence[Sightings]],
) -> Round:
    recording, sightings = found
    options, grid = stage.options, stage.watched.cursor.grid
    last_ns = last_answer(recording)
    span = span_of(start_ns, options.settle_seconds, options.seconds, last_ns)
    shown = [
        each
        for seen in sightings
        for watcher in seen.watchers
        for each in judge(watcher, recording, grid, recording.breaches)
        if each.answered_ns >= span.start_ns
    ]
    spent = recording.cpu_seconds + sum(seen.cpu_seconds for seen in sightings)
    return Round(
        scenario=Scenario.WATCH,
        side=stage.side,
        number=number,
        per_second=per_second(recording.answered_ns, span),
        latency=latency_of(recording, span),
        after_answer=latency(each.after_answer for each in shown),
        after_send=latency(each.after_send for each in shown),
        not_sent=recording.not_sent,
        client_cores=spent / seconds,
        failures=dict(recording.failures),
        breaches=recording.breaches,
    )


def check_last_view(
    stage: Stage, window: Window, sightings: Sequence[Sightings], recording: Recording
) -> None:
    """Compare what every watcher shows at the end with what is left, and with ListSlots."""
    grid = stage.watched.cursor.grid
    unknown = {place.start for place in stage.watched.places(recording.unknown)}
    everything = {place.start for place in all_places(grid, window)}
    left = everything - {place.start for place in stage.watched.places(recording.index)}
    if stage.auditor is not None:
        revision = max(recording.revision, default=0)
        try:
            listed = {place.start for place in stage.auditor.open_places(grid, window, revision)}
        except grpc.RpcError:
            recording.breaches.add("ListSlots could not be asked what is left")
        else:
            if (listed ^ left) - unknown:
                recording.breaches.add("ListSlots does not list what is left (B5)")
    for seen in sightings:
        for watcher in seen.watchers:
            if (watcher.open_starts ^ left) - unknown:
                recording.breaches.add("a watcher's last view is not what is left (W1)")


def shares(whole: int, parts: int) -> list[int]:
    """Divide a number into parts as even as can be; none is empty."""
    parts = min(whole, parts)
    least, more = divmod(whole, parts)
    return [least + (part < more) for part in range(parts)]


_MEASURES: dict[Scenario, Callable[[Stage, int], Round]] = {
    Scenario.UNARY: _unary,
    Scenario.STREAM: _stream,
    Scenario.HOT: _hot,
    Scenario.WATCH: _watch,
}
