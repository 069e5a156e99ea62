"""Handoffs, as plain values: what goes with a hold from a chat to a form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from slotcast import convert
from slotcast.models import Hold
from slotcast.v1 import booking_service_pb2 as pb


class Provenance(StrEnum):
    """How something is known: the person said so, or a model took it from what was said.

    UNKNOWN is one that this client is too old to know; it is never sent.
    """

    SAID = "SAID"
    INFERRED = "INFERRED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class PrefilledField:
    """Something that a form need not ask.

    name: `display_name`, `email`, `phone`, `time_zone` or `language`, as Customer has them; any
    other is one of the booking's own fields. What is INFERRED the form asks the person to confirm.
    """

    name: str
    value: str
    provenance: Provenance


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """A one-time ticket: whoever has it may redeem it.

    url: the page that takes it; empty where the server was not told its public address.
    """

    ticket: str
    url: str
    hold: Hold
    revision: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Redeemed:
    """What a ticket carried: the hold, now of who redeemed it, and what is known already."""

    hold: Hold
    fields: tuple[PrefilledField, ...]
    revision: int = field(default=0, compare=False)


def prefilled_message(known: PrefilledField) -> pb.PrefilledField:
    """Write something that a form need not ask; ValueError for UNKNOWN."""
    return pb.PrefilledField(
        name=known.name,
        value=known.value,
        provenance=pb.PrefilledField.Provenance.Value(f"PROVENANCE_{known.provenance.upper()}"),
    )


def handoff(message: pb.CreateHandoffResponse) -> Handoff:
    """Read a ticket."""
    return Handoff(
        ticket=message.ticket,
        url=message.url,
        hold=convert.hold(message.hold, message.revision),
        revision=message.revision,
    )


def redeemed(message: pb.RedeemHandoffResponse) -> Redeemed:
    """Read what a ticket carried."""
    return Redeemed(
        hold=convert.hold(message.hold, message.revision),
        fields=tuple(_prefilled(known) for known in message.fields),
        revision=message.revision,
    )


def _prefilled(message: pb.PrefilledField) -> PrefilledField:
    return PrefilledField(
        name=message.name,
        value=message.value,
        provenance=convert.word(
            Provenance, pb.PrefilledField.Provenance.Name, "PROVENANCE_", message.provenance
        ),
    )
