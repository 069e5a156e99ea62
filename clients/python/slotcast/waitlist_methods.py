"""What a client can ask BookingService about those who wait."""

from __future__ import annotations

from collections.abc import Callable

from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.models import Page
from slotcast.v1 import booking_service_pb2 as pb
from slotcast.waitlist import WaitlistEntry, WaitlistWish, entry, join_request


class WaitlistMethods(Connected):
    """Waiting for a slot. What frees is held for the first whom it suits, and offered to them."""

    async def join_waitlist(
        self, wish: WaitlistWish, *, request_id: str | None = None
    ) -> WaitlistEntry:
        """Wait for a slot; where one is open already, it is offered at once.

        What is offered is taken by `book(entry.offer, ...)`. TooManyWaiting: the holder, or the
        business, has as many entries as it may.
        """
        link = self._connection
        request = join_request(link.names, wish, new_request_id(request_id))
        response = await link.calls.unary(link.bookings.JoinWaitlist, request)
        return entry(response.entry, response.revision)

    async def get_waitlist_entry(
        self, name: WaitlistEntry | str, *, min_revision: int = 0
    ) -> WaitlistEntry:
        """Read an entry. ResourceNotFound: there is none, or it ended over a day ago."""
        link = self._connection
        request = pb.GetWaitlistEntryRequest(
            name=_full_name(name, link.names.waitlist), min_revision=min_revision
        )
        response = await link.calls.unary(link.bookings.GetWaitlistEntry, request)
        return entry(response.entry, response.revision)

    async def list_waitlist(
        self, *, appointment_type: str = "", page_size: int = 0, page_token: str = ""
    ) -> Page[WaitlistEntry]:
        """List who waits or is offered a slot, first come first; 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListWaitlistRequest(
            parent=link.names.business(),
            appointment_type=(
                link.names.appointment_type(appointment_type) if appointment_type else ""
            ),
            page_size=page_size,
            page_token=page_token,
        )
        response = await link.calls.unary(link.bookings.ListWaitlist, request)
        return Page(
            items=tuple(entry(item, response.revision) for item in response.entries),
            next_page_token=response.next_page_token,
            revision=response.revision,
        )

    async def leave_waitlist(
        self, name: WaitlistEntry | str, *, request_id: str | None = None
    ) -> int:
        """Wait no more, and decline what is offered; returns the revision.

        WaitingEnded: it was left or taken, or has lapsed.
        """
        link = self._connection
        request = pb.LeaveWaitlistRequest(
            name=_full_name(name, link.names.waitlist), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.bookings.LeaveWaitlist, request)).revision


def _full_name(name: WaitlistEntry | str, full_name: Callable[[str], str]) -> str:
    return name.name if isinstance(name, WaitlistEntry) else full_name(name)
