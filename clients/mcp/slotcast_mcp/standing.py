"""How bookings stand: one by its id, or all of a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from slotcast import Booking, BookingQuery, BookingStatus, Client, Page
from slotcast_mcp.answers import Answer, BookedCustomer, BookingLine, BookingsTold, BookingTold
from slotcast_mcp.catalogue import Catalogue, load
from slotcast_mcp.ids import last_part
from slotcast_mcp.inputs import GetBooking
from slotcast_mcp.memory import LIVE
from slotcast_mcp.quoting import quoted
from slotcast_mcp.words import span_in_words, zone_of

BOOKINGS_MAX = 20
"""Of so many bookings of a conversation is told."""
_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC))
_STEPS_BY_STATUS = {
    BookingStatus.CONFIRMED: "Tell the person that it is booked. Do not book it again.",
    BookingStatus.PENDING: (
        "Tell the person that the business still has to agree. Do not book it again."
    ),
    BookingStatus.CANCELLED: (
        "Tell the person that it is cancelled. For another time, call find_times."
    ),
}
_STEP_ELSE = "Tell the person how it stands."
_STEP_SOME = (
    "Tell the person how these stand, and do not book them again. For more of one, call get_booking"
    " with its `booking`."
)
_STEP_NONE = (
    "Nothing is booked. Where the person has a form, it is not completed yet: ask whether they want"
    " to complete it, or another time."
)


async def get_booking(client: Client, asked: GetBooking) -> Answer:
    """Tell a booking as it stands, or all bookings of a conversation."""
    zone = zone_of(asked.time_zone)
    if not asked.booking:
        return await _of_conversation(client, asked.conversation, zone)
    booking, catalogue = await asyncio.gather(
        client.get_booking(last_part(asked.booking)), load(client)
    )
    return told_booking(booking, catalogue, zone, "The booking")


def told_booking(booking: Booking, catalogue: Catalogue, zone: ZoneInfo, verb: str) -> Answer:
    """Tell a booking. What people typed is told as data, in fields of its own."""
    who = booking.customer
    content = BookingTold(
        **dict(line_of(booking, catalogue, zone)),
        customer=(
            BookedCustomer(name=who.display_name, email=who.email, phone=who.phone) if who else None
        ),
        fields=dict(booking.fields),
        cancel_reason=booking.cancel_reason,
        next_step=_STEPS_BY_STATUS.get(booking.status, _STEP_ELSE),
    )
    for_whom = f", for {quoted(who.display_name)}" if who else ""
    return Answer(f"{verb}: {_text(content, for_whom)}", content)


def line_of(booking: Booking, catalogue: Catalogue, zone: ZoneInfo) -> BookingLine:
    """Tell what a booking is, and not whose."""
    return BookingLine(
        booking=last_part(booking.name),
        version=booking.version,
        status=booking.status,
        time_in_words=span_in_words(booking.start, booking.end, zone),
        service=catalogue.service_name(last_part(booking.appointment_type)),
        person=catalogue.person_name(last_part(booking.calendars[0])),
    )


async def _of_conversation(client: Client, conversation: str, zone: ZoneInfo) -> Answer:
    ended = frozenset(BookingStatus) - LIVE - {BookingStatus.UNKNOWN}
    catalogue, live, over = await asyncio.gather(
        load(client), _list(client, conversation, LIVE), _list(client, conversation, ended)
    )
    bookings = [line_of(each, catalogue, zone) for each in (*live, *over)]
    content = BookingsTold(
        bookings=bookings[:BOOKINGS_MAX],
        more=len(bookings) > BOOKINGS_MAX,
        next_step=_STEP_SOME if live.items else _STEP_NONE,
    )
    return Answer(_texts(content.bookings, more=content.more), content)


async def _list(
    client: Client, conversation: str, statuses: frozenset[BookingStatus]
) -> Page[Booking]:
    start, end = _EVER
    query = BookingQuery(start=start, end=end, statuses=tuple(statuses), conversation=conversation)
    return await client.list_bookings(query, page_size=BOOKINGS_MAX + 1)


def _text(line: BookingLine, for_whom: str = "") -> str:
    return (
        f"{line.service} with {line.person}, {line.time_in_words}{for_whom}."
        f" Status: {line.status}. [booking: {line.booking}, version: {line.version}]"
    )


def _texts(bookings: Sequence[BookingLine], *, more: bool) -> str:
    if not bookings:
        return "This conversation has no booking."
    lines = ["The bookings of this conversation:", *(f"- {_text(each)}" for each in bookings)]
    if more:
        lines.append("There are more.")
    return "\n".join(lines)
