"""One run of a scenario: a cluster, traffic, faults, and then the judgement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.robustness.catalogue import BUSINESS, contested_starts
from tests.robustness.cluster.cluster import Cluster, running_cluster
from tests.robustness.cluster.nodes import QUICK
from tests.robustness.faults import Breaker, Stillness
from tests.robustness.history import History, Witness
from tests.robustness.judging import judge_all
from tests.robustness.scenarios import FLOOR_SECONDS, Scenario
from tests.robustness.traffic.callers import Caller
from tests.robustness.traffic.ground import Ground, stream_of
from tests.robustness.traffic.onlookers import Onlooker
from tests.robustness.traffic.opening import open_business
from tests.robustness.traffic.owner import Owner
from tests.robustness.traffic.recorder import Recorder
from tests.robustness.traffic.watchers import Watcher
from tests.robustness.violation import UNPROVED, Violation, worst_first

CALLERS = 10
WATCHERS = 8
ONLOOKERS = 2
CALM_SECONDS = 7.0
"""For so long the traffic goes on after the last fault."""
AWAY_SECONDS = 3.5
"""From then on watchers stay, so that each is seen to be up to date 5 s after the last fault."""
SETTLE_SECONDS = 6.0
"""And for so long the watchers read on after the last call."""


class Runs(Protocol):
    """Whoever makes traffic."""

    async def run(self) -> None:
        """Make it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What came of it."""

    history: History
    witness: Witness
    violations: Sequence[Violation]
    checks: Mapping[str, int]
    judged_seconds: float


async def run_scenario(scenario: Scenario, seed: int, seconds: float, folder: Path) -> Run:
    """Run a scenario for so many seconds in a folder of its own, and judge it.

    With every other seed the servers verify and beat as seldom as they do by default.
    """
    async with running_cluster(
        folder,
        standby=scenario.has_standby,
        stepped_clock=scenario.steps_clock,
        trims=scenario.trims,
        pace=QUICK if seed % 2 else None,
    ) as cluster:
        recorder = Recorder(seed=seed, scenario=scenario.name, business_id=BUSINESS)
        await _traffic(cluster, recorder, scenario, seconds)
        witness = await cluster.witness()
    began = time.monotonic()
    violations, checks = judge_all(recorder.history, witness)
    if seconds >= FLOOR_SECONDS:
        violations += unproved(scenario, checks)
    return Run(
        history=recorder.history,
        witness=witness,
        violations=worst_first(violations),
        checks=checks,
        judged_seconds=time.monotonic() - began,
    )


def unproved(scenario: Scenario, checks: Mapping[str, int]) -> list[Violation]:
    """Return a violation for each promise that was compared too seldom to say anything of it."""
    return [
        Violation(
            promise=UNPROVED,
            rule=promise,
            text=f"This run proved nothing of {promise}: {checks.get(promise, 0)} comparisons, "
            f"and {least} are the least that any run of {scenario.name} makes.",
        )
        for promise, least in scenario.floor.items()
        if checks.get(promise, 0) < least
    ]


async def _traffic(
    cluster: Cluster, recorder: Recorder, scenario: Scenario, seconds: float
) -> None:
    history = recorder.history
    ground = Ground(
        recorder=recorder,
        targets=cluster.targets,
        api_key=cluster.operator_key,
        starts=contested_starts(recorder.wall),
    )
    await open_business(ground)
    seed = history.seed
    breaker = Breaker(cluster, recorder, stream_of(seed, "faults"), scenario)
    watchers = [
        Watcher(ground, stream_of(seed, name), name)
        for name in (f"watcher-{number}" for number in range(1, WATCHERS + 1))
    ]
    readers: list[Runs] = [*watchers]
    for number in range(1, ONLOOKERS + 1):
        name = f"onlooker-{number}"
        readers.append(Onlooker(ground, stream_of(seed, name), name))
    callers: list[Runs] = [Owner(ground, stream_of(seed, "owner"), "owner")]
    for number in range(1, CALLERS + 1):
        name = f"caller-{number}"
        callers.append(Caller(ground, stream_of(seed, name), name))
    async with AsyncExitStack() as stack:
        reading = _together(stack, readers)
        calling = _together(stack, callers)
        breaking = _together(stack, [breaker])
        _together(stack, [Stillness(recorder)])
        await _unless_broken(reading + calling + breaking, seconds)
        breaker.end()
        await asyncio.gather(*breaking)
        await cluster.heal()
        history.faults_ended = recorder.now
        await _unless_broken(reading + calling, AWAY_SECONDS)
        for watcher in watchers:
            watcher.settle()
        await _unless_broken(reading + calling, CALM_SECONDS - AWAY_SECONDS)
        ground.is_over.set()
        await asyncio.gather(*calling)
        history.traffic_ended = recorder.now
        await _unless_broken(reading, SETTLE_SECONDS)
        history.ended = recorder.now


def _together(stack: AsyncExitStack, parts: Sequence[Runs]) -> list[asyncio.Task[None]]:
    """Run all of them until the stack unwinds."""
    tasks = [asyncio.create_task(part.run()) for part in parts]
    stack.push_async_callback(_cancel, tasks)
    return tasks


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _unless_broken(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Let so many seconds pass; a part of the test that breaks off breaks off the run."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()
