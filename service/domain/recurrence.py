"""Recurrence: a subset of RFC 5545's rules, read and unrolled on the wall clock of a zone.

FREQ is DAILY, WEEKLY (with BYDAY) or MONTHLY (with BYMONTHDAY, or with BYDAY such as 2TU or -1FR);
INTERVAL; COUNT or UNTIL. A rule that says anything else is refused, and the part is named.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from service.domain.civil_time import (
    CIVIL_YEARS,
    ONE_DAY,
    ONE_WEEK,
    instant_at,
    monday_of,
    wall_clock,
)
from service.domain.errors import InvalidRequest

OCCURRENCES_MAX = 52
SPAN_MAX = timedelta(days=3660)
"""A rule is followed for ten years; no horizon reaches so far."""

INTERVAL_MAX = 1000
FIELD = "recurrence"

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_MINUTES_PER_HOUR = 60


class Frequency(StrEnum):
    """How often the rule begins anew."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class NthWeekday(NamedTuple):
    """The nth of a weekday (0 is Monday) in a month; from its end where negative."""

    nth: int
    weekday: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """A rule. It ends after `count`, or with `until`: an instant, or a whole civil day."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | date | None = None
    weekdays: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    nth_weekdays: frozenset[NthWeekday] = frozenset()


def read_recurrence(text: str) -> Recurrence:
    """Return the rule that a text such as `FREQ=WEEKLY;COUNT=6` is."""
    parts = _split(text)
    if "FREQ" not in parts:
        raise _refused("FREQ", "It must say how often: DAILY, WEEKLY or MONTHLY.")
    if parts["FREQ"] not in Frequency.__members__:
        raise _refused("FREQ", "Only DAILY, WEEKLY and MONTHLY are possible.")
    if parts.get("WKST", "MO") != "MO":
        raise _refused("WKST", "A week begins on Monday.")
    frequency = Frequency(parts["FREQ"])
    count, until = _end(parts)
    weekdays, nth_weekdays = _days(frequency, parts.get("BYDAY"))
    return Recurrence(
        frequency=frequency,
        interval=_number("INTERVAL", parts.get("INTERVAL", "1"), range(1, INTERVAL_MAX + 1)),
        count=count,
        until=until,
        weekdays=weekdays,
        month_days=_month_days(frequency, parts),
        nth_weekdays=nth_weekdays,
    )


def occurrences(rule: Recurrence, first: datetime, zone: str) -> tuple[datetime, ...]:
    """Return the instants of a rule that begins at `first`, which is one of them.

    All show the same wall time in `zone`. One that is skipped when clocks change counts as the
    first instant after the gap, one that occurs twice as its first; two that so fall together are
    one.
    """
    if first.year not in CIVIL_YEARS:
        raise InvalidRequest("first.start_time", "There is no civil time then.")
    wall = wall_clock(zone, first)
    found: list[datetime] = []
    for number, day in enumerate(_civil_days(rule, wall.date()), start=1):
        if number == 1 and day != wall.date():
            raise _refused(None, "The first appointment must be on one of the rule's days.")
        instant = first if number == 1 else _instant(zone, day, wall)
        if _is_after(rule.until, day, instant):
            break
        if number > OCCURRENCES_MAX:
            raise _refused("UNTIL", f"It has more than {OCCURRENCES_MAX} occurrences.")
        if instant not in found:
            found.append(instant)
        if number == rule.count:
            break
    else:
        part = "UNTIL" if rule.count is None else "COUNT"
        raise _refused(part, "It must end within ten years.")
    if not found:
        raise _refused("UNTIL", "It ends before the first appointment.")
    return tuple(found)


def _civil_days(rule: Recurrence, first: date) -> Iterator[date]:
    """Yield the days of a rule from `first` on, for as long as it is followed."""
    for days in _days_by_period(rule, first):
        for day in days:
            if day - first > SPAN_MAX or day.year not in CIVIL_YEARS:
                return
            if day >= first:
                yield day


def _days_by_period(rule: Recurrence, first: date) -> Iterator[list[date]]:
    match rule.frequency:
        case Frequency.DAILY:
            for number in range(0, SPAN_MAX.days + 1, rule.interval):
                yield [first + number * ONE_DAY]
        case Frequency.WEEKLY:
            weekdays = sorted(rule.weekdays or {first.weekday()})
            for number in range(0, SPAN_MAX.days // 7 + 2, rule.interval):
                monday = monday_of(first) + number * ONE_WEEK
                yield [monday + weekday * ONE_DAY for weekday in weekdays]
        case Frequency.MONTHLY:
            for number in range(0, SPAN_MAX.days // 28 + 2, rule.interval):
                year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
                yield _days_of_month(rule, year, month + 1, first.day)


def _days_of_month(rule: Recurrence, year: int, month: int, day_of_first: int) -> list[date]:
    """Return the days of a rule in a month; one that this month does not have is left out."""
    weekday_of_first, length = monthrange(year, month)
    if rule.nth_weekdays:
        numbers = {_nth(each, weekday_of_first, length) for each in rule.nth_weekdays}
    else:
        month_days = rule.month_days or {day_of_first}
        numbers = {day if day > 0 else length + 1 + day for day in month_days}
    return [date(year, month, day) for day in sorted(numbers) if 1 <= day <= length]


def _nth(wanted: NthWeekday, weekday_of_first: int, length: int) -> int:
    """Return the day of the month, or a number that is none."""
    first = 1 + (wanted.weekday - weekday_of_first) % 7
    if wanted.nth > 0:
        return first + 7 * (wanted.nth - 1)
    last = first + 7 * ((length - first) // 7)
    return last + 7 * (wanted.nth + 1)


def _instant(zone: str, day: date, wall: datetime) -> datetime:
    minute = wall.hour * _MINUTES_PER_HOUR + wall.minute
    return instant_at(zone, day, minute) + (wall - wall.replace(second=0, microsecond=0))


def _is_after(until: datetime | date | None, day: date, instant: datetime) -> bool:
    if until is None:
        return False
    return instant > until if isinstance(until, datetime) else day > until


def _split(text: str) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _refused(None, "It must be parts such as FREQ=WEEKLY, with ; between them.")
        if name not in _PARTS:
            raise _refused(name[:20], "This part is not possible here.")
        if name in parts:
            raise _refused(name, "It can be given once.")
        parts[name] = value
    return parts


def _end(parts: Mapping[str, str]) -> tuple[int | None, datetime | date | None]:
    if "COUNT" in parts and "UNTIL" in parts:
        raise _refused("UNTIL", "It can have COUNT or UNTIL, not both.")
    if "COUNT" in parts:
        return _number("COUNT", parts["COUNT"], range(1, OCCURRENCES_MAX + 1)), None
    if "UNTIL" in parts:
        return None, _until(parts["UNTIL"])
    raise _refused("COUNT", f"It must end: by COUNT, at most {OCCURRENCES_MAX}, or by UNTIL.")


def _until(text: str) -> datetime | date:
    """Read a civil day, which is the last, or an instant in UTC. A wall time would be neither."""
    match = re.fullmatch(r"([0-9]{8})(?:T([0-9]{6})Z)?", text)
    if match is None:
        raise _refused("UNTIL", "It must be a day, or an instant in UTC: 20261231T225959Z.")
    try:
        day = date.fromisoformat(match[1])
        if match[2] is None:
            return day
        return datetime.combine(day, time.fromisoformat(match[2]), UTC)
    except ValueError:
        raise _refused("UNTIL", "There is no such day or time.") from None


def _days(frequency: Frequency, text: str | None) -> tuple[frozenset[int], frozenset[NthWeekday]]:
    """Read BYDAY: weekdays of a week, or the nth of a weekday in a month."""
    if text is None:
        return frozenset(), frozenset()
    if frequency is Frequency.DAILY:
        raise _refused("BYDAY", "It goes with WEEKLY or MONTHLY.")
    weekdays: set[int] = set()
    nth_weekdays: set[NthWeekday] = set()
    for each in text.split(","):
        match = _BYDAY.fullmatch(each)
        if match is None:
            raise _refused("BYDAY", "It must be days such as MO or, in a month, 2TU or -1FR.")
        weekday = _WEEKDAYS.index(match[2])
        if frequency is Frequency.WEEKLY and match[1] is None:
            weekdays.add(weekday)
        elif frequency is Frequency.MONTHLY and match[1] is not None:
            nth_weekdays.add(NthWeekday(int(match[1]), weekday))
        else:
            raise _refused("BYDAY", "A week has days such as MO, a month such as 2TU or -1FR.")
    return frozenset(weekdays), frozenset(nth_weekdays)


def _month_days(frequency: Frequency, parts: Mapping[str, str]) -> frozenset[int]:
    text = parts.get("BYMONTHDAY")
    if text is None:
        return frozenset()
    if frequency is not Frequency.MONTHLY:
        raise _refused("BYMONTHDAY", "It goes with MONTHLY.")
    if "BYDAY" in parts:
        raise _refused("BYMONTHDAY", "A month can have BYMONTHDAY or BYDAY, not both.")
    days = {_number("BYMONTHDAY", each, range(-31, 32)) for each in text.split(",")}
    if 0 in days:
        raise _refused("BYMONTHDAY", "No month has a day 0.")
    return frozenset(days)


def _number(part: str, text: str, allowed: range) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or number not in allowed:
        raise _refused(part, f"It must be a number from {allowed.start} to {allowed.stop - 1}.")
    return number


def _refused(part: str | None, message: str) -> InvalidRequest:
    """Return the refusal of a rule, which names the part that is to blame."""
    if part is None:
        return InvalidRequest(FIELD, message)
    return InvalidRequest(FIELD, f"{part}: {message}", part=part)
