"""Series: an appointment that recurs, placed occurrence by occurrence in one decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from service.domain.choice import nearest, pick_calendar
from service.domain.commands import BookSeries, SeriesMode, SlotWish
from service.domain.errors import (
    DomainError,
    ResourceNotFound,
    SeriesRefused,
    SlotOffGrid,
    SlotRefused,
)
from service.domain.ids import calendar_name
from service.domain.ledger import Draft, Ledger
from service.domain.places import Place, find_place, put_booking, type_of
from service.domain.recurrence import occurrences

CALENDARS_TRIED_MAX = 10
"""So many calendars are asked whether they take all of a series; it may have fifty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """One occurrence: the place that its booking takes, or why it has none."""

    start: datetime
    booking_id: UUID
    place: Place | None = None
    refusal: DomainError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attempt:
    """What became of a series on one calendar, or on any for each; in a draft of its own."""

    draft: Draft
    placed: tuple[Placed, ...]

    @property
    def fits(self) -> bool:
        return all(each.place is not None for each in self.placed)


def place_series(ledger: Ledger, command: BookSeries) -> tuple[Draft, tuple[Placed, ...]]:
    """Place what fits of a series, and return the draft in which that is done.

    Where any calendar will do, the first of ten that takes all of it, beginning with the one that
    Book would choose for its first occurrence; where none does, each occurrence is on the one that
    has most of the series already, of those that take it.
    """
    wishes = wishes_of(ledger, command)
    calendar_ids = _calendars(ledger, command)
    for calendar_id in calendar_ids[:CALENDARS_TRIED_MAX] if len(calendar_ids) > 1 else ():
        attempt = _attempt(ledger, command, wishes, (calendar_id,), gives_up=True)
        if attempt.fits:
            return attempt.draft, attempt.placed
        attempt.draft.undo()
    attempt = _attempt(ledger, command, wishes, calendar_ids, gives_up=False)
    is_enough = attempt.fits or (
        command.mode is SeriesMode.AS_MANY_AS_FIT
        and any(each.place is not None for each in attempt.placed)
    )
    if not is_enough:
        attempt.draft.undo()
        raise SeriesRefused([(each.start, each.refusal) for each in attempt.placed])
    return attempt.draft, attempt.placed


def wishes_of(ledger: Ledger, command: BookSeries) -> tuple[SlotWish, ...]:
    """Return the slot of each occurrence, by the wall clock of the calendar or the first."""
    first = command.first
    type_ = type_of(ledger, first.type_id)
    calendar_id = first.calendar_id or type_.primary_calendar_ids[0]
    calendar = ledger.offer.catalog.calendars.get(calendar_id)
    if calendar is None:
        raise ResourceNotFound(calendar_name(ledger.business_id, calendar_id))
    starts = occurrences(command.recurrence, first.start, calendar.zone)
    return tuple(replace(first, start=start) for start in starts)


def wishes_that_may_be_placed(ledger: Ledger, command: BookSeries) -> tuple[SlotWish, ...]:
    """Return the slots of the occurrences; none where the series is refused whatever is taken."""
    try:
        return wishes_of(ledger, command)
    except DomainError:
        return ()


def _calendars(ledger: Ledger, command: BookSeries) -> tuple[str, ...]:
    """Return the calendars that will do: of several, the fairest for the first occurrence first."""
    first = command.first
    if first.calendar_id is not None:
        return (first.calendar_id,)
    type_ = type_of(ledger, first.type_id)
    duration = first.duration or type_.durations[0]
    key = command.holder_key
    try:
        fairest = pick_calendar(
            ledger.offer, first.type_id, first.start, duration, ledger.now, holder_key=key
        )
    except (SlotRefused, SlotOffGrid):
        return type_.primary_calendar_ids
    return (fairest, *(each for each in type_.primary_calendar_ids if each != fairest))


def _attempt(
    ledger: Ledger,
    command: BookSeries,
    wishes: tuple[SlotWish, ...],
    calendar_ids: tuple[str, ...],
    *,
    gives_up: bool,
) -> _Attempt:
    """Place each occurrence, or give up at the first that does not fit."""
    draft = Draft(ledger)
    placed: list[Placed] = []
    times_taken: Counter[str] = Counter()
    try:
        for booking_id, wish in zip(command.booking_ids, wishes, strict=False):
            in_order = sorted(calendar_ids, key=lambda each: -times_taken[each])
            one = _place(ledger, draft, command, booking_id, wish, in_order)
            placed.append(one)
            if one.place is not None:
                times_taken[one.place.calendar_ids[0]] += 1
            elif gives_up:
                break
    except Exception:
        draft.undo()
        raise
    return _Attempt(draft=draft, placed=tuple(placed))


def _place(
    ledger: Ledger,
    draft: Draft,
    command: BookSeries,
    booking_id: UUID,
    wish: SlotWish,
    calendar_ids: Sequence[str],
) -> Placed:
    """Place an occurrence on the first of the calendars that takes it."""
    refusals: list[DomainError] = []
    for calendar_id in calendar_ids:
        slot = replace(wish, calendar_id=calendar_id)
        try:
            place = find_place(ledger, draft, slot, command.holder_key)
        except (SlotRefused, SlotOffGrid) as refusal:
            # Its frames refer to the whole ledger.
            refusals.append(refusal.with_traceback(None))
            continue
        put_booking(ledger, draft, place, booking_id)
        return Placed(start=wish.start, booking_id=booking_id, place=place)
    return Placed(start=wish.start, booking_id=booking_id, refusal=nearest(refusals))
