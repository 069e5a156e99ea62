"""Readers: clients that watch from any process, at any pace, and come back with what they have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, NamedTuple

from service.domain.errors import DomainError
from service.domain.slot import SlotQuery
from service.live.frames import Frame, Sent
from service.live.tokens import ResumeToken, Tokens, filter_hash
from tests.robustness.simulation.fold import Fold
from tests.robustness.simulation.loop import VirtualLoop
from tests.robustness.simulation.process import SECRET, Process, made_at
from tests.robustness.simulation.shop import a_query
from tests.robustness.simulation.truth import OpenSlots, Truth

TOKENS = Tokens(SECRET)
FAR_AHEAD = 1_000
KEPT_MAX = 12
"""A reader may come back with the token of one of so many frames that it has folded."""


class Arrival(NamedTuple):
    """A frame, when it was read and when it was made; and, where it makes the slots whole, them.

    `token` is what its token says.
    """

    at: float
    made_at: float
    frame: Frame
    slots: OpenSlots | None
    token: ResumeToken | None


class Given(NamedTuple):
    """A token to resume with, and the slots that the client has with it."""

    text: str
    token: ResumeToken
    slots: OpenSlots


@dataclass(kw_only=True, slots=True)
class Stream:
    """One watch: what was asked for, and all that came."""

    number: int
    reader: str
    process: str
    query: SlotQuery
    opened_at: float
    given: Given | None
    min_revision: int
    arrivals: list[Arrival] = field(default_factory=list)
    # While these last, nothing is read.
    pauses: list[tuple[float, float]] = field(default_factory=list)
    paused_since: float | None = None
    ended_at: float | None = None
    ending: str = ""

    @property
    def tokens(self) -> list[tuple[Arrival, ResumeToken]]:
        """The frames after which the slots are whole, with what their tokens say."""
        return [(arrival, arrival.token) for arrival in self.arrivals if arrival.token is not None]

    def is_paused(self, since: float, until: float) -> bool:
        """Say whether nothing was read at some time between two instants."""
        return any(began <= until and since <= ended for began, ended in self.pauses) or (
            self.paused_since is not None and self.paused_since <= until
        )


class Habits(NamedTuple):
    """How a reader reads."""

    pauses: float
    pause_seconds_max: float
    stays_seconds_max: float


QUICK = Habits(0.0, 0.0, 60.0)
FICKLE = Habits(0.0, 0.0, 4.0)
SLOW = Habits(0.4, 3.0, 12.0)
ASLEEP = Habits(0.15, 60.0, 60.0)


class Reader:
    """One client. It asks the same all the time, on whichever process answers."""

    def __init__(
        self,
        name: str,
        *,
        loop: VirtualLoop,
        chance: Random,
        truth: Truth,
        processes: Callable[[], list[Process]],
        streams: list[Stream],
    ) -> None:
        """Choose what to watch, and how."""
        self.name = name
        self.query = a_query(chance)
        self.habits = chance.choice((QUICK, QUICK, FICKLE, SLOW, ASLEEP))
        self._loop = loop
        self._chance = chance
        self._truth = truth
        self._processes = processes
        self._streams = streams
        self._kept: list[Given] = []

    async def watch(self) -> None:
        """Watch, again and again."""
        while True:
            processes = self._processes()
            if processes:
                await self._watch_on(self._chance.choice(processes))
            await self._loop.elapse(self._chance.uniform(0.02, 0.4))

    async def _watch_on(self, process: Process) -> None:
        stream = Stream(
            number=len(self._streams),
            reader=self.name,
            process=process.name,
            query=self.query,
            opened_at=self._loop.time(),
            given=self._given(),
            min_revision=self._min_revision(),
        )
        self._streams.append(stream)
        task = process.do(self._read(process, stream))
        stays_seconds = self._chance.uniform(0.5, 1.0) * self.habits.stays_seconds_max
        await asyncio.wait([task], timeout=stays_seconds)
        task.cancel()
        await asyncio.wait([task])
        if stream.ended_at is None:
            # The process was paused all the time: it has not even begun.
            stream.ended_at, stream.ending = self._loop.time(), "cancelled"

    async def _read(self, process: Process, stream: Stream) -> None:
        """Read a stream to its end, as the server's side of it."""
        fold = Fold({} if stream.given is None else stream.given.slots)
        watch = process.watchers.watch(
            stream.query,
            resume_token="" if stream.given is None else stream.given.text,
            min_revision=stream.min_revision,
        )
        try:
            async with aclosing(watch) as frames:
                async for sent in frames:
                    self._take(stream, fold, sent)
                    await self._pause(stream)
            stream.ending = "goodbye"
        except DomainError as error:
            stream.ending = error.reason
        except asyncio.CancelledError:
            stream.ending = "cancelled"
            raise
        except Exception as error:
            stream.ending = f"crashed: {error!r}"
        finally:
            stream.ended_at = self._loop.time()

    def _take(self, stream: Stream, fold: Fold, sent: Sent) -> None:
        slots, text = fold.take(sent.frame), sent.frame.resume_token
        token = TOKENS.read_resume(text, stream.query.business_id) if text else None
        stream.arrivals.append(
            Arrival(self._loop.time(), made_at(sent.body), sent.frame, slots, token)
        )
        if slots is not None and token is not None:
            self._kept = [*self._kept[1 - KEPT_MAX :], Given(text, token, slots)]

    async def _pause(self, stream: Stream) -> None:
        if self._chance.random() < self.habits.pauses:
            stream.paused_since = began = self._loop.time()
            seconds = self._chance.uniform(0.2, 1.0) * self.habits.pause_seconds_max
            await self._loop.elapse(seconds)
            stream.pauses.append((began, self._loop.time()))
            stream.paused_since = None

    # With what it comes back.

    def _given(self) -> Given | None:
        chance = self._chance.random()
        if not self._kept or chance < 0.1:
            return None
        last = self._kept[-1]
        if chance < 0.75:
            return last
        if chance < 0.9:
            return self._chance.choice(self._kept)
        if chance < 0.95:
            return self._altered(
                last, filter_hash=filter_hash(replace(self.query, type_ids=("x",)))
            )
        return self._altered(last, revision=last.token.revision + FAR_AHEAD)

    def _altered(self, given: Given, **changes: Any) -> Given:
        token = replace(given.token, **changes)
        return Given(TOKENS.resume(token), token, given.slots)

    def _min_revision(self) -> int:
        """Ask, now and then, for what somebody was just told, or will be."""
        life = self._truth.life
        if life is None or self._chance.random() < 0.7:
            return 0
        return max(0, life.head.revision + self._chance.choice((-3, 0, 0, 1)))
