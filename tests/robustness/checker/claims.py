"""What stands on calendars, found by calendar and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from service.domain.change import Change
from tests.robustness.checker.instants import SECOND, micros

HOLD, BOOKING, BUSY, CLOSURE = "hold", "booking", "busy", "closure"
BUCKET = 1800 * SECOND


class Taken(NamedTuple):
    """A time that something takes on a calendar, with its buffers.

    `first` and `last` are the appointment's own ends; `seat` is its place in a group.
    """

    id: object
    calendar: str
    kind: str
    owner: str
    start: int
    end: int
    type_id: str | None = None
    first: int = 0
    last: int = 0
    seat: int | None = None
    expires: int | None = None
    holder: str | None = None

    def is_live(self, at: int) -> bool:
        """Say whether it still counts: a hold does until, and not at, the instant it expires."""
        return self.expires is None or self.expires > at

    def may_share_with(self, other: Taken) -> bool:
        """Say whether both are places of one group, and not the same place."""
        return (
            self.seat is not None
            and other.seat is not None
            and self.seat != other.seat
            and (self.type_id, self.first, self.last) == (other.type_id, other.first, other.last)
        )


def added_by(change: Change) -> list[Taken]:
    """Return what a change of the log puts on calendars."""
    return [
        Taken(
            id=claim.claim_id,
            calendar=claim.calendar_id,
            kind=claim.kind.value,
            owner=claim.owner_id,
            start=micros(claim.start),
            end=micros(claim.end),
            type_id=claim.type_id,
            first=micros(claim.appointment.start) if claim.appointment else 0,
            last=micros(claim.appointment.end) if claim.appointment else 0,
            seat=claim.seat,
            expires=None if claim.expires_at is None else micros(claim.expires_at),
            holder=claim.holder_key,
        )
        for claim in change.added
    ]


class Calendars:
    """All that stands on the calendars of a business, expired holds too."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.by_id: dict[object, Taken] = {}
        self._buckets: dict[tuple[str, int], dict[object, Taken]] = {}
        self._by_owner: dict[str, dict[object, Taken]] = {}

    def put(self, taken: Taken) -> None:
        """Add something."""
        self.by_id[taken.id] = taken
        self._by_owner.setdefault(taken.owner, {})[taken.id] = taken
        for bucket in _buckets(taken.start, taken.end):
            self._buckets.setdefault((taken.calendar, bucket), {})[taken.id] = taken

    def drop(self, taken: Taken) -> None:
        """Take something away, if it is still there."""
        if self.by_id.pop(taken.id, None) is None:
            return
        self._by_owner[taken.owner].pop(taken.id)
        for bucket in _buckets(taken.start, taken.end):
            self._buckets[taken.calendar, bucket].pop(taken.id)

    def of_owner(self, owner: str) -> list[Taken]:
        """Return what belongs to a hold, a booking, a closure or a feed."""
        return list(self._by_owner.get(owner, {}).values())

    def overlapping(self, calendar: str, start: int, end: int) -> Iterator[Taken]:
        """Yield what shares an instant with [start, end)."""
        buckets = _buckets(start, end)
        for bucket in buckets:
            found = self._buckets.get((calendar, bucket))
            if not found:
                continue
            for taken in found.values():
                # What lies in several buckets counts in the first of those looked at.
                if (
                    taken.start < end
                    and taken.end > start
                    and bucket == max(buckets.start, taken.start // BUCKET)
                ):
                    yield taken


def _buckets(start: int, end: int) -> range:
    return range(start // BUCKET, (end - 1) // BUCKET + 1)
