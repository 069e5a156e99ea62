"""What a conversation has done already is told as its own, and is not done twice unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from slotcast import Booking, BookingQuery, Client, SlotcastError
from slotcast_mcp.catalogue import Catalogue
from slotcast_mcp.ids import Held, Time, last_part
from slotcast_mcp.memory import LIVE, is_with, memory_of, overlaps
from slotcast_mcp.refusals import Refused, refused
from slotcast_mcp.standing import line_of

ASKING_SECONDS_MAX = 0.5
"""So long the service is asked what the conversation has; then it is what is remembered here."""
LONGEST = timedelta(days=1)
BOOKINGS_MAX = 100
_OWN_CLAIMS = frozenset({"RESOURCE_NOT_FOUND", "HOLD_ENDED", "SLOT_TAKEN"})
"""Reasons that may be of what the conversation itself did."""
_NO_HOLD = str(UUID(int=0))


class Booked(NamedTuple):
    """Bookings, and the revision at which the service told them; 0: it did not."""

    bookings: Sequence[Booking]
    revision: int = 0


async def booked_then(client: Client, conversation: str, time: Time) -> Booked:
    """Return the bookings of a conversation that stand and that a time overlaps.

    The service says which, whatever process booked them. Where it does not in time, or the key may
    not read bookings, they are those that this process remembers.
    """
    query = BookingQuery(
        start=time.start - LONGEST,
        end=time.end,
        statuses=tuple(LIVE),
        conversation=conversation,
    )
    booked: Sequence[Booking]
    revision = 0
    try:
        async with asyncio.timeout(ASKING_SECONDS_MAX):
            page = await client.list_bookings(query, page_size=BOOKINGS_MAX)
            booked, revision = page.items, page.revision
    except (SlotcastError, TimeoutError):
        booked = memory_of(client).booked(conversation)
    return Booked([each for each in booked if overlaps(each, time)], revision)


async def as_it_stands(client: Client, booking: Booking) -> Booking:
    """Return a booking as it is now, or as it was where that is not told in time."""
    with suppress(SlotcastError, TimeoutError):
        async with asyncio.timeout(ASKING_SECONDS_MAX):
            return await client.get_booking(booking.name)
    return booking


async def refuse_second(
    client: Client, catalogue: Catalogue, own: Sequence[Booking], zone: ZoneInfo, request_id: str
) -> None:
    """Refuse to book beside what the conversation has booked, unless this is the same request."""
    if own and not await _was_done(client, request_id):
        raise already_booked(own[0], catalogue, zone)


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
    for booking in (await booked_then(client, conversation, time)).bookings:
        if is_with(booking, time) and last_part(booking.name) != apart_from:
            return already_booked(booking, catalogue, zone)
    if memory_of(client).is_handed_over(conversation, what):
        return refused("HANDED_OVER")
    return None


def refuse_of_another(client: Client, conversation: str, what: Held | Time, field: str) -> None:
    """Refuse a hold that is known to be of another conversation."""
    if isinstance(what, Held) and memory_of(client).is_of_another(conversation, what.hold_id):
        raise refused(
            "RESOURCE_NOT_FOUND", field=field, message="This conversation has no such hold."
        )


def already_booked(booking: Booking, catalogue: Catalogue, zone: ZoneInfo) -> Refused:
    """Tell what the conversation has booked already."""
    line = line_of(booking, catalogue, zone)
    what = f"{line.service} with {line.person}, {line.time_in_words}"
    refusal = refused(
        "ALREADY_BOOKED", message=f"This conversation has booked that already: {what}."
    )
    return refusal.of_booking(line.booking, line.version)


async def _was_done(client: Client, request_id: str) -> bool:
    """Tell whether a request was done before, by whatever process: its id is used up then.

    It is asked by giving up a hold that there is not, which changes nothing.
    """
    try:
        await client.release_hold(_NO_HOLD, request_id=request_id)
    except SlotcastError as error:
        if error.reason == "REQUEST_ID_REUSED":
            return True
        if error.reason != "RESOURCE_NOT_FOUND":
            raise
    return False
