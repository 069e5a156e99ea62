"""The definition of a zone as iCalendar has it, from the zone itself.

The library's own are late by the hour that a clock is put forward by, and end with a year. Here a
change that comes every year is a rule, and has no end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

YEARS = 12
"""So many are looked at; a change that all of them have is taken for a rule."""
_STEP = timedelta(days=7)
_SECOND = timedelta(seconds=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, kw_only=True, slots=True)
class Observance:
    """What a clock shows from some instant on."""

    name: str
    offset: timedelta
    is_daylight: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Onset:
    """When a clock changes: `local` is what it shows when it does, before it is changed."""

    local: datetime
    offset_from: timedelta


def definition_of(zone: ZoneInfo, earliest: datetime) -> Timezone:
    """Return a definition that is right from the year before `earliest` on."""
    return _definition(zone, earliest.year - 1)


@lru_cache(maxsize=256)
def _definition(zone: ZoneInfo, year: int) -> Timezone:
    start = datetime(year, 1, 1, tzinfo=UTC)
    definition = Timezone()
    definition.add("tzid", zone.key)
    first = _observance(zone, start)
    begins = Onset(local=start.replace(tzinfo=None) + first.offset, offset_from=first.offset)
    definition.add_component(_component(first, [begins]))
    changes = defaultdict(list)
    for instant in _changes(zone, start, datetime(year + YEARS, 1, 1, tzinfo=UTC)):
        before = _observance(zone, instant - _SECOND).offset
        local = instant.replace(tzinfo=None) + before
        changes[_observance(zone, instant), before].append(Onset(local=local, offset_from=before))
    for (observance, _), onsets in changes.items():
        definition.add_component(_component(observance, onsets))
    return definition


def _observance(zone: ZoneInfo, instant: datetime) -> Observance:
    local = instant.astimezone(zone)
    offset = local.utcoffset()
    assert offset is not None, "the zone tells it"
    return Observance(name=local.tzname() or "", offset=offset, is_daylight=bool(local.dst()))


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the instants at which the clock changes."""
    before = start
    while before < end:
        after = before + _STEP
        if _observance(zone, before) != _observance(zone, after):
            yield _change_between(zone, before, after)
        before = after


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second of what is observed after it."""
    old = _observance(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        if _observance(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _component(
    observance: Observance, onsets: Sequence[Onset]
) -> TimezoneStandard | TimezoneDaylight:
    component = TimezoneDaylight() if observance.is_daylight else TimezoneStandard()
    first, *others = onsets
    component.add("dtstart", first.local)
    component.add("tzoffsetfrom", first.offset_from)
    component.add("tzoffsetto", observance.offset)
    component.add("tzname", observance.name)
    rule = _rule(onsets)
    if rule:
        component.add("rrule", rule)
    elif others:
        component.add("rdate", [onset.local for onset in others])
    return component


def _rule(onsets: Sequence[Onset]) -> dict[str, str | int] | None:
    """Return the rule by which it changes every year; None: by none that can be told so."""
    years = [onset.local.year for onset in onsets]
    if len(onsets) < YEARS or years != list(range(years[0], years[0] + len(years))):
        return None
    first = onsets[0].local
    alike = {(each.local.month, each.local.weekday(), each.local.time()) for each in onsets}
    if len(alike) > 1:
        return None
    days = _WEEKDAYS[first.weekday()]
    if all((each.local + timedelta(days=7)).month != first.month for each in onsets):
        return {"freq": "YEARLY", "bymonth": first.month, "byday": f"-1{days}"}
    weeks = {(each.local.day - 1) // 7 + 1 for each in onsets}
    if len(weeks) > 1:
        return None
    return {"freq": "YEARLY", "bymonth": first.month, "byday": f"{weeks.pop()}{days}"}
