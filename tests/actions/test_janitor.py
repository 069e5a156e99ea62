"""The janitor: what is old goes, what is promised stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.actions.janitor import Janitor, JanitorLimits, Retention, Swept
from service.domain.commands import DeleteBusiness
from service.domain.errors import ResourceInUse, ResourceNotFound
from service.store import catalog, changes, trimming
from service.store.changes import read_after
from service.store.scope import ALL_BUSINESSES
from tests.actions.conftest import answers, open_shop, outcome, outcomes
from tests.actions.submissions import a_shop, a_submission, book, held, hold, opening, slot

RETENTION = Retention(requests=timedelta(hours=24), changes=timedelta(hours=24))


@pytest.fixture
def make_janitor(database):
    def make(retention=RETENTION, **limits):
        return Janitor(database, retention, JanitorLimits(**limits))

    return make


async def age(books, table, column, hours, where="true"):
    # Trimming of what the consumers have not passed: tests/notify/test_engine_consumers.py.
    await books.run("UPDATE consumers SET revision = 1000")
    await books.run(
        f"UPDATE {table} SET {column} = {column} - make_interval(hours => $1) WHERE {where}", hours
    )


async def test_young_rows_stay(lanes, shop, books, make_janitor):
    await outcomes(lanes, [book(slot(1)), hold(slot(2))])
    before = await books.counts()

    assert await make_janitor().sweep() == Swept()
    assert await books.counts() == before


async def test_an_answer_is_kept_for_its_24_hours_and_no_longer(lanes, shop, books, make_janitor):
    kept, old = book(slot(1), request_id="kept"), book(slot(2), request_id="old")
    answer = await lanes.submit(kept)
    await lanes.submit(old)
    await age(books, "requests", "created_at", 23)
    await age(books, "requests", "created_at", 2, "request_id = 'old'")

    assert (await make_janitor().sweep()).requests == 1
    assert await lanes.submit(kept) == answer
    assert await books.rows("SELECT count(*) FROM requests WHERE request_id = 'old'") == [(0,)]


async def test_a_trimmed_log_has_a_floor_and_no_gap(lanes, shop, books, database, make_janitor):
    await outcomes(lanes, [book(slot(number)) for number in range(6)])
    await age(books, "changes", "at", 30, "revision <= 7")
    # A clock that was set back: younger than those before and after it.
    await age(books, "changes", "at", -10, "revision = 6")

    swept = await make_janitor().sweep()

    assert swept.changes == 5
    async with database.snapshot("demo") as tx:
        assert await changes.floor(tx, "demo") == 5
        found = await read_after(tx, "demo", 5, 100)
    assert [change.revision for change in found] == [6, 7, 8, 9, 10]
    assert await books.revision() == 10


async def test_a_log_that_is_trimmed_away_begins_at_the_head(
    lanes, shop, books, database, make_janitor
):
    await age(books, "changes", "at", 30)

    await make_janitor().sweep()

    async with database.snapshot("demo") as tx:
        assert await changes.floor(tx, "demo") == 4
    assert (await outcome(lanes, book(slot(1))))["revision"] == 5


async def test_holds_that_expired_long_ago_go_and_late_confirms_of_the_others_succeed(
    lanes, shop, books, make_janitor
):
    late, old = [(await outcome(lanes, hold(slot(number))))["hold"] for number in (1, 2)]
    for table, column in (("claims", "owner_id"), ("holds", "hold_id::text")):
        await age(books, table, "expires_at", 20)
        await age(books, table, "expires_at", 10, f"{column} = '{old}'")

    swept = await make_janitor().sweep()

    assert (swept.claims, swept.holds) == (1, 1)
    assert (await outcome(lanes, book(held(late))))["bookings"]
    assert (await outcome(lanes, book(slot(2))))["bookings"]


async def test_a_booking_is_never_trimmed(lanes, shop, books, make_janitor):
    await outcome(lanes, book(slot(1)))
    for table, column in (("bookings", "created_at"), ("bookings", "updated_at")):
        await age(books, table, column, 9999)

    await make_janitor(Retention(requests=timedelta(), changes=timedelta())).sweep()

    counts = await books.counts()
    assert (counts["bookings"], counts["claims"]) == (1, 1)


async def test_a_round_is_bounded_and_the_next_one_goes_on(lanes, books, make_janitor):
    for name in ("demo", "red", "blue"):
        await open_shop(lanes, a_shop(), name)
    await age(books, "requests", "created_at", 30)
    await age(books, "changes", "at", 30)
    janitor = make_janitor(rows_max=2, businesses_max=1, statements_max=2)

    rounds = [await janitor.sweep() for _ in range(20)]

    assert {swept.requests for swept in rounds} == {4, 0}
    assert max(swept.changes for swept in rounds) == 4
    assert sum(swept.changes for swept in rounds) == 12
    counts = await books.counts()
    assert (counts["changes"], counts["requests"]) == (0, 0)


async def test_a_large_business_is_gone_at_once_and_its_rows_little_by_little(
    lanes, shop, books, make_janitor, monkeypatch
):
    monkeypatch.setattr(catalog, "ROWS_REMOVED_AT_ONCE_MAX", 3)
    await open_shop(lanes, a_shop(), "other")
    await outcomes(lanes, [book(slot(n), business_id=name) for n in range(4) for name in BOTH])
    janitor = make_janitor(rows_max=2, statements_max=3)

    await outcome(lanes, a_submission(DeleteBusiness(business_id="demo")))
    left = await books.rows(LEFT)
    gone, refused = await outcome(lanes, book(slot(9))), await outcome(lanes, a_creation())
    rounds = [(await janitor.sweep()).removed for _ in range(4)]

    # Four claims, four bookings and nine changes, that of the deletion too.
    assert left == [(17 - 3,)]
    assert isinstance(gone, ResourceNotFound)
    assert isinstance(refused, ResourceInUse)
    assert rounds == [6, 6, 2, 0]
    assert await books.rows(LEFT) == [(0,)]
    assert (await outcome(lanes, a_creation()))["revision"] == 1
    assert (await outcome(lanes, book(slot(9), business_id="other")))["revision"] == 9


BOTH = ("demo", "other")
LEFT = """
    SELECT (SELECT count(*) FROM claims WHERE business_id = 'demo')
        + (SELECT count(*) FROM bookings WHERE business_id = 'demo')
        + (SELECT count(*) FROM changes WHERE business_id = 'demo')
"""


def a_creation():
    return opening(a_shop())[0]


async def test_of_several_processes_one_trims_at_a_time(lanes, shop, books, database, make_janitor):
    await age(books, "requests", "created_at", 30)

    async with database.transaction(ALL_BUSINESSES) as tx:
        assert await trimming.is_my_turn(tx)
        assert await make_janitor().sweep() == Swept()

    assert (await make_janitor().sweep()).requests == 4


async def test_bookings_go_on_while_the_janitor_works(lanes, shop, books, make_janitor):
    janitor = make_janitor(Retention(requests=timedelta(hours=24), changes=timedelta()), rows_max=3)
    results, _ = await asyncio.gather(
        outcomes(lanes, [book(slot(number)) for number in range(50)]),
        sweep_until(janitor, lanes),
    )

    assert len(answers(results)) == 50
    assert await books.revision() == 54


async def sweep_until(janitor, lanes):
    while lanes._running:
        await janitor.sweep()


async def test_the_janitor_works_from_time_to_time_and_survives_a_failure(
    lanes, shop, books, database, monkeypatch
):
    await age(books, "requests", "created_at", 30)
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 1:
            monkeypatch.setattr(trimming, "trim_requests", fail)
        elif len(pauses) == 2:
            monkeypatch.undo()
        else:
            raise asyncio.CancelledError

    async def fail(*_, **__):
        raise ConnectionRefusedError

    janitor = Janitor(database, RETENTION, JanitorLimits(interval_seconds=60), pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await janitor.run()

    assert await books.rows("SELECT * FROM requests") == []
    assert all(45 <= seconds <= 75 for seconds in pauses)


async def test_a_janitor_that_is_late_spares_a_business_made_anew_under_the_id(
    lanes, shop, books, database, monkeypatch
):
    """It has read which business was deleted; before it comes to remove rows, all has changed."""
    monkeypatch.setattr(catalog, "ROWS_REMOVED_AT_ONCE_MAX", 3)
    await outcomes(lanes, [book(slot(number)) for number in range(4)])
    await outcome(lanes, a_submission(DeleteBusiness(business_id="demo")))
    late, other = (Janitor(database, RETENTION, JanitorLimits()) for _ in range(2))
    once = late._once

    async def come_late(trim, scope):
        await other.sweep()
        await open_shop(lanes, a_shop())
        await outcome(lanes, book(slot(9)))
        return await once(trim, scope)

    monkeypatch.setattr(late, "_once", come_late)

    assert await late._sweep_removed() == 0
    assert (await books.counts())["bookings"] == 1
