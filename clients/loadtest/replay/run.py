"""The story of a replay: plan the town, build it, play the trace, look at what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from loadtest.figures import latency
from loadtest.replay.connections import open_clients
from loadtest.replay.inspection import Inspection, inspect
from loadtest.replay.machine import this_machine
from loadtest.replay.measures import Measures
from loadtest.replay.options import ReplayOptions
from loadtest.replay.person import UNANSWERED, Desk, Outcome, Visit
from loadtest.replay.player import Player, events_of
from loadtest.replay.report import Checked, Outcomes, Played, Report, Watched
from loadtest.replay.town import HOLD_SECONDS, ZONE, Town, build_town, plan_town
from loadtest.replay.trace import Request, move, of_busiest_units, read_trace, weeks_until
from loadtest.replay.watchers import Watcher, compare, freshness_of, stale_times, watching
from slotcast import Client

OnStage = Callable[[str, int, Measures], None]
"""Told what begins, of how many requests, and where its counts can be seen meanwhile."""


async def run_replay(options: ReplayOptions, on_stage: OnStage | None = None) -> Report:
    """Play a trace against a server, and check what came of it. DamagedTrace: it cannot be read."""
    tell = on_stage or (lambda *_: None)
    now = datetime.now(ZONE)
    requests, weeks = _read(options, now)
    town = plan_town(requests, f"replay-{uuid4().hex[:12]}")
    async with open_clients(options, town.business, options.connections + 1) as clients:
        client, *others = clients
        desk = Desk(clients=tuple(others), town=town, seed=options.seed)
        tell("building", 0, desk.measures)
        await build_town(client, town, now.date())
        try:
            async with watching(client, town, town.busiest(options.watchers)) as watchers:
                tell("playing", len(requests), desk.measures)
                began = time.monotonic()
                visits = await _play(options, desk, requests)
                seconds = time.monotonic() - began
                tell("checking", 0, desk.measures)
                await _let_holds_end(visits)
                inspection = await inspect(client, town, visits, desk.measures.revision)
                watched = await _judge_watchers(client, watchers, desk.measures)
        finally:
            if not options.keep:
                await client.delete_business(town.business)
    played = _played(options, town, requests, weeks, seconds, desk.measures)
    return _report(played, visits, desk.measures, watched, inspection)


def _read(options: ReplayOptions, now: datetime) -> tuple[list[Request], int]:
    requests = read_trace(options.file, limit=options.limit)
    if options.units is not None:
        requests = of_busiest_units(requests, options.units)
    weeks = weeks_until(requests, (now + timedelta(days=1)).date())
    return move(requests, weeks), weeks


async def _play(
    options: ReplayOptions, desk: Desk, requests: Sequence[Request]
) -> dict[int, Visit]:
    player = Player(desk, concurrency=options.concurrency, speed=options.speed)
    return await player.play(events_of(requests))


async def _let_holds_end(visits: dict[int, Visit]) -> None:
    """Wait for what may still be held by those who got no answer, else seats seem lost."""
    if any(visit.outcome in UNANSWERED for visit in visits.values()):
        await asyncio.sleep(HOLD_SECONDS)


async def _judge_watchers(
    client: Client, watchers: Sequence[Watcher], measures: Measures
) -> Watched:
    differences = [line for watcher in watchers for line in await compare(client, watcher)]
    freshness = freshness_of(watchers, measures.shown)
    return Watched(
        watchers=len(watchers),
        freshness=latency(freshness.nanoseconds),
        frame_first=freshness.frame_first,
        unseen=freshness.unseen,
        stale=stale_times(watchers),
        differences=differences,
    )


def _played(
    options: ReplayOptions,
    town: Town,
    requests: Sequence[Request],
    weeks: int,
    seconds: float,
    measures: Measures,
) -> Played:
    return Played(
        requests=len(requests),
        units=len(town.units),
        people=len({request.person for request in requests}),
        first_date=town.first_date.isoformat(),
        last_date=town.last_date.isoformat(),
        weeks_moved=weeks,
        speed=options.speed,
        concurrency=options.concurrency,
        seed=options.seed,
        seconds=seconds,
        requests_per_second=len(requests) / seconds,
        late_seconds_max=measures.lag_seconds_max,
    )


def _report(
    played: Played,
    visits: dict[int, Visit],
    measures: Measures,
    watched: Watched,
    inspection: Inspection,
) -> Report:
    counts = measures.counts
    return Report(
        played=played,
        outcomes=Outcomes(
            booked=counts[Outcome.BOOKED],
            on_another_day=counts["on another day"],
            full=counts[Outcome.FULL],
            outrun=counts[Outcome.OUTRUN],
            failed=counts[Outcome.FAILED],
            unknown=sum(visit.outcome is Outcome.UNKNOWN for visit in visits.values()),
            not_played=played.requests - len(visits),
            cancelled=counts[Outcome.CANCELLED],
            taken=counts["taken"],
            errors=dict(measures.errors.most_common()),
        ),
        calls={call: latency(samples) for call, samples in measures.nanoseconds.items()},
        watched=watched,
        checked=Checked(
            bookings=inspection.bookings,
            live_bookings=inspection.live_bookings,
            open_seats=inspection.open_seats,
            breaches=inspection.breaches,
        ),
        machine=this_machine(),
    )
