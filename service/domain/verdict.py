"""The verdict on one slot: what hold and book ask."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import NamedTuple

from service.domain.catalog import Catalog
from service.domain.civil_time import CIVIL_YEARS
from service.domain.errors import (
    BeyondHorizon,
    CapReached,
    DomainError,
    InvalidRequest,
    NoticeTooShort,
    ResourceNotFound,
    SlotClosed,
    SlotOffGrid,
    SlotTaken,
)
from service.domain.ids import calendar_name, type_name
from service.domain.rules import (
    Offer,
    Wish,
    caps,
    earliest_start,
    is_offered,
    is_open,
    latest_start,
    seats_taken_around,
)
from service.domain.standing import Asker


class Verdict(NamedTuple):
    """Whether a slot can be booked.

    `seats_left` is 0 if not, and `refusal` says why. `seat` is the place to take in a group; None
    takes the calendars alone. Before it is taken, what overlaps and does not count must be removed:
    claims that have expired, and the asker's own holds.
    """

    seats_left: int
    seat: int | None = None
    refusal: DomainError | None = None


def judge(  # noqa: PLR0913 (a slot has four parts, and who asks has three)
    offer: Offer,
    type_id: str,
    calendar_id: str,
    start: datetime,
    duration: timedelta,
    now: datetime,
    *,
    holder_key: str | None = None,
    ignore_owner_id: str | None = None,
) -> Verdict:
    """Decide whether a slot can be booked. The first rule that refuses it is told.

    The claims of `ignore_owner_id` do not count: the booking that is moved, or the hold that is
    booked.
    """
    asker = Asker(now, holder_key, ignore_owner_id)
    wish = make_wish(offer.catalog, type_id, calendar_id, start, duration, asker)
    if isinstance(wish, DomainError):
        return Verdict(0, refusal=wish)
    refusal = _refusal_by_time(offer, wish)
    if refusal is not None:
        return Verdict(0, refusal=refusal)
    taken = seats_taken_around(offer, wish)
    if taken is None or len(taken) >= wish.type.capacity:
        return Verdict(0, refusal=SlotTaken(start))
    if any(cap.is_reached(start, wish.end) for cap in caps(offer, wish)):
        return Verdict(0, refusal=CapReached(start))
    return Verdict(wish.type.capacity - len(taken), _lowest_seat(wish, taken))


def make_wish(
    catalog: Catalog,
    type_id: str,
    calendar_id: str,
    start: datetime,
    duration: timedelta,
    asker: Asker,
) -> Wish | DomainError:
    """Return the slot in question, or why there is no such."""
    business_id = catalog.business.business_id
    appointment_type = catalog.types.get(type_id)
    if appointment_type is None:
        return ResourceNotFound(type_name(business_id, type_id))
    if calendar_id not in catalog.calendars:
        return ResourceNotFound(calendar_name(business_id, calendar_id))
    if calendar_id not in appointment_type.primary_calendar_ids:
        return InvalidRequest("slot.calendar", "The appointment type is not offered on it.")
    if duration not in appointment_type.durations:
        return InvalidRequest("slot.duration", "The appointment type has no such duration.")
    if start.year not in CIVIL_YEARS:
        return SlotClosed(start)
    return Wish(appointment_type, calendar_id, start, start + duration, asker)


def _refusal_by_time(offer: Offer, wish: Wish) -> DomainError | None:
    """Ask the rules that look at no claim."""
    if not is_offered(offer, wish):
        calendar_ids = wish.type.calendar_ids_for(wish.calendar_id)
        if not all(is_open(offer, wish, calendar_id) for calendar_id in calendar_ids):
            return SlotClosed(wish.start)
        return SlotOffGrid(wish.start)
    if wish.start < earliest_start(wish.type, wish.asker.now):
        return NoticeTooShort(wish.start)
    if wish.start > latest_start(wish.type, wish.asker.now):
        return BeyondHorizon(wish.start)
    return None


def _lowest_seat(wish: Wish, taken: AbstractSet[int]) -> int | None:
    if wish.type.capacity == 1:
        return None
    return next(seat for seat in range(wish.type.capacity) if seat not in taken)
