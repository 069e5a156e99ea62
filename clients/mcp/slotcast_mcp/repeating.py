"""What a conversation has done already is told as its own, and is not done twice unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from zoneinfo import ZoneInfo

from slotcast import Booking, BookingQuery, Client, SlotcastError
from slotcast_mcp.catalogue import Catalogue
from slotcast_mcp.ids import Held, Time, last_part
from slotcast_mcp.memory import LIVE, Made, is_with, memory_of, overlaps
from slotcast_mcp.refusals import Refused, refused
from slotcast_mcp.words import span_in_words

ASKING_SECONDS_MAX = 0.5
"""So long the service is asked what the conversation has; the refusal is told in any case."""
LONGEST = timedelta(days=1)
BOOKINGS_MAX = 500
_OWN_CLAIMS = frozenset({"RESOURCE_NOT_FOUND", "HOLD_ENDED", "SLOT_TAKEN"})
"""Reasons that may be of what the conversation itself did."""


async def refuse_second(
    client: Client,
    catalogue: Catalogue,
    conversation: str,
    time: Time,
    zone: ZoneInfo,
    *,
    request_id: str,
) -> None:
    """Refuse to book what overlaps a booking of the conversation, unless it is the same request."""
    others = memory_of(client).booked(conversation, time)
    own = await _standing(client, (each for each in others if each.request_id != request_id))
    if own is not None and overlaps(own, time):
        raise already_booked(own, catalogue, zone)


async def refused_for_own(
    client: Client,
    catalogue: Catalogue,
    conversation: str,
    what: Held | Time,
    error: SlotcastError,
    zone: ZoneInfo,
    *,
    apart_from: str = "",
) -> Refused | None:
    """Return how a refusal is told where the conversation itself booked or handed over the time.

    apart_from: the booking that is moved, which may overlap where it goes.
    """
    is_of_no_hold = error.reason == "RESOURCE_NOT_FOUND" and isinstance(what, Time)
    if error.reason not in _OWN_CLAIMS or is_of_no_hold:
        return None
    time = what.time if isinstance(what, Held) else what
    own = await _own_booking(client, conversation, time, apart_from)
    if own is not None:
        return already_booked(own, catalogue, zone)
    memory = memory_of(client)
    if memory.is_handed_over(conversation, what):
        return refused("HANDED_OVER")
    return None


def refuse_of_another(client: Client, conversation: str, *whats: Held | Time, field: str) -> None:
    """Refuse a hold that is known to be of another conversation."""
    for what in whats:
        if isinstance(what, Held) and memory_of(client).is_of_another(conversation, what.hold_id):
            raise refused(
                "RESOURCE_NOT_FOUND", field=field, message="This conversation has no such hold."
            )


def already_booked(booking: Booking, catalogue: Catalogue, zone: ZoneInfo) -> Refused:
    """Tell what the conversation has booked already."""
    service = catalogue.service_name(last_part(booking.appointment_type))
    person = catalogue.person_name(last_part(booking.calendars[0]))
    words = span_in_words(booking.start, booking.end, zone)
    message = f"This conversation has booked that already: {service} with {person}, {words}."
    refusal = refused("ALREADY_BOOKED", message=message)
    return refusal.of_booking(last_part(booking.name), booking.version)


async def _standing(client: Client, made: Iterable[Made]) -> Booking | None:
    """Return the first that stands still, as far as the key may know."""
    for each in made:
        booking = each.booking
        with suppress(SlotcastError, TimeoutError):
            async with asyncio.timeout(ASKING_SECONDS_MAX):
                booking = await client.get_booking(last_part(booking.name))
            memory_of(client).has_changed(booking)
        if booking.status in LIVE:
            return booking
    return None


async def _own_booking(
    client: Client, conversation: str, time: Time, apart_from: str
) -> Booking | None:
    def is_own(booking: Booking) -> bool:
        is_other = last_part(booking.name) != apart_from
        return is_other and overlaps(booking, time) and is_with(booking, time)

    known = memory_of(client).booked(conversation, time)
    own = await _standing(client, (each for each in known if is_own(each.booking)))
    if own is not None:
        return own
    query = BookingQuery(start=time.start - LONGEST, end=time.end, statuses=tuple(LIVE))
    with suppress(SlotcastError, TimeoutError):
        async with asyncio.timeout(ASKING_SECONDS_MAX):
            page = await client.list_bookings(query, page_size=BOOKINGS_MAX)
        for booking in page:
            if booking.conversation == conversation and is_own(booking):
                return booking
    return None
