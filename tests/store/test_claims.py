"""Claims in the database: which are found, and which are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from service.domain.claim import CLAIM_DURATION_MAX, ClaimKind
from service.domain.interval import Interval
from service.store import claims
from tests.builders import a_claim, a_hold, at, hours, minutes
from tests.store.rows import make_business, put

NOON = at("12:00")


@pytest.fixture(autouse=True)
async def business(database):
    await make_business(database, calendars=("anna", "ben"))


async def found(database, *windows):
    async with database.snapshot("demo") as tx:
        return await claims.in_windows(tx, "demo", windows)


def around(start, end, calendar_id="anna"):
    return (calendar_id, Interval(start, end))


async def test_what_is_put_is_what_is_found(database):
    put_there = [
        a_claim(at("08:00"), appointment=Interval(at("08:05"), at("08:25"))),
        a_hold(at("09:00"), seat=3),
        a_claim(at("10:00"), kind=ClaimKind.BUSY),
    ]
    await put(database, claims=put_there)

    got = await found(database, around(at("00:00"), at("23:00")))

    assert {claim.claim_id: claim for claim in got} == {each.claim_id: each for each in put_there}


@pytest.mark.parametrize(
    "length",
    [
        minutes(1),
        hours(4) - timedelta(microseconds=1),
        hours(4),
        hours(4) + timedelta(microseconds=1),
        hours(30),
        CLAIM_DURATION_MAX,
    ],
)
async def test_a_claim_is_found_by_any_instant_that_it_lasts_and_by_no_other(database, length):
    tick = timedelta(microseconds=1)
    await put(database, claims=[a_claim(NOON, NOON + length)])
    end = NOON + length

    for start in (NOON, NOON + length / 2, end - tick):
        assert len(await found(database, around(start, start + tick))) == 1
    for window in (around(NOON - hours(1), NOON), around(end, end + hours(1))):
        assert await found(database, window) == []
    assert len(await found(database, around(NOON - hours(99), end + hours(99)))) == 1


async def test_a_claim_that_touches_several_windows_is_found_once(database):
    await put(database, claims=[a_claim(NOON, NOON + hours(10))])

    windows = [around(NOON + hours(n), NOON + hours(n) + minutes(10)) for n in range(0, 10, 2)]

    assert len(await found(database, *windows, *windows)) == 1


async def test_windows_are_of_one_calendar_each_and_of_one_business(database):
    await make_business(database, "other")
    await put(database, claims=[a_claim(NOON)])
    await put(database, business_id="other", claims=[a_claim(NOON)])

    assert await found(database, around(NOON, NOON + hours(1), "ben")) == []
    assert len(await found(database, around(NOON, NOON + hours(1)))) == 1
    assert await found(database) == []


INSTANTS = st.integers(0, 24 * 8).map(lambda quarter_days: at("00:00") + hours(quarter_days / 2))


@given(
    spans=st.lists(st.tuples(INSTANTS, st.integers(1, 144)), max_size=8),
    asked=st.lists(st.tuples(INSTANTS, st.integers(1, 60)), min_size=1, max_size=4),
)
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_in_windows_finds_exactly_what_overlaps(database, spans, asked):
    busy = [a_claim(start, start + hours(n / 2), kind=ClaimKind.BUSY) for start, n in spans]
    async with database.transaction("demo") as tx:
        await tx.exec_driver_sql("DELETE FROM claims")
    await put(database, claims=busy)
    windows = [around(start, start + hours(n)) for start, n in asked]

    got = await found(database, *windows)

    expected = {
        claim.claim_id
        for claim in busy
        if any(Interval(claim.start, claim.end).overlaps(window) for _, window in windows)
    }
    assert len(got) == len(expected)
    assert {claim.claim_id for claim in got} == expected


async def test_what_ended_is_not_loaded_and_what_still_lasts_is(database):
    put_there = [
        a_claim(NOON - hours(1), NOON),
        a_claim(NOON - CLAIM_DURATION_MAX + minutes(1), NOON + minutes(1), calendar_id="ben"),
        a_claim(NOON + hours(400)),
    ]
    await put(database, claims=put_there)

    async with database.snapshot("demo") as tx:
        pages = [page async for page in claims.pages_ending_after(tx, "demo", NOON, page=10)]

    got = [claim for page in pages for claim in page]
    assert {claim.claim_id for claim in got} == {each.claim_id for each in put_there[1:]}


async def test_claims_come_in_pages_each_of_them_once_and_whole(database):
    put_there = [
        a_hold(NOON + hours(number), seat=number, calendar_id="anna") for number in range(7)
    ]
    put_there += [a_claim(NOON + hours(1), calendar_id="ben", appointment=None, type_id=None)]
    await put(database, claims=put_there)

    async with database.snapshot("demo") as tx:
        pages = [page async for page in claims.pages_ending_after(tx, "demo", NOON, page=3)]

    assert [len(page) for page in pages] == [3, 3, 2]
    got = [claim for page in pages for claim in page]
    assert {claim.claim_id: claim for claim in got} == {each.claim_id: each for each in put_there}


async def test_claims_of_some_calendars_are_read_without_the_others(database):
    await put(database, claims=[a_claim(NOON), a_claim(NOON, calendar_id="ben")])

    async with database.snapshot("demo") as tx:
        pages = [
            page
            async for page in claims.pages_ending_after(
                tx, "demo", NOON, page=3, calendar_ids=["ben", "nobody"]
            )
        ]

    assert [claim.calendar_id for page in pages for claim in page] == ["ben"]


class TestConstraint:
    async def test_claims_that_overlap_are_refused_by_name(self, database):
        await put(database, claims=[a_claim(NOON)])

        with pytest.raises(IntegrityError, match="claims_fit_capacity"):
            await put(database, claims=[a_claim(NOON + minutes(29))])

    async def test_claims_that_touch_fit(self, database):
        starts = [NOON + minutes(30) * number for number in range(4)]

        await put(database, claims=[a_claim(start) for start in starts])

        got = await found(database, around(NOON, NOON + hours(3)))
        assert all(one.end == other.start for one, other in pairwise(sorted(got, key=start_of)))

    async def test_an_expired_hold_is_in_the_way_until_it_is_removed(self, database):
        await put(database, claims=[a_hold(NOON, expires_at=NOON - hours(999))])

        with pytest.raises(IntegrityError, match="claims_fit_capacity"):
            await put(database, claims=[a_claim(NOON)])

    async def test_busy_time_may_overlap_anything(self, database):
        for _ in range(2):
            await put(database, claims=[a_claim(NOON, kind=ClaimKind.BUSY)])
        await put(database, claims=[a_claim(NOON)])

        assert len(await found(database, around(NOON, NOON + hours(1)))) == 3

    async def test_each_seat_of_a_group_is_taken_once(self, database):
        await put(database, claims=[a_claim(NOON, seat=seat) for seat in (0, 1)])

        with pytest.raises(IntegrityError, match="claims_fit_capacity"):
            await put(database, claims=[a_claim(NOON, seat=1)])
        await put(database, claims=[a_claim(NOON, seat=2)])

    @pytest.mark.parametrize("first", [None, 5])
    async def test_who_takes_the_calendar_for_itself_takes_every_seat(self, database, first):
        second = 5 if first is None else None
        await put(database, claims=[a_claim(NOON, seat=first)])

        with pytest.raises(IntegrityError, match="claims_fit_capacity"):
            await put(database, claims=[a_claim(NOON, seat=second)])

    async def test_other_calendars_and_other_businesses_are_not_in_the_way(self, database):
        """S7: what another business has cannot be found out."""
        await make_business(database, "other")

        await put(database, claims=[a_claim(NOON), a_claim(NOON, calendar_id="ben")])
        await put(database, business_id="other", claims=[a_claim(NOON)])

    @pytest.mark.parametrize(
        "claim",
        [
            replace(a_claim(NOON), end=NOON - minutes(1)),
            replace(a_claim(NOON), end=NOON),
            a_claim(NOON, NOON + CLAIM_DURATION_MAX + timedelta(microseconds=1)),
        ],
    )
    async def test_a_claim_that_queries_would_overlook_cannot_be_stored(self, database, claim):
        with pytest.raises(IntegrityError, match="claims_are_bounded"):
            await put(database, claims=[claim])


def start_of(claim):
    return claim.start
