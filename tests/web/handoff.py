"""From a chat to the page of its link: how one comes there, and what one does there."""

from collections.abc import Sequence
from dataclasses import dataclass

from playwright.async_api import Locator, expect

from slotcast import Hold, PrefilledField, Provenance, Slot
from tests.web.stack import Shop, WebStack
from tests.web.visitor import Visitor, a_slot

CHAT = "chat-17"
"""The chat's own name for the conversation, and as whom it holds."""

SAID = (
    PrefilledField(name="display_name", value="Ada", provenance=Provenance.SAID),
    PrefilledField(name="insurance", value="none", provenance=Provenance.SAID),
)
INFERRED = (
    PrefilledField(name="email", value="ada@example.com", provenance=Provenance.INFERRED),
    PrefilledField(name="first_visit", value="yes", provenance=Provenance.INFERRED),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """What a chat has held and handed over; `path` is that of its link."""

    slot: Slot
    hold: Hold
    ticket: str
    path: str


async def a_handoff(
    stack: WebStack,
    shop: Shop,
    fields: Sequence[PrefilledField] = (*SAID, *INFERRED),
    *,
    number: int = 2,
) -> Handed:
    """Hold a slot for a conversation, as the backend of a chat does, and hand it over."""
    slot = await a_slot(shop, number=number)
    hold = await shop.client.hold_slot(slot, holder=CHAT, conversation=CHAT)
    handoff = await shop.client.create_handoff(hold, fields=fields, conversation=CHAT)
    assert handoff.url.startswith(f"{stack.url}/book/#")
    return Handed(
        slot=slot,
        hold=handoff.hold,
        ticket=handoff.ticket,
        path=handoff.url.removeprefix(stack.url),
    )


class Person:
    """Who has followed the link."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.card = visitor.widget

    def box(self, label: str) -> Locator:
        """What is ticked to say that a suggestion is right."""
        return self.card.get_by_role("checkbox", name=f"Yes, that is right ({label})")

    @property
    def told(self) -> Locator:
        """What is said of a ticket that is refused."""
        return self.card.get_by_role("alert")

    async def sees_the_form(self) -> None:
        await expect(self.visitor.heading).to_have_text("Your details")
        await expect(self.visitor.field("displayName")).to_have_value("Ada")
        await expect(self.card.get_by_role("timer")).to_contain_text("Held for you for")

    async def confirms_all(self) -> None:
        for label in ("Email", "first visit"):
            await self.box(label).check()


async def looks_for(visitor: Visitor, slot: Slot) -> None:
    """Look at the day of a slot, until all its times are there."""
    await visitor.turn_to(slot.start, r"\d free time")
    await expect(visitor.times.first).to_be_visible()
