"""One run: what a seed decides, and the record of what came of it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import partial
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from service.domain.change import Change, ChangeKind
from service.domain.errors import DomainError
from service.domain.slot import Slot, SlotQuery
from tests.builders import minutes
from tests.robustness.simulation.bus import Bus, Manners
from tests.robustness.simulation.loop import VirtualLoop, at_home
from tests.robustness.simulation.process import Machine, Process
from tests.robustness.simulation.readers import Reader, Stream
from tests.robustness.simulation.shop import Commit, Customers, a_query, a_shop, second
from tests.robustness.simulation.store import Store
from tests.robustness.simulation.truth import State, Truth

FAULTS_FROM_SECONDS, FAULTS_UNTIL_SECONDS = 1.5, 9.0
WRITES_UNTIL_SECONDS = 9.0
END_SECONDS = 14.0
FAULT_SECONDS_MAX = 5.0

# For so long after a fault has ended, what it prevented may still be missing: an attempt that
# failed is repeated after a second, and the answer has its way to come.
RECOVERY_SECONDS = 1.7


class Leaning(Enum):
    """What a run has more of than chance would give it, for what shows there alone."""

    DEAF = "few hints come, and what PostgreSQL is asked instead it answers late"
    REBORN = "the business is made anew, and hints of its life before are still under way"


class Fault(NamedTuple):
    """Something that is broken for a while, for one process or (empty) for all."""

    kind: str
    process: str
    began: float
    ended: float
    detail: str = ""


class Listing(NamedTuple):
    """A list that somebody asked for, and the answer."""

    process: str
    asked_at: float
    answered_at: float
    query: SlotQuery
    min_revision: int
    epoch: str
    slots: list[Slot]
    revision: int
    as_of: datetime


class RefusedListing(NamedTuple):
    """A list that somebody asked for, and did not get."""

    process: str
    asked_at: float
    ended_at: float
    query: SlotQuery
    min_revision: int
    reason: str


@dataclass(kw_only=True)
class Record:
    """All that happened."""

    seed: int
    truth: Truth
    store: Store
    bus: Bus
    narrowed: dict[str, object]
    streams: list[Stream] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    refused_listings: list[RefusedListing] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def is_calm(self, process: str, since: float, until: float) -> bool:
        """Say whether nothing kept a process from doing its work, between two instants."""
        return not any(
            fault.began < until and since < fault.ended + RECOVERY_SECONDS
            for fault in self.faults
            if fault.process in ("", process)
        )

    def over_at(self, process: str, at: float) -> float:
        """Return when a process has got over what was at an instant, and what came on top of it."""
        until = at + RECOVERY_SECONDS
        for fault in self.faults:
            if fault.process in ("", process) and fault.began < until:
                until = max(until, fault.ended + RECOVERY_SECONDS)
        return until


class World:
    """Store, bus, processes, customers, readers and faults, all driven by one seed."""

    def __init__(self, seed: int) -> None:
        """Let the seed decide."""
        self.seed = seed
        self._loop = VirtualLoop.begun()
        self._chance = self._chance_of("world")
        self._truth = Truth()
        self._store = Store(self._loop, self._truth, self._chance_of("store"))
        self._leaning = self._chance_of("leaning").choice((None, None, *Leaning))
        manners = _leaned(_manners(self._chance), self._leaning)
        self._bus = Bus(self._loop, self._chance_of("bus"), manners)
        self._customers = Customers(
            self._chance_of("customers"), catalog_weight=self._chance.choice((0, 0, 6, 25))
        )
        self._pause_between_commits = self._chance.choice((0.2, 0.6, 1.5))
        self._trims = self._chance.choice((0.0, 0.0, 0.2))
        self._processes: dict[str, Process] = {}
        self._machines = {
            name: self._machine() for name in ("one", "two", "three")[: self._chance.choice((2, 3))]
        }
        self._lives = 0
        self.record = Record(
            seed=seed,
            truth=self._truth,
            store=self._store,
            bus=self._bus,
            narrowed=_narrowed(self._chance),
        )

    def run(self) -> Record:
        """Run to the end."""
        random.seed(self.seed)
        with _limits(self.record.narrowed), _errors(self.record.crashes):
            self._loop.run(self._main())
        self.record.crashes += self._loop.crashes
        return self.record

    def _chance_of(self, name: str) -> Random:
        return Random(f"{self.seed}/{name}")

    def _machine(self) -> Machine:
        return Machine(
            started_at=self._chance.uniform(0, 10_000),
            drift=self._chance.choice((0.0, 1e-4, -1e-4)),
            look_seconds=self._chance.choice((0.0, 0.0, 0.0, 0.0008)),
            renewal_max=self._chance.choice((2_000, 3)),
        )

    async def _main(self) -> None:
        self._open_shop()
        for name in self._machines:
            await self._start(name)
        tasks = [self._loop.create_task(self._commit_on(name)) for name in self._machines]
        tasks += [
            self._loop.create_task(self._reader(number).watch())
            for number in range(self._chance.randint(2, 5))
        ]
        tasks += [self._loop.create_task(self._list()), self._loop.create_task(self._break())]
        await self._loop.elapse(END_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self.record.crashes += [
            repr(task.exception()) for task in tasks if not task.cancelled() and task.exception()
        ]
        for process in list(self._processes.values()):
            await process.stop(drains=False)

    async def _start(self, name: str) -> None:
        process = Process(name, self._machines[name], self._loop, self._store, self._bus)
        self._processes[name] = process
        await self._loop.create_task(process.start(), context=at_home(name))

    def _up(self) -> list[Process]:
        return [process for process in self._processes.values() if process.is_up]

    def _reader(self, number: int) -> Reader:
        return Reader(
            f"reader-{number}",
            loop=self._loop,
            chance=self._chance_of(f"reader-{number}"),
            truth=self._truth,
            processes=self._up,
            streams=self.record.streams,
        )

    # Writers.

    def _open_shop(self) -> None:
        last = self._truth.lives.get(f"life-{self._lives}")
        self._lives += 1
        now = self._loop.time()
        # Its revisions may look like those that would have followed the ones of the life before.
        counted = 1 if last is None else max(1, last.head.revision - self._chance.randint(0, 2))
        first = State(
            revision=self._chance.choice((self._chance.randint(1, 9), counted)),
            committed_at=now,
            stamp=self._truth.clock(now),
            catalog=a_shop(1),
            claims={},
            change=None,
        )
        self._truth.begin_life(f"life-{self._lives}", first)

    async def _commit_on(self, name: str) -> None:
        chance = self._chance_of(f"commits on {name}")
        while True:
            await self._loop.elapse(chance.expovariate(1 / self._pause_between_commits))
            process = self._processes.get(name)
            if self._loop.time() > WRITES_UNTIL_SECONDS or process is None or not process.is_up:
                continue
            batch = chance.choice((1, 1, 1, 2, 3))
            try:
                committed = await self._store.ask(name, partial(self._commit, batch))
            except ConnectionError:
                # Whether it was done is not known, and nobody is told.
                continue
            if committed is not None and process.is_up:
                if chance.random() < 0.2:
                    await self._loop.elapse(chance.uniform(0, 0.1))
                process.do(_tell(process, *committed))

    def _commit(self, size: int) -> tuple[str, list[Change]] | None:
        """Commit a batch: all of its revisions appear at once."""
        life, now = self._truth.life, self._loop.time()
        if life is None:
            return None
        stamp = self._truth.clock(now)
        if self._chance.random() < self._trims:
            life.trim(now, life.head.revision - self._chance.choice((0, 2)))
        changes = []
        for _ in range(size):
            head = life.head
            before = Commit(head.change or _nothing(head), head.catalog, head.claims)
            after = self._customers.next_commit(before, stamp)
            changes.append(after.change)
            life.states.append(
                State(
                    revision=after.change.revision,
                    committed_at=now,
                    stamp=stamp,
                    catalog=after.catalog,
                    claims=after.claims,
                    change=after.change,
                )
            )
        return life.epoch, changes

    # Lists.

    async def _list(self) -> None:
        chance = self._chance_of("lists")
        while True:
            await self._loop.elapse(chance.uniform(0.5, 4.0))
            up = self._up()
            if up:
                process = chance.choice(up)
                await asyncio.wait([process.do(self._list_on(process, chance))], timeout=8.0)

    async def _list_on(self, process: Process, chance: Random) -> None:
        life, asked_at, query = self._truth.life, self._loop.time(), a_query(chance)
        if life is None:
            return
        min_revision = chance.choice((0, 0, life.head.revision))
        try:
            slots, revision, as_of = await process.availability.list_slots(query, min_revision)
        except DomainError as error:
            self.record.refused_listings.append(
                RefusedListing(
                    process=process.name,
                    asked_at=asked_at,
                    ended_at=self._loop.time(),
                    query=query,
                    min_revision=min_revision,
                    reason=error.reason,
                )
            )
            return
        self.record.listings.append(
            Listing(
                process=process.name,
                asked_at=asked_at,
                answered_at=self._loop.time(),
                query=query,
                min_revision=min_revision,
                epoch=life.epoch,
                slots=slots,
                revision=revision,
                as_of=as_of,
            )
        )

    # Faults.

    async def _break(self) -> None:
        """Break this and that. Each seed has its own few ways in which things break."""
        chance = self._chance_of("faults")
        kinds: list[Callable[[Random], Fault]] = [
            *(self._cut, self._fail, self._slow, self._pause, self._step_clock),
            *(self._kill_bus, self._make_anew, self._restart),
        ]
        kinds = chance.sample(kinds, chance.choice((0, 1, 1, 2, 3, 4)))
        match self._leaning:
            case Leaning.DEAF:
                kinds = [self._slow]
            case Leaning.REBORN:
                kinds = [self._slow, self._make_anew, self._make_anew]
        await self._loop.elapse(chance.uniform(0, FAULTS_FROM_SECONDS))
        while kinds and self._loop.time() < FAULTS_UNTIL_SECONDS - FAULT_SECONDS_MAX:
            self.record.faults.append(chance.choice(kinds)(chance))
            await self._loop.elapse(chance.uniform(0.2, 4.0))

    def _fault(self, kind: str, process: str, seconds: float, detail: str = "") -> Fault:
        now = self._loop.time()
        return Fault(kind, process, now, now + seconds, detail)

    def _some(self, chance: Random) -> tuple[str, list[str]]:
        """Choose one process, or (empty) all."""
        name = chance.choice(("", *self._machines))
        return name, [name] if name else list(self._machines)

    def _cut(self, chance: Random) -> Fault:
        seconds = chance.uniform(0.5, FAULT_SECONDS_MAX)
        name, names = self._some(chance)
        for each in names:
            self._store.links[each].cut(self._loop.time() + seconds, chance.choice((0.0, 0.5)))
        return self._fault("cut", name, seconds)

    def _fail(self, chance: Random) -> Fault:
        seconds = chance.uniform(0.5, FAULT_SECONDS_MAX)
        name, names = self._some(chance)
        for each in names:
            self._store.links[each].fail(self._loop.time() + seconds)
        return self._fault("fail", name, seconds)

    def _slow(self, chance: Random) -> Fault:
        seconds = chance.uniform(0.5, FAULT_SECONDS_MAX)
        name, names = self._some(chance)
        for each in names:
            self._store.links[each].slow_down(self._loop.time() + seconds)
        return self._fault("slow", name, seconds + 1.6)

    def _pause(self, chance: Random) -> Fault:
        seconds = chance.uniform(0.5, FAULT_SECONDS_MAX)
        name = chance.choice(list(self._machines))
        self._loop.pause(name, seconds)
        return self._fault("pause", name, seconds)

    def _step_clock(self, chance: Random) -> Fault:
        step = chance.choice((0.4, 3.0, 20.0, 60.0, 7200.0)) * chance.choice((1, -1))
        self._truth.step_clock(self._loop.time(), second(step))
        return self._fault("step", "", 0.0, f"{step:+g} s")

    def _kill_bus(self, chance: Random) -> Fault:
        seconds, silently = chance.uniform(0.5, FAULT_SECONDS_MAX), chance.random() < 0.5
        self._bus.die(seconds, silently=silently)
        # Nothing may depend on it, so it is no excuse: it has no duration.
        return Fault("bus", "nobody", self._loop.time(), self._loop.time() + seconds)

    def _make_anew(self, chance: Random) -> Fault:
        seconds = chance.choice((0.0, 0.3, 2.0))
        if self._truth.life is not None:
            self._truth.end_life(self._loop.time())
            self._loop.call_later(seconds, self._open_shop)
        return self._fault("anew", "", seconds)

    def _restart(self, chance: Random) -> Fault:
        name, drains = chance.choice(list(self._machines)), chance.random() < 0.5
        seconds = chance.uniform(0.0, 1.0)
        process = self._processes[name]
        if process.is_up:
            self._loop.create_task(self._bring_back(process, seconds, drains=drains))
        return self._fault("drain" if drains else "kill", name, seconds)

    async def _bring_back(self, process: Process, seconds: float, *, drains: bool) -> None:
        stopping = self._loop.create_task(
            process.stop(drains=drains), context=at_home(process.name)
        )
        await stopping
        await self._loop.elapse(seconds)
        await self._start(process.name)


async def _tell(process: Process, epoch: str, changes: list[Change]) -> None:
    process.committed(epoch, changes)


def _nothing(head: State) -> Change:
    return Change(revision=head.revision, at=head.stamp, kind=ChangeKind.CATALOG_CHANGED)


def _manners(chance: Random) -> Manners:
    return Manners(
        drops=chance.choice((0.0, 0.0, 0.2, 0.6)),
        doubles=chance.choice((0.0, 0.2)),
        delay_seconds_max=chance.choice((0.002, 0.05, 0.6)),
    )


def _leaned(manners: Manners, leaning: Leaning | None) -> Manners:
    match leaning:
        case Leaning.DEAF:
            return replace(manners, drops=0.6)
        case Leaning.REBORN:
            return replace(manners, drops=0.2, delay_seconds_max=0.6)
        case None:
            return manners


def _narrowed(chance: Random) -> dict[str, object]:
    """Return limits of the service that are so low, in some runs, that they are reached."""
    low = {
        "shared.SLOTS_PER_FRAME_MAX": 4,
        "history.STEPS_KEPT_MAX": 3,
        "history.SLOTS_KEPT_MAX": 8,
        "following.LOG_PAGE": 2,
        "following.WAITING_MAX": 2,
        "replica.CHANGES_KEPT_MAX": 4,
        "follower.CHANGES_KEPT_MAX": 4,
        "follower.PRUNE_SECONDS": 1.0,
        "resume.SPANS_MAX": 2,
        "resume.AWAY_MAX": minutes(0.05),
    }
    share = chance.choice((0.0, 0.3, 0.8))
    narrowed = {name: value for name, value in low.items() if chance.random() < share}
    # Looking up less often for what is not there takes less of the time of a run.
    return narrowed | {"subscription.TURN_SECONDS": 0.6}


@contextmanager
def _limits(narrowed: dict[str, object]) -> Iterator[None]:
    patches = [patch(f"service.live.{name}", value) for name, value in narrowed.items()]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


class _Errors(logging.Handler):
    """Keeps what the service logs that is no consequence of a fault."""

    def __init__(self, crashes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._crashes = crashes

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, DomainError):
            self._crashes.append(f"{record.getMessage()} {error!r}")


@contextmanager
def _errors(crashes: list[str]) -> Iterator[None]:
    logger, handler = logging.getLogger("service.live"), _Errors(crashes)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
