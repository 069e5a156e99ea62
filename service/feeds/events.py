"""Events of an iCalendar file as values: when they begin, how long they last, what repeats them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from service.feeds.content_lines import BadFeed, Component, Property
from service.feeds.recurrence import Rule, read_rule
from service.feeds.values import Duration, Kind, read_duration, read_wall_time
from service.feeds.zones import Zones

_ONE_DAY = Duration(days=1, exact=timedelta())
_NO_TIME = Duration(days=0, exact=timedelta())
_SEQUENCE = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A start or an end: what the wall shows, where the wall is, and the instant that it means."""

    line: int
    wall: datetime
    zone: tzinfo
    instant: datetime
    is_day: bool
    is_floating: bool

    def at(self, wall: datetime) -> "Moment":
        return moment(self.line, wall, self.zone, is_day=self.is_day, is_floating=self.is_floating)

    def moved(self, by: timedelta) -> "Moment":
        try:
            return self.at(self.wall + by)
        except OverflowError:
            raise BadFeed("the time is outside all years", self.line) from None

    def after(self, duration: Duration) -> datetime:
        """The instant that lies a duration later."""
        day = self.moved(timedelta(days=duration.days)) if duration.days else self
        try:
            return day.instant + duration.exact
        except OverflowError:
            raise BadFeed("the end is outside all years", self.line) from None


def moment(line: int, wall: datetime, zone: tzinfo, *, is_day: bool, is_floating: bool) -> Moment:
    try:
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadFeed("the time is outside all years", line) from None
    return Moment(
        line=line,
        wall=wall,
        zone=zone,
        instant=instant,
        is_day=is_day,
        is_floating=is_floating,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    line: int
    uid: str
    sequence: int
    is_busy: bool
    start: Moment
    length: Duration
    replaces: Moment | None
    replaces_all_later: bool
    rules: list[Rule]
    except_rules: list[Rule]
    extra: list[tuple[Moment, Duration | None]]
    excepted: list[Moment]

    def name_of(self, moment: Moment) -> date:
        """How an EXDATE or RECURRENCE-ID names a start of this series.

        Both are often of another kind than DTSTART, and are then compared by what they do say.
        """
        if moment.is_day or self.start.is_day:
            return moment.wall.date()
        return moment.wall if moment.is_floating else moment.instant

    def names_of(self, start: Moment) -> set[date]:
        """All that may name this start of the series."""
        return {start.wall.date(), start.wall, start.instant}

    def as_start(self, moment: Moment) -> Moment:
        """A date given for this series, as a start of it: a bare day means DTSTART's time of it."""
        if self.start.is_day or moment.is_day:
            return self.start.at(datetime.combine(moment.wall, self.start.wall.time()))
        return moment


class EventReader:
    """Reads the dates of one calendar in its zones; zone is for the days and floating times."""

    def __init__(self, *, zone: tzinfo, zones: Zones) -> None:
        self._zone = zone
        self._zones = zones

    def event(self, component: Component, *, is_cancelled: bool) -> Event | None:
        """The event; None where a cancellation names no time at all, which frees nothing."""
        is_cancelled = is_cancelled or component.text("STATUS") == "CANCELLED"
        replaces, uid = component.one("RECURRENCE-ID"), component.one("UID")
        found = component.one("DTSTART") or (replaces if is_cancelled else None)
        if found is None:
            if is_cancelled:
                return None
            raise BadFeed("VEVENT has no DTSTART", component.line)
        start = self.moment(found, found.value)
        return Event(
            line=component.line,
            uid="" if uid is None else uid.value,
            sequence=_sequence(component),
            is_busy=not is_cancelled and _takes_time(component),
            start=start,
            length=self._length(component, start),
            replaces=None if replaces is None else self.moment(replaces, replaces.value),
            replaces_all_later=replaces is not None
            and replaces.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
            rules=[read_rule(rule) for rule in component.all("RRULE")],
            except_rules=[read_rule(rule) for rule in component.all("EXRULE")],
            extra=[
                self._extra(extra, text)
                for extra in component.all("RDATE")
                for text in _list(extra)
            ],
            excepted=[
                self.moment(excepted, text)
                for excepted in component.all("EXDATE")
                for text in _list(excepted)
            ],
        )

    def moment(self, found: Property, text: str) -> Moment:
        read = read_wall_time(text, found.line)
        zone, name = self._zone, found.parameters.get("TZID", "")
        if read.kind is Kind.UTC:
            zone = UTC
        elif read.kind is Kind.FLOATING and name:
            zone = self._zones.named(name, found.line)
        return moment(
            found.line,
            read.at,
            zone,
            is_day=read.kind is Kind.DATE,
            is_floating=read.kind is Kind.FLOATING and not name,
        )

    def period(self, found: Property, text: str) -> tuple[Moment, Duration]:
        begin, slash, end = text.partition("/")
        if not slash:
            raise BadFeed(f"{text[:40]!r} is no period", found.line)
        start = self.moment(found, begin)
        if end.strip()[:1].upper() in ("P", "+", "-"):
            length = read_duration(end, found.line)
        else:
            length = _between(start, self.moment(found, end))
        return start, _not_negative(length, start, found)

    def _extra(self, found: Property, text: str) -> tuple[Moment, Duration | None]:
        return self.period(found, text) if "/" in text else (self.moment(found, text), None)

    def _length(self, component: Component, start: Moment) -> Duration:
        end, duration = component.one("DTEND"), component.one("DURATION")
        if end is not None:
            length = _between(start, self.moment(end, end.value))
            # An event of one day is often written to end on the day it begins.
            length = _ONE_DAY if start.is_day and length == _NO_TIME else length
            return _not_negative(length, start, end)
        if duration is not None:
            return _not_negative(read_duration(duration.value, duration.line), start, duration)
        return _ONE_DAY if start.is_day else _NO_TIME


def _between(start: Moment, end: Moment) -> Duration:
    """Days are counted, and times are measured.

    RFC 5545 section 3.8.5.3: what repeats with a DTEND lasts equally long on every day, also on
    the one on which clocks change.
    """
    if start.is_day and end.is_day:
        return Duration(days=(end.wall - start.wall).days, exact=timedelta())
    exact = end.instant - start.instant
    if start.zone is end.zone and start.wall <= end.wall:
        # A start that a change of clocks skips may be read later than the end it was given.
        exact = max(exact, timedelta())
    return Duration(days=0, exact=exact)


def _not_negative(length: Duration, start: Moment, found: Property) -> Duration:
    try:
        end = start.after(length)
    except BadFeed as refused:
        raise BadFeed(refused.reason, found.line) from None
    if end < start.instant:
        raise BadFeed("the end is before the start", found.line)
    return length


def _list(found: Property) -> list[str]:
    return [text for text in found.value.split(",") if text.strip()]


def _sequence(component: Component) -> int:
    found = component.one("SEQUENCE")
    if found is None or not found.value:
        return 0
    if not _SEQUENCE.fullmatch(found.value):
        raise BadFeed("SEQUENCE is no number", found.line)
    return int(found.value)


def _takes_time(component: Component) -> bool:
    return (
        component.text("TRANSP") != "TRANSPARENT"
        and component.text("X-MICROSOFT-CDO-BUSYSTATUS") != "FREE"
    )
