"""From the letter to its link, and what can be done there, against the whole service."""

import re
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from service.cli.seed import ZONE
from slotcast import AppointmentType, BookingStatus, Closure, Customer, DateSpan
from tests.web.manage import (
    Managed,
    a_booking,
    an_offer,
    link_in,
    link_of,
    link_of_offer,
    one_who_waits,
)
from tests.web.states import make_a_rare_type
from tests.web.test_keyboard import Keys
from tests.web.visitor import a_slot, fill_the_day, stored_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def open_link(visit):
    """Open a link for a visitor, in a window of their own."""

    async def open_page(path, **options):
        return Managed(await visit(path, **options))

    return open_page


async def letter_to(stack, address, about=""):
    return await stack.catcher.letter(
        lambda letter: address in letter.recipients and about in letter.subject
    )


async def test_who_books_gets_a_letter_whose_link_moves_and_cancels_the_appointment(
    stack, shop, visit, open_link
):
    address = f"{shop.business}@example.com"
    visitor = await visit()
    await visitor.pick()
    await visitor.choose(await a_slot(shop))
    await visitor.book(email=address)
    await visitor.sees_it_booked()

    link = link_in(await letter_to(stack, address))
    managed = await open_link(link)
    await managed.shows("Your appointment")
    new_slot = await a_slot(shop, number=7)
    await managed.choose(new_slot)
    await managed.button("Move appointment").click()
    await expect(managed.card.get_by_text("Your appointment was moved.").first).to_be_visible()
    (booking,) = await stored_bookings(shop)
    assert (booking.start, booking.version) == (new_slot.start, 2)

    await managed.button("Cancel appointment").click()
    await managed.card.get_by_label("Reason").fill("I am unwell")
    await managed.button("Yes, cancel it").click()
    await managed.shows("Your appointment is cancelled")
    await expect(managed.card.locator("[aria-live]")).to_have_text("")
    (booking,) = await stored_bookings(shop)
    assert (booking.status, booking.cancel_reason) == (BookingStatus.CANCELLED, "I am unwell")

    again = await open_link(link)
    await again.shows("This appointment was cancelled")
    await expect(again.card.get_by_role("button")).to_have_count(0)


async def test_the_token_of_a_link_is_in_no_address_that_is_sent(stack, shop, open_link):
    link = link_of(stack, shop, await a_booking(shop))
    token = link.partition("#")[2]
    managed = await open_link("/manage/")
    sent = []

    def note(request):
        sent.append(request)

    managed.page.on("request", note)
    await managed.page.goto(f"{stack.url}{link}")
    await managed.shows("Your appointment")
    await managed.page.reload()
    await managed.shows("Your appointment")

    assert sent
    assert [each.url for each in sent if token in each.url.partition("#")[0]] == []
    assert [each.url for each in sent if token in each.headers.get("referer", "")] == []


async def test_a_time_that_another_takes_meanwhile_is_not_moved_to(stack, shop, open_link):
    booking = await a_booking(shop)
    managed = await open_link(link_of(stack, shop, booking))
    slot = await a_slot(shop, number=7)
    await managed.choose(slot)
    await shop.client.book(slot, customer=booking.customer)

    await managed.button("Move appointment").click()

    notice = managed.card.get_by_role("alert")
    await expect(notice).to_contain_text("has just been taken")
    await expect(notice.get_by_role("button").first).to_be_visible()
    await notice.get_by_role("button").first.click()
    await managed.button("Move appointment").click()
    await expect(managed.card.get_by_text("Your appointment was moved.").first).to_be_visible()


async def test_who_does_not_mind_with_whom_is_moved_to_anyone(stack, shop, open_link):
    booking = await a_booking(shop)
    managed = await open_link(link_of(stack, shop, booking))
    await managed.button("Choose another time").click()
    await managed.visitor.option("Anyone").click()
    other = await a_slot(shop, calendar="stylist-2", number=4)
    mine = await a_slot(shop, number=3)
    await shop.client.book(mine, customer=booking.customer)
    await managed.visitor.look_at(other)
    await managed.visitor.time(other).click()
    await managed.button("Move appointment").click()
    await expect(managed.card.get_by_text("Your appointment was moved.").first).to_be_visible()

    moved = await shop.client.get_booking(booking.name)
    assert moved.start == other.start


async def test_once_the_notice_has_passed_the_page_says_until_when_and_whom_to_call(
    stack, shop, open_link
):
    await shop.client.create_appointment_type(
        AppointmentType(
            name="feast",
            display_name="Feast",
            durations=(timedelta(hours=1),),
            any_of=("stylist-1",),
            cancellation_notice=timedelta(days=30),
        )
    )
    managed = await open_link(link_of(stack, shop, await a_booking(shop, "feast")))

    notice = managed.card.get_by_role("alert")
    await expect(notice).to_contain_text("It could be moved or cancelled here until")
    await expect(notice.get_by_role("link").first).to_have_attribute("href", "tel:+493023125000")
    await expect(managed.button("Cancel appointment")).to_have_count(0)


async def test_a_notice_that_passes_while_one_looks_is_told_when_it_is_refused(
    stack, shop, open_link
):
    managed = await open_link(link_of(stack, shop, await a_booking(shop)))
    await managed.button("Cancel appointment").click()
    haircut = await shop.client.get_appointment_type("haircut")
    late = replace(haircut, cancellation_notice=timedelta(days=30))
    await shop.client.update_appointment_type(late)

    await managed.button("Yes, cancel it").click()

    await expect(managed.card.get_by_role("alert")).to_contain_text("please call Demo salon")


async def test_what_was_changed_elsewhere_is_not_cancelled_unseen(stack, shop, open_link):
    booking = await a_booking(shop)
    managed = await open_link(link_of(stack, shop, booking))
    await managed.button("Cancel appointment").click()
    slot = await a_slot(shop, number=7)
    await shop.client.reschedule_booking(booking, to=slot)

    await managed.button("Yes, cancel it").click()

    await expect(managed.card.get_by_role("alert")).to_contain_text("changed in the meantime")
    day = managed.card.get_by_text(re.compile(rf"{slot.start.day} {slot.start:%B}"))
    await expect(day.first).to_be_visible()
    stored = await shop.client.get_booking(booking.name)
    assert stored.status is BookingStatus.CONFIRMED


async def test_what_was_sent_and_not_answered_is_done_once(stack, shop, open_link):
    booking = await a_booking(shop)
    managed = await open_link(link_of(stack, shop, booking))
    await managed.button("Cancel appointment").click()

    async def lose_the_answer(route):
        await route.fetch()
        await route.abort()

    await managed.page.route("**/CancelBooking", lose_the_answer)
    await managed.button("Yes, cancel it").click()
    await expect(managed.card.get_by_role("alert")).to_be_visible(timeout=40_000)
    await managed.page.unroute("**/CancelBooking")
    await managed.button("Try again").click()

    await managed.shows("Your appointment is cancelled")
    assert (await shop.client.get_booking(booking.name)).version == 2


async def test_without_a_network_it_says_that_it_may_be_out_of_date(stack, shop, open_link):
    managed = await open_link(link_of(stack, shop, await a_booking(shop)))
    await managed.shows("Your appointment")

    await managed.page.context.set_offline(True)
    await expect(managed.card.get_by_text("No connection")).to_be_visible()
    await managed.page.context.set_offline(False)
    await expect(managed.card.get_by_text("No connection")).to_have_count(0)


@pytest.mark.parametrize("fragment", ["", "#", "#slotcast_manage_AAAA"])
async def test_a_link_that_is_cut_off_says_so(open_link, fragment):
    managed = await open_link(f"/manage/{fragment}")

    await managed.shows("This link does not work")


async def test_a_link_that_was_not_made_here_says_so(stack, shop, open_link):
    link = link_of(stack, shop, await a_booking(shop))
    head, _, token = link.partition("slotcast_manage_")
    forged = "B" if token[0] == "A" else "A"

    managed = await open_link(f"{head}slotcast_manage_{forged}{token[1:]}")

    await managed.shows("This link does not work")


async def test_the_page_speaks_the_language_of_the_letter(stack, shop, open_link):
    managed = await open_link(link_of(stack, shop, await a_booking(shop, language="de-CH")))

    await managed.shows("Ihr Termin")
    await expect(managed.page.locator("html")).to_have_attribute("lang", "de-CH")


async def test_who_is_offered_a_time_takes_it_by_the_link_of_the_letter(stack, shop, open_link):
    address = f"waits-{shop.business}@example.com"
    _, slot = await an_offer(shop, email=address)

    link = link_in(await letter_to(stack, address, "A place is free"))
    managed = await open_link(link)
    await managed.shows("A time is free for you")
    await expect(managed.card.get_by_role("timer")).to_contain_text("Held for you for 1")
    await managed.button("Book this time").click()

    await managed.shows("You are booked")
    (booking,) = [each for each in await stored_bookings(shop) if each.customer.email == address]
    assert (booking.start, booking.calendars[0]) == (slot.start, slot.calendar)
    again = await open_link(link)
    await again.shows("You have booked this time")


async def test_who_waits_leaves_by_the_link_of_the_letter(stack, shop, open_link):
    address = f"leaves-{shop.business}@example.com"
    slot = await a_slot(shop, number=2)
    await shop.client.book(slot, customer=Customer(display_name="Somebody"))
    await one_who_waits(shop, slot, email=address)
    link = link_in(await letter_to(stack, address, "On the waiting list"))
    managed = await open_link(link)
    await managed.shows("You are on the waiting list")

    await managed.button("Leave the waiting list").click()
    await managed.shows("Leave the waiting list?")
    await managed.button("Yes, leave it").click()

    await managed.shows("You have left the waiting list")
    again = await open_link(link)
    await again.shows("You have left the waiting list")


async def test_who_declines_an_offer_leaves_it_to_the_next(stack, shop, open_link):
    entry, slot = await an_offer(shop)
    other = await one_who_waits(shop, slot, email="next@example.com")
    managed = await open_link(link_of_offer(stack, shop, entry))

    await managed.button("Decline").click()
    await managed.shows("Decline this time?")
    await managed.button("Yes, decline").click()

    await managed.shows("You have left the waiting list")
    next_one = await open_link(link_of_offer(stack, shop, other))
    await next_one.shows("A time is free for you")


async def test_who_waits_in_the_widget_is_written_to_when_something_opens(
    stack, shop, visit, open_link
):
    address = f"widget-{shop.business}@example.com"
    await make_a_rare_type(shop)
    visitor = await visit(attributes={"appointment-type": "rare", "waitlist": ""})
    await visitor.button("Tell me when something frees").click()
    await visitor.field("displayName").fill("Kim")
    await visitor.field("email").fill(address)
    await visitor.button("Put me on the waiting list").click()
    told = visitor.widget.get_by_text(f"You are on the waiting list. We will write to {address}.")
    await expect(told.first).to_be_visible()

    rare = await shop.client.get_appointment_type("rare")
    await shop.client.update_appointment_type(replace(rare, minimum_notice=timedelta()))

    managed = await open_link(link_in(await letter_to(stack, address, "A place is free")))
    await managed.shows("A time is free for you")


async def test_who_waits_for_a_full_day_is_offered_what_a_cancellation_frees_on_it(
    stack, shop, visit, open_link
):
    address = f"full-{shop.business}@example.com"
    booked = await fill_the_day(shop, (await a_slot(shop)).start)
    visitor = await visit(attributes={"waitlist": ""})
    await visitor.pick()
    await visitor.turn_to(booked[0].start, "no free times")
    await expect(visitor.widget.get_by_text("No free times left on this day.")).to_be_visible()
    await visitor.button("Tell me when something frees").click()
    await visitor.field("displayName").fill("Kim")
    await visitor.field("email").fill(address)
    await visitor.button("Put me on the waiting list").click()
    told = visitor.widget.get_by_text(f"You are on the waiting list. We will write to {address}.")
    await expect(told.first).to_be_visible()

    freed = booked[1]
    await shop.client.cancel_booking(freed)
    managed = await open_link(link_in(await letter_to(stack, address, "A place is free")))
    await managed.shows("A time is free for you")
    await managed.button("Book this time").click()

    await managed.shows("You are booked")
    mine = [each for each in await stored_bookings(shop) if each.customer.email == address]
    assert [(each.start, each.calendars) for each in mine] == [(freed.start, freed.calendars)]


async def test_a_day_on_which_it_is_closed_says_so_and_cannot_be_waited_for(shop, visit):
    start = (await a_slot(shop)).start.astimezone(ZoneInfo(ZONE))
    closed = Closure(
        name="trip",
        display_name="Trip",
        span=DateSpan(first_date=start.date(), last_date=start.date()),
    )
    await shop.client.create_closure(closed)
    visitor = await visit(attributes={"waitlist": ""})
    await visitor.pick()
    await expect(visitor.times.first).to_be_visible()
    if await visitor.widget.get_by_role("heading", name=f"{start:%B} {start.year}").count() == 0:
        await visitor.button("Next month").click()

    name = re.compile(rf"\b{start.day} {start:%B} {start.year}\b.*, closed$")
    day = visitor.widget.get_by_role("button", name=name)
    await expect(day).to_have_attribute("aria-disabled", "true")


async def test_without_a_waitlist_a_full_day_cannot_be_chosen(shop, visit):
    booked = await fill_the_day(shop, (await a_slot(shop)).start)
    visitor = await visit()
    await visitor.pick()
    await expect(visitor.times.first).to_be_visible()
    start = booked[0].start.astimezone(ZoneInfo(ZONE))
    name = re.compile(rf"\b{start.day} {start:%B} {start.year}\b.*no free times")
    day = visitor.widget.get_by_role("button", name=name)
    if await day.count() == 0:
        await visitor.button("Next month").click()

    await expect(day).to_have_attribute("aria-disabled", "true")
    await expect(visitor.button("Tell me when something frees")).to_have_count(0)


async def test_it_is_moved_by_keyboard_with_the_focus_seen_at_every_stop(stack, shop, open_link):
    booking = await a_booking(shop)
    managed = await open_link(link_of(stack, shop, booking))
    await expect(managed.button("Choose another time")).to_be_visible()
    hand = Keys(managed.visitor)

    await hand.tab_to(lambda at: at["name"] == "Choose another time")
    await hand.page.keyboard.press("Enter")
    await expect(managed.visitor.times.first).to_be_visible()
    await expect(managed.heading).to_be_focused()
    await hand.tab_to(lambda at: at["start"])
    await hand.page.keyboard.press("Enter")
    await managed.shows("Move your appointment?")
    await expect(managed.heading).to_be_focused()
    await hand.tab_to(lambda at: at["name"] == "Move appointment")
    await hand.page.keyboard.press("Enter")
    await managed.shows("Your appointment")
    await expect(managed.heading).to_be_focused()
    assert (await shop.client.get_booking(booking.name)).version == 2

    await hand.tab_to(lambda at: at["name"] == "Cancel appointment")
    await hand.page.keyboard.press("Enter")
    await managed.shows("Cancel your appointment?")
    await expect(managed.heading).to_be_focused()
    await hand.tab_to(lambda at: at["field"] == "reason")
    await hand.page.keyboard.type("By keyboard")
    await hand.page.keyboard.press("Enter")
    await managed.shows("Your appointment is cancelled")
