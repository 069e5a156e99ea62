"""The business that a trace is played at: its units, their hours, and how many they see at a time.

A unit is a public health clinic: visits of 15 minutes, from 07:00 to 12:00 and from 13:00 to 18:00,
small units in the morning only. As many visits go on side by side as it takes to serve nine days
out of ten in full; on the tenth, someone has to come another day.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loadtest.replay.trace import Request
from slotcast import (
    AppointmentType,
    Business,
    Calendar,
    Client,
    Schedule,
    WallInterval,
    Weekday,
)

ZONE_NAME = "America/Sao_Paulo"
ZONE = ZoneInfo(ZONE_NAME)
VISIT = timedelta(minutes=15)
HOLD_SECONDS = 120
DAYS_SERVED_IN_FULL = 0.9
SLUG_LENGTH_MAX = 40
_LETTERS_OR_DIGITS = re.compile(r"[a-z0-9]+")


class Opening(NamedTuple):
    """Opening hours, the same on every day on which a unit is open."""

    name: str
    intervals: tuple[tuple[str, str], ...]

    @property
    def slots(self) -> int:
        """How many visits fit into a day, one after the other."""
        spans = ((_minutes(end) - _minutes(start)) for start, end in self.intervals)
        return sum(span // (VISIT // timedelta(minutes=1)) for span in spans)


MORNING = Opening("morning", (("07:00", "12:00"),))
ALL_DAY = Opening("all-day", (("07:00", "12:00"), ("13:00", "18:00")))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A clinic: one calendar and one appointment type, both called by its slug."""

    slug: str
    display_name: str
    requests: int
    opening: Opening
    capacity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Town:
    """All units by the name that the trace has for them, and the days that are asked for."""

    business: str
    units: dict[str, Unit]
    weekdays: frozenset[Weekday]
    first_date: date
    last_date: date

    def busiest(self, count: int) -> list[Unit]:
        """Return so many units, the one that was asked for most first."""
        units = sorted(self.units.values(), key=lambda unit: (-unit.requests, unit.slug))
        return units[:count]

    def starts(self, unit: Unit, first: date, last: date) -> Iterator[datetime]:
        """Every start that a unit offers from one civil day to another, both included."""
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            if Weekday(day.isoweekday()) in self.weekdays:
                for opening in unit.opening.intervals:
                    yield from _starts_within(day, *opening)


def plan_town(requests: Sequence[Request], business: str) -> Town:
    """Plan units that serve what a trace asks of them on most days, and not on all."""
    demand: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for request in requests:
        demand[request.unit][request.appointment_date] += 1
    slugs = unique_slugs(sorted(demand))
    return Town(
        business=business,
        units={name: _plan_unit(name, slugs[name], days) for name, days in demand.items()},
        weekdays=frozenset(Weekday(item.appointment_date.isoweekday()) for item in requests),
        first_date=min(request.appointment_date for request in requests),
        last_date=max(request.appointment_date for request in requests),
    )


def unique_slugs(names: Iterable[str]) -> dict[str, str]:
    """Return an id for each name: without accents, and no two the same."""
    slugs: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = _slug(name)
        slug, number = stem, 1
        while slug in taken:
            number += 1
            ending = f"-{number}"
            slug = stem[: SLUG_LENGTH_MAX - len(ending)].rstrip("-") + ending
        taken.add(slug)
        slugs[name] = slug
    return slugs


async def build_town(client: Client, town: Town, today: date) -> None:
    """Make the business and all its units on a server."""
    await client.create_business(Business(name=town.business, display_name="Replay of a trace"))
    for opening in (MORNING, ALL_DAY):
        hours = tuple(WallInterval(start=start, end=end) for start, end in opening.intervals)
        await client.create_schedule(
            Schedule(
                name=opening.name,
                display_name=opening.name.capitalize(),
                weekly=dict.fromkeys(sorted(town.weekdays), hours),
            )
        )
    horizon = timedelta(days=(town.last_date - today).days + 14)
    for unit in town.units.values():
        await _build_unit(client, unit, horizon)


async def _build_unit(client: Client, unit: Unit, horizon: timedelta) -> None:
    await client.create_calendar(
        Calendar(
            name=unit.slug,
            display_name=unit.display_name,
            time_zone=ZONE_NAME,
            schedule=unit.opening.name,
        )
    )
    await client.create_appointment_type(
        AppointmentType(
            name=unit.slug,
            display_name=f"Visit at {unit.display_name}",
            durations=(VISIT,),
            any_of=(unit.slug,),
            capacity=unit.capacity,
            horizon=horizon,
            hold_duration=timedelta(seconds=HOLD_SECONDS),
        )
    )


def midnight(day: date) -> datetime:
    """Return the first instant of a civil day in the town, in UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def _plan_unit(name: str, slug: str, demand: Counter[date]) -> Unit:
    by_size = sorted(demand.values())
    typical_most = by_size[math.ceil(DAYS_SERVED_IN_FULL * len(by_size)) - 1]
    opening = MORNING if typical_most <= MORNING.slots else ALL_DAY
    return Unit(
        slug=slug,
        display_name=name.title(),
        requests=demand.total(),
        opening=opening,
        capacity=math.ceil(typical_most / opening.slots),
    )


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(_LETTERS_OR_DIGITS.findall(plain))
    return slug[:SLUG_LENGTH_MAX].rstrip("-") or "unit"


def _starts_within(day: date, opens: str, closes: str) -> Iterator[datetime]:
    start = datetime.combine(day, time.fromisoformat(opens), ZONE).astimezone(UTC)
    end = datetime.combine(day, time.fromisoformat(closes), ZONE).astimezone(UTC)
    while start + VISIT <= end:
        yield start
        start += VISIT


def _minutes(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)
