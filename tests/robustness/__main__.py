"""`python -m tests.robustness`: run scenarios, tell what came of them, keep what went wrong."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.robustness.checker.timing import AMID_FAULTS
from tests.robustness.cluster.cluster import PROCESSES
from tests.robustness.faults import DIED, NOT_OF_OURS
from tests.robustness.history import Fault, Outcome
from tests.robustness.report.writing import replay_command, write_report
from tests.robustness.running import Run, run_scenario
from tests.robustness.scenarios import ROUND_FLOOR, SCENARIOS, Scenario

SECONDS = 28.0
FAILPOINTS = [each.name for each in SCENARIOS["everything"].failpoints]
"""Those of servers; those of the notifier have tests of their own (tests/notify)."""
SEED_MAX = 2**31
VIOLATIONS_TOLD_MAX = 10
DATA_FOLDERS = ("postgres", "standby", "valkey", *PROCESSES)
console = Console(width=120, highlight=False)


class Job(NamedTuple):
    """A scenario to be run with a seed."""

    scenario: Scenario
    seed: int


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 1 where a promise was broken."""
    asked = _parser().parse_args(arguments)
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="slotcast-robustness-"))
    began, broken = time.monotonic(), 0
    told: list[dict[str, Any]] = []
    failures: list[str] = []
    totals: Counter[str] = Counter()
    for job in _jobs(asked):
        run = _run(job, asked.seconds, folder)
        broken += bool(run.violations)
        told += [asdict(violation) for violation in run.violations]
        failures += list(_failure(run, asked.seconds)) if run.violations else []
        totals.update(figures(run))
    _print_totals(totals, time.monotonic() - began)
    if asked.told:
        Path(asked.told).write_text(json.dumps(told, default=str, indent=2))
    if asked.figures:
        Path(asked.figures).write_text(json.dumps(totals, indent=2))
    passed = totals["runs"] - broken
    is_complete = bool(asked.names) or _is_round_complete(totals, asked.seconds)
    # Once more, where the end of a long log is all that one sees.
    for line in failures:
        console.print(line)
    console.print(f"robustness: {passed} passed, {broken} failed")
    return 1 if broken or not is_complete else 0


def _is_round_complete(totals: Counter[str], seconds: float) -> bool:
    """Tell what all scenarios together have not shown; False where there was time enough for it."""
    lacks = lacks_of_round(totals)
    for text in lacks:
        console.print(text)
    return not lacks or seconds < SECONDS


def lacks_of_round(totals: Counter[str]) -> list[str]:
    """Say at which failpoints no server died, and what was compared too seldom, in all runs."""
    failpoints = [name for name in FAILPOINTS if not totals[f"fault: {DIED} at {name}"]]
    lacks = [f"No server died at {', '.join(failpoints)}."] if failpoints else []
    for name, least in ROUND_FLOOR.items():
        number = totals[f"checks of {name}"]
        if number < least:
            lacks.append(f"This round proved nothing of {name}: {number} comparisons of {least}.")
    return lacks


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.robustness", description=__doc__)
    parser.add_argument("names", nargs="*", type=_scenario, help=", ".join(SCENARIOS))
    parser.add_argument(
        "--seed", type=_seed_text, help="a number, or `random`; without it each has its own"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of faults, for each")
    parser.add_argument("--hours", type=float, default=0.0, help="go round, with new seeds")
    parser.add_argument("--folder", help="where reports of what went wrong are kept")
    parser.add_argument("--told", help="a file for the violations, as JSON")
    parser.add_argument("--figures", help="a file for the totals, as JSON")
    return parser


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise ArgumentTypeError(f"there is no scenario {name}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def _seed_text(text: str) -> str:
    if text != "random" and not text.isdecimal():
        raise ArgumentTypeError("must be a number, or random")
    return text


def _jobs(asked: Namespace) -> Iterator[Job]:
    """Yield each scenario once; or go round until the hours are over."""
    until = time.monotonic() + asked.hours * 3600
    scenarios: Sequence[Scenario] = asked.names or list(SCENARIOS.values())
    while True:
        for scenario in scenarios:
            yield Job(scenario, _seed(asked, scenario))
            if asked.hours and time.monotonic() > until:
                return
        if not asked.hours:
            return


def _seed(asked: Namespace, scenario: Scenario) -> int:
    if asked.hours or asked.seed == "random":
        return SystemRandom().randrange(SEED_MAX)
    # What is everything at once is another everything each time.
    if asked.seed is None and scenario.name == "everything":
        return SystemRandom().randrange(SEED_MAX)
    return scenario.seed if asked.seed is None else int(asked.seed)


def _run(job: Job, seconds: float, folder: Path) -> Run:
    scenario, seed = job
    place = folder / f"{scenario.name}-{seed}"
    place.mkdir(parents=True)
    console.print(f"[bold]{scenario.name}[/] ({scenario.about}), seed {seed} ...")
    run = asyncio.run(run_scenario(scenario, seed, seconds, place))
    counted = figures(run)
    console.print(
        f"    {counted['operations']:,} operations, {counted['revisions']:,} revisions,"
        f" {counted['faults']} faults, {counted['streams']} streams, {counted['frames']:,} frames;"
        f" {counted['checks']:,} checks in {run.judged_seconds:.1f} s"
    )
    console.print(f"    {', '.join(f'{name} {number:,}' for name, number in _checks(run))}")
    for name in DATA_FOLDERS:
        shutil.rmtree(place / name, ignore_errors=True)
    if run.violations:
        write_report(place, run.history, run.witness, run.violations, seconds=seconds)
        for line in _failure(run, seconds):
            console.print(line)
        console.print(f"    {place / 'timeline.html'}")
    return run


def _failure(run: Run, seconds: float) -> Iterator[str]:
    """Say what was objected to, and how to see it again."""
    for violation in run.violations[:VIOLATIONS_TOLD_MAX]:
        yield f"    [red]{violation.promise}[/] {violation.rule}: {violation.text}"
    yield f"    {len(run.violations)} violations. Again: {replay_command(run.history, seconds)}"


def figures(run: Run) -> Counter[str]:
    """Count what a run consisted of."""
    history = run.history
    operations = {call.operation: call.outcome for call in history.calls}
    counted = Counter(
        runs=1,
        operations=len(operations),
        attempts=len(history.calls),
        ok=sum(call.outcome is Outcome.OK for call in history.calls),
        refused=sum(call.outcome is Outcome.REFUSED for call in history.calls),
        unknown=sum(call.outcome is Outcome.UNKNOWN for call in history.calls),
        revisions=run.witness.revision,
        faults=sum(fault.kind not in NOT_OF_OURS for fault in history.faults),
        streams=len(history.watches),
        resumed=sum(watch.resumes is not None for watch in history.watches),
        frames=sum(len(watch.arrivals) for watch in history.watches),
        sights=len(history.sights),
        # What was compared amid faults is counted twice.
        checks=sum(n for name, n in run.checks.items() if not name.endswith(AMID_FAULTS)),
        violations=len(run.violations),
    )
    counted.update({f"checks of {name}": number for name, number in run.checks.items()})
    counted.update(f"fault: {_named(fault)}" for fault in history.faults)
    return counted


def _checks(run: Run) -> list[tuple[str, int]]:
    return sorted(run.checks.items())


def _named(fault: Fault) -> str:
    at = fault.detail if fault.kind == DIED else ""
    return f"{fault.kind} at {at}" if at else fault.kind


def _print_totals(totals: Counter[str], seconds: float) -> None:
    table = Table(title=f"All runs, {seconds:,.0f} s", show_header=False)
    for name, number in sorted(totals.items(), key=lambda each: each[0].startswith("fault: ")):
        table.add_row(name, f"{number:,}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
