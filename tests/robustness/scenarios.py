"""Scenarios: what is broken while the traffic goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.ops.failpoints import Failpoint

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
TRIMMING = (Failpoint.BEFORE_TRIMMING, Failpoint.IN_TRIMMING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One of them.

    `faults` has a weight for each kind (faults.py); one follows `pause_seconds` after another. A
    server that has died, or has not yet, ends at one of `failpoints` some seconds after its start.
    `has_standby`: commits wait for a second PostgreSQL. `trims`: the log keeps some seconds only.
    `steps_clock`: the database's clock can be set.
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

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="calm", about="nothing is broken", seed=1),
        Scenario(
            name="writers-killed",
            about="servers end at each step of a commit",
            seed=2,
            failpoints=WRITING,
        ),
        Scenario(
            name="watchers-killed",
            about="servers end before what they follow and send",
            seed=3,
            failpoints=WATCHING,
            faults={"delay hints": 1},
        ),
        Scenario(
            name="servers-stopped",
            about="servers stand still, are killed, and are restarted in order",
            seed=4,
            faults=SERVERS,
        ),
        Scenario(
            name="hints-lost",
            about="Valkey restarts, falls silent, drops its subscribers; hints are late",
            seed=5,
            faults=HINTS,
        ),
        Scenario(
            name="database-cut",
            about="connections to PostgreSQL end, hang, are slow and are reset",
            seed=6,
            faults=DATABASE,
        ),
        Scenario(
            name="database-crashed",
            about="PostgreSQL shuts down at once and recovers",
            seed=7,
            faults={"crash postgres": 4, "terminate backend": 1, "delay hints": 1},
        ),
        Scenario(
            name="failed-over",
            about="the standby stands still, the primary is lost, the standby promoted",
            seed=8,
            faults={"stop standby": 3, "fail over": 1, "delay hints": 1},
            failpoints=WRITING,
            has_standby=True,
        ),
        Scenario(
            name="clients-cut",
            about="clients' streams are cut in the middle of a frame, reset, slow, half closed",
            seed=9,
            faults=CLIENTS,
        ),
        Scenario(
            name="log-trimmed",
            about="the log keeps some seconds, and servers end while they trim it",
            seed=10,
            faults={"kill server": 1, "delay hints": 2, "cut clients": 2},
            failpoints=TRIMMING,
            trims=True,
        ),
        Scenario(
            name="clock-stepped",
            about="the database's clock is set forward and back",
            seed=11,
            faults={"step clock": 4, "delay hints": 1},
            steps_clock=True,
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
                "crash postgres": 2,
                "stop standby": 1,
                "fail over": 1,
            },
            has_standby=True,
            failpoints=(*WRITING, *WATCHING, *TRIMMING),
            pause_seconds=(0.5, 2.0),
            trims=True,
        ),
    )
}
