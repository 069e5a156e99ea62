"""The ground: what a history says of time, of types, and of where bookings and holds lay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, NamedTuple

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.catalog_service_pb2 import UpdateAppointmentTypeRequest
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import TYPES, Rules
from tests.robustness.history import Call, History, Outcome
from tests.robustness.linearizability.cell import Standing

EXPIRY_SLACK_SECONDS = 1.0
"""So far from its time, on either side, a hold may be seen to expire.

A decision has the instant at which its transaction began, and a server knows the database's clock
by the last answers that it had; both may be late by what a slow way or a lock costs.
"""

STANDINGS = {
    booking_pb.BOOKING_STATUS_PENDING: Standing.PENDING,
    booking_pb.BOOKING_STATUS_CONFIRMED: Standing.CONFIRMED,
    booking_pb.BOOKING_STATUS_COMPLETED: Standing.OVER,
    booking_pb.BOOKING_STATUS_NO_SHOW: Standing.OVER,
}
"""Those that keep their place; any other status has given it back."""


class Span(NamedTuple):
    """A stretch of a calendar. What is not `is_sure` was altered meanwhile, so it may not count."""

    calendar: str
    start: datetime
    end: datetime
    is_buffer: bool = False
    is_sure: bool = True


class Place(NamedTuple):
    """An appointment of a type on calendars, the slot's own first."""

    type_id: str
    calendars: tuple[str, ...]
    start: datetime


class Seen(NamedTuple):
    """A booking of a version, as an answer told it."""

    place: Place
    standing: Standing | None


class Made(NamedTuple):
    """A hold, or one that may have been made: where it may lie, and whose it is."""

    places: tuple[Place, ...]
    holder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRules:
    """What is known of a type, with all that it was altered to."""

    rules: Rules
    seats_min: int
    seats_max: int
    buffer: timedelta
    is_buffer_sure: bool

    def group(self, place: Place) -> str:
        """Name the slot that its bookings share; empty where each has its calendar alone."""
        return f"{place.type_id} at {place.start}" if self.seats_max > 1 else ""


class Ground:
    """Reads a history once."""

    def __init__(self, history: History) -> None:
        """Take what its answers tell."""
        self.history = history
        self.types = {type_id: _rules(type_id, history) for type_id in TYPES}
        self.bookings: dict[str, dict[int, Seen]] = {}
        self.named_at_birth: set[str] = set()
        self.holds: dict[str, Made] = {}
        for call in history.calls:
            if call.outcome is Outcome.OK:
                self._learn(call.response)
        answered = {call.operation for call in history.calls if call.outcome is Outcome.OK}
        for call in history.calls:
            is_open = call.operation not in answered and call.outcome is Outcome.UNKNOWN
            if is_open and isinstance(call.request, booking_pb.HoldSlotRequest):
                places = tuple(self.places(call.request.slot))
                self.holds[untold(call.operation)] = Made(places, call.request.holder)
        self.holds_of: dict[str, list[str]] = {}
        for name, made in self.holds.items():
            self.holds_of.setdefault(made.holder, []).append(name)

    def _learn(self, response: Any) -> None:
        if isinstance(response, booking_pb.HoldSlotResponse | booking_pb.RenewHoldResponse):
            hold = response.hold
            self.holds.setdefault(hold.name, Made((place_of(hold),), hold.holder))
        for booking in bookings_in(response):
            versions = self.bookings.setdefault(booking.name, {})
            versions[booking.version] = Seen(place_of(booking), STANDINGS.get(booking.status))
        if isinstance(response, booking_pb.BookResponse):
            self.named_at_birth.update(booking.name for booking in response.bookings)

    def spans(self, place: Place) -> Iterator[Span]:
        """Yield what an appointment takes of its calendars."""
        type_ = self.types[place.type_id]
        end = place.start + type_.rules.duration
        for calendar in place.calendars:
            yield Span(calendar, place.start, end)
            if type_.buffer:
                yield Span(calendar, end, end + type_.buffer, True, type_.is_buffer_sure)

    def places(self, choice: SlotChoice) -> list[Place]:
        """Return where a wish could be put."""
        type_id = short(choice.appointment_type)
        rules = TYPES[type_id]
        firsts = (short(choice.calendar),) if choice.calendar else rules.any_of or rules.all_of[:1]
        start = instant(choice.start_time)
        return [
            Place(type_id, tuple(dict.fromkeys((first, *rules.all_of))), start) for first in firsts
        ]

    def expiry(self, expires_at: datetime) -> tuple[float, float]:
        """Return when the database's clock first showed a time, and from when on for ever."""
        history = self.history
        starts = [-inf, *(step.at for step in history.clock_steps)]
        offsets = [timedelta(), *(step.offset for step in history.clock_steps)]
        ends = [*starts[1:], inf]
        first, last = inf, -inf
        for start, end, offset in zip(starts, ends, offsets, strict=True):
            crossing = (expires_at - history.started_at - offset).total_seconds()
            begin = max(start, crossing)
            if begin < end:
                first = min(first, begin)
            if crossing > start:
                last = min(crossing, end)
        return first, max(first, last)

    def earliest_time(self, since: float) -> datetime:
        """Return the least that the database's clock showed at an instant or after it."""
        history = self.history
        later = (step.at for step in history.clock_steps if step.at > since)
        return min(history.database_time(at) for at in (since, *later))


def untold(operation: int) -> str:
    """Name a hold whose name was never answered."""
    return f"the hold of operation {operation}"


def short(name: str) -> str:
    """Return the last part of a name."""
    return name.rpartition("/")[2]


def instant(stamp: Any) -> datetime:
    """Read an instant."""
    return datetime.fromtimestamp(stamp.seconds, tz=UTC) + timedelta(
        microseconds=stamp.nanos // 1000
    )


def place_of(what: Any) -> Place:
    """Return where a hold or a booking lies."""
    return Place(
        short(what.appointment_type),
        tuple(short(name) for name in what.calendars),
        instant(what.start_time),
    )


def bookings_in(response: Any) -> Iterable[Any]:
    """Return the bookings that an answer tells of."""
    fields = response.DESCRIPTOR.fields_by_name
    if "bookings" in fields:
        return list(response.bookings)
    return [response.booking] if "booking" in fields else []


def busy_times(ics: bytes) -> list[tuple[datetime, datetime]]:
    """Read the events of an imported file, all of which are in UTC."""
    found = re.findall(rb"DTSTART:(\w+)\r?\nDTEND:(\w+)", ics)
    return [(_utc(start), _utc(end)) for start, end in found]


def _utc(text: bytes) -> datetime:
    return datetime.strptime(text.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _rules(type_id: str, history: History) -> TypeRules:
    rules = TYPES[type_id]
    altered = [
        call.request.appointment_type for call in history.calls if _may_have_altered(call, type_id)
    ]
    seats = [rules.capacity, *(each.capacity for each in altered)]
    buffers = {rules.buffer_after, *(each.buffer_after.ToTimedelta() for each in altered)}
    return TypeRules(
        rules=rules,
        seats_min=min(seats),
        seats_max=max(seats),
        buffer=max(buffers),
        is_buffer_sure=len(buffers) == 1,
    )


def _may_have_altered(call: Call, type_id: str) -> bool:
    return (
        isinstance(call.request, UpdateAppointmentTypeRequest)
        and short(call.request.appointment_type.name) == type_id
        and call.outcome is not Outcome.REFUSED
    )
