"""Reads: never older than what was answered before, and equal to the model (B4, B5, W8)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any, TypeVar

from service.domain.ids import last_part
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.core_pb2 import Slot as SlotMessage
from slotcast.v1.core_pb2 import SlotKey
from tests.robustness.checker.evidence import CLOCK_SLACK, Evidence, explained
from tests.robustness.checker.findings import Findings
from tests.robustness.checker.instants import SECOND, micros_of, shown
from tests.robustness.checker.model import Spot
from tests.robustness.checker.records import STANDING, Booked, Waiting
from tests.robustness.checker.timeline import Query, Slot, query_of
from tests.robustness.history import Call, Outcome

PAGE_SLOTS = 1000
PAGE_BOOKINGS = 100
PAGE_ENTRIES = 100
NO_TOKEN = "its page token was given by no answer to this query"


def judge_reads(evidence: Evidence, findings: Findings) -> None:
    """Judge every read that was answered."""
    for call in evidence.history.calls:
        if call.request_id or call.outcome is not Outcome.OK:
            continue
        _judge_revision(evidence, findings, call)
        if call.revision > evidence.timeline.revision:
            continue
        findings.checks["B5"] += 1
        match call.method:
            case "ListSlots":
                fault = _list_fault(evidence, call)
            case "ExplainSlot":
                fault = _explain_fault(evidence, call)
            case "GetBooking":
                fault = _booking_fault(evidence, call)
            case "ListBookings":
                fault = _bookings_fault(evidence, call)
            case "GetWaitlistEntry":
                fault = _entry_fault(evidence, call)
            case "ListWaitlist":
                fault = _entries_fault(evidence, call)
            case _:
                fault = ""
        if fault:
            findings.add(
                "B5",
                call.method,
                f"{call.method} at {call.revision}: {fault}",
                at=call.ended,
                revision=call.revision,
                calls=(call.number,),
            )


def _judge_revision(evidence: Evidence, findings: Findings, call: Call) -> None:
    findings.checks["B4"] += 1
    findings.checks["W8"] += 1
    assert call.ended is not None
    known = evidence.acknowledged.before(call.began)
    asked = call.request.DESCRIPTOR.fields_by_name
    least = call.request.min_revision if "min_revision" in asked else 0
    rules: tuple[tuple[str, str, int, str], ...] = (
        ("B4", "stale read", known, f"{known} was answered before it began"),
        ("W8", "min_revision", least, f"{least} was asked for"),
    )
    for promise, rule, bound, text in rules:
        if call.revision < bound:
            findings.add(
                promise,
                rule,
                f"{call.method} answered with revision {call.revision}, but {text}",
                at=call.ended,
                revision=call.revision,
                calls=(call.number,),
            )
    if call.revision > evidence.possible_by(call.ended):
        text = f"{call.method} answered with revision {call.revision}, which came later"
        findings.add("B4", "future", text, at=call.ended, calls=(call.number,))
    if call.method in {"ListSlots", "ExplainSlot"} and evidence.is_clock_known(call.ended):
        ahead = micros_of(call.response.as_of) - evidence.clock(call.ended)
        if ahead > CLOCK_SLACK:
            text = f"{call.method} answered as of {ahead / SECOND:.3f} s later"
            findings.add("B5", "as_of", text, at=call.ended, calls=(call.number,))


def slot_of(message: SlotMessage | SlotKey) -> Slot:
    """Read which slot a message names."""
    return Slot(
        last_part(message.appointment_type),
        last_part(message.calendar),
        micros_of(message.start_time),
        micros_of(message.end_time),
    )


def difference(found: dict[Slot, int], expected: dict[Slot, int]) -> str:
    """Say where two sets of open slots differ; empty: nowhere."""
    if found == expected:
        return ""
    texts = []
    for slot in sorted(found.keys() | expected.keys()):
        one, other = found.get(slot, 0), expected.get(slot, 0)
        if one != other:
            where = f"{slot.type_id} on {slot.calendar} at {shown(slot.first)}"
            texts.append(f"{where} has {other} places left, not {one}")
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def _list_fault(evidence: Evidence, call: Call) -> str:
    request, response = call.request, call.response
    query = replace(query_of(request, evidence.model), key=evidence.holder_key(call))
    truth = evidence.timeline.open_slots(call.revision, micros_of(response.as_of), query)
    rows = sorted(truth, key=_list_order)
    if request.page_token:
        before = evidence.page_before(call)
        if before is None:
            return NO_TOKEN
        last = _list_order(slot_of(before.response.slots[-1]))
        rows = [slot for slot in rows if _list_order(slot) > last]
    size = request.page_size or PAGE_SLOTS
    found = [(slot_of(message), message.seats_left) for message in response.slots]
    fault = difference(dict(found), {slot: truth[slot] for slot in rows[:size]})
    if fault:
        return fault
    if [slot for slot, _ in found] != rows[:size]:
        return "the slots are out of order, or told twice"
    if bool(response.next_page_token) != (len(rows) > size):
        return "its page token is wrong"
    return ""


def _list_order(slot: Slot) -> tuple[int, str, str, int]:
    return slot.first, slot.type_id, slot.calendar, slot.last


def _explain_fault(evidence: Evidence, call: Call) -> str:
    choice = call.request.slot
    rules = evidence.timeline.rules(last_part(choice.appointment_type), call.revision)
    if rules is None:
        return "there was no such type"
    first = micros_of(choice.start_time)
    key = evidence.holder_key(call)
    calendars = (last_part(choice.calendar),) if choice.calendar else rules.primaries
    asked = explained(call)
    query = Query(start=asked.start, end=asked.end, types=asked.types, key=key)
    at = micros_of(call.response.as_of)
    is_open = any(
        evidence.timeline.slot(query, Spot(rules.type_id, calendar, first), call.revision, at)[1]
        for calendar in calendars
    )
    if call.response.bookable != is_open:
        return f"it is told to be {'' if call.response.bookable else 'not '}bookable"
    by_calendar = _verdicts(call.response)
    if len(calendars) == 1 and all(by_calendar) != is_open:
        return "its verdicts say otherwise than the answer"
    return ""


def _verdicts(response: Any) -> list[bool]:
    return [verdict.passed for verdict in response.verdicts]


Told = TypeVar("Told", Booked, Waiting)


def _at_revision(log: list[tuple[int, Told]], revision: int) -> Told | None:
    """Return how something was at a revision; None: it was not there yet."""
    index = bisect_right(log, revision, key=lambda each: each[0]) - 1
    return None if index < 0 else log[index][1]


def _booking_fault(evidence: Evidence, call: Call) -> str:
    log = evidence.model.booking_log.get(last_part(call.request.name), [])
    booked = _at_revision(log, call.revision)
    if booked is None:
        return f"{call.request.name} is told before it was booked"
    if booked.message(evidence.model.business_id) != call.response.booking:
        return f"it tells another booking than {booked}"
    return ""


def _bookings_fault(evidence: Evidence, call: Call) -> str:
    request, response = call.request, call.response
    start, end = micros_of(request.start_time), micros_of(request.end_time)
    calendar = last_part(request.calendar) if request.calendar else ""
    business_id = evidence.model.business_id
    statuses = {booking_pb.BookingStatus.Name(each) for each in request.statuses}
    rows = []
    for log in evidence.model.booking_log.values():
        booked = _at_revision(log, call.revision)
        if booked is None or not start <= booked.first < end:
            continue
        is_asked = not statuses or f"BOOKING_STATUS_{booked.status.upper()}" in statuses
        if is_asked and calendar in ("", *booked.calendars):
            rows.append((booked.first, booked.id, booked))
    rows.sort(key=lambda row: row[:2])
    if request.page_token:
        before = evidence.page_before(call)
        if before is None:
            return NO_TOKEN
        last = before.response.bookings[-1]
        rows = [row for row in rows if row[:2] > (micros_of(last.start_time), last_part(last.name))]
    size = request.page_size or PAGE_BOOKINGS
    if list(response.bookings) != [booked.message(business_id) for _, _, booked in rows[:size]]:
        return f"it tells {len(response.bookings)} bookings, which are not those {len(rows)}"
    if bool(response.next_page_token) != (len(rows) > size):
        return "its page token is wrong"
    return ""


def _entry_fault(evidence: Evidence, call: Call) -> str:
    log = evidence.model.entry_log.get(last_part(call.request.name), [])
    entry = _at_revision(log, call.revision)
    if entry is None:
        return f"{call.request.name} is told before it joined"
    if entry.message(evidence.model.business_id) != call.response.entry:
        return f"it tells another entry than {entry}"
    return ""


def _entries_fault(evidence: Evidence, call: Call) -> str:
    request, response = call.request, call.response
    entries = (_at_revision(log, call.revision) for log in evidence.model.entry_log.values())
    standing = [entry for entry in entries if entry is not None and entry.status in STANDING]
    standing.sort(key=lambda entry: entry.number)
    size = request.page_size or PAGE_ENTRIES
    expected = [entry.message(evidence.model.business_id) for entry in standing[:size]]
    if list(response.entries) != expected:
        return f"it tells {len(response.entries)} entries, which are not those {len(expected)}"
    if bool(response.next_page_token) != (len(standing) > size):
        return "its page token is wrong"
    return ""
