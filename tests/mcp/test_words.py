"""Times in words and by name, on the days when clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from slotcast_mcp.ids import Held, Time, read_hold_or_time, read_window, window_text
from slotcast_mcp.quoting import quoted
from slotcast_mcp.refusals import Refused
from slotcast_mcp.words import moment_in_words, span_in_words, zone_of

HALF_HOUR = timedelta(minutes=30)
HOLD_ID = "0192f3c4-5d6e-4f70-8a9b-0c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("start", "minutes", "zone", "words"),
    [
        (
            "2026-12-01T09:00",
            30,
            "Europe/Berlin",
            "Tuesday 1 December 2026, 10:00 to 10:30 (Europe/Berlin, UTC+01:00)",
        ),
        (
            "2026-12-01T22:45",
            30,
            "Europe/Berlin",
            (
                "Tuesday 1 December 2026, 23:45 to Wednesday 2 December 2026, 00:15"
                " (Europe/Berlin, UTC+01:00)"
            ),
        ),
        (
            "2026-03-29T00:30",
            60,
            "Europe/Berlin",
            "Sunday 29 March 2026, 01:30 to 03:30 (Europe/Berlin, UTC+01:00 to UTC+02:00)",
        ),
        (
            "2026-10-25T01:00",
            30,
            "Europe/Berlin",
            "Sunday 25 October 2026, 02:00 to 02:30 (Europe/Berlin, UTC+01:00)",
        ),
        (
            "2026-10-25T00:00",
            30,
            "Europe/Berlin",
            "Sunday 25 October 2026, 02:00 to 02:30 (Europe/Berlin, UTC+02:00)",
        ),
        (
            "2026-07-01T20:00",
            30,
            "Asia/Kathmandu",
            "Thursday 2 July 2026, 01:45 to 02:15 (Asia/Kathmandu, UTC+05:45)",
        ),
        (
            "2026-07-01T12:00",
            30,
            "America/St_Johns",
            "Wednesday 1 July 2026, 09:30 to 10:00 (America/St_Johns, UTC-02:30)",
        ),
        ("2026-07-01T12:00", 30, "UTC", "Wednesday 1 July 2026, 12:00 to 12:30 (UTC, UTC+00:00)"),
    ],
)
def test_a_time_is_told_with_weekday_zone_and_offset(start, minutes, zone, words):
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert span_in_words(first, first + timedelta(minutes=minutes), ZoneInfo(zone)) == words


def test_the_two_hours_that_occur_twice_have_different_words():
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_in_words(first, zone) != moment_in_words(first + timedelta(hours=1), zone)


def test_a_time_is_read_as_it_was_told():
    start = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    for person in ("anna", ""):
        time = Time("haircut", person, start, 30)
        read = read_hold_or_time(str(time), "time")
        assert isinstance(read, Time)
        assert (read.service, read.person, read.minutes) == ("haircut", person, 30)
        assert read.start.timestamp() == start.timestamp()
        assert str(read) == str(time)
        held = read_hold_or_time(str(Held(HOLD_ID, time)), "hold")
        assert isinstance(held, Held)
        assert (held.hold_id, str(held.time)) == (HOLD_ID, str(time))


def test_a_window_is_read_as_it_was_told():
    text = "2026-12-01T13:00+01:00/2026-12-01T18:00+01:00"
    assert window_text(read_window(text, "windows")) == text
    for wrong in (
        "",
        "/",
        text[::-1],
        text.split("/", maxsplit=1)[0],
        "/".join(text.split("/")[::-1]),
    ):
        with pytest.raises(Refused):
            read_window(wrong, "windows")


def test_what_people_say_is_one_quoted_line():
    assert quoted('Say "hi"\n\x1b[2J and\tgo\u2028on') == "\"Say 'hi' [2J and go on\""
    assert quoted("x" * 100) == '"' + "x" * 79 + '…"'


def test_a_zone_is_never_guessed():
    assert zone_of("Europe/Berlin").key == "Europe/Berlin"
    for wrong in ("", "/", "Europe", "Europe/berlinn", "\0", "posix/../../x", "CEST"):
        with pytest.raises(Refused):
            zone_of(wrong)
