"""A business that is not loaded: lists are answered from PostgreSQL, and it is loaded once."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.availability import open_slots
from service.domain.commands import ImportBusy
from service.domain.errors import DomainError, Overloaded, ResourceNotFound, RevisionAhead
from service.domain.ids import holder_key
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live import availability, grounds
from service.live.availability import Lost
from service.live.digest import slot_digest
from service.live.frames import SnapshotEnd
from service.live.ground import DirectGround
from service.live.source import Part
from tests.actions.submissions import (
    DAY,
    PRINCIPAL,
    a_shop,
    a_submission,
    a_wish,
    book,
    hold,
    opening,
    slot,
)
from tests.builders import a_type, hours, minutes
from tests.domain.strategies import SLOW as SLOW_PROPERTY
from tests.domain.strategies import cases
from tests.live.process import SLOW

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=5)))
LOST = Lost(
    business_id="demo", type_id="visit", calendar_id="anna", start=slot(20), duration=minutes(30)
)


def starts(slots):
    return [found.key.start for found in slots]


class Gate:
    """Holds loads back until it is opened."""

    def __init__(self, source):
        self._load = source.load
        self.opened = asyncio.Event()
        self.asked = asyncio.Event()
        source.load = self.load

    async def load(self, business_id):
        self.asked.set()
        await self.opened.wait()
        return await self._load(business_id)


@pytest.fixture
async def cold(start_process, shop):
    """Start a process whose replicas are not loaded before `gate.opened`."""
    cold = await start_process(**SLOW)
    cold.gate = Gate(cold.source)
    return cold


async def loaded(process):
    await process.gate.asked.wait()
    process.gate.opened.set()
    while not process.follower.is_loaded("demo"):
        await process.follower._followings["demo"].advanced.wait()


# Same answers.


class PartOfCase(Part):
    """What `Part` reads, from the claims of a case."""

    def __init__(self, case):
        self.epoch, self.revision, self.catalog = "e1", 1, case.catalog
        self._claims = case.offer.claims

    async def claims_in(self, windows):
        return [
            claim
            for calendar_id, window in windows
            for claim in self._claims.overlapping(calendar_id, window.start, window.end)
        ]


@SLOW_PROPERTY
@given(cases(), st.integers(1, 5))
def test_b5_a_direct_answer_in_any_parts_is_what_a_replica_answers(case, parts):
    ground = DirectGround(PartOfCase(case))
    query = SlotQuery(business_id="demo", window=case.window, holder_key=case.holder_key)
    length = (case.window.end - case.window.start) / parts

    async def collect():
        found = []
        for number in range(parts):
            start = case.window.start + number * length
            end = case.window.end if number == parts - 1 else start + length
            part = replace(query, window=Interval(start, end))
            await ground.need_list(part, case.now)
            days = ground.days(case.now, query.holder_key)
            found += open_slots(ground.offer, part, case.now, days=days)
        return found

    assert asyncio.run(collect()) == open_slots(case.offer, query, case.now)


async def a_random_business(process, chance):
    calendar_ids = ("anna", "ben", "room")
    visit = a_type(
        any_of=("anna", "ben"),
        durations=(minutes(30), minutes(60)),
        buffer_after=minutes(chance.choice([0, 15, 300])),
        day_cap=chance.choice([None, 3]),
        week_cap=chance.choice([None, 8]),
    )
    group = a_type("group", any_of=("ben",), all_of=("room",), capacity=3)
    for submission in opening(a_shop(visit, group, calendar_ids=calendar_ids)):
        await process.submit(submission)
    busy = [slot(chance.randrange(240)) for _ in range(5)]
    imported = ImportBusy(
        calendar_id="room",
        feed_id="feed",
        busy=tuple(Interval(start, start + hours(chance.choice([1, 30]))) for start in busy),
    )
    await process.submit(a_submission(imported))
    for _ in range(30):
        wish = a_wish(
            slot(chance.randrange(240)),
            type_id=chance.choice(["visit", "group"]),
            calendar_id=chance.choice(["ben", None]),
        )
        holder = chance.choice(["eve", "bob"])
        submission = chance.choice([book(wish), hold(wish.start, wish=wish, holder=holder)])
        try:
            await process.submit(submission)
        except DomainError:
            continue


@pytest.mark.parametrize("seed", range(8))
async def test_b5_a_cold_answer_is_the_answer_of_the_replica(start_process, seed, monkeypatch):
    """Half of the time it is worked out day by day, as for a business of many calendars."""
    chance = random.Random(seed)
    if seed % 2:
        monkeypatch.setattr(availability, "CELL_DAYS_PER_TURN", 1)
    process, cold = await start_process(), await start_process(**SLOW)
    await a_random_business(process, chance)
    cold.gate = Gate(cold.source)
    queries = [
        replace(QUERY, holder_key=holder_key(PRINCIPAL, "eve")),
        replace(QUERY, calendar_ids=("ben",), duration=minutes(30)),
        replace(QUERY, type_ids=("group",), window=Interval(slot(33), slot(75))),
    ]

    async def answers():
        lists = [(await cold.availability.list_slots(query))[:2] for query in queries]
        pages, after = [], None
        while after is None or len(pages) % 7 == 0:
            page, _, _ = await cold.availability.list_slots(QUERY, after=after, limit=7)
            pages += page
            if not page:
                break
            after = page[-1].key
        asked = [slot(chance.randrange(240)) for _ in range(5)]
        chance.seed(seed)
        verdicts = [
            [(each.rule, each.calendar_id, each.passed) for each in verdicts]
            for start in asked
            for verdicts in (
                await cold.availability.explain(replace(LOST, calendar_id=None, start=start))
            )[:1]
        ]
        alternatives, _ = await cold.availability.alternatives(replace(LOST, calendar_id="ben"))
        digests = [sum(slot_digest("demo", each) for each in found) for found, _ in lists]
        return lists, digests, pages, verdicts, alternatives

    chance.seed(seed)
    from_postgres = await answers()
    assert not cold.follower.is_loaded("demo")
    await loaded(cold)

    assert await answers() == from_postgres
    assert cold.source.loads == 1


# Without waiting.


async def test_a_first_list_does_not_wait_for_the_replica_and_has_it_loaded_once(process, cold):
    booked = await process.submit(book(slot(1)))

    lists = await asyncio.gather(*[cold.availability.list_slots(QUERY) for _ in range(20)])
    verdicts, is_bookable, *_ = await cold.availability.explain(LOST)
    others, _ = await cold.availability.alternatives(
        replace(LOST, start=slot(1)), booked["revision"]
    )

    assert all(slot(1) not in starts(slots) and slots for slots, _, _ in lists)
    assert {revision for _, revision, _ in lists} == {booked["revision"]}
    assert is_bookable
    assert verdicts
    assert starts(others)[:2] == [slot(0), slot(2)]
    await cold.gate.asked.wait()
    await loaded(cold)
    await cold.availability.list_slots(QUERY)
    assert cold.source.loads == 1


async def test_a_cold_list_is_never_older_than_an_answer_given_before(process, cold):
    for number in range(10):
        booked = await process.submit(book(slot(number)))
        slots, revision, _ = await cold.availability.list_slots(QUERY, booked["revision"])
        assert slot(number) not in starts(slots)
        assert revision >= booked["revision"]


async def test_a_cold_list_of_a_revision_that_does_not_come_says_that_it_is_ahead(
    start_process, shop
):
    cold = await start_process(**SLOW, revision_wait_seconds_max=0.1)
    cold.gate = Gate(cold.source)

    with pytest.raises(RevisionAhead):
        await cold.availability.list_slots(QUERY, 10**6)


async def test_a_cold_question_about_nothing_leaves_nothing_behind(cold):
    for query in (replace(QUERY, business_id="nobody"), replace(QUERY, type_ids=("nothing",))):
        with pytest.raises(ResourceNotFound):
            await cold.availability.list_slots(query)
    with pytest.raises(ResourceNotFound):
        await cold.availability.explain(replace(LOST, type_id="nothing"))
    with pytest.raises(ResourceNotFound):
        await cold.availability.explain(replace(LOST, calendar_id="nobody"))

    assert "nobody" not in cold.follower.business_ids


async def test_a_cold_list_is_given_also_where_there_is_no_room_for_the_replica(start_process):
    process = await start_process(replicas_max=1)
    for business_id in ("one", "two"):
        for submission in opening(a_shop(), business_id):
            await process.submit(submission)

    async with process.watching(replace(QUERY, business_id="one")):
        slots, _, _ = await process.availability.list_slots(replace(QUERY, business_id="two"))

    assert len(slots) == 240


# Bounds.


async def test_only_so_many_cold_answers_are_worked_out_at_a_time(process, cold):
    reading = most = 0
    part = cold.source.part

    @asynccontextmanager
    async def counted(business_id):
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            async with part(business_id) as found:
                yield found
        finally:
            reading -= 1

    cold.source.part = counted
    await asyncio.gather(*[cold.availability.list_slots(QUERY) for _ in range(20)])

    assert most == grounds.DIRECT_READS_MAX


async def test_cold_questions_beyond_the_queue_wait_for_the_replica(cold):
    wait = asyncio.Event()
    part = cold.source.part

    @asynccontextmanager
    async def stuck(business_id):
        await wait.wait()
        async with part(business_id) as found:
            yield found

    cold.source.part = stuck
    queued = [
        asyncio.create_task(cold.availability.list_slots(QUERY))
        for _ in range(grounds.DIRECT_WAITING_MAX)
    ]
    await asyncio.sleep(0)
    beyond = asyncio.create_task(cold.availability.list_slots(QUERY))
    await cold.gate.asked.wait()
    assert not beyond.done()
    cold.gate.opened.set()
    slots, _, _ = await beyond
    assert not any(task.done() for task in queued)
    wait.set()
    cold.source.part = part

    assert all(found == slots for found, _, _ in await asyncio.gather(*queued))


# Watches.


async def test_a_watch_of_a_business_that_is_not_loaded_waits_for_it_and_begins_whole(
    process, cold
):
    await cold.availability.list_slots(QUERY)
    frames = cold.watchers.watch(QUERY)
    first = asyncio.ensure_future(anext(frames))
    await cold.gate.asked.wait()
    booked = await process.submit(book(slot(3)))
    assert not first.done()

    cold.gate.opened.set()
    told = [await first]
    while not isinstance(told[-1].frame, SnapshotEnd):
        told.append(await anext(frames))
    await frames.aclose()

    assert slot(3) not in starts(each for sent in told[:-1] for each in sent.frame.slots)
    assert told[-1].frame.revision >= booked["revision"]


async def test_a_watch_that_waited_too_long_is_told_to_retry_and_the_load_goes_on(
    start_process, shop
):
    cold = await start_process(loading_seconds_max=0.05)
    cold.gate = Gate(cold.source)

    with pytest.raises(Overloaded):
        await anext(cold.watchers.watch(QUERY))

    await loaded(cold)
    async with cold.watching(QUERY) as stream:
        assert len(stream.starts) == 240
    assert cold.source.loads == 1
