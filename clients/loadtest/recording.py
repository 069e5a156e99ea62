"""What a worker has seen: every booking, every refusal, and every broken promise."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from loadtest.answers import OUTCOME_UNKNOWN

BREACHES_TOLD_MAX = 10
"""So many broken promises of a kind of run are told in words; all are counted."""


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Breaches:
    """Answers that cannot be true, and promises that were not kept."""

    count: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, breach: str) -> None:
        """Count a breach, and tell the first ones."""
        self.count += 1
        if len(self.told) < BREACHES_TOLD_MAX and breach not in self.told:
            self.told.append(breach)

    def join(self, other: Breaches) -> None:
        """Add those of another."""
        self.count += other.count
        new = [breach for breach in other.told if breach not in self.told]
        self.told.extend(new[: BREACHES_TOLD_MAX - len(self.told)])


class Times(NamedTuple):
    """When a call was due, made and answered, in nanoseconds of the monotonic clock."""

    due_ns: int
    sent_ns: int
    answered_ns: int


@dataclass(slots=True)
class Recording:
    """The bookings of one worker or of several: one column per fact, so that many fit."""

    index: array[int] = field(default_factory=_numbers)
    revision: array[int] = field(default_factory=_numbers)
    due_ns: array[int] = field(default_factory=_numbers)
    sent_ns: array[int] = field(default_factory=_numbers)
    answered_ns: array[int] = field(default_factory=_numbers)
    # Slots of which it is not known whether they were booked.
    unknown: array[int] = field(default_factory=_numbers)
    # When the refusals came that the scenario expects.
    refused_due_ns: array[int] = field(default_factory=_numbers)
    refused_ns: array[int] = field(default_factory=_numbers)
    bare_refusals: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    breaches: Breaches = field(default_factory=Breaches)
    not_sent: int = 0
    # How many slots of the grid were reached, asked for or passed by.
    reached: int = 0
    cpu_seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.index)

    @property
    def decided(self) -> int:
        """How many requests were answered in any way."""
        return len(self.index) + len(self.refused_ns) + self.failures.total()

    def booked(self, index: int, revision: int, times: Times) -> None:
        """Note a booking."""
        self.index.append(index)
        self.revision.append(revision)
        self.due_ns.append(times.due_ns)
        self.sent_ns.append(times.sent_ns)
        self.answered_ns.append(times.answered_ns)

    def refused(self, times: Times, *, is_bare: bool) -> None:
        """Note a refusal that is right; a bare one came without alternatives."""
        self.bare_refusals += is_bare
        self.refused_due_ns.append(times.due_ns)
        self.refused_ns.append(times.answered_ns)

    def failed(self, index: int, reason: str) -> None:
        """Note an answer that the scenario does not expect."""
        self.failures[reason] += 1
        if reason in OUTCOME_UNKNOWN:
            self.unknown.append(index)

    def join(self, other: Recording) -> None:
        """Add what another worker has seen."""
        for name in _COLUMNS:
            getattr(self, name).extend(getattr(other, name))
        self.failures.update(other.failures)
        self.breaches.join(other.breaches)
        self.bare_refusals += other.bare_refusals
        self.not_sent += other.not_sent
        self.reached = max(self.reached, other.reached)
        self.cpu_seconds += other.cpu_seconds


_COLUMNS = (
    "index",
    "revision",
    "due_ns",
    "sent_ns",
    "answered_ns",
    "unknown",
    "refused_due_ns",
    "refused_ns",
)


def joined(recordings: Iterable[Recording]) -> Recording:
    """Put together what several workers have seen."""
    whole = Recording()
    for recording in recordings:
        whole.join(recording)
    return whole


def check_distinct(recording: Recording) -> None:
    """Find slots that were sold twice, and revisions that were given twice (B1, B4)."""
    for slot, times in Counter(recording.index).items():
        if times > 1:
            recording.breaches.add(f"slot {slot} was answered OK {times} times")
    repeated = len(recording.revision) - len(set(recording.revision))
    if repeated:
        recording.breaches.add(f"{repeated} bookings have the revision of another booking")
