"""The promises, checked when all is over: nothing is booked twice, nothing is lost. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

LIVE = frozenset({"PENDING", "CONFIRMED", "COMPLETED", "NO_SHOW"})


class Promise(StrEnum):
    """What can be found broken."""

    NEVER_TWICE = "double booking"
    NEVER_LOST = "lost booking"
    EXACTLY_ONCE = "request done more than once"
    ASKED_FOR = "booking that nobody asked for"
    AS_ANSWERED = "booking that is not as it was answered"
    SEATS = "seats that are neither open nor booked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Breach:
    """A promise that was broken, and by what."""

    promise: Promise
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What the last answer to the request of a line says there is; `name` is "" for no booking.

    `certain` False: no answer came to what was asked last, so it may have been done or not.
    """

    line: int
    person: str
    calendar: str
    name: str = ""
    start: datetime | None = None
    status: str = ""
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A booking as the server lists it; `line` is the request that it says it is for."""

    name: str
    line: str
    person: str
    calendar: str
    start: datetime
    end: datetime
    status: str


def audit(
    answered: Iterable[Answered], found: Sequence[Found], capacities: Mapping[str, int]
) -> list[Breach]:
    """Hold what was found against what was answered; no breach: an empty list."""
    by_line = {str(item.line): item for item in answered}
    return [
        *_double_bookings(found, capacities),
        *_repetitions(found),
        *_unasked(by_line, found),
        *_unlike_the_answers(by_line, found),
    ]


def audit_seats(
    starts: Iterable[datetime],
    capacity: int,
    open_seats: Mapping[datetime, int],
    found: Iterable[Found],
) -> list[Breach]:
    """Check that each seat of one calendar is open or booked: none is lost, none appears twice."""
    booked = Counter(booking.start for booking in found if booking.status in LIVE)
    offered = set(starts)
    return [
        Breach(
            promise=Promise.SEATS,
            what=f"{start.isoformat()}: of {capacity if start in offered else 0} seats,"
            f" {booked[start]} are booked and {open_seats.get(start, 0)} open",
        )
        for start in sorted(offered | booked.keys() | open_seats.keys())
        if booked[start] + open_seats.get(start, 0) != (capacity if start in offered else 0)
    ]


def _double_bookings(found: Iterable[Found], capacities: Mapping[str, int]) -> Iterator[Breach]:
    by_calendar: defaultdict[str, list[Found]] = defaultdict(list)
    for booking in found:
        if booking.status in LIVE:
            by_calendar[booking.calendar].append(booking)
    for calendar, bookings in by_calendar.items():
        yield from _crowded(calendar, bookings, capacities.get(calendar, 1))


def _crowded(calendar: str, bookings: list[Found], capacity: int) -> Iterator[Breach]:
    """Those of one slot share it up to its capacity; whatever else overlaps is one too many."""
    bookings.sort(key=lambda booking: (booking.start, booking.end))
    busy_until: datetime | None = None
    for (start, end), slot in groupby(bookings, key=lambda booking: (booking.start, booking.end)):
        names = [booking.name for booking in slot]
        if len(names) > capacity or (busy_until is not None and start < busy_until):
            yield Breach(
                promise=Promise.NEVER_TWICE,
                what=f"{calendar} at {start.isoformat()} takes {capacity}: {', '.join(names)}",
            )
        busy_until = end if busy_until is None else max(busy_until, end)


def _repetitions(found: Iterable[Found]) -> Iterator[Breach]:
    for name, times in Counter(booking.name for booking in found).items():
        if times > 1:
            yield Breach(promise=Promise.EXACTLY_ONCE, what=f"{name} is listed {times} times")
    for line, times in Counter(booking.line for booking in found).items():
        if line and times > 1:
            yield Breach(promise=Promise.EXACTLY_ONCE, what=f"line {line} has {times} bookings")


def _unasked(by_line: Mapping[str, Answered], found: Iterable[Found]) -> Iterator[Breach]:
    for booking in found:
        answer = by_line.get(booking.line)
        if answer is None or (answer.certain and not answer.name):
            yield Breach(
                promise=Promise.ASKED_FOR,
                what=f"{booking.name} on {booking.calendar} at {booking.start.isoformat()}",
            )


def _unlike_the_answers(
    by_line: Mapping[str, Answered], found: Iterable[Found]
) -> Iterator[Breach]:
    by_name = {booking.name: booking for booking in found}
    for answer in by_line.values():
        if not answer.name:
            continue
        booking = by_name.get(answer.name)
        if booking is None:
            yield Breach(
                promise=Promise.NEVER_LOST, what=f"{answer.name}, of line {answer.line}, is gone"
            )
        elif differences := ", ".join(_differences(answer, booking)):
            yield Breach(promise=Promise.AS_ANSWERED, what=f"{answer.name}: {differences}")


def _differences(answer: Answered, booking: Found) -> Iterator[str]:
    if booking.status != answer.status and answer.certain:
        yield f"{booking.status}, not {answer.status}"
    if booking.start != answer.start:
        yield f"at {booking.start.isoformat()}"
    if booking.calendar != answer.calendar:
        yield f"on {booking.calendar}"
    if booking.person != answer.person:
        yield f"for {booking.person}"
    if booking.line != str(answer.line):
        yield f"for line {booking.line}"
