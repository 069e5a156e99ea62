"""What stands in the way of a slot: the claims that count, for the one who asks."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from service.domain.claim import Claim
from service.domain.claim_book import ClaimBook, Entry
from service.domain.interval import Interval
from service.domain.opening import Span


class Asker(NamedTuple):
    """Who asks, and when. What has expired, is their own hold, or is replaced, does not count."""

    now: datetime
    holder_key: str | None = None
    ignore_owner_id: str | None = None

    def counts(self, claim: Claim) -> bool:
        """Say whether a claim stands in this asker's way."""
        if claim.owner_id == self.ignore_owner_id:
            return False
        # Only holds expire, so a booking of the asker's own does count.
        return claim.expires_at is None or (
            claim.expires_at > self.now
            and (self.holder_key is None or claim.holder_key != self.holder_key)
        )


class Group(NamedTuple):
    """The slot that a place in a group belongs to; claims of the same one share it."""

    type_id: str
    appointment: Interval


class Occupied(NamedTuple):
    """A time that something stands on: all of it, or, for a group, some seats."""

    start: datetime
    end: datetime
    group: Group | None
    seats: AbstractSet[int]


class Standing:
    """What stands in the way of someone, by start, and when the first hold among it expires."""

    __slots__ = ("asker", "expires_first", "occupied")

    def __init__(self, asker: Asker) -> None:
        """Begin with nothing."""
        self.asker = asker
        self.occupied: list[Occupied] = []
        self.expires_first: datetime | None = None

    def add(self, entry: Entry) -> None:
        """Take up what counts of an entry."""
        if isinstance(entry, Claim):
            if self.takes_up(entry):
                self.occupied.append(Occupied(entry.start, entry.end, None, frozenset()))
            return
        seats: AbstractSet[int] = entry.booked.keys()
        if entry.held or self.asker.ignore_owner_id is not None:
            seats = {seat for seat, claim in entry.seated() if self.takes_up(claim)}
        if seats:
            group = Group(entry.type_id, entry.appointment)
            self.occupied.append(Occupied(entry.start, entry.end, group, seats))

    def takes_up(self, claim: Claim) -> bool:
        """Say whether a claim counts, and note when it no longer does."""
        if not self.asker.counts(claim):
            return False
        expires_at = claim.expires_at
        if expires_at is not None and (
            self.expires_first is None or expires_at < self.expires_first
        ):
            self.expires_first = expires_at
        return True


def standing(claims: ClaimBook, calendar_ids: Sequence[str], span: Span, asker: Asker) -> Standing:
    """Return what stands in a span on any of the calendars."""
    found = Standing(asker)
    for calendar_id in calendar_ids:
        for entry in claims.entries(calendar_id, span.start, span.end):
            found.add(entry)
    if len(calendar_ids) > 1:
        found.occupied.sort(key=_start_of)
    return found


def _start_of(occupied: Occupied) -> datetime:
    return occupied.start


def seats_taken(
    occupied: Sequence[Occupied], first: int, span: Span, group: Group | None
) -> AbstractSet[int] | None:
    """Return which seats of a slot's group are taken, or None where something else is in its way.

    `span` is the slot with its buffers, `occupied` is by start, and none of those before index
    `first` matters. Where the type has no groups, `group` is None: whatever overlaps is in its way.
    """
    taken: AbstractSet[int] = frozenset()
    start, end = span
    for index in range(first, len(occupied)):
        other_start, other_end, other_group, seats = occupied[index]
        if other_start >= end:
            break
        if other_end > start:
            if group is None or other_group != group:
                return None
            taken = taken | seats if taken else seats
    return taken


def appointments_of_type(
    claims: ClaimBook, calendar_id: str, type_id: str, span: Span, asker: Asker
) -> tuple[set[Interval], datetime | None]:
    """Return the appointments of a type that start in a span, a group as one, for caps to count.

    Also when the first hold among them expires.
    """
    found = Standing(asker)
    appointments: set[Interval] = set()
    for entry in claims.entries(calendar_id, span.start, span.end):
        appointment = entry.appointment
        if entry.type_id != type_id or appointment is None or appointment in appointments:
            continue
        if not span.start <= appointment.start < span.end:
            continue
        members = (entry,) if isinstance(entry, Claim) else entry.claims()
        if any(found.takes_up(claim) for claim in members):
            appointments.add(appointment)
    return appointments, found.expires_first
