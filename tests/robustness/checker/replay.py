"""The replay: takes the log through the model, change by change, and says what is not legal.

Where a change is wrong it is told, and done all the same: what follows is judged by the log.
"""

from __future__ import annotations

from dataclasses import replace

from service.domain.change import Change
from service.domain.ids import last_part
from tests.robustness.checker.claims import BOOKING, BUSY, HOLD, Taken, added_by
from tests.robustness.checker.findings import Flaw
from tests.robustness.checker.model import Model
from tests.robustness.checker.offer import Span, busy_spans
from tests.robustness.checker.placing import Deed, Placing
from tests.robustness.checker.records import (
    CHANGE_METHODS,
    CONFIRMED,
    PENDING,
    RELEASED,
    TRANSITIONS,
    Booked,
    Held,
)

HOLD_DURATIONS_MAX = 10
"""A hold that is renewed lasts at most so many times as long as it does by itself."""


class Replay:
    """Applies changes. `touched` and `retyped` say what the last one may have opened or closed."""

    def __init__(self, model: Model) -> None:
        """Take the model."""
        self.model = model
        self.touched: list[Span] = []
        self.retyped: set[str] = set()
        self._placing: Placing

    def apply(self, change: Change, deed: Deed | None) -> list[Flaw]:
        """Do one change, and return what is wrong with it. `deed` is who asked for it."""
        added, calendars = added_by(change), self.model.calendars
        placing = self._placing = Placing(self.model, change, added)
        self.touched, self.retyped = [], set()
        self.model.revision, self.model.at = change.revision, placing.at
        removed = placing.removed(change)
        if deed is not None:
            self._do(change, deed)
        for taken in removed:
            calendars.drop(taken)
        for taken in added:
            if taken.id not in calendars.by_id:
                placing.check_fit(taken)
                calendars.put(taken)
        placing.check_removed(removed)
        self.touched += [Span(each.calendar, each.start, each.end) for each in (*removed, *added)]
        return placing.faults

    def _do(self, change: Change, deed: Deed) -> None:
        kind = CHANGE_METHODS.get(deed.method, "catalog_changed")
        if change.kind != kind:
            self._placing.fault(
                "B3", "another change", f"{deed.method} left a change {change.kind}"
            )
            return
        match kind:
            case "held":
                self._hold(deed)
            case "renewed":
                self._renew(deed)
            case "released":
                self._release(deed)
            case "booked":
                self._book(change, deed)
            case "rescheduled":
                self._reschedule(deed)
            case "busy_imported":
                self._import(deed)
            case "catalog_changed":
                self._change_catalog(deed)
            case _:
                self._change_status(kind, deed)
        if deed.response.revision != change.revision:
            self._placing.fault("B3", "revision", f"the answer says {deed.response.revision}")

    def _hold(self, deed: Deed) -> None:
        key = self.model.key(deed.request.holder, deed.principal)
        assert key is not None
        hold_id = last_part(deed.response.hold.name)
        place = self._placing.find(self._placing.chosen(deed.request.slot, hold_id), key)
        if place is None:
            return
        self._placing.put(hold_id, place, HOLD, self._placing.at + place.rules.hold, key)
        held = Held(
            id=hold_id,
            principal=deed.principal,
            holder=deed.request.holder,
            key=key,
            type_id=place.rules.type_id,
            calendars=place.calendars,
            first=place.first,
            last=place.first + place.rules.duration,
            created=self._placing.at,
            expires=self._placing.at + place.rules.hold,
        )
        self._placing.keep(held, deed)
        self._placing.count_holds(key, deed.principal)

    def _renew(self, deed: Deed) -> None:
        hold = self._placing.named_hold(deed.request.name, deed.principal)
        if hold is None:
            return
        place = self._placing.place_of(hold)
        if place is None:
            return
        until = hold.created + HOLD_DURATIONS_MAX * place.rules.hold
        if until <= max(self._placing.at, hold.expires):
            self._placing.fault(
                "B7", "lifetime", "a hold was renewed that lasted as long as one may"
            )
        expires = min(self._placing.at + place.rules.hold, until)
        self._placing.put(hold.id, place, HOLD, expires, hold.key)
        self._placing.keep(replace(hold, calendars=place.calendars, expires=expires), deed)
        if hold.expires <= self._placing.at:
            self._placing.count_holds(hold.key, deed.principal)

    def _release(self, deed: Deed) -> None:
        hold = self._placing.named_hold(deed.request.name, deed.principal)
        if hold is not None:
            self._placing.free(hold.id)
            self.model.put_hold(replace(hold, status=RELEASED))

    def _book(self, change: Change, deed: Deed) -> None:
        wishes = deed.request.appointments
        told = [last_part(booking.name) for booking in deed.response.bookings]
        if told != [str(each) for each in change.booking_ids] or len(told) != len(wishes):
            self._placing.fault(
                "B3", "answer", "the answer tells other bookings than the change has"
            )
            return
        key = self.model.key(deed.request.holder, deed.principal)
        # Those with a hold come first, so that no other wish of the same is given its slot.
        for index in sorted(range(len(told)), key=lambda index: wishes[index].HasField("slot")):
            place = self._placing.take(wishes[index], told[index], key, deed.principal)
            if place is None:
                continue
            self._placing.put(told[index], place, BOOKING, None, None)
            booked = Booked(
                id=told[index],
                type_id=place.rules.type_id,
                calendars=place.calendars,
                first=place.first,
                last=place.first + place.rules.duration,
                zone=self.model.offer.zones[place.calendars[0]],
                status=PENDING if place.rules.needs_approval else CONFIRMED,
                version=1,
                asked=deed.request,
                created=self._placing.at,
                updated=self._placing.at,
            )
            self._placing.tell(booked, deed.response.bookings[index])

    def _reschedule(self, deed: Deed) -> None:
        booking = self._placing.named_booking(deed)
        if booking is None:
            return
        if booking.status not in (PENDING, CONFIRMED):
            self._placing.fault("B4", "transition", f"a booking that is {booking.status} was moved")
        self._placing.check_notice(booking, deed)
        self._placing.free(booking.id)
        place = self._placing.take(deed.request.to, booking.id, None, deed.principal)
        if place is None:
            return
        if place.rules.type_id != booking.type_id:
            self._placing.fault("B4", "type", "a booking was moved to another type")
        self._placing.put(booking.id, place, BOOKING, None, None)
        moved = replace(
            booking,
            calendars=place.calendars,
            first=place.first,
            last=place.first + place.rules.duration,
            zone=self.model.offer.zones[place.calendars[0]],
            version=booking.version + 1,
            updated=self._placing.at,
        )
        self._placing.tell(moved, deed.response.booking)

    def _change_status(self, kind: str, deed: Deed) -> None:
        booking = self._placing.named_booking(deed)
        if booking is None:
            return
        sources, status = TRANSITIONS[kind]
        if booking.status not in sources:
            promise = "B8" if kind in ("approved", "declined") else "B4"
            self._placing.fault(
                promise, "transition", f"a booking that is {booking.status} was {kind}"
            )
        if kind == "cancelled":
            self._placing.check_notice(booking, deed)
        if kind in ("completed", "no_show") and booking.first > self._placing.at:
            self._placing.fault("B4", "transition", f"a booking was {kind} before it began")
        if kind in ("cancelled", "declined"):
            self._placing.free(booking.id)
        changed = replace(
            booking,
            status=status,
            version=booking.version + 1,
            updated=self._placing.at,
            cancel_reason=getattr(deed.request, "reason", "") or booking.cancel_reason,
        )
        self._placing.tell(changed, deed.response.booking)

    def _import(self, deed: Deed) -> None:
        calendar = last_part(deed.request.calendar)
        feed = f"feed {calendar} {deed.request.feed_id}"
        spans = busy_spans(deed.request.ics)
        if deed.response.busy_intervals != len(spans):
            self._placing.fault(
                "B2", "busy time", f"{deed.response.busy_intervals} of {len(spans)} came"
            )
        gone = self.model.calendars.of_owner(feed)
        come = [Taken((feed, start), calendar, BUSY, feed, start, end) for start, end in spans]
        for taken in gone:
            self.model.calendars.drop(taken)
        for taken in come:
            self.model.calendars.put(taken)
        self.touched += [Span(each.calendar, each.start, each.end) for each in (*gone, *come)]

    def _change_catalog(self, deed: Deed) -> None:
        offer, closed = self.model.offer, self.model.closed
        closure_id = ""
        if deed.method == "DeleteClosure":
            closure_id = last_part(deed.request.name)
        elif deed.method.endswith("Closure"):
            closure_id = last_part(deed.response.closure.name)
        gone = closed.of_owner(closure_id)
        try:
            retyped = offer.change(deed.method, deed.request, deed.response)
        except KeyError:
            self._placing.fault("B4", "catalogue", f"{deed.method} of what was not there")
            return
        come = offer.closed_by(closure_id) if closure_id in offer.closures else []
        for taken in gone:
            closed.drop(taken)
        for taken in come:
            closed.put(taken)
        self.touched += [Span(each.calendar, each.start, each.end) for each in (*gone, *come)]
        self.retyped = {retyped} if retyped else set()
