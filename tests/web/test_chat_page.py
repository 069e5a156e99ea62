"""The chat page in a browser: times as chips, a hold, and the form to which it hands over."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import expect
from uvicorn import Config

from slotcast import Slot
from slotcast_chat.server.app import build_app
from slotcast_chat.server.chat import running_chat
from slotcast_chat.server.chips import slot_of
from slotcast_chat.server.command import PageServer
from tests.web.axe import violations
from tests.web.visitor import SECONDS_MAX, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<img src=x onerror=alert(1)> Ada"
expect.set_options(timeout=SECONDS_MAX * 1000)


@asynccontextmanager
async def chat_server(shop):
    """Serve the chat page of a business; it is begun and ended in one task."""
    ready, done = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def serve():
        async with running_chat(shop.client, shop.business) as chat:
            config = Config(build_app(chat), host="127.0.0.1", port=0, log_level="error")
            config.timeout_graceful_shutdown = 1
            server = PageServer(config)
            serving = asyncio.create_task(server.serve())
            await server.is_up.wait()
            ready.set_result(server.url)
            await done.wait()
            server.should_exit = True
            await chat.close()
            await serving

    task = asyncio.create_task(serve())
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result() if ready.done() else await task
    finally:
        done.set()
        await task


class Chat:
    """A chat page, and what one does there."""

    def __init__(self, page):
        self.page = page
        self.log = page.get_by_role("log")
        self.chips = page.locator("button.chip")

    async def say(self, text):
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")

    async def hears(self, text):
        await expect(self.log).to_contain_text(text)

    def reply(self, text):
        return self.page.get_by_role("group", name="Suggested answers").get_by_role(
            "button", name=text
        )


@pytest_asyncio.fixture(loop_scope="session")
async def chat(browser, shop):
    """A chat page in a window of its own, in Berlin."""
    async with chat_server(shop) as url:
        context = await browser.new_context(timezone_id="Europe/Berlin", locale="en-GB")
        page = await context.new_page()
        await page.goto(url)
        chat = Chat(page)
        await chat.hears("Europe/Berlin, the time zone of your browser")
        yield chat
        await context.close()


async def taken_by_others(shop, time):
    """Hold a time for somebody else, with everybody."""
    service, person, start, minutes = time.split("|")
    people = [person] if person else ["stylist-1", "stylist-2"]
    slots = [slot_of("|".join((service, each, start, minutes)), shop.business) for each in people]
    return [
        await shop.client.hold_slot(
            Slot(
                appointment_type=slot.appointment_type,
                calendar=slot.calendar,
                start=slot.start,
                end=slot.end,
            ),
            holder="somebody-else",
        )
        for slot in slots
    ]


async def told_times(chat):
    """Return the names of the times that the chips stand for: the server told them."""
    events = await chat.page.evaluate(
        """async () => {
          const id = sessionStorage.getItem("slotcast-chat-conversation");
          const source = new EventSource(`api/conversations/${id}/events`);
          return await new Promise((resolve) => source.addEventListener("said", (event) => {
            if (JSON.parse(event.data).chips.length) { source.close(); resolve(event.data); }
          }));
        }"""
    )
    return [chip["time"] for chip in json.loads(events)["chips"]]


async def test_a_chip_goes_grey_and_comes_back_is_held_and_the_form_books_it(shop, chat):
    await chat.say("A haircut tomorrow morning, please")
    await expect(chat.chips).to_have_count(4)
    times = await told_times(chat)

    holds = await taken_by_others(shop, times[0])
    await expect(chat.chips.nth(0)).to_have_attribute("data-state", "GONE")
    await expect(chat.chips.nth(0)).to_have_attribute("aria-disabled", "true")
    for hold in holds:
        await shop.client.release_hold(hold)
    await expect(chat.chips.nth(0)).to_have_attribute("data-state", "OPEN")

    await chat.chips.nth(1).click()
    await chat.hears("is held for you until")
    await expect(chat.chips.nth(1)).to_have_attribute("data-state", "HELD")
    await chat.say("My name is Ada")
    await chat.hears("What is your e-mail address")
    await chat.say("I'd rather fill in a form")
    async with chat.page.context.expect_page() as opened:
        await chat.page.get_by_role("link", name="Open the form").click()
    form = await opened.value
    await expect(form.locator('[name="displayName"]')).to_have_value("Ada")
    await expect(form.get_by_role("timer")).to_contain_text("Held for you for")
    await form.locator('[name="email"]').fill("ada@example.com")
    await form.locator("button[type=submit]").click()

    await chat.hears("The form has booked it.")
    (booking,) = await stored_bookings(shop)
    assert booking.start == slot_of(times[1], shop.business).start
    assert booking.customer.display_name == "Ada"


async def test_one_books_without_leaving_the_chat_and_what_is_said_is_only_text(shop, chat):
    await chat.say("A haircut with Stylist 2 tomorrow morning")
    await expect(chat.chips).to_have_count(4)
    await chat.say("at 10:00")
    await chat.hears("What is your name")
    await chat.say(HOSTILE)
    await chat.hears("What is your e-mail address")
    await chat.say("No")
    await chat.reply("Yes, please.").click()
    await chat.hears("Booked: Haircut with Stylist 2")
    await expect(chat.page.locator('button.chip:not([aria-disabled="true"])')).to_have_count(0)

    (booking,) = await stored_bookings(shop)
    assert booking.customer.display_name == HOSTILE
    assert await chat.page.locator("img").count() == 0


async def test_while_it_is_not_known_what_is_open_no_chip_can_be_chosen(stack, chat):
    await chat.say("A haircut tomorrow morning")
    await expect(chat.chips).to_have_count(4)
    stack.workers.freeze()
    try:
        await expect(chat.page.get_by_role("status")).to_contain_text("I do not know right now")
        await expect(chat.chips.nth(0)).to_have_attribute("data-state", "UNKNOWN")
        await expect(chat.chips.nth(0)).to_have_attribute("aria-disabled", "true")
    finally:
        stack.workers.thaw()
    await expect(chat.chips.nth(0)).to_have_attribute("data-state", "OPEN")
    await expect(chat.page.get_by_role("status")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_the_page_on_a_narrow_screen_too(chat, scheme):
    await chat.page.emulate_media(color_scheme=scheme)
    await chat.page.set_viewport_size({"width": 320, "height": 640})
    await chat.say("A haircut tomorrow morning")
    await expect(chat.chips).to_have_count(4)
    await chat.chips.nth(0).focus()
    await chat.page.keyboard.press("Enter")
    await chat.hears("is held for you until")

    assert await violations(chat.page) == []
    width = await chat.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320
    await expect(chat.page.get_by_label("Your message")).to_be_focused()
    assert re.search("held for you", await chat.chips.nth(0).inner_text())


async def test_a_time_that_is_not_watched_is_not_shown_as_live_and_can_be_chosen(
    browser, shop, monkeypatch
):
    monkeypatch.setattr("slotcast_chat.server.chat.AHEAD", timedelta(minutes=1))
    async with chat_server(shop) as url:
        context = await browser.new_context(timezone_id="Europe/Berlin", locale="en-GB")
        page = await context.new_page()
        await page.goto(url)
        chat = Chat(page)
        await chat.say("A haircut in three days in the morning")
        await expect(chat.chips).to_have_count(4)
        first = chat.chips.nth(0)
        await expect(first).to_have_attribute("data-state", "NOT_LIVE")
        await expect(first).to_contain_text("was free when I looked")
        await expect(first).to_have_attribute("aria-disabled", "false")
        assert await violations(page) == []

        await first.click()

        await chat.hears("is held for you until")
        await expect(first).to_have_attribute("data-state", "HELD")
        await context.close()
