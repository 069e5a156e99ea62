"""B1 and B4: several processes write to one database, and nothing is sold twice or out of order."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import combinations, cycle

import pytest

from service.domain.booking import BookingEvent
from service.domain.errors import InvalidTransition, SlotTaken, TooManyHolds, VersionMismatch
from service.store import business_lock
from tests.actions.conftest import answers, open_shop, outcome
from tests.actions.submissions import a_shop, a_wish, book, change, held, hold, move, release, slot
from tests.builders import a_type, minutes


@pytest.fixture
def processes(make_lanes):
    return [make_lanes(batch_max=8, pool_size=4, concurrent_max=4) for _ in range(2)]


async def spread(processes, submissions):
    """Submit all at once, to one process and the other in turn."""
    return await asyncio.gather(
        *(outcome(lanes, each) for lanes, each in zip(cycle(processes), submissions, strict=False))
    )


async def assert_claims_fit(books):
    """Ask the rows themselves, by another way than the constraint's."""
    rows = await books.rows(
        "SELECT business_id, calendar_id, starts_at, ends_at, seat FROM claims"
        " WHERE expires_at IS NULL OR expires_at > now()"
    )
    for one, other in combinations(rows, 2):
        if one[:2] == other[:2] and one[2] < other[3] and other[2] < one[3]:
            assert None not in {one[4], other[4]}
            assert one[4] != other[4]


async def test_of_many_callers_of_one_slot_exactly_one_wins(processes, lanes, shop, books):
    results = await spread(processes, [book(slot(1)) for _ in range(120)])

    refused = [result for result in results if not isinstance(result, dict)]
    assert len(answers(results)) == 1
    assert {type(refusal) for refusal in refused} == {SlotTaken}
    assert await books.rows("SELECT count(*) FROM claims") == [(1,)]


async def test_of_many_callers_of_a_group_as_many_win_as_it_has_seats(processes, lanes, books):
    await open_shop(lanes, a_shop(a_type(capacity=7)))

    results = await spread(processes, [book(slot(1)) for _ in range(60)])

    assert len(answers(results)) == 7
    assert await books.rows("SELECT seat FROM claims ORDER BY seat") == [(n,) for n in range(7)]


async def test_revisions_have_no_gap_and_are_in_the_order_of_the_commits(
    processes, lanes, books, commits
):
    names = ("demo", "red", "green")
    for name in names:
        await open_shop(lanes, a_shop(), name)
    commits.clear()
    submissions = [book(slot(n), business_id=name) for n in range(40) for name in names]

    results = await spread(processes, submissions)

    for name in names:
        log = await books.log(name)
        assert [change.revision for change in log] == list(range(1, 4 + 40 + 1))
        assert await books.revision(name) == 44
        assert [change.at for change in log] == sorted(change.at for change in log)
        told = [
            result["revision"]
            for result, submission in zip(results, submissions, strict=True)
            if submission.business_id == name
        ]
        assert sorted(told) == list(range(5, 45))
        published = [each for each in commits if each[0] == name]
        assert sorted(c.revision for _, _, changes, _ in published for c in changes) == list(
            range(5, 45)
        )


async def test_each_revision_is_the_order_in_which_a_booking_really_moved(processes, lanes, shop):
    """Compare-and-swap on the version: of those who saw the same booking one wins, every time."""
    booking = (await outcome(lanes, book(slot(0))))["bookings"][0]
    for number in range(1, 6):
        results = await spread(
            processes, [move(booking, a_wish(slot(number * 10 + each))) for each in range(10)]
        )
        (won,) = answers(results)
        assert {type(each) for each in results if not isinstance(each, dict)} == {VersionMismatch}
        booking = won["bookings"][0]

    assert booking["version"] == 6


async def test_of_approving_and_declining_at_once_one_is_done(processes, lanes, books):
    """B8: pending counts, and is decided once."""
    await open_shop(lanes, a_shop(a_type(requires_approval=True)))
    pending = (await outcome(lanes, book(slot(1))))["bookings"][0]
    assert isinstance(await outcome(lanes, book(slot(1))), SlotTaken)

    results = await spread(
        processes,
        [change(pending, event) for event in (BookingEvent.APPROVE, BookingEvent.DECLINE)],
    )

    (won,) = answers(results)
    (lost,) = (each for each in results if not isinstance(each, dict))
    assert isinstance(lost, VersionMismatch | InvalidTransition)
    kept = won["bookings"][0]["status"] == "confirmed"
    assert await books.rows("SELECT count(*) FROM claims") == [(int(kept),)]


async def test_a_holder_cannot_hold_more_by_asking_everywhere_at_once(processes, lanes, books):
    """B7: the limit is kept in the booking's own transaction."""
    shop = a_shop()
    await open_shop(lanes, replace(shop, business=replace(shop.business, holds_per_holder_max=3)))

    results = await spread(processes, [hold(slot(number)) for number in range(40)])

    assert len(answers(results)) == 3
    refused = {type(each) for each in results if not isinstance(each, dict)}
    assert refused == {TooManyHolds}
    assert await books.rows("SELECT count(*) FROM claims") == [(3,)]


@pytest.mark.parametrize("seed", range(3))
async def test_never_twice_whatever_is_asked_at_once(processes, lanes, books, seed):
    chance = random.Random(seed)
    types = [
        a_type(any_of=("anna", "ben"), buffer_after=minutes(10), slot_step=minutes(15)),
        a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
        a_type("class", any_of=(), all_of=("room",), capacity=3),
    ]
    await open_shop(lanes, a_shop(*types, calendar_ids=("anna", "ben", "room")))
    bookings, holds = [], []
    for _ in range(6):
        results = await spread(
            processes, [a_random_submission(chance, bookings, holds) for _ in range(40)]
        )
        for answer in answers(results):
            bookings += answer["bookings"]
            holds += [answer["hold"]] if answer["hold"] else []
        await assert_claims_fit(books)

    log = await books.log()
    assert [each.revision for each in log] == list(range(1, len(log) + 1))
    assert claims_by_the_log(log) == {
        row[0] for row in await books.rows("SELECT claim_id FROM claims")
    }


def a_random_submission(chance, bookings, holds):
    type_id = chance.choice(["visit", "pair", "class"])
    calendar_id = "room" if type_id == "class" else chance.choice(["anna", "ben", None])
    wish = a_wish(slot(chance.randrange(8)), type_id=type_id, calendar_id=calendar_id)
    kind = chance.randrange(7)
    if kind == 0 and bookings:
        return change(chance.choice(bookings), BookingEvent.CANCEL)
    if kind == 1 and bookings:
        return move(chance.choice(bookings), wish)
    if kind == 2 and holds:
        return book(held(chance.choice(holds)))
    if kind == 3 and holds:
        return release(chance.choice(holds))
    if kind == 4:
        return book(wish, a_wish(slot(chance.randrange(8))))
    if kind == 5:
        return book(wish, holder=chance.choice(["eve", "bob"]))
    return hold(wish.start, wish=wish, holder=chance.choice(["eve", "bob", "joe"]))


def claims_by_the_log(log):
    claims = set()
    for each in log:
        claims -= {ref.claim_id for ref in each.removed}
        claims |= {claim.claim_id for claim in each.added}
    return claims


async def test_businesses_of_the_same_lock_only_wait_for_each_other(
    processes, lanes, books, monkeypatch
):
    monkeypatch.setattr(business_lock, "crc32", lambda _: 1)
    for name in ("demo", "red"):
        await open_shop(lanes, a_shop(), name)

    results = await spread(
        processes,
        [book(slot(n), business_id=name) for n in range(10) for name in ("demo", "red")],
    )

    assert len(answers(results)) == 20
    assert await books.locks() == []
