"""Every screen of the widget in every state, and how one comes there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.async_api import Route, expect

from slotcast import AppointmentType, PrefilledField, Provenance, SlotChoice
from tests.robustness.cluster.proxy import FaultProxy
from tests.web.stack import Shop
from tests.web.visitor import Visitor, a_slot, a_slot_that_is_held_briefly, fill_the_day

UNKNOWN_SECONDS_MAX = 40
# A day that can be chosen, and has no times.
MAY_WAIT = ".slotcast-day[data-is-free=false][data-is-disabled=false]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where a state is brought about: `visit` opens a page that comes by the proxy."""

    visit: Callable[..., Awaitable[Visitor]]
    shop: Shop
    proxy: FaultProxy


State = Callable[[Stage], Awaitable[Visitor]]
STATES: dict[str, State] = {}


def state(reach: State) -> State:
    STATES[reach.__name__.replace("_", "-")] = reach
    return reach


@state
async def choice(stage: Stage) -> Visitor:
    """The first screen: which appointment, how long, with whom."""
    visitor = await stage.visit()
    await visitor.option("Haircut").wait_for()
    return visitor


@state
async def loading(stage: Stage) -> Visitor:
    """What can be booked is being fetched."""
    visitor = await choice(stage)
    await visitor.page.route("**/slotcast.v1.CatalogService/*", never_answer)
    await ask_anew(visitor)
    await visitor.widget.locator(".slotcast-skeleton").wait_for()
    return visitor


@state
async def unreachable(stage: Stage) -> Visitor:
    """The service does not answer."""
    visitor = await choice(stage)
    await visitor.page.route("**/slotcast.v1.CatalogService/*", lambda route: route.abort())
    await ask_anew(visitor)
    await expect(visitor.widget.get_by_role("alert")).to_be_visible(timeout=40_000)
    return visitor


@state
async def refused(stage: Stage) -> Visitor:
    """The service does not accept the page."""
    visitor = await stage.visit(attributes={"api-key": "sc_0000_0000"})
    await visitor.widget.get_by_role("alert").wait_for()
    return visitor


@state
async def nothing_to_book(stage: Stage) -> Visitor:
    """There is nothing that could be booked."""
    visitor = await stage.visit(attributes={"appointment-type": "no-such-type"})
    await visitor.widget.locator(".slotcast-empty").wait_for()
    return visitor


@state
async def times(stage: Stage) -> Visitor:
    """A day and a time, as they are open at this moment."""
    visitor = await stage.visit()
    await visitor.pick()
    await visitor.times.first.wait_for()
    return visitor


@state
async def times_loading(stage: Stage) -> Visitor:
    """The times are being fetched."""
    visitor = await stage.visit()
    await visitor.page.route("**/WatchAvailability", never_answer)
    await visitor.pick()
    await visitor.widget.locator(".slotcast-skeleton-times").wait_for()
    return visitor


@state
async def no_times(stage: Stage) -> Visitor:
    """A month without free times."""
    await make_a_rare_type(stage.shop)
    visitor = await stage.visit(attributes={"appointment-type": "rare"})
    await visitor.widget.locator(".slotcast-empty").wait_for()
    return visitor


@state
async def waitlist(stage: Stage) -> Visitor:
    """Where nothing is free, one can wait for what frees."""
    await make_a_rare_type(stage.shop)
    visitor = await stage.visit(attributes={"appointment-type": "rare", "waitlist": ""})
    await visitor.widget.locator(".slotcast-wait > button").click()
    await visitor.widget.locator(".slotcast-wait button[type=submit]").click()
    await visitor.widget.locator(".slotcast-message").first.wait_for()
    return visitor


@state
async def full_day(stage: Stage) -> Visitor:
    """A day without free times, on which one can wait for what frees."""
    next_month = datetime.now(UTC).replace(day=1) + timedelta(days=32)
    await fill_the_day(stage.shop, next_month.replace(day=10))
    visitor = await stage.visit(attributes={"waitlist": ""})
    await visitor.pick()
    await visitor.times.first.wait_for()
    await visitor.widget.locator(".slotcast-page").last.click()
    await visitor.widget.locator(MAY_WAIT).first.click()
    await visitor.widget.locator(".slotcast-wait > button").click()
    await visitor.widget.locator(".slotcast-wait form").wait_for()
    return visitor


@state
async def places_in_a_class(stage: Stage) -> Visitor:
    """An appointment for several."""
    visitor = await stage.visit()
    await visitor.pick("Styling class", "")
    await visitor.times.first.wait_for()
    return visitor


@state
async def another_time_zone(stage: Stage) -> Visitor:
    """Times by another clock than that of the business, and how to change it."""
    visitor = await stage.visit(attributes={"time-zone": "Asia/Tokyo"})
    await visitor.pick()
    await visitor.times.first.wait_for()
    await visitor.widget.locator(".slotcast-zone-line button").first.click()
    await visitor.widget.locator(".slotcast-settings").wait_for()
    return visitor


@state
async def stale(stage: Stage) -> Visitor:
    """Not up to date: nothing can be chosen."""
    visitor = await times(stage)
    stage.proxy.refuse()
    await visitor.widget.locator("[data-is-stale=true]").wait_for()
    return visitor


@state
async def taken(stage: Stage) -> Visitor:
    """The chosen time was taken by another, and what is free instead."""
    visitor = await times(stage)
    ms = await visitor.times.last.get_attribute("data-start")
    start = datetime.fromtimestamp(int(ms or 0) / 1000, UTC)
    wish = SlotChoice(appointment_type="haircut", calendar="stylist-1", start=start)

    async def come_second(route: Route) -> None:
        await stage.shop.client.hold_slot(wish, holder="another")
        await route.continue_()

    await visitor.page.route("**/HoldSlot", come_second)
    await visitor.times.last.click()
    await visitor.widget.locator(".slotcast-lost").wait_for()
    # While one points at the times, the places of those that are gone stay.
    await visitor.page.mouse.move(0, 0)
    return visitor


@state
async def details(stage: Stage) -> Visitor:
    """Who comes, while the time is held."""
    visitor = await times(stage)
    await visitor.times.last.click()
    await visitor.field("displayName").wait_for()
    return visitor


@state
async def mistakes(stage: Stage) -> Visitor:
    """What is wrong is said at its field."""
    visitor = await details(stage)
    await visitor.book(name="", email="kim at example")
    await visitor.widget.locator(".slotcast-message").first.wait_for()
    return visitor


@state
async def expired(stage: Stage) -> Visitor:
    """The time is held no longer."""
    await a_slot_that_is_held_briefly(stage.shop)
    visitor = await stage.visit(attributes={"appointment-type": "quick"})
    await visitor.times.last.click()
    await visitor.widget.locator(".slotcast-held .slotcast-notice").wait_for()
    return visitor


@state
async def unknown(stage: Stage) -> Visitor:
    """Whether it is booked is not known."""
    visitor = await details(stage)
    await visitor.page.route("**/Book", lambda route: route.abort())
    await visitor.book()
    notice = visitor.widget.locator(".slotcast-form .slotcast-notice")
    await notice.wait_for(timeout=UNKNOWN_SECONDS_MAX * 1000)
    return visitor


@state
async def booked(stage: Stage) -> Visitor:
    """It is booked."""
    visitor = await details(stage)
    await visitor.book()
    await visitor.widget.locator(".slotcast-done").wait_for()
    return visitor


@state
async def asked_for(stage: Stage) -> Visitor:
    """It was asked for, and awaits approval."""
    visitor = await stage.visit()
    await visitor.pick("Colouring")
    await visitor.times.last.click()
    await visitor.book()
    await visitor.widget.locator(".slotcast-done").wait_for()
    return visitor


@state
async def suggested(stage: Stage) -> Visitor:
    """From a chat: what was guessed there has to be confirmed or changed."""
    visitor = await stage.visit(attributes={"ticket": await a_ticket(stage.shop)})
    await visitor.field("displayName").wait_for()
    await visitor.submit.click()
    await visitor.widget.locator("[aria-invalid=true]").first.wait_for()
    return visitor


@state
async def link_used(stage: Stage) -> Visitor:
    """From a chat: another has followed the link already."""
    ticket = await a_ticket(stage.shop)
    await stage.shop.client.redeem_handoff(ticket, holder="somebody-else")
    visitor = await stage.visit(attributes={"ticket": ticket})
    await visitor.widget.get_by_role("alert").wait_for()
    return visitor


async def make_a_rare_type(shop: Shop) -> None:
    """Make a type, "Rare treat", that has no free times in the first months."""
    await shop.client.create_appointment_type(
        AppointmentType(
            name="rare",
            display_name="Rare treat",
            durations=(timedelta(hours=1),),
            any_of=("stylist-1",),
            minimum_notice=timedelta(days=59),
        )
    )


async def a_ticket(shop: Shop) -> str:
    """Hold a slot as a chat does, and hand it over with a name, a wish and two guesses."""
    hold = await shop.client.hold_slot(await a_slot(shop), holder="chat-17")
    fields = [
        PrefilledField(name="display_name", value="Ada Lovelace", provenance=Provenance.SAID),
        PrefilledField(name="insurance", value="none", provenance=Provenance.SAID),
        PrefilledField(name="email", value="ada@example.com", provenance=Provenance.INFERRED),
        PrefilledField(name="first_visit", value="yes", provenance=Provenance.INFERRED),
    ]
    return (await shop.client.create_handoff(hold, fields=fields)).ticket


async def never_answer(route: Route) -> None:
    """Leave a request without an answer; it ends with its page."""


async def ask_anew(visitor: Visitor) -> None:
    """Let the widget begin as another visitor's."""
    await visitor.widget.evaluate(
        "(each) => each.getRootNode().host.setAttribute('holder', 'anew')"
    )
