"""The benchmark's own calendar: it must not be as wrong as what it judges."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from slotcast_chat.benchmark.days import day_of, filled, moment_of

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY_NIGHT = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
"""In Berlin it is Sunday 29 November already."""


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", date(2026, 11, 29)),
        ("tomorrow", date(2026, 11, 30)),
        ("+14", date(2026, 12, 13)),
        ("monday", date(2026, 11, 30)),
        ("sunday", date(2026, 12, 6)),
        ("next-week wednesday", date(2026, 12, 2)),
        ("spring", date(2027, 3, 28)),
        ("autumn", date(2027, 10, 31)),
        ("change", date(2027, 3, 28)),
        ("change-1", date(2027, 3, 27)),
    ],
)
def test_a_day_is_counted_from_now_in_the_persons_zone(text, day):
    assert day_of(text, SATURDAY_NIGHT, BERLIN) == day


def test_the_clocks_of_new_york_change_on_another_day():
    assert day_of("spring", SATURDAY_NIGHT, ZoneInfo("America/New_York")) == date(2027, 3, 14)


@pytest.mark.parametrize("text", ["someday", "spring in Tokyo"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match="no day"):
        day_of(text, SATURDAY_NIGHT, BERLIN)


def test_where_the_clocks_do_not_change_there_is_no_such_day():
    with pytest.raises(ValueError, match="do not change"):
        day_of("spring", SATURDAY_NIGHT, ZoneInfo("Asia/Tokyo"))


def test_days_are_written_as_people_say_them():
    said = filled("{weekday:+2} {date:+2}, {month-date:+2}, {iso:+2}", SATURDAY_NIGHT, BERLIN)

    assert said == "Tuesday 1 December, December 1, 2026-12-01"


def test_a_wall_clock_time_is_an_instant_of_its_zone():
    assert moment_of(date(2026, 12, 1), "10:00", BERLIN) == datetime(2026, 12, 1, 9, tzinfo=UTC)
