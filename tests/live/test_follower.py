"""The follower and the hints: quick when they come, right when they do not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from service.domain.change import Change, ChangeKind
from service.domain.commands import DeleteBusiness
from service.domain.errors import Overloaded, ResourceNotFound
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.embedded.valkey import Valkey
from service.live.frames import Delta, Reset, ResetReason
from service.live.hints import CHANGES_BYTES_MAX, Hint, hint_from_json, hint_to_json
from tests.actions.submissions import DAY, a_shop, a_submission, book, opening, slot
from tests.builders import NOW, a_claim
from tests.live.process import SLOW

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=1)))


@pytest.fixture
async def revision(process, shop):
    return (await process.follower.get("demo")).revision


@pytest.fixture
def valkey(tmp_path):
    with Valkey(tmp_path) as server:
        yield server


async def subscribed(process):
    """Wait until a process hears the hints about the shop."""
    while "slotcast:demo" not in process.subscription.confirmed:
        await process.subscription.changed.wait()


def a_change(revision, start, kind=ChangeKind.BOOKED):
    return Change(revision=revision, at=NOW, kind=kind, added=(a_claim(start),))


def a_hint(revision, *changes, epoch="", before=None):
    return Hint(
        business_id="demo",
        epoch=epoch,
        revision=revision,
        revision_before=revision - len(changes) if before is None else before,
        changes=changes,
    )


# Proving.


async def test_many_questions_at_once_share_few_readings(process, shop):
    await process.follower.get("demo")
    process.source.heads_read = 0

    await asyncio.gather(*[process.follower.get("demo") for _ in range(100)])

    # One that ran already, one for all, and perhaps one of the follower's own.
    assert process.source.heads_read <= 4


async def test_a_replica_is_loaded_once_for_all_who_ask_first(start_process, shop):
    process = await start_process()

    fresh = await asyncio.gather(*[process.follower.get("demo") for _ in range(20)])

    assert process.source.loads == 1
    assert len({id(each.replica) for each in fresh}) == 1


async def test_an_unknown_business_leaves_nothing_behind(process):
    for _ in range(3):
        with pytest.raises(ResourceNotFound):
            await process.follower.get("nobody")

    await process.follower.verify()
    assert process.follower.business_ids == set()


async def test_b4_a_business_is_found_though_a_reading_begun_before_it_was_made_found_none(
    process, monkeypatch
):
    found_none, may_tell = asyncio.Event(), asyncio.Event()
    load = process.source.load

    async def load_slowly(business_id):
        loaded = await load(business_id)
        if loaded is None:
            found_none.set()
            await may_tell.wait()
        return loaded

    monkeypatch.setattr(process.source, "load", load_slowly)
    process.follower.load_soon("demo")
    await found_none.wait()
    for submission in opening(a_shop()):
        made = await process.submit(submission)
    getting = asyncio.create_task(process.follower.get("demo"))
    await begun(getting)
    may_tell.set()

    assert (await getting).revision == made["revision"]


async def begun(task):
    """Wait until a task waits for something."""
    await asyncio.wait([task], timeout=0)


async def test_a_database_that_cannot_be_read_is_said_to_be_unavailable(process, shop):
    process.source.broken_by = Overloaded()

    with pytest.raises(Overloaded):
        await process.follower.get("demo")

    process.source.broken_by = None
    assert (await process.follower.get("demo")).revision > 0


async def test_more_businesses_than_the_server_follows_replace_those_not_in_use(start_process):
    process = await start_process(replicas_max=1)
    for business_id in ("one", "two"):
        for submission in opening(a_shop(), business_id):
            await process.submit(submission)

    await process.follower.get("one")
    await process.follower.get("two")
    assert process.follower.business_ids == {"two"}

    query = replace(QUERY, business_id="two")
    async with process.watching(query):
        with pytest.raises(Overloaded):
            await process.follower.get("one")


async def test_a_replica_that_nobody_uses_is_forgotten(start_process):
    process = await start_process(replica_idle_seconds_max=0.0)
    for submission in opening(a_shop()):
        await process.submit(submission)

    await process.follower.get("demo")
    await process.follower.verify()

    assert process.follower.business_ids == set()


# Hints.


async def test_a_hint_brings_the_change_itself_to_another_process(start_process, redis_url):
    here, there = await start_process(redis_url), await start_process(redis_url, **SLOW)
    for submission in opening(a_shop()):
        await here.submit(submission)

    async with there.watching(QUERY) as stream:
        await subscribed(there)
        logs_read = there.source.logs_read
        booked = await here.submit(book(slot(3)))
        await stream.until_revision(booked["revision"])

        assert slot(3) not in stream.starts
        assert there.source.logs_read == logs_read


async def test_changes_that_are_too_large_for_a_hint_are_read_from_the_log(
    start_process, redis_url
):
    here, there = await start_process(redis_url), await start_process(redis_url, **SLOW)
    for submission in opening(a_shop()):
        await here.submit(submission)

    async with there.watching(QUERY) as stream:
        await subscribed(there)
        booked = await here.submit(book(*[slot(number) for number in range(40)]))
        await stream.until_revision(booked["revision"])

        assert len(stream.client.slots) == 8


async def test_redis_that_dies_refuses_no_booking_and_streams_stay_right(start_process, valkey):
    here, there = await start_process(valkey.url), await start_process(valkey.url)
    for submission in opening(a_shop()):
        await here.submit(submission)

    async with there.watching(QUERY) as stream:
        await subscribed(there)
        valkey.kill()
        for number in range(5):
            booked = await here.submit(book(slot(number)))
            await stream.until_revision(booked["revision"])
            assert slot(number) not in stream.starts


async def test_redis_that_is_not_there_keeps_nothing_from_starting(start_process):
    process = await start_process("redis://127.0.0.1:1/0")
    for submission in opening(a_shop()):
        await process.submit(submission)

    async with process.watching(QUERY) as stream:
        booked = await process.submit(book(slot(3)))
        await stream.until_revision(booked["revision"])

    assert process.publisher.published == 0


async def test_redis_that_comes_back_is_heard_again(start_process, valkey):
    here, there = await start_process(valkey.url), await start_process(valkey.url)
    for submission in opening(a_shop()):
        await here.submit(submission)
    await there.follower.get("demo")
    await subscribed(there)

    valkey.kill()
    while there.subscription.confirmed:
        await there.subscription.changed.wait()
    valkey.start()

    await subscribed(there)


async def test_hints_that_overtake_each_other_are_applied_in_order(process, shop, revision):
    following = process.follower._followings["demo"]
    epoch = following.replica.epoch
    first = a_change(revision + 1, slot(1))
    second = a_change(revision + 2, slot(2))

    process.follower.hinted(a_hint(revision + 2, second, epoch=epoch))
    assert following.replica.revision == revision
    process.follower.hinted(a_hint(revision + 1, first, epoch=epoch))

    assert following.replica.revision == revision + 2


async def test_a_hint_that_was_heard_before_changes_nothing(process, shop, revision):
    replica = process.follower._followings["demo"].replica
    claims = len(replica.offer.claims)

    process.follower.hinted(a_hint(revision, a_change(revision, slot(1)), epoch=replica.epoch))

    assert replica.revision == revision
    assert len(replica.offer.claims) == claims


async def test_a_gap_is_read_from_the_log_once(start_process, process, shop):
    deaf = await start_process(**SLOW)
    await deaf.follower.get("demo")
    for number in range(5):
        booked = await process.submit(book(slot(number)))
    following = deaf.follower._followings["demo"]

    for revision in range(booked["revision"] - 2, booked["revision"] + 1):
        deaf.follower.hinted(a_hint(revision))
    while following.replica.revision < booked["revision"]:
        await following.advanced.wait()

    assert deaf.source.logs_read == 1


async def test_a_hint_of_another_database_is_not_believed(process, shop, revision):
    foreign = a_hint(revision + 1, a_change(revision + 1, slot(1)), epoch=uuid4().hex)

    process.follower.hinted(foreign)

    assert process.follower._followings["demo"].replica.revision == revision


async def test_what_never_happened_is_found_out_and_undone(process, shop, revision):
    async with process.watching(QUERY) as stream:
        epoch = process.follower._followings["demo"].replica.epoch
        imagined = a_hint(revision + 1, a_change(revision + 1, slot(1)), epoch=epoch)
        process.follower.hinted(imagined)
        reset = await stream.until(lambda frame: isinstance(frame, Reset))
        assert reset.reason is ResetReason.EPOCH
        await stream.until(lambda frame: frame.resume_token)

        assert slot(1) in stream.starts


async def test_a_business_that_was_made_anew_between_two_looks_is_reset(
    start_process, process, shop
):
    other = await start_process()
    async with other.watching(QUERY) as stream:
        await process.submit(a_submission(DeleteBusiness(business_id="demo")))
        for submission in opening(a_shop()):
            await process.submit(submission)
        try:
            reset = await stream.until(lambda frame: isinstance(frame, Reset))
        except ResourceNotFound:
            # It looked in between.
            return
        assert reset.reason is ResetReason.EPOCH


async def test_a_log_that_was_trimmed_under_a_replica_makes_it_load_anew(
    start_process, process, shop, database
):
    deaf = await start_process(**SLOW)
    async with deaf.watching(QUERY) as stream:
        for number in range(3):
            booked = await process.submit(book(slot(number)))
        async with database.transaction("demo") as tx:
            await tx.exec_driver_sql("DELETE FROM changes")
        await deaf.follower.verify()
        frame = await stream.until_revision(booked["revision"])

        assert isinstance(frame, Delta)
        assert {slot(0), slot(1), slot(2)}.isdisjoint(stream.starts)
    assert deaf.source.loads == 2


def test_a_hint_says_what_was_put_in_it():
    hint = a_hint(7, a_change(6, NOW), a_change(7, NOW), epoch="e1")

    assert hint_from_json(hint_to_json(hint)) == hint


def test_a_hint_carries_only_what_is_small():
    changes = [a_change(revision, NOW) for revision in range(1, 100)]
    hint = a_hint(99, *changes, epoch="e1")

    data = hint_to_json(hint)

    assert len(data) < CHANGES_BYTES_MAX
    assert hint_from_json(data) == replace(hint, changes=())


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"b":1,"e":2,"r":"x","p":1,"c":[]}']
)
def test_what_is_no_hint_is_passed_over(data):
    assert hint_from_json(data) is None
