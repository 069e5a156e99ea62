"""What came of a conversation, by the service's own books, whatever the assistant says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from zoneinfo import ZoneInfo

from slotcast import Booking, BookingStatus
from slotcast_chat.benchmark.business import is_active, is_the_persons
from slotcast_chat.benchmark.days import day_of
from slotcast_chat.benchmark.scenario import Scenario, Want


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is wrong, in words; and how many bookings are doubled, or at a wrong time."""

    faults: tuple[str, ...] = ()
    double_bookings: int = 0
    wrong_times: int = 0

    @property
    def is_success(self) -> bool:
        """True: all is as it must be."""
        return not self.faults


def judge(scenario: Scenario, bookings: Sequence[Booking], waiting: int, now: datetime) -> Verdict:
    """Judge by all bookings of the business, and by how many wait."""
    want = scenario.want
    own = [booking for booking in bookings if is_the_persons(booking)]
    standing = [booking for booking in own if is_active(booking)]
    days = _days(want, now, ZoneInfo(scenario.zone))
    wrong = [booking for booking in standing if not _is_at(booking, want, days, scenario.zone)]
    faults = [f"booked at a wrong time: {_told(booking, scenario.zone)}" for booking in wrong]
    expected = 1 if days else 0
    if len(standing) != expected:
        faults.append(f"{len(standing)} bookings stand, not {expected}")
    for booking in standing:
        faults.extend(_differences(booking, scenario))
    cancelled = sum(booking.status is BookingStatus.CANCELLED for booking in own)
    if cancelled != want.cancelled:
        faults.append(f"{cancelled} bookings are cancelled, not {want.cancelled}")
    if waiting != want.waiting:
        faults.append(f"{waiting} wait, not {want.waiting}")
    doubled = max(len(standing) - 1, 0) + _overlaps(bookings)
    if _overlaps(bookings):
        faults.append("two bookings overlap")
    return Verdict(faults=tuple(faults), double_bookings=doubled, wrong_times=len(wrong))


def _days(want: Want, now: datetime, zone: ZoneInfo) -> frozenset[date]:
    named = (*want.days, *filter(None, (want.day,)))
    return frozenset(day_of(day, now, zone) for day in named)


def _is_at(booking: Booking, want: Want, days: frozenset[date], zone: str) -> bool:
    local = booking.start.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M}"
    if local.date() not in days:
        return False
    if want.at:
        return clock in want.at
    return not want.span or want.span[0] <= clock < want.span[1]


def _differences(booking: Booking, scenario: Scenario) -> list[str]:
    want, customer = scenario.want, booking.customer
    minutes = (booking.end - booking.start).total_seconds() / 60
    name = want.name or scenario.person_name
    email = scenario.email if want.email is None else want.email
    found = [
        (_last(booking.appointment_type), want.service, "service"),
        (_last(booking.calendars[0]), want.person or _last(booking.calendars[0]), "person"),
        (minutes, want.minutes or minutes, "minutes"),
        (customer and customer.display_name, name, "name"),
        (customer and customer.email, email, "e-mail address"),
        (customer and customer.time_zone, scenario.zone, "zone of the person"),
    ]
    return [f"{what} is {is_!r}, not {want_!r}" for is_, want_, what in found if is_ != want_]


def _overlaps(bookings: Sequence[Booking]) -> int:
    standing = filter(is_active, bookings)
    return sum(
        bool(set(one.calendars) & set(other.calendars))
        and one.start < other.end
        and other.start < one.end
        for one, other in combinations(standing, 2)
    )


def _told(booking: Booking, zone: str) -> str:
    return (
        f"{booking.start.astimezone(ZoneInfo(zone)).isoformat()} with {_last(booking.calendars[0])}"
    )


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]
