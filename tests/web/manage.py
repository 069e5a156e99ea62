"""The page of a letter's link: how one comes to it, and what one does there."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from playwright.async_api import Locator, expect

from service.domain.capability import (
    booking_capability,
    capability_key,
    offer_capability,
    write_capability,
)
from service.settings import token_secret_bytes
from slotcast import Booking, Customer, Slot, TimeWindow, WaitlistWish
from tests.web.stack import Shop, WebStack
from tests.web.visitor import a_slot

LINK = re.compile(r"https?://\S+(/manage/#slotcast_manage_[\w-]+)")


def link_in(letter) -> str:
    """Return the path of the link that the text of a letter has."""
    found = LINK.search(letter.part("text/plain") or "")
    assert found is not None, letter.part("text/plain")
    return found[1]


def uuid_of(name: str) -> UUID:
    return UUID(name.rsplit("/", 1)[1])


def link_of(stack: WebStack, shop: Shop, booking: Booking) -> str:
    """Return the path that a letter about a booking would have."""
    capability = booking_capability(shop.business, uuid_of(booking.name), booking.end)
    return _path(stack, capability)


def link_of_offer(stack: WebStack, shop: Shop, entry: str) -> str:
    """Return the path that a letter with an offer would have."""
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    return _path(stack, offer_capability(shop.business, uuid_of(entry), expires_at))


def _path(stack, capability) -> str:
    key = capability_key(token_secret_bytes(stack.settings))
    return f"/manage/#{write_capability(key, capability)}"


async def a_booking(shop: Shop, appointment: str = "haircut", *, number: int = 2, **customer):
    """Book one of the open slots of the next week."""
    slot = await a_slot(shop, appointment, number=number)
    given = {"display_name": "Kim", "email": "kim@example.com", "language": "en", **customer}
    return await shop.client.book(slot, customer=Customer(**given))


async def one_who_waits(shop: Shop, slot: Slot, **customer: str) -> str:
    """Let one join the waitlist, for a slot that is not free; returns the name of the entry."""
    given = {"display_name": "Kim", "email": "kim@example.com", "language": "en", **customer}
    wish = WaitlistWish(
        appointment_type=slot.appointment_type,
        calendars=(slot.calendar,),
        windows=(TimeWindow(start=slot.start, end=slot.start + timedelta(minutes=1)),),
        customer=Customer(**given),
        holder="kim",
    )
    return (await shop.client.join_waitlist(wish)).name


async def an_offer(
    shop: Shop, appointment: str = "haircut", *, number: int = 2, **customer: str
) -> tuple[str, Slot]:
    """Let a slot free for one who waits for it; returns the name of their entry, and the slot."""
    slot = await a_slot(shop, appointment, number=number)
    other = await shop.client.book(slot, customer=Customer(display_name="Somebody"))
    entry = await one_who_waits(shop, slot, **customer)
    await shop.client.cancel_booking(other)
    return entry, slot


class Managed:
    """The page, and what one does there."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.page = visitor.page
        self.card: Locator = visitor.widget

    @property
    def heading(self) -> Locator:
        return self.card.get_by_role("heading", level=1)

    def button(self, name: str) -> Locator:
        return self.card.get_by_role("button", name=name, exact=True)

    async def shows(self, heading: str) -> None:
        await expect(self.heading).to_have_text(heading)

    async def choose(self, slot) -> None:
        """Choose another time, and see the question."""
        await self.button("Choose another time").click()
        await self.visitor.look_at(slot)
        await self.visitor.time(slot).click()
        await self.shows("Move your appointment?")
