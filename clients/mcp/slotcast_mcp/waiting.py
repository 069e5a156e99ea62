"""Waiting for a time that is not open."""

from __future__ import annotations

from datetime import timedelta

from slotcast import Client, WaitlistWish
from slotcast_mcp.answers import Answer, Waiting
from slotcast_mcp.booking import customer_of, held_time
from slotcast_mcp.catalogue import chosen_minutes, load
from slotcast_mcp.ids import last_part, read_window
from slotcast_mcp.inputs import JoinWaitlist
from slotcast_mcp.memory import memory_of
from slotcast_mcp.turns import turn_of
from slotcast_mcp.words import span_in_words, zone_of


async def join_waitlist(client: Client, asked: JoinWaitlist) -> Answer:
    """Wait for a time in one of the windows; one that is open already is offered at once."""
    zone = zone_of(asked.time_zone)
    windows = tuple(read_window(text, "windows") for text in asked.windows)
    catalogue = await load(client)
    service = catalogue.service(asked.service)
    person = catalogue.person(asked.person, service)
    wish = WaitlistWish(
        appointment_type=last_part(service.name),
        windows=windows,
        customer=customer_of(asked.customer, zone),
        holder=asked.conversation,
        calendars=(person,) if person else (),
        duration=timedelta(minutes=chosen_minutes(service, asked.minutes)),
    )
    what = (wish.appointment_type, person, *asked.windows)
    entry = await client.join_waitlist(wish, request_id=turn_of(asked).request_id("wait", *what))
    if entry.offer:
        memory_of(client).has_held(asked.conversation, entry.offer)
    held = held_time(entry.offer, catalogue, zone) if entry.offer else None
    content = Waiting(
        entry=last_part(entry.name),
        status=entry.status,
        windows_in_words=[span_in_words(*window, zone) for window in windows],
        held=held,
        next_step=(
            "Tell the person that a time is open and held for them: all of `to_confirm`. Once they"
            " say yes, call book with that hold."
            if held
            else "Tell the person that they are on the waitlist, and that the business writes to"
            " them as soon as a time is free: they have to answer soon then."
        ),
    )
    text = f"On the waitlist for {service.display_name}. [entry: {content.entry}]"
    if held:
        text += f" Open already, and held until {held.held_until}: {held.time_in_words}."
        text += f" [hold: {held.hold}]"
    return Answer(text, content)
