"""What a client can ask BookingService about handoffs."""

from __future__ import annotations

from collections.abc import Iterable

from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.handoffs import (
    Handoff,
    PrefilledField,
    Redeemed,
    handoff,
    prefilled_message,
    redeemed,
)
from slotcast.models import Hold
from slotcast.v1 import booking_service_pb2 as pb


class HandoffMethods(Connected):
    """Holds that go from a chat to a form.

    What is prefilled is erased once the hold is booked, released, or has lapsed.
    """

    async def create_handoff(
        self,
        hold: Hold | str,
        *,
        fields: Iterable[PrefilledField] = (),
        conversation: str = "",
        request_id: str | None = None,
    ) -> Handoff:
        """Make a one-time ticket that carries a hold, and let that last its full time from now.

        The ticket is also a key, `Client(..., api_key=ticket)`, for what the form needs. Of one
        hold there may be ten. HoldEnded, SlotTaken, HoldLifetimeReached: as `renew_hold`.
        """
        link = self._connection
        request = pb.CreateHandoffRequest(
            hold=hold.name if isinstance(hold, Hold) else link.names.hold(hold),
            request_id=new_request_id(request_id),
            fields=[prefilled_message(known) for known in fields],
            conversation=conversation,
        )
        return handoff(await link.calls.unary(link.bookings.CreateHandoff, request))

    async def redeem_handoff(
        self, ticket: str, *, holder: str, request_id: str | None = None
    ) -> Redeemed:
        """Take over the hold of a ticket, once; its former holder can do nothing with it any more.

        The same holder may redeem it again. HandoffInvalid: it was altered, or is of another
        business. HandoffUsed: another has redeemed it. HandoffEnded: the hold was booked, released,
        or has lapsed, as `metadata["status"]` says. HoldLifetimeReached: the same holder has
        redeemed it a hundred times, and has the hold still.
        """
        link = self._connection
        request = pb.RedeemHandoffRequest(
            parent=link.names.business(),
            request_id=new_request_id(request_id),
            ticket=ticket,
            holder=holder,
        )
        return redeemed(await link.calls.unary(link.bookings.RedeemHandoff, request))
