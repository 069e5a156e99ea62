"""`python -m tests.robustness.formal`: explore both models, then each with each flaw."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from tests.robustness.formal import booking, watching
from tests.robustness.formal.exploring import Model, explore

MODELS = ("booking", "watching")
console = Console(width=100, highlight=False, markup=False)


def main(arguments: Sequence[str]) -> int:
    """Print how many states there are, and the shortest way to each broken promise.

    1 where a model breaks a promise though it has no flaw, or keeps all though it has one.
    """
    parser = ArgumentParser(prog="python -m tests.robustness.formal", description=__doc__)
    parser.add_argument("models", nargs="*", type=_name, help=f"{' or '.join(MODELS)}; else both")
    parser.add_argument("--without-flaws", action="store_true", help="explore the models as such")
    asked = parser.parse_args(arguments)
    wrong = 0
    for name, flaw, model in _models(asked.models or MODELS, with_flaws=not asked.without_flaws):
        began = time.monotonic()
        found = explore(model)
        wrong += (found.broken is None) is bool(flaw)
        title = f"{name}, but {flaw}" if flaw else name
        console.print(f"{title} ({time.monotonic() - began:.1f} s)", style="bold")
        console.print(f"{found}\n")
    return 1 if wrong else 0


def _name(name: str) -> str:
    if name not in MODELS:
        raise ArgumentTypeError(f"there is no model {name}; there are {' and '.join(MODELS)}")
    return name


def _models(names: Sequence[str], *, with_flaws: bool) -> Iterator[tuple[str, str, Model[Any]]]:
    """Yield the models as they are, then each with each flaw."""
    for name in names:
        yield name, "", booking.Booking() if name == "booking" else watching.Watching()
    for name in names if with_flaws else ():
        if name == "booking":
            for reserves in booking.Flaw:
                yield name, str(reserves), booking.Booking(reserves)
        else:
            for watches in watching.Flaw:
                yield name, str(watches), watching.Watching(watches)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
