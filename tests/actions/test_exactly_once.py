"""B3: the same request is answered the same, and done once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from service.domain.commands import DeleteBusiness, PutClosure
from service.domain.errors import RequestIdReused, SlotTaken
from tests.actions.conftest import open_shop, outcome, outcomes
from tests.actions.submissions import a_shop, a_submission, book, hold, release, slot
from tests.builders import a_closure


def again(submission, **changes):
    """Send the same request once more: what the server makes of it has new ids."""
    command = submission.command
    fresh = replace(command, booking_ids=tuple(uuid4() for _ in command.booking_ids))
    return replace(submission, command=fresh, **changes)


async def test_a_repeated_request_gets_the_same_bytes_and_is_done_once(lanes, shop, books):
    submission = book(slot(1))

    first = await lanes.submit(submission)
    second = await lanes.submit(again(submission))

    assert second == first
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


async def test_a_request_repeated_within_its_batch_is_done_once(lanes, shop, books):
    submission = book(slot(1))

    results = await asyncio.gather(*(lanes.submit(again(submission)) for _ in range(20)))

    assert len(set(results)) == 1
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


async def test_a_request_is_repeated_by_another_process(lanes, make_lanes, shop, books):
    submission = book(slot(1))

    here, there = await asyncio.gather(
        lanes.submit(submission), make_lanes().submit(again(submission))
    )
    later = await make_lanes().submit(again(submission))

    assert here == there == later
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


@pytest.mark.parametrize("together", [True, False])
async def test_another_body_under_the_same_id_is_refused(lanes, shop, books, together):
    first = book(slot(1), request_id="one")
    other = book(slot(2), request_id="one", body="another")

    if together:
        _, refused = await outcomes(lanes, [first, other])
    else:
        await outcome(lanes, first)
        refused = await outcome(lanes, other)

    assert isinstance(refused, RequestIdReused)
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


async def test_a_request_id_belongs_to_the_one_who_chose_it(lanes, shop):
    """S19: nobody is answered what another was."""
    mine = await lanes.submit(book(slot(1), request_id="one", principal_id="mine"))
    yours = await lanes.submit(book(slot(2), request_id="one", principal_id="yours"))

    assert mine != yours


async def test_a_request_id_of_one_business_says_nothing_in_another(lanes, shop):
    await open_shop(lanes, a_shop(), "other")

    here = await lanes.submit(book(slot(1), request_id="one"))
    there = await lanes.submit(book(slot(1), request_id="one", business_id="other"))

    assert here != there


async def test_a_refusal_is_not_stored_and_is_decided_anew(lanes, shop, books):
    held_slot = await outcome(lanes, hold(slot(1), holder="mallory"))
    submission = book(slot(1))
    assert isinstance(await outcome(lanes, submission), SlotTaken)

    await outcome(lanes, release(held_slot["hold"]))

    assert (await outcome(lanes, again(submission)))["bookings"]


async def test_a_refused_request_repeated_in_its_batch_may_succeed_after_all(lanes, shop):
    taken = (await outcome(lanes, hold(slot(1), holder="mallory")))["hold"]
    submission = book(slot(1))

    first, _, second = await outcomes(lanes, [submission, release(taken), again(submission)])

    assert isinstance(first, SlotTaken)
    assert second["bookings"]


async def test_a_change_of_the_catalogue_is_repeated_too(lanes, shop, books):
    submission = a_submission(PutClosure(create=True, closure=a_closure()))

    first, second = [await lanes.submit(submission) for _ in range(2)]

    assert first == second
    assert await books.revision() == 5


async def test_what_was_answered_outlives_the_business(lanes, shop):
    booked, deleted = book(slot(1)), a_submission(DeleteBusiness(business_id="demo"))
    answers = [await lanes.submit(each) for each in (booked, deleted)]

    assert [await lanes.submit(each) for each in (again(booked), deleted)] == answers


@pytest.mark.parametrize("seed", range(4))
async def test_a_cancelled_call_takes_nothing_away(lanes, shop, books, seed):
    """Callers go away at random; each answer that was given, and each that was not, holds."""
    chance = random.Random(seed)
    submissions = [book(slot(number)) for number in range(60)]
    calls = []
    for submission in submissions:
        calls.append(lanes.submit(submission))
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        for call in calls:
            if chance.random() < 0.05:
                call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)

    stored = dict(await books.rows("SELECT request_id, response FROM requests"))
    booked = {str(row[0]) for row in await books.rows("SELECT booking_id FROM bookings")}
    for submission, result in zip(submissions, results, strict=True):
        is_booked = str(submission.command.booking_ids[0]) in booked
        assert (submission.request_id in stored) == is_booked
        assert isinstance(result, asyncio.CancelledError) or stored[submission.request_id] == result
    repeated = [await lanes.submit(again(submission)) for submission in submissions]
    assert all(
        answer == stored.get(submission.request_id, answer)
        for submission, answer in zip(submissions, repeated, strict=True)
    )
    assert await books.rows("SELECT count(*) FROM bookings") == [(60,)]
    assert await books.revision() == 4 + 60
