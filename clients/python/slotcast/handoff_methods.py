"""What a client can ask BookingService about handoffs and waitlists. NotImplementedYet, for now."""

from __future__ import annotations

from slotcast import convert
from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.models import Customer, Hold, Slot, SlotChoice
from slotcast.v1 import booking_service_pb2 as pb


class HandoffMethods(Connected):
    """Holds that go from a chat to a widget, and wishes for slots that may free."""

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

    async def join_waitlist(
        self, wish: Slot | SlotChoice, *, customer: Customer, request_id: str | None = None
    ) -> str:
        """Ask to be offered a slot that frees; returns the name of the wish."""
        link = self._connection
        request = pb.JoinWaitlistRequest(
            parent=link.names.business(),
            request_id=new_request_id(request_id),
            wish=convert.slot_choice_message(wish, link.names),
            customer=convert.customer_message(customer),
        )
        return (await link.calls.unary(link.bookings.JoinWaitlist, request)).name

    async def leave_waitlist(self, wish: str, *, request_id: str | None = None) -> None:
        """Withdraw a wish."""
        link = self._connection
        request = pb.LeaveWaitlistRequest(
            name=link.names.waitlist(wish), request_id=new_request_id(request_id)
        )
        await link.calls.unary(link.bookings.LeaveWaitlist, request)
