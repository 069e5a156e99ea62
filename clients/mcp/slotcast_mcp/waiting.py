"""Waiting for a time that is not open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from slotcast import AppointmentType, Client, TimeWindow, WaitlistEntry, WaitlistWish
from slotcast_mcp.answers import Answer, HeldTime, Waiting
from slotcast_mcp.booking import customer_of, held_time
from slotcast_mcp.catalogue import chosen_minutes, load
from slotcast_mcp.finding import A_MINUTE
from slotcast_mcp.ids import last_part, read_window
from slotcast_mcp.inputs import JoinWaitlist
from slotcast_mcp.memory import memory_of
from slotcast_mcp.opening import load_hours
from slotcast_mcp.quoting import quoted
from slotcast_mcp.refusals import refused
from slotcast_mcp.turns import turn_of
from slotcast_mcp.words import moment_in_words, span_in_words, zone_of

_STEP_OFFERED = (
    "Tell the person that a time is open and held for them: all of `to_confirm`. Once they say yes,"
    " call book with that hold."
)
_STEP_OFFERED_OTHER = (
    "A time in one of the windows is open and held for the person, but it begins when none of the"
    " windows does: if they asked for an exact time, this is another. Tell them so, and all of"
    " `to_confirm`. Once they say yes, call book with that hold."
)
_STEP_WAITING = (
    "Tell the person that they are on the waitlist, and that an e-mail comes to that address when a"
    " time is free for them: they have to take it by the link in it, until the time that it names."
)
_STEP_CLOSED = (
    " Tell them too that they do not wait in `closed_in_words`: nothing can become free then, or it"
    " is too far ahead to be booked yet."
)
_OTHER = " It is not the time at which a window begins."
_HORIZON = timedelta(days=60)
"""How far ahead a service can be booked that does not say so itself."""


async def join_waitlist(client: Client, asked: JoinWaitlist) -> Answer:
    """Wait for a time in those windows that can open; one that is open is offered at once."""
    zone = zone_of(asked.time_zone)
    windows = tuple(read_window(text, "windows") for text in asked.windows)
    catalogue, hours = await asyncio.gather(load(client), load_hours(client))
    service = catalogue.service(asked.service)
    person = catalogue.person(asked.person, service)
    minutes = chosen_minutes(service, asked.minutes)
    near = _within_horizon(windows, service)
    can_open = tuple(
        each for each in near if hours.can_open(each, service, person, minutes, catalogue)
    )
    if not can_open:
        message = (
            "It is closed in all of that time, or nothing starts then, so that nothing can become"
            " free."
        )
        raise refused("SLOT_CLOSED", field="windows", message=message)
    wish = WaitlistWish(
        appointment_type=last_part(service.name),
        windows=can_open,
        customer=customer_of(asked.customer, zone),
        holder=asked.conversation,
        calendars=(person,) if person else (),
        duration=timedelta(minutes=minutes),
    )
    what = (wish.appointment_type, person, *asked.windows)
    entry = await client.join_waitlist(wish, request_id=turn_of(asked).request_id("wait", *what))
    if entry.offer:
        memory_of(client).has_held(asked.conversation, entry.offer)
    held = held_time(entry.offer, catalogue, zone) if entry.offer else None
    closed = [each for each in windows if each not in can_open]
    content = _waiting(entry, held, _told(can_open, zone), _told(closed, zone))
    if entry.offer and entry.offer.start not in [each.start for each in windows]:
        content = content.model_copy(update={"next_step": _STEP_OFFERED_OTHER})
    return Answer(_text(content, service.display_name, asked.customer.email), content)


def _within_horizon(
    windows: Sequence[TimeWindow], service: AppointmentType
) -> Sequence[TimeWindow]:
    """Return the windows that begin where it can be booked; refused, where none does."""
    latest = datetime.now(UTC) + (service.horizon or _HORIZON)
    near = [each for each in windows if each.start <= latest]
    if not near:
        raise refused("BEYOND_HORIZON", field="windows")
    return near


def _told(windows: Sequence[TimeWindow], zone: ZoneInfo) -> list[str]:
    return [
        span_in_words(start, end, zone) if end - start > A_MINUTE else moment_in_words(start, zone)
        for start, end in windows
    ]


def _waiting(
    entry: WaitlistEntry, held: HeldTime | None, windows: list[str], closed: list[str]
) -> Waiting:
    step = _STEP_OFFERED if held else _STEP_WAITING
    return Waiting(
        entry=last_part(entry.name),
        status=entry.status,
        windows_in_words=windows,
        closed_in_words=closed,
        held=held,
        next_step=step + _STEP_CLOSED if closed and not held else step,
    )


def _text(content: Waiting, service: str, email: str) -> str:
    if content.held is not None:
        held = content.held
        other = content.next_step == _STEP_OFFERED_OTHER
        return (
            f"{service} is open already, and held until {held.held_until}: {held.time_in_words}."
            f"{_OTHER if other else ''} [hold: {held.hold}] [entry: {content.entry}]"
        )
    lines = [
        f"On the waitlist for {service}; offers go to {quoted(email)}. [entry: {content.entry}]"
    ]
    if content.closed_in_words:
        lines += ["Not waited for:", *(f"- {each}" for each in content.closed_in_words)]
    return "\n".join(lines)
