"""What is shown as open goes when it is taken, and comes when it is free, while one looks."""

import pytest
from playwright.async_api import expect

from slotcast import Customer
from tests.web.timing import Figures, answered_at, gone_at, note_end
from tests.web.visitor import a_slot, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 3
WHO = Customer(display_name="Kim")


async def test_what_one_visitor_takes_goes_for_the_other_without_a_click(visit, shop, tell):
    first, second = await visit(), await visit()
    for visitor in (first, second):
        await visitor.pick()
    ms = []
    for number in range(ROUNDS):
        # Whatever lies around one that is taken goes too; the first is always there.
        slot = await a_slot(shop, number=0)
        await second.look_at(slot)
        await note_end(second.time(slot))

        await first.choose(slot)
        gone = await gone_at(second.page)
        await expect(second.time(slot)).to_have_count(0)
        ms.append(gone - await answered_at(first.page, "HoldSlot"))

        await first.book(f"Visitor {number}")
        await first.sees_it_booked()
        await first.button("Book another").click()
        await first.pick()

    assert len(await stored_bookings(shop)) == ROUNDS
    tell(Figures("from the answer to the one to the screen of the other", ms))


async def test_what_is_booked_elsewhere_goes_and_what_is_cancelled_comes_back(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.look_at(slot)

    booking = await shop.client.book(slot, customer=WHO)
    await expect(visitor.time(slot)).to_have_count(0)
    await shop.client.cancel_booking(booking)

    await expect(visitor.time(slot)).to_be_visible()


async def test_the_days_of_the_month_count_what_is_left(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.look_at(slot)
    day = visitor.widget.locator('.slotcast-day[data-is-selected="true"]')
    before = await day.get_attribute("aria-label")

    await shop.client.book(slot, customer=WHO)

    await expect(day).not_to_have_attribute("aria-label", before)


async def test_who_holds_the_focus_on_a_time_that_goes_is_put_on_its_neighbour(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.look_at(slot)
    await visitor.time(slot).focus()

    await shop.client.book(slot, customer=WHO)

    await expect(visitor.time(slot)).to_have_count(0)
    await expect(visitor.times.and_(visitor.page.locator(":focus"))).to_have_count(1)
