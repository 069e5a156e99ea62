"""What people write is text, whose time it is is said, and languages are spoken."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.web.visitor import a_slot, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"window.isHurt = true\"><b>Kim</b> & 'co'"


def clock(time):
    """Return how a time may be written by a 24-hour clock."""
    return re.compile(rf"^0?{time:%-H:%M}$")


async def test_what_a_visitor_writes_never_becomes_html(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit(attributes={"name": MARKUP, "note": MARKUP})
    await visitor.pick()
    await visitor.choose(slot)
    await expect(visitor.field("displayName")).to_have_value(MARKUP)

    await visitor.submit.click()
    await visitor.sees_it_booked()

    (booking,) = await stored_bookings(shop)
    assert booking.customer.display_name == MARKUP
    assert booking.fields["note"] == MARKUP
    assert await visitor.widget.locator("img").count() == 0
    assert not await visitor.page.evaluate("'isHurt' in window")


async def test_what_a_business_is_called_never_becomes_html(visit, stack):
    async with stack.a_shop(MARKUP) as shop:
        visitor = await visit(shop=shop)

        await expect(visitor.widget.get_by_text(MARKUP)).to_be_visible()
        assert await visitor.widget.locator("img, b").count() == 0
        assert not await visitor.page.evaluate("'isHurt' in window")


async def test_another_time_zone_than_the_business_has_is_noted(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit(timezone_id="Asia/Tokyo")
    await visitor.pick()
    await visitor.look_at(slot)

    there = slot.start.astimezone(ZoneInfo("Asia/Tokyo"))
    await expect(visitor.time(slot)).to_have_text(clock(there))
    await expect(visitor.widget.get_by_text("Times are in Asia/Tokyo")).to_be_visible()
    here = slot.start.astimezone(ZoneInfo("Europe/Berlin"))
    hours = int(f"{there:%z}"[:3]) - int(f"{here:%z}"[:3])
    note = f"At Demo salon it is {hours} hours earlier."
    await expect(visitor.widget.get_by_text(note)).to_be_visible()


async def test_who_is_where_the_business_is_reads_no_note(visit, shop):
    visitor = await visit()
    await visitor.pick()

    await expect(visitor.widget.get_by_text("Times are in Europe/Berlin")).to_be_visible()
    assert await visitor.widget.get_by_text("At Demo salon").count() == 0


async def test_another_zone_changes_the_times_and_not_what_is_booked(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.look_at(slot)
    here = slot.start.astimezone(ZoneInfo("Europe/Berlin"))
    await expect(visitor.time(slot)).to_have_text(clock(here))

    await visitor.button("Change").click()
    await visitor.widget.get_by_label("Time zone").select_option("Europe/London")
    await expect(visitor.time(slot)).to_have_text(clock(here - timedelta(hours=1)))
    await visitor.button("12-hour clock").click()
    hour = f"{here - timedelta(hours=1):%-I:%M}"
    await expect(visitor.time(slot)).to_have_text(re.compile(rf"^{hour}\sam$"))

    await visitor.time(slot).click()
    await visitor.book()
    await visitor.sees_it_booked()
    (booking,) = await stored_bookings(shop)
    assert booking.start == slot.start
    assert booking.customer.time_zone == "Europe/London"


@pytest.mark.parametrize(
    ("language", "heading", "direction"),
    [
        ("en", "Book an appointment", "ltr"),
        ("de", "Termin buchen", "ltr"),
        ("es", "Reservar una cita", "ltr"),
        ("fr", "Prendre rendez-vous", "ltr"),
        ("ar", "احجز موعدًا", "rtl"),
        ("ja", "予約する", "ltr"),
    ],
)
async def test_each_language_is_spoken_from_the_first_screen_to_the_last(
    language, heading, direction, visit, shop
):
    visitor = await visit(attributes={"language": language})

    await expect(visitor.heading).to_have_text(heading)
    await expect(visitor.widget).to_have_attribute("dir", direction)
    await visitor.pick()
    await visitor.times.first.click()
    await visitor.book()
    await expect(visitor.widget.locator(".slotcast-done")).to_be_visible()

    assert len(await stored_bookings(shop)) == 1
