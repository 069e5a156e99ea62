"""Changes of the catalogue, and imports of busy time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.booking import BookingEvent
from service.domain.change import ChangeKind
from service.domain.commands import (
    DeleteBusiness,
    DeleteCalendar,
    DeleteClosure,
    DeleteSchedule,
    DeleteType,
    ImportBusy,
    PutBusiness,
    PutCalendar,
    PutClosure,
    PutSchedule,
    PutType,
)
from service.domain.errors import (
    ResourceExists,
    ResourceInUse,
    ResourceNotFound,
    SlotClosed,
    SlotTaken,
)
from service.domain.interval import Interval
from service.store import api_keys, catalog, changes
from tests.actions.conftest import open_shop, outcome, outcomes
from tests.actions.submissions import (
    DAY,
    a_shop,
    a_submission,
    a_wish,
    book,
    change,
    hold,
    slot,
)
from tests.builders import a_calendar, a_closure, a_schedule, a_type, minutes, wall

CLOSURE = a_closure(interval=Interval(slot(4), slot(6)))


async def do(lanes, command, business_id="demo"):
    return await outcome(lanes, a_submission(command, business_id=business_id))


@pytest.mark.parametrize(
    "closure",
    [CLOSURE, a_closure(calendar_ids=frozenset({"anna"})), a_closure(display_name="Ferien")],
)
async def test_what_is_put_is_what_is_loaded(lanes, shop, database, closure):
    schedule = a_schedule(
        wall("08:00", "12:00"),
        wall("22:00", "02:00"),
        exceptions={DAY.date(): (wall("10:00", "11:00"),)},
    )
    type_ = a_type(
        durations=(minutes(30), minutes(60)),
        all_of=("anna",),
        any_of=(),
        buffer_before=minutes(5),
        buffer_after=minutes(10),
        minimum_notice=timedelta(hours=36),
        capacity=4,
        requires_approval=True,
        day_cap=3,
        week_cap=9,
        cancellation_notice=timedelta(days=2),
    )
    for command in (
        PutSchedule(create=False, schedule=schedule),
        PutType(create=False, type=type_),
        PutClosure(create=True, closure=closure),
    ):
        await do(lanes, command)

    async with database.snapshot("demo") as tx:
        loaded = await catalog.load(tx, "demo")

    assert loaded.types == {"visit": type_}
    assert loaded.schedules == {"office": schedule}
    assert loaded.closures == {"holiday": closure}
    assert loaded.calendars == {"anna": a_calendar()}
    assert loaded.version == 7


async def test_a_change_of_the_catalogue_holds_for_what_is_decided_after_it(lanes, shop):
    submissions = [
        book(slot(4)),
        a_submission(PutClosure(create=True, closure=CLOSURE)),
        book(slot(5)),
        a_submission(DeleteClosure(closure_id="holiday")),
        book(slot(5)),
    ]

    before, closed, refused, opened, after = await outcomes(lanes, submissions)

    assert isinstance(refused, SlotClosed)
    assert [each["revision"] for each in (before, closed, opened, after)] == [5, 6, 7, 8]
    assert (closed["version"], opened["version"]) == (6, 7)


async def test_another_process_sees_the_changed_catalogue_at_once(lanes, make_lanes, shop):
    other = make_lanes()
    await outcome(other, book(slot(0)))

    await do(lanes, PutClosure(create=True, closure=CLOSURE))

    assert isinstance(await outcome(other, book(slot(4))), SlotClosed)


@pytest.mark.parametrize(
    "command",
    [
        PutBusiness(create=True, business=a_shop().business),
        PutCalendar(create=True, calendar=a_calendar()),
        PutType(create=True, type=a_type()),
        PutSchedule(create=True, schedule=a_schedule()),
    ],
)
async def test_what_exists_is_not_created_again(lanes, shop, books, command):
    assert isinstance(await do(lanes, command), ResourceExists)
    assert await books.revision() == 4


@pytest.mark.parametrize(
    "command",
    [
        PutCalendar(create=False, calendar=a_calendar("zoe")),
        PutCalendar(create=True, calendar=a_calendar("zoe", schedule_id="night")),
        PutType(create=False, type=a_type("massage")),
        PutType(create=True, type=a_type("massage", any_of=("zoe",))),
        PutType(create=True, type=a_type("massage", all_of=("zoe",))),
        PutSchedule(create=False, schedule=a_schedule(schedule_id="night")),
        PutClosure(create=False, closure=CLOSURE),
        PutClosure(create=True, closure=a_closure(calendar_ids=frozenset({"zoe"}))),
        DeleteCalendar(calendar_id="zoe"),
        DeleteType(type_id="massage"),
        DeleteSchedule(schedule_id="night"),
        DeleteClosure(closure_id="holiday"),
        ImportBusy(calendar_id="zoe", feed_id="feed", busy=()),
    ],
)
async def test_what_is_not_there_is_not_found(lanes, shop, books, command):
    assert isinstance(await do(lanes, command), ResourceNotFound)
    assert await books.revision() == 4


async def test_what_is_not_there_is_not_found_in_a_business_that_is_not_there(lanes, shop):
    business = replace(a_shop().business, business_id="nowhere")
    for command in (
        PutBusiness(create=False, business=business),
        DeleteBusiness(business_id="nowhere"),
        PutCalendar(create=True, calendar=a_calendar()),
    ):
        assert isinstance(await do(lanes, command, "nowhere"), ResourceNotFound)


@pytest.mark.parametrize(
    "command", [DeleteCalendar(calendar_id="anna"), DeleteSchedule(schedule_id="office")]
)
async def test_what_something_refers_to_is_in_use(lanes, shop, command):
    assert isinstance(await do(lanes, command), ResourceInUse)


async def test_a_calendar_that_a_closure_names_is_in_use(lanes, shop):
    await do(lanes, PutCalendar(create=True, calendar=a_calendar("ben")))
    await do(lanes, PutClosure(create=True, closure=a_closure(calendar_ids=frozenset({"ben"}))))

    assert isinstance(await do(lanes, DeleteCalendar(calendar_id="ben")), ResourceInUse)


@pytest.mark.parametrize("submission", [book(slot(1)), hold(slot(1))])
async def test_a_type_and_a_calendar_with_something_to_come_are_in_use(lanes, shop, submission):
    await do(lanes, PutCalendar(create=True, calendar=a_calendar("ben")))
    await outcome(lanes, submission)

    assert isinstance(await do(lanes, DeleteType(type_id="visit")), ResourceInUse)
    # The type lies on another calendar now; what was booked does not.
    await do(lanes, PutType(create=False, type=a_type(any_of=("ben",))))
    assert isinstance(await do(lanes, DeleteCalendar(calendar_id="anna")), ResourceInUse)


async def test_what_was_in_use_can_go_when_it_is_free(lanes, shop, books):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]
    await outcome(lanes, hold(slot(2)))
    await books.run("UPDATE claims SET expires_at = now() WHERE kind = 'hold'")
    await do(
        lanes, ImportBusy(calendar_id="anna", feed_id="feed", busy=(Interval(slot(8), slot(9)),))
    )
    await outcome(lanes, change(booking, BookingEvent.CANCEL))

    for command in (
        DeleteType(type_id="visit"),
        DeleteCalendar(calendar_id="anna"),
        DeleteSchedule(schedule_id="office"),
    ):
        assert "revision" in await do(lanes, command)

    assert await books.rows("SELECT * FROM claims") == []


class TestBusiness:
    async def test_a_deleted_business_leaves_nothing_but_its_answers(
        self, lanes, shop, books, database
    ):
        await open_shop(lanes, a_shop(), "other")
        await outcome(lanes, book(slot(1), business_id="other"))
        await outcome(lanes, book(slot(1)))
        await outcome(lanes, hold(slot(2)))
        await do(lanes, PutClosure(create=True, closure=a_closure()))
        async with database.transaction("demo") as tx:
            await api_keys.add(tx, a_key("demo"))

        await do(lanes, DeleteBusiness(business_id="demo"))

        tables = await books.rows(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'business_id' AND table_schema = 'public'"
        )
        left = {
            name
            for (name,) in tables
            if await books.rows(f"SELECT * FROM {name} WHERE business_id = 'demo'")
        }
        assert left == {"requests"}
        assert isinstance(await outcome(lanes, book(slot(2))), ResourceNotFound)
        assert (await outcome(lanes, book(slot(2), business_id="other")))["revision"] == 6

    async def test_a_business_made_anew_has_another_epoch(
        self, lanes, shop, books, database, commits
    ):
        await outcome(lanes, book(slot(1)))
        async with database.snapshot("demo") as tx:
            before = (await changes.heads(tx, ["demo"])).by_business["demo"]
        await do(lanes, DeleteBusiness(business_id="demo"))
        commits.clear()

        await open_shop(lanes, a_shop())

        async with database.snapshot("demo") as tx:
            after = (await changes.heads(tx, ["demo"])).by_business["demo"]
        assert after.epoch != before.epoch
        assert after.revision == 4
        assert {epoch for _, epoch, _, _ in commits} == {after.epoch}
        assert (await outcome(lanes, book(slot(1))))["revision"] == 5

    async def test_the_catalogue_of_the_old_business_is_not_that_of_the_new(
        self, lanes, make_lanes, shop
    ):
        """The lanes keep catalogues: the same version of another epoch is another one."""
        other = make_lanes()
        await outcome(other, book(slot(1)))
        await do(lanes, DeleteBusiness(business_id="demo"))

        await open_shop(lanes, a_shop(a_type(durations=(minutes(60),))))
        await outcome(other, book(slot(2)))

        assert isinstance(await outcome(other, book(slot(3))), SlotTaken)

    async def test_a_business_is_changed(self, lanes, shop, database):
        business = replace(a_shop().business, display_name="Demo & Co.", holds_per_holder_max=1)

        await do(lanes, PutBusiness(create=False, business=business))

        async with database.snapshot("demo") as tx:
            assert (await catalog.load(tx, "demo")).business == business


class TestImport:
    async def test_busy_time_is_not_offered(self, lanes, shop, books):
        busy = (Interval(slot(1), slot(2)), Interval(slot(4), slot(5)))

        answer = await do(lanes, ImportBusy(calendar_id="anna", feed_id="feed", busy=busy))

        assert answer["busy"] == 2
        assert isinstance(await outcome(lanes, book(slot(1))), SlotTaken)
        assert (await outcome(lanes, book(slot(2))))["bookings"]
        assert (await books.log())[4].kind is ChangeKind.BUSY_IMPORTED

    async def test_an_import_replaces_what_its_feed_had_put_and_nothing_else(
        self, lanes, shop, books
    ):
        await outcome(lanes, book(slot(0)))
        await do(
            lanes,
            ImportBusy(calendar_id="anna", feed_id="other", busy=(Interval(slot(7), slot(8)),)),
        )
        for number in (1, 2):
            busy = (Interval(slot(number), slot(number + 1)),)
            await do(lanes, ImportBusy(calendar_id="anna", feed_id="feed", busy=busy))

        rows = await books.rows(
            "SELECT starts_at, owner_id FROM claims WHERE kind = 'busy' ORDER BY 1"
        )

        assert rows == [(slot(2), "feed"), (slot(7), "other")]
        assert (await outcome(lanes, book(slot(1))))["bookings"]

    async def test_busy_time_may_lie_over_what_is_booked(self, lanes, shop, books):
        await outcome(lanes, book(slot(1)))

        await do(
            lanes,
            ImportBusy(calendar_id="anna", feed_id="feed", busy=(Interval(slot(0), slot(9)),)),
        )

        assert await books.rows("SELECT count(*) FROM claims") == [(2,)]

    async def test_long_busy_time_is_cut_up_and_seen_everywhere(self, lanes, shop, books):
        days = timedelta(days=10, hours=5)

        await do(
            lanes, ImportBusy(calendar_id="anna", feed_id="feed", busy=(Interval(DAY, DAY + days),))
        )

        rows = await books.rows("SELECT starts_at, ends_at FROM claims ORDER BY 1")
        assert len(rows) == 11
        assert rows[0][0] == DAY
        assert rows[-1][1] == DAY + days
        assert all(one[1] == other[0] for one, other in itertools.pairwise(rows))
        for start in (DAY, DAY + timedelta(days=5, hours=12), DAY + days - minutes(60)):
            assert isinstance(await outcome(lanes, book(a_wish(start))), SlotTaken)
        assert (await outcome(lanes, book(a_wish(DAY + days))))["bookings"]


def a_key(business_id):
    return api_keys.ApiKey(
        key_id=f"key-of-{business_id}",
        business_id=business_id,
        display_name="Key",
        secret_hash=b"",
        scopes=frozenset(),
    )
