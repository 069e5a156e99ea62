"""What of an iCalendar file is busy, and when."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.feeds.ics import busy_times
from tests.feeds.ics_text import NINE_TO_TEN, busy, calendar, event, instant, refusal, shown

REAL_CALENDARS = Path(__file__).parents[2].parent / "shared" / "data" / "ics"


@pytest.fixture
def real_calendars() -> Path:
    if not REAL_CALENDARS.is_dir():
        pytest.skip(f"the calendars that programs exported are not at {REAL_CALENDARS}")
    return REAL_CALENDARS


def test_windows_calendar_in_utf_16_with_a_zone_of_its_own_name_is_taken_right(
    real_calendars: Path,
) -> None:
    data = (real_calendars / "Bug2912657.ics").read_bytes()
    # 02:00 in Tokyo: daily from 4 to 11 December, the last at UNTIL itself; the weekly ones fall
    # on the first and the last of these.
    assert busy(data, zone="Europe/Berlin", start="2009-01-01", end="2011-01-01") == [
        "2009-12-03 17:00 - 17:30",
        "2009-12-04 17:00 - 17:30",
        "2009-12-05 17:00 - 17:30",
        "2009-12-06 17:00 - 17:30",
        "2009-12-07 17:00 - 17:30",
        "2009-12-08 17:00 - 17:30",
        "2009-12-09 17:00 - 17:30",
        "2009-12-10 17:00 - 17:30",
    ]


def test_google_calendar_with_a_daily_event_is_taken_right(real_calendars: Path) -> None:
    data = (real_calendars / "Google1.ics").read_bytes()
    # 07:00 to 08:00 in Berlin, where clocks went forward on 25 March 2007.
    assert busy(data, start="2007-03-23", end="2007-03-27") == [
        "2007-03-23 06:00 - 07:00",
        "2007-03-24 06:00 - 07:00",
        "2007-03-25 05:00 - 06:00",
        "2007-03-26 05:00 - 06:00",
    ]
    assert busy(data, start="2006-12-01", end="2006-12-13") == [
        "2006-12-11 06:00 - 07:00",
        "2006-12-12 06:00 - 07:00",
    ]


def test_outlook_2007_calendar_of_a_free_day_is_not_busy(real_calendars: Path) -> None:
    data = (real_calendars / "Outlook2007LineFolds.ics").read_bytes()
    assert busy(data, start="2009-06-01", end="2009-07-01") == []
    taken = data.replace(b":TRANSPARENT", b":OPAQUE").replace(b"STATUS:FREE", b"STATUS:BUSY")
    assert busy(taken, zone="Europe/London", start="2009-06-01", end="2009-07-01") == [
        "2009-06-20 23:00 - 2009-06-21 23:00"
    ]


def test_apple_calendar_of_holidays_is_taken_right(real_calendars: Path) -> None:
    data = (real_calendars / "USHolidays.ics").read_bytes()
    zone = ZoneInfo("America/Los_Angeles")
    found = busy_times(
        data,
        zone=zone,
        window_start=datetime(2008, 1, 1, tzinfo=zone),
        window_end=datetime(2009, 1, 1, tzinfo=zone),
    )
    local = [(day.start.astimezone(zone), day.end.astimezone(zone)) for day in found]
    assert {start.timetz() for start, _ in local} == {end.timetz() for _, end in local}
    # Flag Day and Father's Day are neighbours. Election Day has lost its BYDAY=TU in the export,
    # so the file says seven days.
    assert [f"{start:%m-%d} {(end.date() - start.date()).days}" for start, end in local] == [
        *("01-01 1", "01-21 1", "02-02 1", "02-12 1", "02-14 1", "02-18 1", "02-22 1", "03-17 1"),
        *("03-23 1", "04-01 1", "04-06 1", "04-15 1", "04-22 1", "05-05 1", "05-11 1", "05-26 1"),
        *("05-29 1", "06-14 2", "07-04 1", "09-01 1", "10-13 1", "10-26 1", "10-31 1", "11-02 7"),
        *("11-11 1", "11-27 1", "12-25 1"),
    ]
    assert shown(found[0]) == "2008-01-01 08:00 - 2008-01-02 08:00"
    assert shown(found[17]) == "2008-06-14 07:00 - 2008-06-16 07:00"
    # Clocks went back on 2 November: the seven days are an hour longer.
    assert shown(found[23]) == "2008-11-02 07:00 - 2008-11-09 08:00"


def test_google_calendar_with_alarms_is_taken_right(real_calendars: Path) -> None:
    data = (real_calendars / "google_with_alarm.ics").read_bytes()
    assert busy(data, start="2024-01-01", end="2025-01-01") == ["2024-10-04 18:15 - 19:00"]


def test_outlook_2010_calendar_with_a_windows_zone_name_is_taken_right(
    real_calendars: Path,
) -> None:
    data = (real_calendars / "outlook-2010.ics").read_bytes()
    assert busy(data, start="2013-01-01", end="2014-01-01") == ["2013-06-10 16:00 - 17:00"]


def test_every_real_calendar_is_refused_when_it_is_cut_off(real_calendars: Path) -> None:
    for path in sorted(real_calendars.glob("*.ics")):
        data = path.read_bytes()
        refused = refusal(data[: len(data) * 2 // 3 // 2 * 2])
        assert refused.line is not None, path.name


def test_busy_times_are_in_order_and_those_that_touch_are_one() -> None:
    text = calendar(
        event("DTSTART:20260105T110000Z", "DTEND:20260105T120000Z"),
        event("DTSTART:20260105T093000Z", "DTEND:20260105T103000Z"),
        event(*NINE_TO_TEN),
        event("DTSTART:20260105T103000Z", "DTEND:20260105T104500Z"),
    )
    assert busy(text) == ["2026-01-05 09:00 - 10:45", "2026-01-05 11:00 - 12:00"]


def test_busy_times_are_cut_to_the_window() -> None:
    text = calendar(event(*NINE_TO_TEN))
    assert busy(text, start="2026-01-05T09:15", end="2026-01-05T09:45") == [
        "2026-01-05 09:15 - 09:45"
    ]
    assert busy(text, start="2026-01-05T10:00", end="2026-01-05T11:00") == []
    assert busy(text, start="2026-01-05T08:00", end="2026-01-05T09:00") == []


def test_an_occurrence_that_began_before_the_window_is_cut_to_it() -> None:
    text = calendar(
        event("DTSTART:20200101T220000Z", "DTEND:20200104T020000Z", "RRULE:FREQ=MONTHLY")
    )
    assert busy(text, start="2026-03-03", end="2026-03-10") == [
        "2026-03-03 00:00 - 2026-03-04 02:00"
    ]


def test_a_window_without_a_zone_or_without_length_is_a_mistake_of_the_caller() -> None:
    begin = instant("2026-01-01")
    with pytest.raises(ValueError, match="aware"):
        busy_times(b"", zone="UTC", window_start=begin.replace(tzinfo=None), window_end=begin)
    with pytest.raises(ValueError, match="end after"):
        busy_times(b"", zone="UTC", window_start=begin, window_end=begin)
    with pytest.raises(ValueError, match="years"):
        busy_times(b"", zone="UTC", window_start=begin, window_end=instant("9500-01-01"))


@pytest.mark.parametrize(
    "free",
    [
        "TRANSP:TRANSPARENT",
        "STATUS:CANCELLED",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "transp:transparent",
    ],
)
def test_an_event_that_leaves_its_time_free_is_not_busy(free: str) -> None:
    assert busy(calendar(event(*NINE_TO_TEN, free))) == []


@pytest.mark.parametrize(
    "taken",
    ["TRANSP:OPAQUE", "STATUS:TENTATIVE", "STATUS:CONFIRMED", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"],
)
def test_an_event_that_takes_its_time_is_busy_also_tentatively(taken: str) -> None:
    assert busy(calendar(event(*NINE_TO_TEN, taken))) == ["2026-01-05 09:00 - 10:00"]


def test_a_published_cancellation_is_not_busy() -> None:
    assert busy(calendar("METHOD:CANCEL", event(*NINE_TO_TEN))) == []
    assert busy(calendar("METHOD:CANCEL", event("UID:a"))) == []


def test_tasks_journals_and_alarms_are_not_busy() -> None:
    text = calendar(
        "BEGIN:VTODO\r\nDTSTART:20260105T090000Z\r\nDUE:20260105T100000Z\r\nEND:VTODO",
        "BEGIN:VJOURNAL\r\nDTSTART:20260105T090000Z\r\nEND:VJOURNAL",
        event(
            *NINE_TO_TEN,
            "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nDURATION:PT30M\r\nREPEAT:4\r\nEND:VALARM",
        ),
    )
    assert busy(text) == ["2026-01-05 09:00 - 10:00"]


def test_free_busy_periods_count_unless_they_are_free() -> None:
    text = calendar(
        "BEGIN:VFREEBUSY",
        "DTSTART:20260101T000000Z",
        "DTEND:20260201T000000Z",
        "FREEBUSY:20260105T090000Z/20260105T100000Z,20260106T090000Z/PT30M",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260107T090000Z/PT1H",
        "FREEBUSY;FBTYPE=FREE:20260108T090000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY:20260109T090000Z/PT1H",
        "END:VFREEBUSY",
    )
    assert busy(text) == [
        "2026-01-05 09:00 - 10:00",
        "2026-01-06 09:00 - 09:30",
        "2026-01-07 09:00 - 10:00",
        "2026-01-09 09:00 - 10:00",
    ]


def test_a_day_is_from_local_midnight_to_local_midnight() -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"))
    assert busy(text, zone="Europe/Berlin") == ["2026-03-28 23:00 - 2026-03-29 22:00"]
    assert busy(text, zone="Asia/Tokyo") == ["2026-03-28 15:00 - 2026-03-29 15:00"]


def test_a_day_without_an_end_or_with_itself_as_its_end_is_one_day() -> None:
    assert busy(calendar(event("DTSTART;VALUE=DATE:20260105"))) == [
        "2026-01-05 00:00 - 2026-01-06 00:00"
    ]
    assert busy(calendar(event("DTSTART:20260105", "DTEND:20260105"))) == [
        "2026-01-05 00:00 - 2026-01-06 00:00"
    ]


def test_a_time_without_a_zone_is_read_in_the_calendars_zone() -> None:
    text = calendar(event("DTSTART:20260705T090000", "DTEND:20260705T100000"))
    assert busy(text, zone="America/New_York") == ["2026-07-05 13:00 - 14:00"]


def test_a_time_without_an_end_has_no_length_and_is_not_busy() -> None:
    assert busy(calendar(event("DTSTART:20260105T090000Z"))) == []
    assert busy(calendar(event("DTSTART:20260105T090000Z", "DTEND:20260105T090000Z"))) == []


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("PT45M", "09:45"),
        ("+PT1H30M", "10:30"),
        ("P1D", "2026-01-06 09:00"),
        ("P0DT0H5M0S", "09:05"),
    ],
)
def test_a_duration_stands_for_the_end(duration: str, end: str) -> None:
    text = calendar(event("DTSTART:20260105T090000Z", f"DURATION:{duration}"))
    assert busy(text) == [f"2026-01-05 09:00 - {end}"]


def test_a_duration_of_days_is_counted_on_the_calendar_and_one_of_hours_by_a_stopwatch() -> None:
    # Clocks in Berlin go forward in the night to 29 March 2026.
    start = "DTSTART;TZID=Europe/Berlin:20260328T120000"
    assert busy(calendar(event(start, "DURATION:P1D"))) == ["2026-03-28 11:00 - 2026-03-29 10:00"]
    assert busy(calendar(event(start, "DURATION:PT24H"))) == ["2026-03-28 11:00 - 2026-03-29 11:00"]


def test_a_repeated_event_with_an_end_lasts_as_long_when_clocks_change() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=Europe/Berlin:20260327T230000",
            "DTEND;TZID=Europe/Berlin:20260328T040000",
            "RRULE:FREQ=DAILY;COUNT=2",
        )
    )
    assert busy(text) == [
        "2026-03-27 22:00 - 2026-03-28 03:00",
        "2026-03-28 22:00 - 2026-03-29 03:00",
    ]


def test_a_skipped_wall_time_is_read_with_the_offset_before_the_change() -> None:
    text = calendar(event("DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT1H"))
    assert busy(text) == ["2026-03-29 01:30 - 02:30"]


def test_an_event_whose_start_is_skipped_but_whose_end_is_not_is_no_damage() -> None:
    text = calendar(
        event(
            "DTSTART;TZID=Europe/Berlin:20260329T024500",
            "DTEND;TZID=Europe/Berlin:20260329T031500",
        )
    )
    assert busy(text) == []


def test_a_wall_time_that_occurs_twice_is_its_first() -> None:
    text = calendar(event("DTSTART;TZID=Europe/Berlin:20261025T023000", "DURATION:PT1H"))
    assert busy(text) == ["2026-10-25 00:30 - 01:30"]
