"""Alternatives: what a refusal offers instead is open where and when it says (B5, B6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.domain.ids import last_part
from slotcast.models import Slot as ClientSlot
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.checker.evidence import Evidence, offered
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, micros, shown
from tests.robustness.checker.model import Spot
from tests.robustness.checker.timeline import Query
from tests.robustness.checker.waiting import Troubles
from tests.robustness.history import Call, Outcome

ALTERNATIVES_MAX = 10
KEPT = SECOND
"""What was found for one who lost a slot is told for so long to others who lose it."""
SLOT_REASONS = frozenset(
    {
        "SLOT_TAKEN",
        "SLOT_CLOSED",
        "SLOT_OFF_GRID",
        "NOTICE_TOO_SHORT",
        "BEYOND_HORIZON",
        "CAP_REACHED",
    }
)


def judge_alternatives(evidence: Evidence, findings: Findings) -> None:
    """Judge what each refusal of a slot offers instead."""
    troubles = Troubles(evidence.history)
    for call in evidence.history.calls:
        if call.outcome is not Outcome.REFUSED or call.reason not in SLOT_REASONS:
            continue
        findings.checks["B6"] += 1
        rule, fault = "alternatives", ""
        if call.revision == 0:
            # Of several wishes it may not be known which was refused.
            if len(_wishes(call.request)) == 1 and not troubles.excuse(call):
                rule, fault = "no alternatives", "nothing is offered instead"
        elif call.revision <= evidence.timeline.revision:
            findings.checks["B5 of alternatives"] += len(call.alternatives)
            fault = _fault(evidence, call)
        if fault:
            text = f"{call.method} was refused with {call.reason}: {fault}"
            promise = "B5" if rule == "alternatives" else "B6"
            findings.add(
                promise,
                rule,
                text,
                at=call.ended,
                revision=call.revision or None,
                calls=(call.number,),
            )


OF_A_HOLD = (
    booking_pb.RescheduleBookingRequest,
    booking_pb.RenewHoldRequest,
    booking_pb.CreateHandoffRequest,
)
"""What is asked for whose the hold is that it names."""


def _wishes(request: Any) -> list[Any]:
    """Return the slots, and the holds, that a request asks for."""
    match request:
        case booking_pb.HoldSlotRequest():
            return [booking_pb.Appointment(slot=request.slot)]
        case booking_pb.RenewHoldRequest():
            return [booking_pb.Appointment(hold=request.name)]
        case booking_pb.CreateHandoffRequest():
            return [booking_pb.Appointment(hold=request.hold)]
        case booking_pb.RescheduleBookingRequest():
            return [request.to]
        case _:
            return list(getattr(request, "appointments", ()))


def _fault(evidence: Evidence, call: Call) -> str:
    """Say what is wrong with the slots that are offered."""
    assert call.ended is not None
    keys = {slot.key for slot in call.alternatives}
    if len(keys) < len(call.alternatives) or len(keys) > ALTERNATIVES_MAX:
        return f"{len(call.alternatives)} slots are offered, {len(keys)} different ones"
    types = {_type_of(evidence, wish) for wish in _wishes(call.request)}
    for slot in call.alternatives:
        if last_part(slot.appointment_type) not in types:
            return f"{slot.appointment_type} is offered, which nobody asked for"
    if not evidence.is_clock_known(call.began, call.ended):
        return ""
    earliest, latest = evidence.clocks(call.began, call.ended)
    faults = [
        _closed(evidence, call, key, at)
        for key in _holder_keys(evidence, call)
        for at in _instants(evidence, call, earliest - KEPT, latest)
    ]
    return faults[-1] if all(faults) else ""


def _type_of(evidence: Evidence, wish: Any) -> str:
    if wish.HasField("slot"):
        return last_part(wish.slot.appointment_type)
    hold = evidence.model.holds.get(last_part(wish.hold))
    return hold.type_id if hold else ""


def _holder_keys(evidence: Evidence, call: Call) -> set[str | None]:
    """Return whose own holds hide nothing: the holder's, or those of who has the hold named."""
    own = None if isinstance(call.request, OF_A_HOLD) else evidence.holder_key(call)
    if own is not None:
        return {own}
    named = [last_part(wish.hold) for wish in _wishes(call.request) if wish.HasField("hold")]
    # It may have been handed over before, or since.
    return {key for hold_id in named for key in evidence.model.keys_of(hold_id)} or {None}


def _spot(slot: ClientSlot) -> Spot:
    return Spot(last_part(slot.appointment_type), last_part(slot.calendar), micros(slot.start))


def _instants(evidence: Evidence, call: Call, earliest: int, latest: int) -> Iterator[int]:
    """Yield instants of which one is as good as any other: time does nothing between two."""
    events = {earliest, latest}
    for slot in call.alternatives:
        spot = _spot(slot)
        rules = evidence.timeline.rules(spot.type_id, call.revision)
        if rules is not None:
            events |= {spot.first - rules.notice, spot.first - rules.horizon}
        for taken in evidence.timeline.around(spot, call.revision):
            if taken.expires is not None:
                events.add(taken.expires)
    yield from sorted(at for at in events if earliest <= at <= latest)


def _closed(evidence: Evidence, call: Call, key: str | None, at: int) -> str:
    """Say which of the slots was not open at an instant, with the places told."""
    for slot in call.alternatives:
        query = offered(slot)
        asked = Query(start=query.start, end=query.end, types=query.types, key=key)
        spot = _spot(slot)
        found = evidence.timeline.slot(asked, spot, call.revision, at)
        if found != (micros(slot.end), slot.seats_left):
            where = f"{spot.type_id} on {spot.calendar} at {shown(spot.first)}"
            return f"{where} is offered with {slot.seats_left} places, and has {found[1]}"
    return ""
