"""The change log and the heads of businesses."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from service.domain.change import Change, ChangeKind, ref_of
from service.domain.change_codec import change_from_json, change_to_json
from service.domain.claim import ClaimKind
from service.domain.interval import Interval
from service.store import catalog, changes, claims, snapshots
from service.store.changes import Head
from service.store.scope import ALL_BUSINESSES
from tests.builders import NOW, a_claim, a_hold, at, hours, minutes
from tests.store.rows import make_business, put, some_changes


@pytest.fixture(autouse=True)
async def business(database):
    await make_business(database)


CHANGES = [
    Change(revision=1, at=NOW, kind=ChangeKind.CATALOG_CHANGED),
    Change(revision=2, at=NOW, kind=ChangeKind.CATALOG_CHANGED, reread_calendar_ids=()),
    Change(revision=3, at=NOW, kind=ChangeKind.BUSY_IMPORTED, reread_calendar_ids=("anna",)),
    Change(
        revision=2**40,
        at=NOW.replace(microsecond=123457),
        kind=ChangeKind.RESCHEDULED,
        added=(
            a_hold(at("10:00"), seat=0),
            a_claim(at("10:00"), appointment=Interval(at("10:05"), at("10:25"))),
            a_claim(at("11:00"), kind=ClaimKind.BUSY),
        ),
        removed=(ref_of(a_claim(at("12:00"))),),
        booking_ids=(a_claim(at("12:00")).claim_id,),
    ),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_survives_being_written_and_read(change):
    assert change_from_json(change_to_json(change)) == change


def test_a_change_that_was_written_before_calendars_were_told_has_all_read_anew():
    old = change_from_json(b'{"r":7,"t":0,"k":"busy_imported"}')

    assert old.reloads_all
    assert not change_from_json(change_to_json(CHANGES[2])).reloads_all
    assert not change_from_json(b'{"r":7,"t":0,"k":"booked"}').reloads_all


def test_a_change_names_nobody():
    """W1: what a watcher is sent by way of the log holds no personal data."""
    written = change_to_json(CHANGES[-1]).decode()

    assert "holder" not in written
    assert "display_name" not in written


async def test_the_log_is_read_after_a_revision_in_order_and_in_parts(database):
    await put(database, changes=some_changes(1, 20))

    async with database.snapshot("demo") as tx:
        first = await changes.read_after(tx, "demo", 5, 10)
        rest = await changes.read_after(tx, "demo", first[-1].revision, 10)
        end = await changes.read_after(tx, "demo", 20, 10)

    assert first + rest == some_changes(6, 20)
    assert end == []


async def test_the_log_raises_the_revision_of_its_own_business_only(database):
    await make_business(database, "other")
    await put(database, changes=some_changes(1, 3))

    async with database.snapshot(ALL_BUSINESSES) as tx:
        heads = await changes.heads(tx, ["demo", "other", "nowhere"])

    assert heads.by_business == {
        "demo": Head(revision=3, epoch="epoch of demo"),
        "other": Head(revision=0, epoch="epoch of other"),
    }


async def test_heads_tell_the_time_even_of_nothing(database):
    async with database.snapshot(ALL_BUSINESSES) as tx:
        first = await changes.heads(tx, ["nowhere"])
        second = await changes.heads(tx, [])

    assert first.by_business == second.by_business == {}
    assert first.as_of == second.as_of


async def test_the_instant_told_with_a_revision_is_not_after_a_commit_that_it_lacks(database):
    await put(database, changes=some_changes(1, 3))
    async with database.snapshot(ALL_BUSINESSES) as tx:
        before = await changes.heads(tx, ["demo"])
        async with database.snapshot(ALL_BUSINESSES) as other:
            committed_after = (await changes.heads(other, [])).as_of
        await put(database, changes=some_changes(4, 4))
        found = await changes.heads(tx, ["demo"])

    assert found.by_business == before.by_business
    assert found.as_of < committed_after


async def test_a_revision_cannot_be_given_twice(database):
    await put(database, changes=some_changes(1, 3))

    with pytest.raises(IntegrityError, match="changes_pkey"):
        await put(database, changes=some_changes(3, 4))


async def test_a_log_that_was_never_trimmed_has_its_floor_at_its_beginning(database):
    async with database.snapshot("demo") as tx:
        assert await changes.floor(tx, "demo") == 0
        assert await changes.floor(tx, "nowhere") == 0
    await put(database, changes=some_changes(1, 3))

    async with database.snapshot("demo") as tx:
        assert await changes.floor(tx, "demo") == 0


async def claims_of(tx, found):
    pages = claims.pages_ending_after(tx, "demo", found.head.claims_after, page=10)
    return [claim async for page in pages for claim in page]


class TestSnapshot:
    async def test_a_snapshot_is_a_business_at_one_revision(self, database):
        claim = a_claim(at("10:00"))
        await put(database, claims=[claim], changes=some_changes(1, 2))

        async with database.snapshot("demo") as tx:
            before = await snapshots.load_business(tx, "demo")
            await put(database, claims=[a_claim(at("11:00"))], changes=some_changes(3, 3))
            after = await snapshots.load_business(tx, "demo")
            loaded = await catalog.load(tx, "demo")
            found_claims = await claims_of(tx, after)

        for found in (before, after):
            assert (found.head.revision, found.head.epoch) == (2, "epoch of demo")
        assert found_claims == [claim]
        assert after.catalog == before.catalog == loaded
        assert before.head.as_of == after.head.as_of

    async def test_a_snapshot_has_the_past_week_and_no_more(self, database):
        async with database.snapshot(ALL_BUSINESSES) as tx:
            now = (await changes.heads(tx, [])).as_of
        old = a_claim(now - hours(24 * 8) - minutes(61))
        kept = [a_claim(now - hours(24 * 8) - minutes(15)), a_claim(now + hours(24 * 365))]
        await put(database, claims=[old, *kept])

        async with database.snapshot("demo") as tx:
            found = await claims_of(tx, await snapshots.load_business(tx, "demo"))

        assert {claim.claim_id for claim in found} == {each.claim_id for each in kept}

    async def test_there_is_no_snapshot_of_a_business_that_is_not_there(self, database):
        async with database.snapshot("nowhere") as tx:
            assert await snapshots.load_business(tx, "nowhere") is None


async def test_businesses_are_listed_by_id_in_pages(database):
    for name in ("anna", "zoe", "eve"):
        await make_business(database, name)

    async with database.snapshot(ALL_BUSINESSES) as tx:
        first = await catalog.list_businesses(tx, after=None, limit=3)
        rest = await catalog.list_businesses(tx, after="eve", limit=3)

    assert [each.business_id for each in first] == ["anna", "demo", "eve"]
    assert [each.business_id for each in rest] == ["zoe"]
