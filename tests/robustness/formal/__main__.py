"""`python -m tests.robustness.formal`: explore both models, then each with each flaw."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console

from tests.robustness.formal import booking, watching
from tests.robustness.formal.exploring import Model, explore

console = Console(width=100, highlight=False, markup=False)


def main() -> None:
    """Print how many states there are, and the shortest way to each broken promise."""
    models: list[tuple[str, Model[Any]]] = [
        ("booking", booking.Booking()),
        ("watching", watching.Watching()),
    ]
    models += [(f"booking, but {flaw}", booking.Booking(flaw)) for flaw in booking.Flaw]
    models += [(f"watching, but {flaw}", watching.Watching(flaw)) for flaw in watching.Flaw]
    for name, model in models:
        began = time.monotonic()
        found = explore(model)
        console.print(f"{name} ({time.monotonic() - began:.1f} s)", style="bold")
        console.print(f"{found}\n")


if __name__ == "__main__":
    main()
