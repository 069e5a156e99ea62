"""The whole booking without a mouse, with the focus seen at every stop."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from service.cli.seed import ZONE
from tests.web.visitor import stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEPS_MAX = 40
FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  // A radio button is drawn by its label.
  const drawn = element?.matches?.("input[type=radio]") ? element.parentElement : element;
  const style = drawn ? getComputedStyle(drawn) : null;
  const box = drawn?.getBoundingClientRect();
  const ringed = [drawn, ...(drawn?.children ?? [])].filter(Boolean).some((each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  return {
    name: element?.getAttribute?.("aria-label") ?? element?.textContent?.trim() ?? "",
    tag: element?.localName ?? "",
    field: element?.getAttribute?.("name") ?? "",
    start: element?.dataset?.start ?? "",
    isSeen: ringed && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    ring: style && `${style.outlineStyle} ${style.outlineWidth}`,
  };
}
"""


@pytest.fixture
def keys(visit):
    """A visitor with nothing but a keyboard, and what they press."""

    async def open_page():
        visitor = await visit()
        await visitor.option("Haircut").wait_for()
        return Keys(visitor)

    return open_page


class Keys:
    def __init__(self, visitor):
        self.visitor = visitor
        self.page = visitor.page

    async def press(self, *names):
        """Press keys; after each of them it must be seen where the focus is."""
        for name in names:
            await self.page.keyboard.press(name)
        focused = await self.focused()
        assert focused["isSeen"], focused
        return focused

    async def focused(self):
        return await self.page.evaluate(FOCUSED)

    async def tab_to(self, is_it):
        """Press Tab until the focus is where it is wanted."""
        for _ in range(STEPS_MAX):
            focused = await self.press("Tab")
            if is_it(focused):
                return focused
        raise AssertionError("The focus never came there.")

    async def is_on(self, day):
        """Wait until a day has the focus: it follows the key."""
        name = re.compile(rf"\b{day.day} {day:%B} {day.year}\b")
        focused = self.visitor.widget.locator(":focus")
        await expect(focused).to_have_attribute("aria-label", name)
        assert (await self.focused())["isSeen"]


async def test_the_whole_booking_is_done_by_keyboard_with_the_focus_seen_at_every_stop(keys, shop):
    hand = await keys()
    await hand.tab_to(lambda at: at["tag"] == "input")
    await hand.tab_to(lambda at: at["name"].startswith("Continue"))
    await hand.page.keyboard.press("Enter")
    await expect(hand.visitor.widget.get_by_role("grid")).to_be_visible()
    await expect(hand.visitor.times.first).to_be_visible()
    await expect(hand.visitor.heading).to_be_focused()

    await hand.tab_to(lambda at: "free time" in at["name"])
    await hand.press("Enter")
    await hand.tab_to(lambda at: at["start"])
    await hand.page.keyboard.press("Enter")
    await expect(hand.visitor.heading).to_have_text("Your details")
    await expect(hand.visitor.heading).to_be_focused()

    await hand.tab_to(lambda at: at["field"] == "displayName")
    await hand.page.keyboard.type("Kim")
    await hand.tab_to(lambda at: at["field"] == "note")
    await hand.page.keyboard.type("By keyboard")
    await hand.tab_to(lambda at: at["name"] == "Book")
    await hand.page.keyboard.press("Enter")
    await hand.visitor.sees_it_booked()
    await expect(hand.visitor.heading).to_be_focused()

    (booking,) = await stored_bookings(shop)
    assert booking.customer.display_name == "Kim"
    assert booking.fields == {"note": "By keyboard"}


async def test_an_answer_is_changed_by_arrows(keys):
    hand = await keys()
    await hand.tab_to(lambda at: at["tag"] == "input")

    await hand.press("ArrowDown")

    checked = hand.visitor.widget.get_by_role("radio", checked=True).first
    await expect(checked).to_be_focused()
    await expect(hand.visitor.option("Colouring").get_by_role("radio")).to_be_checked()


async def test_one_walks_over_the_days_by_arrows_home_end_and_page_keys(keys):
    hand = await keys()
    await hand.visitor.pick()
    await expect(hand.visitor.times.first).to_be_visible()
    await hand.tab_to(lambda at: "free time" in at["name"])
    today = datetime.now(ZoneInfo(ZONE)).date()
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    second, week_after = first + timedelta(days=1), first + timedelta(days=8)

    await hand.press("PageDown")
    month = hand.visitor.widget.get_by_role("heading", name=f"{first:%B} {first.year}")
    await expect(month).to_be_visible()
    for key, day in (
        ("Home", first),
        ("ArrowRight", second),
        ("ArrowDown", week_after),
        ("ArrowUp", second),
        ("ArrowLeft", first),
        ("End", last),
        ("Home", first),
    ):
        await hand.press(key)
        await hand.is_on(day)
    await hand.press("PageUp")
    month = hand.visitor.widget.get_by_role("heading", name=f"{today:%B} {today.year}")
    await expect(month).to_be_visible()


async def test_keys_that_are_pressed_faster_than_days_are_drawn_leave_the_focus_on_one_day(keys):
    hand = await keys()
    await hand.visitor.pick()
    await expect(hand.visitor.times.first).to_be_visible()
    await hand.tab_to(lambda at: "free time" in at["name"])

    # While the times of the next month come.
    await hand.press("PageDown", "Home", *("ArrowRight", "ArrowDown", "ArrowUp") * 3)

    await expect(hand.visitor.widget.locator(".slotcast-day:focus")).to_have_count(1)


async def test_whom_a_time_is_lost_to_finds_the_focus_on_what_is_said_of_it(visit, shop):
    visitor = await visit()
    await visitor.pick()
    await expect(visitor.times.first).to_be_visible()
    await visitor.page.route(
        "**/HoldSlot",
        lambda route: route.abort(),
    )
    await visitor.times.first.focus()
    await visitor.page.keyboard.press("Enter")

    await expect(visitor.widget.get_by_role("alert")).to_be_visible(timeout=30_000)
    assert (await visitor.page.evaluate(FOCUSED))["tag"] != "body"
