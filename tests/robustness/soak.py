"""`python -m tests.robustness.soak`: half an hour of load, to see that nothing grows.

Besides the traffic, streams are opened and cancelled by the thousand, and readers that never read
are there all the time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

import grpc
from rich.console import Console
from rich.table import Table

from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.catalogue import BUSINESS, contested_starts
from tests.robustness.cluster.cluster import Cluster, running_cluster
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
STUCK_READERS = 200
STUCK_CHANNELS = 20
LOOK_SECONDS = 10.0
GROWTH_MAX = 1.15
"""The last third may be so much above the third before it: what grows for ever grows more."""
console = Console(width=120, highlight=False)


class Look(NamedTuple):
    """Figures of one moment, by name."""

    minutes: float
    figures: Mapping[str, float]


class Churn(NamedTuple):
    """How many streams one opens and cancels, and about how long each takes."""

    streams: int
    seconds: float


@dataclass(kw_only=True, slots=True)
class Churned:
    """How many streams were opened and cancelled."""

    streams: int = 0


def main(arguments: Sequence[str]) -> int:
    """Soak, print the figures, and return 1 where something grew."""
    asked = _asked(arguments)
    looks, churned = asyncio.run(_soak(asked.minutes * 60, asked.streams))
    if asked.figures:
        rows = [{"minutes": look.minutes, **look.figures} for look in looks]
        Path(asked.figures).write_text(json.dumps(rows, indent=1))
    grown = _grown(looks)
    _print(looks, churned, grown)
    return 1 if grown else 0


def _asked(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.robustness.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--streams", type=int, default=STREAMS_CHURNED, help="opened, cancelled")
    parser.add_argument("--figures", help="a file for all figures, as JSON")
    return parser.parse_args(arguments)


async def _soak(seconds: float, streams: int) -> tuple[list[Look], Churned]:
    folder = Path(tempfile.mkdtemp(prefix="slotcast-soak-"))
    looks: list[Look] = []
    churned = Churned()
    async with running_cluster(folder, tells_figures=True) as cluster:
        recorder = Recorder(seed=0, scenario="soak", business_id=BUSINESS)
        ground = Ground(
            recorder=recorder,
            targets=cluster.targets,
            api_key=cluster.operator_key,
            starts=contested_starts(recorder.wall),
        )
        await open_business(ground)
        parts: list[Any] = [Owner(ground, stream_of(0, "owner"), "owner")]
        parts += [Caller(ground, stream_of(0, name), name) for name in _names("caller", CALLERS)]
        parts += [Watcher(ground, stream_of(0, name), name) for name in _names("watcher", WATCHERS)]
        running = [part.run() for part in parts]
        each_seconds = seconds * 0.9 / max(streams / CHURNERS, 1)
        running += [
            _churn(ground, name, churned, Churn(streams=streams // CHURNERS, seconds=each_seconds))
            for name in _names("churner", CHURNERS)
        ]
        running.append(_never_read(ground))
        tasks = [asyncio.create_task(each) for each in running]
        try:
            await _look_on(cluster, ground, seconds, looks)
        finally:
            ground.is_over.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return looks, churned


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(1, count + 1)]


async def _churn(ground: Ground, name: str, churned: Churned, churn: Churn) -> None:
    """Open a stream, read a little of it or nothing, cancel it; so many times."""
    random = stream_of(0, name)
    draw = Draw(ground, random, name)
    async with Doors(ground.targets) as doors:
        for _ in range(churn.streams):
            door = doors.by_server[random.choice(ground.servers)]
            request = draw.filtered(WatchAvailabilityRequest, 0)
            call = door.availability.WatchAvailability(request, metadata=ground.metadata(name))
            with suppress(TimeoutError, grpc.aio.AioRpcError):
                async with asyncio.timeout(random.uniform(0, 2 * churn.seconds)):
                    for _ in range(random.randint(0, 3)):
                        await call.read()
            call.cancel()
            churned.streams += 1
            await ground.pause(random.uniform(0, churn.seconds / 2))


async def _never_read(ground: Ground) -> None:
    """Keep streams open that nobody reads."""
    doors = [
        Door(ground.targets[ground.servers[number % len(ground.servers)]])
        for number in range(STUCK_CHANNELS)
    ]
    draw = Draw(ground, Random(0), "stuck")
    try:
        calls = []
        for number in range(STUCK_READERS):
            door = doors[number % STUCK_CHANNELS]
            call = door.availability.WatchAvailability(
                draw.filtered(WatchAvailabilityRequest, 0),
                metadata=ground.metadata(f"stuck-{number}"),
            )
            await call.read()
            calls.append(call)
        await ground.is_over.wait()
    finally:
        for door in doors:
            await door.channel.close()


async def _look_on(cluster: Cluster, ground: Ground, seconds: float, looks: list[Look]) -> None:
    recorder = ground.recorder
    while recorder.now < seconds and await ground.pause(LOOK_SECONDS):
        figures = dict(await cluster.figures())
        history = recorder.history
        figures["calls"] = len(history.calls) + (looks[-1].figures["calls"] if looks else 0)
        # What is long past is of no use here, and would grow.
        history.calls.clear()
        history.watches.clear()
        look = Look(recorder.now / 60, figures)
        looks.append(look)
        shown = ", ".join(f"{name} {value:,.0f}" for name, value in figures.items())
        console.print(f"{look.minutes:5.1f} min: {shown}")


def _grown(looks: Sequence[Look]) -> list[str]:
    """Return what was still growing in the last third."""
    third = len(looks) // 3
    before, last = looks[third : 2 * third], looks[2 * third :]
    if not before:
        return []
    names = [name for name in looks[0].figures if name != "calls"]
    return [
        name
        for name in names
        if _mean(last, name) > GROWTH_MAX * _mean(before, name) + _slack(name)
    ]


def _mean(looks: Sequence[Look], name: str) -> float:
    return mean(look.figures[name] for look in looks)


def _slack(name: str) -> float:
    return 8.0 if "MiB" in name else 10.0


def _print(looks: Sequence[Look], churned: Churned, grown: Sequence[str]) -> None:
    table = Table(title=f"{churned.streams:,} streams opened and cancelled")
    shown = looks[:: max(1, len(looks) // 6)]
    table.add_column("")
    for look in shown:
        table.add_column(f"{look.minutes:.0f} min", justify="right")
    for name in looks[0].figures:
        table.add_row(name, *(f"{look.figures[name]:,.0f}" for look in shown))
    console.print(table)
    for name in grown:
        console.print(f"[red]{name} grew[/]")
    console.print(f"soak: {0 if grown else 1} passed, {1 if grown else 0} failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
