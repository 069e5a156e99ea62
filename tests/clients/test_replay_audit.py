"""The audit at the end of a replay finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loadtest.replay.audit import Answered, Found, Promise, audit, audit_seats

NINE = datetime(2030, 6, 3, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ANSWERED = Answered(
    line=2, person="Person 1", calendar="centro", name="b1", start=NINE, status="CONFIRMED"
)
FOUND = Found(
    name="b1",
    line="2",
    person="Person 1",
    calendar="centro",
    start=NINE,
    end=NINE + QUARTER,
    status="CONFIRMED",
)
OTHER_ANSWERED = replace(ANSWERED, line=3, name="b2")
OTHER_FOUND = replace(FOUND, name="b2", line="3")


def promises(answered: list[Answered], found: list[Found], capacity: int = 1) -> list[Promise]:
    return [breach.promise for breach in audit(answered, found, {"centro": capacity})]


def test_what_is_as_it_was_answered_breaks_no_promise():
    refused = Answered(line=4, person="Person 2", calendar="centro")

    assert promises([ANSWERED, refused], [FOUND]) == []


def test_two_bookings_of_one_seat_are_a_double_booking():
    assert promises([ANSWERED, OTHER_ANSWERED], [FOUND, OTHER_FOUND]) == [Promise.NEVER_TWICE]


def test_bookings_of_one_slot_may_be_as_many_as_it_takes():
    answered, found = [ANSWERED, OTHER_ANSWERED], [FOUND, OTHER_FOUND]
    third = replace(ANSWERED, line=4, name="b3"), replace(FOUND, name="b3", line="4")

    assert promises(answered, found, capacity=2) == []
    assert promises([*answered, third[0]], [*found, third[1]], capacity=2) == [Promise.NEVER_TWICE]


def test_bookings_of_different_slots_that_overlap_are_a_double_booking_whatever_the_capacity():
    start = NINE + timedelta(minutes=5)
    answered = [ANSWERED, replace(OTHER_ANSWERED, start=start)]
    found = [FOUND, replace(OTHER_FOUND, start=start, end=start + QUARTER)]

    assert promises(answered, found, capacity=5) == [Promise.NEVER_TWICE]


def test_a_booking_overlaps_a_long_one_that_began_well_before():
    later = NINE + 2 * QUARTER
    answered = [ANSWERED, replace(OTHER_ANSWERED, start=NINE + QUARTER)]
    answered.append(replace(ANSWERED, line=4, name="b3", start=later))
    found = [
        replace(FOUND, end=NINE + 4 * QUARTER),
        replace(OTHER_FOUND, start=NINE + QUARTER, end=later),
        replace(FOUND, name="b3", line="4", start=later, end=later + QUARTER),
    ]

    assert promises(answered, found) == [Promise.NEVER_TWICE] * 2


def test_bookings_that_touch_or_are_cancelled_or_lie_elsewhere_do_not_overlap():
    touching = NINE + QUARTER
    answered = [
        ANSWERED,
        replace(OTHER_ANSWERED, start=touching),
        replace(OTHER_ANSWERED, line=4, name="b3", status="CANCELLED"),
        replace(OTHER_ANSWERED, line=5, name="b4", calendar="vila-rubim"),
    ]
    found = [
        FOUND,
        replace(OTHER_FOUND, start=touching, end=touching + QUARTER),
        replace(OTHER_FOUND, line="4", name="b3", status="CANCELLED"),
        replace(OTHER_FOUND, line="5", name="b4", calendar="vila-rubim"),
    ]

    assert promises(answered, found) == []


def test_a_booking_that_was_answered_and_is_not_there_is_lost():
    assert promises([ANSWERED, OTHER_ANSWERED], [OTHER_FOUND]) == [Promise.NEVER_LOST]


def test_a_booking_that_nobody_asked_for_is_found():
    assert promises([ANSWERED], [FOUND, replace(OTHER_FOUND, calendar="x")]) == [Promise.ASKED_FOR]


def test_a_booking_of_a_request_that_was_refused_is_one_that_nobody_asked_for():
    refused = Answered(line=2, person="Person 1", calendar="centro")

    assert promises([refused], [FOUND]) == [Promise.ASKED_FOR]


def test_a_booking_that_is_listed_twice_or_made_twice_is_found():
    twice = replace(FOUND, name="b2", start=NINE + QUARTER, end=NINE + 2 * QUARTER)

    assert Promise.EXACTLY_ONCE in promises([ANSWERED], [FOUND, FOUND], capacity=2)
    assert promises([ANSWERED], [FOUND, twice]) == [Promise.EXACTLY_ONCE]


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, status="CANCELLED"),
        replace(FOUND, start=NINE + QUARTER, end=NINE + 2 * QUARTER),
        replace(FOUND, calendar="vila-rubim"),
        replace(FOUND, person="Person 2"),
    ],
)
def test_a_booking_must_be_as_it_was_answered(found):
    assert promises([ANSWERED], [found]) == [Promise.AS_ANSWERED]


def test_a_cancelled_booking_that_still_stands_is_not_as_it_was_answered():
    assert promises([replace(ANSWERED, status="CANCELLED")], [FOUND]) == [Promise.AS_ANSWERED]


def test_what_was_never_answered_may_be_there_or_not_but_not_twice():
    unknown = Answered(line=2, person="Person 1", calendar="centro", certain=False)
    again = replace(FOUND, name="b2", start=NINE + QUARTER, end=NINE + 2 * QUARTER)

    assert promises([unknown], []) == []
    assert promises([unknown], [FOUND]) == []
    assert promises([unknown], [FOUND, again]) == [Promise.EXACTLY_ONCE]


def test_a_cancellation_that_was_never_answered_may_have_happened_or_not():
    unknown = replace(ANSWERED, certain=False)

    assert promises([unknown], [FOUND]) == []
    assert promises([unknown], [replace(FOUND, status="CANCELLED")]) == []
    assert promises([unknown], []) == [Promise.NEVER_LOST]


def test_each_seat_is_open_or_booked():
    later = NINE + QUARTER
    cancelled = replace(OTHER_FOUND, status="CANCELLED")

    assert audit_seats([NINE, later], 2, {NINE: 1, later: 2}, [FOUND, cancelled]) == []


@pytest.mark.parametrize(
    "open_seats", [{}, {NINE: 2}, {NINE: 1, NINE + QUARTER: 1}], ids=["lost", "extra", "elsewhere"]
)
def test_a_seat_that_is_lost_or_one_too_many_is_found(open_seats):
    breaches = audit_seats([NINE], 2, open_seats, [FOUND])

    assert [breach.promise for breach in breaches] == [Promise.SEATS]
