"""Series through the lanes: one command, one commit."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

from service.domain.booking import Customer
from service.domain.change import ChangeKind
from service.domain.commands import BookSeries, SeriesMode
from service.domain.errors import SeriesRefused, SlotTaken
from service.domain.ids import holder_key
from service.domain.recurrence import OCCURRENCES_MAX, read_recurrence
from tests.actions.conftest import answers, open_shop, outcome, outcomes
from tests.actions.submissions import (
    PRINCIPAL,
    a_shop,
    a_submission,
    a_wish,
    book,
    hold,
    join,
    slot,
)
from tests.builders import a_type, minutes

IN_A_DAY = 48


def a_series(number, *, count=3, mode=SeriesMode.ALL_OR_NONE, holder=None):
    """Return a series that begins with the slot of that number, and has one each day."""
    return a_submission(
        BookSeries(
            principal_id=PRINCIPAL,
            holder_key=None if holder is None else holder_key(PRINCIPAL, holder),
            series_id=uuid4(),
            booking_ids=tuple(uuid4() for _ in range(OCCURRENCES_MAX)),
            first=a_wish(slot(number)),
            recurrence=read_recurrence(f"FREQ=DAILY;COUNT={count}"),
            mode=mode,
            customer=Customer(display_name="Eve"),
            fields={},
        )
    )


async def test_a_series_is_one_change_and_its_bookings_name_it(lanes, shop, books, commits):
    commits.clear()
    series = a_series(0)

    answer = await outcome(lanes, series)

    ((_, _, (change,), _),) = commits
    assert change.kind is ChangeKind.BOOKED
    assert [str(each) for each in change.booking_ids] == [each["id"] for each in answer["bookings"]]
    rows = await books.rows("SELECT series_id, starts_at FROM bookings ORDER BY starts_at")
    assert [start for _, start in rows] == [slot(number * IN_A_DAY) for number in range(3)]
    assert {UUID(int=each.int) for each, _ in rows} == {series.command.series_id}


async def test_those_of_one_batch_see_each_other(lanes, shop, books):
    booked, refused, partly, late = await outcomes(
        lanes,
        [
            book(slot(IN_A_DAY)),
            a_series(0),
            a_series(0, mode=SeriesMode.AS_MANY_AS_FIT),
            book(slot(2 * IN_A_DAY)),
        ],
    )

    assert isinstance(refused, SeriesRefused)
    assert refused.revision == booked["revision"]
    assert [each["start"] for each in partly["bookings"]] == [
        slot(0).isoformat(),
        slot(2 * IN_A_DAY).isoformat(),
    ]
    assert isinstance(late, SlotTaken)
    assert await books.rows("SELECT count(*) FROM bookings") == [(3,)]


async def test_what_others_have_booked_long_before_is_known(lanes, shop):
    await outcome(lanes, book(slot(2 * IN_A_DAY)))

    assert isinstance(await outcome(lanes, a_series(0)), SeriesRefused)


async def test_what_a_series_leaves_of_ones_own_hold_is_offered_at_once_to_who_waits(
    lanes, commits
):
    long = a_type("long", durations=(minutes(60),))
    await open_shop(lanes, a_shop(a_type(), long))
    await outcome(lanes, hold(slot(0), holder="eve", wish=a_wish(slot(0), type_id="long")))
    waiting = await outcome(lanes, join(slot(1)))
    commits.clear()

    await outcome(lanes, a_series(0, holder="eve"))

    ((_, _, (change,), _),) = commits
    assert change.kind is ChangeKind.BOOKED
    assert [str(offer.entry_id) for offer in change.offers] == [waiting["entry"]]
    assert isinstance(await outcome(lanes, book(slot(1))), SlotTaken)


async def test_a_series_counts_as_many_commands_where_a_batch_is_bounded(make_lanes, shop, commits):
    commits.clear()
    lanes = make_lanes(batch_max=2 * OCCURRENCES_MAX)

    results = await outcomes(lanes, [a_series(number) for number in range(7)])

    assert len(answers(results)) == 7
    assert sorted(len(changes) for _, _, changes, _ in commits) == [1, 2, 2, 2]


async def test_a_repetition_books_nothing_more(lanes, shop, books):
    series = a_series(0)

    first, again = [json.loads(await lanes.submit(series)) for _ in range(2)]

    assert first == again
    assert await books.rows("SELECT count(*) FROM bookings") == [(3,)]


async def test_the_most_that_there_may_be_is_written_at_once(lanes, shop, books):
    answer = await outcome(lanes, a_series(0, count=OCCURRENCES_MAX))

    assert len(answer["bookings"]) == OCCURRENCES_MAX
    last = await books.rows("SELECT max(starts_at) FROM bookings")
    assert last == [(slot(0) + timedelta(days=OCCURRENCES_MAX - 1),)]
