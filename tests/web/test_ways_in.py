"""The pages of the demo: each way in books, and none of them breaks a rule of its own policy."""

import re

import pytest
from playwright.async_api import expect

from tests.web.axe import violations
from tests.web.layout import scrolls_sideways
from tests.web.visitor import a_slot, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = ["/", "/script-tag/", "/npm/", "/headless/"]


@pytest.mark.parametrize("path", ["/script-tag/", "/npm/"])
async def test_the_page_of_a_way_in_books_and_is_told_of_it(path, visit, shop):
    slot = await a_slot(shop)
    visitor = await visit(path)

    await visitor.pick()
    await visitor.choose(slot)
    await visitor.book()
    await visitor.sees_it_booked()

    (booking,) = await stored_bookings(shop)
    assert booking.start == slot.start
    await expect(visitor.page.get_by_text(f"The page was told of {booking.name}")).to_be_visible()
    source = visitor.page.get_by_role("region", name=re.compile("source of this page"))
    await expect(source).to_contain_text("slotcast-booking" if "tag" in path else "SlotcastBooking")
    assert not visitor.complaints


async def test_the_headless_page_books_in_two_clicks(visit, shop):
    visitor = await visit("/headless/")
    page = visitor.page
    row = page.get_by_role("row").filter(has_text="Haircut").first
    when = await row.locator("time").get_attribute("datetime")

    await row.get_by_role("button", name=re.compile("^Hold")).click()
    await page.get_by_role("button", name="Book", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("Booked")

    (booking,) = await stored_bookings(shop)
    assert booking.start.isoformat() == when.replace(".000Z", "+00:00")


async def test_the_headless_page_goes_grey_when_it_is_not_told(visit, shop):
    visitor = await visit("/headless/")
    page = visitor.page
    held = page.get_by_role("button", name=re.compile("^Hold")).first
    await held.wait_for()

    await page.context.set_offline(True)
    await expect(page.get_by_role("status")).to_contain_text("not known")
    await held.click(force=True)
    assert visitor.calls["HoldSlot"] == 0
    await page.context.set_offline(False)

    await expect(page.get_by_role("status")).not_to_contain_text("not known")
    await expect(held).to_have_attribute("aria-disabled", "false")


async def test_on_the_page_of_the_demo_one_visitor_sees_the_slot_of_the_other_go(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit("/", viewport={"width": 1280, "height": 900})
    first, second = (
        type(visitor)(visitor.page, visitor.page.locator(".slotcast").nth(number))
        for number in range(2)
    )
    for each in (first, second):
        await each.look_at(slot)

    await first.time(slot).click()
    await expect(second.time(slot)).to_have_count(0)
    events = visitor.page.get_by_role("region", name="Visitor A").locator(".events")
    await expect(events).to_contain_text("slotcast-held haircut")
    await first.book()
    await expect(events).to_contain_text("slotcast-booked haircut")


async def test_on_a_phone_the_page_of_the_demo_shows_one_visitor_at_a_time(visit):
    visitor = await visit("/", viewport={"width": 360, "height": 800})
    page = visitor.page
    await visitor.heading.wait_for()

    await page.get_by_role("button", name="Visitor B").click()

    await expect(page.get_by_role("region", name="Visitor B")).to_be_visible()
    await expect(page.get_by_role("region", name="Visitor A")).to_be_hidden()


async def test_the_page_of_the_demo_speaks_and_looks_as_it_is_told(visit):
    visitor = await visit("/", viewport={"width": 1280, "height": 900})
    await visitor.heading.wait_for()

    await visitor.page.get_by_label("Language").select_option("ar")
    await visitor.page.get_by_label("Colours").select_option("dark")

    for number in range(2):
        widget = visitor.page.locator(".slotcast").nth(number)
        await expect(widget).to_have_attribute("dir", "rtl")
        await expect(widget).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_keep_nobody_out_and_fit_their_window(path, scheme, width, visit):
    visitor = await visit(path, color_scheme=scheme, viewport={"width": width, "height": 800})
    await visitor.page.locator("[data-start], [type=submit], .take button").first.wait_for()

    assert await violations(visitor.page) == []
    assert await scrolls_sideways(visitor.page) == []


async def test_the_page_of_the_api_shows_the_document_with_no_error(visit):
    visitor = await visit("/script-tag/")

    await visitor.page.goto(visitor.page.url.replace("/script-tag/", "/api/"))

    await expect(visitor.page.locator('[data-path$="/slots"]')).to_be_visible()
    assert not visitor.complaints
