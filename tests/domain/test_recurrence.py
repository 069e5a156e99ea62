"""Recurrence rules: what each gives, on the wall clock of a zone, and which are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.civil_time import wall_clock
from service.domain.errors import InvalidRequest
from service.domain.recurrence import (
    OCCURRENCES_MAX,
    SPAN_MAX,
    Frequency,
    Recurrence,
    occurrences,
    read_recurrence,
)
from tests.domain.strategies import QUICK, ZONES


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def unrolled(rule: str, first: str, zone: str = "UTC") -> list[str]:
    found = occurrences(read_recurrence(rule), instant(first), zone)
    return [each.strftime("%Y-%m-%dT%H:%M") for each in found]


AT_TEN = {
    # Every day, every other day.
    "FREQ=DAILY;COUNT=3": ("2030-06-03", ["06-03", "06-04", "06-05"]),
    "FREQ=DAILY;INTERVAL=2;COUNT=3": ("2030-06-03", ["06-03", "06-05", "06-07"]),
    "FREQ=DAILY;UNTIL=20300605": ("2030-06-03", ["06-03", "06-04", "06-05"]),
    "FREQ=DAILY;UNTIL=20300605T100000Z": ("2030-06-03", ["06-03", "06-04", "06-05"]),
    "FREQ=DAILY;UNTIL=20300605T095959Z": ("2030-06-03", ["06-03", "06-04"]),
    "FREQ=DAILY;COUNT=1": ("2030-06-03", ["06-03"]),
    "FREQ=DAILY;INTERVAL=30;COUNT=3": ("2030-01-31", ["01-31", "03-02", "04-01"]),
    # Every week: on the first one's own day, or on those that are named.
    "FREQ=WEEKLY;COUNT=3": ("2030-06-03", ["06-03", "06-10", "06-17"]),
    "FREQ=WEEKLY;WKST=MO;COUNT=2": ("2030-06-03", ["06-03", "06-10"]),
    "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4": ("2030-06-03", ["06-03", "06-05", "06-10", "06-12"]),
    "FREQ=WEEKLY;BYDAY=WE,MO,WE;COUNT=3": ("2030-06-05", ["06-05", "06-10", "06-12"]),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=4": (
        "2030-06-09",
        ["06-09", "06-17", "06-23", "07-01"],
    ),
    "FREQ=WEEKLY;INTERVAL=2;COUNT=3": ("2030-06-08", ["06-08", "06-22", "07-06"]),
    "FREQ=WEEKLY;UNTIL=20300616": ("2030-06-03", ["06-03", "06-10"]),
    "FREQ=WEEKLY;BYDAY=SA,SU;UNTIL=20300609T235959Z": ("2030-06-08", ["06-08", "06-09"]),
    # Every month: a month without the day has none.
    "FREQ=MONTHLY;COUNT=3": ("2030-06-03", ["06-03", "07-03", "08-03"]),
    "FREQ=MONTHLY;COUNT=4": ("2030-01-31", ["01-31", "03-31", "05-31", "07-31"]),
    "FREQ=MONTHLY;BYMONTHDAY=29;COUNT=3": ("2030-01-29", ["01-29", "03-29", "04-29"]),
    "FREQ=MONTHLY;BYMONTHDAY=29;INTERVAL=1;COUNT=2": ("2028-01-29", ["01-29", "02-29"]),
    "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=4": ("2030-01-31", ["01-31", "02-28", "03-31", "04-30"]),
    "FREQ=MONTHLY;BYMONTHDAY=1,-1;COUNT=4": ("2030-02-01", ["02-01", "02-28", "03-01", "03-31"]),
    "FREQ=MONTHLY;BYMONTHDAY=28,-1;COUNT=3": ("2030-02-28", ["02-28", "03-28", "03-31"]),
    "FREQ=MONTHLY;BYMONTHDAY=15,1;COUNT=3": ("2030-06-15", ["06-15", "07-01", "07-15"]),
    "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31;COUNT=3": ("2030-01-31", ["01-31", "03-31", "05-31"]),
    "FREQ=MONTHLY;BYDAY=1MO;COUNT=3": ("2030-06-03", ["06-03", "07-01", "08-05"]),
    "FREQ=MONTHLY;BYDAY=+1MO;COUNT=2": ("2030-06-03", ["06-03", "07-01"]),
    "FREQ=MONTHLY;BYDAY=2TU;COUNT=3": ("2030-06-11", ["06-11", "07-09", "08-13"]),
    "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3": ("2030-06-28", ["06-28", "07-26", "08-30"]),
    "FREQ=MONTHLY;BYDAY=5MO;COUNT=3": ("2030-07-29", ["07-29", "09-30", "12-30"]),
    "FREQ=MONTHLY;BYDAY=-5SU;COUNT=2": ("2030-06-02", ["06-02", "09-01"]),
    "FREQ=MONTHLY;BYDAY=1SA,-1SA;COUNT=3": ("2030-06-01", ["06-01", "06-29", "07-06"]),
    "FREQ=MONTHLY;INTERVAL=12;COUNT=2": ("2030-06-03", ["06-03", "06-03"]),
    "FREQ=MONTHLY;UNTIL=20300831": ("2030-06-30", ["06-30", "07-30", "08-30"]),
}


@pytest.mark.parametrize(
    ("rule", "first", "days"), [(rule, *expected) for rule, expected in AT_TEN.items()]
)
def test_a_rule_gives_the_days_that_rfc_5545_says(rule, first, days):
    found = unrolled(rule, f"{first}T10:00")

    assert [each[5:10] for each in found] == days
    assert {each[11:] for each in found} == {"10:00"}


WHEN_CLOCKS_CHANGE = [
    # In Berlin clocks skip 02:00 to 03:00 on 31 March 2030, and repeat it on 27 October.
    pytest.param(
        "FREQ=DAILY;COUNT=3",
        "2030-03-30T09:00",
        "Europe/Berlin",
        ["2030-03-30T09:00", "2030-03-31T08:00", "2030-04-01T08:00"],
        id="ten o'clock stays ten o'clock in spring",
    ),
    pytest.param(
        "FREQ=WEEKLY;COUNT=3",
        "2030-10-20T08:00",
        "Europe/Berlin",
        ["2030-10-20T08:00", "2030-10-27T09:00", "2030-11-03T09:00"],
        id="ten o'clock stays ten o'clock in autumn",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=3",
        "2030-03-30T01:30",
        "Europe/Berlin",
        ["2030-03-30T01:30", "2030-03-31T01:00", "2030-04-01T00:30"],
        id="half past two is skipped: the first instant after the gap",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=3",
        "2030-10-26T00:30",
        "Europe/Berlin",
        ["2030-10-26T00:30", "2030-10-27T00:30", "2030-10-28T01:30"],
        id="half past two comes twice: the first of both",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=2",
        "2030-10-27T01:30",
        "Europe/Berlin",
        ["2030-10-27T01:30", "2030-10-28T01:30"],
        id="a series may begin at the second of both",
    ),
    pytest.param(
        "FREQ=MONTHLY;BYDAY=-1SU;COUNT=3",
        "2030-02-24T01:30",
        "Europe/Berlin",
        ["2030-02-24T01:30", "2030-03-31T01:00", "2030-04-28T00:30"],
        id="the last Sunday of March",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=2",
        "2030-10-05T15:15",
        "Australia/Lord_Howe",
        ["2030-10-05T15:15", "2030-10-06T14:45"],
        id="clocks that change by half an hour",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=3",
        "2030-10-04T15:45",
        "Australia/Lord_Howe",
        ["2030-10-04T15:45", "2030-10-05T15:30", "2030-10-06T15:15"],
        id="a quarter past two, in a gap of half an hour",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=3",
        "2030-09-07T04:00",
        "America/Santiago",
        ["2030-09-07T04:00", "2030-09-08T04:00", "2030-09-09T03:00"],
        id="midnight is skipped",
    ),
    pytest.param(
        "FREQ=DAILY;COUNT=4",
        "2011-12-29T10:00",
        "Pacific/Apia",
        ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"],
        id="a day is skipped: what falls on midnight then, twice, is one",
    ),
    pytest.param(
        "FREQ=WEEKLY;BYDAY=MO;COUNT=2",
        "2030-06-02T20:00",
        "Pacific/Auckland",
        ["2030-06-02T20:00", "2030-06-09T20:00"],
        id="it is Monday where the calendar is",
    ),
    pytest.param(
        "FREQ=DAILY;UNTIL=20300604",
        "2030-06-03T02:00",
        "America/Los_Angeles",
        ["2030-06-03T02:00", "2030-06-04T02:00", "2030-06-05T02:00"],
        id="the last day is one of where the calendar is",
    ),
]


@pytest.mark.parametrize(("rule", "first", "zone", "found"), WHEN_CLOCKS_CHANGE)
def test_the_wall_clock_stays_when_clocks_change(rule, first, zone, found):
    assert unrolled(rule, first, zone) == found


REFUSED = {
    "": None,
    "WEEKLY": None,
    "FREQ": None,
    "FREQ=WEEKLY;": None,
    "FREQ=;COUNT=2": None,
    "COUNT=2": "FREQ",
    "FREQ=YEARLY;COUNT=2": "FREQ",
    "FREQ=HOURLY;COUNT=2": "FREQ",
    "FREQ=SECONDLY;COUNT=2": "FREQ",
    "FREQ=weekly;COUNT=2": "FREQ",
    "FREQ=WEEKLY": "COUNT",
    "FREQ=WEEKLY;COUNT=0": "COUNT",
    "FREQ=WEEKLY;COUNT=-1": "COUNT",
    "FREQ=WEEKLY;COUNT=53": "COUNT",
    "FREQ=WEEKLY;COUNT=99999": "COUNT",
    "FREQ=WEEKLY;COUNT=2.5": "COUNT",
    "FREQ=WEEKLY;COUNT=2;COUNT=3": "COUNT",
    "FREQ=WEEKLY;COUNT=2;UNTIL=20300701": "UNTIL",
    "FREQ=WEEKLY;UNTIL=20300231": "UNTIL",
    "FREQ=WEEKLY;UNTIL=20300701T100000": "UNTIL",
    "FREQ=WEEKLY;UNTIL=20300701T250000Z": "UNTIL",
    "FREQ=WEEKLY;UNTIL=2030-07-01": "UNTIL",
    "FREQ=WEEKLY;UNTIL=20300602": "UNTIL",
    "FREQ=DAILY;UNTIL=20300725": "UNTIL",
    "FREQ=MONTHLY;INTERVAL=12;UNTIL=20500101": "UNTIL",
    "FREQ=MONTHLY;INTERVAL=12;COUNT=20": "COUNT",
    "FREQ=MONTHLY;INTERVAL=120;COUNT=3": "COUNT",
    "FREQ=WEEKLY;INTERVAL=0;COUNT=2": "INTERVAL",
    "FREQ=WEEKLY;INTERVAL=1001;COUNT=2": "INTERVAL",
    "FREQ=WEEKLY;INTERVAL=-2;COUNT=2": "INTERVAL",
    "FREQ=WEEKLY;BYDAY=1MO;COUNT=2": "BYDAY",
    "FREQ=WEEKLY;BYDAY=XX;COUNT=2": "BYDAY",
    "FREQ=WEEKLY;BYDAY=MO,;COUNT=2": "BYDAY",
    "FREQ=DAILY;BYDAY=MO;COUNT=2": "BYDAY",
    "FREQ=MONTHLY;BYDAY=MO;COUNT=2": "BYDAY",
    "FREQ=MONTHLY;BYDAY=6MO;COUNT=2": "BYDAY",
    "FREQ=MONTHLY;BYDAY=0MO;COUNT=2": "BYDAY",
    "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=3;COUNT=2": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=0;COUNT=2": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=-32;COUNT=2": "BYMONTHDAY",
    "FREQ=WEEKLY;BYMONTHDAY=3;COUNT=2": "BYMONTHDAY",
    "FREQ=WEEKLY;WKST=SU;COUNT=2": "WKST",
    "FREQ=WEEKLY;BYSETPOS=1;COUNT=2": "BYSETPOS",
    "FREQ=DAILY;BYHOUR=10;COUNT=2": "BYHOUR",
    "FREQ=MONTHLY;BYMONTH=6;COUNT=2": "BYMONTH",
    "FREQ=MONTHLY;BYYEARDAY=6;COUNT=2": "BYYEARDAY",
    "FREQ=MONTHLY;BYWEEKNO=6;COUNT=2": "BYWEEKNO",
    "FREQ=WEEKLY;RSCALE=GREGORIAN;COUNT=2": "RSCALE",
    "RRULE:FREQ=WEEKLY;COUNT=2": "RRULE:FREQ",
    # The first appointment, a Monday, is not one of theirs.
    "FREQ=WEEKLY;BYDAY=TU;COUNT=2": None,
    "FREQ=MONTHLY;BYMONTHDAY=4;COUNT=2": None,
    "FREQ=MONTHLY;BYDAY=2MO;COUNT=2": None,
    "FREQ=MONTHLY;BYMONTHDAY=-31;COUNT=2": None,
}


@pytest.mark.parametrize(("rule", "part"), REFUSED.items())
def test_any_other_rule_is_refused_and_the_part_that_is_to_blame_is_named(rule, part):
    with pytest.raises(InvalidRequest) as refused:
        unrolled(rule, "2030-06-03T10:00")

    assert refused.value.field == "recurrence"
    assert refused.value.metadata.get("part") == part


def test_as_many_occurrences_as_there_may_be_are_given_and_not_one_more():
    assert len(unrolled("FREQ=DAILY;COUNT=52", "2030-06-03T10:00")) == OCCURRENCES_MAX
    assert len(unrolled("FREQ=DAILY;UNTIL=20300724", "2030-06-03T10:00")) == OCCURRENCES_MAX


@pytest.mark.parametrize("year", ["1970", "9000", "9999"])
def test_where_there_is_no_civil_time_nothing_recurs(year):
    with pytest.raises(InvalidRequest) as refused:
        unrolled("FREQ=DAILY;COUNT=2", f"{year}-12-31T10:00")

    assert refused.value.field == "first.start_time"


def test_a_rule_ends_with_civil_time():
    with pytest.raises(InvalidRequest):
        unrolled("FREQ=MONTHLY;COUNT=52", "8999-12-01T10:00")


DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@st.composite
def rules(draw) -> tuple[str, datetime]:
    """A rule that RFC 5545 and this service both know, and a first occurrence of it."""
    first = datetime.combine(draw(DAYS), draw(st.times()).replace(second=0, microsecond=0), UTC)
    frequency = draw(st.sampled_from(Frequency))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    if frequency is Frequency.WEEKLY and draw(st.booleans()):
        days = draw(st.sets(st.sampled_from(WEEKDAYS))) | {WEEKDAYS[first.weekday()]}
        parts.append("BYDAY=" + ",".join(sorted(days)))
    if frequency is Frequency.MONTHLY:
        kind = draw(st.sampled_from(["BYMONTHDAY", "BYDAY", None]))
        if kind == "BYMONTHDAY":
            days = draw(st.sets(st.integers(-31, 31).filter(bool))) | {first.day}
            parts.append("BYMONTHDAY=" + ",".join(map(str, sorted(days))))
        elif kind == "BYDAY":
            own = f"{(first.day + 6) // 7}{WEEKDAYS[first.weekday()]}"
            nth = st.builds(
                "{}{}".format, st.sampled_from([1, 2, 4, 5, -1, -5]), st.sampled_from(WEEKDAYS)
            )
            parts.append("BYDAY=" + ",".join(sorted(draw(st.sets(nth, max_size=3)) | {own})))
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, OCCURRENCES_MAX))}")
    else:
        until = first + timedelta(days=draw(st.integers(0, 400)))
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%S}Z")
    return ";".join(parts), first


@QUICK
@given(rules())
def test_in_utc_a_rule_gives_what_dateutil_gives(case):
    rule, first = case
    # dateutil follows a rule for ever, and has no limit of its own.
    expected = []
    for each in rrulestr(rule, dtstart=first):
        if each > first + SPAN_MAX or len(expected) > OCCURRENCES_MAX:
            break
        expected.append(each)
    count = read_recurrence(rule).count
    assume(len(expected) <= OCCURRENCES_MAX and count in (None, len(expected)))

    assert list(occurrences(read_recurrence(rule), first, "UTC")) == expected


@QUICK
@given(rules(), st.sampled_from(ZONES))
def test_in_any_zone_the_wall_clock_shows_what_dateutil_gives_or_the_end_of_a_gap(case, zone):
    rule, first = case
    assume("UNTIL" not in rule)
    wall = wall_clock(zone, first)
    try:
        found = occurrences(read_recurrence(rule), first, zone)
    except InvalidRequest:
        return
    expected = list(rrulestr(rule, dtstart=wall))

    assert list(found) == sorted(set(found))
    for instant_, wanted in zip(found, expected, strict=True):
        # Of the zones here none skips more than an hour.
        assert wanted <= wall_clock(zone, instant_) <= wanted + timedelta(hours=1)


def test_a_rule_is_read_as_it_is_written():
    assert read_recurrence("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1,-1;COUNT=6") == Recurrence(
        frequency=Frequency.MONTHLY, interval=2, count=6, month_days=frozenset({1, -1})
    )
    assert read_recurrence("FREQ=DAILY;UNTIL=20301231").until == date(2030, 12, 31)
    assert read_recurrence("FREQ=DAILY;UNTIL=20301231T235959Z").until == datetime(
        2030, 12, 31, 23, 59, 59, tzinfo=UTC
    )
