"""The search finds an order where there is one, and says so where there is none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, permutations
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import QUARTER
from tests.robustness.history import ClockStep
from tests.robustness.linearizability.broken_desks import (
    Clinging,
    Forgetful,
    Late,
    Misjudging,
    Recutting,
    Repeating,
    Reviving,
    Unbusied,
    Unclosing,
    Unheld,
    Unmoved,
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
from tests.robustness.linearizability.search import EXPLANATIONS, find_violations, second_opinion
from tests.robustness.linearizability.story import (
    NINE,
    PARENT,
    Story,
    altered,
    book,
    booked,
    booking,
    busy,
    cancel,
    cancelled,
    choice,
    close,
    explain,
    explained,
    held,
    hold,
    listed,
    reopen,
    slots,
)

CALLS_OF_A_RUN = 800
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


def test_a_hold_that_may_lie_elsewhere_need_not_give_way():
    story = Story()
    story.lost(story.call(0.0, 1.0, hold(wish=choice(calendar=""))))
    story.call(2.0, 3.0, hold(), held("one", until=20.0))
    story.call(4.0, 5.0, slots("chair-2"), listed(at=4.5))
    story.call(6.0, 7.0, book(choice(calendar="chair-2")))

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


NAME = f"{PARENT}/holds/one"
FORWARD, BACK = timedelta(seconds=20), timedelta()


def a_hold_that_expired_for_a_while() -> Story:
    """Tell of one of eve's that had expired while the clock was ahead, and is live again."""
    story = Story()
    story.history.clock_steps = [ClockStep(5.0, FORWARD), ClockStep(12.0, BACK)]
    story.call(0.0, 1.0, hold(), held("one", until=20.0))
    return story


def by_eve(request: booking_pb.BookRequest) -> booking_pb.BookRequest:
    request.holder = "eve"
    return request


def test_ones_own_hold_that_has_expired_does_not_end_when_it_makes_way():
    released, live = a_hold_that_expired_for_a_while(), Story()
    live.call(0.0, 1.0, hold(), held("one", until=20.0))
    for story in (released, live):
        story.call(8.0, 9.0, by_eve(book()), booked("own"))
        story.call(
            14.0,
            15.0,
            booking_pb.ReleaseHoldRequest(name=NAME),
            booking_pb.ReleaseHoldResponse(),
        )

    assert is_right(released)
    assert not is_right(live), "A live one had ended when it made way."


def test_a_hold_that_lost_its_place_does_not_get_it_again_when_the_clock_is_set_back():
    kept, lost, given_back = (a_hold_that_expired_for_a_while() for _ in range(3))
    lost.call(8.0, 9.0, book(), booked("other"))
    given_back.call(8.0, 9.0, book(), booked("other"))
    given_back.call(9.5, 10.0, cancel("other"), cancelled("other"))
    for story in (kept, lost, given_back):
        story.call(14.0, 15.0, book(hold=NAME), booked("late"))

    assert is_right(kept)
    assert not is_right(lost)
    assert is_right(given_back)


def test_nobody_knows_how_often_a_hold_expires_that_was_never_answered():
    story = Story()
    story.history.clock_steps = [ClockStep(5.0, FORWARD), ClockStep(12.0, BACK)]
    story.lost(story.call(0.0, 1.0, hold()))
    story.call(2.0, 3.0, slots(), listed(at=3.0))
    story.call(8.0, 8.5, slots(), listed(choice(), at=28.5))
    story.call(14.0, 14.5, slots(), listed(at=14.5))

    assert is_right(story)


# Stories of a type that is altered while holds and bookings stand.

COLOUR = choice("colour")
AFTER_COLOUR = choice("class", start=NINE + 2 * QUARTER, calendar="room")
SHORT, LONG = altered("colour", timedelta()), altered("colour", QUARTER)


def alter(story: Story, began: float, to: catalog_pb.UpdateAppointmentTypeRequest) -> None:
    request = catalog_pb.UpdateAppointmentTypeRequest()
    request.CopyFrom(to)
    story.call(began, began + 0.5, request, catalog_pb.UpdateAppointmentTypeResponse())


def test_what_a_booking_occupies_is_fixed_when_it_is_made():
    made_long, made_short = Story(), Story()
    made_long.call(0.0, 0.5, book(COLOUR), booked("one", COLOUR))
    alter(made_long, 1.0, SHORT)
    alter(made_short, 1.0, SHORT)
    made_short.call(2.0, 2.5, book(COLOUR), booked("one", COLOUR))
    alter(made_short, 3.0, LONG)
    for story in (made_long, made_short):
        story.call(4.0, 5.0, book(AFTER_COLOUR), booked("class", AFTER_COLOUR))

    assert not is_right(made_long)
    assert is_right(made_short)


def test_a_booking_takes_over_what_its_hold_occupies():
    kept, moved = Story(), Story()
    for story in (kept, moved):
        story.call(0.0, 0.5, hold(wish=COLOUR), held("one", until=10.0, wish=COLOUR))
        alter(story, 1.0, SHORT)
        story.call(2.0, 2.5, book(hold=NAME), booked("booked", COLOUR))
    away = choice("colour", start=NINE + 6 * QUARTER)
    move = booking_pb.RescheduleBookingRequest(
        name=f"{PARENT}/bookings/booked", version=1, to=booking_pb.Appointment(slot=away)
    )
    response = booking_pb.RescheduleBookingResponse(booking=booking("booked", away, version=2))
    moved.call(3.0, 3.5, move, response)
    for story in (kept, moved):
        story.call(4.0, 5.0, book(AFTER_COLOUR), booked("class", AFTER_COLOUR))

    assert not is_right(kept)
    assert is_right(moved)


def test_an_expired_hold_is_renewed_with_the_buffer_of_its_day():
    story = Story()
    story.call(0.0, 0.5, hold(wish=COLOUR), held("one", until=10.0, wish=COLOUR))
    alter(story, 1.0, SHORT)
    renew = booking_pb.RenewHoldRequest(name=NAME)
    renewed = booking_pb.RenewHoldResponse(hold=held("one", until=25.0, wish=COLOUR).hold)
    story.call(15.0, 15.5, renew, renewed)
    story.call(16.0, 17.0, book(AFTER_COLOUR), booked("class", AFTER_COLOUR))

    assert is_right(story)


def test_a_hold_without_a_buffer_does_not_give_way_to_what_comes_after_it():
    story = Story()
    alter(story, 0.0, SHORT)
    story.call(1.0, 2.0, hold(wish=COLOUR), held("one", until=20.0, wish=COLOUR))
    story.call(3.0, 4.0, by_eve(book(AFTER_COLOUR)), booked("class", AFTER_COLOUR))
    alter(story, 5.0, LONG)
    story.call(7.0, 8.0, booking_pb.ReleaseHoldRequest(name=NAME), booking_pb.ReleaseHoldResponse())

    assert is_right(story)


def test_a_buffer_that_may_have_been_altered_meanwhile_decides_nothing():
    together, unknown = Story(), Story()
    alter(together, 0.0, SHORT)
    together.call(0.2, 0.8, hold(wish=COLOUR), held("one", until=20.0, wish=COLOUR))
    unknown.lost(unknown.call(0.0, 0.1, altered("colour", timedelta())))
    unknown.call(3.0, 3.5, hold(wish=COLOUR), held("one", until=20.0, wish=COLOUR))
    for story in (together, unknown):
        story.call(4.0, 5.0, by_eve(book(AFTER_COLOUR)), booked("class", AFTER_COLOUR))
        story.call(6.0, 7.0, book(hold=NAME), booked("booked", COLOUR))
        story.call(8.0, 9.0, cancel("booked"), cancelled_colour())

    assert is_right(together)
    assert is_right(unknown)


def cancelled_colour() -> booking_pb.CancelBookingResponse:
    status = booking_pb.BOOKING_STATUS_CANCELLED
    gone = booking("booked", COLOUR, status=status, version=2)
    return booking_pb.CancelBookingResponse(booking=gone)


# Stories of what is explained, closed and imported.


def test_an_explanation_says_that_somebody_is_in_the_way_or_nobody():
    taken, free = Story(), Story()
    for story in (taken, free):
        story.call(0.0, 1.0, book(), booked("one"))
        story.call(2.0, 3.0, explain(), explained(is_free=False, at=2.5))
        story.call(4.0, 5.0, cancel("one"), cancelled("one"))
        story.call(6.0, 7.0, explain(), explained(is_free=True, at=6.5))

    assert is_right(taken)
    assert second_opinion(taken.history).checks[EXPLANATIONS] == 2

    taken.call(8.0, 9.0, explain(), explained(is_free=False, at=8.5))
    free.call(8.0, 9.0, book(), booked("two"))
    free.call(10.0, 11.0, explain(), explained(is_free=True, at=10.5))

    for story in (taken, free):
        (violation,) = find_violations(story.history)
        assert "ExplainSlot by eve (ok" in violation.text


def test_an_explanation_that_is_of_another_time_or_of_others_says_nothing():
    story = Story()
    story.call(0.0, 1.0, book(), booked("one"))
    story.call(2.0, 3.0, explain(), explained(is_free=True, at=8.0))
    story.call(4.0, 5.0, explain(), explained(is_free=True, at=4.5, calendar="chair-2"))
    story.call(6.0, 7.0, explain(CLASS), explained(is_free=False, at=6.5, calendar="room"))

    assert is_right(story)
    assert second_opinion(story.history).checks[EXPLANATIONS] == 0


def test_a_closure_lies_over_what_stands_until_it_is_taken_away():
    story = Story()
    story.call(0.0, 1.0, book(), booked("one"))
    story.call(2.0, 3.0, close(), catalog_pb.CreateClosureResponse())
    story.call(4.0, 5.0, slots(), listed(at=4.5))
    story.call(6.0, 7.0, cancel("one"), cancelled("one"))
    story.call(8.0, 9.0, slots(), listed(at=8.5))
    # Whether it is open is another rule than whether it is free.
    story.call(10.0, 11.0, explain(), explained(is_free=True, at=10.5))
    story.call(12.0, 13.0, reopen(), catalog_pb.DeleteClosureResponse())
    story.call(14.0, 15.0, slots(), listed(choice(), at=14.5))

    assert is_right(story)


def test_what_is_closed_is_not_booked_listed_or_still_closed_when_it_was_opened():
    def closed(calendars: Sequence[str] = ()) -> Story:
        story = Story()
        story.call(0.0, 1.0, close(calendars=calendars), catalog_pb.CreateClosureResponse())
        return story

    booked_in, listed_in, still, elsewhere = closed(), closed(), closed(), closed(["room"])
    for story in (booked_in, elsewhere):
        story.call(2.0, 3.0, book(), booked("one"))
    listed_in.call(2.0, 3.0, slots(), listed(choice(), at=2.5))
    still.call(2.0, 3.0, reopen(), catalog_pb.DeleteClosureResponse())
    still.call(4.0, 5.0, slots(), listed(at=4.5))

    assert [is_right(each) for each in (booked_in, listed_in, still)] == [False] * 3
    assert is_right(elsewhere)


def test_a_feed_that_is_imported_again_has_its_new_times_and_no_others():
    moved, kept, beside = Story(), Story(), Story()
    later = choice(start=NINE + QUARTER)
    for story in (moved, kept, beside):
        story.call(0.0, 1.0, busy(NINE), catalog_pb.ImportBusyFeedResponse())
        story.call(2.0, 3.0, explain(), explained(is_free=False, at=2.5))
        feed = "two" if story is beside else "one"
        story.call(4.0, 5.0, busy(NINE + QUARTER, feed=feed), catalog_pb.ImportBusyFeedResponse())
        story.call(6.0, 7.0, explain(later), explained(is_free=False, at=6.5))
    moved.call(8.0, 9.0, book(), booked("one"))
    kept.call(8.0, 9.0, book(later), booked("one", later))
    beside.call(8.0, 9.0, book(), booked("one"))

    assert is_right(moved)
    assert not is_right(kept)
    assert not is_right(beside)


# Whole runs.


def clock_steps(seed: int) -> list[ClockStep]:
    """Set the clock every few seconds, as the faults do."""
    random, at, ahead = Random(seed), 0.0, 0.0
    steps = []
    for _ in range(20):
        at += random.uniform(0.5, 4.0)
        ahead = max(-40.0, min(40.0, ahead + random.choice((-15.0, -4.0, 4.0, 15.0))))
        steps.append(ClockStep(at, timedelta(seconds=ahead)))
    return steps


@pytest.mark.parametrize("trouble", [0.0, 0.1, 0.3])
def test_what_was_decided_one_after_another_has_an_order(trouble: float):
    for seed in range(4):
        assert find_violations(Rehearsal(seed, trouble=trouble).run(CALLS_OF_A_RUN)) == []


@pytest.mark.parametrize("is_set", [False, True])
@pytest.mark.parametrize("trouble", [0.0, 0.2])
def test_what_was_decided_has_an_order_though_clocks_are_set_and_types_altered(
    trouble: float, is_set: bool
):
    for seed in range(3):
        steps = clock_steps(seed) if is_set else []
        rehearsal = Rehearsal(seed, trouble=trouble, clock_steps=steps, alters=True)
        assert find_violations(rehearsal.run(CALLS_OF_A_RUN)) == []


@pytest.mark.parametrize("is_set", [False, True])
def test_what_was_decided_has_an_order_though_calendars_are_closed_and_feeds_imported(is_set: bool):
    for seed in range(3):
        steps = clock_steps(seed) if is_set else []
        rehearsal = Rehearsal(seed, trouble=0.2, clock_steps=steps, alters=True, closes=True)
        assert find_violations(rehearsal.run(CALLS_OF_A_RUN)) == []


def test_ten_thousand_calls_on_a_hundred_slots_are_looked_through():
    history = Rehearsal(7).run(10_000)

    assert find_violations(history) == []


def is_found_out(desk: type[Desk], **circumstances: Any) -> bool:
    """Say whether one of three runs of a desk is seen to have no order."""
    return any(
        violation.rule == "linearizable"
        for seed in range(3)
        for violation in find_violations(
            Rehearsal(seed, desk=desk(), **circumstances).run(CALLS_OF_A_RUN)
        )
    )


@pytest.mark.parametrize("desk", [Forgetful, Unheld, Clinging, Repeating, Late, Misjudging])
def test_what_was_decided_wrongly_has_none(desk: type[Desk]):
    assert is_found_out(desk)


@pytest.mark.parametrize("desk", [Forgetful, Unheld, Clinging, Repeating, Late, Misjudging])
def test_what_was_decided_wrongly_has_none_while_the_clock_is_set(desk: type[Desk]):
    assert is_found_out(desk, clock_steps=clock_steps(0), alters=True)


def test_who_gives_a_hold_its_place_again_is_found_out_by_a_clock_that_is_set_back():
    assert not is_found_out(Reviving)
    steps = [ClockStep(2.0 * turn, FORWARD if turn % 2 else BACK) for turn in range(1, 10)]
    assert is_found_out(Reviving, clock_steps=steps)


def test_who_does_not_see_that_the_clock_was_set_forward_is_found_out():
    assert not is_found_out(Unmoved)
    assert is_found_out(Unmoved, clock_steps=[ClockStep(2.0, timedelta(seconds=15))])


def test_who_cuts_what_stands_is_found_out_by_a_type_that_is_altered():
    assert not is_found_out(Recutting)
    assert is_found_out(Recutting, alters=True)


@pytest.mark.parametrize("desk", [Unclosing, Unbusied])
def test_who_goes_on_with_what_the_owner_has_closed_or_needs_is_found_out(desk: type[Desk]):
    assert not is_found_out(desk)
    assert is_found_out(desk, closes=True)


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


TAKEN = Occupant("", Standing.CONFIRMED, version=1)
HELD = Occupant("", Standing.HELD, holder=HOLDER, until=1)


@st.composite
def ways(draw: st.DrawFn) -> tuple[Move, ...]:
    """What an operation may do to a cell."""
    name = draw(st.sampled_from(NAMES))
    who, held_by = TAKEN._replace(owner=name), HELD._replace(owner=f"hold {name}")
    change = Change(booking=name, version=1, allowed=frozenset({who.standing}), to=None)
    moves: tuple[Move, ...] = draw(
        st.sampled_from(
            [
                (Take(occupant=who, asker=Asker()),),
                (Take(occupant=who, asker=Asker(holder=HOLDER)),),
                (Take(occupant=held_by, asker=Asker(holder=HOLDER)),),
                (change, Take(occupant=who._replace(version=2), asker=Asker())),
                (change,),
                (End(hold=held_by.owner),),
                (Lapse(until=1),),
                (),
            ]
        )
    )
    return moves


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """An operation on a cell that few others can be told from."""
    began = draw(st.integers(0, 6))
    variants = tuple(draw(st.lists(ways(), min_size=1, max_size=3)))
    reads: tuple[Move, ...] = draw(
        st.sampled_from([(SeenOpen(asker=Asker()),), (SeenTaken(asker=Asker(holder=HOLDER)),)])
    )
    is_read = draw(st.booleans())
    is_optional = not is_read and draw(st.booleans())
    return Operation(
        key=draw(st.uuids()),
        began=began,
        ended=inf if is_optional else began + draw(st.integers(0, 4)),
        variants=(reads,) if is_read else variants,
        text="",
        is_optional=is_optional,
        is_read=is_read,
        likeness=variants if is_optional and draw(st.booleans()) else None,
    )


@st.composite
def cells(draw: st.DrawFn) -> list[Operation]:
    """Some operations, of which some are not before, or not after, one that writes.

    Those that are named, or name another, are not alike: it matters which of them happens.
    """
    some = draw(st.lists(operations(), max_size=6))
    links: dict[int, dict[str, Hashable]] = {}
    named: set[Hashable] = set()
    for index, each in enumerate(some):
        others = [other.key for other in some if not other.is_read and other is not each]
        link = draw(st.sampled_from(("", "", "after", "unless"))) if others else ""
        if link:
            key = draw(st.sampled_from([*others, "of nobody"]))
            named.update({key, each.key})
            links[index] = {link: key}
    return [
        replace(
            each,
            likeness=None if each.key in named else each.likeness,
            after=links.get(index, {}).get("after"),
            unless=links.get(index, {}).get("unless"),
        )
        for index, each in enumerate(some)
    ]


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
    """Say whether operations can have happened in this order, one after another.

    One that is optional and changes nothing has not happened.
    """
    states: set[State] = {EMPTY}
    happened: set[Hashable] = set()
    since = -inf
    for each in order:
        since = max(since, each.began)
        is_early = each.after is not None and each.after not in happened
        if since > each.ended or is_early or each.unless in happened:
            return False
        states = {
            after
            for before in states
            for moves in each.variants
            if (after := moved(before, moves)) is not None
            if not (each.is_optional and after == before)
        }
        happened.add(each.key)
        if not states:
            return False
    return True


def moved(state: State | None, moves: Sequence[Move]) -> State | None:
    for move in moves:
        state = None if state is None else move.on(state)
    return state


@given(some=cells())
@settings(max_examples=1000, deadline=None)
def test_the_search_finds_an_order_where_trying_all_of_them_does(some: list[Operation]):
    assert find_order(some).is_linearizable == has_order(some)
