"""What a file may ask for, and that any other gives a refusal and no more."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.feeds import content_lines, ics, recurrence
from service.feeds.ics import BadFeed, BusyTime, busy_times
from tests.feeds.ics_text import NINE_TO_TEN, busy, calendar, defined_zone, event, instant, refusal


def test_a_file_over_the_limit_of_bytes_is_refused() -> None:
    room = content_lines.FILE_BYTES_MAX - len(calendar("")) + 2
    lines = ("X-A:" + "x" * 1018 + "\r\n") * (room // 1024) + "X-A:" + "x" * (room % 1024)
    assert len(calendar(lines)) > content_lines.FILE_BYTES_MAX
    assert refusal(calendar(lines)).line is None
    assert busy(calendar(lines[:-10])) == []


def test_a_line_over_the_limit_is_refused_also_when_folded() -> None:
    longest = "X-A:" + "x" * (content_lines.LINE_BYTES_MAX - 4)
    assert busy(calendar(longest)) == []
    assert refusal(calendar(longest + "x")).line == 3
    folded = "\r\n ".join(longest[begin : begin + 70] for begin in range(0, len(longest), 70))
    assert refusal(calendar(folded + "\r\n " + "x" * 1000)).line == 3


def test_more_components_than_the_limit_are_refused_and_alarms_are_not_counted() -> None:
    alarms = "BEGIN:VALARM\r\nEND:VALARM\r\n" * 10_000
    most = [event("DTSTART:20260105")] * (content_lines.COMPONENTS_MAX - 1)
    text = calendar(alarms.join(["BEGIN:VTODO\r\n", "END:VTODO"]), *most[1:])
    assert busy(text) == ["2026-01-05 00:00 - 2026-01-06 00:00"]
    assert refusal(calendar(*most, event("DTSTART:20260105"))).line == 3 + 3 * len(most)


def test_more_busy_times_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ics, "INTERVALS_MAX", 365)
    daily = event("DTSTART:20200105T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    assert len(busy(calendar(daily))) == 365
    assert refusal(calendar(daily, event(*NINE_TO_TEN))).line == 8


@pytest.mark.parametrize(
    ("start", "more"),
    [
        ("20260101T000000Z", ""),
        ("20260101T000000Z", ";UNTIL=99991231T235959Z"),
        ("20260101T000000Z", ";BYSETPOS=1"),
        ("16010101T000000Z", ";COUNT=999999"),
    ],
)
def test_a_rule_of_every_second_is_refused(start: str, more: str) -> None:
    rule = f"RRULE:FREQ=SECONDLY{more}"
    refused = refusal(calendar(event(f"DTSTART:{start}", "DURATION:PT1S", rule)))
    assert refused.line in (3, 6)
    assert "repeats too often" in refused.reason or "busy times" in refused.reason


def test_a_short_rule_of_seconds_is_taken() -> None:
    text = calendar(event(*NINE_TO_TEN, "RRULE:FREQ=SECONDLY;INTERVAL=1800;COUNT=3"))
    assert busy(text) == ["2026-01-05 09:00 - 11:00"]


@pytest.mark.parametrize("frequency", ["SECONDLY", "HOURLY", "DAILY", "WEEKLY", "YEARLY"])
def test_rules_that_never_come_true_cost_no_more_than_the_allowance(
    frequency: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = event(*NINE_TO_TEN, f"RRULE:FREQ={frequency};BYMONTH=2;BYMONTHDAY=30")
    assert busy(calendar(never)) == ["2026-01-05 09:00 - 10:00"]
    monkeypatch.setattr(recurrence.Allowance.__init__, "__defaults__", (150_000,))
    assert "repeats too often" in refusal(calendar(*[never] * 200)).reason


LINES = st.sampled_from(
    [
        "BEGIN:VCALENDAR",
        "END:VCALENDAR",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "BEGIN:VTIMEZONE",
        "END:VTIMEZONE",
        "BEGIN:DAYLIGHT",
        "END:DAYLIGHT",
        "TZID:Ours",
        "TZOFFSETFROM:-0300",
        "TZOFFSETTO:+0200",
        "UID:a",
        "SEQUENCE:2",
        "DTSTART:20260105T090000Z",
        "DTSTART;TZID=Ours:20260329T023000",
        "DTSTART;VALUE=DATE:20200229",
        "DTSTART:00010101T000000",
        "DTSTART:99991231T235959Z",
        "DTEND:20260106T090000Z",
        "DTEND:99991231",
        "DURATION:P1DT2H",
        "DURATION:P999999D",
        "RRULE:FREQ=DAILY;COUNT=7",
        "RRULE:FREQ=YEARLY;BYDAY=-53SU,53MO;BYSETPOS=-1",
        "RRULE:FREQ=WEEKLY;UNTIL=99991231T235959Z;INTERVAL=999999",
        "RRULE:FREQ=HOURLY;INTERVAL=7;BYMINUTE=30,15;BYDAY=SU",
        "RDATE:20260205T090000,20260206T090000Z/PT2H",
        "EXDATE;VALUE=DATE:20260107",
        "RECURRENCE-ID:20260106T090000Z",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T090000Z",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:99991231",
        "STATUS:CANCELLED",
        " folded",
        "SUMMARY:Zähne",
    ]
)
EVENT_LINES = st.lists(LINES.filter(lambda line: ":V" not in line), max_size=9).map(
    lambda lines: event(*lines)
)
CALENDARS = st.lists(EVENT_LINES, min_size=1, max_size=3).map(
    lambda events: calendar(defined_zone("Ours"), *events).encode()
)
FILES = st.one_of(
    st.binary(max_size=200),
    st.lists(LINES, max_size=25).map(lambda lines: "\r\n".join(lines).encode()),
    CALENDARS,
    st.builds(
        lambda data, position, byte: data[:position] + byte + data[position + 1 :],
        CALENDARS,
        st.integers(0, 900),
        st.binary(min_size=1, max_size=2),
    ),
)


def found_or_refused(
    data: bytes, zone: str, start: datetime, end: datetime
) -> tuple[list[BusyTime], BadFeed | None]:
    try:
        return busy_times(data, zone=zone, window_start=start, window_end=end), None
    except BadFeed as refused:
        return [], refused


@settings(max_examples=400, deadline=None)
@given(
    data=FILES,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]),
    start=st.integers(0, 8 * 366 * 24).map(
        lambda hour: instant("2019-01-01") + timedelta(hours=hour)
    ),
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=500)),
)
def test_any_bytes_give_ordered_disjoint_times_in_the_window_or_a_refusal(
    data: bytes, zone: str, start: datetime, length: timedelta
) -> None:
    found, refused = found_or_refused(data, zone, start, start + length)
    if refused is not None:
        assert refused.reason
        assert (
            refused.line is None or 1 <= refused.line <= data.count(b"\n") + data.count(b"\r") + 1
        )
        return
    edges = [start, *(edge for busy in found for edge in (busy.start, busy.end)), start + length]
    assert edges == sorted(edges)
    inner = edges[1:-1]
    assert len(set(inner)) == len(inner)


@settings(max_examples=60, deadline=None)
@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"]),
    interval=st.integers(1, 40),
    by=st.sampled_from(["", ";BYDAY=MO,SA", ";BYMONTHDAY=-1,15", ";BYMONTH=1,6;BYDAY=TU"]),
    days_before=st.integers(0, 3_000),
)
def test_a_part_of_a_window_shows_what_the_whole_shows_there(
    frequency: str, interval: int, by: str, days_before: int
) -> None:
    first = instant("2026-01-07") - timedelta(days=days_before)
    text = calendar(
        event(
            f"DTSTART;TZID=Europe/Berlin:{first:%Y%m%d}T230000",
            "DURATION:PT3H",
            f"RRULE:FREQ={frequency};INTERVAL={interval}{by}",
        )
    ).encode()
    begin, middle, end = first, instant("2026-03-29"), instant("2026-06-01")

    def window(start: datetime, end: datetime) -> list[BusyTime]:
        return busy_times(text, zone="UTC", window_start=start, window_end=end)

    whole = window(begin, end)
    assert window(middle, end) == [
        BusyTime(start=max(busy.start, middle), end=busy.end) for busy in whole if busy.end > middle
    ]
