"""Why a slot can or cannot be booked, rule by rule, in sentences that name nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.civil_time import wall_clock
from service.domain.errors import DomainError, SlotClosed
from service.domain.rules import (
    CapCount,
    Offer,
    Wish,
    day_cap,
    earliest_start,
    is_on_grid,
    is_open,
    latest_start,
    week_cap,
)
from service.domain.standing import Asker, seats_taken, standing
from service.domain.verdict import make_wish


class Rule(StrEnum):
    """What is asked, in this order."""

    HOURS = "hours"
    GRID = "grid"
    NOTICE = "notice"
    HORIZON = "horizon"
    FREE = "free"
    DAY_CAP = "day_cap"
    WEEK_CAP = "week_cap"


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What one rule says of a slot on one calendar."""

    rule: Rule
    calendar_id: str
    passed: bool
    explanation: str


def explain(  # noqa: PLR0913 (the arguments of `judge`)
    offer: Offer,
    type_id: str,
    calendar_id: str,
    start: datetime,
    duration: timedelta,
    now: datetime,
    *,
    holder_key: str | None = None,
    ignore_owner_id: str | None = None,
) -> list[RuleVerdict]:
    """Return the verdict of every rule; all passed if, and only if, `judge` has no refusal."""
    asker = Asker(now, holder_key, ignore_owner_id)
    wish = make_wish(offer.catalog, type_id, calendar_id, start, duration, asker)
    if isinstance(wish, SlotClosed):
        return [RuleVerdict(Rule.HOURS, calendar_id, passed=False, explanation=wish.message)]
    if isinstance(wish, DomainError):
        raise wish
    return [
        *_hours(offer, wish),
        _grid(offer, wish),
        _notice(wish),
        _horizon(wish),
        *_free(offer, wish),
        _cap(Rule.DAY_CAP, wish, day_cap(offer, wish)),
        _cap(Rule.WEEK_CAP, wish, week_cap(offer, wish)),
    ]


def _hours(offer: Offer, wish: Wish) -> Iterator[RuleVerdict]:
    for calendar_id in wish.type.calendar_ids_for(wish.calendar_id):
        if is_open(offer, wish, calendar_id):
            yield RuleVerdict(Rule.HOURS, calendar_id, True, "The calendar is open.")
        elif offer.hours.is_in_closure(calendar_id, wish.start, wish.end):
            yield RuleVerdict(Rule.HOURS, calendar_id, False, "A closure covers it.")
        else:
            text = _opening_text(offer, wish, calendar_id)
            yield RuleVerdict(Rule.HOURS, calendar_id, False, text)


def _opening_text(offer: Offer, wish: Wish, calendar_id: str) -> str:
    hours = offer.hours
    day = hours.day_span(calendar_id, hours.day_of(calendar_id, wish.start))
    zone = offer.catalog.calendars[calendar_id].zone
    texts = [
        f"{_clock(zone, interval.start)} to {_clock(zone, interval.end)}"
        for interval in hours.open_intervals(calendar_id, *day)
    ]
    return f"That day it is open from {', '.join(texts)} ({zone})." if texts else "Closed that day."


def _grid(offer: Offer, wish: Wish) -> RuleVerdict:
    passed = is_on_grid(offer, wish)
    minutes = wish.type.slot_step / timedelta(minutes=1)
    text = f"Starts are counted every {minutes:g} minutes from the start of the opening hours."
    return RuleVerdict(Rule.GRID, wish.calendar_id, passed, text)


def _notice(wish: Wish) -> RuleVerdict:
    earliest = earliest_start(wish.type, wish.asker.now)
    text = f"The first start that the notice allows is {earliest:%Y-%m-%d %H:%M:%S} UTC."
    return RuleVerdict(Rule.NOTICE, wish.calendar_id, wish.start >= earliest, text)


def _horizon(wish: Wish) -> RuleVerdict:
    latest = latest_start(wish.type, wish.asker.now)
    text = f"The last start that the horizon allows is {latest:%Y-%m-%d %H:%M:%S} UTC."
    return RuleVerdict(Rule.HORIZON, wish.calendar_id, wish.start <= latest, text)


def _free(offer: Offer, wish: Wish) -> Iterator[RuleVerdict]:
    """Ask each calendar, with those before it: a group needs the same seat on all of them."""
    calendar_ids = wish.type.calendar_ids_for(wish.calendar_id)
    together: set[int] = set()
    for calendar_id in calendar_ids:
        around = standing(offer.claims, (calendar_id,), wish.occupied, wish.asker).occupied
        taken = seats_taken(around, 0, wish.occupied, wish.group)
        if taken is None:
            zone = offer.catalog.calendars[calendar_id].zone
            until = max(each.end for each in around)
            text = f"Taken from {_clock(zone, around[0].start)} to {_clock(zone, until)}."
            yield RuleVerdict(Rule.FREE, calendar_id, False, text)
            continue
        together |= taken
        left = wish.type.capacity - len(together)
        text = f"Places left: {left} of {wish.type.capacity}."
        yield RuleVerdict(Rule.FREE, calendar_id, left > 0, text)


def _cap(rule: Rule, wish: Wish, cap: CapCount | None) -> RuleVerdict:
    if cap is None:
        return RuleVerdict(rule, wish.calendar_id, True, "There is no cap.")
    text = f"Appointments there: {len(cap.appointments)}; the cap is {cap.cap}."
    return RuleVerdict(rule, wish.calendar_id, not cap.is_reached(wish.start, wish.end), text)


def _clock(zone: str, instant: datetime) -> str:
    return f"{wall_clock(zone, instant):%Y-%m-%d %H:%M}"
