"""What a client can ask AvailabilityService."""

from __future__ import annotations

from slotcast import convert, requests
from slotcast.channel import Connected
from slotcast.models import Explanation, Page, Slot, SlotChoice, SlotQuery
from slotcast.v1 import availability_service_pb2 as pb
from slotcast.watch import SlotView


class AvailabilityMethods(Connected):
    """Open slots: now, as they change, and why a time is not one of them."""

    async def list_slots(
        self,
        query: SlotQuery,
        *,
        min_revision: int = 0,
        page_size: int = 0,
        page_token: str = "",
    ) -> Page[Slot]:
        """List open slots by start, then type, then calendar; 1,000 a page, or up to 2,000.

        Never older than `min_revision`, else RevisionAhead. InvalidRequest: a window that is
        reversed or of more than 62 days. Each page is true at its own revision.
        """
        link = self._connection
        request = requests.list_slots_request(link.names, query)
        request.min_revision = min_revision
        request.page_size = page_size
        request.page_token = page_token
        response = await link.calls.unary(link.availability.ListSlots, request)
        return Page(
            items=tuple(convert.slot(item) for item in response.slots),
            next_page_token=response.next_page_token,
            revision=response.revision,
            as_of=convert.instant(response.as_of),
        )

    def watch(self, query: SlotQuery, *, min_revision: int = 0) -> SlotView:
        """Watch open slots: `async with client.watch(query) as view`, `async for update in view`.

        The view is never older than `min_revision`, resumes by itself, and knows when it is stale.
        """
        link = self._connection
        request = requests.watch_request(link.names, query)
        request.min_revision = min_revision
        return SlotView(link.availability, request, link.calls)

    async def explain_slot(
        self, slot: Slot | SlotChoice, *, holder: str = "", min_revision: int = 0
    ) -> Explanation:
        """Ask rule by rule why a time can or cannot be booked."""
        link = self._connection
        request = pb.ExplainSlotRequest(
            parent=link.names.business(),
            slot=convert.slot_choice_message(slot, link.names),
            holder=holder,
            min_revision=min_revision,
        )
        response = await link.calls.unary(link.availability.ExplainSlot, request)
        return convert.explanation(response)
