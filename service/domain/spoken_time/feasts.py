"""Days that have a name."""

from __future__ import annotations

from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

from dateutil.easter import easter


class Feast(IntEnum):
    """A feast, or a span of them."""

    NEW_YEAR = 0
    EPIPHANY = 1
    VALENTINE = 2
    GOOD_FRIDAY = 3
    EASTER = 4
    EASTER_MONDAY = 5
    ASCENSION = 6
    PENTECOST = 7
    WHIT_MONDAY = 8
    HALLOWEEN = 9
    CHRISTMAS_EVE = 10
    CHRISTMAS = 11
    BOXING_DAY = 12
    CHRISTMAS_DAYS = 13
    NEW_YEARS_EVE = 14
    EASTER_DAYS = 15
    PENTECOST_DAYS = 16
    MAY_DAY = 17


class _Rule(NamedTuple):
    month: int
    """0: counted from Easter Sunday."""
    day: int
    length: int = 1


_RULES = {
    Feast.NEW_YEAR: _Rule(1, 1),
    Feast.EPIPHANY: _Rule(1, 6),
    Feast.VALENTINE: _Rule(2, 14),
    Feast.GOOD_FRIDAY: _Rule(0, -2),
    Feast.EASTER: _Rule(0, 0),
    Feast.EASTER_MONDAY: _Rule(0, 1),
    Feast.EASTER_DAYS: _Rule(0, 0, 2),
    Feast.MAY_DAY: _Rule(5, 1),
    Feast.ASCENSION: _Rule(0, 39),
    Feast.PENTECOST: _Rule(0, 49),
    Feast.PENTECOST_DAYS: _Rule(0, 49, 2),
    Feast.WHIT_MONDAY: _Rule(0, 50),
    Feast.HALLOWEEN: _Rule(10, 31),
    Feast.CHRISTMAS_EVE: _Rule(12, 24),
    Feast.CHRISTMAS: _Rule(12, 25),
    Feast.BOXING_DAY: _Rule(12, 26),
    Feast.CHRISTMAS_DAYS: _Rule(12, 25, 2),
    Feast.NEW_YEARS_EVE: _Rule(12, 31),
}


def feast_days(feast: Feast, today: date) -> list[date]:
    """Return the days of a feast, the next time that it is not over."""
    rule = _RULES[feast]
    for year in (today.year, today.year + 1):
        first = date(year, rule.month, rule.day) if rule.month else easter(year) + _days(rule.day)
        days = [first + _days(number) for number in range(rule.length)]
        if days[-1] >= today:
            break
    return days


def _days(number: int) -> timedelta:
    return timedelta(days=number)
