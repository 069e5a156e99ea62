"""The search finds an order where there is one, and says so where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import combinations, permutations
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import QUARTER
from tests.robustness.history import ClockStep
from tests.robustness.linearizability.broken_desks import (
    Clinging,
    Forgetful,
    Late,
    Repeating,
    Unheld,
)
from tests.robustness.linearizability.cell import (
    EMPTY,
    Asker,
    Change,
    End,
    Lapse,
    Move,
    Occupant,
    SeenOpen,
    SeenTaken,
    Standing,
    State,
    Take,
)
from tests.robustness.linearizability.orders import Operation, find_order
from tests.robustness.linearizability.rehearsal import Desk, Rehearsal
from tests.robustness.linearizability.search import find_violations
from tests.robustness.linearizability.story import (
    NINE,
    PARENT,
    Story,
    book,
    booked,
    booking,
    cancel,
    cancelled,
    choice,
    held,
    hold,
    listed,
    slots,
)

CONSULT = choice("consult")
CLASS = choice("class", calendar="room")


def is_right(story: Story) -> bool:
    return not find_violations(story.history)


# Stories of one slot.


def test_one_slot_is_not_booked_twice():
    story = Story()
    story.call(0.0, 1.0, book(), booked("one"))
    story.call(2.0, 3.0, book(), booked("two"))

    (violation,) = find_violations(story.history)

    assert violation.promise == "B4"
    assert violation.rule == "linearizable"
    assert violation.calls == (2, 1)
    assert "chair-1 from 2030-06-02 09:00 to 09:15" in violation.text


def test_a_slot_that_was_given_back_is_booked_again():
    story = Story()
    story.call(0.0, 1.0, book(), booked("one"))
    story.call(2.0, 3.0, cancel("one"), cancelled("one"))
    story.call(4.0, 5.0, book(), booked("two"))

    assert is_right(story)


def test_calls_that_overlap_have_any_order_and_those_that_do_not_have_one():
    together, apart = Story(), Story()
    for story, began in ((together, 0.5), (apart, 4.0)):
        story.call(0.0, 3.0, book(), booked("one"))
        # It was cancelled before `two` was booked, so before the first call was over.
        story.call(began, began + 2.0, cancel("one"), cancelled("one"))
        story.call(1.0, 2.9, book(), booked("two"))

    assert is_right(together)
    assert not is_right(apart)


def test_a_refusal_needs_somebody_in_the_way():
    story = Story()
    story.call(0.0, 1.0, book())

    (violation,) = find_violations(story.history)

    assert "Book by eve (SLOT_TAKEN, call 1)" in violation.text


def test_a_call_of_which_nothing_is_known_may_have_been_done_or_not_or_later():
    never, later = Story(), Story()
    for story in (never, later):
        story.lost(story.call(0.0, 1.0, book()))
    never.call(2.0, 3.0, book(), booked("two"))
    later.call(2.0, 3.0, slots(), listed(choice(), at=3.0))
    later.call(4.0, 5.0, book())

    assert is_right(never)
    assert is_right(later)


def test_what_is_not_known_is_done_once_at_most():
    story = Story()
    story.lost(story.call(0.0, 1.0, book()))
    story.call(2.0, 3.0, slots(), listed(at=3.0))
    story.call(4.0, 5.0, slots(), listed(choice(), at=5.0))

    assert not is_right(story)


def test_a_repetition_is_the_same_operation():
    story = Story()
    first = story.lost(story.call(0.0, 1.0, book()))
    story.call(2.0, 3.0, slots(), listed(at=3.0))
    story.call(4.0, 5.0, first.request, booked("one"), repeats=first)
    story.call(6.0, 7.0, first.request, booked("one"), repeats=first)

    assert is_right(story)


def test_a_refusal_after_a_lost_answer_says_that_nothing_was_done_until_then():
    story = Story()
    first = story.lost(story.call(0.0, 1.0, book()))
    story.call(2.0, 3.0, first.request, repeats=first)

    assert not is_right(story), "Nobody else can have had the slot."

    story.call(0.0, 2.5, book(), booked("two"))
    story.call(4.0, 5.0, cancel("two"), cancelled("two"))
    story.call(6.0, 7.0, slots(), listed(at=7.0))

    assert is_right(story), "The first attempt may yet be done."


def test_a_read_is_not_older_than_what_was_answered_before_it_began():
    fresh, stale = Story(), Story()
    for story, began in ((fresh, 0.5), (stale, 1.5)):
        story.call(0.0, 1.0, book(), booked("one"))
        story.call(began, 2.0, slots(), listed(choice(), at=2.0))

    assert is_right(fresh)
    assert not is_right(stale)


def test_a_booking_is_read_as_the_last_answer_told_it():
    story = Story()
    pending = {"status": booking_pb.BOOKING_STATUS_PENDING}
    made = booking_pb.BookResponse(bookings=[booking("one", CONSULT)])
    made.bookings[0].status = booking_pb.BOOKING_STATUS_PENDING
    story.call(0.0, 1.0, book(CONSULT), made)
    name = f"{PARENT}/bookings/one"
    approve = booking_pb.ApproveBookingRequest(name=name, version=1)
    approved = booking_pb.ApproveBookingResponse(booking=booking("one", CONSULT, version=2))
    story.call(2.0, 3.0, approve, approved)
    read = booking_pb.GetBookingRequest(name=name)
    story.call(4.0, 5.0, read, booking_pb.GetBookingResponse(booking=approved.booking))

    assert is_right(story)

    old = booking("one", CONSULT, **pending)
    story.call(6.0, 7.0, read, booking_pb.GetBookingResponse(booking=old))

    assert not is_right(story)


def test_a_booking_that_is_moved_frees_its_place_and_takes_another():
    story = Story()
    to = choice(start=NINE + QUARTER)
    story.call(0.0, 1.0, book(), booked("one"))
    move = booking_pb.RescheduleBookingRequest(
        name=f"{PARENT}/bookings/one", version=1, to=booking_pb.Appointment(slot=to)
    )
    moved = booking_pb.RescheduleBookingResponse(booking=booking("one", to, version=2))
    story.call(2.0, 3.0, move, moved)
    story.call(4.0, 5.0, book(), booked("two"))

    assert is_right(story)

    story.call(6.0, 7.0, book(to), booked("three", to))

    assert not is_right(story)


def test_a_group_has_so_many_seats():
    story = Story()
    for number in range(3):
        story.call(number, number + 0.5, book(CLASS), booked(f"seat-{number}", CLASS))

    assert is_right(story)

    story.call(4.0, 5.0, book(CLASS), booked("too many", CLASS))

    assert not is_right(story)


# Stories of holds.


def test_a_hold_is_enforced_until_it_expires():
    early, late = Story(), Story()
    for story, began in ((early, 5.0), (late, 12.0)):
        story.call(0.0, 1.0, hold(), held("one", until=10.0))
        story.call(began, began + 0.5, book(), booked("other"))

    assert not is_right(early)
    assert is_right(late)


def test_a_hold_stands_in_nobodys_way_once_it_has_expired():
    story = Story()
    story.call(0.0, 1.0, hold(), held("one", until=10.0))
    story.call(15.0, 16.0, book())

    assert not is_right(story)


def test_ones_own_hold_gives_way():
    story = Story()
    story.call(0.0, 1.0, hold(), held("one", until=10.0))
    request = book()
    request.holder = "eve"
    story.call(2.0, 3.0, request, booked("own"))

    assert is_right(story)


def test_a_late_confirmation_succeeds_if_and_only_if_the_slot_is_free():
    name = f"{PARENT}/holds/one"
    free, lost, live = Story(), Story(), Story()
    for story in (free, lost, live):
        story.call(0.0, 1.0, hold(), held("one", until=10.0))
    free.call(15.0, 16.0, book(hold=name), booked("late"))
    lost.call(12.0, 13.0, book(), booked("other"))
    lost.call(15.0, 16.0, book(hold=name), booked("late"))
    live.call(5.0, 6.0, book(hold=name))

    assert is_right(free)
    assert not is_right(lost)
    assert not is_right(live), "A live hold keeps its slot."


def test_a_hold_that_was_released_is_not_booked():
    story = Story()
    name = f"{PARENT}/holds/one"
    story.call(0.0, 1.0, hold(), held("one", until=10.0))
    story.call(
        2.0,
        3.0,
        booking_pb.ReleaseHoldRequest(name=name),
        booking_pb.ReleaseHoldResponse(),
    )
    story.call(4.0, 5.0, book(hold=name), booked("late"))

    assert not is_right(story)


def test_a_hold_that_gives_way_on_one_calendar_ends_on_all():
    story = Story()
    colour = choice("colour", calendar="chair-1")
    story.call(0.0, 1.0, hold(wish=colour), held("both", until=10.0, wish=colour))
    story.call(2.0, 3.0, hold(), held("chair", until=12.0))
    story.call(4.0, 5.0, book(CLASS), booked("class", CLASS))

    assert is_right(story)


def test_a_clock_that_is_set_back_makes_it_uncertain_whether_a_hold_counts():
    story = Story()
    story.history.clock_steps = [
        ClockStep(5.0, timedelta(seconds=20)),
        ClockStep(8.0, timedelta()),
    ]
    story.call(0.0, 1.0, hold(), held("one", until=20.0))
    story.call(2.0, 3.0, slots(), listed(at=3.0))
    story.call(6.1, 6.5, slots(), listed(choice(), at=26.5))
    story.call(10.0, 11.0, slots(), listed(at=11.0))
    story.call(22.0, 23.0, slots(), listed(choice(), at=23.0))

    assert is_right(story)

    story.call(24.0, 25.0, slots(), listed(at=25.0))

    assert not is_right(story)


# Whole runs.


@pytest.mark.parametrize("trouble", [0.0, 0.1, 0.3])
def test_what_was_decided_one_after_another_has_an_order(trouble: float):
    for seed in range(5):
        assert find_violations(Rehearsal(seed, trouble=trouble).run(800)) == []


def test_ten_thousand_calls_on_a_hundred_slots_are_looked_through():
    history = Rehearsal(7).run(10_000)

    assert find_violations(history) == []


@pytest.mark.parametrize("desk", [Forgetful, Unheld, Clinging, Repeating, Late])
def test_what_was_decided_wrongly_has_none(desk: Callable[[], Desk]):
    found = [
        violation
        for seed in range(3)
        for violation in find_violations(Rehearsal(seed, desk=desk()).run(600))
    ]

    assert any(violation.rule == "linearizable" for violation in found)


# The search itself.


def test_a_search_that_gives_up_says_so():
    story = Story()
    for number in range(8):
        story.lost(story.call(0.0, 1.0, book(), client=f"client-{number}"))
        story.lost(story.call(0.0, 1.0, hold(f"holder-{number}"), client=f"client-{number}"))
    story.call(2.0, 3.0, slots(), listed(at=3.0))
    story.call(4.0, 5.0, slots(), listed(choice(), at=5.0))

    (violation,) = find_violations(story.history, steps_max=5)

    assert violation.rule == "not decided"
    assert "after 5 steps" in violation.text


NAMES = ("a", "b")
HOLDER = "eve"


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """An operation on a cell that few others can be told from."""
    began = draw(st.integers(0, 6))
    name = draw(st.sampled_from(NAMES))
    who = Occupant(name, Standing.CONFIRMED, version=1)
    held_by = Occupant(f"hold {name}", Standing.HELD, holder=HOLDER, until=1)
    moves: tuple[Move, ...] = draw(
        st.sampled_from(
            [
                (Take(occupant=who, asker=Asker()),),
                (Take(occupant=who, asker=Asker(holder=HOLDER)),),
                (Take(occupant=held_by, asker=Asker(holder=HOLDER)),),
                (
                    Change(booking=name, version=1, allowed=frozenset({who.standing}), to=None),
                    Take(occupant=who._replace(version=2), asker=Asker()),
                ),
                (Change(booking=name, version=1, allowed=frozenset({who.standing}), to=None),),
                (End(hold=f"hold {name}"),),
                (Lapse(until=1),),
            ]
        )
    )
    reads: tuple[Move, ...] = draw(
        st.sampled_from([(SeenOpen(asker=Asker()),), (SeenTaken(asker=Asker(holder=HOLDER)),)])
    )
    is_read = draw(st.booleans())
    is_optional = not is_read and draw(st.booleans())
    return Operation(
        key=draw(st.uuids()),
        began=began,
        ended=inf if is_optional else began + draw(st.integers(0, 4)),
        variants=(reads,) if is_read else (moves,),
        text="",
        is_optional=is_optional,
        is_read=is_read,
        likeness=moves if is_optional and draw(st.booleans()) else None,
    )


def has_order(some: Sequence[Operation]) -> bool:
    """Try all orders of all choices."""
    required = [each for each in some if not each.is_optional]
    optional = [each for each in some if each.is_optional]
    return any(
        explains(order)
        for number in range(len(optional) + 1)
        for chosen in combinations(optional, number)
        for order in permutations([*required, *chosen])
    )


def explains(order: Sequence[Operation]) -> bool:
    """Say whether operations can have happened in this order, one after another."""
    state: State | None = EMPTY
    since = -inf
    for each in order:
        since = max(since, each.began)
        if since > each.ended:
            return False
        for move in each.variants[0]:
            state = None if state is None else move.on(state)
        if state is None:
            return False
    return True


@given(some=st.lists(operations(), max_size=6))
@settings(max_examples=600, deadline=None)
def test_the_search_finds_an_order_where_trying_all_of_them_does(some: list[Operation]):
    assert find_order(some).is_linearizable == has_order(some)
