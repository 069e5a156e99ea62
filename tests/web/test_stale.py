"""W5 in a browser: what is not known to be open cannot be chosen, and heals by itself."""

import time

import pytest
from playwright.async_api import expect

from tests.web.faults import FAULTS, Scene, tab_frozen
from tests.web.stack import told_for
from tests.web.visitor import a_slot

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def at(proxy):
    """Where the gateway is, by the way that can be broken."""
    return f"http://{proxy.address}"


async def press_all_that_there_is(visitor):
    """Press the first and the last time, a day, and the months, by mouse and by keyboard."""
    buttons = [
        visitor.times.first,
        visitor.times.last,
        visitor.widget.get_by_role("gridcell").get_by_role("button").last,
        visitor.button("Next month"),
    ]
    for button in buttons:
        # With no regard to what they say of themselves.
        await button.scroll_into_view_if_needed()
        box = await button.bounding_box()
        await visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for key in ("Enter", "Space"):
            await button.focus()
            await visitor.page.keyboard.press(key)


@pytest.mark.parametrize("name", FAULTS)
async def test_w5_a_view_that_is_not_told_is_greyed_and_dead_and_heals(
    name, visit, shop, stack, proxy, at, tell
):
    slot = await a_slot(shop)
    visitor = await visit(url=at)
    await visitor.pick()
    await visitor.look_at(slot)
    await visitor.page.evaluate("window.isTheSamePage = true")
    scene = Scene(stack=stack, proxy=proxy, visitor=visitor)

    began = time.monotonic()
    async with FAULTS[name](scene):
        await expect(visitor.stale_banner).to_be_visible()
        stale_seconds = time.monotonic() - began
        await press_all_that_there_is(visitor)
        await expect(visitor.stale_banner).to_be_visible()
        assert visitor.calls["HoldSlot"] == 0
        assert await visitor.widget.locator('[data-start][aria-disabled="false"]').count() == 0
    began = time.monotonic()
    await expect(visitor.stale_banner).to_have_count(0)
    heal_seconds = time.monotonic() - began

    await visitor.time(slot).click()
    await expect(visitor.field("displayName")).to_be_visible()
    assert await visitor.page.evaluate("window.isTheSamePage")
    tell(f"{name}: stale after {stale_seconds:.1f} s, healed in {heal_seconds:.1f} s")


async def test_w5_a_tab_that_was_frozen_offers_nothing_that_it_only_remembers(visit, shop, stack):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.look_at(slot)
    box = await visitor.time(slot).bounding_box()

    async with tab_frozen(visitor):
        await shop.client.hold_slot(slot, holder="another")
        await told_for(stack, shop, stack.settings.stale_after_seconds)
    # The very first that happens on return.
    await visitor.page.mouse.click(box["x"] + 5, box["y"] + 5)

    await expect(visitor.time(slot)).to_have_count(0)
    await expect(visitor.stale_banner).to_have_count(0)
    assert visitor.calls["HoldSlot"] == 0


async def test_whom_the_service_does_not_answer_from_the_start_is_told_so_and_tries_again(
    visit, shop, proxy, at
):
    visitor = await visit(url=at)
    await visitor.option("Haircut").wait_for()
    proxy.blackhole()
    await visitor.widget.evaluate("(each) => each.getRootNode().host.setAttribute('business', 'x')")
    failure = visitor.widget.get_by_role("alert")
    await expect(failure).to_contain_text("cannot be reached", timeout=40_000)

    proxy.heal()
    await visitor.widget.evaluate(
        f"(each) => each.getRootNode().host.setAttribute('business', '{shop.business}')"
    )

    await expect(visitor.option("Haircut")).to_be_visible()
