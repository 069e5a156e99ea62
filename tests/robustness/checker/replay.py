"""The replay: takes the log through the model, change by change, and says what is not legal.

Where a change is wrong it is told, and done all the same: what follows is judged by the log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from service.domain.change import BookingState, Change, Placement
from service.domain.ids import last_part
from slotcast.error_details import error_of_status
from tests.robustness.catalogue import TICKET_PRINCIPAL
from tests.robustness.checker.claims import BOOKING, BUSY, HOLD, Taken, added_by
from tests.robustness.checker.consenting import is_as_shown
from tests.robustness.checker.findings import Flaw
from tests.robustness.checker.handing_over import HOLD_DURATIONS_MAX, SPENDING, made, redeem
from tests.robustness.checker.instants import DAY, SECOND, micros, micros_of
from tests.robustness.checker.model import Model
from tests.robustness.checker.offer import Span, busy_spans, merged
from tests.robustness.checker.placing import Deed, Place, Placing
from tests.robustness.checker.queueing import Queueing
from tests.robustness.checker.records import (
    CHANGE_METHODS,
    CONFIRMED,
    LEFT,
    PENDING,
    TIMED,
    TRANSITIONS,
    Booked,
    Held,
    Waiting,
)


class Replay:
    """Applies changes. `touched` and `retyped` say what the last one may have opened or closed.

    `counts` has how often each rule of the waitlist was met.
    """

    def __init__(self, model: Model) -> None:
        """Take the model."""
        self.model = model
        self.touched: list[Span] = []
        self.retyped: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._placing: Placing

    def apply(self, change: Change, deed: Deed | None) -> list[Flaw]:
        """Do one change, and return what is wrong with it. `deed` is who asked for it."""
        added, calendars = added_by(change), self.model.calendars
        pieces = [taken for taken in added if taken.kind == BUSY]
        added = [taken for taken in added if taken.kind != BUSY]
        placing = self._placing = Placing(self.model, change, added)
        self.touched, self.retyped = [], set()
        self.model.revision, self.model.at = change.revision, placing.at
        self.model.latest = max(self.model.latest, placing.at)
        removed = placing.removed(change)
        queueing = Queueing(placing, change, removed, self.counts)
        moved = _moved_by(change, self.model)
        if change.kind in TIMED:
            queueing.pass_on()
        elif deed is not None:
            self._do(change, deed)
        queueing.settle()
        self._move_pieces(change, pieces)
        self._check_told(change, deed, moved)
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
        if deed.principal in self.model.spent and deed.method in SPENDING:
            self._placing.fault("C3", "spent", f"{deed.method} by a ticket that has booked already")
        match kind:
            case "held" | "renewed" | "released" | "handed_over":
                self._do_hold(kind, deed)
            case "booked":
                book = self._book if deed.method == "Book" else self._book_series
                book(change, deed)
            case "rescheduled":
                self._reschedule(deed)
            case "waitlist_joined":
                self._join(change, deed)
            case "waitlist_left":
                self._leave(deed)
            case "busy_imported":
                self._import(deed)
            case "catalog_changed":
                self._change_catalog(deed)
            case _:
                self._change_status(kind, deed)
        if deed.response.revision != change.revision:
            self._placing.fault("B3", "revision", f"the answer says {deed.response.revision}")

    def _do_hold(self, kind: str, deed: Deed) -> None:
        match kind:
            case "held":
                self._hold(deed)
            case "renewed":
                self._renew(deed)
            case "released":
                self._release(deed)
            case _:
                redeem(self._placing, deed, self.counts)

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
            conversation=deed.request.conversation,
        )
        self._placing.keep(held, deed)
        self._placing.count_holds(key, deed.principal)

    def _renew(self, deed: Deed) -> None:
        is_handoff = deed.method == "CreateHandoff"
        name = deed.request.hold if is_handoff else deed.request.name
        hold = self._placing.named_hold(name, deed.principal)
        if hold is None:
            return
        place = self._placing.place_of(hold)
        if place is None:
            return
        until = hold.created + HOLD_DURATIONS_MAX * place.rules.hold
        if hold.is_offer:
            self._placing.fault("B9", "lifetime", "an offer was renewed")
        if until <= max(self._placing.at, hold.expires):
            self._placing.fault(
                "B7", "lifetime", "a hold was renewed that lasted as long as one may"
            )
        expires = min(self._placing.at + place.rules.hold, until)
        self._placing.put(hold.id, place, HOLD, expires, hold.key)
        renewed = replace(hold, calendars=place.calendars, expires=expires)
        if is_handoff:
            renewed = made(self._placing, deed, renewed, self.counts)
        self._placing.keep(renewed, deed)
        if hold.expires <= self._placing.at:
            self._placing.count_holds(hold.key, deed.principal)

    def _release(self, deed: Deed) -> None:
        hold = self._placing.named_hold(deed.request.name, deed.principal)
        if hold is not None:
            self._placing.end_hold(hold.id)

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
            self._check_consent(wishes[index], place)
            conversation = deed.request.conversation or self._conversation_of(wishes[index])
            booking = deed.response.bookings[index]
            self._tell_new(deed, place, booking, conversation=conversation)
        if deed.principal.startswith(TICKET_PRINCIPAL):
            self.model.spend(deed.principal)

    def _conversation_of(self, wish: Any) -> str:
        """Return to which conversation a hold belongs that is booked."""
        held = self.model.holds.get(last_part(wish.hold)) if wish.hold else None
        return "" if held is None else held.conversation

    def _check_consent(self, wish: Any, place: Place) -> None:
        """C1: what somebody has agreed to is what is booked."""
        if not wish.HasField("consent"):
            return
        self.counts["C1"] += 1
        offer = self.model.offer
        if not is_as_shown(wish.consent, offer, place.rules, place.calendars, place.first):
            self._placing.fault("C1", "consent", f"booked was not what was shown: {wish.consent}")

    def _tell_new(
        self, deed: Deed, place: Place, told: Any, series: str = "", conversation: str = ""
    ) -> None:
        """Put a new booking on its place, and compare it with what the answer tells of it."""
        booking_id = last_part(told.name)
        self._placing.put(booking_id, place, BOOKING, None, None)
        booked = Booked(
            id=booking_id,
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
            series=series,
            conversation=conversation,
        )
        self._placing.tell(booked, told)

    def _book_series(self, change: Change, deed: Deed) -> None:
        """Book what was booked of a series; what was not has a cause, and is not all of it."""
        request, occurrences = deed.request, deed.response.report.occurrences
        key = self.model.key(request.holder, deed.principal)
        wishes = occurrences_of(request)
        told = [each.booking for each in occurrences if each.HasField("booking")]
        if [last_part(each.name) for each in told] != [str(each) for each in change.booking_ids]:
            self._placing.fault("B3", "answer", "the answer tells other bookings than the change")
            return
        if [each.start_time for each in occurrences] != [wish.start_time for wish in wishes]:
            self._placing.fault("B3", "answer", "the answer tells of other occurrences")
            return
        for wish, each in zip(wishes, occurrences, strict=True):
            self.counts["occurrences"] += 1
            if not each.HasField("booking"):
                self._check_refused(wish, each.refusal, key)
                continue
            owner = last_part(each.booking.name)
            place = self._placing.find(self._placing.chosen(wish, owner), key)
            if place is not None:
                self._tell_new(deed, place, each.booking, deed.response.series)
        if not told or (len(told) < len(wishes) and request.mode == request.MODE_ALL_OR_NONE):
            self._placing.fault("B6", "series", f"{len(told)} of {len(wishes)} were booked")

    def _check_refused(self, wish: Any, refusal: Any, key: str | None) -> None:
        """An occurrence is refused for what stands on each of its calendars."""
        reason = error_of_status(refusal).reason
        found = [self.model.reasons(spot, self._placing.at, key) for spot in self.model.spots(wish)]
        if not all(found) or reason not in set().union(*found):
            self._placing.fault("B6", "series", f"an occurrence was refused with {reason}: {found}")

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
        self._check_consent(deed.request.to, place)
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

    def _join(self, change: Change, deed: Deed) -> None:
        request, key = deed.request, self.model.key(deed.request.holder, deed.principal)
        assert key is not None
        entry = Waiting(
            id=last_part(deed.response.name),
            principal=deed.principal,
            holder=request.holder,
            key=key,
            type_id=last_part(request.appointment_type),
            calendars=frozenset(map(last_part, request.calendars)),
            windows=tuple(
                (micros_of(each.start_time), micros_of(each.end_time)) for each in request.windows
            ),
            number=change.revision,
            asked=request,
            created=self._placing.at,
        )
        self.counts["joins"] += 1
        if self.model.waiting_of(key) >= self.model.offer.holds_per_holder_max:
            self._placing.fault("B9", "too many", "a holder waits more often than it may")
        if self.model.waiting_of_key(deed.principal) >= self.model.offer.holds_per_key_max:
            self._placing.fault("B9", "too many", "a key waits more often than it may")
        self.model.put_entry(entry)

    def _leave(self, deed: Deed) -> None:
        entry = self._placing.named_entry(deed.request.name)
        if entry is None:
            return
        self.counts["entries left"] += 1
        if entry.hold is not None:
            self._placing.end_hold(entry.hold.id)
        else:
            self.model.put_entry(replace(entry, status=LEFT))

    def _check_told(self, change: Change, deed: Deed | None, moved: Booked | None) -> None:
        """Compare what the answer, and the change itself, tell of what has come of it."""
        if deed is not None and deed.method == "JoinWaitlist":
            entry = self.model.entries[last_part(deed.response.name)]
            if entry.message(self.model.business_id) != deed.response.entry:
                self._placing.fault("B3", "answer", f"the answer tells another entry than {entry}")
        states = [(str(each.booking_id), *_state(each)) for each in change.bookings]
        bookings = [self.model.bookings.get(str(each)) for each in change.booking_ids]
        before = None if moved is None else (moved.calendars, moved.first, moved.last)
        found = [(each.id, *each.state, before) for each in bookings if each is not None]
        if states != found:
            self._placing.fault("B3", "told", f"a change tells of {states}, and leaves {found}")

    def _move_pieces(self, change: Change, come: list[Taken]) -> None:
        """Move the busy time that a change carries: then each feed has what was imported."""
        pieces = self.model.pieces
        gone = [pieces.pop(ref.claim_id) for ref in change.removed if ref.claim_id in pieces]
        for taken in come:
            pieces[taken.id] = taken
        for calendar, feed in {(taken.calendar, taken.owner) for taken in (*gone, *come)}:
            found = merged(
                (each.start, each.end)
                for each in pieces.values()
                if (each.calendar, each.owner) == (calendar, feed)
            )
            if found != self.busy_of(calendar, feed):
                self._placing.fault("B2", "busy time", f"{feed} has {found} on {calendar}")

    def busy_of(self, calendar: str, feed: str) -> list[tuple[int, int]]:
        """Return the busy time that a feed has on a calendar."""
        taken = self.model.calendars.of_owner(f"feed {calendar} {feed}")
        return merged((each.start, each.end) for each in taken)

    def check_idle(self, deed: Deed) -> list[Flaw]:
        """Say what is wrong with an import that was answered, and has changed nothing."""
        calendar, feed = last_part(deed.request.calendar), deed.request.feed_id
        found, told = self.busy_of(calendar, feed), busy_spans(deed.request.ics)
        if found == told:
            return []
        text = f"{feed} was imported to {calendar} and changed nothing, but has {found}"
        return [Flaw("B2", "busy time", text)]

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


def occurrences_of(request: Any) -> list[Any]:
    """Return the slots that a series asks for: every day, or week, of a zone without changes."""
    parts = dict(part.split("=") for part in request.recurrence.split(";"))
    days = {"DAILY": 1, "WEEKLY": 7}[parts["FREQ"]]
    wishes = []
    for number in range(int(parts["COUNT"])):
        wish = type(request.first)()
        wish.CopyFrom(request.first)
        wish.start_time.seconds += number * days * DAY // SECOND
        wishes.append(wish)
    return wishes


def _state(told: BookingState) -> tuple[object, ...]:
    """Return what a change tells of a booking: how it is, and where it was."""
    return (
        *(told.type_id, *_place(told), told.zone, told.status.value, told.version),
        None if told.before is None else _place(told.before),
    )


def _place(told: BookingState | Placement) -> tuple[object, ...]:
    start, end = told.appointment.start, told.appointment.end
    return told.calendar_ids, micros(start), micros(end)


def _moved_by(change: Change, model: Model) -> Booked | None:
    """Return the booking that a change moves, as it was."""
    if change.kind != "rescheduled" or not change.booking_ids:
        return None
    return model.bookings.get(str(change.booking_ids[0]))
