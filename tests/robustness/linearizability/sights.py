"""Sights: what reads and refusals say of single cells, each at one instant within its call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import inf
from typing import Any

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import TYPES
from tests.robustness.history import Call, Outcome
from tests.robustness.linearizability.cell import (
    Asker,
    Move,
    SeenBooking,
    SeenNotLive,
    SeenOpen,
    SeenTaken,
)
from tests.robustness.linearizability.cells import Cell, CellMap
from tests.robustness.linearizability.database_clock import EXPIRY_SLACK_SECONDS
from tests.robustness.linearizability.ground import (
    STANDINGS,
    Ground,
    Place,
    Seen,
    Span,
    Waited,
    holder_of,
    instant,
    short,
)

EDGE = timedelta(seconds=1)
"""So near to its notice or its horizon nothing is said of a slot that is not listed."""
SLOT_TAKEN = "SLOT_TAKEN"

Sight = dict[Cell, tuple[Move, ...]]


def refused_wish(call: Call) -> booking_pb.Appointment | None:
    """Return the only slot that a refused call wanted and was told to be taken."""
    if call.outcome is not Outcome.REFUSED or call.reason != SLOT_TAKEN:
        return None
    request = call.request
    if isinstance(request, booking_pb.HoldSlotRequest):
        return booking_pb.Appointment(slot=request.slot)
    if isinstance(request, booking_pb.RenewHoldRequest):
        return booking_pb.Appointment(hold=request.name)
    if isinstance(request, booking_pb.CreateHandoffRequest):
        return booking_pb.Appointment(hold=request.hold)
    if isinstance(request, booking_pb.RescheduleBookingRequest):
        return request.to
    if isinstance(request, booking_pb.BookRequest) and len(request.appointments) == 1:
        return request.appointments[0]
    return None


def refused_places(ground: Ground, call: Call) -> list[Place]:
    """Return all places at which a refused call could have been served."""
    wish = refused_wish(call)
    if wish is None:
        return []
    if not wish.hold:
        return ground.places(wish.slot)
    made = ground.holds.get(wish.hold)
    return list(made.places) if made else []


class Sights:
    """Tells what was seen of each cell."""

    def __init__(self, ground: Ground, cells: CellMap) -> None:
        """Take what is known, and the cells to speak of."""
        self._ground = ground
        self._cells = cells
        self._lone = cells.lone_places(ground)
        self._waited: dict[Cell, list[Waited]] = defaultdict(list)
        for waited in ground.waited:
            for cell in self._cells_of(waited):
                self._waited[cell].append(waited)

    def _cells_of(self, waited: Waited) -> set[Cell]:
        ground = self._ground
        return {
            cell
            for place in waited.places
            for span in ground.spans(place, ground.buffers.ever(place.type_id))
            for cell in self._cells.touched(span)
        }

    def _may_be_offered(self, cell: Cell, call: Call) -> bool:
        """Say whether some of a cell may have been held for one who waits; no answer tells when."""
        ended = call.ended or inf
        return any(
            waited.began < ended and call.began < waited.ended for waited in self._waited[cell]
        )

    def of(self, call: Call) -> Sight:
        """Return what a call saw; nothing of it is kept where it says nothing of a single cell."""
        if call.outcome is Outcome.REFUSED:
            return self._of_refusal(call)
        if call.outcome is not Outcome.OK:
            return {}
        if isinstance(call.request, booking_pb.GetBookingRequest):
            return self._of_booking(call.response.booking)
        if not hasattr(call.response, "as_of") or not self._is_in_time(call):
            return {}
        if isinstance(call.request, availability_pb.ListSlotsRequest):
            return self._of_list(call)
        return self._of_explanation(call)

    def _is_in_time(self, call: Call) -> bool:
        """Say whether a read was as of its own time. One that was not says so in its `as_of`."""
        slack = timedelta(seconds=EXPIRY_SLACK_SECONDS)
        first, last = self._ground.clock.shown(call.began, call.ended or call.began)
        return first - slack <= instant(call.response.as_of) <= last + slack

    def _of_refusal(self, call: Call) -> Sight:
        wish = refused_wish(call)
        if wish is None:
            return {}
        moves: dict[Cell, list[Move]] = defaultdict(list)
        holder, is_one_of_some = holder_of(call), False
        if wish.hold:
            made = self._ground.holds.get(wish.hold)
            holder = made.holder if made else ""
            # Of one that may have been handed over nobody can say whose own does not count.
            is_one_of_some = made is not None and len(made.holders) > 1
        is_move = isinstance(call.request, booking_pb.RescheduleBookingRequest)
        asker = Asker(holder=holder, ignored=call.request.name if is_move else "")
        for place in refused_places(self._ground, call):
            cell = self._cells.alone(self._ground, place)
            is_told = cell is not None and not self._may_be_offered(cell, call)
            if cell is not None and is_told and not is_one_of_some:
                moves[cell].append(SeenTaken(asker=asker))
            if wish.hold:
                for span in self._ground.spans_of_hold(wish.hold):
                    for each in self._cells.touched(span):
                        moves[each].append(SeenNotLive(hold=wish.hold))
        return {cell: tuple(some) for cell, some in moves.items()}

    def _of_list(self, call: Call) -> Sight:
        request, response = call.request, call.response
        moves: dict[Cell, dict[Move, None]] = defaultdict(dict)
        listed: set[tuple[str, str, datetime]] = set()
        for slot in response.slots:
            type_id, calendar = short(slot.appointment_type), short(slot.calendar)
            start = instant(slot.start_time)
            listed.add((type_id, calendar, start))
            place = Place(type_id, _calendars(type_id, calendar), start)
            buffers = self._ground.buffers.between(type_id, call.began, call.ended or inf)
            spans = self._ground.spans(place, buffers)
            for cell, move in self._seen_open(place, spans, call, slot.seats_left):
                moves[cell][move] = None
        taken = SeenTaken(asker=Asker(holder=holder_of(call)))
        for cell, place in self._asked(request, response):
            is_listed = (place.type_id, place.calendars[0], place.start) in listed
            if not is_listed and not self._may_be_offered(cell, call):
                moves[cell][taken] = None
        return {cell: tuple(some) for cell, some in moves.items()}

    def _seen_open(
        self, place: Place, spans: Iterable[Span], call: Call, seats_left: int
    ) -> Iterator[tuple[Cell, Move]]:
        type_, holder = self._ground.types[place.type_id], holder_of(call)
        group = type_.group(place)
        for span in spans:
            for cell in self._cells.touched(span) if span.is_sure else ():
                asker = Asker(
                    holder=holder,
                    group=group,
                    seats_min=type_.seats_min,
                    seats_max=type_.seats_max,
                    hangs_over=span.is_buffer,
                )
                yield (
                    cell,
                    SeenOpen(
                        asker=asker,
                        seats_left=seats_left if group else 1,
                        may_be_offered=self._may_be_offered(cell, call),
                    ),
                )

    def _asked(
        self, request: availability_pb.ListSlotsRequest, response: Any
    ) -> Iterator[tuple[Cell, Place]]:
        """Yield the places that would have been listed, had their cell been free."""
        if request.page_token or request.HasField("duration"):
            return
        types = {short(name) for name in request.appointment_types}
        calendars = {short(name) for name in request.calendars}
        start, end = instant(request.start_time), instant(request.end_time)
        if response.next_page_token:
            end = instant(response.slots[-1].start_time)
        as_of = instant(response.as_of)
        for cell, places in self._lone.items():
            for place in places:
                rules = TYPES[place.type_id]
                is_asked = (not types or place.type_id in types) and (
                    not calendars or place.calendars[0] in calendars
                )
                if is_asked and start <= place.start < end:
                    first, last = as_of + rules.notice + EDGE, as_of + rules.horizon - EDGE
                    if first <= place.start <= last:
                        yield cell, place

    def _of_explanation(self, call: Call) -> Sight:
        request, response = call.request, call.response
        moves: dict[Cell, list[Move]] = defaultdict(list)
        type_id = short(request.slot.appointment_type)
        start = instant(request.slot.start_time)
        for verdict in response.verdicts:
            if verdict.rule != availability_pb.RuleVerdict.RULE_FREE:
                continue
            place = Place(type_id, _calendars(type_id, short(verdict.calendar)), start)
            cell = self._cells.alone(self._ground, place)
            if cell is None:
                continue
            asker = Asker(holder=holder_of(call), hangs_over=True)
            if verdict.passed:
                moves[cell].append(SeenOpen(asker=asker))
            elif not self._may_be_offered(cell, call):
                moves[cell].append(SeenTaken(asker=asker))
        return {cell: tuple(some) for cell, some in moves.items()}

    def _of_booking(self, booking: Any) -> Sight:
        ground, standing = self._ground, STANDINGS.get(booking.status)
        versions = ground.bookings[booking.name]
        gone = SeenBooking(booking=booking.name, standing=None)
        sight: Sight = {
            cell: (gone,) for seen in versions.values() for cell, _ in self._occupied(seen)
        }
        if standing is None:
            return sight
        here = SeenBooking(
            booking=booking.name,
            standing=standing,
            version=booking.version,
            is_known=booking.name in ground.named_at_birth,
        )
        for cell, span in self._occupied(versions[booking.version]):
            sight.pop(cell, None)
            if span.is_sure:
                sight[cell] = (here,)
        return sight

    def _occupied(self, seen: Seen) -> Iterator[tuple[Cell, Span]]:
        for span in self._ground.spans(seen.place, seen.buffers):
            for cell in self._cells.touched(span):
                yield cell, span


def _calendars(type_id: str, first: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((first, *TYPES[type_id].all_of)))
