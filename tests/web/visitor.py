"""A visitor with a window of their own, and what they do with the widget."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from service.cli.seed import ZONE
from slotcast import AppointmentType, Booking, BookingQuery, Customer, Slot, SlotQuery
from tests.web.stack import HOST_PATH, Shop
from tests.web.timing import NOTE_ANSWERS

SECONDS_MAX = 20
# Requests are not intercepted to bring a page in: one that is under way when that ends may never be
# answered.
PLACE_ELEMENT = """
(attributes) => {
  const element = document.createElement("slotcast-booking");
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  document.documentElement.lang = attributes.language ?? "en";
  document.querySelector("main").append(element);
}
"""

expect.set_options(timeout=SECONDS_MAX * 1000)


class Visitor:
    """What one sees, and does.

    `calls` counts the calls that the page made, by method; `errors` are what its scripts threw, and
    `complaints` what the browser wrote to its console.
    """

    def __init__(self, page: Page, widget: Locator) -> None:
        self.page = page
        self.widget = widget
        self.calls: Counter[str] = Counter()
        self.errors: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _note(self, url: str) -> None:
        if "/slotcast.v1." in url:
            self.calls[url.rpartition("/")[2]] += 1

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.complaints.append(line.text)

    # What there is on the screens.

    @property
    def submit(self) -> Locator:
        """The button that leads on."""
        return self.widget.locator("button[type=submit]")

    @property
    def heading(self) -> Locator:
        """What the screen is called."""
        return self.widget.get_by_role("heading").first

    @property
    def stale_banner(self) -> Locator:
        return self.widget.get_by_text("Not up to date")

    @property
    def times(self) -> Locator:
        """All times of the day."""
        return self.widget.locator("[data-start]")

    def time(self, slot: Slot) -> Locator:
        """The button of a time, where it can be pressed."""
        ms = round(slot.start.timestamp() * 1000)
        return self.widget.locator(f'[data-start="{ms}"][aria-disabled="false"]')

    def option(self, name: str) -> Locator:
        return self.widget.locator("label").filter(has_text=re.compile(rf"^{re.escape(name)}"))

    def field(self, name: str) -> Locator:
        """A field of the form, by its name in the API."""
        return self.widget.locator(f'[name="{name}"]')

    def button(self, name: str) -> Locator:
        return self.widget.get_by_role("button", name=name, exact=True)

    # What one does.

    async def pick(self, appointment: str = "Haircut", person: str = "Stylist 1") -> None:
        """Choose what and with whom, and look at the times."""
        await self.option(appointment).click()
        if person:
            await self.option(person).click()
        await self.submit.click()
        await expect(self.widget.get_by_role("grid")).to_be_visible()

    async def look_at(self, slot: Slot) -> None:
        """Turn to the day of a slot."""
        await self.turn_to(slot.start, r"\d free time")
        await expect(self.time(slot)).to_be_visible()

    async def turn_to(self, start: datetime, told: str) -> None:
        """Turn to a day, free or not, once this is told of it."""
        day = start.astimezone(ZoneInfo(ZONE))
        # While its times are not known a day cannot be chosen.
        name = re.compile(rf"\b{day.day} {day:%B} {day.year}\b.*{told}")
        cell = self.widget.get_by_role("button", name=name)
        month = self.widget.get_by_role("heading", name=re.compile(rf"^{day:%B} {day.year}$"))
        await expect(self.widget.get_by_role("grid")).to_be_visible()
        if await month.count() == 0:
            await self.button("Next month").click()
        await cell.click()

    async def choose(self, slot: Slot) -> None:
        """Choose a time; it is held then."""
        await self.look_at(slot)
        await self.time(slot).click()
        await expect(self.field("displayName")).to_be_visible()

    async def book(self, name: str = "Kim", email: str = "kim@example.com") -> None:
        """Say who comes, and book."""
        await self.field("displayName").fill(name)
        await self.field("email").fill(email)
        await self.submit.click()

    async def sees_it_booked(self) -> None:
        await expect(self.heading).to_have_text("You are booked")


@asynccontextmanager
async def a_visitor(
    browser: Browser,
    url: str,
    shop: Shop,
    path: str = "",
    attributes: dict[str, str] | None = None,
    options: dict | None = None,
) -> AsyncIterator[Visitor]:
    """Open a page in a window that nobody else has; without a path, one with only the element."""
    wishes = {"locale": "en-GB", "timezone_id": ZONE, "reduced_motion": "reduce", **(options or {})}
    async with await browser.new_context(**wishes) as context:
        await context.add_init_script(NOTE_ANSWERS)
        await context.add_init_script(_demo(shop))
        page = await context.new_page()
        visitor = Visitor(page, page.locator(".slotcast").first)
        await page.goto(f"{url}{path or HOST_PATH}")
        if not path:
            given = {"url": "", "business": shop.business, "api-key": shop.page_key}
            await page.evaluate(PLACE_ELEMENT, {**given, **(attributes or {})})
        yield visitor
        if not page.is_closed():
            await page.unroute_all(behavior="ignoreErrors")
        assert not visitor.errors


def _demo(shop: Shop) -> str:
    """Let a page of the demo be told of another business than the demo's."""
    demo = json.dumps({"url": "", "business": shop.business, "apiKey": shop.page_key})
    return (
        "{ const fetch = window.fetch; window.fetch = async (input, init) =>"
        f" input === '/demo.json' ? new Response('{demo}') : fetch(input, init); }}"
    )


async def a_slot(
    shop: Shop, appointment: str = "haircut", calendar: str = "stylist-1", *, number: int = 2
) -> Slot:
    """Return one of the open slots of the next week, from the day after tomorrow on."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    query = SlotQuery(
        start=today + timedelta(days=2),
        end=today + timedelta(days=9),
        appointment_types=(appointment,),
        calendars=(calendar,),
    )
    page = await shop.client.list_slots(query)
    return page.items[number]


async def fill_the_day(shop: Shop, start: datetime) -> list[Booking]:
    """Book all that is open on a day with the first stylist; returns the bookings, in order."""
    midnight = start.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    query = SlotQuery(
        start=midnight,
        end=midnight + timedelta(days=1),
        appointment_types=("haircut",),
        calendars=("stylist-1",),
    )
    booked: list[Booking] = []
    while slots := (await shop.client.list_slots(query)).items:
        booked.append(await shop.client.book(slots[0], customer=Customer(display_name="Kim")))
    return booked


async def a_slot_that_is_held_briefly(shop: Shop) -> Slot:
    """Make a type that is held for 10 s only, "Quick look", and return one of its slots."""
    await shop.client.create_appointment_type(
        AppointmentType(
            name="quick",
            display_name="Quick look",
            durations=(timedelta(minutes=30),),
            any_of=("stylist-1",),
            hold_duration=timedelta(seconds=10),
        )
    )
    return await a_slot(shop, "quick")


async def stored_bookings(shop: Shop):
    """Return all bookings of a business, as the service has them."""
    now = datetime.now(UTC)
    page = await shop.client.list_bookings(
        BookingQuery(start=now - timedelta(days=1), end=now + timedelta(days=60))
    )
    return list(page.items)
