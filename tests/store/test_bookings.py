"""Bookings and holds, read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.booking import BookingQuery, BookingStatus, Holder, HoldStatus
from service.domain.interval import Interval
from service.store import bookings
from tests.builders import NOW, at, hours, minutes
from tests.store.rows import a_booking, a_hold_row, make_business, put

WINDOW = Interval(at("00:00"), at("23:00"))


@pytest.fixture(autouse=True)
async def business(database):
    await make_business(database)


async def page(database, *, after=None, limit=100, **asked):
    query = BookingQuery(**{"window": WINDOW, **asked})
    async with database.snapshot("demo") as tx:
        return await bookings.list_page(tx, "demo", query, after=after, limit=limit)


async def test_a_booking_is_read_back_whole(database):
    booking = a_booking(at("10:00"), calendar_ids=("anna", "room-1"), cancel_reason="ill")
    await put(database, bookings=[booking])

    async with database.snapshot("demo") as tx:
        assert await bookings.get(tx, "demo", booking.booking_id) == booking
        assert await bookings.get(tx, "other", booking.booking_id) is None


async def test_a_booking_that_has_changed_keeps_what_cannot_change(database):
    booking = a_booking(at("10:00"))
    moved = replace(
        booking,
        appointment=Interval(at("11:00"), at("11:30")),
        calendar_ids=("ben",),
        zone="Asia/Tokyo",
        status=BookingStatus.CANCELLED,
        version=2,
        updated_at=NOW + hours(1),
        cancel_reason="ill",
    )
    await put(database, bookings=[booking])
    await put(database, bookings=[moved])

    async with database.snapshot("demo") as tx:
        assert await bookings.by_ids(tx, "demo", [booking.booking_id]) == [moved]


async def test_pages_follow_each_other_without_gap_and_without_repetition(database):
    # Several begin at the same time: the id decides.
    stored = [a_booking(at("10:00") + minutes(10) * (number // 4)) for number in range(22)]
    await put(database, bookings=stored)

    listed, after = [], None
    while found := await page(database, after=after, limit=5):
        listed += found
        after = (found[-1].appointment.start, found[-1].booking_id)

    assert listed == sorted(stored, key=lambda each: (each.appointment.start, each.booking_id))


async def test_a_page_has_what_starts_in_the_window(database):
    stored = [a_booking(start) for start in (at("09:59"), at("10:00"), at("11:59"), at("12:00"))]
    await put(database, bookings=stored)

    found = await page(database, window=Interval(at("10:00"), at("12:00")))

    assert found == stored[1:3]


async def test_a_page_has_what_is_asked_for(database):
    on_both = a_booking(at("10:00"), calendar_ids=("anna", "room"))
    cancelled = a_booking(at("11:00"), status=BookingStatus.CANCELLED)
    pending = a_booking(at("12:00"), status=BookingStatus.PENDING, calendar_ids=("ben",))
    await put(database, bookings=[on_both, cancelled, pending])

    assert await page(database, calendar_id="anna") == [on_both, cancelled]
    assert await page(database, calendar_id="room") == [on_both]
    asked = frozenset({BookingStatus.PENDING, BookingStatus.CANCELLED})
    assert await page(database, statuses=asked) == [cancelled, pending]
    assert await page(database, statuses=asked, calendar_id="ben") == [pending]


async def test_a_hold_is_read_back_whole_and_again_when_it_was_renewed(database):
    hold = a_hold_row(NOW)
    renewed = replace(hold, expires_at=NOW + hours(1), calendar_ids=("anna", "room"))
    made_at = set()
    for state in (hold, renewed):
        await put(database, holds=[state])
        async with database.snapshot("demo") as tx:
            (found,) = await bookings.holds_by_ids(tx, "demo", [hold.hold_id])
        assert replace(found, created_at=NOW) == state
        made_at.add(found.created_at)

    assert len(made_at) == 1, "Renewing leaves when it was made, which the database's clock says."


async def test_only_live_holds_are_counted_each_for_its_holder_and_for_its_principal(database):
    async with database.snapshot("demo") as tx:
        now = (await tx.exec_driver_sql("SELECT now()")).scalar_one()
    later, earlier = now + timedelta(hours=1), now - timedelta(hours=1)
    await put(
        database,
        holds=[
            a_hold_row(later),
            a_hold_row(later),
            a_hold_row(earlier),
            a_hold_row(later, status=HoldStatus.RELEASED),
            a_hold_row(later, status=HoldStatus.BOOKED),
            a_hold_row(later, holder_key="key of joe"),
            a_hold_row(later, holder_key="key of sue", principal_id="widget"),
        ],
    )

    async with database.snapshot("demo") as tx:
        eve, ann = Holder("chatbot", "key of eve"), Holder("chatbot", "key of ann")
        counted = await bookings.count_live_holds(tx, "demo", [eve, ann])
        elsewhere = await bookings.count_live_holds(tx, "other", [eve])

    assert counted == {eve: 2, Holder("chatbot"): 3}
    assert elsewhere == {}
