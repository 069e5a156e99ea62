"""iCalendar files as tests write them, and what becomes of them as tests read it."""

from datetime import UTC, datetime

import pytest

from service.feeds.ics import BadFeed, BusyTime, busy_times


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(busy: BusyTime) -> str:
    assert busy.start.tzinfo is UTC
    assert busy.end.tzinfo is UTC
    same_day = busy.start.date() == busy.end.date()
    return f"{busy.start:%Y-%m-%d %H:%M} - {busy.end:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}}"


def busy(
    data: str | bytes, *, zone: str = "UTC", start: str = "2026-01-01", end: str = "2027-01-01"
) -> list[str]:
    found = busy_times(
        data.encode() if isinstance(data, str) else data,
        zone=zone,
        window_start=instant(start),
        window_end=instant(end),
    )
    return [shown(interval) for interval in found]


def calendar(*parts: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


def refusal(data: str | bytes) -> BadFeed:
    with pytest.raises(BadFeed) as refused:
        busy(data)
    return refused.value


NINE_TO_TEN = ("DTSTART:20260105T090000Z", "DTEND:20260105T100000Z")


def defined_zone(name: str) -> str:
    return "\r\n".join(
        [
            "BEGIN:VTIMEZONE",
            f"TZID:{name}",
            "BEGIN:STANDARD",
            "DTSTART:16011028T030000",
            "TZOFFSETFROM:+0330",
            "TZOFFSETTO:+0230",
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
            "END:STANDARD",
            "BEGIN:DAYLIGHT",
            "DTSTART:16010325T020000",
            "TZOFFSETFROM:+0230",
            "TZOFFSETTO:+0330",
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
            "END:DAYLIGHT",
            "END:VTIMEZONE",
        ]
    )
