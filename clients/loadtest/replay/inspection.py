"""Reads all that a server knows of the town when the replay is over, and has it audited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from loadtest.replay.audit import LIVE, Answered, Breach, Found, audit, audit_seats
from loadtest.replay.person import FURTHER_DAYS, Outcome, Visit, customer_name
from loadtest.replay.town import Town, midnight
from loadtest.replay.watchers import list_all, query_of
from slotcast import Booking, BookingQuery, Client

WINDOW_DAYS = 7
PAGE_SIZE = 500
MARGIN_DAYS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """How much was looked at, and what was found broken."""

    bookings: int
    live_bookings: int
    open_seats: int
    breaches: list[Breach]


async def inspect(
    client: Client, town: Town, visits: Mapping[int, Visit], revision: int
) -> Inspection:
    """Compare every booking and every seat with the answers; nothing read is older than them."""
    found = [_found(booking) async for booking in _all_bookings(client, town, revision)]
    capacities = {unit.slug: unit.capacity for unit in town.units.values()}
    breaches = audit(map(_answered, visits.values()), found, capacities)
    open_seats = 0
    for unit in town.units.values():
        query = query_of(town, unit)
        listed, _ = await list_all(client, query, revision)
        seats = {key.start: slot.seats_left for key, slot in listed.items()}
        last = town.last_date + timedelta(days=FURTHER_DAYS)
        starts = town.starts(unit, town.first_date, last)
        breaches += audit_seats(
            (start for start in starts if start < query.end),
            unit.capacity,
            seats,
            (
                booking
                for booking in found
                if booking.calendar == unit.slug and booking.start < query.end
            ),
        )
        open_seats += sum(seats.values())
    return Inspection(
        bookings=len(found),
        live_bookings=sum(booking.status in LIVE for booking in found),
        open_seats=open_seats,
        breaches=breaches,
    )


async def _all_bookings(client: Client, town: Town, revision: int) -> AsyncIterator[Booking]:
    """Read week by week, with a margin on either side in which there should be nothing."""
    first = town.first_date - timedelta(days=MARGIN_DAYS)
    last = town.last_date + timedelta(days=FURTHER_DAYS + MARGIN_DAYS)
    for offset in range(0, (last - first).days, WINDOW_DAYS):
        start = first + timedelta(days=offset)
        window = BookingQuery(
            start=midnight(start), end=midnight(start + timedelta(days=WINDOW_DAYS))
        )
        token = ""
        while True:
            page = await client.list_bookings(
                window, min_revision=revision, page_size=PAGE_SIZE, page_token=token
            )
            for booking in page:
                yield booking
            token = page.next_page_token
            if not token:
                break


def _answered(visit: Visit) -> Answered:
    booking = visit.booking
    person = customer_name(visit.request.person)
    certain = visit.outcome is not Outcome.UNKNOWN
    if booking is None:
        return Answered(
            line=visit.request.line, person=person, calendar=visit.unit.slug, certain=certain
        )
    return Answered(
        line=visit.request.line,
        person=person,
        calendar=visit.unit.slug,
        name=booking.name,
        start=booking.start,
        status=booking.status.value,
        certain=certain,
    )


def _found(booking: Booking) -> Found:
    return Found(
        name=booking.name,
        line=booking.fields.get("line", ""),
        person=booking.customer.display_name if booking.customer else "",
        calendar=", ".join(_short(calendar) for calendar in booking.calendars),
        start=booking.start,
        end=booking.end,
        status=booking.status.value,
    )


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]
