"""Handoffs: what CreateHandoff and RedeemHandoff want, and how they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from service.domain.capability import (
    CapabilityKind,
    handoff_capability,
    read_capability,
    ticket_url,
    write_capability,
)
from service.domain.commands import CreateHandoff, Outcome, RedeemHandoff
from service.domain.errors import HandoffInvalid, InvalidRequest
from service.domain.handoff import handoff_of
from service.rpc.convert.bookings import read_prefilled, write_hold, write_prefilled
from service.rpc.convert.names import child_uuid
from service.rpc.submitting import Asking, Wanted
from slotcast.v1 import booking_service_pb2 as booking_pb

FORM_FIELDS = frozenset({"display_name", "email", "phone", "time_zone", "language", "note"})
"""What every form has; what has another name is one of the booking's own fields."""
OTHER_FIELDS_MAX = 29
"""With the note, so many can be booked."""


class Handoffs:
    """Reads the requests, with what signs the tickets."""

    def __init__(self, key: bytes, public_url: str) -> None:
        """Take the key of all capabilities, and what the address of the form begins with."""
        self._key = key
        self._public_url = public_url

    def create(self, request: booking_pb.CreateHandoffRequest, asking: Asking) -> Wanted:
        """Read CreateHandoff."""
        _check_fields(request.fields)
        command = CreateHandoff(
            handoff_id=uuid4(),
            hold_id=child_uuid(request.hold, asking.business_id),
            principal_id=asking.principal_id,
            fields=tuple(read_prefilled(field) for field in request.fields),
            conversation=request.conversation,
        )

        def encode(outcome: Outcome) -> bytes:
            assert outcome.hold is not None
            assert outcome.handoff is not None
            handoff = outcome.handoff
            ticket = write_capability(
                self._key,
                handoff_capability(asking.business_id, handoff.handoff_id, handoff.expires_at),
            )
            return booking_pb.CreateHandoffResponse(
                ticket=ticket,
                url=ticket_url(self._public_url, ticket),
                hold=write_hold(outcome.hold, asking.business_id),
                revision=outcome.revision,
            ).SerializeToString()

        return Wanted(command, encode)

    def redeem(self, request: booking_pb.RedeemHandoffRequest, asking: Asking) -> Wanted:
        """Read RedeemHandoff. Who comes by a ticket can redeem that one only."""
        ticket = read_capability(self._key, request.ticket)
        if (
            ticket is None
            or ticket.kind is not CapabilityKind.HANDOFF
            or ticket.business_id != asking.business_id
            or handoff_of(asking.principal_id) not in (None, ticket.id)
        ):
            raise HandoffInvalid
        command = RedeemHandoff(
            handoff_id=ticket.id,
            principal_id=asking.principal_id,
            holder=request.holder,
            request_id=request.request_id,
        )

        def encode(outcome: Outcome) -> bytes:
            assert outcome.hold is not None
            assert outcome.handoff is not None
            return booking_pb.RedeemHandoffResponse(
                hold=write_hold(outcome.hold, asking.business_id),
                fields=[write_prefilled(field) for field in outcome.handoff.fields],
                revision=outcome.revision,
            ).SerializeToString()

        return Wanted(command, encode)


def _check_fields(fields: Sequence[booking_pb.PrefilledField]) -> None:
    """Refuse what no form could send as it is filled in."""
    names = [field.name for field in fields]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidRequest(f"fields[{index}].name", "It is named twice.")
    if len(set(names) - FORM_FIELDS) > OTHER_FIELDS_MAX:
        raise InvalidRequest("fields", f"A booking takes {OTHER_FIELDS_MAX} beside the form's own.")
