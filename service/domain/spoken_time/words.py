"""Windows in English words, as they are told back to the person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from service.domain.civil_time import ONE_DAY, civil_day, day_start, wall_clock
from service.domain.interval import Interval
from service.domain.spoken_time.dates import MONTHS, WEEKDAYS
from service.domain.spoken_time.pieces import Pick, in_order

RUNS_TOLD_MAX = 4
GROUPS_TOLD_MAX = 6
_MOMENT = timedelta(microseconds=1)
_OPENINGS = {Pick.FIRST: "The first free time: ", Pick.LAST: "The last free time: "}


class _Told(NamedTuple):
    days: tuple[date, ...]
    hours: str


def words_of(spans: Sequence[Interval], pick: Pick, zone: str) -> str:
    """Say when it is: weekday, date, hours, zone and offset."""
    groups = _grouped([_told(span, pick, zone) for span in spans])
    told = [_group_words(group) for group in groups[:GROUPS_TOLD_MAX]]
    if len(groups) > GROUPS_TOLD_MAX:
        last = max(day for group in groups for day in group.days)
        told.append(f"and so on until {_day(last)}")
    return f"{_OPENINGS.get(pick, '')}{'; '.join(told)} ({zone}, {_offsets(spans, pick, zone)})"


def _told(span: Interval, pick: Pick, zone: str) -> _Told:
    first = civil_day(zone, span.start)
    last = civil_day(zone, span.end - _MOMENT)
    start, end = _clock(zone, span.start), _clock(zone, span.end)
    is_from_midnight = span.start == day_start(zone, first)
    is_to_midnight = span.end == day_start(zone, last + ONE_DAY)
    if pick is Pick.AT:
        return _Told((first,), f" at {start}")
    if is_from_midnight and is_to_midnight:
        days = tuple(first + number * ONE_DAY for number in range((last - first).days + 1))
        return _Told(days, ", all day")
    if first != last:
        stop = f"the end of {_day(last)}" if is_to_midnight else f"{_day(last)}, {end}"
        return _Told((first,), f", {start}, to {stop}")
    if is_to_midnight:
        return _Told((first,), f", from {start} on")
    return _Told((first,), f", before {end}" if is_from_midnight else f", {start} to {end}")


def _grouped(told: Iterable[_Told]) -> list[_Told]:
    """Put days with the same hours together, and then starts on the same days."""
    by_hours: dict[str, list[date]] = {}
    for each in told:
        by_hours.setdefault(each.hours, []).extend(each.days)
    by_days: dict[tuple[date, ...], list[str]] = {}
    for hours, days in by_hours.items():
        by_days.setdefault(tuple(days), []).append(hours)
    return [_Told(days, _either(hours)) for days, hours in by_days.items()]


def _either(hours: Sequence[str]) -> str:
    first, *others = hours
    return " or ".join([first, *(each.removeprefix(",").strip() for each in others)])


def _group_words(group: _Told) -> str:
    runs = [(first, after - ONE_DAY) for first, after in in_order(group.days)]
    told = [_run(first, last) for first, last in runs[:RUNS_TOLD_MAX]]
    if len(runs) > RUNS_TOLD_MAX:
        told.append(f"and so on until {_day(runs[-1][1])}")
    every = ", each day" if len(group.days) > 1 and group.hours != ", all day" else ""
    return f"{', '.join(told)}{every}{group.hours}"


def _run(first: date, last: date) -> str:
    return _day(first) if first == last else f"{_day(first)} to {_day(last)}"


def _day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def _clock(zone: str, instant: datetime) -> str:
    return f"{wall_clock(zone, instant):%H:%M}"


def _offsets(spans: Sequence[Interval], pick: Pick, zone: str) -> str:
    """Return the offset, or those before and after a change of clocks."""
    told: list[str] = []
    for span in spans:
        # Of a start that is meant, its window says nothing.
        for instant in (span.start,) if pick is Pick.AT else (span.start, span.end - _MOMENT):
            offset = _offset(zone, instant)
            if offset not in told[-1:]:
                told.append(offset)
    return ", then ".join(told[:3])


def _offset(zone: str, instant: datetime) -> str:
    ahead = wall_clock(zone, instant) - instant.astimezone(UTC).replace(tzinfo=None)
    minutes = round(abs(ahead) / timedelta(minutes=1))
    return f"UTC{'-' if ahead < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
