"""What a client can ask BookingService about handoffs. NotImplementedYet, for now."""

from __future__ import annotations

from slotcast import convert
from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.models import Hold
from slotcast.v1 import booking_service_pb2 as pb


class HandoffMethods(Connected):
    """Holds that go from a chat to a widget."""

    async def create_handoff(self, hold: Hold | str, *, request_id: str | None = None) -> str:
        """Make a one-time ticket that carries a hold."""
        link = self._connection
        name = hold.name if isinstance(hold, Hold) else link.names.hold(hold)
        request = pb.CreateHandoffRequest(hold=name, request_id=new_request_id(request_id))
        return (await link.calls.unary(link.bookings.CreateHandoff, request)).ticket

    async def redeem_handoff(self, ticket: str, *, request_id: str | None = None) -> Hold:
        """Take over the hold of a ticket, once."""
        link = self._connection
        request = pb.RedeemHandoffRequest(
            parent=link.names.business(), request_id=new_request_id(request_id), ticket=ticket
        )
        return convert.hold((await link.calls.unary(link.bookings.RedeemHandoff, request)).hold)
