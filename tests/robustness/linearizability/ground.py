"""The ground: what a history says of time, of types, and of where bookings and holds lay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.catalog_service_pb2 import UpdateAppointmentTypeRequest
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import TYPES, Rules
from tests.robustness.history import Call, History, Outcome
from tests.robustness.linearizability.attempts import Done, operations
from tests.robustness.linearizability.buffers import Buffers, TypeBuffers
from tests.robustness.linearizability.cell import Standing
from tests.robustness.linearizability.database_clock import DatabaseClock

STANDINGS = {
    booking_pb.BOOKING_STATUS_PENDING: Standing.PENDING,
    booking_pb.BOOKING_STATUS_CONFIRMED: Standing.CONFIRMED,
    booking_pb.BOOKING_STATUS_COMPLETED: Standing.OVER,
    booking_pb.BOOKING_STATUS_NO_SHOW: Standing.OVER,
}
"""Those that keep their place; any other status has given it back."""
CHANGES_OF_STATUS = (
    booking_pb.ApproveBookingRequest,
    booking_pb.CancelBookingRequest,
    booking_pb.CompleteBookingRequest,
    booking_pb.DeclineBookingRequest,
    booking_pb.MarkNoShowRequest,
)
"""They leave a booking where it lies, or take it away."""


class Span(NamedTuple):
    """A stretch of a calendar. Where it is not `is_sure`, what takes it may end before it."""

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
    buffers: Buffers


class Made(NamedTuple):
    """A hold, or one that may have been made: where it may lie, and whose it is.

    One that has expired is renewed by its type as it is then, so `buffers` has those as well. To
    `redeemers` it may have been handed over.
    """

    places: tuple[Place, ...]
    holder: str
    buffers: Buffers
    redeemers: frozenset[str] = frozenset()

    @property
    def holders(self) -> frozenset[str]:
        """All whose it may have been."""
        return self.redeemers | {self.holder}


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRules:
    """What is known of a type, with all that it was altered to."""

    rules: Rules
    seats_min: int
    seats_max: int
    buffers: tuple[timedelta, ...]

    def group(self, place: Place) -> str:
        """Name the slot that its bookings share; empty where each has its calendar alone."""
        return f"{place.type_id} at {place.start}" if self.seats_max > 1 else ""


class Waited(NamedTuple):
    """One who may have waited for any of some places between two instants."""

    places: tuple[Place, ...]
    began: float
    ended: float


class Ground:
    """Reads a history once."""

    def __init__(self, history: History) -> None:
        """Take what its answers tell."""
        self.history = history
        self.buffers = TypeBuffers(history)
        self.clock = DatabaseClock(history)
        self.types = {type_id: self._rules(type_id) for type_id in TYPES}
        self.bookings: dict[str, dict[int, Seen]] = {}
        self.named_at_birth: set[str] = set()
        self.holds: dict[str, Made] = {}
        # What was offered to one who waits. When that was nobody knows, so it lies nowhere.
        self.offers: dict[str, Made] = {}
        # By ticket, the hold that it was made of.
        self.tickets: dict[str, str] = {
            call.response.ticket: call.request.hold
            for call in history.calls
            if isinstance(call.request, booking_pb.CreateHandoffRequest)
            and call.outcome is Outcome.OK
        }
        done = list(operations(history.calls))
        self._learn_offers()
        for each in done:
            self._learn_hold(each)
        for each in done:
            self._learn_renewal(each)
        occupied = _Occupied(self)
        for each in done:
            occupied.learn(each)
        for call in history.calls:
            if call.outcome is Outcome.OK:
                self._learn_bookings(call.response, occupied)
        self.waited = list(waited_in(self, done))
        self.holds_of: dict[str, list[str]] = {}
        for name, made in self.holds.items():
            for holder in made.holders:
                self.holds_of.setdefault(holder, []).append(name)

    def _rules(self, type_id: str) -> TypeRules:
        rules = TYPES[type_id]
        altered = [
            call.request.appointment_type
            for call in self.history.calls
            if _may_have_altered(call, type_id)
        ]
        seats = [rules.capacity, *(each.capacity for each in altered)]
        return TypeRules(
            rules=rules,
            seats_min=min(seats),
            seats_max=max(seats),
            buffers=tuple(sorted(self.buffers.ever(type_id) | {timedelta()})),
        )

    def _learn_hold(self, done: Done) -> None:
        request = done.call.request
        if not isinstance(request, booking_pb.HoldSlotRequest):
            return
        if done.call.outcome is Outcome.OK:
            hold = done.call.response.hold
            name, places = hold.name, [place_of(hold)]
        else:
            name, places = untold(done.call.operation), self.places(request.slot)
        buffers = self.buffers.between(places[0].type_id, done.began, done.ended)
        self.holds[name] = Made(tuple(places), holder_of(done.call), buffers)

    def _learn_offers(self) -> None:
        for entry in entries_told(self.history):
            if entry.HasField("offer"):
                place = place_of(entry.offer)
                buffers = self.buffers.ever(place.type_id)
                self.offers[entry.offer.name] = Made((place,), "", buffers)

    def _learn_renewal(self, done: Done) -> None:
        name = self.renewed(done.call.request)
        made = self.holds.get(name)
        if not name:
            return
        if made is None and done.call.outcome is Outcome.OK:
            hold = done.call.response.hold
            place, holder = place_of(hold), holder_key(hold.holder, done.call.principal)
            before = self.buffers.between(place.type_id, -inf, done.ended)
            made = Made((place,), holder, before)
        if made is not None:
            now = self.buffers.between(made.places[0].type_id, done.began, done.ended)
            redeemers = made.redeemers
            if isinstance(done.call.request, booking_pb.RedeemHandoffRequest):
                redeemers |= {holder_of(done.call)}
            self.holds[name] = made._replace(buffers=made.buffers | now, redeemers=redeemers)

    def renewed(self, request: Any) -> str:
        """Return the hold that a request lets last its full time again; empty: it is none such."""
        match request:
            case booking_pb.RenewHoldRequest():
                return request.name
            case booking_pb.CreateHandoffRequest():
                return request.hold
            case booking_pb.RedeemHandoffRequest():
                return self.tickets.get(request.ticket, "")
        return ""

    def _learn_bookings(self, response: Any, occupied: _Occupied) -> None:
        for booking in bookings_in(response):
            versions = self.bookings.setdefault(booking.name, {})
            place = place_of(booking)
            buffers = occupied.buffers(booking.name, booking.version, place)
            versions[booking.version] = Seen(place, STANDINGS.get(booking.status), buffers)
        if isinstance(response, booking_pb.BookResponse | booking_pb.BookSeriesResponse):
            self.named_at_birth.update(booking.name for booking in bookings_in(response))

    def spans(self, place: Place, buffers: Buffers) -> Iterator[Span]:
        """Yield what an appointment takes of its calendars, if its buffer is one of these."""
        type_ = self.types[place.type_id]
        end = place.start + type_.rules.duration
        for calendar in place.calendars:
            yield Span(calendar, place.start, end)
            for first, last in pairwise(type_.buffers):
                if last <= max(buffers):
                    yield Span(calendar, end + first, end + last, True, last <= min(buffers))

    def spans_of_hold(self, name: str) -> list[Span]:
        """Return what a hold takes of its calendars."""
        made = self.holds.get(name)
        if made is None:
            return []
        spans = (span for place in made.places for span in self.spans(place, made.buffers))
        return list(dict.fromkeys(spans))

    def buffers_for(self, done: Done, wish: booking_pb.Appointment, place: Place) -> Buffers:
        """Return which buffers what is put on a place by a wish may have."""
        buffers = self.buffers.between(place.type_id, done.began, done.ended)
        # Who books a live hold takes over what it occupies.
        made = self.holds.get(wish.hold) or self.offers.get(wish.hold) if wish.hold else None
        return buffers | made.buffers if made else buffers

    def places(self, choice: SlotChoice) -> list[Place]:
        """Return where a wish could be put."""
        type_id = short(choice.appointment_type)
        rules = TYPES[type_id]
        firsts = (short(choice.calendar),) if choice.calendar else rules.any_of or rules.all_of[:1]
        start = instant(choice.start_time)
        return [
            Place(type_id, tuple(dict.fromkeys((first, *rules.all_of))), start) for first in firsts
        ]


class _Occupied:
    """Which buffer each version of a booking may have."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._put: dict[tuple[str, int], Buffers] = {}
        self._kept: set[tuple[str, int]] = set()

    def learn(self, done: Done) -> None:
        """Take what an operation says of a booking, if it was answered."""
        request, response = done.call.request, done.call.response
        if done.call.outcome is not Outcome.OK:
            return
        put: Iterable[tuple[booking_pb.Appointment, Any]] = ()
        if isinstance(request, booking_pb.BookRequest):
            put = zip(request.appointments, response.bookings, strict=True)
        elif isinstance(request, booking_pb.BookSeriesRequest):
            wish = booking_pb.Appointment(slot=request.first)
            put = [(wish, booking) for booking in bookings_in(response)]
        elif isinstance(request, booking_pb.RescheduleBookingRequest):
            put = [(request.to, response.booking)]
        elif isinstance(request, CHANGES_OF_STATUS):
            self._kept.add((request.name, response.booking.version))
        for wish, booking in put:
            buffers = self._ground.buffers_for(done, wish, place_of(booking))
            self._put[booking.name, booking.version] = buffers

    def buffers(self, name: str, version: int, place: Place) -> Buffers:
        """Return which buffer a version may have."""
        while (name, version) in self._kept:
            version -= 1
        return self._put.get((name, version)) or self._ground.buffers.ever(place.type_id)


def entries_told(history: History) -> Iterator[booking_pb.WaitlistEntry]:
    """Yield the entries of the waitlist that answers tell of."""
    for call in history.calls:
        if call.outcome is Outcome.OK:
            fields = call.response.DESCRIPTOR.fields_by_name
            if "entry" in fields:
                yield call.response.entry
            if "entries" in fields:
                yield from call.response.entries


def waited_in(ground: Ground, done: Iterable[Done]) -> Iterator[Waited]:
    """Yield who may have been offered what, and when: from when it may have joined on."""
    over = _known_to_be_over(ground.history)
    for each in done:
        request = each.call.request
        if isinstance(request, booking_pb.JoinWaitlistRequest):
            is_known = each.call.outcome is Outcome.OK
            ended = over.get(each.call.response.name, inf) if is_known else inf
            yield Waited(tuple(_places_waited_for(request)), each.began, ended)


def _known_to_be_over(history: History) -> dict[str, float]:
    """Return by when each entry of the waitlist had ended, as answers tell it."""
    over: dict[str, float] = {}
    for call in history.calls:
        if call.outcome is not Outcome.OK or call.ended is None:
            continue
        name = ""
        if isinstance(call.request, booking_pb.LeaveWaitlistRequest):
            name = call.request.name
        if isinstance(call.request, booking_pb.GetWaitlistEntryRequest):
            entry = call.response.entry
            is_over = entry.status not in (entry.STATUS_WAITING, entry.STATUS_OFFERED)
            name = entry.name if is_over else ""
        if name:
            over[name] = min(call.ended, over.get(name, inf))
    return over


def _places_waited_for(request: booking_pb.JoinWaitlistRequest) -> Iterator[Place]:
    type_id = short(request.appointment_type)
    rules = TYPES[type_id]
    firsts = [short(name) for name in request.calendars] or rules.any_of or rules.all_of[:1]
    for window in request.windows:
        start, end = instant(window.start_time), instant(window.end_time)
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        start += -(start - midnight) % rules.step
        while start < end:
            for first in firsts:
                yield Place(type_id, tuple(dict.fromkeys((first, *rules.all_of))), start)
            start += rules.step


def untold(operation: int) -> str:
    """Name a hold whose name was never answered."""
    return f"the hold of operation {operation}"


def holder_of(call: Call) -> str:
    """Return whose holds give way to a call; empty: nobody's."""
    return holder_key(getattr(call.request, "holder", ""), call.principal)


def holder_key(holder: str, principal: str) -> str:
    """Name a holder: those of another API key are others."""
    return f"{holder} of {principal}" if holder and principal else holder


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
    fields = response.DESCRIPTOR.fields_by_name if response is not None else {}
    if "report" in fields:
        return [each.booking for each in response.report.occurrences if each.HasField("booking")]
    if "bookings" in fields:
        return list(response.bookings)
    return [response.booking] if "booking" in fields else []


def busy_times(ics: bytes) -> list[tuple[datetime, datetime]]:
    """Read the events of an imported file, all of which are in UTC."""
    found = re.findall(rb"DTSTART:(\w+)\r?\nDTEND:(\w+)", ics)
    return [(_utc(start), _utc(end)) for start, end in found]


def _utc(text: bytes) -> datetime:
    return datetime.strptime(text.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _may_have_altered(call: Call, type_id: str) -> bool:
    return (
        isinstance(call.request, UpdateAppointmentTypeRequest)
        and short(call.request.appointment_type.name) == type_id
        and call.outcome is not Outcome.REFUSED
    )
