"""Refusals: each must be what the model says too, at some revision and instant of its call."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from service.domain.ids import last_part
from slotcast.v1.booking_service_pb2 import (
    BookRequest,
    CreateHandoffRequest,
    ReleaseHoldRequest,
    RenewHoldRequest,
    RescheduleBookingRequest,
)
from tests.robustness.checker.consenting import is_as_shown
from tests.robustness.checker.evidence import Evidence
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.handing_over import (
    HOLD_DURATIONS_MAX,
    SPENDING,
    TICKETS_PER_HOLD_MAX,
    reasons_of_redeeming,
)
from tests.robustness.checker.instants import micros_of
from tests.robustness.checker.model import Model, Spot
from tests.robustness.checker.records import (
    CHANGE_METHODS,
    LIVE,
    STANDING,
    TRANSITIONS,
    Booked,
    Held,
)
from tests.robustness.checker.replay import occurrences_of
from tests.robustness.checker.retention import kept
from tests.robustness.history import Call, Outcome

WAITING_REASONS = frozenset({"OVERLOADED", "RATE_LIMITED", "REVISION_AHEAD", "TRY_AGAIN"})
"""They say that it is not known, or not now, and nothing of the slot."""
PROTECTING = {"CONSENT_MISMATCH": "C1", "HANDOFF_USED": "C3"}
"""Which promise a refusal keeps."""
NAMING = frozenset({"GetBooking", "ExplainSlot", "GetWaitlistEntry"})
"""Reads of what may not be there."""


class Refusals:
    """Looks at each refused call at every revision that it may have been decided at."""

    def __init__(self, evidence: Evidence, findings: Findings) -> None:
        """Take all refusals that say something of the business."""
        self._evidence = evidence
        self._findings = findings
        self._coming: list[tuple[int, int, Call]] = sorted(
            (self._span_of(call) for call in evidence.history.calls if _is_judged(call)),
            key=lambda each: (each[0], each[2].number),
            reverse=True,
        )
        self._open: list[tuple[int, Call]] = []

    def _span_of(self, call: Call) -> tuple[int, int, Call]:
        """Return the first and the last revision at which a call can have been refused."""
        assert call.ended is not None
        first = self._evidence.acknowledged.before(call.began)
        last = max(self._evidence.possible_by(call.ended), first)
        if not call.revision:
            return first, last, call
        if not first <= call.revision <= last:
            self._findings.add(
                "B4",
                "refused in the past",
                f"{call.method} was refused at revision {call.revision}, not in {first} to {last}",
                at=call.ended,
                revision=call.revision,
                calls=(call.number,),
            )
        # What is open instead may have been looked for later.
        return first, min(last, call.revision), call

    def look(self, model: Model) -> None:
        """Look at the calls that may have been decided at the model's revision."""
        while self._coming and self._coming[-1][0] <= model.revision:
            _, last, call = self._coming.pop()
            self._open.append((last, call))
        if not self._open:
            return
        still_open = []
        for last, call in self._open:
            if self._is_justified(model, call):
                self._findings.checks["B6"] += 1
                if call.reason in PROTECTING:
                    self._findings.checks[PROTECTING[call.reason]] += 1
            elif last > model.revision:
                still_open.append((last, call))
            else:
                self._tell(call)
        self._open = still_open

    def finish(self) -> None:
        """Tell those that nothing justified."""
        for _, call in self._open:
            self._tell(call)
        for _, _, call in self._coming:
            self._tell(call)

    def _tell(self, call: Call) -> None:
        self._findings.checks["B6"] += 1
        self._findings.add(
            "B6",
            "refused without cause",
            f"{call.method} was refused with {call.reason}, which nothing justifies",
            at=call.ended,
            revision=call.revision or None,
            calls=(call.number,),
        )

    def _is_justified(self, model: Model, call: Call) -> bool:
        """Ask whenever it may have been decided: holds expire meanwhile, starts come too near."""
        assert call.ended is not None
        at_both_ends = self._evidence.clocks(call.began, call.ended)
        if call.reason == "RESOURCE_NOT_FOUND" and self._is_trimmed(model, call, at_both_ends[1]):
            return True
        is_redeeming = call.method == "RedeemHandoff" and call.reason == "HANDOFF_ENDED"
        if is_redeeming and self._was_erased_before_a_step(model, call):
            return True
        return any(
            call.reason in reasons_of(model, call, at) for at in _instants(model, *at_both_ends)
        )

    def _was_erased_before_a_step(self, model: Model, call: Call) -> bool:
        """Say whether a clock that was set back had shown that the hold of a ticket expired."""
        ticket, steps = model.tickets.get(call.request.ticket), self._evidence.history.clock_steps
        if ticket is None or call.ended is None or not steps:
            return False
        return any(
            self._evidence.clocks(step.at, step.at)[1] >= ticket.expires
            for step in steps
            if step.at <= call.ended
        )

    def _is_trimmed(self, model: Model, call: Call, at: int) -> bool:
        """Say whether a call names a hold that expired so long ago that it may be forgotten."""
        forgotten = at - kept(self._evidence)
        held = [model.holds.get(hold_id) for hold_id in _holds_named(call.request)]
        return any(hold is not None and hold.expires <= forgotten for hold in held)


def _instants(model: Model, earliest: int, latest: int) -> Iterator[int]:
    """Yield both ends, and between them when a hold expires: others still count then."""
    yield from (earliest, latest)
    yield from {each.expires for each in model.holds.values() if earliest < each.expires < latest}


def _holds_named(request: Any) -> Iterator[str]:
    """Yield the ids of the holds that a request names."""
    if isinstance(request, RenewHoldRequest | ReleaseHoldRequest):
        yield last_part(request.name)
    elif isinstance(request, CreateHandoffRequest):
        yield last_part(request.hold)
    elif isinstance(request, RescheduleBookingRequest):
        yield request.to.hold.rpartition("/")[2]
    elif isinstance(request, BookRequest):
        yield from (wish.hold.rpartition("/")[2] for wish in request.appointments)


def _is_judged(call: Call) -> bool:
    return (
        call.outcome is Outcome.REFUSED
        and call.ended is not None
        and call.reason not in (*WAITING_REASONS, "REQUEST_ID_REUSED")
        and bool(call.request_id or call.method in NAMING)
    )


def reasons_of(model: Model, call: Call, at: int) -> set[str]:
    """Return all reasons for which the model would refuse a request at an instant."""
    is_spent = call.principal in model.spent and call.method in SPENDING
    return _reasons_of(model, call, at) | ({"HANDOFF_ENDED"} if is_spent else set())


def _reasons_of(model: Model, call: Call, at: int) -> set[str]:
    request, principal = call.request, call.principal or model.principal_id
    match call.method:
        case "HoldSlot":
            key = model.key(request.holder, principal)
            assert key is not None
            count = _of_count(model, request.slot, at, _Whose(principal, key))
            return _of_slot(model, request.slot, at, key) | count
        case "RenewHold" | "ReleaseHold" | "CreateHandoff" | "RedeemHandoff":
            return _of_held(model, call.method, request, at, principal)
        case "Book" | "BookSeries":
            of = _of_book if call.method == "Book" else _of_series
            return of(model, request, at, principal)
        case "JoinWaitlist" | "LeaveWaitlist":
            is_join = call.method == "JoinWaitlist"
            return _of_join(model, request, at, principal) if is_join else _of_leave(model, request)
        case _ if call.method in NAMING:
            return _of_read(model, call)
        case "RescheduleBooking":
            return _of_reschedule(model, request, at, principal)
        case _ if call.method in CHANGE_METHODS and call.method != "ImportBusyFeed":
            return _of_status(model, request, CHANGE_METHODS[call.method], at)
        case _:
            return _of_catalog(model, call)


def _of_read(model: Model, call: Call) -> set[str]:
    if call.method == "ExplainSlot":
        return _unknown(not _has_type(model, call.request.slot.appointment_type))
    known = model.bookings if call.method == "GetBooking" else model.entries
    return _unknown(last_part(call.request.name) not in known)


def _unknown(is_unknown: bool) -> set[str]:
    return {"RESOURCE_NOT_FOUND"} if is_unknown else set()


def _has_type(model: Model, name: str) -> bool:
    return last_part(name) in model.offer.types


def _of_slot(model: Model, choice: Any, at: int, key: str | None) -> set[str]:
    """Return why a choice is refused: only if each calendar that it leaves open refuses."""
    spots = model.spots(choice)
    if not spots:
        return {"RESOURCE_NOT_FOUND"}
    each = [model.reasons(spot, at, key) for spot in spots]
    return set().union(*each) if all(each) else set()


def _of_join(model: Model, request: Any, at: int, principal: str) -> set[str]:
    found = _unknown(not _has_type(model, request.appointment_type))
    key = model.key(request.holder, principal)
    assert key is not None
    if model.waiting_of(key) >= model.offer.holds_per_holder_max:
        found.add("TOO_MANY_WAITING")
    if model.waiting_of_key(principal) >= model.offer.holds_per_key_max:
        found.add("TOO_MANY_WAITING")
    if all(micros_of(window.end_time) <= at for window in request.windows):
        found.add("INVALID_REQUEST")
    return found


def _of_leave(model: Model, request: Any) -> set[str]:
    entry = model.entries.get(last_part(request.name))
    if entry is None:
        return {"RESOURCE_NOT_FOUND"}
    return set() if entry.status in STANDING else {"WAITING_ENDED"}


class _Whose(NamedTuple):
    principal: str
    key: str


def _of_count(model: Model, choice: Any, at: int, whose: _Whose) -> set[str]:
    """Return whether one more hold is too many, on some calendar that the server may choose.

    Those of the holder's own that give way there do not count.
    """
    offer, key = model.offer, whose.key
    held = model.counted_with(key, whose.principal, at)
    is_full = False
    for spot in model.spots(choice):
        rules = offer.types.get(spot.type_id)
        if rules is not None:
            staying = held - model.own_in_the_way(rules, spot, at, key)
            is_full |= len(staying) >= offer.holds_per_holder_max
    if len(model.holds) >= offer.holds_per_key_max:
        is_full |= model.live_holds_of_key(whose.principal, at) >= offer.holds_per_key_max
    return {"TOO_MANY_HOLDS"} if is_full else set()


def _of_hold(
    model: Model, name: str, at: int, principal: str, *, is_renewed: bool = False
) -> set[str]:
    hold = model.holds.get(last_part(name))
    if hold is None or hold.principal != principal:
        return {"RESOURCE_NOT_FOUND"}
    if hold.status != LIVE:
        return {"HOLD_ENDED"}
    return _of_expired(model, hold, at, is_renewed=is_renewed)


def _of_held(model: Model, method: str, request: Any, at: int, principal: str) -> set[str]:
    """Return why nothing can be done with a hold that is there already, or with its ticket."""
    if method == "RedeemHandoff":
        return reasons_of_redeeming(model, request, at, principal)
    if method == "CreateHandoff":
        return _of_handoff(model, request, at, principal)
    return _of_hold(model, request.name, at, principal, is_renewed=method == "RenewHold")


def _of_handoff(model: Model, request: Any, at: int, principal: str) -> set[str]:
    """Return why of a hold no ticket is made: it cannot be renewed, or has as many as one may."""
    found = _of_hold(model, request.hold, at, principal, is_renewed=True)
    hold = model.holds.get(last_part(request.hold))
    if hold is not None and hold.principal == principal and hold.tickets >= TICKETS_PER_HOLD_MAX:
        found.add("HOLD_LIFETIME_REACHED")
    return found


def _of_expired(model: Model, hold: Held, at: int, *, is_renewed: bool) -> set[str]:
    """Return why a hold that has not ended cannot be used: expired, its slot must be free."""
    found: set[str] = set()
    rules = model.offer.types.get(hold.type_id)
    claims = model.calendars.of_owner(hold.id)
    if rules is None or hold.expires <= at or len(claims) != len(hold.calendars):
        found |= model.reasons(Spot(hold.type_id, hold.calendars[0], hold.first), at, hold.key)
        counted = model.counted_with(hold.key, hold.principal, at)
        if is_renewed and len(counted) >= model.offer.holds_per_holder_max:
            found.add("TOO_MANY_HOLDS")
    if is_renewed and rules is not None:
        until = hold.created + HOLD_DURATIONS_MAX * rules.hold
        if until <= max(at, hold.expires) or hold.is_offer:
            found.add("HOLD_LIFETIME_REACHED")
    return found


def _of_wish(model: Model, wish: Any, at: int, key: str | None, principal: str) -> set[str]:
    found = _of_consent(model, wish)
    if wish.HasField("slot"):
        return found | _of_slot(model, wish.slot, at, key)
    return found | _of_hold(model, wish.hold, at, principal)


def _of_consent(model: Model, wish: Any) -> set[str]:
    """Return whether what was shown is not what would be booked, wherever the server puts it."""
    if not wish.HasField("consent"):
        return set()
    for spot in _spots_of(model, wish):
        rules = model.offer.types.get(spot.type_id)
        if rules is not None and not is_as_shown(
            wish.consent, model.offer, rules, rules.calendars(spot.calendar), spot.first
        ):
            return {"CONSENT_MISMATCH"}
    return set()


def _of_book(model: Model, request: Any, at: int, principal: str) -> set[str]:
    key = model.key(request.holder, principal)
    found: set[str] = set()
    for wish in request.appointments:
        found |= _of_wish(model, wish, at, key, principal)
    if len(request.appointments) > 1:
        found |= _of_each_other(model, request.appointments)
    return found


def _of_series(model: Model, request: Any, at: int, principal: str) -> set[str]:
    """Return why a series is refused: for one of its occurrences, or for all of them."""
    if not _has_type(model, request.first.appointment_type):
        return {"RESOURCE_NOT_FOUND"}
    key = model.key(request.holder, principal)
    refused = [bool(_of_slot(model, wish, at, key)) for wish in occurrences_of(request)]
    is_enough = any if request.mode == request.MODE_ALL_OR_NONE else all
    return {"SERIES_REFUSED"} if is_enough(refused) else set()


def _of_each_other(model: Model, wishes: Any) -> set[str]:
    """Return why wishes of one request can be in each other's way: the first takes what is left."""
    holds = [wish.hold for wish in wishes if wish.HasField("hold")]
    found = {"HOLD_ENDED"} if len(set(holds)) < len(holds) else set()
    taken: list[tuple[str, int, int]] = []
    for wish in wishes:
        spans = {span for spot in _spots_of(model, wish) for span in _spans_of(model, spot)}
        if any(
            calendar == other and start < other_end and other_start < end
            for calendar, start, end in spans
            for other, other_start, other_end in taken
        ):
            found.add("SLOT_TAKEN")
        taken += spans
    return found


def _spots_of(model: Model, wish: Any) -> list[Spot]:
    if wish.HasField("slot"):
        return model.spots(wish.slot)
    hold = model.holds.get(last_part(wish.hold))
    return [] if hold is None else [Spot(hold.type_id, hold.calendars[0], hold.first)]


def _spans_of(model: Model, spot: Spot) -> Iterator[tuple[str, int, int]]:
    rules = model.offer.types.get(spot.type_id)
    if rules is not None:
        for calendar in rules.calendars(spot.calendar):
            yield calendar, spot.first - rules.before, spot.first + rules.duration + rules.after


def _of_version(model: Model, request: Any) -> tuple[Booked | None, set[str]]:
    booking = model.bookings.get(last_part(request.name))
    if booking is None:
        return None, {"RESOURCE_NOT_FOUND"}
    return booking, {"VERSION_MISMATCH"} if booking.version != request.version else set()


def _of_reschedule(model: Model, request: Any, at: int, principal: str) -> set[str]:
    booking, found = _of_version(model, request)
    if booking is None:
        return found
    if booking.status not in TRANSITIONS["cancelled"][0]:
        found.add("INVALID_TRANSITION")
    found |= _of_notice(model, booking, request, at)
    if request.to.HasField("slot"):
        type_id = last_part(request.to.slot.appointment_type)
    else:
        hold = model.holds.get(last_part(request.to.hold))
        type_id = hold.type_id if hold else booking.type_id
    if type_id != booking.type_id:
        found.add("INVALID_REQUEST")
    return found | _of_new_place(model, booking, request.to, at, principal)


def _of_new_place(model: Model, booking: Booked, wish: Any, at: int, principal: str) -> set[str]:
    """Ask for the new place while the old one is not there: a booking is not in its own way."""
    own = model.calendars.of_owner(booking.id)
    for taken in own:
        model.calendars.drop(taken)
    try:
        return _of_wish(model, wish, at, None, principal)
    finally:
        for taken in own:
            model.calendars.put(taken)


def _of_status(model: Model, request: Any, kind: str, at: int) -> set[str]:
    booking, found = _of_version(model, request)
    if booking is None:
        return found
    if booking.status not in TRANSITIONS[kind][0]:
        found.add("INVALID_TRANSITION")
    if kind in {"completed", "no_show"} and booking.first > at:
        found.add("INVALID_TRANSITION")
    if kind == "cancelled":
        found |= _of_notice(model, booking, request, at)
    return found


def _of_notice(model: Model, booking: Booked, request: Any, at: int) -> set[str]:
    rules = model.offer.types.get(booking.type_id)
    notice = rules.cancellation_notice if rules else 0
    is_late = at > booking.first - notice and not request.override_notice
    return {"CANCELLATION_NOTICE_PASSED"} if is_late else set()


def _of_catalog(model: Model, call: Call) -> set[str]:
    offer, request = model.offer, call.request
    there: dict[str, tuple[str, Container[str]]] = {
        "Closure": ("closure", offer.closures),
        "AppointmentType": ("appointment_type", offer.types),
        "Calendar": ("calendar", offer.zones),
        "Schedule": ("schedule", offer.schedules),
    }
    found = set() if offer.exists else {"RESOURCE_NOT_FOUND"}
    if call.method == "CreateBusiness":
        return {"RESOURCE_EXISTS"} if offer.exists else set()
    if call.method == "ImportBusyFeed":
        return found | _unknown(last_part(request.calendar) not in offer.zones)
    for what, (field, known) in there.items():
        if call.method == f"Create{what}" and getattr(request, f"{field}_id") in known:
            found.add("RESOURCE_EXISTS")
        elif call.method == f"Delete{what}":
            found |= {"RESOURCE_IN_USE"} | _unknown(last_part(request.name) not in known)
        elif call.method == f"Update{what}":
            found |= _unknown(last_part(getattr(request, field).name) not in known)
    return found
