"""Which lines are no damage, and which refuse the file: each with its number."""

import pytest

from tests.feeds.ics_text import NINE_TO_TEN, busy, calendar, defined_zone, event, refusal


def test_lines_may_end_as_on_any_system_and_blank_ones_are_nothing() -> None:
    text = calendar(event(*NINE_TO_TEN))
    for line_end in ("\n", "\r", "\r\n\r\n", "\r\r\n"):
        assert busy(text.replace("\r\n", line_end)) == ["2026-01-05 09:00 - 10:00"]
    assert busy(text.rstrip()) == ["2026-01-05 09:00 - 10:00"]


def test_a_fold_may_part_any_two_bytes() -> None:
    data = calendar(event("SUMMARY:Zähne", *NINE_TO_TEN)).encode()
    for position in range(data.index(b"BEGIN:VEVENT") + 1, data.index(b"END:VCALENDAR")):
        if (
            data[position - 1 : position] not in b"\r\n"
            and data[position : position + 1] not in b"\r\n"
        ):
            folded = data[:position] + b"\r\n\t" + data[position:]
            assert busy(folded) == ["2026-01-05 09:00 - 10:00"]


def test_a_file_in_utf_8_with_a_mark_or_in_utf_16_is_read() -> None:
    text = calendar(event("SUMMARY:Zähne", *NINE_TO_TEN))
    for encoding in ("utf-8-sig", "utf-16"):
        assert busy(text.encode(encoding)) == ["2026-01-05 09:00 - 10:00"]


def test_a_file_may_hold_several_calendars() -> None:
    other = event("DTSTART:20260106T090000Z", "DURATION:PT1H")
    text = calendar(event(*NINE_TO_TEN)) + calendar(other)
    assert busy(text) == ["2026-01-05 09:00 - 10:00", "2026-01-06 09:00 - 10:00"]


def test_damage_in_what_does_not_decide_busy_time_is_no_damage() -> None:
    oddities = ("CREATED:00001231T000000Z", 'ATTENDEE;CN=O"Brien:mailto:o@example.org', "GEO:x")
    assert busy(calendar(event(*oddities, *NINE_TO_TEN))) == ["2026-01-05 09:00 - 10:00"]


@pytest.mark.parametrize(
    ("line", "damaged"),
    [
        (1, ""),
        (1, "<html>\r\n<body>no calendar here</body>\r\n</html>\r\n"),
        (1, " folded\r\n"),
        (1, "BEGIN:VEVENT\r\nEND:VEVENT\r\n"),
        (1, "VERSION:2.0\r\n"),
        (1, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"),
        (3, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART:20260105\r\n"),
        (5, calendar("BEGIN:VEVENT\r\nDTSTART:20260105")),
        (3, calendar("END:VEVENT")),
        (5, calendar("BEGIN:VEVENT\r\nDTSTART:20260105\r\nEND:VTODO")),
        (4, calendar() + "SUMMARY:after the end\r\n"),
    ],
)
def test_a_file_that_is_no_whole_calendar_is_refused_with_the_line(line: int, damaged: str) -> None:
    assert refusal(damaged).line == line


@pytest.mark.parametrize(
    "damaged",
    [
        "DTSTART 20260105",
        "no colon at all",
        ":no name",
        "DTSTART;TZID:20260105T090000",
        'DTSTART;TZID="Europe/Berlin:20260105T090000',
        "DTSTART:2026-01-05T09:00:00",
        "DTSTART:20260230",
        "DTSTART:20260105T250000Z",
        "DTSTART:20260105T0900",
        "DTSTART:",
        "DTSTART:٢٠٢٦٠١٠٥",
        "DTSTART;TZID=Nowhere/Atall:20260105T090000",
        "DTSTART;TZID=../../etc/passwd:20260105T090000",
        "DTSTART;TZID=Middle Earth Standard Time:20260105T090000",
        "DTSTART;TZID=Asia/Tokyo:00010101T000000",
    ],
)
def test_a_broken_start_is_refused_with_its_line(damaged: str) -> None:
    text = calendar(event(*NINE_TO_TEN), event("SUMMARY:long", " folded", damaged))
    assert refusal(text).line == 10


@pytest.mark.parametrize(
    "damaged",
    [
        "DTSTART:20260105T090000Z",
        "DTEND:20260105T085959Z",
        "DTEND:2026010",
        "DURATION:-PT1H",
        "DURATION:P",
        "DURATION:PT",
        "DURATION:1H",
        "DURATION:P999999W",
        "RDATE:yesterday",
        "RDATE;VALUE=PERIOD:20260105T090000Z/20260104T090000Z",
        "EXDATE:tomorrow",
        "RECURRENCE-ID:once",
        "SEQUENCE:first",
    ],
)
def test_a_broken_value_is_refused_with_its_line(damaged: str) -> None:
    assert refusal(calendar(event("DTSTART:20260105T090000Z", damaged))).line == 5


@pytest.mark.parametrize("is_free", [False, True])
@pytest.mark.parametrize(
    "rule",
    [
        "",
        "DAILY",
        "FREQ=",
        "FREQ=SOMETIMES",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=1,2.5",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=ten",
        "FREQ=DAILY;UNTIL=never",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=YEARLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;WKST=1",
        "FREQ=DAILY;BYEASTER=1",
        "RSCALE=HEBREW;FREQ=YEARLY",
    ],
)
def test_a_broken_rule_is_refused_with_its_line_also_in_a_free_event(
    rule: str, is_free: bool
) -> None:
    free = ("TRANSP:TRANSPARENT",) if is_free else ()
    assert refusal(calendar(event(*NINE_TO_TEN, f"RRULE:{rule}", *free))).line == 6


def test_an_event_without_a_start_is_refused_with_the_line_of_its_beginning() -> None:
    assert refusal(calendar(event("SUMMARY:when?"))).line == 3


def test_a_broken_free_busy_period_is_refused_with_its_line() -> None:
    for period in ("", "20260105T090000Z", "20260105T090000Z/", "20260105T090000Z/-PT1H"):
        text = calendar(f"BEGIN:VFREEBUSY\r\nFREEBUSY;FBTYPE=FREE:{period}\r\nEND:VFREEBUSY")
        assert refusal(text).line == 4, period


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        (3, "BEGIN:STANDARD", "BEGIN:SOMETHING"),
        (7, "TZOFFSETFROM:+0330", "TZOFFSETFROM:+9930"),
        (5, "TZOFFSETTO:+0230\r\n", ""),
        (9, "BYMONTH=10", "BYMONTH=0"),
    ],
)
def test_a_broken_zone_is_refused_with_the_line_when_it_is_used(
    line: int, old: str, new: str
) -> None:
    zone = defined_zone("Ours").replace(old, new)
    if line == 3:
        zone = zone.replace("END:STANDARD", "END:SOMETHING").replace("DAYLIGHT", "SOMETHING")
    uses = event("DTSTART;TZID=Ours:20260105T090000", "DURATION:PT1H")
    assert refusal(calendar(zone, uses)).line == line
    assert busy(calendar(zone, event(*NINE_TO_TEN))) == ["2026-01-05 09:00 - 10:00"]


def test_bytes_that_are_no_unicode_are_refused_with_their_line() -> None:
    text = calendar(event("SUMMARY:Zähne putzen", *NINE_TO_TEN))
    assert refusal(text.encode("latin-1")).line == 4
    assert refusal(text.encode("utf-16")[:-41] + b"\x00\xd8\x00\x00").line == 7
    assert refusal(b"\x00\x01\x02\xff").line == 1


def test_a_refusal_says_its_line_in_its_text_too() -> None:
    refused = refusal(calendar(event("DTSTART:20260230")))
    assert refused.line == 4
    assert str(refused) == f"line 4: {refused.reason}"
    assert "20260230" in refused.reason


def test_one_damaged_event_refuses_the_whole_file() -> None:
    good = [event(*NINE_TO_TEN, f"UID:{number}") for number in range(20)]
    assert refusal(calendar(*good, event("DTSTART:broken"))).line == 104
