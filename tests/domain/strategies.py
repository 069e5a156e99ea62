"""Random businesses: catalogues, claims and questions, all on whole ticks of five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from service.domain.availability import Offer
from service.domain.catalog import AppointmentType, Catalog, WallInterval
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval
from tests.builders import (
    a_calendar,
    a_catalog,
    a_claim,
    a_closure,
    a_schedule,
    a_type,
    an_offer,
    minutes,
)

TICK = minutes(5)
DAY = timedelta(days=1)

QUICK = settings(max_examples=100, deadline=None, database=None)
SLOW = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For properties that look at every tick of some days."""

CALENDARS = ("anna", "ben", "room")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "America/Nuuk",
)
DAYS = (date(2030, 6, 4), date(2030, 3, 31), date(2030, 10, 27), date(2030, 4, 7), date(2030, 9, 8))
"""A plain day, and days on which some of the zones change their clocks."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An offer, and who asks for what of it."""

    offer: Offer
    claims: list[Claim]
    window: Interval
    now: datetime
    holder_key: str | None

    @property
    def catalog(self) -> Catalog:
        """The catalogue of the offer."""
        return self.offer.catalog

    def pairs(self) -> list[tuple[AppointmentType, str]]:
        """Each type with each calendar that its slots are shown on."""
        return [
            (type_, calendar_id)
            for type_ in self.catalog.types.values()
            for calendar_id in type_.primary_calendar_ids
        ]

    def ticks(self) -> list[datetime]:
        """All instants of the window that a start may be at."""
        number = (self.window.end - self.window.start) // TICK
        return [self.window.start + each * TICK for each in range(number)]


def ticks(first, last):
    """Return a strategy for times of so many ticks."""
    return st.integers(first, last).map(lambda number: number * TICK)


@st.composite
def wall_intervals(draw):
    start = draw(st.one_of(st.integers(60, 160), st.integers(0, 287)))
    length = draw(st.one_of(st.integers(24, 160), st.integers(1, 288)))
    return WallInterval(start_minute=start * 5, end_minute=(start + length) * 5)


INTERVALS = st.lists(wall_intervals(), min_size=1, max_size=2).map(tuple)


@st.composite
def schedules(draw, schedule_id, day):
    weekly = {
        weekday: draw(INTERVALS)
        for weekday in range(7)
        # One day of the week stays closed: what never closes has tests of its own.
        if weekday != (day.weekday() + 3) % 7
    }
    exceptions = draw(st.dictionaries(days_near(day), INTERVALS | st.just(()), max_size=2))
    return a_schedule(schedule_id=schedule_id, weekly=weekly, exceptions=exceptions)


def days_near(day):
    return st.integers(-1, 2).map(lambda number: day + number * DAY)


@st.composite
def types(draw, type_id):
    any_of = draw(st.lists(st.sampled_from(CALENDARS), unique=True, max_size=2))
    all_of = draw(st.lists(st.sampled_from(CALENDARS), unique=True, max_size=1 + (not any_of)))
    duration = draw(ticks(1, 12))
    return a_type(
        type_id,
        durations=(duration, duration + TICK),
        slot_step=draw(st.one_of(st.just(duration), ticks(1, 24))),
        any_of=tuple(any_of) if any_of or all_of else ("anna",),
        all_of=tuple(all_of),
        buffer_before=draw(st.one_of(st.just(timedelta()), ticks(0, 9))),
        buffer_after=draw(st.one_of(st.just(timedelta()), ticks(0, 9))),
        minimum_notice=draw(st.sampled_from([timedelta(), timedelta(), minutes(45), minutes(600)])),
        horizon=draw(st.sampled_from([60 * DAY, 60 * DAY, 2 * DAY, minutes(1000)])),
        capacity=draw(st.sampled_from([1, 3, 2])),
        day_cap=draw(st.sampled_from([None, None, 1, 2])),
        week_cap=draw(st.sampled_from([None, None, 1, 3])),
    )


@st.composite
def closures(draw, closure_id, day):
    calendar_ids = frozenset(draw(st.lists(st.sampled_from(CALENDARS), max_size=2)))
    if draw(st.booleans()):
        first = draw(days_near(day))
        dates = {"first_date": first, "last_date": first + draw(st.integers(0, 1)) * DAY}
        return a_closure(closure_id, calendar_ids=calendar_ids, **dates)
    start = datetime.combine(day, time(), UTC) + draw(ticks(0, 500))
    interval = Interval(start, start + draw(ticks(1, 100)))
    return a_closure(closure_id, calendar_ids=calendar_ids, interval=interval)


@st.composite
def catalogs(draw, day):
    return a_catalog(
        types=[draw(types(type_id)) for type_id in ("visit", "class")],
        calendars=[
            a_calendar(each, zone=draw(st.sampled_from(ZONES)), schedule_id=draw(SCHEDULE_IDS))
            for each in CALENDARS
        ],
        schedules=[draw(schedules(each, day)) for each in ("office", "night")],
        closures=[
            draw(closures(f"closure-{number}", day))
            for number in range(draw(st.sampled_from([0, 0, 1, 2])))
        ],
    )


SCHEDULE_IDS = st.sampled_from(["office", "office", "night"])


@st.composite
def stray_claims(draw, day, now):
    """Claims at any time, as imported, or as left behind by another catalogue."""
    start = datetime.combine(day, time(), UTC) + draw(ticks(-100, 700))
    end = start + draw(ticks(1, 40))
    calendar_id = draw(st.sampled_from(CALENDARS))
    kind = draw(st.sampled_from(list(ClaimKind)))
    if kind is ClaimKind.BUSY:
        return a_claim(start, end, kind=kind, calendar_id=calendar_id)
    type_id = draw(st.sampled_from(["visit", "class"]))
    hold = draw(holds(now)) if kind is ClaimKind.HOLD else {}
    return a_claim(start, end, calendar_id=calendar_id, kind=kind, type_id=type_id, **hold)


def holds(now):
    """What a hold has: whose it is, and when it expires, which may be at this instant."""
    return st.fixed_dictionaries(
        {
            "holder_key": st.sampled_from(["me", "me", "you"]),
            "expires_at": st.sampled_from([30, 1, 0, -2]).map(lambda n: now + minutes(n)),
        }
    )


def claims_of_slot(
    offer: Offer, type_id: str, calendar_id: str, appointment: Interval, **changes: object
) -> list[Claim]:
    """Return the claims that a booking of a slot has, on all its calendars."""
    type_ = offer.catalog.types[type_id]
    owner_id = str(UUID(int=next(_owners)))
    return [
        a_claim(
            appointment.start - type_.buffer_before,
            appointment.end + type_.buffer_after,
            calendar_id=each,
            type_id=type_id,
            appointment=appointment,
            **{"owner_id": owner_id, **changes},
        )
        for each in type_.calendar_ids_for(calendar_id)
    ]


_owners = count(1)


@st.composite
def grid_claims(draw, offer, type_, calendar_id, day, now):
    """Claims on starts that the grid has, so that groups, caps and neighbours meet."""
    starts = offer.hours.starts(type_.type_id, calendar_id, type_.durations[0], day)
    if not starts:
        return []
    start = draw(st.sampled_from(starts))
    found = []
    for seat in (
        draw(st.sets(st.integers(0, 3), min_size=1, max_size=2)) if type_.capacity > 1 else [None]
    ):
        hold = {"kind": ClaimKind.HOLD, **draw(holds(now))} if draw(st.booleans()) else {}
        appointment = Interval(start, start + type_.durations[0])
        found += claims_of_slot(offer, type_.type_id, calendar_id, appointment, seat=seat, **hold)
    return found


@st.composite
def cases(draw):
    """Return a strategy for businesses with claims, and a question of two days."""
    day = draw(st.sampled_from(DAYS))
    catalog = draw(catalogs(day))
    offer = an_offer(catalog)
    start = datetime.combine(day, time(), UTC) + draw(ticks(-36, 36))
    now = start + draw(st.sampled_from([timedelta(hours=-30), timedelta(), timedelta(hours=9)]))
    found = draw(st.lists(stray_claims(day, now), max_size=3))
    pairs = [
        (type_, calendar_id)
        for type_ in catalog.types.values()
        for calendar_id in type_.primary_calendar_ids
    ]
    for type_, calendar_id in draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=6)):
        on = draw(st.sampled_from([day, day, day + DAY, day - DAY]))
        found += draw(grid_claims(offer, type_, calendar_id, on, now))
    for claim in found:
        offer.claims.add(claim)
    return Case(
        offer=offer,
        claims=found,
        window=Interval(start, start + 2 * DAY),
        now=now,
        holder_key=draw(st.sampled_from(["me", None, "nobody"])),
    )
