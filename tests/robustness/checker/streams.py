"""Streams in order: who resumes whom, with which slots, and when a server could be relied on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.instants import micros_of
from tests.robustness.checker.timeline import Query, Slot, query_of
from tests.robustness.history import Fault, History, Link, Watch

RECOVERY_SECONDS = 5.0
"""For so long after a fault a server may still be finding its way back."""
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
            ways = {Link("clients", server), Link(server, "postgres")}
            found = self._storms[server] = joined(
                (fault.began, self.end_of(fault) + RECOVERY_SECONDS)
                for fault in self._history.faults
                if fault.blocks & ways
            )
        return found

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
