"""Rules, added and excepted dates, and occurrences that replace others."""

from datetime import timedelta

import pytest

from tests.feeds.ics_text import NINE_TO_TEN, busy, calendar, event, instant

WEEKLY = ("UID:w", "DTSTART;TZID=Europe/Berlin:20260105T090000", "DURATION:PT1H")


def test_a_rule_with_count_or_until_stops_there() -> None:
    assert busy(calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=2"))) == [
        "2026-01-05 08:00 - 09:00",
        "2026-01-12 08:00 - 09:00",
    ]
    # UNTIL is included, also when it is written without a zone or as a day.
    for until in ("20260112T080000Z", "20260112T090000", "20260112"):
        text = calendar(event(*WEEKLY, f"RRULE:FREQ=WEEKLY;UNTIL={until}"))
        assert len(busy(text)) == 2, until
    assert len(busy(calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;UNTIL=20260112T075959Z")))) == 1


def test_a_series_of_days_includes_the_day_of_its_until() -> None:
    for until in ("20260107", "20260107T000000Z"):
        text = calendar(event("DTSTART;VALUE=DATE:20260105", f"RRULE:FREQ=DAILY;UNTIL={until}"))
        assert busy(text, zone="America/New_York") == ["2026-01-05 05:00 - 2026-01-08 05:00"]


def test_a_series_that_was_cut_off_before_its_beginning_is_empty() -> None:
    assert busy(calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;UNTIL=20260101T000000Z"))) == []


def test_the_first_start_counts_though_the_rule_does_not_hit_it() -> None:
    text = calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"))
    assert busy(text) == [
        "2026-01-05 08:00 - 09:00",
        "2026-01-07 08:00 - 09:00",
        "2026-01-14 08:00 - 09:00",
    ]


def test_a_rule_keeps_its_wall_time_when_clocks_change() -> None:
    text = calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY"))
    assert busy(text, start="2026-03-22", end="2026-04-01") == [
        "2026-03-23 08:00 - 09:00",
        "2026-03-30 07:00 - 08:00",
    ]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=-1FR", "30 58 86 114 149"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "31 90 151"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "30 58 90 120 149"),
        ("FREQ=MONTHLY;INTERVAL=3", "2 92"),
        ("FREQ=WEEKLY;INTERVAL=8;BYDAY=MO,FR;WKST=MO", "2 54 58 110 114"),
        ("FREQ=YEARLY;BYDAY=20MO", "138"),
        ("FREQ=YEARLY;BYWEEKNO=20", "135"),
        ("FREQ=YEARLY;BYYEARDAY=100,-266", "100"),
        ("freq=daily;interval=60;", "2 62 122"),
        ("FREQ=HOURLY;INTERVAL=24;BYMONTHDAY=2;BYHOUR=9", "2 33 61 92 122"),
    ],
)
def test_rules_of_every_kind_hit_the_days_that_they_name(rule: str, days: str) -> None:
    text = calendar(event("DTSTART:20200103T090000Z", "DURATION:PT1H", f"RRULE:{rule}"))
    if "INTERVAL" in rule.upper():
        text = text.replace("20200103T", "20260102T")
    found = busy(text, end="2026-06-01")
    hit = [str(instant(start[:10]).timetuple().tm_yday) for start in found]
    assert " ".join(hit) == days


def test_a_rule_goes_on_by_whole_intervals_from_a_start_long_ago() -> None:
    text = calendar(
        event("DTSTART:19000101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=10")
    )
    days_since = (instant("2026-01-01") - instant("1900-01-01")).days
    first = instant("2026-01-01") + timedelta(days=-days_since % 10)
    assert busy(text, end="2026-01-11") == [f"{first:%Y-%m-%d} 09:00 - 10:00"]


def test_29_february_repeats_in_leap_years_only() -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=YEARLY"))
    assert busy(text, start="2021-01-01", end="2030-01-01") == [
        "2024-02-29 00:00 - 2024-03-01 00:00",
        "2028-02-29 00:00 - 2028-03-01 00:00",
    ]


def test_added_dates_count_and_an_added_period_has_its_own_length() -> None:
    text = calendar(
        event(
            *WEEKLY,
            "RDATE;TZID=Europe/Berlin:20260106T150000,20260107T150000",
            "RDATE;VALUE=PERIOD:20260108T150000Z/PT2H,20260109T150000Z/20260109T153000Z",
            "RDATE;VALUE=DATE:20260110",
            "RDATE:",
        )
    )
    assert busy(text) == [
        "2026-01-05 08:00 - 09:00",
        "2026-01-06 14:00 - 15:00",
        "2026-01-07 14:00 - 15:00",
        "2026-01-08 15:00 - 17:00",
        "2026-01-09 15:00 - 15:30",
        "2026-01-10 08:00 - 09:00",
    ]


@pytest.mark.parametrize(
    "excepted",
    [
        "EXDATE;TZID=Europe/Berlin:20260112T090000",
        "EXDATE;TZID=America/New_York:20260112T030000",
        "EXDATE:20260112T080000Z",
        "EXDATE:20260112T090000",
        "EXDATE;VALUE=DATE:20260112",
        "EXDATE:20250101T000000Z,20260112T080000Z",
        "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2\r\nRDATE:20260105T080000Z",
    ],
)
def test_an_excepted_date_is_free_however_it_is_written(excepted: str) -> None:
    text = calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=3", excepted))
    gone = "2026-01-12" if "EXRULE" not in excepted else "2026-01-05"
    assert gone not in " ".join(busy(text))
    assert "2026-01-1" in " ".join(busy(text))


def test_an_excepted_day_of_a_series_of_days_is_free() -> None:
    for excepted in ("EXDATE;VALUE=DATE:20260106", "EXDATE:20260106T000000"):
        text = calendar(event("DTSTART:20260105", "RRULE:FREQ=DAILY;COUNT=3", excepted))
        assert busy(text) == [
            "2026-01-05 00:00 - 2026-01-06 00:00",
            "2026-01-07 00:00 - 2026-01-08 00:00",
        ]


SERIES = event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=3")


@pytest.mark.parametrize(
    "replaced",
    [
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000",
        "RECURRENCE-ID:20260112T080000Z",
        "RECURRENCE-ID;VALUE=DATE:20260112",
    ],
)
def test_a_moved_occurrence_leaves_its_old_time_free(replaced: str) -> None:
    moved = event("UID:w", replaced, "DTSTART:20260213T150000Z", "DTEND:20260213T153000Z")
    expected = ["2026-01-05 08:00 - 09:00", "2026-01-19 08:00 - 09:00", "2026-02-13 15:00 - 15:30"]
    assert busy(calendar(SERIES, moved)) == expected
    assert busy(calendar(moved, SERIES)) == expected
    assert busy(calendar(SERIES, moved), start="2026-02-01", end="2026-03-01") == expected[2:]


@pytest.mark.parametrize("free", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_a_replaced_occurrence_that_is_free_is_not_busy(free: str) -> None:
    replaced = event(
        "UID:w", "RECURRENCE-ID:20260112T080000Z", "DTSTART:20260112T080000Z", "DURATION:PT1H", free
    )
    assert busy(calendar(SERIES, replaced)) == [
        "2026-01-05 08:00 - 09:00",
        "2026-01-19 08:00 - 09:00",
    ]


def test_a_cancelled_occurrence_need_not_say_its_start() -> None:
    cancelled = event("UID:w", "RECURRENCE-ID:20260112T080000Z", "STATUS:CANCELLED")
    assert len(busy(calendar(SERIES, cancelled))) == 2


def test_one_busy_occurrence_of_a_free_series_is_busy() -> None:
    text = calendar(
        event(*WEEKLY, "RRULE:FREQ=WEEKLY", "TRANSP:TRANSPARENT"),
        event("UID:w", "RECURRENCE-ID:20260112T080000Z", *NINE_TO_TEN),
    )
    assert busy(text) == ["2026-01-05 09:00 - 10:00"]


def test_an_occurrence_without_its_series_is_busy() -> None:
    alone = event("UID:w", "RECURRENCE-ID:20260112T080000Z", *NINE_TO_TEN)
    assert busy(calendar(alone)) == ["2026-01-05 09:00 - 10:00"]


def test_an_occurrence_that_the_series_excepts_stays_free_though_replaced() -> None:
    text = calendar(
        event(*WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE:20260112T080000Z"),
        event("UID:w", "RECURRENCE-ID:20260112T080000Z", "DTSTART:20260113", "DURATION:P1D"),
    )
    assert busy(text) == ["2026-01-05 08:00 - 09:00"]


def test_this_and_future_moves_all_later_occurrences_on_the_wall() -> None:
    text = calendar(
        event(*WEEKLY, "RRULE:FREQ=WEEKLY"),
        event(
            "UID:w",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260316T080000Z",
            "DTSTART;TZID=Europe/Berlin:20260317T100000",
            "DURATION:PT30M",
        ),
    )
    assert busy(text, start="2026-03-08", end="2026-04-02") == [
        "2026-03-09 08:00 - 09:00",
        "2026-03-17 09:00 - 09:30",
        "2026-03-24 09:00 - 09:30",
        "2026-03-31 08:00 - 08:30",
    ]


def test_this_and_future_may_cancel_all_later_occurrences() -> None:
    text = calendar(
        event(*WEEKLY, "RRULE:FREQ=WEEKLY"),
        event(
            "UID:w",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T080000Z",
            "DTSTART:20260112T080000Z",
            "DURATION:PT1H",
            "STATUS:CANCELLED",
        ),
    )
    assert busy(text) == ["2026-01-05 08:00 - 09:00"]


def test_the_newest_revision_of_an_event_counts() -> None:
    old = event("UID:a", "SEQUENCE:1", *NINE_TO_TEN)
    new = event("UID:a", "SEQUENCE:2", "DTSTART:20260106T090000Z", "DURATION:PT1H")
    assert busy(calendar(new, old)) == ["2026-01-06 09:00 - 10:00"]


def test_two_events_that_share_a_uid_or_have_none_are_both_busy() -> None:
    other = ("DTSTART:20260106T090000Z", "DURATION:PT1H")
    for uid in (("UID:a",), ()):
        assert len(busy(calendar(event(*uid, *NINE_TO_TEN), event(*uid, *other)))) == 2
