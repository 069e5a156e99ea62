"""What one person does: look at a day, hold a slot, book it, and perhaps cancel later."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from loadtest.replay.measures import Measures
from loadtest.replay.town import ZONE, Town, Unit, midnight
from loadtest.replay.trace import Request
from slotcast import (
    Booking,
    BookingStatus,
    Client,
    Customer,
    DeadlineExceeded,
    Hold,
    InternalFault,
    ServerUnreachable,
    Slot,
    SlotcastError,
    SlotQuery,
    SlotTaken,
    StreamBroken,
    TryAgain,
)

HOLDS_TRIED_PER_DAY_MAX = 3
FURTHER_DAYS = 3
SLOTS_SEEN_MAX = 200
CANCELLING_ONE_IN = 3

OUTCOME_UNKNOWN = (DeadlineExceeded, InternalFault, ServerUnreachable, StreamBroken, TryAgain)
"""After these, what was asked for may have been done."""


class Outcome(StrEnum):
    """How a visit to the booking desk ended.

    FULL: no slot was open on the day, nor on the next ones. OUTRUN: those seen open were taken by
    others, again and again. UNKNOWN: no answer said whether it was booked, or cancelled.
    """

    BOOKED = "booked"
    FULL = "full"
    OUTRUN = "outrun"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"


UNANSWERED = (Outcome.FAILED, Outcome.UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What became of a request; `booking` is as it was last answered."""

    request: Request
    unit: Unit
    outcome: Outcome
    booking: Booking | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What every person needs; `seed` is that of all choices."""

    clients: tuple[Client, ...]
    town: Town
    seed: int
    measures: Measures = field(default_factory=Measures)

    def client_of(self, request: Request) -> Client:
        """Return the one through which all calls for a request go."""
        return self.clients[request.line % len(self.clients)]


def customer_name(person: int) -> str:
    """Return the only thing that is said of a person."""
    return f"Person {person}"


def cancels_later(request: Request) -> bool:
    """Tell whether a booking is cancelled: by a third of those who, in the trace, did not come."""
    return request.no_show and zlib.crc32(str(request.person).encode()) % CANCELLING_ONE_IN == 0


async def visit(desk: Desk, request: Request) -> Visit:
    """Try to get an appointment on the day, else on one of the next."""
    unit = desk.town.units[request.unit]
    ended = Visit(request=request, unit=unit, outcome=Outcome.FULL)
    day = request.appointment_date
    try:
        for first, last in ((day, day), (day + _DAY, day + FURTHER_DAYS * _DAY)):
            slots = await _open_slots(desk, unit, request, first, last)
            if not slots:
                continue
            hold = await _hold(desk, unit, request, slots)
            if hold is not None:
                return await _book(desk, ended, hold)
            ended = replace(ended, outcome=Outcome.OUTRUN)
    except SlotcastError as error:
        desk.measures.errors[f"{type(error).__name__}: {error.message}"] += 1
        return replace(ended, outcome=Outcome.FAILED)
    return ended


async def cancel(desk: Desk, visited: Visit) -> Visit:
    """Cancel what was booked, if anything was."""
    booking = visited.booking
    if booking is None:
        return visited
    try:
        asked = desk.client_of(visited.request).cancel_booking(booking)
        cancelled = await desk.measures.timed("cancel", asked)
    except SlotcastError as error:
        desk.measures.errors[f"{type(error).__name__}: {error.message}"] += 1
        unknown = isinstance(error, OUTCOME_UNKNOWN)
        return replace(visited, outcome=Outcome.UNKNOWN) if unknown else visited
    desk.measures.changed(visited.unit.slug, cancelled.revision, visibly=True)
    if cancelled.status is not BookingStatus.CANCELLED:
        desk.measures.errors[f"A cancelled booking is {cancelled.status}"] += 1
    return replace(visited, outcome=Outcome.CANCELLED, booking=cancelled)


_DAY = timedelta(days=1)


async def _open_slots(
    desk: Desk, unit: Unit, request: Request, first: date, last: date
) -> Sequence[Slot]:
    query = SlotQuery(
        start=midnight(first),
        end=midnight(last + _DAY),
        appointment_types=(unit.slug,),
        calendars=(unit.slug,),
        holder=_holder(request),
    )
    asked = desk.client_of(request).list_slots(query, page_size=SLOTS_SEEN_MAX)
    return (await desk.measures.timed("list", asked)).items


async def _hold(desk: Desk, unit: Unit, request: Request, slots: Sequence[Slot]) -> Hold | None:
    wanted: Slot | None = _choose(desk.seed, request, slots)
    for _ in range(HOLDS_TRIED_PER_DAY_MAX):
        if wanted is None:
            return None
        try:
            asked = desk.client_of(request).hold_slot(wanted, holder=_holder(request))
            hold = await desk.measures.timed("hold", asked)
        except SlotTaken as refusal:
            desk.measures.counts["taken"] += 1
            wanted = _alternative(refusal.alternatives, wanted)
        else:
            desk.measures.changed(unit.slug, hold.revision, visibly=True)
            return hold
    return None


async def _book(desk: Desk, ended: Visit, hold: Hold) -> Visit:
    """Book a hold. It alters nothing that watchers see: the hold did."""
    request = ended.request
    asked = desk.client_of(request).book(
        hold,
        customer=Customer(display_name=customer_name(request.person)),
        fields={"line": str(request.line)},
    )
    try:
        booking = await desk.measures.timed("book", asked)
    except OUTCOME_UNKNOWN as error:
        desk.measures.errors[f"{type(error).__name__}: {error.message}"] += 1
        return replace(ended, outcome=Outcome.UNKNOWN)
    desk.measures.changed(ended.unit.slug, booking.revision, visibly=False)
    if _day_of(booking.start) != request.appointment_date:
        desk.measures.counts["on another day"] += 1
    return replace(ended, outcome=Outcome.BOOKED, booking=booking)


def _choose(seed: int, request: Request, slots: Sequence[Slot]) -> Slot:
    """Half of the people take the first slot that they see, half one that suits them."""
    chance = random.Random(f"{seed}/{request.line}")
    return slots[0] if chance.random() < 0.5 else chance.choice(slots)


def _alternative(alternatives: Sequence[Slot], taken: Slot) -> Slot | None:
    same_day = (
        slot
        for slot in alternatives
        if slot.calendar == taken.calendar and _day_of(slot.start) == _day_of(taken.start)
    )
    return next(same_day, None)


def _day_of(start: datetime) -> date:
    return start.astimezone(ZONE).date()


def _holder(request: Request) -> str:
    return f"line-{request.line}"
