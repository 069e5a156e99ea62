"""The judge: each way to be wrong is found, by the bookings alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import Booking, BookingStatus, Customer
from slotcast_chat.benchmark.business import COMPETITOR
from slotcast_chat.benchmark.judging import judge
from slotcast_chat.benchmark.person import Person, question_of
from slotcast_chat.benchmark.report import markdown, percentiles
from slotcast_chat.benchmark.scenario import KINDS, Line, Scenario, Want, load_scenarios

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
AT_TEN = datetime(2026, 11, 29, 9, tzinfo=UTC)
WANTED = Scenario(
    name="One",
    kind="plain",
    says=(Line(say="Haircut with Anna tomorrow at 10:00"),),
    want=Want(day="tomorrow", at=("10:00",), person="anna"),
)
RIGHT = Booking(
    name="businesses/b/bookings/1",
    appointment_type="businesses/b/appointmentTypes/haircut",
    calendars=("businesses/b/calendars/anna",),
    start=AT_TEN,
    end=AT_TEN + timedelta(minutes=30),
    time_zone="Europe/Berlin",
    status=BookingStatus.CONFIRMED,
    version=1,
    customer=Customer(
        display_name="Ada Lovelace", email="ada@example.com", time_zone="Europe/Berlin"
    ),
    fields={},
    created_at=NOW,
    updated_at=NOW,
)


def moved(booking, minutes):
    shift = timedelta(minutes=minutes)
    return replace(booking, start=booking.start + shift, end=booking.end + shift)


def of_another(booking):
    return replace(booking, customer=Customer(display_name=COMPETITOR))


def test_exactly_what_was_wanted_is_a_success():
    verdict = judge(WANTED, [RIGHT], 0, NOW)

    assert verdict.is_success
    assert (verdict.double_bookings, verdict.wrong_times) == (0, 0)


@pytest.mark.parametrize(
    ("bookings", "doubled", "wrong"),
    [
        ([], 0, 0),
        ([moved(RIGHT, 30)], 0, 1),
        ([moved(RIGHT, 24 * 60)], 0, 1),
        ([RIGHT, moved(RIGHT, 60)], 1, 1),
        ([RIGHT, of_another(RIGHT)], 1, 0),
        ([of_another(RIGHT)], 0, 0),
        ([replace(RIGHT, status=BookingStatus.CANCELLED)], 0, 0),
        ([replace(RIGHT, calendars=("businesses/b/calendars/ben",))], 0, 0),
        ([replace(RIGHT, appointment_type="businesses/b/appointmentTypes/colouring")], 0, 0),
        ([replace(RIGHT, customer=Customer(display_name="Ada"))], 0, 0),
    ],
)
def test_each_way_to_be_wrong_is_found(bookings, doubled, wrong):
    verdict = judge(WANTED, bookings, 0, NOW)

    assert not verdict.is_success
    assert (verdict.double_bookings, verdict.wrong_times) == (doubled, wrong)


def test_where_nothing_was_wanted_any_booking_is_wrong():
    nothing = replace(WANTED, want=Want())

    assert judge(nothing, [], 0, NOW).is_success
    assert judge(nothing, [RIGHT], 0, NOW).wrong_times == 1


def test_who_should_wait_must_wait():
    waits = replace(WANTED, want=Want(waiting=1))

    assert judge(waits, [], 1, NOW).is_success
    assert not judge(waits, [], 0, NOW).is_success


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("It is held. What is your name, and your e-mail address?", "name"),
        ("What is your e-mail address? Say no if you do not want one.", "email"),
        ("In which city are you?", "zone"),
        ("It is held for you. Shall I book it?", "confirm"),
        ("Is that correct?", "confirm"),
        ("Booked: Haircut.", "done"),
        ("Which one shall I hold for you?", "any"),
        ("When would it suit you?", "any"),
    ],
)
def test_the_person_knows_what_is_asked(said, asked):
    assert question_of(said) == asked


def test_the_person_says_its_lines_answers_questions_and_leaves():
    scenario = replace(
        WANTED, says=(Line(say="Haircut {date:+1}"), Line(say="No, at 11", at="confirm"))
    )
    person = Person(scenario, NOW)

    replies = [
        person.reply(said)
        for said in ("", "What is your name?", "Shall I book it?", "Shall I book it?", "Booked.")
    ]

    assert replies == [
        "Haircut 29 November",
        "Ada Lovelace, ada@example.com",
        "No, at 11",
        "Yes, please.",
        None,
    ]


def test_there_are_scenarios_of_every_kind():
    scenarios = load_scenarios()

    assert len(scenarios) >= 60
    assert {scenario.kind for scenario in scenarios} == set(KINDS)


def test_a_percentile_is_the_least_value_that_so_many_are_not_above():
    taken = percentiles([each / 1000 for each in range(1, 101)])

    assert taken.p50 == pytest.approx(50)
    assert taken.p99 == pytest.approx(99)
    assert percentiles([0.25]).p99 == pytest.approx(250)


def test_a_table_of_nothing_played_is_not_made_up():
    with pytest.raises(ValueError, match="No scenario"):
        markdown([])
