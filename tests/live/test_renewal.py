"""A catalogue that changes, or busy time that is imported: only what may be another is read."""

import asyncio
import gc
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions import busy_feeds
from service.domain.availability import open_slots
from service.domain.catalog import Closure
from service.domain.change import Change, ChangeKind
from service.domain.claim import ClaimKind
from service.domain.commands import (
    DeleteCalendar,
    DeleteType,
    ImportBusy,
    PutCalendar,
    PutClosure,
    PutType,
)
from service.domain.errors import DomainError, Overloaded
from service.domain.interval import Interval
from service.domain.slot import Slot, SlotQuery
from service.live import heap, source
from service.live.frames import Delta
from service.store import batch
from service.store.business_lock import serialized
from tests.actions.submissions import DAY, a_shop, a_submission, a_wish, book, hold, opening, slot
from tests.builders import a_calendar, a_claim, a_type, hours
from tests.live.process import SLOW

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=2)))
BEN = a_type(any_of=("anna", "ben"))


@pytest.fixture(autouse=True)
def every_import_is_large(monkeypatch):
    """Let no change carry what an import moves, however little that is."""
    monkeypatch.setattr(busy_feeds, "CARRIED_CLAIMS_MAX", 0)


@pytest.fixture
async def shop(process):
    """The business `demo`, with `visit` on `anna` and `ben`."""
    for submission in opening(a_shop(BEN, calendar_ids=("anna", "ben"))):
        await process.submit(submission)


def put_closure(start, closure_id="c"):
    closure = Closure(
        closure_id=closure_id,
        display_name="c",
        calendar_ids=frozenset(["anna"]),
        interval=Interval(start, start + hours(1)),
    )
    return a_submission(PutClosure(create=True, closure=closure))


def import_busy(calendar_id, *spans):
    busy = tuple(Interval(start, start + hours(1)) for start in spans)
    return a_submission(ImportBusy(calendar_id=calendar_id, feed_id="f", busy=busy))


def claims_of(process):
    replica = process.follower._followings["demo"].replica
    return {claim.claim_id: claim for claim in replica.offer.claims}


async def truth(start_process, query=QUERY):
    """Return what a process shows that has just loaded all."""
    process = await start_process(**SLOW)
    await process.follower.get("demo")
    slots, revision, _ = await process.availability.list_slots(query)
    return slots, revision, claims_of(process)


async def test_a_change_of_the_catalogue_keeps_the_claims(start_process, process, shop):
    await process.submit(book(slot(0)))
    await process.follower.get("demo")
    before = claims_of(process)

    closed = await process.submit(put_closure(slot(4)))
    slots, revision, _ = await process.availability.list_slots(QUERY)
    await process.follower.get("demo")

    assert revision == closed["revision"]
    assert process.source.loads == 1
    assert {each: id(claim) for each, claim in claims_of(process).items()} == {
        each: id(claim) for each, claim in before.items()
    }
    assert (slots, revision) == (await truth(start_process))[:2]


async def test_an_import_reads_the_claims_of_its_calendar_only(start_process, process, shop):
    for calendar_id in ("anna", "ben"):
        await process.submit(book(a_wish(slot(0), calendar_id=calendar_id)))
    await process.submit(import_busy("ben", slot(10), slot(11)))
    await process.follower.get("demo")
    before = claims_of(process)

    await process.submit(import_busy("ben", slot(20)))
    slots, revision, _ = await process.availability.list_slots(QUERY)
    await process.follower.get("demo")
    after = claims_of(process)

    assert process.source.loads == 1
    assert {claim.start for claim in after.values() if claim.kind is ClaimKind.BUSY} == {slot(20)}
    kept = [claim for claim in after.values() if claim.calendar_id == "anna"]
    assert kept
    assert all(before[claim.claim_id] is claim for claim in kept)
    assert (slots, revision, after) == await truth(start_process)


async def test_an_import_of_little_is_applied_as_it_is_and_nothing_is_read(
    start_process, process, shop, monkeypatch
):
    monkeypatch.setattr(busy_feeds, "CARRIED_CLAIMS_MAX", 500)
    await process.submit(import_busy("ben", slot(10), slot(11)))
    await process.follower.get("demo")
    generation = process.follower._followings["demo"].replica.generation
    before = claims_of(process)

    await process.submit(import_busy("ben", slot(11), slot(20)))
    slots, revision, _ = await process.availability.list_slots(QUERY)
    await process.follower.get("demo")
    after = claims_of(process)

    assert process.follower._followings["demo"].replica.generation == generation
    assert sorted(claim.start for claim in after.values()) == [slot(11), slot(20)]
    (kept,) = before.keys() & after.keys()
    assert before[kept] is after[kept]
    assert (slots, revision, after) == await truth(start_process)


async def test_an_import_that_moves_nothing_has_no_revision(process, shop):
    first = await process.submit(import_busy("ben", slot(10), slot(11)))

    assert (await process.submit(import_busy("ben", slot(10), slot(11))))["revision"] == (
        first["revision"]
    )


async def test_a_calendar_that_was_made_anew_has_nothing_of_the_old_one(
    start_process, process, shop
):
    deaf = await start_process(**SLOW)
    await process.submit(import_busy("ben", slot(5)))
    await deaf.follower.get("demo")
    for command in (
        PutType(create=False, type=replace(BEN, any_of=("anna",))),
        DeleteCalendar(calendar_id="ben"),
        PutCalendar(create=True, calendar=a_calendar("ben")),
        PutType(create=False, type=BEN),
    ):
        await process.submit(a_submission(command))

    slots, revision, _ = await deaf.availability.list_slots(QUERY)

    assert deaf.source.loads == 1
    assert (slots, revision, claims_of(deaf)) == await truth(start_process)
    assert any(found.key.start == slot(5) and found.key.calendar_id == "ben" for found in slots)


async def test_a_hold_of_a_calendar_that_was_read_anew_still_expires(process, shop):
    held = await process.submit(hold(slot(1)))
    await process.follower.get("demo")
    await process.submit(import_busy("anna", slot(9)))
    replica = (await process.follower.get("demo")).replica
    (claim,) = [claim for claim in replica.offer.claims if claim.owner_id == held["hold"]]

    touches = replica.expired_between(DAY - timedelta(days=60), claim.expires_at)

    assert [touch.start for touch in touches] == [slot(1)]


async def test_a_change_that_does_not_tell_its_calendars_has_all_loaded_anew(
    start_process, process, shop, database
):
    deaf = await start_process(**SLOW)
    await deaf.follower.get("demo")
    async with serialized(database, "demo") as tx:
        head = await batch.read_head(tx, "demo")
        busy = a_claim(slot(7), kind=ClaimKind.BUSY)
        old = Change(revision=head.revision + 1, at=head.now, kind=ChangeKind.BUSY_IMPORTED)
        rows = batch.Rows(claims_added={busy.claim_id: busy}, changes=[old])
        await batch.write(tx, "demo", rows)

    await deaf.follower.get("demo")

    assert deaf.source.loads == 2
    assert [claim.start for claim in claims_of(deaf).values()] == [slot(7)]


async def test_a_replica_that_is_too_far_behind_is_loaded_anew(
    start_process, process, shop, monkeypatch
):
    monkeypatch.setattr(source, "RENEWAL_CHANGES_MAX", 2)
    deaf = await start_process(**SLOW)
    await deaf.follower.get("demo")
    await process.submit(put_closure(slot(4)))
    for number in range(3):
        await process.submit(book(slot(number)))

    slots, revision, _ = await deaf.availability.list_slots(QUERY)
    await deaf.follower.get("demo")

    assert (slots, revision) == (await truth(start_process))[:2]
    assert deaf.source.loads == 2


async def test_a_renewal_that_could_not_be_read_is_tried_again(start_process, process, shop):
    renewal = process.source.renewal
    failed = asyncio.Event()

    async def broken(*_):
        process.source.renewal = renewal
        failed.set()
        raise OSError

    async with process.watching(QUERY) as stream:
        process.source.renewal = broken
        closed = await process.submit(put_closure(slot(4)))
        await failed.wait()
        frame = await stream.until_revision(closed["revision"])

        assert isinstance(frame, Delta)
    assert process.source.loads == 1


def a_random_command(chance, number):
    match chance.randrange(6):
        case 0:
            return put_closure(slot(chance.randrange(90)), f"c{number}")
        case 1:
            spans = [slot(chance.randrange(90)) for _ in range(3)]
            return import_busy(chance.choice(["anna", "ben"]), *spans)
        case 2:
            return a_submission(PutCalendar(create=True, calendar=a_calendar(f"x{number}")))
        case 3:
            return a_submission(
                chance.choice([DeleteType(type_id="visit"), DeleteCalendar(calendar_id="ben")])
            )
        case _:
            return book(a_wish(slot(chance.randrange(90)), calendar_id=None))


@pytest.mark.parametrize("seed", range(20))
async def test_w1_a_watch_over_any_changes_of_the_catalogue_ends_at_the_truth(
    start_process, process, shop, seed
):
    """Bookings, imports and changes at the same time, heard by one process and read by another."""
    chance = random.Random(seed)
    deaf = await start_process()
    async with process.watching(QUERY) as near, deaf.watching(QUERY) as far:
        submissions = [a_random_command(chance, number) for number in range(12)]
        answers = await asyncio.gather(
            *[process.submit(each) for each in submissions], return_exceptions=True
        )
        assert all(isinstance(each, dict | DomainError) for each in answers)
        revision = max(each["revision"] for each in answers if isinstance(each, dict))
        for stream in (near, far):
            await stream.until_revision(revision)
        slots, told, claims = await truth(start_process)

        assert told == revision
        for stream, each in ((near, process), (far, deaf)):
            assert [Slot(*item) for item in sorted(stream.client.slots.items())] == slots
            assert claims_of(each) == claims
            replica = each.follower._followings["demo"].replica
            assert open_slots(replica.offer, QUERY, each.clock.now()) == slots
            assert each.source.loads == 1


def test_full_collections_wait_for_loads_that_overlap_and_then_no_longer():
    before = gc.get_threshold()
    with heap.full_collections_wait():
        with heap.full_collections_wait():
            assert gc.get_threshold()[2] > 10**6
        assert gc.get_threshold()[2] > 10**6
    assert gc.get_threshold() == before


def test_only_what_is_large_is_set_aside_until_it_is_dropped():
    gc.unfreeze()
    heap.set_aside(heap.LARGE_CLAIMS_MIN - 1)
    assert gc.get_freeze_count() == 0
    heap.set_aside(heap.LARGE_CLAIMS_MIN)
    assert gc.get_freeze_count() > 0
    heap.take_back(heap.LARGE_CLAIMS_MIN)
    assert gc.get_freeze_count() == 0


async def test_a_load_that_failed_while_somebody_watches_is_tried_again(process, shop, monkeypatch):
    load = process.source.load

    async def fail_once(business_id):
        monkeypatch.setattr(process.source, "load", load)
        raise Overloaded("The database cannot be read. Retry.")

    async def lead_nowhere(*_):
        return None

    async with process.watching(QUERY) as stream:
        monkeypatch.setattr(process.source, "load", fail_once)
        monkeypatch.setattr(process.source, "renewal", lead_nowhere)
        closed = await process.submit(put_closure(slot(4)))

        await stream.until_revision(closed["revision"])

    assert process.source.load == load


async def test_a_list_does_not_wait_for_a_renewal(process, shop, monkeypatch):
    await process.follower.get("demo")
    renewal, go_on = process.source.renewal, asyncio.Event()

    async def take_long(*asked):
        await go_on.wait()
        return await renewal(*asked)

    monkeypatch.setattr(process.source, "renewal", take_long)
    closed = await process.submit(put_closure(slot(4)))

    _, revision, _ = await process.availability.list_slots(QUERY)

    assert revision == closed["revision"]
    go_on.set()
