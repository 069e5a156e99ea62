"""Handing over to a form, which a person fills in for themselves, without losing the time."""

from __future__ import annotations

from collections.abc import Sequence

from slotcast import Client, PrefilledField, Provenance, SlotcastError
from slotcast_mcp.answers import Answer, FormLink
from slotcast_mcp.booking import held_text, held_time, hold_id_of
from slotcast_mcp.catalogue import load
from slotcast_mcp.ids import read_hold_or_time
from slotcast_mcp.inputs import KnownField, MakeBookingFormLink
from slotcast_mcp.memory import memory_of
from slotcast_mcp.refusals import Refused, refused_by
from slotcast_mcp.repeating import refuse_of_another, refused_for_own
from slotcast_mcp.turns import turn_of
from slotcast_mcp.words import zone_of

_FORM_NAMES = {"name": "display_name"}


async def make_booking_form_link(client: Client, asked: MakeBookingFormLink) -> Answer:
    """Make a link to a form with what is known filled in; the time stays held."""
    zone = zone_of(asked.time_zone)
    what = read_hold_or_time(asked.hold_or_time, "hold_or_time")
    refuse_of_another(client, asked.conversation, what, "hold_or_time")
    fields = _prefilled(asked.known, zone.key)
    catalogue = await load(client)
    turn = turn_of(asked)
    hold_id = await hold_id_of(client, catalogue, what, turn, zone)
    try:
        handoff = await client.create_handoff(
            hold_id,
            fields=fields,
            conversation=asked.conversation,
            request_id=turn.request_id("hand over", what),
        )
    except SlotcastError as error:
        own = await refused_for_own(client, catalogue, asked.conversation, what, error, zone)
        raise own or refused_by(error) from error
    held = held_time(handoff.hold, catalogue, zone)
    if not handoff.url:
        raise Refused(
            "FORM_ADDRESS_UNKNOWN",
            "The service was not told at which address its forms are. The time is still held.",
            "Book for the person here instead: show them `to_confirm`, then call book.",
        ).offering(held=held)
    memory_of(client).has_handed_over(asked.conversation, handoff.hold)
    content = FormLink(
        **dict(held),
        link=handoff.url,
        next_step=(
            "Give the person the link, and tell them until when the time is held. They book in the"
            " form: do not book it yourself. Once they say that it is done, call get_booking with"
            " this `conversation` and no `booking`, which tells what is booked."
        ),
    )
    return Answer(f"{held_text(held)}\nForm: {handoff.url}", content)


def _prefilled(known: Sequence[KnownField], zone: str) -> list[PrefilledField]:
    names = [field.name for field in known]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise Refused(
            "INVALID_REQUEST",
            f"{doubled} is named twice.",
            "Name each thing that is known once.",
            field="known",
        )
    fields = [
        PrefilledField(
            name=_FORM_NAMES.get(field.name, field.name),
            value=field.value,
            provenance=Provenance.SAID if field.said else Provenance.INFERRED,
        )
        for field in known
    ]
    if "time_zone" not in names:
        said = Provenance.SAID
        fields.append(PrefilledField(name="time_zone", value=zone, provenance=said))
    return fields
