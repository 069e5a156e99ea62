"""Replay a seed, or look through many: `python -m tests.robustness.simulation --seed N`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from tests.robustness.simulation.judges import violations
from tests.robustness.simulation.trace import trace
from tests.robustness.simulation.world import World

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Print the trace of a seed; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness.simulation")
    parser.add_argument("--seed", type=int, help="print what happens with it")
    parser.add_argument("--seeds", type=int, default=0, help="look at so many, up to the first bug")
    parser.add_argument("--told", type=Path, help="a file for what was found, as JSON")
    parser.add_argument("--promise", action="append", help="look on until this one is broken")
    asked = parser.parse_args()
    seeds = range(asked.seeds) if asked.seed is None else [asked.seed]
    for seed in seeds:
        found = [
            each
            for each in violations(World(seed).run())
            if asked.promise is None or each.promise.split()[0] in asked.promise
        ]
        if found and asked.told is not None:
            rows = [{"promise": each.promise, "rule": f"seed {seed}"} for each in found]
            asked.told.write_text(json.dumps(rows))
        if found or asked.seed is not None:
            return _print(seed)
    return 0


def _print(seed: int) -> int:
    record = World(seed).run()
    found = violations(record)
    for line in trace(record, found):
        console.print(line)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
