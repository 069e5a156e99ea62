"""What is asked of a run, and the bounds of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from math import ceil, sqrt

from loadtest.grid import PER_DAY

SECONDS_MAX = 600.0
ROUNDS_MAX = 100
WATCH_DAYS_MAX = 62


class BadOption(ValueError):
    """A run that cannot be made as it is asked for."""


class Scenario(StrEnum):
    """What the clients do."""

    UNARY = "unary"
    STREAM = "stream"
    HOT = "hot"
    WATCH = "watch"


class PgbenchForm(StrEnum):
    """How pgbench writes a booking: statement by statement, or all of it in one."""

    STATEMENTS = "statements"
    ONE_STATEMENT = "one-statement"


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """A run: bounded in time and in count, and against this machine unless told otherwise."""

    target: str
    api_key: str
    database_url: str | None = None
    allow_remote: bool = False
    scenarios: tuple[Scenario, ...] = tuple(Scenario)
    rounds: int = 3
    seconds: float = 5.0
    # Counted for the checks, not for the figures: both sides get warm.
    settle_seconds: float = 0.5
    bookings_max: int = 40_000
    processes: int = 2
    channels: int = 4
    calendars: int = 20
    callers: int = 128
    # Calls per second, due at random times; None: each caller asks as soon as it was answered.
    rate: float | None = None
    in_flight: int = 128
    hot_callers: int = 500
    hot_attempts: int = 4
    watchers: int = 100
    watch_rate: float = 100.0
    echo: bool = True
    pgbench_form: PgbenchForm = PgbenchForm.STATEMENTS
    pgbench_clients: int = 8
    pgbench_threads: int = 2

    def __post_init__(self) -> None:
        if not self.allow_remote and not is_loopback(self.target):
            raise BadOption(
                f"{self.target} is not this machine. A load test can bring a server down: "
                "allow it by --allow-remote."
            )
        for name, least, most in _BOUNDS:
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise BadOption(f"{name} must be from {least:g} to {most:g}, and is {value:g}.")
        if not self.scenarios:
            raise BadOption("No scenario is asked for.")
        if self.settle_seconds >= self.seconds:
            raise BadOption("seconds must be more than settle_seconds.")
        if self.watch_days > WATCH_DAYS_MAX:
            raise BadOption(
                f"watch_rate × seconds is more than {WATCH_DAYS_MAX} days of one calendar offer."
            )

    @property
    def watch_bookings(self) -> int:
        """How many bookings the writer of a watched calendar makes at most in a round."""
        # Random arrivals: the sum of a round is about Poisson, so this is met by chance never.
        mean = self.watch_rate * self.seconds
        return ceil(mean + 6 * sqrt(mean) + 10)

    @property
    def watch_days(self) -> int:
        """How many days a watch shows, so that there is a slot for each booking."""
        return ceil(self.watch_bookings / PER_DAY)


_BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("rounds", 1, ROUNDS_MAX),
    ("seconds", 0.2, SECONDS_MAX),
    ("settle_seconds", 0, SECONDS_MAX),
    ("bookings_max", 1, 1_000_000),
    ("processes", 1, 64),
    ("channels", 1, 64),
    ("calendars", 1, 48),
    ("callers", 1, 5_000),
    ("rate", 0.1, 100_000),
    ("in_flight", 1, 1024),
    ("hot_callers", 2, 5_000),
    ("hot_attempts", 1, 10_000),
    ("watchers", 1, 10_000),
    ("watch_rate", 0.1, 10_000),
    ("pgbench_clients", 1, 128),
    ("pgbench_threads", 1, 64),
)


def is_loopback(target: str) -> bool:
    """Tell whether a target is this machine."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    address = target.removeprefix("dns:").removeprefix("ipv4:").removeprefix("ipv6:")
    host = address.removeprefix("///").rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
