"""What a replay is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayOptions:
    """speed: so many times as fast as the trace, silences cut short; None: as fast as it goes.

    concurrency: the most people who are served at a time; the next ones wait, in order.
    limit: only the first rows. units: only those of the busiest units.
    watchers: how many of the busiest units are watched meanwhile.
    seed: with the same one, each person makes the same choices.
    connections: by how many the people come, so that all workers of a server are asked.
    keep: leave the business that was made, with its bookings.
    """

    file: Path
    target: str
    api_key: str
    speed: float | None = None
    concurrency: int = 32
    limit: int | None = None
    units: int | None = None
    watchers: int = 5
    seed: int = 1
    connections: int = 8
    keep: bool = False
