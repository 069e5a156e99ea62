"""Histories: what was asked of a cluster, what it answered and streamed, and what was broken.

Instants are seconds on the monotonic clock of the one process that asks, reads and breaks; nothing
is compared across clocks, but where `History.wall` says how they lie. A history knows nothing of
what is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from service.domain.change import Change
from slotcast.models import Slot
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest, WatchAvailabilityResponse

INTERNAL_FAULT = "INTERNAL_FAULT"
"""The reason INTERNAL, as the service itself gives it; INTERNAL alone is gRPC's word."""


class Outcome(StrEnum):
    """What a caller knows of a call. UNKNOWN: it may have been done, or may yet be."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(kw_only=True, slots=True)
class Call:
    """One attempt of one operation. Attempts with the same `request_id` share `operation`.

    `reason` is that of ErrorReason, or the status code where none was sent; `revision` that of an
    OK answer, or that which a refusal names, or 0. `words` is how the refusal put it, for who reads
    a report. `principal` is whose API key it carries; empty:
    the operator's. `alternatives` are the slots that a refusal offers instead, at its revision.
    """

    number: int
    operation: int
    client: str
    server: str
    method: str
    request: Any
    began: float
    is_streamed: bool = False
    ended: float | None = None
    outcome: Outcome = Outcome.UNKNOWN
    response: Any = None
    reason: str = ""
    words: str = ""
    revision: int = 0
    principal: str = ""
    alternatives: tuple[Slot, ...] = ()

    @property
    def request_id(self) -> str:
        """What its repetitions are known by; empty for a read."""
        return str(getattr(self.request, "request_id", ""))


class Arrival(NamedTuple):
    """A frame, and when it had been read."""

    at: float
    frame: WatchAvailabilityResponse


class Ending(StrEnum):
    """How a stream ended, where it did not end with a status of its own."""

    OPEN = "open"
    GOODBYE = "goodbye"
    CANCELLED = "cancelled"


@dataclass(kw_only=True, slots=True)
class Watch:
    """One stream of WatchAvailability.

    `resumes` is the number of the watch whose token was given, `resumed_at` the index of the
    arrival that carried it. While `pauses` lasted nothing was read. `ending` is an Ending, a reason
    of ErrorReason, or a status code.
    """

    number: int
    watcher: str
    server: str
    request: WatchAvailabilityRequest
    opened: float
    resumes: int | None = None
    resumed_at: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    ended: float | None = None
    ending: str = Ending.OPEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What the Python client said at an instant: which slots may be offered, or that it is stale.

    `slots` has (appointment type, calendar, start, seats left), with short names.
    """

    at: float
    watcher: str
    is_stale: bool
    revision: int
    slots: frozenset[tuple[str, str, datetime, int]]
    # What it watches: these types, where they start in this window.
    types: tuple[str, ...] = ()
    window: tuple[datetime, datetime] | None = None


class Link(NamedTuple):
    """A way between two that talk: ("a", "postgres"), ("a", "valkey"), ("clients", "a")."""

    source: str
    target: str


@dataclass(kw_only=True, slots=True)
class Fault:
    """Something that was broken for a while. `blocks` are the ways that could not be relied on."""

    kind: str
    target: str
    began: float
    ended: float | None = None
    detail: str = ""
    blocks: frozenset[Link] = frozenset()


class ClockStep(NamedTuple):
    """From `at` on the database's clock was so far from that of the machine."""

    at: float
    offset: timedelta


@dataclass(kw_only=True, slots=True)
class History:
    """All that was seen from outside. `started_at` is the wall clock at instant 0.

    `strangers` are calls of a key of another business, of which none may come to anything.
    """

    seed: int
    scenario: str
    business_id: str
    started_at: datetime
    calls: list[Call] = field(default_factory=list)
    strangers: list[Call] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    clock_steps: list[ClockStep] = field(default_factory=list)
    faults_ended: float = 0.0
    traffic_ended: float = 0.0
    ended: float = 0.0

    def database_time(self, instant: float) -> datetime:
        """Return what the database's clock showed at an instant."""
        offset = timedelta()
        for step in self.clock_steps:
            if step.at <= instant:
                offset = step.offset
        return self.started_at + timedelta(seconds=instant) + offset


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A row of the table `requests`: what was answered OK to a request."""

    principal_id: str
    request_id: str
    response: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredClaim:
    """A row of the table `claims`."""

    claim_id: UUID
    calendar_id: str
    kind: str
    owner_id: str
    start: datetime
    end: datetime
    type_id: str | None
    seat: int | None
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBooking:
    """A row of the table `bookings`."""

    booking_id: UUID
    type_id: str
    calendar_ids: tuple[str, ...]
    start: datetime
    end: datetime
    status: str
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEntry:
    """A row of the table `waitlist`; `hold_id` is what was offered last."""

    entry_id: UUID
    status: str
    revision: int
    hold_id: str | None
    offer_expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """What PostgreSQL says when all is over.

    `changes` and `answered` are whole: they were copied as they were written, so trimming took
    nothing from them. `log_revisions` are those still in the table `changes`.
    """

    epoch: str
    revision: int
    changes: list[Change]
    answered: list[Answered]
    claims: list[StoredClaim]
    bookings: list[StoredBooking]
    log_revisions: list[int]
    overlaps: list[str]
    entries: list[StoredEntry] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    idle_in_transaction: int = 0
    advisory_locks: int = 0


def utc(micros: int) -> datetime:
    """Return the instant that is so many microseconds after 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
