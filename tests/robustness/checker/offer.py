"""What a business offers, as its answers to changes of the catalogue tell it.

Everything is open day and night in UTC: so the catalogue of these tests has it, and no more of the
rules of opening hours is known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from icalendar import Calendar

from service.domain.ids import last_part
from slotcast.v1.catalog_service_pb2 import AppointmentType, Closure
from tests.robustness.checker.claims import CLOSURE, Taken
from tests.robustness.checker.instants import DAY, SECOND, length_of, micros, micros_of


class Span(NamedTuple):
    """[start, end) of a calendar."""

    calendar: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRules:
    """What an appointment type demands. Lengths are in microseconds."""

    type_id: str
    primaries: tuple[str, ...]
    all_of: tuple[str, ...]
    duration: int
    step: int
    before: int
    after: int
    notice: int
    horizon: int
    capacity: int
    hold: int
    offer: int
    needs_approval: bool
    cancellation_notice: int
    display_name: str
    price: str

    def calendars(self, primary: str) -> tuple[str, ...]:
        """Return all that a slot on one of the primaries takes, that one first."""
        return (primary, *(other for other in self.all_of if other != primary))


def read_type(message: AppointmentType) -> TypeRules:
    """Read a type as it is stored."""
    if len(message.durations) != 1 or message.day_cap or message.week_cap:
        raise ValueError("These tests know types of one duration, without caps.")
    duration = length_of(message.durations[0])
    step = length_of(message.slot_step) or duration
    if DAY % step:
        raise ValueError("These tests know grids that count from midnight.")
    any_of = tuple(map(last_part, message.any_of))
    all_of = tuple(map(last_part, message.all_of))
    return TypeRules(
        type_id=last_part(message.name),
        primaries=any_of or all_of[:1],
        all_of=all_of,
        duration=duration,
        step=step,
        before=length_of(message.buffer_before),
        after=length_of(message.buffer_after),
        notice=length_of(message.minimum_notice),
        horizon=length_of(message.horizon) or 60 * DAY,
        capacity=message.capacity or 1,
        hold=length_of(message.hold_duration) or 300 * SECOND,
        offer=length_of(message.offer_duration) or 900 * SECOND,
        needs_approval=message.requires_approval,
        cancellation_notice=length_of(message.cancellation_notice),
        display_name=message.display_name,
        price=message.price,
    )


@dataclass(kw_only=True, slots=True)
class Offer:
    """The catalogue, at one revision."""

    types: dict[str, TypeRules] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    schedules: set[str] = field(default_factory=set)
    closures: dict[str, Closure] = field(default_factory=dict)
    exists: bool = False
    holds_per_holder_max: int = 0
    holds_per_key_max: int = 0

    def change(self, method: str, request: Any, response: Any) -> str | None:
        """Do what an answered request did; return the id of the type that it changed."""
        match method:
            case "CreateBusiness" | "UpdateBusiness":
                self.exists = True
                self.holds_per_holder_max = response.business.holds_per_holder_max
                self.holds_per_key_max = response.business.holds_per_key_max
            case "CreateSchedule" | "UpdateSchedule":
                self.schedules.add(last_part(response.schedule.name))
            case "CreateCalendar" | "UpdateCalendar":
                calendar = response.calendar
                self.zones[last_part(calendar.name)] = calendar.time_zone
                self.names[last_part(calendar.name)] = calendar.display_name
            case "CreateAppointmentType" | "UpdateAppointmentType":
                rules = read_type(response.appointment_type)
                self.types[rules.type_id] = rules
                return rules.type_id
            case "DeleteAppointmentType":
                del self.types[last_part(request.name)]
                return last_part(request.name)
            case "CreateClosure" | "UpdateClosure":
                self.closures[last_part(response.closure.name)] = response.closure
            case "DeleteClosure":
                del self.closures[last_part(request.name)]
            case _:
                raise ValueError(f"These tests do not know {method}.")
        return None

    def closed_by(self, closure_id: str) -> list[Taken]:
        """Return what a closure closes."""
        closure = self.closures[closure_id]
        start, end = _span_of(closure)
        calendars = [last_part(name) for name in closure.calendars] or list(self.zones)
        return [
            Taken((closure_id, calendar), calendar, CLOSURE, closure_id, start, end)
            for calendar in calendars
        ]


def _span_of(closure: Closure) -> tuple[int, int]:
    if closure.HasField("times"):
        return micros_of(closure.times.start_time), micros_of(closure.times.end_time)
    first, last = (
        datetime.combine(date.fromisoformat(day), time(), UTC)
        for day in (closure.dates.first_date, closure.dates.last_date)
    )
    return micros(first), micros(last + timedelta(days=1))


def busy_spans(ics: bytes) -> list[tuple[int, int]]:
    """Return the busy time of a simple file: events from one UTC instant to another."""
    events = Calendar.from_ical(ics.decode()).walk("VEVENT")
    return merged(
        (micros(event.decoded("DTSTART")), micros(event.decoded("DTEND"))) for event in events
    )


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that touch as one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result
