"""Lanes: what waits is decided together, and each caller gets the answer to its own."""

from __future__ import annotations

import asyncio
import json

import pytest

from service.domain.booking import BookingEvent
from service.domain.change import ChangeKind
from service.domain.errors import (
    Overloaded,
    ResourceNotFound,
    SlotTaken,
    TryAgain,
)
from service.store import bookings as booking_store
from tests.actions.conftest import answers, open_shop, outcome, outcomes
from tests.actions.submissions import (
    a_shop,
    a_wish,
    book,
    change,
    held,
    hold,
    move,
    release,
    renew,
    slot,
)
from tests.builders import a_type


async def test_what_waits_is_committed_together_in_order_of_arrival(lanes, shop, books, commits):
    commits.clear()

    results = await outcomes(lanes, [book(slot(number)) for number in range(50)])

    assert [result["revision"] for result in results] == list(range(5, 55))
    assert len(commits) <= 2, "One that found the lane empty, and all the others."
    assert [change.revision for _, _, changes, _ in commits for change in changes] == list(
        range(5, 55)
    )
    assert [before for _, _, _, before in commits] == [
        changes[0].revision - 1 for _, _, changes, _ in commits
    ]


async def test_a_batch_is_bounded(make_lanes, shop, commits):
    commits.clear()
    lanes = make_lanes(batch_max=10)

    await outcomes(lanes, [book(slot(number)) for number in range(35)])

    assert sorted(len(changes) for _, _, changes, _ in commits) == [5, 10, 10, 10]


async def test_each_command_of_a_batch_sees_what_those_before_it_did(lanes, shop):
    first, second, third = await outcomes(lanes, [book(slot(1)), book(slot(1)), book(slot(2))])

    assert isinstance(second, SlotTaken)
    assert second.revision == first["revision"]
    assert third["revision"] == first["revision"] + 1


async def test_one_refusal_does_not_hurt_the_others_of_its_batch(lanes, shop, books):
    results = await outcomes(lanes, [book(slot(number // 2)) for number in range(40)])

    assert len(answers(results)) == 20
    assert await books.revision() == 4 + 20


async def test_a_batch_of_refusals_writes_nothing(lanes, shop, books, commits):
    await outcome(lanes, book(slot(1)))
    commits.clear()
    before, revision = await books.counts(), await books.revision()
    query = "SELECT xmin::text FROM businesses"
    written_by = await books.rows(query)

    results = await outcomes(lanes, [book(slot(1)) for _ in range(30)])

    assert {type(result) for result in results} == {SlotTaken}
    assert (await books.counts(), await books.revision()) == (before, revision)
    assert await books.rows(query) == written_by
    assert commits == []


async def test_a_booking_is_read_back_as_it_was_answered(lanes, shop, database):
    submission = book(slot(1))
    answer = await outcome(lanes, submission)

    async with database.snapshot("demo") as tx:
        found = await booking_store.get(tx, "demo", submission.command.booking_ids[0])

    assert str(found.booking_id) == answer["bookings"][0]["id"]
    assert found.customer == submission.command.customer
    assert found.fields == submission.command.fields
    assert found.calendar_ids == ("anna",)
    assert found.appointment.start == slot(1)


async def test_the_log_tells_what_was_put_and_what_was_freed(lanes, shop, books):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]
    booking = (await outcome(lanes, move(booking, a_wish(slot(2)))))["bookings"][0]
    await outcome(lanes, change(booking, BookingEvent.CANCEL))

    booked, moved, cancelled = (await books.log())[-3:]

    assert [each.kind for each in (booked, moved, cancelled)] == [
        ChangeKind.BOOKED,
        ChangeKind.RESCHEDULED,
        ChangeKind.CANCELLED,
    ]
    assert [claim.start for claim in booked.added] == [slot(1)]
    assert [ref.claim_id for ref in moved.removed] == [claim.claim_id for claim in booked.added]
    assert [claim.start for claim in moved.added] == [slot(2)]
    assert [ref.claim_id for ref in cancelled.removed] == [claim.claim_id for claim in moved.added]
    assert await books.rows("SELECT claim_id FROM claims") == []


async def test_a_hold_lives_through_its_renewal_and_becomes_a_booking(lanes, shop, books):
    first = await outcome(lanes, hold(slot(1)))
    renewed = await outcome(lanes, renew(first["hold"]))
    booked = await outcome(lanes, book(held(first["hold"])))

    assert renewed["expires_at"] > first["expires_at"]
    assert booked["bookings"][0]["start"] == slot(1).isoformat()
    assert await books.rows("SELECT status FROM holds") == [("booked",)]
    assert await books.rows("SELECT kind FROM claims") == [("booking",)]


async def test_an_expired_hold_gives_its_slot_to_whoever_asks_first(lanes, books):
    await open_shop(lanes, a_shop(a_type(capacity=2)))
    late = await outcome(lanes, hold(slot(1)))
    await outcome(lanes, book(slot(1)))
    for table in ("claims", "holds"):
        await books.run(f"UPDATE {table} SET expires_at = now() WHERE expires_at IS NOT NULL")

    first, second = await outcomes(lanes, [book(held(late["hold"])), book(slot(1))])

    assert first["bookings"][0]["start"] == slot(1).isoformat()
    assert isinstance(second, SlotTaken)


async def test_an_own_hold_that_gives_way_frees_all_of_its_calendars(lanes, books):
    types = [a_type(), a_type("pair", any_of=("anna",), all_of=("room",))]
    await open_shop(lanes, a_shop(*types, calendar_ids=("anna", "room")))
    await outcome(lanes, hold(slot(1), wish=a_wish(slot(1), type_id="pair")))

    await outcome(lanes, book(slot(1), holder="eve"))

    assert await books.rows("SELECT calendar_id, kind FROM claims") == [("anna", "booking")]
    assert await books.rows("SELECT status FROM holds") == [("released",)]


async def test_a_hold_ended_in_the_batch_that_made_it_is_stored_as_ended(lanes, shop, books):
    await outcome(lanes, book(slot(9)))
    results = await outcomes(lanes, [hold(slot(1)), hold(slot(1)), book(slot(1), holder="eve")])

    assert len(answers(results)) == 3
    assert await books.rows("SELECT status FROM holds") == [("released",), ("released",)]
    assert await books.rows("SELECT count(*) FROM claims") == [(2,)]


async def test_a_released_hold_leaves_no_claim(lanes, shop, books):
    held_slot = await outcome(lanes, hold(slot(1)))

    await outcome(lanes, release(held_slot["hold"]))

    assert await books.rows("SELECT * FROM claims") == []


async def test_any_calendar_is_chosen_inside_the_transaction_and_fairly(lanes):
    catalog = a_shop(a_type(any_of=("anna", "ben")), calendar_ids=("anna", "ben"))
    await open_shop(lanes, catalog)
    wishes = [a_wish(slot(number), calendar_id=None) for number in (1, 1, 2, 2)]

    results = await outcomes(lanes, [book(wish) for wish in wishes])

    chosen = [result["bookings"][0]["calendars"][0] for result in results]
    assert sorted(chosen[:2]) == sorted(chosen[2:]) == ["anna", "ben"]


async def test_a_command_for_a_business_that_is_not_there_is_not_found(lanes, shop):
    assert isinstance(await outcome(lanes, book(slot(1), business_id="nowhere")), ResourceNotFound)


async def test_a_full_queue_refuses_and_nothing_of_the_refused_is_done(make_lanes, shop, books):
    lanes = make_lanes(queue_max=5)
    submissions = [book(slot(number)) for number in range(8)]

    results = await outcomes(lanes, submissions)

    assert [type(result) for result in results[5:]] == [Overloaded] * 3
    assert len(answers(results)) == 5
    assert await books.rows("SELECT count(*) FROM bookings") == [(5,)]


async def test_a_lane_that_drains_finishes_what_waits_and_takes_no_more(make_lanes, shop, books):
    lanes = make_lanes(batch_max=3)
    waiting = asyncio.gather(*(lanes.submit(book(slot(number))) for number in range(10)))
    await asyncio.sleep(0)

    await lanes.drain()

    assert len(await waiting) == 10
    with pytest.raises(Overloaded):
        await lanes.submit(book(slot(11)))


async def test_whoever_is_told_of_a_commit_cannot_undo_it(make_lanes, shop, books):
    def fail(*_):
        raise RuntimeError

    lanes = make_lanes(on_commit=fail)

    assert "revision" in json.loads(await lanes.submit(book(slot(1))))
    assert await books.rows("SELECT count(*) FROM bookings") == [(1,)]


async def test_a_command_that_breaks_its_batch_is_run_alone_and_fails_alone(lanes, shop, books):
    # PostgreSQL stores no NUL in a text.
    poison = book(slot(2), note="\0")
    submissions = [book(slot(0)), book(slot(1)), poison, book(slot(3))]

    results = await asyncio.gather(
        *(lanes.submit(submission) for submission in submissions), return_exceptions=True
    )

    kinds = [type(result) for result in results]
    assert kinds[:2] + kinds[3:] == [bytes] * 3
    assert not isinstance(results[2], TryAgain)
    assert "window seat" not in str(results[2])
    assert await books.rows("SELECT count(*) FROM bookings") == [(3,)]


async def test_a_busy_business_does_not_keep_the_others_waiting(make_lanes, shop):
    """With one connection for all, each business gets its turn between two batches."""
    lanes = make_lanes(concurrent_max=1, batch_max=2)
    await open_shop(lanes, a_shop(), "quiet")
    order: list[str] = []

    async def submit(business_id, number):
        await lanes.submit(book(slot(number), business_id=business_id))
        order.append(business_id)

    busy = [asyncio.create_task(submit("demo", number)) for number in range(20)]
    await asyncio.create_task(submit("quiet", 0))
    await asyncio.gather(*busy)

    assert order.index("quiet") <= 4
