"""The time zones that an iCalendar file names, and those that it defines."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from service.feeds.content_lines import BadFeed, Component, Property
from service.feeds.recurrence import Allowance, last_wall_time, read_rule, wall_times
from service.feeds.values import read_utc_offset, read_wall_time, shifted

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}")
_ESCAPED = re.compile(r"\\([\\;,])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    utc: datetime
    before: timedelta
    after: timedelta


class FileZone(tzinfo):
    """A zone as its file's VTIMEZONE defines it.

    A wall time that a change skips is read with the offset before the change, and one that occurs
    twice is its first: what RFC 5545 section 3.3.5 says, and what fold=0 means to zoneinfo.
    """

    def __init__(self, name: str, transitions: list[Transition]) -> None:
        self._name = name
        self._transitions = sorted(transitions, key=lambda transition: transition.utc)
        self._utc = [transition.utc for transition in self._transitions]
        self._first_wall = [
            change.utc + max(change.before, change.after) for change in self._transitions
        ]
        self._second_wall = [
            change.utc + min(change.before, change.after) for change in self._transitions
        ]

    def _offset_after(self, count: int) -> timedelta:
        if count == 0:
            return self._transitions[0].before
        return self._transitions[count - 1].after

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        if at is None:
            return None
        walls = self._second_wall if at.fold else self._first_wall
        return self._offset_after(bisect_right(walls, at.replace(tzinfo=None)))

    def fromutc(self, at: datetime) -> datetime:
        utc = at.replace(tzinfo=None)
        offset = self._offset_after(bisect_right(self._utc, utc))
        wall = at + offset
        return wall if self.utcoffset(wall) == offset else wall.replace(fold=1)

    def dst(self, _at: datetime | None) -> None:
        return None

    def tzname(self, _at: datetime | None) -> str:
        return self._name


class Zones:
    """The zones of one calendar of a file; nothing of them is remembered for the next file.

    A name of the kind Area/City means the IANA zone, also where the file defines it: exporters cut
    their definitions short. For any other name the file's definition comes first, then what IANA
    or Windows calls so.
    """

    def __init__(self, calendar: Component, *, latest: datetime, allowance: Allowance) -> None:
        self._latest = latest
        self._allowance = allowance
        self._definitions: dict[str, Component] = {}
        for component in calendar.children:
            name = component.one("TZID") if component.name == "VTIMEZONE" else None
            if name is not None:
                key = _ESCAPED.sub(r"\1", name.value)
                self._definitions.setdefault(key, component)
        self._found: dict[str, tzinfo] = {}

    def named(self, name: str, line: int) -> tzinfo:
        if name not in self._found:
            self._found[name] = self._look_up(name, line)
        return self._found[name]

    def _look_up(self, name: str, line: int) -> tzinfo:
        if "/" in name and (zone := _iana(name)):
            return zone
        if name in self._definitions:
            return self._defined(name, self._definitions[name])
        for other in (name, WINDOWS_TO_OLSON.get(name, ""), *_without_vendor(name)):
            if zone := _iana(other):
                return zone
        raise BadFeed(f"the time zone {name[:80]!r} is neither known nor defined here", line)

    def _defined(self, name: str, definition: Component) -> FileZone:
        transitions: list[Transition] = []
        for observance in definition.children:
            transitions.extend(self._transitions(observance))
        if not transitions:
            raise BadFeed("the time zone has neither STANDARD nor DAYLIGHT", definition.line)
        return FileZone(name, transitions)

    def _transitions(self, observance: Component) -> Iterator[Transition]:
        before = _offset(observance, "TZOFFSETFROM")
        after = _offset(observance, "TZOFFSETTO")
        for wall, line in self._onsets(observance, before):
            try:
                yield Transition(utc=wall - before, before=before, after=after)
            except OverflowError:
                raise BadFeed("the time zone changes outside all years", line) from None

    def _onsets(self, observance: Component, before: timedelta) -> Iterator[tuple[datetime, int]]:
        start = _required(observance, "DTSTART")
        first = read_wall_time(start.value, start.line).at
        yield first, start.line
        for found in observance.all("RDATE"):
            for text in filter(None, found.value.split(",")):
                yield read_wall_time(text.split("/")[0], found.line).at, found.line
        for found in observance.all("RRULE"):
            rule = read_rule(found)
            latest = last_wall_time(
                rule,
                self._latest,
                whole_days=False,
                wall_of_utc=lambda utc: shifted(utc, before),
            )
            for wall in wall_times(
                rule, first, earliest=first, latest=latest, allowance=self._allowance
            ):
                yield wall, found.line


def _required(component: Component, name: str) -> Property:
    found = component.one(name)
    if found is None:
        raise BadFeed(f"{component.name} has no {name}", component.line)
    return found


def _offset(observance: Component, name: str) -> timedelta:
    found = _required(observance, name)
    return read_utc_offset(found.value, found.line)


def _without_vendor(name: str) -> Iterator[str]:
    """The ends of /vendor.example/2024/Area/City, the longest first (RFC 5545 section 3.2.19)."""
    if name.startswith("/"):
        pieces = name.strip("/").split("/", 8)
        for begin in range(1, len(pieces)):
            yield "/".join(pieces[begin:])


def _iana(name: str) -> ZoneInfo | None:
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
