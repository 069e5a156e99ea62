"""Choosing for the caller: which calendar takes a slot, and what to offer for a lost one."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from service.domain.civil_time import civil_day
from service.domain.claim import ClaimKind
from service.domain.errors import (
    BeyondHorizon,
    CapReached,
    DomainError,
    NoticeTooShort,
    ResourceNotFound,
    SlotClosed,
    SlotOffGrid,
    SlotTaken,
)
from service.domain.ids import type_name
from service.domain.rules import Offer
from service.domain.slot import Slot, SlotKey
from service.domain.standing import Asker
from service.domain.verdict import judge

IDLE_LOOKBACK = timedelta(days=7)
"""A calendar without an appointment for this long is as idle as one that never had any."""

ALTERNATIVES_MAX = 10

NEVER = datetime.min.replace(tzinfo=UTC)

REFUSALS_BEST_FIRST = (
    SlotTaken,
    CapReached,
    BeyondHorizon,
    NoticeTooShort,
    SlotOffGrid,
    SlotClosed,
    DomainError,
)
"""Which to tell where several calendars refuse: the one that was nearest to taking the slot."""


def pick_calendar(
    offer: Offer,
    type_id: str,
    start: datetime,
    duration: timedelta,
    now: datetime,
    *,
    holder_key: str | None = None,
) -> str:
    """Return the calendar of a type that is to take a slot, fairly; raise if none can.

    The one with the fewest bookings and holds on that civil day, then the one that has been idle
    for longest, then the first that the type names.
    """
    appointment_type = offer.catalog.types.get(type_id)
    if appointment_type is None:
        raise ResourceNotFound(type_name(offer.catalog.business.business_id, type_id))
    asker = Asker(now, holder_key)
    refusals: list[DomainError] = []
    open_ids: list[str] = []
    for calendar_id in appointment_type.primary_calendar_ids:
        verdict = judge(offer, type_id, calendar_id, start, duration, now, holder_key=holder_key)
        if verdict.refusal is None:
            open_ids.append(calendar_id)
        else:
            refusals.append(verdict.refusal)
    if not open_ids:
        raise nearest(refusals)
    if len(open_ids) == 1:
        return open_ids[0]
    return min(
        open_ids,
        key=lambda calendar_id: (
            _bookings_that_day(offer, calendar_id, start, asker),
            _idle_since(offer, calendar_id, start, asker),
        ),
    )


def nearest(refusals: Iterable[DomainError]) -> DomainError:
    """Return which to tell where several calendars refuse the same slot."""
    return min(refusals, key=_rank_of_refusal)


def _rank_of_refusal(refusal: DomainError) -> int:
    return next(rank for rank, kind in enumerate(REFUSALS_BEST_FIRST) if isinstance(refusal, kind))


def _bookings_that_day(offer: Offer, calendar_id: str, start: datetime, asker: Asker) -> int:
    """Count the bookings and holds, each place in a group as one, that start that civil day."""
    span = offer.hours.day_span(calendar_id, offer.hours.day_of(calendar_id, start))
    return sum(
        claim.appointment is not None
        and span.start <= claim.appointment.start < span.end
        and claim.kind is not ClaimKind.BUSY
        and asker.counts(claim)
        for claim in offer.claims.overlapping(calendar_id, *span)
    )


def _idle_since(offer: Offer, calendar_id: str, start: datetime, asker: Asker) -> datetime:
    """Return when the last appointment before a start ended; none for IDLE_LOOKBACK is never."""
    ends = (
        claim.appointment.end
        for claim in offer.claims.overlapping(calendar_id, start - IDLE_LOOKBACK, start)
        if claim.appointment is not None
        and start - IDLE_LOOKBACK < claim.appointment.end <= start
        and asker.counts(claim)
    )
    return max(ends, default=NEVER)


def rank_alternatives(
    open_slots: Iterable[Slot], wanted: SlotKey, zone: str, limit: int = ALTERNATIVES_MAX
) -> list[Slot]:
    """Return the open slots to offer instead of a wanted one, the best first.

    On the same calendar and civil day (of `zone`) the nearest first, then on the same calendar the
    nearest first, then on others. A wish without a calendar (`calendar_id` empty) has all as its
    own.
    """
    wanted_day = civil_day(zone, wanted.start)

    def rank(slot: Slot) -> tuple[int, timedelta, SlotKey]:
        if wanted.calendar_id not in ("", slot.key.calendar_id):
            group = 2
        else:
            group = 0 if civil_day(zone, slot.key.start) == wanted_day else 1
        return group, abs(slot.key.start - wanted.start), slot.key

    return heapq.nsmallest(limit, open_slots, key=rank)
