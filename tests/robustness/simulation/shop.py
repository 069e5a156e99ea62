"""The business that is simulated: small, with every kind of rule that time or claims can turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from service.domain.catalog import AppointmentType, Catalog
from service.domain.change import Change, ChangeKind, ref_of
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import a_calendar, a_catalog, a_closure, a_schedule, a_type, minutes, wall

BUSINESS = "demo"
NOON = datetime(2030, 6, 3, 12, tzinfo=UTC)
"""A Monday, when each simulation begins and the desk opens; the others open an hour later."""
ONE_DAY = timedelta(days=1)
AFTERNOON = Interval(NOON, NOON + timedelta(hours=6))
TOMORROW = Interval(NOON + ONE_DAY, NOON + ONE_DAY + timedelta(hours=6))
BOTH = Interval(AFTERNOON.start, TOMORROW.end)
TEA_TIME = Interval(NOON + timedelta(hours=2), NOON + timedelta(hours=3))
HOLDERS = ("ada", "bob")
HOLD_SECONDS_MAX = 12.0


def second(number: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=number)


VISIT = a_type(any_of=("anna", "ben"), buffer_after=minutes(10), day_cap=4)
LESSON = a_type(
    "lesson", all_of=("room",), durations=(minutes(60),), slot_step=minutes(60), capacity=2
)
COLOUR = a_type(
    "colour",
    any_of=("anna",),
    all_of=("room",),
    durations=(minutes(60),),
    slot_step=minutes(60),
)
# A start passes, and another comes within the horizon, every ten seconds.
WALK_IN = a_type(
    "walk-in",
    any_of=("desk",),
    durations=(second(10),),
    slot_step=second(10),
    minimum_notice=second(15),
    horizon=second(95),
)
TYPES = (VISIT, LESSON, COLOUR, WALK_IN)


def a_shop(version: int) -> Catalog:
    """Return the catalogue that a life of the business begins with."""
    return a_catalog(
        types=TYPES,
        calendars=[
            *(a_calendar(each) for each in ("anna", "ben", "room")),
            a_calendar("desk", schedule_id="counter"),
        ],
        schedules=[
            a_schedule(wall("13:00", "16:00"), weekdays=(0, 1)),
            a_schedule(wall("12:00", "12:04"), weekdays=(0,), schedule_id="counter"),
        ],
        version=version,
    )


def a_query(chance: Random) -> SlotQuery:
    """Return what a reader asks for."""
    return SlotQuery(
        business_id=BUSINESS,
        window=chance.choice((AFTERNOON, AFTERNOON, BOTH, TOMORROW, TEA_TIME)),
        type_ids=chance.choice(((), (), ("walk-in", "visit"), ("lesson", "colour"), ("visit",))),
        calendar_ids=chance.choice(((), (), (), ("anna",), ("desk", "room"))),
        holder_key=chance.choice((None, None, "ada")),
    )


class Commit(NamedTuple):
    """A change, and the catalogue and the claims that it leaves behind."""

    change: Change
    catalog: Catalog
    claims: Mapping[UUID, Claim]


class Customers:
    """Thinks up what happens next to the business: whatever the service would let through."""

    def __init__(self, chance: Random, *, catalog_weight: int) -> None:
        """Take how often, in a hundred, the catalogue is changed or busy time imported."""
        self._chance = chance
        self._catalog_weight = catalog_weight
        self._numbers = count(1)

    def next_commit(self, before: Commit, now: datetime) -> Commit:
        """Return what is done to a business."""
        if self._chance.randrange(100) < self._catalog_weight:
            deeds: tuple[_Deed, ...] = (self._close_or_open, self._import_busy, self._alter_type)
        else:
            deeds = (
                *(self._book, self._book, self._hold, self._hold, self._hold),
                *(self._end_hold, self._renew, self._move, self._cancel, self._cancel),
                *(self._approve, self._cancel_and_offer, self._pass_on),
            )
        return self._chance.choice(deeds)(before, now)

    # What is booked.

    def _book(self, before: Commit, now: datetime) -> Commit:
        return _moved(before, now, ChangeKind.BOOKED, added=self._wanted(before, now))

    def _hold(self, before: Commit, now: datetime) -> Commit:
        expires_at = now + second(self._chance.uniform(0.5, HOLD_SECONDS_MAX))
        holder = self._chance.choice(HOLDERS)
        added = [
            replace(claim, kind=ClaimKind.HOLD, expires_at=expires_at, holder_key=holder)
            for claim in self._wanted(before, now)
        ]
        return _moved(before, now, ChangeKind.HELD, added=added)

    def _end_hold(self, before: Commit, now: datetime) -> Commit:
        """Release a hold, or book it, also where it has expired and the slot is still free."""
        removed = self._claims_of_one(before, ClaimKind.HOLD)
        if not removed or self._chance.random() < 0.5:
            return _moved(before, now, ChangeKind.RELEASED, removed=removed)
        added = [
            replace(each, kind=ClaimKind.BOOKING, expires_at=None, holder_key=None, claim_id=new)
            for each, new in zip(removed, self._ids(), strict=False)
        ]
        if not all(_is_free(before, claim, now, ignoring=removed) for claim in added):
            return self._approve(before, now)
        return _moved(before, now, ChangeKind.BOOKED, added=added, removed=removed)

    def _renew(self, before: Commit, now: datetime) -> Commit:
        removed = [c for c in self._claims_of_one(before, ClaimKind.HOLD) if c.is_live(now)]
        expires_at = now + second(self._chance.uniform(0.5, HOLD_SECONDS_MAX))
        added = [replace(each, expires_at=expires_at) for each in removed]
        return _moved(before, now, ChangeKind.RENEWED, added=added, removed=removed)

    def _move(self, before: Commit, now: datetime) -> Commit:
        removed = self._claims_of_one(before, ClaimKind.BOOKING)
        added = self._wanted(before, now)
        if not removed or not added:
            return self._approve(before, now)
        return _moved(before, now, ChangeKind.RESCHEDULED, added=added, removed=removed)

    def _cancel(self, before: Commit, now: datetime) -> Commit:
        removed = self._claims_of_one(before, ClaimKind.BOOKING)
        return _moved(before, now, ChangeKind.CANCELLED, removed=removed)

    def _cancel_and_offer(self, before: Commit, now: datetime) -> Commit:
        """Free a slot, and hold it in the same change for one who waits: it is never open."""
        removed = self._claims_of_one(before, ClaimKind.BOOKING)
        added = self._offered(removed, now)
        return _moved(before, now, ChangeKind.CANCELLED, added=added, removed=removed)

    def _pass_on(self, before: Commit, now: datetime) -> Commit:
        """Offer to another what was not taken; the timer that does so is not simulated."""
        removed = [c for c in self._claims_of_one(before, ClaimKind.HOLD) if c.is_live(now)]
        added = self._offered(removed, now)
        return _moved(before, now, ChangeKind.WAITLIST_OFFERED, added=added, removed=removed)

    def _offered(self, freed: list[Claim], now: datetime) -> list[Claim]:
        expires_at = now + second(self._chance.uniform(0.5, HOLD_SECONDS_MAX))
        kind, holder = ClaimKind.HOLD, self._chance.choice(HOLDERS)
        return [
            replace(each, kind=kind, expires_at=expires_at, holder_key=holder, claim_id=new)
            for each, new in zip(freed, self._ids(), strict=False)
        ]

    def _approve(self, before: Commit, now: datetime) -> Commit:
        return _moved(before, now, ChangeKind.APPROVED)

    def _claims_of_one(self, before: Commit, kind: ClaimKind) -> list[Claim]:
        owners = sorted({each.owner_id for each in before.claims.values() if each.kind is kind})
        if not owners:
            return []
        owner_id = self._chance.choice(owners)
        return [each for each in before.claims.values() if each.owner_id == owner_id]

    def _wanted(self, before: Commit, now: datetime) -> list[Claim]:
        """Return the claims of an appointment that nothing is in the way of; none: none was."""
        catalog = before.catalog
        type_ = catalog.types[self._chance.choice(sorted(catalog.types))]
        own = self._chance.choice(type_.primary_calendar_ids)
        if type_.type_id == WALK_IN.type_id:
            start = NOON + 10 * second(self._chance.randrange(24))
        else:
            day = self._chance.choice((NOON, NOON, NOON + ONE_DAY))
            start = day + timedelta(hours=1) + minutes(30) * self._chance.randrange(5)
        end, number = start + type_.durations[0], next(self._numbers)
        seats = range(type_.capacity) if type_.capacity > 1 else (None,)
        for seat in seats:
            claims = [
                Claim(
                    claim_id=UUID(int=100 * number + place),
                    calendar_id=calendar_id,
                    kind=ClaimKind.BOOKING,
                    owner_id=f"owner-{number}",
                    start=start - type_.buffer_before,
                    end=end + type_.buffer_after,
                    type_id=type_.type_id,
                    appointment=Interval(start, end),
                    seat=seat,
                )
                for place, calendar_id in enumerate(type_.calendar_ids_for(own))
            ]
            if all(_is_free(before, claim, now) for claim in claims):
                return claims
        return []

    def _ids(self) -> Iterator[UUID]:
        number = next(self._numbers)
        return (UUID(int=100 * number + place) for place in count())

    # What a change does not carry.

    def _close_or_open(self, before: Commit, now: datetime) -> Commit:
        closures = dict(before.catalog.closures)
        if closures:
            del closures[self._chance.choice(sorted(closures))]
        else:
            start = NOON + timedelta(hours=1) + minutes(30) * self._chance.randrange(5)
            closure = a_closure(interval=Interval(start, start + timedelta(hours=1)))
            closures[closure.closure_id] = closure
        return _altered(before, now, closures=closures)

    def _alter_type(self, before: Commit, now: datetime) -> Commit:
        types = dict(before.catalog.types)
        match self._chance.randrange(4):
            case 0:
                # A filter that names it has nothing to show, until it is made again.
                if types.pop(LESSON.type_id, None) is None:
                    types[LESSON.type_id] = LESSON
            case 1:
                types[WALK_IN.type_id] = _toggled(types[WALK_IN.type_id], second(35))
            case _:
                types[VISIT.type_id] = _toggled(types[VISIT.type_id], minutes(20))
        return _altered(before, now, types=types)

    def _import_busy(self, before: Commit, now: datetime) -> Commit:
        """Put other busy time in the place of what was imported to a calendar."""
        calendar_id = self._chance.choice(("anna", "room", "desk"))
        claims = {
            claim_id: claim
            for claim_id, claim in before.claims.items()
            if claim.kind is not ClaimKind.BUSY or claim.calendar_id != calendar_id
        }
        for claim_id in [next(self._ids()) for _ in range(self._chance.randrange(3))]:
            start = NOON + minutes(self._chance.randrange(-10, 240))
            claims[claim_id] = Claim(
                claim_id=claim_id,
                calendar_id=calendar_id,
                kind=ClaimKind.BUSY,
                owner_id=f"feed-{calendar_id}",
                start=start,
                end=start + minutes(self._chance.choice((11, 45))),
            )
        # Those that were written before this was told make a replica load all anew.
        tells = self._chance.random() < 0.8
        change = Change(
            revision=before.change.revision + 1,
            at=now,
            kind=ChangeKind.BUSY_IMPORTED,
            reread_calendar_ids=(calendar_id,) if tells else None,
        )
        return Commit(change, before.catalog, claims)


_Deed = Callable[[Commit, datetime], Commit]


def _toggled(type_: AppointmentType, notice: timedelta) -> AppointmentType:
    before = next(each for each in TYPES if each.type_id == type_.type_id)
    is_as_it_was = type_.minimum_notice == before.minimum_notice
    return replace(type_, minimum_notice=notice if is_as_it_was else before.minimum_notice)


def _moved(
    before: Commit,
    now: datetime,
    kind: ChangeKind,
    *,
    added: list[Claim] | None = None,
    removed: list[Claim] | None = None,
) -> Commit:
    claims = dict(before.claims)
    for claim in removed or ():
        del claims[claim.claim_id]
    for claim in added or ():
        claims[claim.claim_id] = claim
    change = Change(
        revision=before.change.revision + 1,
        at=now,
        kind=kind,
        added=tuple(added or ()),
        removed=tuple(ref_of(claim) for claim in removed or ()),
    )
    return Commit(change, before.catalog, claims)


def _altered(before: Commit, now: datetime, **parts: Any) -> Commit:
    revision = before.change.revision + 1
    change = Change(
        revision=revision, at=now, kind=ChangeKind.CATALOG_CHANGED, reread_calendar_ids=()
    )
    catalog = replace(before.catalog, version=revision, **parts)
    return Commit(change, catalog, before.claims)


def _is_free(
    before: Commit, wanted: Claim, now: datetime, *, ignoring: list[Claim] | None = None
) -> bool:
    return not any(
        _is_in_the_way(other, wanted)
        for other in before.claims.values()
        if other.is_live(now) and other not in (ignoring or ())
    )


def _is_in_the_way(other: Claim, wanted: Claim) -> bool:
    if other.calendar_id != wanted.calendar_id:
        return False
    if not (other.start < wanted.end and wanted.start < other.end):
        return False
    is_of_group = wanted.seat is not None and other.appointment == wanted.appointment
    return not (
        is_of_group and other.type_id == wanted.type_id and other.seat not in (None, wanted.seat)
    )
