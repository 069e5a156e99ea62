"""Every state of the page of a letter's link, and how one comes there; in any language."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from playwright.async_api import expect

from slotcast import Customer
from tests.web.manage import Managed, a_booking, an_offer, link_of, link_of_offer, one_who_waits
from tests.web.stack import Shop, WebStack
from tests.web.states import never_answer
from tests.web.visitor import a_slot

UNKNOWN_SECONDS_MAX = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where a state is brought about; the letter was in `language`."""

    stack: WebStack
    shop: Shop
    visit: Callable[..., Awaitable]
    language: str

    async def open(self, path: str) -> Managed:
        return Managed(await self.visit(path, locale=self.language))

    async def open_booking(self, appointment: str = "haircut") -> Managed:
        """Open the link of a booking, and wait until it is shown."""
        booking = await a_booking(self.shop, appointment, language=self.language)
        managed = await self.open(link_of(self.stack, self.shop, booking))
        await managed.card.locator(".slotcast-summary").first.wait_for()
        return managed

    async def open_offer(self) -> Managed:
        entry, _ = await an_offer(self.shop, language=self.language)
        managed = await self.open(link_of_offer(self.stack, self.shop, entry))
        await managed.card.locator(".slotcast-countdown").wait_for()
        return managed


State = Callable[[Stage], Awaitable[Managed]]
MANAGE_STATES: dict[str, State] = {}


def state(reach: State) -> State:
    MANAGE_STATES[reach.__name__.replace("_", "-")] = reach
    return reach


def first_action(managed: Managed):
    return managed.card.locator(".manage-actions > button").first


def second_action(managed: Managed):
    return managed.card.locator(".manage-actions > button").nth(1)


@state
async def appointment(stage: Stage) -> Managed:
    """The appointment, and what can be done about it."""
    return await stage.open_booking()


@state
async def awaiting_approval(stage: Stage) -> Managed:
    """It still has to be approved."""
    return await stage.open_booking("colouring")


@state
async def loading(stage: Stage) -> Managed:
    """The appointment is being fetched."""
    managed = await stage.open_booking()
    await managed.page.route("**/GetBooking", never_answer)
    await managed.page.reload()
    await managed.card.locator(".slotcast-skeleton").wait_for()
    return managed


@state
async def unreachable(stage: Stage) -> Managed:
    """The service does not answer."""
    managed = await stage.open_booking()
    await managed.page.route("**/GetBooking", lambda route: route.abort())
    await managed.page.reload()
    failure = managed.card.locator(".slotcast-failure")
    await failure.wait_for(timeout=UNKNOWN_SECONDS_MAX * 1000)
    return managed


@state
async def no_network(stage: Stage) -> Managed:
    """What is shown may be out of date."""
    managed = await stage.open_booking()
    await managed.page.context.set_offline(True)
    await managed.card.locator(".slotcast-stale > p").wait_for()
    return managed


@state
async def damaged_link(stage: Stage) -> Managed:
    """A part of the link is missing."""
    managed = await stage.open("/manage/#slotcast_manage_AAAA")
    await managed.heading.wait_for()
    return managed


@state
async def too_late(stage: Stage) -> Managed:
    """The notice has passed: until when it could be changed, and whom to call."""
    haircut = await stage.shop.client.get_appointment_type("haircut")
    late = replace(haircut, cancellation_notice=timedelta(days=30))
    await stage.shop.client.update_appointment_type(late)
    return await stage.open_booking()


@state
async def times(stage: Stage) -> Managed:
    """The times that are open at this moment."""
    managed = await stage.open_booking()
    await first_action(managed).click()
    await managed.visitor.times.first.wait_for()
    return managed


@state
async def question(stage: Stage) -> Managed:
    """Both times, before it is moved."""
    managed = await times(stage)
    await managed.visitor.times.last.click()
    await managed.card.locator(".manage-changes").wait_for()
    return managed


@state
async def taken_meanwhile(stage: Stage) -> Managed:
    """The new time was taken by another, and what is free instead."""
    managed = await stage.open_booking()
    slot = await a_slot(stage.shop, number=2)
    await first_action(managed).click()
    await managed.visitor.time(slot).click()
    await managed.card.locator(".manage-changes").wait_for()
    await stage.shop.client.hold_slot(slot, holder="another")
    await first_action(managed).click()
    await managed.card.locator(".slotcast-lost").wait_for()
    return managed


@state
async def moved(stage: Stage) -> Managed:
    """It was moved."""
    managed = await question(stage)
    await first_action(managed).click()
    await managed.card.locator(".slotcast-notice-plain").wait_for()
    return managed


@state
async def cancelling(stage: Stage) -> Managed:
    """Whether it is really to be cancelled."""
    managed = await stage.open_booking()
    await second_action(managed).click()
    await managed.card.locator("[name=reason]").wait_for()
    return managed


@state
async def reason_too_long(stage: Stage) -> Managed:
    """What is wrong is said at its field."""
    managed = await cancelling(stage)
    await managed.card.locator("[name=reason]").fill("x" * 501)
    await managed.card.locator(".slotcast-message").wait_for()
    return managed


@state
async def unknown(stage: Stage) -> Managed:
    """Whether it is cancelled is not known."""
    managed = await cancelling(stage)
    await managed.page.route("**/CancelBooking", lambda route: route.abort())
    await first_action(managed).click()
    notice = managed.card.locator(".slotcast-notice")
    await notice.wait_for(timeout=UNKNOWN_SECONDS_MAX * 1000)
    return managed


@state
async def cancelled(stage: Stage) -> Managed:
    """It is cancelled."""
    managed = await cancelling(stage)
    await first_action(managed).click()
    await managed.card.locator(".slotcast-done").wait_for()
    return managed


@state
async def gone(stage: Stage) -> Managed:
    """The link of what was cancelled."""
    managed = await cancelled(stage)
    await managed.page.reload()
    await expect(managed.card.locator(".slotcast-done")).to_be_visible()
    return managed


@state
async def waiting(stage: Stage) -> Managed:
    """What one waits for, and nothing is offered yet."""
    slot = await a_slot(stage.shop)
    await stage.shop.client.book(slot, customer=Customer(display_name="Somebody"))
    entry = await one_who_waits(stage.shop, slot, language=stage.language)
    managed = await stage.open(link_of_offer(stage.stack, stage.shop, entry))
    await managed.card.locator(".slotcast-summary").first.wait_for()
    return managed


@state
async def leaving(stage: Stage) -> Managed:
    """Whether one really waits no more."""
    managed = await waiting(stage)
    await first_action(managed).click()
    await managed.card.locator(".manage-bad").wait_for()
    return managed


@state
async def offered(stage: Stage) -> Managed:
    """A time is free for who waits, and for how long."""
    return await stage.open_offer()


@state
async def declining(stage: Stage) -> Managed:
    """Whether the offer is really to be declined."""
    managed = await stage.open_offer()
    await second_action(managed).click()
    await managed.card.locator(".manage-bad").wait_for()
    return managed


@state
async def taken(stage: Stage) -> Managed:
    """The offer was taken."""
    managed = await stage.open_offer()
    await first_action(managed).click()
    await managed.card.locator(".slotcast-done").wait_for()
    return managed
