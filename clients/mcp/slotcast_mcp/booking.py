"""Holding, booking, and changing what is booked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from zoneinfo import ZoneInfo

from slotcast import (
    Client,
    Consent,
    Customer,
    Hold,
    SlotcastError,
    SlotChoice,
    SlotTaken,
)
from slotcast.errors import SlotRefused
from slotcast_mcp.answers import Answer, Confirmed, HeldTime, HoldTold
from slotcast_mcp.catalogue import Catalogue, load
from slotcast_mcp.consent import agreed_time, check, mismatch, to_confirm, without_listed
from slotcast_mcp.finding import told_slots
from slotcast_mcp.ids import (
    Held,
    Time,
    last_part,
    read_hold,
    read_hold_or_time,
    read_time,
    time_of,
)
from slotcast_mcp.inputs import Book, Cancel, HoldTime, Reschedule, WhoComes
from slotcast_mcp.memory import LIVE, memory_of
from slotcast_mcp.refusals import Refused, refused, refused_by
from slotcast_mcp.repeating import (
    as_it_stands,
    booked_then,
    refuse_of_another,
    refuse_second,
    refused_for_own,
)
from slotcast_mcp.standing import told_booking
from slotcast_mcp.turns import TurnOf, turn_of
from slotcast_mcp.words import moment_in_words, span_in_words, zone_of

ALTERNATIVES_MAX = 5
HOLDING_SECONDS_MAX = 0.6
"""So long an alternative is tried to be held; the refusal is told in any case."""
HOLDS_OF_ONE_MAX = 4
"""So often one time is held anew in one turn, each time after its hold was booked or given up."""

_STEP_HELD = (
    "Tell the person all of `to_confirm`, and ask whether to book it. Once they say yes, call book"
    " with this hold, and `to_confirm` as `confirmed`."
)


async def hold_time(client: Client, asked: HoldTime) -> Answer:
    """Hold a time for the conversation, and give up another."""
    zone = zone_of(asked.time_zone)
    time = read_time(asked.time, "time")
    given_up = read_hold(asked.instead_of, "instead_of") if asked.instead_of else None
    if given_up is not None:
        refuse_of_another(client, asked.conversation, given_up, "instead_of")
    catalogue = await load(client)
    hold = await _hold(client, catalogue, catalogue.known(time, "time"), turn_of(asked), zone)
    if given_up is not None:
        request_id = turn_of(asked).request_id("release", given_up.hold_id)
        with suppress(SlotcastError):
            await client.release_hold(given_up.hold_id, request_id=request_id)
            memory_of(client).has_ended(asked.conversation, given_up.hold_id)
    held = held_time(hold, catalogue, zone)
    content = HoldTold(**dict(held), next_step=_STEP_HELD)
    return Answer(held_text(held), content)


async def book(client: Client, asked: Book) -> Answer:
    """Book what was confirmed, once: what the conversation has booked already is refused."""
    zone = zone_of(asked.confirmed.time_zone, "confirmed.time_zone")
    what = read_hold_or_time(asked.hold_or_time, "hold_or_time")
    refuse_of_another(client, asked.conversation, what, "hold_or_time")
    catalogue, own = await asyncio.gather(
        load(client), booked_then(client, asked.conversation, _time(what))
    )
    what, consent = _agreed(what, asked.confirmed, catalogue, zone, "hold_or_time")
    turn = turn_of(asked)
    request_id = turn.request_id("book", what, *(["another"] if asked.another else []))
    if not asked.another:
        await refuse_second(client, catalogue, own.bookings, zone, request_id)
    try:
        booking = await client.book(
            _appointment(what),
            customer=customer_of(asked.customer, zone),
            fields=asked.fields,
            holder=asked.conversation,
            conversation=asked.conversation,
            consent=consent,
            request_id=request_id,
        )
    except SlotcastError as error:
        raise await _refusal(client, catalogue, error, what, turn, zone) from error
    if booking.revision <= own.revision:
        # It was booked before this call, and may stand otherwise since.
        booking = await as_it_stands(client, booking)
    memory_of(client).has_booked(asked.conversation, booking)
    _used_up(client, asked.conversation, what)
    verb = "Booked" if booking.status in LIVE else "That was booked before in this turn"
    return told_booking(booking, catalogue, zone, verb)


async def reschedule(client: Client, asked: Reschedule) -> Answer:
    """Move a booking to the time that the person has agreed to."""
    zone = zone_of(asked.confirmed.time_zone, "confirmed.time_zone")
    what = read_hold_or_time(asked.to, "to")
    refuse_of_another(client, asked.conversation, what, "to")
    catalogue = await load(client)
    what, consent = _agreed(what, asked.confirmed, catalogue, zone, "to")
    turn = turn_of(asked)
    try:
        booking = await client.reschedule_booking(
            last_part(asked.booking),
            _appointment(what),
            version=asked.version,
            consent=consent,
            request_id=turn.request_id("reschedule", asked.booking, asked.version, what),
        )
    except SlotcastError as error:
        moved = last_part(asked.booking)
        refusal = _refusal(client, catalogue, error, what, turn, zone, apart_from=moved)
        raise await refusal from error
    memory_of(client).has_changed(booking)
    _used_up(client, asked.conversation, what)
    return told_booking(booking, catalogue, zone, "Moved")


async def cancel(client: Client, asked: Cancel) -> Answer:
    """Cancel a booking."""
    zone = zone_of(asked.time_zone)
    cancelling = client.cancel_booking(
        last_part(asked.booking),
        version=asked.version,
        reason=asked.reason,
        request_id=turn_of(asked).request_id("cancel", asked.booking, asked.version),
    )
    booking, catalogue = await asyncio.gather(cancelling, load(client))
    memory_of(client).has_changed(booking)
    return told_booking(booking, catalogue, zone, "Cancelled")


async def hold_id_of(
    client: Client, catalogue: Catalogue, what: Held | Time, turn: TurnOf, zone: ZoneInfo
) -> str:
    """Return the id of a hold: the one that is named, or a new one of the time that is."""
    if isinstance(what, Held):
        return what.hold_id
    return last_part((await _hold(client, catalogue, what, turn, zone)).name)


def held_time(hold: Hold, catalogue: Catalogue, zone: ZoneInfo) -> HeldTime:
    """Tell a hold, and what is to be confirmed before it is booked."""
    time = time_of(hold, zone)
    return HeldTime(
        hold=str(Held(last_part(hold.name), time)),
        time_in_words=span_in_words(hold.start, hold.end, zone),
        held_until=moment_in_words(hold.expires_at, zone),
        to_confirm=to_confirm(time, catalogue, zone),
    )


def held_text(held: HeldTime) -> str:
    """Tell a hold in a line, with its name."""
    shown = held.to_confirm
    price = f", {shown.price}" if shown.price else ""
    return (
        f"Held until {held.held_until}: {shown.service} with {shown.person}{price},"
        f" {held.time_in_words}. [hold: {held.hold}]"
    )


def customer_of(who: WhoComes, zone: ZoneInfo) -> Customer:
    """Write who comes, with the zone in which they are told times."""
    return Customer(
        display_name=who.name,
        email=who.email,
        phone=who.phone,
        language=who.language,
        time_zone=zone.key,
    )


async def _hold(
    client: Client, catalogue: Catalogue, time: Time, turn: TurnOf, zone: ZoneInfo
) -> Hold:
    """Hold a time; where this was done in this turn and that hold has ended since, hold it anew."""
    after: list[str] = []
    while len(after) < HOLDS_OF_ONE_MAX:
        try:
            hold = await client.hold_slot(
                time.choice(),
                holder=turn.conversation,
                conversation=turn.conversation,
                request_id=turn.request_id("hold", time, *after),
            )
        except SlotRefused as lost:
            raise await _refusal(client, catalogue, lost, time, turn, zone) from lost
        memory_of(client).has_held(turn.conversation, hold)
        if not memory_of(client).is_ended(turn.conversation, last_part(hold.name)):
            return hold
        after.append(last_part(hold.name))
    raise refused("HOLD_ENDED")


async def _refusal(
    client: Client,
    catalogue: Catalogue,
    error: SlotcastError,
    what: Held | Time,
    turn: TurnOf,
    zone: ZoneInfo,
    *,
    apart_from: str = "",
) -> Refused:
    """Tell why it was not done: by what the conversation itself did, if that is why."""
    own = await refused_for_own(
        client, catalogue, turn.conversation, what, error, zone, apart_from=apart_from
    )
    if own is not None:
        return own
    if isinstance(error, SlotRefused):
        return await _offer_others(client, catalogue, error, turn, zone)
    field = "to" if apart_from else "hold_or_time"
    return _not_agreed(error, _time(what), catalogue, zone, field)


async def _offer_others(
    client: Client, catalogue: Catalogue, lost: SlotRefused, turn: TurnOf, zone: ZoneInfo
) -> Refused:
    """Tell other times; of a race that was lost, hold the best of them."""
    refusal = refused_by(lost)
    others = lost.alternatives
    held = None
    if isinstance(lost, SlotTaken) and others:
        with suppress(SlotcastError, TimeoutError):
            async with asyncio.timeout(HOLDING_SECONDS_MAX):
                hold = await client.hold_slot(
                    others[0],
                    holder=turn.conversation,
                    conversation=turn.conversation,
                    request_id=turn.request_id("hold instead", lost.metadata.get("start")),
                )
            memory_of(client).has_held(turn.conversation, hold)
            held = held_time(hold, catalogue, zone)
    return refusal.offering(
        alternatives=told_slots(others, catalogue, zone)[:ALTERNATIVES_MAX], held=held
    )


def _not_agreed(
    error: SlotcastError, time: Time, catalogue: Catalogue, zone: ZoneInfo, field: str
) -> Refused:
    """Tell a refusal of the service; where it is of the consent, what it really is."""
    if error.reason != "CONSENT_MISMATCH":
        return refused_by(error)
    if error.metadata.get("field") != "price":
        return Refused(
            error.reason,
            "That hold is of another time, service or person than its name says.",
            "Copy names exactly. Call find_times, and hold a time anew.",
            field=field,
        )
    price = error.metadata.get("actual", "")
    actual = to_confirm(time, catalogue, zone).model_copy(update={"price": price})
    return mismatch("price", error.metadata.get("shown", ""), actual)


def _used_up(client: Client, conversation: str, what: Held | Time) -> None:
    """Keep that a hold is booked, if it was one."""
    if isinstance(what, Held):
        memory_of(client).has_ended(conversation, what.hold_id)


def _time(what: Held | Time) -> Time:
    return what.time if isinstance(what, Held) else what


def _appointment(what: Held | Time) -> str | SlotChoice:
    return what.hold_id if isinstance(what, Held) else what.choice()


def _agreed(
    what: Held | Time, confirmed: Confirmed, catalogue: Catalogue, zone: ZoneInfo, field: str
) -> tuple[Held | Time, Consent]:
    """Return what was agreed to, and what the service is to compare; a difference is refused."""
    known = catalogue.known(_time(what), field)
    confirmed = without_listed(confirmed, known, catalogue)
    time = agreed_time(confirmed, known, catalogue)
    consent = check(confirmed, time, catalogue, zone)
    return Held(what.hold_id, time) if isinstance(what, Held) else time, consent
