"""What can never open is known by the hours; where they are not known, it may open."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from slotcast import (
    AppointmentType,
    Calendar,
    Closure,
    DateSpan,
    Schedule,
    TimeSpan,
    TimeWindow,
    WallInterval,
    Weekday,
)
from slotcast_mcp.catalogue import Catalogue
from slotcast_mcp.opening import DAYS_MAX, Hours

SALON = "businesses/salon"
LATE = (WallInterval(start="22:00", end="02:00"),)
DAY = (WallInterval(start="09:00", end="12:00"), WallInterval(start="12:00", end="17:00"))
SCHEDULES = {
    "week": Schedule(
        name=f"{SALON}/schedules/week",
        display_name="Week",
        weekly=dict.fromkeys(list(Weekday)[:5], DAY),
        exceptions={date(2026, 12, 25): (), date(2026, 12, 26): DAY},
    ),
    "always": Schedule(
        name=f"{SALON}/schedules/always",
        display_name="Always",
        weekly=dict.fromkeys(Weekday, (WallInterval(start="00:00", end="24:00"),)),
    ),
    "late": Schedule(
        name=f"{SALON}/schedules/late", display_name="Late", weekly={Weekday.FRIDAY: LATE}
    ),
}
CLOSURES = (
    Closure(
        name=f"{SALON}/closures/fair",
        display_name="Fair",
        span=DateSpan(first_date=date(2026, 12, 9), last_date=date(2026, 12, 10)),
        calendars=(f"{SALON}/calendars/anna",),
    ),
    Closure(
        name=f"{SALON}/closures/dinner",
        display_name="Dinner",
        span=TimeSpan(
            start=datetime(2026, 12, 8, 9, 40, tzinfo=UTC),
            end=datetime(2026, 12, 8, 20, tzinfo=UTC),
        ),
    ),
)
PEOPLE = {
    each: Calendar(
        name=f"{SALON}/calendars/{each}",
        display_name=each.title(),
        time_zone=zone,
        schedule=f"{SALON}/schedules/{schedule}",
    )
    for each, zone, schedule in (
        ("anna", "Europe/Berlin", "week"),
        ("ben", "Europe/Berlin", "late"),
        ("cleo", "America/New_York", "week"),
        ("dora", "Europe/Berlin", "beyond-the-first-page"),
        ("emma", "Europe/Berlin", "always"),
    )
}
HOURS = Hours(SCHEDULES, CLOSURES)


def service(*, any_of=(), all_of=(), step=5):
    return AppointmentType(
        name=f"{SALON}/appointmentTypes/visit",
        display_name="Visit",
        durations=(timedelta(minutes=30),),
        slot_step=timedelta(minutes=step) if step else None,
        any_of=tuple(f"{SALON}/calendars/{each}" for each in any_of),
        all_of=tuple(f"{SALON}/calendars/{each}" for each in all_of),
    )


def window(text):
    start, end = (datetime.fromisoformat(f"2026-{each}+01:00") for each in text.split("/"))
    return TimeWindow(start, end)


ANNA, BEN = service(any_of=["anna"]), service(any_of=["ben"])
CASES = [
    ("a day of the week", ANNA, "12-07T00:00/12-08T00:00", True),
    ("a day at the end of the week", ANNA, "12-05T00:00/12-07T00:00", False),
    ("the last start", ANNA, "12-07T16:30/12-07T16:31", True),
    ("a start whose end is too late", ANNA, "12-07T16:31/12-07T20:00", False),
    ("a start over hours that touch", ANNA, "12-07T11:45/12-07T11:46", True),
    ("hours that begin as the window ends", ANNA, "12-07T06:00/12-07T09:00", False),
    ("a date that is an exception, closed", ANNA, "12-25T00:00/12-26T00:00", False),
    ("a date that is an exception, open", ANNA, "12-26T00:00/12-27T00:00", True),
    ("a closure of one's own", ANNA, "12-09T00:00/12-11T00:00", False),
    ("a closure of another", service(any_of=["cleo"]), "12-09T00:00/12-11T00:00", True),
    ("before a closure of all", ANNA, "12-08T10:10/12-08T10:11", True),
    ("into a closure of all", ANNA, "12-08T10:11/12-08T18:00", False),
    ("hours over midnight", BEN, "12-12T01:00/12-12T01:01", True),
    ("after hours over midnight", BEN, "12-12T01:31/12-13T00:00", False),
    ("the hours of another zone", service(any_of=["cleo"]), "12-07T20:00/12-07T21:00", True),
    ("before those of another zone", service(any_of=["cleo"]), "12-07T09:00/12-07T15:00", False),
    ("anyone of two", service(any_of=["anna", "ben"]), "12-11T23:00/12-11T23:10", True),
    ("two at once, never", service(all_of=["anna", "ben"]), "12-07T00:00/12-14T00:00", False),
    ("two at once", service(all_of=["anna", "cleo"]), "12-07T00:00/12-08T00:00", True),
    (
        "one with another",
        service(any_of=["ben"], all_of=["anna"]),
        "12-07T00:00/12-14T00:00",
        False,
    ),
    ("a start on the grid", service(any_of=["anna"], step=40), "12-07T09:39/12-07T09:41", True),
    ("between two starts", service(any_of=["anna"], step=40), "12-07T09:41/12-07T10:20", False),
    (
        "counted over hours that touch",
        service(any_of=["anna"], step=0),
        "12-07T13:30/12-07T13:31",
        True,
    ),
    (
        "by its length, where no step is said",
        service(any_of=["anna"], step=0),
        "12-07T13:31/12-07T14:00",
        False,
    ),
    (
        "counted from before midnight",
        service(any_of=["ben"], step=50),
        "12-12T00:30/12-12T00:31",
        True,
    ),
    (
        "not counted from midnight",
        service(any_of=["ben"], step=50),
        "12-12T00:31/12-12T01:20",
        False,
    ),
    ("counted from Monday", service(any_of=["emma"], step=420), "12-08T04:00/12-08T04:01", True),
    (
        "not counted from the day",
        service(any_of=["emma"], step=50),
        "12-08T00:11/12-08T01:00",
        False,
    ),
    ("hours that are not known", service(any_of=["dora"]), "12-06T00:00/12-07T00:00", True),
    (
        "a minute of hours that are not known",
        service(any_of=["dora"]),
        "12-06T00:01/12-06T00:02",
        True,
    ),
    ("nobody who is known", service(any_of=["emil"]), "12-06T00:00/12-07T00:00", True),
]


@pytest.mark.parametrize(
    ("visit", "text", "can_open"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_a_window_can_open_if_one_of_its_starts_lies_in_hours_of_all_who_are_needed(
    visit, text, can_open
):
    known = Catalogue({}, PEOPLE)
    assert HOURS.can_open(window(text), visit, "", 30, known) is can_open


def test_of_several_who_could_it_is_the_hours_of_whoever_is_named_that_count():
    visit, late = service(any_of=["anna", "ben"]), window("12-11T23:00/12-11T23:10")
    known = Catalogue({}, PEOPLE)
    assert HOURS.can_open(late, visit, "ben", 30, known)
    assert not HOURS.can_open(late, visit, "anna", 30, known)


def test_a_window_that_is_too_long_to_be_looked_at_may_open():
    start = datetime(2026, 12, 5, tzinfo=UTC)
    closed = Hours({**SCHEDULES, "week": SCHEDULES["late"]}, ())
    never = service(all_of=["anna", "cleo"])
    known = Catalogue({}, PEOPLE)
    for days, can_open in ((DAYS_MAX - 1, False), (DAYS_MAX + 1, True)):
        long = TimeWindow(start, start + timedelta(days=days))
        assert closed.can_open(long, never, "", 30, known) is can_open


NIGHT = Schedule(
    name=f"{SALON}/schedules/night",
    display_name="Night",
    weekly={Weekday.SUNDAY: (WallInterval(start="02:30", end="04:00"),)},
)


@pytest.mark.parametrize(
    ("visit_zone", "opens"),
    [
        ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("Europe/London", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
    ],
)
def test_hours_that_begin_as_clocks_go_forward_begin_after_the_gap(visit_zone, opens):
    anna = replace(PEOPLE["anna"], time_zone=visit_zone, schedule=NIGHT.name)
    hours, known = Hours({"night": NIGHT}, ()), Catalogue({}, {"anna": anna})
    minute = timedelta(minutes=1)
    assert hours.can_open(TimeWindow(opens, opens + minute), ANNA, "", 30, known)
    assert not hours.can_open(TimeWindow(opens - 30 * minute, opens), ANNA, "", 30, known)


def test_a_closed_day_is_the_calendars_own():
    """Where it begins is a matter of the zone: at midnight there, not by UTC."""
    fair = replace(CLOSURES[0], calendars=())
    hours = Hours({**SCHEDULES, "week": SCHEDULES["always"]}, (fair,))
    known = Catalogue({}, PEOPLE)
    for person, closed in (
        ("anna", "12-09T00:00/12-11T00:00"),
        ("cleo", "12-09T06:00/12-11T06:00"),
    ):
        visit, day = service(any_of=[person]), window(closed)
        minute, length = timedelta(minutes=5), timedelta(minutes=30)
        assert not hours.can_open(day, visit, "", 30, known)
        for start in (day.start - length, day.end):
            assert hours.can_open(TimeWindow(start, start + minute), visit, "", 30, known)
