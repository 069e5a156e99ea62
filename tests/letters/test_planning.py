"""Which letters a change means: to whom, in which lane, and when."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.domain.booking import BookingStatus
from service.domain.change import BookingState, Change, ChangeKind, OfferRef, Placement
from service.domain.interval import Interval
from service.notify.letters.order import Order, body_of, order_of
from service.notify.letters.planning import Known, letters_of
from tests.builders import NOW, a_calendar, a_catalog, a_type, at, hours, minutes

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
ANNA = "calendars/anna"


def a_state(booking_id=ONE, **changes):
    state = BookingState(
        booking_id=booking_id,
        version=1,
        status=BookingStatus.CONFIRMED,
        type_id="visit",
        calendar_ids=("anna", "room"),
        appointment=Interval(at("10:00"), at("10:30")),
        zone="UTC",
    )
    return replace(state, **changes)


def a_change(kind=ChangeKind.BOOKED, *states, **changes):
    states = states or (a_state(),)
    given = {
        "revision": 7,
        "at": NOW,
        "kind": kind,
        "bookings": states,
        "booking_ids": tuple(state.booking_id for state in states),
    }
    return Change(**{**given, **changes})


def known(*, reminders=(), reachable=(ONE, TWO, THREE)):
    """Return a catalogue with two calendars that have an address, and a room without."""
    calendars = [
        a_calendar("anna", email="anna@example.com"),
        a_calendar("ben", email="ben@example.com"),
        a_calendar("room"),
    ]
    types = [a_type(any_of=("anna", "ben"), all_of=("room",), reminders=reminders)]
    return Known(
        catalog=a_catalog(calendars=calendars, types=types), reachable=frozenset(reachable)
    )


def told(change, **options):
    """Return who is told what."""
    return [(each.target, each.kind) for each in letters_of(change, known(**options))]


def test_a_booking_is_told_to_its_customer_and_to_each_calendar_with_an_address():
    assert told(a_change()) == [("customer", "confirmation"), (ANNA, "confirmation")]


def test_a_customer_without_an_address_has_no_letter():
    assert told(a_change(), reachable=()) == [(ANNA, "confirmation")]


def test_a_booking_that_waits_for_approval_is_told_as_such():
    pending = a_state(status=BookingStatus.PENDING)

    assert told(a_change(ChangeKind.BOOKED, pending)) == [
        ("customer", "pending"),
        (ANNA, "pending"),
    ]


def test_what_becomes_of_a_booking_is_told_to_all_it_concerns():
    for kind, status in [
        (ChangeKind.APPROVED, BookingStatus.CONFIRMED),
        (ChangeKind.DECLINED, BookingStatus.DECLINED),
        (ChangeKind.CANCELLED, BookingStatus.CANCELLED),
    ]:
        change = a_change(kind, a_state(status=status, version=2))

        assert told(change) == [("customer", kind.value), (ANNA, kind.value)]


def test_what_is_no_news_to_anyone_means_no_letter():
    silent = set(ChangeKind) - {
        ChangeKind.BOOKED,
        ChangeKind.APPROVED,
        ChangeKind.DECLINED,
        ChangeKind.RESCHEDULED,
        ChangeKind.CANCELLED,
    }
    for kind in silent:
        assert told(a_change(kind)) == []


def a_move(to=("anna", "room")):
    before = Placement(
        calendar_ids=("anna", "room"), appointment=Interval(at("08:00"), at("08:30"))
    )
    return a_change(ChangeKind.RESCHEDULED, a_state(version=2, calendar_ids=to, before=before))


def test_a_move_is_told_with_the_old_time():
    letters = letters_of(a_move(), known())

    assert [(each.target, each.kind) for each in letters] == [
        ("customer", "rescheduled"),
        (ANNA, "rescheduled"),
    ]
    (state,) = order_of(letters[0].body).states
    assert state.before.appointment.start == at("08:00")
    assert state.appointment.start == at("10:00")


def test_a_move_to_another_calendar_is_new_to_its_staff_and_ended_for_those_that_it_left():
    letters = letters_of(a_move(to=("ben", "room")), known())

    assert [(each.target, each.kind) for each in letters] == [
        ("customer", "rescheduled"),
        ("calendars/ben", "confirmation"),
        (ANNA, "cancelled"),
    ]
    order = order_of(letters[2].body)
    assert order.moved_away
    assert order.states[0].appointment.start == at("08:00")
    assert order.states[0].version == 2, "its CANCEL has a SEQUENCE of its own"


def test_calendars_that_share_an_address_have_one_letter_and_none_when_only_one_was_left():
    shared = [a_calendar(each, email="front@example.com") for each in ("anna", "room")]
    ben = a_calendar("ben", email="ben@example.com")
    catalog = replace(
        known().catalog, calendars={each.calendar_id: each for each in [*shared, ben]}
    )
    sharing = Known(catalog=catalog, reachable=frozenset())

    booked = letters_of(a_change(), sharing)
    moved = letters_of(a_move(to=("ben", "room")), sharing)

    assert [(each.target, each.kind) for each in booked] == [(ANNA, "confirmation")]
    assert [(each.target, each.kind) for each in moved] == [
        ("calendars/ben", "confirmation"),
        ("calendars/room", "rescheduled"),
    ]


def test_letters_about_a_booking_to_one_reader_share_a_lane():
    lanes = [
        [each.lane for each in letters_of(change, known())]
        for change in (a_change(), a_move(), a_change(ChangeKind.CANCELLED))
    ]

    assert lanes == [[f"letter:{ONE}:customer", f"letter:{ONE}:staff:anna"]] * 3


def test_several_bookings_of_one_commit_are_one_letter_to_each_and_notes_in_the_other_lanes():
    states = [a_state(each) for each in (ONE, TWO, THREE)]
    states[2] = a_state(THREE, calendar_ids=("ben", "room"))

    letters = letters_of(a_change(ChangeKind.BOOKED, *states), known())

    orders = {each.lane: order_of(each.body) for each in letters}
    first = next(each for each in letters if each.lane == f"letter:{ONE}:customer")
    assert len(orders[f"letter:{ONE}:customer"].states) == 3
    assert orders[f"letter:{TWO}:customer"] == Order(within=first.delivery_id)
    assert orders[f"letter:{THREE}:customer"] == Order(within=first.delivery_id)
    assert len(orders[f"letter:{ONE}:staff:anna"].states) == 2
    assert orders[f"letter:{TWO}:staff:anna"].within is not None
    assert len(orders[f"letter:{THREE}:staff:ben"].states) == 1


def test_of_several_bookings_of_which_only_some_wait_the_letter_is_a_confirmation():
    waits = a_state(TWO, status=BookingStatus.PENDING)

    mixed = told(a_change(ChangeKind.BOOKED, a_state(ONE), waits))
    waiting = told(a_change(ChangeKind.BOOKED, replace(waits, booking_id=ONE), waits))

    assert mixed[0] == ("customer", "confirmation")
    assert waiting[0] == ("customer", "pending")


def reminders(change, **options):
    planned = letters_of(change, known(reminders=(hours(24), hours(2)), **options))
    return [each for each in planned if each.kind == "reminder"]


def test_reminders_are_due_so_long_before_the_start_in_lanes_of_their_own():
    first, second = reminders(a_change())

    assert first.due_at == at("10:00") - hours(24)
    assert second.due_at == at("10:00") - hours(2)
    assert [first.lane, second.lane] == [f"reminder:{ONE}:1:1", f"reminder:{ONE}:1:2"]
    assert first.target == "customer"


def test_a_reminder_whose_time_has_passed_is_not_planned():
    assert len(reminders(a_change(at=at("10:00") - hours(3)))) == 1
    assert reminders(a_change(at=at("10:00") - minutes(30))) == []


def test_reminders_come_with_the_confirmation_the_approval_and_each_move():
    pending = a_state(status=BookingStatus.PENDING)
    approved = a_state(version=2)

    assert reminders(a_change(ChangeKind.BOOKED, pending)) == []
    assert len(reminders(a_change(ChangeKind.APPROVED, approved))) == 2
    assert [each.lane for each in reminders(a_move())] == [
        f"reminder:{ONE}:2:1",
        f"reminder:{ONE}:2:2",
    ]
    assert reminders(a_change(ChangeKind.CANCELLED)) == []
    assert reminders(a_change(), reachable=()) == []


def test_who_joins_the_waitlist_is_told_unless_something_is_offered_to_them_at_once():
    change = a_change(ChangeKind.WAITLIST_JOINED, bookings=(), booking_ids=(), entry_ids=(TWO,))
    offer = OfferRef(entry_id=TWO, hold_id=THREE, expires_at=NOW + minutes(15))
    to_another = replace(offer, entry_id=THREE)

    (letter,) = letters_of(change, known())
    assert (letter.target, letter.kind) == ("customer", "waitlist_joined")
    assert order_of(letter.body).waiting == TWO
    assert told(change, reachable=(ONE,)) == []
    assert told(replace(change, offers=(offer,))) == [("customer", "waitlist_offer")]
    assert [kind for _, kind in told(replace(change, offers=(to_another,)))] == [
        "waitlist_joined",
        "waitlist_offer",
    ]


def test_an_offer_is_told_to_who_waits_whatever_change_made_it():
    offer = OfferRef(entry_id=TWO, hold_id=THREE, expires_at=NOW + minutes(15))
    change = a_change(ChangeKind.CANCELLED, offers=(offer,))

    letters = letters_of(change, known())

    assert letters[-1].kind == "waitlist_offer"
    assert order_of(letters[-1].body).offer == offer
    assert told(change, reachable=(ONE,))[-1] != ("customer", "waitlist_offer")


def test_the_same_change_always_makes_the_same_letters_and_another_makes_others():
    change = a_change()
    ids = [each.delivery_id for each in letters_of(change, known())]

    assert [each.delivery_id for each in letters_of(change, known())] == ids
    for other in (replace(change, revision=8), replace(change, at=NOW + minutes(1))):
        assert not set(ids) & {each.delivery_id for each in letters_of(other, known())}
    assert len(set(ids)) == len(ids)


def test_no_delivery_names_a_person_or_an_address():
    for change in (a_change(), a_move(), a_change(ChangeKind.CANCELLED)):
        for each in letters_of(change, known()):
            assert "@" not in str(each)
            assert "example" not in str(each)


INSTANTS = st.integers(0, 10**6).map(lambda number: NOW + timedelta(seconds=number))
INTERVALS = st.tuples(INSTANTS, st.integers(1, 10**5)).map(
    lambda each: Interval(each[0], each[0] + timedelta(seconds=each[1]))
)
CALENDARS = st.lists(st.sampled_from(["anna", "ben", "room"]), min_size=1).map(tuple)
STATES = st.builds(
    BookingState,
    booking_id=st.uuids(),
    version=st.integers(1, 2**31 - 1),
    status=st.sampled_from(BookingStatus),
    type_id=st.text(),
    calendar_ids=CALENDARS,
    appointment=INTERVALS,
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    before=st.none() | st.builds(Placement, calendar_ids=CALENDARS, appointment=INTERVALS),
)
ORDERS = st.builds(
    Order,
    states=st.lists(STATES, max_size=3).map(tuple),
    calendar_id=st.sampled_from(["", "anna"]),
    moved_away=st.booleans(),
    within=st.none() | st.uuids(),
    offer=st.none()
    | st.builds(OfferRef, entry_id=st.uuids(), hold_id=st.uuids(), expires_at=INSTANTS),
    waiting=st.none() | st.uuids(),
)


@given(ORDERS)
def test_an_order_is_read_as_it_was_written(order):
    assert order_of(body_of(order)) == order
