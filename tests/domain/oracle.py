"""A second evaluator, slow and simple, to judge the first by.

It knows no intervals and converts no wall times. It walks over the minutes of UTC, reads a wall
clock at each of them, and asks every rule anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import accumulate
from zoneinfo import ZoneInfo

from service.domain.catalog import AppointmentType, Catalog, Closure, Schedule
from service.domain.claim import Claim, ClaimKind
from service.domain.slot import Slot, SlotKey

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@cache
def zone_info(name: str) -> ZoneInfo:
    """The rules of a zone, of the edition that the service comes with."""
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


class WallClock:
    """What the clock of a zone shows at each tick from one instant to another."""

    def __init__(self, zone: str, start: datetime, end: datetime, tick: timedelta = MINUTE) -> None:
        tz = zone_info(zone)
        self.tick = tick
        count = (end - start) // tick
        self.instants = [start + number * tick for number in range(count)]
        self.shown = [instant.astimezone(tz).replace(tzinfo=None) for instant in self.instants]
        # The latest time shown so far never goes back, so it can be searched.
        self.latest = list(accumulate(self.shown, max))

    def first_showing(self, wall: datetime) -> int:
        """The number of the first tick at which the clock shows this or later."""
        return bisect_left(self.latest, wall)

    def repeats(self, number: int) -> bool:
        """Whether the clock has shown what it shows before."""
        return number > 0 and self.shown[number] <= self.latest[number - 1]

    def day(self, number: int) -> date:
        """The civil day: that of the latest time shown."""
        return self.latest[number].date()


def open_ticks(schedule: Schedule, clock: WallClock) -> list[bool]:
    """Which ticks lie within opening hours."""
    is_open = [False] * len(clock.instants)
    day, last = clock.shown[0].date() - DAY, clock.shown[-1].date()
    while day <= last:
        midnight = datetime.combine(day, time())
        hours = schedule.exceptions.get(day, schedule.weekly.get(day.weekday(), ()))
        for interval in hours:
            first = clock.first_showing(midnight + interval.start_minute * MINUTE)
            end = clock.first_showing(midnight + interval.end_minute * MINUTE)
            is_open[first:end] = [True] * (end - first)
        day += DAY
    return is_open


def grid(is_open: list[bool], clock: WallClock, step: timedelta) -> Iterator[int]:
    """The numbers of the ticks at which the grid has a start."""
    ticks = step // clock.tick
    since_opening = 0
    for number, open_now in enumerate(is_open):
        if not open_now:
            since_opening = 0
            continue
        if since_opening % ticks == 0 and not clock.repeats(number):
            yield number
        since_opening += 1


def lasts(is_open: list[bool], number: int, ticks: int) -> bool:
    """Whether it stays open for so many ticks."""
    return all(is_open[number : number + ticks]) and number + ticks <= len(is_open)


class Oracle:
    """Which slots of a catalogue are open, where all its times are whole ticks."""

    def __init__(
        self, catalog: Catalog, claims: Iterable[Claim], start: datetime, tick: timedelta
    ) -> None:
        self.catalog = catalog
        self.claims = list(claims)
        self.clocks: dict[str, WallClock] = {}
        self.open: dict[str, list[bool]] = {}
        for calendar in catalog.calendars.values():
            clock = WallClock(calendar.zone, start - 8 * DAY, start + 5 * DAY, tick)
            schedule = catalog.schedules[calendar.schedule_id]
            self.clocks[calendar.calendar_id] = clock
            self.open[calendar.calendar_id] = open_ticks(schedule, clock)

    def slots(
        self,
        type_: AppointmentType,
        primary: str,
        window: tuple[datetime, datetime],
        duration: timedelta,
        now: datetime,
        own: str | None,
    ) -> Iterator[Slot]:
        clock = self.clocks[primary]
        for number in grid(self.open[primary], clock, type_.slot_step):
            start = clock.instants[number]
            if not window[0] <= start < window[1]:
                continue
            if not now + type_.minimum_notice <= start <= now + type_.horizon:
                continue
            calendar_ids = {primary, *type_.all_of}
            if not all(self.is_open(each, number, start, duration) for each in calendar_ids):
                continue
            left = self.seats_left(type_, calendar_ids, start, duration, now, own)
            if left > 0 and self.is_under_caps(type_, primary, number, duration, now, own):
                yield Slot(
                    SlotKey(start, type_.type_id, primary, start + duration),
                    left,
                )

    def is_open(self, calendar_id: str, number: int, start: datetime, duration: timedelta) -> bool:
        clock = self.clocks[calendar_id]
        ticks = duration // clock.tick
        return lasts(self.open[calendar_id], number, ticks) and not any(
            self.is_closed_at(closure, calendar_id, each)
            for closure in self.catalog.closures.values()
            if not closure.calendar_ids or calendar_id in closure.calendar_ids
            for each in range(number, number + ticks)
        )

    def is_closed_at(self, closure: Closure, calendar_id: str, number: int) -> bool:
        clock = self.clocks[calendar_id]
        if closure.interval is not None:
            return closure.interval.start <= clock.instants[number] < closure.interval.end
        first, last = closure.first_date, closure.last_date
        return first is not None and last is not None and first <= clock.day(number) <= last

    def counting(self, now: datetime, own: str | None) -> Iterator[Claim]:
        for claim in self.claims:
            has_expired = claim.expires_at is not None and now >= claim.expires_at
            is_own = claim.kind is ClaimKind.HOLD and own is not None and claim.holder_key == own
            if not has_expired and not is_own:
                yield claim

    def seats_left(
        self,
        type_: AppointmentType,
        calendar_ids: set[str],
        start: datetime,
        duration: timedelta,
        now: datetime,
        own: str | None,
    ) -> int:
        begin, end = start - type_.buffer_before, start + duration + type_.buffer_after
        seats = set()
        for claim in self.counting(now, own):
            if claim.calendar_id in calendar_ids and claim.start < end and begin < claim.end:
                shares = (
                    type_.capacity > 1
                    and claim.seat is not None
                    and claim.type_id == type_.type_id
                    and claim.appointment is not None
                    and (claim.appointment.start, claim.appointment.end)
                    == (start, start + duration)
                )
                if not shares:
                    return 0
                seats.add(claim.seat)
        return type_.capacity - len(seats)

    def is_under_caps(
        self,
        type_: AppointmentType,
        primary: str,
        number: int,
        duration: timedelta,
        now: datetime,
        own: str | None,
    ) -> bool:
        clock = self.clocks[primary]
        start, day = clock.instants[number], clock.day(number)
        others = {
            (claim.appointment.start, claim.appointment.end)
            for claim in self.counting(now, own)
            if claim.calendar_id == primary
            and claim.type_id == type_.type_id
            and claim.appointment is not None
        } - {(start, start + duration)}
        days = [clock.day((begin - clock.instants[0]) // clock.tick) for begin, _ in others]
        same_day = sum(each == day for each in days)
        same_week = sum(each.isocalendar()[:2] == day.isocalendar()[:2] for each in days)
        return (type_.day_cap is None or same_day < type_.day_cap) and (
            type_.week_cap is None or same_week < type_.week_cap
        )


@cache
def transitions(zone: str, first_year: int, last_year: int) -> list[datetime]:
    """The instants at which a zone's clocks change, to the second."""
    tz = zone_info(zone)

    def offset(instant: datetime) -> timedelta | None:
        return instant.astimezone(tz).utcoffset()

    found = []
    # No zone changes its clocks twice in a week.
    week, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    while week < end:
        if offset(week) != offset(week + 7 * DAY):
            low, high = week, week + 7 * DAY
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
        week += 7 * DAY
    return found
