"""Faults: what can be broken in a cluster, for how long, and which ways that blocks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

from service.ops.failpoints import Failpoint
from tests.robustness.cluster.cluster import NODES, NOTIFIER, PROCESSES, Cluster
from tests.robustness.cluster.proxy import FaultProxy
from tests.robustness.history import ClockStep, Fault, Link
from tests.robustness.scenarios import NOTIFYING, STANDBY_LINK, WRITING, Scenario
from tests.robustness.traffic.ground import pause
from tests.robustness.traffic.recorder import Recorder

DATABASE_LINKS = frozenset(Link(name, "postgres") for name in PROCESSES)
COMMITS = frozenset({STANDBY_LINK})
"""Commits wait for the standby; what is only read does not."""
CLOCK_STEPS_SECONDS = (-15.0, -4.0, 4.0, 15.0)
OFFSET_SECONDS_MAX = 40.0
RESTART_SECONDS = (0.05, 0.6)
DIED = "server died"
NOTIFIER_DIED = "notifier died"
STOOD_STILL = "the machine stood still"
TICK_SECONDS = 0.05
STILL_SECONDS_MAX = 0.4
STARTED_ANEW = "server started anew"
NOT_OF_OURS = frozenset({STOOD_STILL, STARTED_ANEW})
"""What was not done on purpose, and what follows a fault."""


class Breaker:
    """Breaks one thing after another, and keeps the servers running."""

    def __init__(
        self, cluster: Cluster, recorder: Recorder, random: Random, scenario: Scenario
    ) -> None:
        """Break nothing yet."""
        self._cluster = cluster
        self._recorder = recorder
        self._random = random
        self._scenario = scenario
        self._is_over = asyncio.Event()
        self._offset = timedelta()
        # At which failpoint each server will end; those whose turn has not come yet.
        self._armed: dict[str, str] = {}
        self._failpoints: list[str] = []
        self._ended_on_purpose: set[str] = set()
        # When a server ended that nobody started again, for all was over.
        self._died_at: dict[str, float] = {}
        self._kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "restart valkey": self._restart_valkey,
            "silence valkey": lambda: self._silence(self._a_process(), "valkey"),
            "kill pubsub": self._kill_pubsub,
            "delay hints": self._delay_hints,
            "terminate backend": self._terminate_backend,
            "silence postgres": lambda: self._silence(self._a_process(), "postgres"),
            "delay postgres": lambda: self._delay(Link(self._a_process(), "postgres"), 0.05),
            "reset postgres": lambda: self._reset(Link(self._a_process(), "postgres")),
            "crash postgres": self._crash_postgres,
            "stop standby": self._stop_standby,
            "fail over": self._fail_over,
            "cut clients": self._cut_clients,
            "reset clients": lambda: self._reset(Link("clients", self._a_node())),
            "silence clients": lambda: self._silence("clients", self._a_node()),
            "throttle clients": self._throttle_clients,
            "half-close clients": self._half_close_clients,
            "delay clients": lambda: self._delay(Link("clients", self._a_node()), 0.1),
            "stop server": lambda: self._stop(self._a_node()),
            "kill server": lambda: self._kill(self._a_node()),
            "stop notifier": lambda: self._stop(NOTIFIER),
            "kill notifier": lambda: self._kill(NOTIFIER),
            "restart server": self._restart_server,
            "step clock": self._step_clock,
        }

    async def run(self) -> None:
        """Break things until `end`."""
        async with asyncio.TaskGroup() as group:
            for node in PROCESSES:
                group.create_task(self._keep(node))
            group.create_task(self._break())
        async with asyncio.TaskGroup() as group:
            for node in PROCESSES:
                group.create_task(self._leave_running(node))

    def end(self) -> None:
        """Break no more."""
        self._is_over.set()

    async def _break(self) -> None:
        kinds: Mapping[str, float] = self._scenario.faults
        while kinds and await self._last(*self._scenario.pause_seconds):
            kind = self._random.choices(list(kinds), list(kinds.values()))[0]
            await self._kinds[kind]()

    # Servers and the notifier, and the failpoints at which they end.

    async def _keep(self, node: str) -> None:
        """Start a server again whenever it has died, with the next failpoint in it."""
        server = self._cluster.nodes[node]
        if self._failpoints_of(node):
            async with self._fault("server restarted", node, blocks=_all_of(node)):
                await self._restart(node)
        died = asyncio.create_task(server.died())
        over = asyncio.create_task(self._is_over.wait())
        try:
            while not over.done():
                await asyncio.wait({died, over}, return_when=asyncio.FIRST_COMPLETED)
                if died.done() and not over.done():
                    kind, failpoint = self.why_ended(node, died.result())
                    async with self._fault(kind, node, failpoint, _all_of(node)):
                        await self._restart(node)
                    died = asyncio.create_task(server.died())
        finally:
            over.cancel()
            # It may still end, at its failpoint, while the other one is being started.
            died.add_done_callback(lambda _: self._died_at.setdefault(node, self._recorder.now))

    async def _leave_running(self, node: str) -> None:
        """When all is over, start one anew that has ended or will, in order or at its failpoint."""
        server = self._cluster.nodes[node]
        is_ending = node in self._ended_on_purpose or not server.is_running
        if self._failpoints_of(node) or is_ending:
            async with self._fault("server restarted", node, blocks=_all_of(node)) as fault:
                fault.began = min(fault.began, self._died_at.get(node, fault.began))
                await server.restart()

    async def _restart(self, node: str) -> None:
        await self._last(*RESTART_SECONDS)
        failpoints = self._failpoints_of(node)
        if failpoints and not self._is_over.is_set():
            is_server = node in NODES
            failpoint = self.next_failpoint() if is_server else self._random.choice(failpoints).name
            self._armed[node] = failpoint
            await self._cluster.nodes[node].restart(failpoint, self._random.uniform(2.0, 8.0))
        else:
            await self._cluster.nodes[node].restart()

    def _failpoints_of(self, node: str) -> tuple[Failpoint, ...]:
        """Return where a server may end, or the notifier: where it writes, and after it planned."""
        failpoints = self._scenario.failpoints
        if node in NODES:
            return failpoints
        return (*WRITING, *NOTIFYING) if set(WRITING) <= set(failpoints) else ()

    def next_failpoint(self) -> str:
        """Return one of those at which no server has ended yet, as long as there are any."""
        if not self._failpoints:
            self._failpoints = [each.name for each in self._scenario.failpoints]
            self._random.shuffle(self._failpoints)
        return self._failpoints.pop()

    def why_ended(self, node: str, code: int) -> tuple[str, str]:
        """Return the kind of fault and its failpoint; a server that ends by itself is a defect."""
        failpoint = self._disarm(node, is_reached=code == -signal.SIGKILL)
        if node in self._ended_on_purpose:
            self._ended_on_purpose.remove(node)
            return STARTED_ANEW, ""
        if not failpoint:
            raise RuntimeError(f"Server {node} ended by itself, with {code}.")
        return DIED if node in NODES else NOTIFIER_DIED, failpoint

    def _disarm(self, node: str, *, is_reached: bool) -> str:
        """Return the failpoint at which a server has ended; another has its turn again."""
        failpoint = self._armed.pop(node, "")
        if failpoint and not is_reached and node in NODES:
            self._failpoints.append(failpoint)
        return failpoint if is_reached else ""

    async def _stop(self, node: str) -> None:
        async with self._fault(f"{_kind(node)} stands still", node, blocks=_all_of(node)):
            self._cluster.nodes[node].stop()
            await self._last(0.5, 4.0)
            self._cluster.nodes[node].cont()

    async def _kill(self, node: str) -> None:
        if not self._cluster.nodes[node].is_running:
            return
        self._disarm(node, is_reached=False)
        async with self._fault(f"{_kind(node)} killed", node, blocks=_all_of(node)):
            self._ended_on_purpose.add(node)
            self._cluster.nodes[node].kill()
            await self._last(0.2, 1.0)

    async def _restart_server(self) -> None:
        node = self._a_node()
        if not self._cluster.nodes[node].is_running:
            return
        async with self._fault("server restarted in order", node, blocks=_all_of(node)):
            self._ended_on_purpose.add(node)
            self._cluster.nodes[node].terminate()
            await self._last(0.2, 1.0)

    # Valkey.

    async def _restart_valkey(self) -> None:
        async with self._fault("Valkey restarted", "valkey"):
            await self._cluster.restart_valkey()

    async def _kill_pubsub(self) -> None:
        began = self._recorder.now
        if await self._cluster.kill_pubsub():
            self._note("subscribers killed", "valkey", began)

    async def _delay_hints(self) -> None:
        """Let the hints of each be late by another time, so that they overtake each other."""
        async with self._fault("hints are late", "valkey"):
            for node in PROCESSES:
                late_seconds = self._random.uniform(0.0, 0.8)
                self._proxy(node, "valkey").delay(late_seconds, jitter=0.3)
            await self._last(1.0, 4.0)
            for node in PROCESSES:
                self._proxy(node, "valkey").heal()

    # PostgreSQL.

    async def _terminate_backend(self) -> None:
        began = self._recorder.now
        node = await self._cluster.terminate_a_backend(Random(self._random.random()))
        if node is not None:
            link = Link(node, "postgres")
            self._note("backend terminated", _between(link), began, frozenset({link}))

    async def _crash_postgres(self) -> None:
        async with self._fault("PostgreSQL crashed", "postgres", blocks=DATABASE_LINKS):
            await self._cluster.crash_postgres()

    async def _stop_standby(self) -> None:
        """Let commits wait for the standby; it may have to take over before it has gone on."""
        if not self._cluster.has_standby:
            return
        async with self._fault("standby stands still", "postgres", blocks=COMMITS):
            self._cluster.postgres.stop_standby()
            await self._last(0.5, 4.0)
            if self._random.random() < 0.3:
                await self._fail_over()
            self._cluster.postgres.cont_standby()

    async def _fail_over(self) -> None:
        if not self._cluster.has_standby:
            return
        async with self._fault("failed over to the standby", "postgres", blocks=DATABASE_LINKS):
            await self._cluster.fail_over()

    async def _step_clock(self) -> None:
        limit = timedelta(seconds=OFFSET_SECONDS_MAX)
        step = timedelta(seconds=self._random.choice(CLOCK_STEPS_SECONDS))
        self._offset = max(-limit, min(limit, self._offset + step))
        async with self._fault("clock set", "postgres", f"to {self._offset.total_seconds():+g} s"):
            await self._cluster.step_clock(self._offset)
            step_at = ClockStep(self._recorder.now, self._offset)
            self._recorder.history.clock_steps.append(step_at)

    # Ways.

    async def _silence(self, source: str, target: str) -> None:
        link = Link(source, target)
        async with self._fault("silence", _between(link), blocks=_unless_valkey(link)):
            self._cluster.proxies[link].blackhole()
            await self._last(0.5, 7.0)
            self._cluster.proxies[link].heal()

    async def _delay(self, link: Link, seconds: float) -> None:
        async with self._fault("delay", _between(link), blocks=_unless_valkey(link)):
            self._cluster.proxies[link].delay(seconds, jitter=seconds)
            await self._last(0.5, 3.0)
            self._cluster.proxies[link].heal()

    async def _reset(self, link: Link) -> None:
        async with self._fault("reset", _between(link), blocks=_unless_valkey(link)):
            self._cluster.proxies[link].reset()

    async def _cut_clients(self) -> None:
        """Cut the next connections to a server somewhere in the middle of what it sends."""
        link = Link("clients", self._a_node())
        async with self._fault("cut in the middle", _between(link), blocks=frozenset({link})):
            self._cluster.proxies[link].cut_after(self._random.randint(100, 20_000))
            await self._last(0.5, 2.5)
            self._cluster.proxies[link].heal()

    async def _throttle_clients(self) -> None:
        link = Link("clients", self._a_node())
        async with self._fault("throttled", _between(link), blocks=frozenset({link})):
            self._cluster.proxies[link].throttle(self._random.choice((2_000, 20_000)))
            await self._last(1.0, 4.0)
            self._cluster.proxies[link].heal()

    async def _half_close_clients(self) -> None:
        link = Link("clients", self._a_node())
        async with self._fault("half closed", _between(link), blocks=frozenset({link})):
            self._cluster.proxies[link].half_close(lasting=True)
            await self._last(0.5, 2.5)
            self._cluster.proxies[link].heal()

    # What all have in common.

    def _a_node(self) -> str:
        return self._random.choice(NODES)

    def _a_process(self) -> str:
        return self._random.choice(PROCESSES)

    def _proxy(self, source: str, target: str) -> FaultProxy:
        return self._cluster.proxies[Link(source, target)]

    async def _last(self, shortest: float, longest: float) -> bool:
        """Let a while pass; False where no more is to be broken."""
        return await pause(self._random.uniform(shortest, longest), unless=self._is_over)

    @asynccontextmanager
    async def _fault(
        self, kind: str, target: str, detail: str = "", blocks: frozenset[Link] = frozenset()
    ) -> AsyncIterator[Fault]:
        fault = Fault(
            kind=kind, target=target, began=self._recorder.now, detail=detail, blocks=blocks
        )
        self._recorder.history.faults.append(fault)
        try:
            yield fault
        finally:
            fault.ended = self._recorder.now

    def _note(
        self, kind: str, target: str, began: float, blocks: frozenset[Link] = frozenset()
    ) -> None:
        """Note what was done at once, when it is known that there was somebody whom it hit."""
        fault = Fault(
            kind=kind, target=target, began=began, ended=self._recorder.now, blocks=blocks
        )
        self._recorder.history.faults.append(fault)


class Stillness:
    """Notes when the machine had no time for us: nor had it for the servers, and all was late."""

    def __init__(self, recorder: Recorder) -> None:
        """Note nothing yet."""
        self._recorder = recorder

    async def run(self) -> None:
        """Look at the clock again and again, until cancelled."""
        looked = self._recorder.now
        while True:
            await pause(TICK_SECONDS, unless=asyncio.Event())
            looked, before = self._recorder.now, looked
            self.note(before, looked)

    def note(self, before: float, looked: float) -> None:
        """Take two looks at the clock, one after the other."""
        if looked - before > TICK_SECONDS + STILL_SECONDS_MAX:
            blocks = frozenset[Link]().union(*map(_all_of, PROCESSES))
            self._recorder.history.faults.append(
                Fault(kind=STOOD_STILL, target="machine", began=before, ended=looked, blocks=blocks)
            )


def _kind(node: str) -> str:
    return "server" if node in NODES else "notifier"


def _all_of(node: str) -> frozenset[Link]:
    return frozenset({Link("clients", node), Link(node, "postgres")})


def _unless_valkey(link: Link) -> frozenset[Link]:
    """Nothing depends on hints: no way counts as blocked where only they are lost."""
    return frozenset() if link.target == "valkey" else frozenset({link})


def _between(link: Link) -> str:
    return f"{link.source} - {link.target}"
