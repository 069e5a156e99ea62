"""Scenarios: what is broken while the traffic goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.ops.failpoints import Failpoint
from tests.robustness.history import Link

WRITING = (
    Failpoint.BEFORE_BEGIN,
    Failpoint.AFTER_INSERT,
    Failpoint.BEFORE_COMMIT,
    Failpoint.AFTER_COMMIT,
    Failpoint.BEFORE_ANSWER,
    Failpoint.BEFORE_HINT,
)
WATCHING = (
    Failpoint.BEFORE_APPLY,
    Failpoint.BEFORE_SNAPSHOT,
    Failpoint.BEFORE_DELTA,
    Failpoint.BEFORE_HEARTBEAT,
)
NOTIFYING = (Failpoint.AFTER_PLAN,)
"""Where the notifier ends besides: no letter is sent and no webhook is called in these runs."""
TRIMMING = (Failpoint.BEFORE_TRIMMING, Failpoint.IN_TRIMMING)
STANDBY_LINK = Link("postgres", "standby")
NOTIFIER_LINK = Link("notifier", "postgres")
KEPT_SECONDS = 24 * 3600.0
"""For so long the log is kept by default, and what holds there were: no run lasts as long."""
TRIMMED_AFTER_SECONDS = 3.0


FLOOR_SECONDS = 12.0
"""A run of so many seconds, or more, makes at least so many comparisons of each promise."""
FLOOR: Mapping[str, int] = {
    "B1": 60,
    "B2": 60,
    "B3": 200,
    "B4": 80,
    "B5": 8,
    "B6": 120,
    "W1": 130,
    "W2": 60,
    "W3": 10,
    "W4": 60,
    "W5": 60,
    "W5 of the client": 50,
    "W6": 20,
    "W8": 9,
    "W9": 20,
    "liveness of streams": 4,
    "C1": 2,
    "C3": 2,
    "joins": 6,
    "offers": 4,
    "order of writes": 100,
    "order of expiries": 20,
    "order of lists": 250,
    "order of refusals": 8,
    "path of commits": 50,
    "path of answers": 60,
    "path of refusals": 8,
}
"""Far less than was counted on a busy machine of 2 cores, and more than by accident.

W6 is compared wherever W9 is; B7, B8 and B9 with the log. C1 and C3 are what was done under them
and what they had refused. An `order` is the second opinion's, a `path` the formal model's.
"""
AMID_FAULTS = {"W4 amid faults": 10, "W5 amid faults": 20}
"""What is compared while something is broken, and where it is not that which excuses it."""
LATE_AMID_FAULTS = {**AMID_FAULTS, "W6 amid faults": 5, "W9 amid faults": 5}
"""The same, where one server at a time is cut off, or none."""
ROUND_FLOOR: Mapping[str, int] = {
    "W7": 3,
    "W9 of bookings": 2,
    "W9 amid faults": 200,
    "order of bookings read": 60,
    "order of explanations": 20,
    "offers in another's change": 15,
    "offers past others": 30,
    "offers taken": 15,
    "offers declined": 8,
    "offers passed on": 8,
    "entries left": 15,
    "entries expired": 4,
    "B9 passing on": 8,
    "occurrences": 30,
    "C1": 60,
    "C3": 60,
    "handoffs redeemed": 25,
    "handoffs redeemed again": 5,
}
"""What is a matter of chance in one run is none in all of them together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One of them.

    `faults` has a weight for each kind (faults.py); one follows `pause_seconds` after another. A
    server that has died, or has not yet, ends at one of `failpoints` some seconds after its start.
    `has_standby`: commits wait for a second PostgreSQL. `trims`: the log keeps some seconds only.
    `steps_clock`: the database's clock can be set. `floors` replace those of FLOOR.
    """

    name: str
    about: str
    seed: int
    faults: Mapping[str, float] = field(default_factory=dict)
    pause_seconds: tuple[float, float] = (1.5, 3.5)
    failpoints: tuple[Failpoint, ...] = ()
    has_standby: bool = False
    steps_clock: bool = False
    trims: bool = False
    floors: Mapping[str, int] = field(default_factory=dict)

    @property
    def floor(self) -> Mapping[str, int]:
        """How many comparisons of each promise are the least."""
        return {**FLOOR, **self.floors}

    @property
    def kept_seconds(self) -> float:
        """For how long the log is kept, and holds that are over."""
        return TRIMMED_AFTER_SECONDS if self.trims else KEPT_SECONDS


HINTS = {"restart valkey": 1, "silence valkey": 2, "kill pubsub": 1, "delay hints": 3}
DATABASE = {"terminate backend": 3, "silence postgres": 2, "delay postgres": 1, "reset postgres": 2}
CLIENTS = {
    "cut clients": 3,
    "reset clients": 2,
    "silence clients": 2,
    "throttle clients": 1,
    "half-close clients": 1,
    "delay clients": 1,
}
SERVERS = {"stop server": 2, "kill server": 2, "restart server": 1}
NOTIFIERS = {"stop notifier": 1, "kill notifier": 2}

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="calm", about="nothing is broken", seed=1),
        Scenario(
            name="writers-killed",
            about="servers end at each step of a commit",
            seed=2,
            failpoints=WRITING,
            floors=AMID_FAULTS,
        ),
        Scenario(
            name="watchers-killed",
            about="servers end before what they follow and send",
            seed=3,
            failpoints=WATCHING,
            faults={"delay hints": 1},
            floors=AMID_FAULTS,
        ),
        Scenario(
            name="servers-stopped",
            about="servers and the notifier stand still, are killed, and are restarted",
            seed=4,
            faults={**SERVERS, **NOTIFIERS},
            floors=LATE_AMID_FAULTS,
        ),
        Scenario(
            name="hints-lost",
            about="Valkey restarts, falls silent, drops its subscribers; hints are late",
            seed=5,
            faults=HINTS,
            floors=LATE_AMID_FAULTS,
        ),
        Scenario(
            name="database-cut",
            about="connections to PostgreSQL end, hang, are slow and are reset",
            seed=6,
            faults=DATABASE,
            floors=LATE_AMID_FAULTS,
        ),
        Scenario(
            name="database-crashed",
            about="PostgreSQL shuts down at once and recovers",
            seed=7,
            faults={"crash postgres": 4, "terminate backend": 1, "delay hints": 1},
            # Else one crash excuses what the next one does not.
            pause_seconds=(3.5, 6.0),
            floors=AMID_FAULTS,
        ),
        Scenario(
            name="failed-over",
            about="the standby stands still, the primary is lost, the standby promoted",
            seed=8,
            faults={"stop standby": 3, "fail over": 1, "delay hints": 1},
            failpoints=WRITING,
            has_standby=True,
            floors=AMID_FAULTS,
        ),
        Scenario(
            name="clients-cut",
            about="clients' streams are cut in the middle of a frame, reset, slow, half closed",
            seed=9,
            faults=CLIENTS,
            floors=LATE_AMID_FAULTS,
        ),
        Scenario(
            name="log-trimmed",
            about="the log keeps some seconds, and servers end while they trim it",
            seed=10,
            faults={"kill server": 1, "delay hints": 2, "cut clients": 2},
            failpoints=TRIMMING,
            trims=True,
            floors=AMID_FAULTS,
        ),
        Scenario(
            name="clock-stepped",
            about="the database's clock is set forward and back",
            seed=11,
            faults={"step clock": 4, "delay hints": 1},
            # Between two steps there is time in which only one clock can be meant.
            pause_seconds=(2.5, 6.5),
            steps_clock=True,
            floors=LATE_AMID_FAULTS,
        ),
        Scenario(
            name="everything",
            about="all of it at once, but for the clock",
            seed=12,
            faults={
                **HINTS,
                **DATABASE,
                **CLIENTS,
                **SERVERS,
                **NOTIFIERS,
                "crash postgres": 2,
                "stop standby": 1,
                "fail over": 1,
            },
            has_standby=True,
            failpoints=(*WRITING, *WATCHING, *TRIMMING),
            pause_seconds=(0.5, 2.0),
            trims=True,
            floors=AMID_FAULTS,
        ),
    )
}
