"""`python -m tests.robustness.soak`: half an hour of load, to see that nothing grows.

Besides the traffic, streams are opened and cancelled by the thousand, and readers that never read
are there all the time. It fails where a figure goes on growing, where too few looks were taken to
say so, and where the load was not what was asked for.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import grpc
from rich.console import Console

from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.catalogue import BUSINESS, contested_starts
from tests.robustness.cluster.cluster import Cluster, running_cluster
from tests.robustness.growth import Growth, Look, TooFewLooks, after_warm_up, growths
from tests.robustness.history import History, Outcome
from tests.robustness.traffic.callers import Caller
from tests.robustness.traffic.ground import Door, Doors, Ground, stream_of
from tests.robustness.traffic.opening import open_business
from tests.robustness.traffic.owner import Owner
from tests.robustness.traffic.recorder import Recorder
from tests.robustness.traffic.requests import Draw
from tests.robustness.traffic.watchers import Watcher

MINUTES = 30.0
CALLERS = 6
WATCHERS = 6
CHURNERS = 4
STREAMS_CHURNED = 20_000
"""In so many minutes as a soak lasts by default; in another one as many more or fewer."""
CHURNING_SHARE = 0.85
"""By then the last stream is due."""
STUCK_READERS = 200
STUCK_CHANNELS = 20
STUCK_SECONDS = (30.0, 90.0)
"""Its server gives up a reader that reads nothing for 30 s; each begins anew a while later."""
LOOKS = 60
LOOK_SECONDS_MAX = 10.0
REFUSED_SHARE_MAX = 0.02
ANSWERED_SHARE_MIN = 0.25
"""One in four reads nothing, and some of the others are gone before the first frame."""
CALLS_PER_MINUTE_MIN = 300
"""So many are made if each takes all the time that a caller gives it."""
PARTS = 4
"""Whoever makes traffic has done something in each of so many parts of the time."""
BOUNDED, LOAD = "W7", "load"
"""What is wrong: a promise of the service, or what the soak itself was to do."""
console = Console(width=120, highlight=False, markup=False)


@dataclass(kw_only=True, slots=True)
class Load:
    """What was done. `never_reading` are there now; `done` counts for each who makes traffic."""

    asked: int
    opened: int = 0
    answered: int = 0
    refused: int = 0
    never_reading: int = 0
    looks: list[Look] = field(default_factory=list)
    never_read: list[int] = field(default_factory=list)
    done: list[Counter[str]] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)

    def look(self, minutes: float, figures: dict[str, float], history: History) -> None:
        """Note the figures of a moment, and what was done since the one before."""
        self.looks.append(Look(minutes, figures))
        self.never_read.append(self.never_reading)
        known = (Outcome.OK, Outcome.REFUSED)
        done = Counter(call.client for call in history.calls if call.outcome in known)
        done.update(watch.watcher for watch in history.watches if watch.arrivals)
        self.done.append(done)

    @property
    def calls(self) -> int:
        """How many calls the callers had answered."""
        return sum(
            number
            for done in self.done
            for name, number in done.items()
            if name.startswith("caller")
        )


def main(arguments: Sequence[str]) -> int:
    """Soak, print the figures, and return 1 where something grew, or the load was not there."""
    asked = _asked(arguments)
    streams = asked.streams or round(STREAMS_CHURNED * asked.minutes / MINUTES)
    load = Load(asked=streams)
    asyncio.run(_soak(asked.minutes * 60, load))
    if asked.figures:
        rows = [{"minutes": look.minutes, **look.figures} for look in load.looks]
        Path(asked.figures).write_text(json.dumps(rows, indent=1))
    lacking = lacks(load)
    grown: list[Growth] = []
    try:
        found = growths(load.looks)
    except TooFewLooks as error:
        lacking.append(str(error))
    else:
        grown = [each for each in found if each.is_too_much]
        _print(load, found)
    told = [{"promise": BOUNDED, "rule": f"{each.name} grow"} for each in grown]
    told += [{"promise": LOAD, "rule": each} for each in lacking]
    if asked.told:
        Path(asked.told).write_text(json.dumps(told))
    for each in told:
        console.print(f"{each['promise']}: {each['rule']}", style="red")
    console.print(f"soak: {0 if told else 1} passed, {1 if told else 0} failed")
    return 1 if told else 0


def _asked(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.robustness.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--streams", type=int, help=f"{STREAMS_CHURNED:,} in {MINUTES:g} minutes")
    parser.add_argument("--figures", help="a file for all figures, as JSON")
    parser.add_argument("--told", help="a file for what is wrong, as JSON")
    return parser.parse_args(arguments)


def lacks(load: Load) -> list[str]:
    """Return what the load was short of: nothing grows where nothing is done."""
    found = list(load.broken_off)
    if load.opened < load.asked:
        found.append(f"only {load.opened:,} streams of {load.asked:,} were opened")
    if load.refused > REFUSED_SHARE_MAX * load.asked:
        found.append(f"{load.refused:,} streams were refused")
    if load.answered < ANSWERED_SHARE_MIN * load.asked:
        found.append(f"only {load.answered:,} streams of {load.asked:,} had an answer")
    judged = load.never_read[-len(after_warm_up(load.looks)) :]
    if not judged or median(judged) < 0.9 * STUCK_READERS:
        found.append(f"there were no {STUCK_READERS} readers that never read")
    if load.looks and load.calls < CALLS_PER_MINUTE_MIN * load.looks[-1].minutes:
        found.append(f"only {load.calls:,} calls were answered")
    return found + [f"{name} did nothing for long" for name in _idle(load.done)]


def _idle(done: Sequence[Counter[str]]) -> list[str]:
    """Return who made no traffic in one of the parts of the time."""
    size = max(1, len(done) // PARTS)
    parts = [sum(done[first : first + size], Counter()) for first in range(0, len(done), size)]
    names = ["owner", *_names("caller", CALLERS), *_names("watcher", WATCHERS)]
    return [name for name in names if not all(part[name] for part in parts[:PARTS])]


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(1, count + 1)]


async def _soak(seconds: float, load: Load) -> None:
    with tempfile.TemporaryDirectory(prefix="slotcast-soak-") as folder:
        async with running_cluster(Path(folder), tells_figures=True) as cluster:
            recorder = Recorder(seed=0, scenario="soak", business_id=BUSINESS)
            ground = Ground(
                recorder=recorder,
                targets=cluster.targets,
                api_key=cluster.operator_key,
                starts=contested_starts(recorder.wall),
            )
            await open_business(ground)
            async with _loading(ground, seconds, load) as tasks:
                await _look_on(cluster, ground, seconds, load, tasks)


@asynccontextmanager
async def _loading(
    ground: Ground, seconds: float, load: Load
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Let all who make the load do so until the end of the block."""
    parts: dict[str, Any] = {"owner": Owner(ground, stream_of(0, "owner"), "owner")}
    for name in _names("caller", CALLERS):
        parts[name] = Caller(ground, stream_of(0, name), name)
    for name in _names("watcher", WATCHERS):
        parts[name] = Watcher(ground, stream_of(0, name), name)
    running = {name: part.run() for name, part in parts.items()}
    for number, name in enumerate(_names("churner", CHURNERS)):
        streams = len(range(number, load.asked, CHURNERS))
        running[name] = _churn(ground, name, load, streams, CHURNING_SHARE * seconds)
    doors = [
        Door(ground.targets[ground.servers[number % len(ground.servers)]])
        for number in range(STUCK_CHANNELS)
    ]
    for number, name in enumerate(_names("stuck", STUCK_READERS)):
        running[name] = _never_read(ground, doors[number % STUCK_CHANNELS], name, load)
    tasks = [asyncio.create_task(each, name=name) for name, each in running.items()]
    try:
        yield tasks
    finally:
        ground.is_over.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for door in doors:
            await door.channel.close()


async def _churn(ground: Ground, name: str, load: Load, streams: int, seconds: float) -> None:
    """Open a stream, read a little of it or nothing, cancel it; so many times, at an even pace."""
    random = stream_of(0, name)
    draw = Draw(ground, random, name)
    began, each_seconds = ground.recorder.now, seconds / max(streams, 1)
    async with Doors(ground.targets) as doors:
        for number in range(streams):
            due_at = began + number * each_seconds
            await ground.pause(max(due_at - ground.recorder.now, 0.0))
            door = doors.by_server[random.choice(ground.servers)]
            request = draw.filtered(WatchAvailabilityRequest, 0)
            call = door.availability.WatchAvailability(request, metadata=ground.metadata(name))
            has_answer = False
            try:
                async with asyncio.timeout(random.uniform(0, 2 * each_seconds)):
                    for _ in range(random.randint(0, 3)):
                        await call.read()
                        has_answer = True
            except TimeoutError:
                pass
            except grpc.aio.AioRpcError:
                load.refused += 1
            call.cancel()
            load.opened += 1
            load.answered += has_answer


async def _never_read(ground: Ground, door: Door, name: str, load: Load) -> None:
    """Keep a stream open that nobody reads; begin anew when its server has long given it up."""
    random = stream_of(0, name)
    draw = Draw(ground, random, name)
    while not ground.is_over.is_set():
        call = door.availability.WatchAvailability(
            draw.filtered(WatchAvailabilityRequest, 0), metadata=ground.metadata(name)
        )
        with suppress(grpc.aio.AioRpcError):
            # What it is told first is that it is there.
            await call.read()
            load.never_reading += 1
            try:
                await ground.pause(random.uniform(*STUCK_SECONDS))
            finally:
                load.never_reading -= 1
        call.cancel()
        await ground.pause(random.uniform(0.0, 0.5))


async def _look_on(
    cluster: Cluster,
    ground: Ground,
    seconds: float,
    load: Load,
    tasks: Sequence[asyncio.Task[None]],
) -> None:
    recorder, began = ground.recorder, ground.recorder.now
    look_seconds = min(seconds / LOOKS, LOOK_SECONDS_MAX)
    while recorder.now - began < seconds and not load.broken_off:
        await ground.pause(look_seconds)
        figures, history = dict(await cluster.figures()), recorder.history
        load.look((recorder.now - began) / 60, figures, history)
        # What is long past is of no use here, and would grow.
        history.calls.clear()
        history.watches.clear()
        load.broken_off += [told for task in tasks if (told := told_of_end(task))]
        if len(load.looks) % 6 == 0:
            shown = ", ".join(f"{name} {value:,.0f}" for name, value in figures.items())
            console.print(f"{load.looks[-1].minutes:5.1f} min: {shown}")


def told_of_end(task: asyncio.Task[None]) -> str:
    """Say how a part of the load ended too soon; empty where it has not, or had done its work."""
    name = task.get_name()
    if not task.done():
        return ""
    if task.cancelled():
        return f"{name} broke off"
    if error := task.exception():
        return f"{name} broke off: {error!r}"
    return "" if name.startswith("churner") else f"{name} ended too soon"


def _print(load: Load, found: Sequence[Growth]) -> None:
    """Print what was done and how each figure went, as a table for a page."""
    console.print(
        f"{load.looks[-1].minutes:.0f} minutes: {load.opened:,} streams opened and cancelled,"
        f" {STUCK_READERS} that are never read, {load.calls:,} calls\n"
    )
    console.print("| figure | after the warm-up | at the end | grew by | at least | may grow by |")
    console.print("|---|---|---|---|---|---|")
    for each in found:
        console.print(
            f"| {each.name} | {each.begin:,.0f} | {each.end:,.0f} | {each.growth:+,.1f} |"
            f" {each.sure_growth:+,.1f} | {each.growth_max:,.0f} |"
        )
    console.print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
