"""Recurrence rules (RFC 5545 section 3.3.10), unrolled by dateutil within an allowance.

dateutil is asked with care, because the rule comes from a stranger. It looks at neither UNTIL nor
COUNT while nothing matches, and would search a rule such as «every 30 February» until the year
9999. So the search starts near the window, runs in the last 400 years of the calendar, and every
step of it is paid from an allowance for the whole file.

The rule of a series that a caller books is another: it is read in domain/recurrence.py, where few
parts are possible and the one to blame is named. Here all parts are, and the slips of programs that
export are forgiven.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal

from dateutil.rrule import (
    DAILY,
    HOURLY,
    MINUTELY,
    MONTHLY,
    SECONDLY,
    WEEKLY,
    YEARLY,
    rrule,
    weekday,
)

from service.feeds.content_lines import BadFeed, Property
from service.feeds.values import LATEST, Kind, WallTime, read_wall_time, shifted

STEPS_MAX = 500_000

Frequency = Literal[0, 1, 2, 3, 4, 5, 6]  # as dateutil numbers them, YEARLY to SECONDLY

_FREQUENCY: dict[str, Frequency] = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
    "MINUTELY": MINUTELY,
    "SECONDLY": SECONDLY,
}
_NUMBERS = {
    "BYMONTH": range(1, 13),
    "BYWEEKNO": range(-53, 54),
    "BYYEARDAY": range(-366, 367),
    "BYMONTHDAY": range(-31, 32),
    "BYHOUR": range(24),
    "BYMINUTE": range(60),
    "BYSECOND": range(60),
    "BYSETPOS": range(-366, 367),
}
_ONE_NUMBER = {"INTERVAL": range(1, 10**6), "COUNT": range(1, 10**6)}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NTH_IN_MONTH_MAX, _NTH_IN_YEAR_MAX = 5, 53
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
# How many days dateutil walks through in the time of one step; measured.
_DAYS_PER_STEP = {YEARLY: 20, MONTHLY: 10, WEEKLY: 5}
# The Gregorian calendar repeats after 400 years, weekdays and all.
_CYCLE_YEARS = 400
_LAST_YEAR = 9998


class Allowance:
    """The work that one file may ask for; who asks for more is refused."""

    def __init__(self, steps_max: int = STEPS_MAX) -> None:
        self._steps_left = steps_max

    def spend(self, steps: int, line: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise BadFeed("the rule, with those before it, repeats too often to unroll", line)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    line: int
    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: WallTime | None = None
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[int, ...]:
        return self.numbers.get(name, ())


def read_rule(found: Property) -> Rule:
    """A rule whose every part is known and in its range; any other is refused."""
    parts = _parts(found)
    line = found.line
    frequency = _FREQUENCY.get(parts.pop("FREQ", ""))
    if frequency is None:
        raise BadFeed("the rule has no FREQ that is known", line)
    until = parts.pop("UNTIL", None)
    single = {
        name: _numbers(name, parts.pop(name), allowed, line)[0]
        for name, allowed in _ONE_NUMBER.items()
        if name in parts
    }
    numbers = {
        name: _numbers(name, parts.pop(name), allowed, line)
        for name, allowed in _NUMBERS.items()
        if name in parts
    }
    week_start = parts.pop("WKST", "MO")
    weekdays = _weekdays(parts.pop("BYDAY", ""), line)
    if week_start not in _WEEKDAYS:
        raise BadFeed(f"WKST={week_start[:40]} is no day of the week", line)
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        raise BadFeed("a rule on another calendar than the Gregorian is not understood", line)
    if parts:
        raise BadFeed(f"the rule has the unknown part {min(parts)[:40]}", line)
    in_a_month = frequency == MONTHLY or (frequency == YEARLY and "BYMONTH" in numbers)
    if in_a_month and any(abs(nth) > _NTH_IN_MONTH_MAX for _, nth in weekdays):
        raise BadFeed("no month has a weekday more than five times", line)
    return Rule(
        line=line,
        frequency=frequency,
        interval=single.get("INTERVAL", 1),
        count=single.get("COUNT"),
        until=None if until is None else read_wall_time(until, line),
        week_start=_WEEKDAYS.index(week_start),
        weekdays=weekdays,
        numbers=numbers,
    )


def _parts(found: Property) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in found.value.upper().split(";"):
        name, equals, value = part.partition("=")
        if not part.strip():
            continue
        if not equals or name.strip() in parts:
            raise BadFeed(f"{part[:40]!r} is no part of a rule, or is there twice", found.line)
        parts[name.strip()] = value.strip()
    return parts


def _numbers(name: str, text: str, allowed: range, line: int) -> tuple[int, ...]:
    numbers = set()
    for number in text.split(","):
        if not _NUMBER.fullmatch(number.strip()) or int(number) not in allowed:
            raise BadFeed(f"{name}={number[:40]} is not in the range of {name}", line)
        numbers.add(int(number))
    if 0 in numbers and allowed.start < 0:
        raise BadFeed(f"{name} counts from 1 or from -1, not from 0", line)
    return tuple(sorted(numbers))


def _weekdays(text: str, line: int) -> tuple[tuple[int, int], ...]:
    """Pairs of day and ordinal, which is 0 where every such day is meant."""
    weekdays = set()
    for day in text.split(",") if text else ():
        match = _BYDAY.fullmatch(day.strip())
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= _NTH_IN_YEAR_MAX):
            raise BadFeed(f"BYDAY={day[:40]} is no day of the week", line)
        weekdays.add((_WEEKDAYS.index(match[2]), int(match[1] or 0)))
    return tuple(sorted(weekdays))


def last_wall_time(
    rule: Rule, latest: datetime, *, whole_days: bool, wall_of_utc: Callable[[datetime], datetime]
) -> datetime:
    """The last wall time that both the rule's UNTIL and latest allow.

    UNTIL is to be of DTSTART's kind, and often is not. A day, or any UNTIL of a series of days,
    includes all of its day; a time of no zone is on the series' own clock.
    """
    if rule.until is None:
        return latest
    if whole_days or rule.until.kind is Kind.DATE:
        return min(latest, datetime.combine(rule.until.at, time.max))
    if rule.until.kind is Kind.UTC:
        return min(latest, wall_of_utc(rule.until.at))
    return min(latest, rule.until.at)


def wall_times(
    rule: Rule, first: datetime, *, earliest: datetime, latest: datetime, allowance: Allowance
) -> Iterator[datetime]:
    """The rule's starts on the wall from earliest to latest, in order.

    The first one always counts. Where it is after latest there is none at all: calendars write an
    UNTIL before DTSTART for a series that was cut off at its beginning.
    """
    if first > latest:
        return
    if first >= earliest:
        yield first
    matches = _matches(rule, first, earliest=earliest, latest=latest, allowance=allowance)
    given = 1
    while rule.count is None or given < rule.count:
        found = next(matches, None)
        if found is None:
            return
        if found > first:
            given += 1
            if found >= earliest:
                yield found


def _matches(
    rule: Rule, first: datetime, *, earliest: datetime, latest: datetime, allowance: Allowance
) -> Iterator[datetime]:
    years = max(0, (_LAST_YEAR - latest.year) // _CYCLE_YEARS * _CYCLE_YEARS)
    start = _period_start(rule, _years_on(first, years))
    if rule.count is None and earliest > first:
        start = _periods_on(rule, start, _years_on(earliest, years))
    last, end = start, _years_on(latest, years)
    starts = _dateutil_rule(rule, first, start, allowance)
    breadth = 1 + len(rule.of("BYSETPOS")) + len(rule.weekdays) // 7
    while True:
        try:
            found = next(starts, None)
        except (ValueError, OverflowError):  # how dateutil leaves the year 9999
            found = None
        days = ((found or LATEST) - last).days // _DAYS_PER_STEP.get(rule.frequency, 1)
        allowance.spend((1 + days) * breadth, rule.line)
        if found is None or found > end:
            return
        last = found
        if _is_in_a_listed_period(rule, found):
            yield _years_on(found, -years)


def _years_on(at: datetime, years: int) -> datetime:
    return at.replace(year=at.year + years)


def _period_start(rule: Rule, first: datetime) -> datetime:
    """The beginning of the year, month, week, ... that first is in."""
    day = datetime.combine(first, time.min)
    days_into_week = (day.weekday() - rule.week_start) % 7
    starts = {
        YEARLY: day.replace(month=1, day=1),
        MONTHLY: day.replace(day=1),
        WEEKLY: shifted(day, -timedelta(days=days_into_week)),
        DAILY: day,
        HOURLY: first.replace(minute=0, second=0),
        MINUTELY: first.replace(second=0),
        SECONDLY: first,
    }
    return starts[rule.frequency]


def _periods_on(rule: Rule, start: datetime, earliest: datetime) -> datetime:
    """The last period before earliest that the interval hits."""
    if earliest <= start:
        return start
    months = (earliest.year - start.year) * 12 + earliest.month - start.month
    if rule.frequency == YEARLY:
        years = months // 12 // rule.interval * rule.interval
        return start.replace(year=start.year + years)
    if rule.frequency == MONTHLY:
        month = start.month - 1 + months // rule.interval * rule.interval
        return start.replace(year=start.year + month // 12, month=month % 12 + 1)
    period = rule.interval * _PERIOD[rule.frequency]
    return start + (earliest - start) // period * period


_PERIOD = {
    WEEKLY: timedelta(weeks=1),
    DAILY: timedelta(days=1),
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
    SECONDLY: timedelta(seconds=1),
}


def _dateutil_rule(
    rule: Rule, first: datetime, start: datetime, allowance: Allowance
) -> Iterator[datetime]:
    """What first implies is written out, because the search begins elsewhere than at first."""
    months, month_days, weekdays = rule.of("BYMONTH"), rule.of("BYMONTHDAY"), rule.weekdays
    if not (month_days or weekdays or rule.of("BYYEARDAY")):
        if rule.of("BYWEEKNO") or rule.frequency == WEEKLY:
            weekdays = ((first.weekday(), 0),)
        elif rule.frequency in (YEARLY, MONTHLY):
            month_days = (first.day,)
            if rule.frequency == YEARLY:
                months = months or (first.month,)
    hours = rule.of("BYHOUR") or (first.hour,)
    minutes = rule.of("BYMINUTE") or (first.minute,)
    seconds = rule.of("BYSECOND") or (first.second,)
    allowance.spend(len(hours) * len(minutes) * len(seconds) // 10, rule.line)
    ordinals = rule.frequency in (YEARLY, MONTHLY)
    return iter(
        rrule(
            rule.frequency,
            dtstart=start,
            interval=rule.interval,
            wkst=rule.week_start,
            bymonth=months or None,
            bymonthday=month_days or None,
            byyearday=rule.of("BYYEARDAY") or None,
            byweekno=rule.of("BYWEEKNO") or None,
            byweekday=[weekday(day, nth if ordinals and nth else None) for day, nth in weekdays]
            or None,
            bysetpos=rule.of("BYSETPOS") or None,
            byhour=hours if rule.frequency < HOURLY else None,
            byminute=minutes if rule.frequency < MINUTELY else None,
            bysecond=seconds if rule.frequency < SECONDLY else None,
        )
    )


def _is_in_a_listed_period(rule: Rule, found: datetime) -> bool:
    """Sifts what dateutil would search for second by second, a day's worth for each match."""
    return not (
        (rule.frequency >= HOURLY and found.hour not in (rule.of("BYHOUR") or (found.hour,)))
        or (rule.frequency >= MINUTELY and found.minute not in (rule.of("BYMINUTE") or range(60)))
        or (rule.frequency >= SECONDLY and found.second not in (rule.of("BYSECOND") or range(60)))
    )
