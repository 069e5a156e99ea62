"""Streams in order: who resumes whom, with which slots, and when a server could be relied on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.robustness.checker.evidence import CLOCK_SET_SECONDS, Evidence
from tests.robustness.checker.instants import SECOND, micros, micros_of
from tests.robustness.checker.timeline import Query, Slot, query_of
from tests.robustness.history import Fault, History, Link, Watch
from tests.robustness.scenarios import NOTIFIER_LINK, STANDBY_LINK

RECOVERY_SECONDS = 1.0
"""For so long after a fault a server may still be finding its way back.

What hung goes on at once. A reading of PostgreSQL that meets a broken connection fails, and gives
up all that are like it; by default the next one comes a second later.
"""
CLOCK_NOTED_SECONDS = 1.0
"""So much later than PostgreSQL's clock was set that may have been noted."""
Stretch = tuple[float, float]
"""From one instant of the history to another."""


class Seen(NamedTuple):
    """What a frame says, and when it was read."""

    at: float
    place: int
    kind: str
    revision: int
    as_of: int


@dataclass(kw_only=True, slots=True)
class Stream:
    """A watch, read. `resumed` are the slots at its token; `complete` what ended a state.

    `kept` are the slots at those of its own tokens that are resumed later.
    """

    watch: Watch
    query: Query
    before: Stream | None
    seen: list[Seen]
    wanted: set[int] = field(default_factory=set)
    kept: dict[int, dict[Slot, int]] = field(default_factory=dict)
    complete: list[Seen] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The watch's number."""
        return self.watch.number

    @property
    def token_point(self) -> Seen | None:
        """Where the stream was whose token was given."""
        if self.before is None or self.watch.resumed_at >= len(self.before.seen):
            return None
        return self.before.seen[self.watch.resumed_at]

    @property
    def keeps_filter(self) -> bool:
        """Say whether it asks for what the stream before asked for."""
        return self.before is not None and self.before.query == self.query

    @property
    def resumed(self) -> dict[Slot, int] | None:
        """The slots that the reader had at its token, if it asks for the same ones."""
        if self.before is None or not self.keeps_filter:
            return None
        return self.before.kept.get(self.watch.resumed_at)

    def last_before(self, instant: float) -> Seen | None:
        """Return the last state that had been read by an instant."""
        index = bisect_right(self.complete, instant, key=lambda each: each.at) - 1
        return None if index < 0 else self.complete[index]

    def sent_from(self, seen: Seen) -> float:
        """Return the earliest instant at which a frame may have been sent.

        What was sent while its reader read nothing is read when it goes on.
        """
        return min(
            (
                began
                for began, ended in self.watch.pauses
                if began <= seen.at <= ended + CLOCK_SET_SECONDS
            ),
            default=seen.at,
        )

    def is_paused(self, start: float, end: float) -> bool:
        """Say whether its reader read nothing for some of a stretch."""
        return any(began < end and ended > start for began, ended in self.watch.pauses)

    def ended(self, history: History) -> float:
        """Return until when it was read."""
        return history.ended if self.watch.ended is None else self.watch.ended


def streams_of(evidence: Evidence) -> list[Stream]:
    """Return the streams, each after the one that it resumes."""
    found: dict[int, Stream] = {}
    for watch in sorted(evidence.history.watches, key=lambda each: each.number):
        before = None if watch.resumes is None else found.get(watch.resumes)
        if before is not None:
            before.wanted.add(watch.resumed_at)
        found[watch.number] = Stream(
            watch=watch,
            query=query_of(watch.request, evidence.model),
            before=before,
            seen=list(_seen(watch)),
        )
    return list(found.values())


def _seen(watch: Watch) -> Iterator[Seen]:
    for index, (at, frame) in enumerate(watch.arrivals):
        kind = frame.WhichOneof("frame") or ""
        yield Seen(at, index, kind, frame.revision, micros_of(frame.as_of))


class Weather:
    """When each server could be relied on: no fault was in its way, nor had been lately."""

    def __init__(self, history: History) -> None:
        """Take the faults."""
        self._history = history
        self._storms: dict[str, list[Stretch]] = {}

    def storms(self, server: str) -> list[Stretch]:
        """Return when a server was cut off from its clients, or from PostgreSQL; and a while."""
        found = self._storms.get(server)
        if found is None:
            found = self._storms[server] = self._blocked(_ways_of(server))
        return found

    def standstills(self) -> list[Stretch]:
        """Return when some server, or the notifier, could not commit, and a while.

        What one of them has locked keeps the others waiting, and so does the standby.
        """
        servers = {call.server for call in self._history.calls}
        ways = {way for server in servers for way in _ways_of(server)}
        return self._blocked(ways | {STANDBY_LINK, NOTIFIER_LINK})

    def is_amid_faults(self, start: float, end: float) -> bool:
        """Say whether faults were going on: all of it is between the first one and the last."""
        history = self._history
        first = min((fault.began for fault in history.faults), default=history.ended)
        return first <= start and end <= history.faults_ended

    def _blocked(self, ways: Set[Link]) -> list[Stretch]:
        return joined(
            (fault.began, self.end_of(fault) + RECOVERY_SECONDS)
            for fault in self._history.faults
            if fault.blocks & ways
        )

    def end_of(self, fault: Fault) -> float:
        """Return when a fault was over."""
        return self._history.ended if fault.ended is None else fault.ended

    def is_calm(self, server: str, start: float, end: float) -> bool:
        """Say whether a server could be relied on all the time."""
        return all(ended <= start or began >= end for began, ended in self.storms(server))

    def without_hints(self) -> list[Stretch]:
        """Return when some server could not reach Valkey."""
        return joined(
            (fault.began, self.end_of(fault))
            for fault in self._history.faults
            if "valkey" in fault.target or any(way.target == "valkey" for way in fault.blocks)
        )


def _ways_of(server: str) -> Set[Link]:
    return {Link("clients", server), Link(server, "postgres")}


class Clocks:
    """Which of the clocks that PostgreSQL has had a frame may go by."""

    def __init__(self, history: History) -> None:
        """Take when it was set."""
        self._history = history

    def offsets(self, since: float, until: float) -> list[float]:
        """Return how far ahead of the machine's they are, in seconds.

        A server looks at PostgreSQL's clock each second: for a while after a step some go by the
        old one, and where its instant was noted late others by the new one before.
        """
        offsets = [0.0]
        for step in self._history.clock_steps:
            if step.at - CLOCK_NOTED_SECONDS > until:
                break
            if step.at + CLOCK_SET_SECONDS <= since:
                offsets.clear()
            offsets.append(step.offset.total_seconds())
        return offsets

    def latest(self, since: float, until: float) -> int:
        """Return the latest instant at which what was sent meanwhile may say that it is."""
        ahead = max(self.offsets(since, until))
        return self._micros(until + ahead)

    def earliest(self, as_of: int, since: float, until: float) -> float:
        """Return the earliest instant that may be meant by what was sent meanwhile."""
        ahead = max(self.offsets(since, until))
        return (as_of - self._micros(0.0)) / SECOND - ahead

    def may_go_back(self, since: float, until: float) -> bool:
        """Say whether who was told an instant may later be told an earlier one."""
        offsets = self.offsets(since, until)
        return any(later < earlier for earlier, later in pairwise(offsets))

    def _micros(self, seconds: float) -> int:
        return micros(self._history.started_at) + round(seconds * SECOND)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches in order, those that touch as one."""
    result: list[Stretch] = []
    for start, end in sorted(stretches):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def without(stretch: Stretch, excused: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield what is left of a stretch when others are taken out."""
    start, end = stretch
    for began, ended in joined(excused):
        if ended <= start or began >= end:
            continue
        if began > start:
            yield start, began
        start = max(start, ended)
    if start < end:
        yield start, end
