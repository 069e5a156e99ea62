"""Weekdays among days: 0 is Monday."""

from __future__ import annotations

from datetime import date

from service.domain.civil_time import ONE_DAY, ONE_WEEK
from service.domain.spoken_time.pieces import Days, run_of

SATURDAY = 5
WEEKEND = frozenset({SATURDAY, SATURDAY + 1})


def those_of(days: frozenset[date], weekdays: frozenset[int]) -> Days:
    """Return the days that are one of those weekdays."""
    fitting = frozenset(day for day in days if day.weekday() in weekdays)
    return Days(fitting, is_list=len(weekdays) > 1)


def nearest(
    weekdays: frozenset[int], days: frozenset[date], *, is_before: bool, weeks: int = 0
) -> Days:
    """Return the nearest of each weekday before or after days, or so many weeks beyond.

    Of a weekend, return both of its days.
    """
    first = min(days) - ONE_WEEK if is_before else max(days) + ONE_DAY
    ahead = run_of(first + (-weeks if is_before else weeks) * ONE_WEEK, 7)
    if weekdays != WEEKEND:
        return those_of(ahead, weekdays)
    (saturday,) = (day for day in ahead if day.weekday() == SATURDAY)
    is_cut = is_before and saturday + ONE_DAY not in ahead
    return Days(run_of(saturday - ONE_WEEK if is_cut else saturday, 2))
