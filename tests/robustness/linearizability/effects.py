"""Effects: which moves a call makes on which stretches of which calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import CALENDARS
from tests.robustness.history import Call, Outcome
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
    busy_times,
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


@dataclass(kw_only=True, slots=True)
class Effect:
    """All touches of one operation; `options` has how many a part has, where it is not one."""

    touches: list[Touch] = field(default_factory=list)
    options: dict[int, int] = field(default_factory=dict)

    def add(self, spans: Iterator[Span], move: Move, part: int, option: int = 0) -> None:
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

    def of(self, call: Call) -> Effect | None:
        """Return what it did, or may have done; None for what does not touch a calendar."""
        tell: Callable[[Effect, Call, Any], None] | None = {
            booking_pb.HoldSlotRequest: self._hold,
            booking_pb.RenewHoldRequest: self._renew,
            booking_pb.ReleaseHoldRequest: self._release,
            booking_pb.BookRequest: self._book,
            booking_pb.RescheduleBookingRequest: self._reschedule,
            booking_pb.CancelBookingRequest: self._change_status,
            booking_pb.DeclineBookingRequest: self._change_status,
            booking_pb.ApproveBookingRequest: self._change_status,
            booking_pb.CompleteBookingRequest: self._change_status,
            booking_pb.MarkNoShowRequest: self._change_status,
            catalog_pb.CreateClosureRequest: self._close,
            catalog_pb.DeleteClosureRequest: self._open,
            catalog_pb.ImportBusyFeedRequest: self._import,
        }.get(type(call.request))
        if tell is None:
            return None
        effect = Effect()
        tell(effect, call, call.response if call.outcome is Outcome.OK else None)
        return effect

    def _hold(self, effect: Effect, call: Call, response: Any) -> None:
        ground, request = self._ground, call.request
        places = [place_of(response.hold)] if response else ground.places(request.slot)
        occupant = Occupant(
            owner=response.hold.name if response else untold(call.operation),
            standing=Standing.HELD,
            holder=request.holder,
            until=call.operation,
        )
        self._take(effect, FIRST_PART, places, occupant, request.holder)
        self._give_way(effect, places, occupant, is_sure=response is not None)

    def _renew(self, effect: Effect, call: Call, response: Any) -> None:
        made = self._ground.holds.get(call.request.name)
        if made is None:
            return
        occupant = Occupant(
            owner=call.request.name,
            standing=Standing.HELD,
            holder=made.holder,
            until=call.operation,
        )
        places = [place_of(response.hold)] if response else list(made.places)
        self._take(effect, FIRST_PART, places, occupant, made.holder, hold=call.request.name)
        self._give_way(effect, places, occupant, is_sure=False)

    def _release(self, effect: Effect, call: Call, response: Any) -> None:
        name = call.request.name
        effect.add(iter(self._spans_of_hold(name)), End(hold=name), ENDS)

    def _book(self, effect: Effect, call: Call, response: Any) -> None:
        appointments = call.request.appointments
        # Those by a hold come first, so that no other of the same request is given its slot.
        order = sorted(range(len(appointments)), key=lambda index: not appointments[index].hold)
        for part, index in enumerate(order, start=FIRST_PART):
            booking = response.bookings[index] if response else None
            self._put(effect, part, appointments[index], booking, call.request.holder)

    def _put(
        self, effect: Effect, part: int, wish: booking_pb.Appointment, booking: Any, holder: str
    ) -> None:
        places = [place_of(booking)] if booking else self._places(wish)
        if not places:
            return
        rules = self._ground.types[places[0].type_id].rules
        standing = Standing.PENDING if rules.requires_approval else Standing.CONFIRMED
        if booking:
            standing = STANDINGS[booking.status]
        occupant = Occupant(owner=booking.name if booking else "", standing=standing, version=1)
        self._settle(effect, part, wish, places, occupant, holder, is_sure=booking is not None)

    def _settle(
        self,
        effect: Effect,
        part: int,
        wish: booking_pb.Appointment,
        places: list[Place],
        occupant: Occupant,
        holder: str,
        *,
        is_sure: bool,
    ) -> None:
        """Put a booking where a wish says."""
        if wish.hold:
            made = self._ground.holds.get(wish.hold)
            holder = made.holder if made else ""
            is_sure = False
        self._take(effect, part, places, occupant, holder, hold=wish.hold)
        self._give_way(
            effect, places, occupant._replace(holder=holder), is_sure=is_sure, hold=wish.hold
        )

    def _reschedule(self, effect: Effect, call: Call, response: Any) -> None:
        request = call.request
        before = self._ground.bookings.get(request.name, {}).get(request.version)
        self._leave(effect, call, STANDS, None)
        places = [place_of(response.booking)] if response else self._places(request.to)
        standing = (before and before.standing) or Standing.CONFIRMED
        occupant = Occupant(
            owner=request.name,
            standing=STANDINGS[response.booking.status] if response else standing,
            version=request.version + 1,
        )
        # One's own holds do stand in the way of this one.
        self._settle(effect, FIRST_PART, request.to, places, occupant, "", is_sure=True)

    def _change_status(self, effect: Effect, call: Call, response: Any) -> None:
        allowed, to = {
            booking_pb.CancelBookingRequest: (STANDS, None),
            booking_pb.DeclineBookingRequest: ({Standing.PENDING}, None),
            booking_pb.ApproveBookingRequest: ({Standing.PENDING}, Standing.CONFIRMED),
            booking_pb.CompleteBookingRequest: ({Standing.CONFIRMED}, Standing.OVER),
            booking_pb.MarkNoShowRequest: ({Standing.CONFIRMED}, Standing.OVER),
        }[type(call.request)]
        self._leave(effect, call, frozenset(allowed), to)

    def _leave(
        self, effect: Effect, call: Call, allowed: frozenset[Standing], to: Standing | None
    ) -> None:
        """Change a booking where the version that is given lay, or wherever it may have."""
        request, ground = call.request, self._ground
        versions = ground.bookings.get(request.name, {})
        before = versions.get(request.version)
        places = [before.place] if before else sorted({seen.place for seen in versions.values()})
        change = Change(
            booking=request.name,
            version=request.version,
            allowed=allowed,
            to=to,
            is_known=request.name in ground.named_at_birth,
        )
        effect.options[LEAVES] = len(places)
        for option, place in enumerate(places):
            effect.add(ground.spans(place), change, LEAVES, option)

    def _take(
        self,
        effect: Effect,
        part: int,
        places: list[Place],
        occupant: Occupant,
        holder: str,
        hold: str = "",
    ) -> None:
        """Put somebody on one of some places, directly or in the place of a hold."""
        effect.options[part] = len(places)
        held = set(self._spans_of_hold(hold)) if hold else set()
        for option, place in enumerate(places):
            type_ = self._ground.types[place.type_id]
            group = type_.group(place)
            for span in self._ground.spans(place):
                asker = Asker(
                    holder=holder,
                    group=group,
                    seats_min=type_.seats_min,
                    seats_max=type_.seats_max,
                    hangs_over=span.is_buffer,
                )
                who = occupant._replace(group=group, is_sure=span.is_sure)
                move: Move = Take(occupant=who, asker=asker)
                if span in held:
                    move = Convert(hold=hold, occupant=who, asker=asker)
                effect.touches.append(Touch(span, move, part, option))
            held -= set(self._ground.spans(place))
        effect.add(iter(held), End(hold=hold), ENDS)

    def _give_way(
        self,
        effect: Effect,
        places: list[Place],
        occupant: Occupant,
        *,
        is_sure: bool,
        hold: str = "",
    ) -> None:
        """End the asker's other holds that are in the way, on all of their calendars."""
        taken = [span for place in places for span in self._ground.spans(place)]
        for name in self._ground.holds_of.get(occupant.holder, []) if occupant.holder else ():
            if name in {occupant.owner, hold}:
                continue
            spans = self._spans_of_hold(name)
            met = [a.is_sure and b.is_sure for a in spans for b in taken if _overlap(a, b)]
            is_certain = is_sure and len(places) == 1 and any(met)
            if met:
                effect.add(iter(spans), GiveWay(hold=name, is_sure=is_certain), GIVES_WAY)

    def _places(self, wish: booking_pb.Appointment) -> list[Place]:
        if not wish.hold:
            return self._ground.places(wish.slot)
        made = self._ground.holds.get(wish.hold)
        return list(made.places) if made else []

    def _spans_of_hold(self, name: str) -> list[Span]:
        made = self._ground.holds.get(name)
        places = made.places if made else ()
        return list(dict.fromkeys(span for place in places for span in self._ground.spans(place)))

    def _close(self, effect: Effect, call: Call, response: Any) -> None:
        lay = Lay(owner=call.request.closure_id, standing=Standing.CLOSED, is_here=True)
        effect.add(iter(_closed(call.request.closure)), lay, FIRST_PART)

    def _open(self, effect: Effect, call: Call, response: Any) -> None:
        closure_id = short(call.request.name)
        lay = Lay(owner=closure_id, standing=Standing.CLOSED, is_here=False)
        effect.add(iter(self._closures.get(closure_id, [])), lay, ENDS)

    def _import(self, effect: Effect, call: Call, response: Any) -> None:
        feed = _feed(call.request)
        lay = Lay(owner="/".join(feed), standing=Standing.BUSY, is_here=False)
        effect.add(iter(self._feeds[feed]), lay, ENDS)
        effect.add(iter(_busy(call.request)), replace(lay, is_here=True), FIRST_PART)


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
