"""What is promised of appointments that recur, on the whole service: two servers, one database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import (
    BookingQuery,
    Customer,
    Series,
    SeriesMode,
    SeriesRefused,
    SlotcastError,
    SlotChoice,
    SlotTaken,
    Wish,
)
from tests.salon import make_salon

WHO = Customer(display_name="A visitor")
DAY = timedelta(days=1)
OCCURRENCES = 8
RULE = f"FREQ=DAILY;COUNT={OCCURRENCES}"
SERIES, ROUNDS = 6, 4


@pytest.fixture
async def two(start_server, connect):
    """Clients of two servers on one database."""
    clients = [await connect(await start_server()) for _ in range(2)]
    await make_salon(clients[0])
    return clients


def day(number, *, hour=0, calendar="chair-1"):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    return SlotChoice(
        appointment_type="cut",
        calendar=calendar,
        start=start + number * DAY + timedelta(hours=hour),
    )


async def outcome(awaitable):
    try:
        return await awaitable
    except SlotcastError as error:
        return error


async def list_all(client):
    start = day(0).start - DAY
    page = await client.list_bookings(
        BookingQuery(start=start, end=start + 40 * DAY), page_size=500
    )
    return list(page)


async def contested(two, mode, hour):
    """Let several series and a grabber of each of their slots come at once, on two servers."""
    series = [
        outcome(two[number % 2].book_series(day(0, hour=hour), RULE, Wish(customer=WHO), mode=mode))
        for number in range(SERIES)
    ]
    grabs = [
        outcome(two[number % 2].book(day(number, hour=hour), customer=WHO))
        for number in range(OCCURRENCES)
    ]
    return await asyncio.gather(*series), await asyncio.gather(*grabs)


async def test_b1_never_twice_a_series_and_who_grabs_its_slots_share_them(two):
    for hour in range(ROUNDS):
        series, grabbed = await contested(two, SeriesMode.AS_MANY_AS_FIT, hour)

        booked = [each.start for one in series if isinstance(one, Series) for each in one.bookings]
        booked += [each.start for each in grabbed if not isinstance(each, SlotcastError)]
        assert sorted(booked) == [day(number, hour=hour).start for number in range(OCCURRENCES)]
    held = {(each.start, each.calendars) for each in await list_all(two[0])}
    assert len(held) == ROUNDS * OCCURRENCES


async def test_a_series_of_which_all_are_wanted_is_whole_or_not_there_whoever_grabs(two):
    for hour in range(ROUNDS):
        series, grabbed = await contested(two, SeriesMode.ALL_OR_NONE, hour)

        whole = [one for one in series if isinstance(one, Series)]
        refused = [one for one in series if isinstance(one, SeriesRefused)]
        assert len(whole) + len(refused) == SERIES
        assert all(len(one.bookings) == OCCURRENCES for one in whole)
        taken = [each for each in grabbed if isinstance(each, SlotTaken)]
        # Either the series came first, and nobody grabbed anything, or it came too late.
        assert (len(whole), len(taken)) in {(1, OCCURRENCES), (0, 0)}
    by_series = {}
    for booking in await list_all(two[1]):
        by_series.setdefault(booking.series, []).append(booking)
    assert all(len(found) == OCCURRENCES for name, found in by_series.items() if name)


async def test_a_series_of_which_as_many_as_fit_are_wanted_tells_of_each_occurrence(two):
    for number in (1, 4):
        await two[0].book(day(number), customer=WHO)

    series = await two[1].book_series(
        day(0), RULE, Wish(customer=WHO), mode=SeriesMode.AS_MANY_AS_FIT
    )

    assert [each.start for each in series.occurrences] == [
        day(number).start for number in range(OCCURRENCES)
    ]
    for number, each in enumerate(series.occurrences):
        if number in {1, 4}:
            assert each.booking is None
            assert isinstance(each.refusal, SlotTaken)
        else:
            assert each.refusal is None
            assert each.booking is not None
            assert await two[0].get_booking(each.booking.name) == each.booking


async def test_where_any_calendar_will_do_a_series_is_on_one_that_takes_all(two):
    await two[0].book(day(3, calendar="chair-1"), customer=WHO)

    series = await two[1].book_series(day(0, calendar=""), RULE, Wish(customer=WHO))

    assert {each.calendars[0].rpartition("/")[2] for each in series.bookings} == {"chair-2"}


async def test_b3_exactly_once_copies_of_a_series_in_flight_book_it_once(two):
    wish = Wish(customer=WHO, request_id="one")

    answers = await asyncio.gather(
        *(two[number % 2].book_series(day(0), RULE, wish) for number in range(20))
    )

    assert len({each.name for each in answers}) == 1
    assert all(each == answers[0] for each in answers)
    assert len(await list_all(two[0])) == OCCURRENCES


async def test_b5_shown_means_bookable_a_refused_series_leaves_every_slot_as_it_was(two):
    await two[0].book(day(OCCURRENCES - 1), customer=WHO)

    with pytest.raises(SeriesRefused):
        await two[0].book_series(day(0), RULE, Wish(customer=WHO))

    for number in range(OCCURRENCES - 1):
        await two[number % 2].book(day(number), customer=WHO)
