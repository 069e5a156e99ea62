"""A visitor books in a real browser, through the gateway, at the real service."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from slotcast import BookingStatus, SlotChoice, SlotTaken
from tests.web.visitor import a_slot, a_slot_that_is_held_briefly, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOOK = "**/slotcast.v1.BookingService/Book"
HOLD = "**/slotcast.v1.BookingService/HoldSlot"


async def test_a_visitor_books_from_the_first_screen_to_the_confirmation(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()

    await visitor.pick("Haircut", "Stylist 1")
    await visitor.choose(slot)
    await visitor.book("Kim", "kim@example.com")
    await visitor.sees_it_booked()

    (booking,) = await stored_bookings(shop)
    assert (booking.start, booking.end) == (slot.start, slot.end)
    assert booking.calendars == (slot.calendar,)
    assert booking.status == BookingStatus.CONFIRMED
    assert (booking.customer.display_name, booking.customer.email) == ("Kim", "kim@example.com")


async def test_who_does_not_mind_with_whom_is_given_to_somebody(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()

    await visitor.pick("Haircut", "Anyone")
    await visitor.choose(slot)
    await visitor.book()
    await visitor.sees_it_booked()

    (booking,) = await stored_bookings(shop)
    assert booking.start == slot.start


async def test_what_needs_approval_is_asked_for(visit, shop):
    slot = await a_slot(shop, "colouring")
    visitor = await visit()

    await visitor.pick("Colouring", "Stylist 1")
    await visitor.choose(slot)
    await visitor.book()
    await expect(visitor.heading).to_have_text("Your request was sent")

    (booking,) = await stored_bookings(shop)
    assert booking.status == BookingStatus.PENDING


async def test_of_two_who_choose_a_time_at_once_one_has_it_and_the_other_books_an_alternative(
    visit, shop
):
    slot = await a_slot(shop)
    first, second = await visit(), await visit()
    for visitor in (first, second):
        await visitor.pick()
        await visitor.look_at(slot)
    is_held = asyncio.Event()

    async def come_second(route):
        await is_held.wait()
        await route.continue_()

    # Both press before either knows of the other.
    await second.page.route(HOLD, come_second)
    await second.time(slot).click()
    await first.time(slot).click()
    await expect(first.field("displayName")).to_be_visible()
    is_held.set()

    lost = second.widget.get_by_role("alert")
    await expect(lost).to_contain_text("has just been taken")
    await expect(lost).to_be_focused()
    await lost.get_by_role("button").first.click()
    await expect(second.field("displayName")).to_be_visible()
    for visitor in (first, second):
        await visitor.book()
        await visitor.sees_it_booked()

    one, other = await stored_bookings(shop)
    assert slot.start in {one.start, other.start}
    assert (one.start, one.calendars) != (other.start, other.calendars)


async def test_b3_a_double_click_on_book_books_once(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(slot)
    await visitor.field("displayName").fill("Kim")

    await visitor.submit.dblclick()
    await visitor.sees_it_booked()

    assert len(await stored_bookings(shop)) == 1
    assert visitor.calls["Book"] == 1


async def test_b3_what_was_answered_to_nobody_is_sent_again_and_booked_once(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(slot)
    cut = []

    async def cut_the_first_answer(route):
        if cut:
            await route.continue_()
            return
        cut.append(await route.fetch())
        await route.abort()

    await visitor.page.route(BOOK, cut_the_first_answer)
    await visitor.book()
    await visitor.sees_it_booked()

    assert [answer.status for answer in cut] == [200]
    assert len(await stored_bookings(shop)) == 1
    assert visitor.calls["Book"] == 2


async def test_b3_whom_no_answer_reaches_is_told_so_and_may_press_again(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(slot)

    is_mended = asyncio.Event()

    async def cut_the_answer(route):
        if is_mended.is_set():
            await route.continue_()
            return
        await route.fetch()
        await route.abort()

    await visitor.page.route(BOOK, cut_the_answer)
    await visitor.book()
    await expect(visitor.widget.get_by_role("alert")).to_contain_text("it is booked once only")
    is_mended.set()
    await visitor.submit.click()
    await visitor.sees_it_booked()

    assert len(await stored_bookings(shop)) == 1


async def test_b7_what_one_held_oneself_can_be_chosen_again(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(slot)
    with pytest.raises(SlotTaken):
        await shop.client.hold_slot(slot, holder="another")

    await visitor.button("Back").click()
    # The day is the one that was looked at before.
    await visitor.time(slot).click()
    await visitor.book()
    await visitor.sees_it_booked()

    assert [booking.start for booking in await stored_bookings(shop)] == [slot.start]


@pytest.mark.parametrize("way", ["closes the page", "follows a link"])
async def test_b7_what_one_held_is_free_as_soon_as_one_leaves(way, visit, shop):
    slot = await a_slot(shop)
    first, second = await visit(), await visit()
    await second.pick()
    await second.look_at(slot)
    await first.pick()
    await first.choose(slot)
    await expect(second.time(slot)).to_have_count(0)

    if way == "closes the page":
        await first.page.close(run_before_unload=True)
    else:
        await first.page.goto("about:blank")

    await expect(second.time(slot)).to_be_visible()


async def test_b7_what_one_holds_is_renewed_while_one_types(visit, shop):
    slot = await a_slot_that_is_held_briefly(shop)
    visitor = await visit()
    await visitor.pick("Quick look", "")
    await visitor.choose(slot)
    timer = visitor.widget.get_by_role("timer")

    await expect(timer).to_have_text(re.compile("0:0[1-4]$"))
    await visitor.field("displayName").press_sequentially("Kim")
    await expect(timer).to_have_text(re.compile("0:(10|0[6-9])$"))

    assert visitor.calls["RenewHold"] == 1


async def test_b7_what_has_expired_can_be_held_again(visit, shop):
    slot = await a_slot_that_is_held_briefly(shop)
    visitor = await visit()
    await visitor.pick("Quick look", "")
    await visitor.choose(slot)

    await visitor.button("Hold it again").click()
    await expect(visitor.widget.get_by_role("timer")).to_be_visible()
    await visitor.book()
    await visitor.sees_it_booked()

    assert len(await stored_bookings(shop)) == 1


async def test_a_mistake_is_told_at_its_field_before_anything_is_sent(visit, shop):
    slot = await a_slot(shop)
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(slot)

    await visitor.book(name="", email="kim at example")

    for field in ("displayName", "email"):
        await expect(visitor.field(field)).to_have_attribute("aria-invalid", "true")
    await expect(visitor.field("displayName")).to_be_focused()
    assert visitor.calls["Book"] == 0


async def test_a_place_in_a_class_is_one_of_eight(visit, shop):
    slot = await a_slot(shop, "class", "colour-room", number=0)
    visitor = await visit()
    await visitor.pick("Styling class", "")
    await visitor.look_at(slot)
    await expect(visitor.time(slot)).to_contain_text("8 seats left")

    choice = SlotChoice(appointment_type="class", calendar="colour-room", start=slot.start)
    await shop.client.hold_slot(choice, holder="another")

    await expect(visitor.time(slot)).to_contain_text("7 seats left")
