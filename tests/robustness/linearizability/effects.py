"""Effects: which moves a call makes on which stretches of which calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import CALENDARS
from tests.robustness.checker.replay import occurrences_of
from tests.robustness.history import Outcome
from tests.robustness.linearizability.attempts import Done
from tests.robustness.linearizability.buffers import Buffers
from tests.robustness.linearizability.cell import (
    Asker,
    Change,
    Convert,
    End,
    GiveWay,
    Lay,
    Move,
    Occupant,
    Standing,
    Take,
)
from tests.robustness.linearizability.ground import (
    STANDINGS,
    Ground,
    Place,
    Span,
    bookings_in,
    busy_times,
    holder_of,
    instant,
    place_of,
    short,
    untold,
)

STANDS = frozenset({Standing.PENDING, Standing.CONFIRMED})
LEAVES, ENDS, GIVES_WAY, FIRST_PART = range(4)
"""In this order the parts of an operation are made: what frees comes before what takes."""


class Touch(NamedTuple):
    """A move on a stretch. Of the options of one part of an operation only one comes true."""

    span: Span
    move: Move
    part: int
    option: int


class Room(NamedTuple):
    """A place, and what is taken of its calendars there."""

    place: Place
    spans: tuple[Span, ...]


@dataclass(kw_only=True, slots=True)
class Effect:
    """All touches of one operation; `options` has how many a part has, where it is not one."""

    touches: list[Touch] = field(default_factory=list)
    options: dict[int, int] = field(default_factory=dict)

    def add(self, spans: Iterable[Span], move: Move, part: int, option: int = 0) -> None:
        """Make a move on some stretches."""
        self.touches += [Touch(span, move, part, option) for span in spans]


class Effects:
    """Tells what a call did, by its answer, or may have done, by its request."""

    def __init__(self, ground: Ground) -> None:
        """Take what is known of the history."""
        self._ground = ground
        self._closures: dict[str, list[Span]] = {}
        self._feeds: dict[tuple[str, str], list[Span]] = {}
        for call in ground.history.calls:
            if isinstance(call.request, catalog_pb.CreateClosureRequest):
                self._closures.setdefault(call.request.closure_id, []).extend(
                    _closed(call.request.closure)
                )
            if isinstance(call.request, catalog_pb.ImportBusyFeedRequest):
                self._feeds.setdefault(_feed(call.request), []).extend(_busy(call.request))

    def of(self, done: Done) -> Effect | None:
        """Return what it did, or may have done; None for what does not touch a calendar."""
        tell: Callable[[Effect, Done, Any], None] | None = {
            booking_pb.HoldSlotRequest: self._hold,
            booking_pb.RenewHoldRequest: self._renew,
            booking_pb.CreateHandoffRequest: self._renew,
            booking_pb.RedeemHandoffRequest: self._renew,
            booking_pb.ReleaseHoldRequest: self._release,
            booking_pb.BookRequest: self._book,
            booking_pb.BookSeriesRequest: self._book_series,
            booking_pb.RescheduleBookingRequest: self._reschedule,
            booking_pb.CancelBookingRequest: self._change_status,
            booking_pb.DeclineBookingRequest: self._change_status,
            booking_pb.ApproveBookingRequest: self._change_status,
            booking_pb.CompleteBookingRequest: self._change_status,
            booking_pb.MarkNoShowRequest: self._change_status,
            catalog_pb.CreateClosureRequest: self._close,
            catalog_pb.DeleteClosureRequest: self._open,
            catalog_pb.ImportBusyFeedRequest: self._import,
        }.get(type(done.call.request))
        if tell is None:
            return None
        effect = Effect()
        tell(effect, done, done.call.response if done.call.outcome is Outcome.OK else None)
        return effect

    def _hold(self, effect: Effect, done: Done, response: Any) -> None:
        operation = done.call.operation
        name = response.hold.name if response else untold(operation)
        made = self._ground.holds[name]
        occupant = Occupant(owner=name, standing=Standing.HELD, holder=made.holder, until=operation)
        rooms = self._rooms(made.places, made.buffers)
        self._take(effect, FIRST_PART, rooms, occupant, made.holder)
        self._give_way(effect, rooms, occupant, is_sure=response is not None)

    def _renew(self, effect: Effect, done: Done, response: Any) -> None:
        name = self._ground.renewed(done.call.request)
        made = self._ground.holds.get(name)
        if made is None:
            return
        is_handed_over = isinstance(done.call.request, booking_pb.RedeemHandoffRequest)
        holder = holder_of(done.call) if is_handed_over else made.holder
        occupant = Occupant(
            owner=name, standing=Standing.HELD, holder=holder, until=done.call.operation
        )
        rooms = self._rooms([place_of(response.hold)] if response else made.places, made.buffers)
        self._take(
            effect, FIRST_PART, rooms, occupant, holder, hold=name, is_handed_over=is_handed_over
        )
        for each in {holder} if is_handed_over else made.holders:
            self._give_way(effect, rooms, occupant._replace(holder=each), is_sure=False)

    def _release(self, effect: Effect, done: Done, response: Any) -> None:
        hold = done.call.request.name
        _end(effect, hold, self._ground.spans_of_hold(hold))

    def _book(self, effect: Effect, done: Done, response: Any) -> None:
        appointments = done.call.request.appointments
        # Those by a hold come first, so that no other of the same request is given its slot.
        order = sorted(range(len(appointments)), key=lambda index: not appointments[index].hold)
        for part, index in enumerate(order, start=FIRST_PART):
            booking = response.bookings[index] if response else None
            self._put(effect, part, done, appointments[index], booking)

    def _book_series(self, effect: Effect, done: Done, response: Any) -> None:
        """Book what was booked of a series; where that is not known, any of it or none."""
        booked = bookings_in(response)
        for part, booking in enumerate(booked, start=FIRST_PART):
            wish = booking_pb.Appointment(slot=done.call.request.first)
            self._put(effect, part, done, wish, booking)
        for part, slot in enumerate(() if response else occurrences_of(done.call.request)):
            self._put(effect, FIRST_PART + part, done, booking_pb.Appointment(slot=slot), None)
            effect.options[FIRST_PART + part] += 1

    def _put(
        self, effect: Effect, part: int, done: Done, wish: booking_pb.Appointment, booking: Any
    ) -> None:
        places = [place_of(booking)] if booking else self._places(wish)
        if not places:
            return
        rules = self._ground.types[places[0].type_id].rules
        standing = Standing.PENDING if rules.requires_approval else Standing.CONFIRMED
        if booking:
            standing = STANDINGS[booking.status]
        occupant = Occupant(owner=booking.name if booking else "", standing=standing, version=1)
        rooms = self._rooms(places, self._ground.buffers_for(done, wish, places[0]))
        holder, is_sure = holder_of(done.call), booking is not None
        self._settle(effect, part, wish, rooms, occupant, holder, is_sure=is_sure)

    def _settle(
        self,
        effect: Effect,
        part: int,
        wish: booking_pb.Appointment,
        rooms: list[Room],
        occupant: Occupant,
        holder: str,
        *,
        is_sure: bool,
    ) -> None:
        """Put a booking where a wish says."""
        holders = frozenset({holder})
        if wish.hold:
            made = self._ground.holds.get(wish.hold)
            holder, holders = (made.holder, made.holders) if made else ("", frozenset({""}))
            is_sure = False
        self._take(effect, part, rooms, occupant, holder, hold=wish.hold)
        for each in holders:
            self._give_way(
                effect, rooms, occupant._replace(holder=each), is_sure=is_sure, hold=wish.hold
            )

    def _reschedule(self, effect: Effect, done: Done, response: Any) -> None:
        request = done.call.request
        before = self._ground.bookings.get(request.name, {}).get(request.version)
        self._leave(effect, request, STANDS, None)
        places = [place_of(response.booking)] if response else self._places(request.to)
        if not places:
            return
        standing = (before and before.standing) or Standing.CONFIRMED
        occupant = Occupant(
            owner=request.name,
            standing=STANDINGS[response.booking.status] if response else standing,
            version=request.version + 1,
        )
        rooms = self._rooms(places, self._ground.buffers_for(done, request.to, places[0]))
        # One's own holds do stand in the way of this one.
        self._settle(effect, FIRST_PART, request.to, rooms, occupant, "", is_sure=True)

    def _change_status(self, effect: Effect, done: Done, response: Any) -> None:
        allowed, to = {
            booking_pb.CancelBookingRequest: (STANDS, None),
            booking_pb.DeclineBookingRequest: ({Standing.PENDING}, None),
            booking_pb.ApproveBookingRequest: ({Standing.PENDING}, Standing.CONFIRMED),
            booking_pb.CompleteBookingRequest: ({Standing.CONFIRMED}, Standing.OVER),
            booking_pb.MarkNoShowRequest: ({Standing.CONFIRMED}, Standing.OVER),
        }[type(done.call.request)]
        self._leave(effect, done.call.request, frozenset(allowed), to)

    def _leave(
        self, effect: Effect, request: Any, allowed: frozenset[Standing], to: Standing | None
    ) -> None:
        """Change a booking where the version that is given lay, or wherever it may have."""
        ground = self._ground
        versions = ground.bookings.get(request.name, {})
        before = versions.get(request.version)
        places = {seen.place for seen in ([before] if before else versions.values())}
        change = Change(
            booking=request.name,
            version=request.version,
            allowed=allowed,
            to=to,
            is_known=request.name in ground.named_at_birth,
        )
        effect.options[LEAVES] = len(places)
        for option, place in enumerate(sorted(places)):
            buffers = before.buffers if before else ground.buffers.ever(place.type_id)
            for span in ground.spans(place, buffers):
                effect.add([span], replace(change, is_sure=span.is_sure), LEAVES, option)

    def _take(
        self,
        effect: Effect,
        part: int,
        rooms: list[Room],
        occupant: Occupant,
        holder: str,
        hold: str = "",
        *,
        is_handed_over: bool = False,
    ) -> None:
        """Put somebody on one of some places, directly or in the place of a hold."""
        effect.options[part] = len(rooms)
        held = {span[:3]: span for span in self._ground.spans_of_hold(hold)} if hold else {}
        left = dict(held)
        for option, (place, spans) in enumerate(rooms):
            type_ = self._ground.types[place.type_id]
            group = type_.group(place)
            for span in spans:
                asker = Asker(
                    holder=holder,
                    group=group,
                    seats_min=type_.seats_min,
                    seats_max=type_.seats_max,
                    hangs_over=span.is_buffer,
                )
                who = occupant._replace(group=group, is_sure=span.is_sure)
                move: Move = Take(occupant=who, asker=asker)
                if hold in self._ground.offers:
                    move = Convert(hold=hold, occupant=who, asker=asker, is_offer=True)
                elif span[:3] in held:
                    move = Convert(
                        hold=hold, occupant=who, asker=asker, is_handed_over=is_handed_over
                    )
                    left.pop(span[:3], None)
                effect.add([span], move, part, option)
        _end(effect, hold, left.values())

    def _give_way(
        self,
        effect: Effect,
        rooms: list[Room],
        occupant: Occupant,
        *,
        is_sure: bool,
        hold: str = "",
    ) -> None:
        """End the asker's other holds that are in the way, on all of their calendars."""
        taken = [span for room in rooms for span in room.spans]
        for name in self._ground.holds_of.get(occupant.holder, []) if occupant.holder else ():
            if name in {occupant.owner, hold}:
                continue
            spans = self._ground.spans_of_hold(name)
            met = [a.is_sure and b.is_sure for a in spans for b in taken if _overlap(a, b)]
            # One that may lie elsewhere may not be in the way at all.
            is_there = len(rooms) == 1 and len(self._ground.holds[name].places) == 1
            is_certain = is_sure and is_there and any(met)
            if met:
                move = GiveWay(hold=name, holder=occupant.holder, is_sure=is_certain)
                effect.add(spans, move, GIVES_WAY)

    def _places(self, wish: booking_pb.Appointment) -> list[Place]:
        if not wish.hold:
            return self._ground.places(wish.slot)
        made = self._ground.holds.get(wish.hold) or self._ground.offers.get(wish.hold)
        return list(made.places) if made else []

    def _rooms(self, places: Iterable[Place], buffers: Buffers) -> list[Room]:
        return [Room(place, tuple(self._ground.spans(place, buffers))) for place in places]

    def _close(self, effect: Effect, done: Done, response: Any) -> None:
        request = done.call.request
        lay = Lay(owner=request.closure_id, standing=Standing.CLOSED, is_here=True)
        effect.add(_closed(request.closure), lay, FIRST_PART)

    def _open(self, effect: Effect, done: Done, response: Any) -> None:
        closure_id = short(done.call.request.name)
        lay = Lay(owner=closure_id, standing=Standing.CLOSED, is_here=False)
        effect.add(self._closures.get(closure_id, []), lay, ENDS)

    def _import(self, effect: Effect, done: Done, response: Any) -> None:
        feed = _feed(done.call.request)
        lay = Lay(owner="/".join(feed), standing=Standing.BUSY, is_here=False)
        effect.add(self._feeds[feed], lay, ENDS)
        effect.add(_busy(done.call.request), replace(lay, is_here=True), FIRST_PART)


def _end(effect: Effect, hold: str, spans: Iterable[Span]) -> None:
    for span in spans:
        effect.add([span], End(hold=hold, is_sure=span.is_sure), ENDS)


def _overlap(one: Span, other: Span) -> bool:
    return one.calendar == other.calendar and one.start < other.end and other.start < one.end


def _closed(closure: catalog_pb.Closure) -> list[Span]:
    times = closure.times
    calendars = [short(name) for name in closure.calendars] or CALENDARS
    return [
        Span(calendar, instant(times.start_time), instant(times.end_time)) for calendar in calendars
    ]


def _feed(request: catalog_pb.ImportBusyFeedRequest) -> tuple[str, str]:
    return short(request.calendar), request.feed_id


def _busy(request: catalog_pb.ImportBusyFeedRequest) -> list[Span]:
    calendar = short(request.calendar)
    return [Span(calendar, start, end) for start, end in busy_times(request.ics)]
