"""Replay a seed: `python -m tests.robustness.simulation --seed N` prints what happened."""

from __future__ import annotations

import argparse

from tests.robustness.simulation.judges import violations
from tests.robustness.simulation.trace import trace
from tests.robustness.simulation.world import World


def main() -> int:
    """Print the trace of a seed; return 1 where a promise was broken."""
    arguments = argparse.ArgumentParser(prog="python -m tests.robustness.simulation")
    arguments.add_argument("--seed", type=int, required=True)
    record = World(arguments.parse_args().seed).run()
    found = violations(record)
    print("\n".join(trace(record, found)))  # noqa: T201 (that is what it is for)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
