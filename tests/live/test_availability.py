"""Lists, explanations and alternatives, from a replica that is proved fresh."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.errors import InvalidRequest, ResourceNotFound, RevisionAhead
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.availability import Lost
from service.live.clock import UNPROVED_MAX
from tests.actions.submissions import DAY, a_shop, book, opening, slot
from tests.builders import a_type, minutes
from tests.live.process import SLOW

QUERY = SlotQuery(business_id="demo", window=Interval(DAY, DAY + timedelta(days=5)))
LOST = Lost(
    business_id="demo", type_id="visit", calendar_id="anna", start=slot(20), duration=minutes(30)
)


def starts(slots):
    return [found.key.start for found in slots]


async def test_a_list_has_all_open_slots_in_order(process, shop):
    booked = await process.submit(book(slot(1)))
    slots, revision, as_of = await process.availability.list_slots(QUERY)

    assert starts(slots) == [slot(number) for number in range(240) if number != 1]
    assert revision >= booked["revision"]
    assert as_of < DAY


async def test_pages_of_a_list_are_the_list(process, shop):
    whole, _, _ = await process.availability.list_slots(QUERY)
    pages, after = [], None
    while True:
        page, _, _ = await process.availability.list_slots(QUERY, after=after, limit=50)
        pages += page
        if len(page) < 50:
            break
        after = page[-1].key

    assert pages == whole


async def test_a_list_is_never_older_than_an_answer_given_before(start_process, process, shop):
    deaf = await start_process(**SLOW)
    for number in range(10):
        await process.submit(book(slot(number)))
        slots, _, _ = await deaf.availability.list_slots(QUERY)
        assert slot(number) not in starts(slots)


async def test_w5_a_list_of_a_process_that_was_paused_says_as_of_when_it_was_proved(
    start_process, monkeypatch
):
    paused_seconds = 0.0
    process = await start_process(monotonic=lambda: time.monotonic() + paused_seconds)
    for submission in opening(a_shop()):
        await process.submit(submission)
    proved = (await process.follower.get("demo")).as_of
    get = process.follower.get

    async def get_and_pause(*asked, **more):
        nonlocal proved, paused_seconds
        fresh = await get(*asked, **more)
        proved, paused_seconds = fresh.as_of, 60.0
        return fresh

    monkeypatch.setattr(process.follower, "get", get_and_pause)
    _, _, as_of = await process.availability.list_slots(QUERY)

    assert proved <= as_of <= proved + UNPROVED_MAX


async def test_a_list_waits_for_a_revision_and_then_says_that_it_is_ahead(start_process, shop):
    process = await start_process(revision_wait_seconds_max=0.1)

    with pytest.raises(RevisionAhead):
        await process.availability.list_slots(QUERY, 10**6)


async def test_a_list_of_what_does_not_exist_is_not_found(process, shop):
    for query in (
        replace(QUERY, business_id="nobody"),
        replace(QUERY, type_ids=("nothing",)),
        replace(QUERY, calendar_ids=("nobody",)),
    ):
        with pytest.raises(ResourceNotFound):
            await process.availability.list_slots(query)


async def test_an_explanation_says_whether_it_can_be_booked(process, shop):
    verdicts, is_bookable, revision, _ = await process.availability.explain(LOST)
    assert is_bookable
    assert all(verdict.passed for verdict in verdicts)

    await process.submit(book(slot(20)))
    verdicts, is_bookable, later, _ = await process.availability.explain(LOST)
    assert not is_bookable
    assert [verdict.rule.name for verdict in verdicts if not verdict.passed] == ["FREE"]
    assert later > revision


async def test_an_explanation_of_what_is_not_offered_is_refused(process, shop):
    with pytest.raises(ResourceNotFound):
        await process.availability.explain(replace(LOST, type_id="nothing"))
    with pytest.raises(InvalidRequest):
        await process.availability.explain(replace(LOST, duration=minutes(31)))


async def test_alternatives_are_the_nearest_of_the_same_day(process, shop):
    booked = await process.submit(book(slot(20)))

    found, revision = await process.availability.alternatives(LOST, booked["revision"])

    assert starts(found)[:4] == [slot(19), slot(21), slot(18), slot(22)]
    assert len(found) == 10
    assert revision == booked["revision"]


async def test_alternatives_name_the_revision_at_which_they_are_open(process, shop):
    refused = await process.submit(book(slot(20)))
    later = await process.submit(book(slot(19)))

    found, revision = await process.availability.alternatives(LOST, refused["revision"])

    assert slot(19) not in starts(found)
    assert revision == later["revision"]


async def test_alternatives_are_looked_for_on_other_days_and_other_calendars(process):
    shop = a_shop(a_type(any_of=("anna", "ben"), day_cap=1), calendar_ids=("anna", "ben"))
    for submission in opening(shop):
        await process.submit(submission)
    await process.submit(book(slot(20)))

    found, _ = await process.availability.alternatives(LOST)

    assert {found_slot.key.calendar_id for found_slot in found} == {"anna"}
    assert all(start < DAY or start >= DAY + timedelta(days=1) for start in starts(found))


async def test_all_who_lose_the_same_slot_cost_one_search(process, shop):
    booked = await process.submit(book(slot(20)))
    await process.follower.get("demo")

    one = await process.availability.alternatives(LOST, booked["revision"])
    another = await process.availability.alternatives(
        replace(LOST, holder_key="somebody"), booked["revision"]
    )

    assert one is another


async def test_alternatives_of_a_strange_time_are_none(process, shop):
    far = replace(LOST, start=slot(0).replace(year=9999, month=12, day=31))

    assert (await process.availability.alternatives(far)).slots == []
