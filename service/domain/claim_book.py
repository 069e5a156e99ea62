"""The claims of one business, in memory, found by calendar and time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval


class SharedSlot:
    """The claims that share one slot of a group: same type, appointment, start and end."""

    __slots__ = ("appointment", "booked", "end", "held", "start", "type_id")

    def __init__(self, type_id: str, appointment: Interval, start: datetime, end: datetime) -> None:
        """Begin without a claim."""
        self.type_id = type_id
        self.appointment = appointment
        self.start = start
        self.end = end
        self.booked: dict[int, Claim] = {}
        # By claim: a hold that has expired may still be here when its seat is taken.
        self.held: dict[UUID, tuple[int, Claim]] = {}

    def add(self, claim: Claim, seat: int) -> None:
        """Put a claim on its seat."""
        if claim.kind is ClaimKind.HOLD:
            self.held[claim.claim_id] = (seat, claim)
        else:
            self.booked[seat] = claim

    def remove(self, claim: Claim, seat: int) -> None:
        """Take a claim off its seat."""
        if claim.kind is ClaimKind.HOLD:
            self.held.pop(claim.claim_id, None)
        elif self.booked.get(seat) is claim:
            del self.booked[seat]

    def seated(self) -> Iterator[tuple[int, Claim]]:
        """Yield its claims, each with its seat; those that do not expire first."""
        yield from self.booked.items()
        yield from self.held.values()

    def claims(self) -> Iterator[Claim]:
        """Yield its claims."""
        return (claim for _, claim in self.seated())

    @property
    def is_empty(self) -> bool:
        """Say whether no claim is left."""
        return not self.booked and not self.held


Entry = Claim | SharedSlot
"""What stands on a calendar: a claim that has it alone, or the claims that share a slot."""


class _Day:
    """The entries that touch one UTC day of one calendar, by start."""

    __slots__ = ("entries", "longest", "starts")

    def __init__(self) -> None:
        self.starts: list[datetime] = []
        self.entries: list[Entry] = []
        self.longest = timedelta()

    def add(self, entry: Entry) -> None:
        at = bisect_left(self.starts, entry.start)
        self.starts.insert(at, entry.start)
        self.entries.insert(at, entry)
        self.longest = max(self.longest, entry.end - entry.start)

    def remove(self, entry: Entry) -> None:
        at = bisect_left(self.starts, entry.start)
        while self.entries[at] is not entry:
            at += 1
        del self.starts[at], self.entries[at]


class _CalendarBook:
    """The entries of one calendar, by UTC day: the cost of a question is that of its days."""

    __slots__ = ("days", "shared")

    def __init__(self) -> None:
        self.days: dict[int, _Day] = {}
        self.shared: dict[tuple[str, Interval, datetime, datetime], SharedSlot] = {}

    def put(self, entry: Entry) -> None:
        for day in _days(entry.start, entry.end):
            if day not in self.days:
                self.days[day] = _Day()
            self.days[day].add(entry)

    def drop(self, entry: Entry) -> None:
        for day in _days(entry.start, entry.end):
            self.days[day].remove(entry)
            if not self.days[day].entries:
                del self.days[day]

    def claims(self) -> list[Claim]:
        entries = (entry for day in self.days.values() for entry in day.entries)
        return [claim for entry in entries for claim in _claims_of(entry)]

    def entries(self, start: datetime, end: datetime) -> list[Entry]:
        found: list[Entry] = []
        days = _days(start, end)
        for number in days:
            day = self.days.get(number)
            if day is None:
                continue
            first = bisect_left(day.starts, start - day.longest)
            overlapping = [
                entry
                for entry in day.entries[first : bisect_left(day.starts, end)]
                if entry.end > start
            ]
            if number != days.start:
                # What began before this day was found on the day before.
                overlapping = [e for e in overlapping if _utc(e.start).toordinal() == number]
            found += overlapping
        return found


class ClaimBook:
    """Claims, to be added and removed. Nothing is removed for having expired. Instants are UTC."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        """Add all of them."""
        self._claims: dict[UUID, Claim] = {}
        self._calendars: dict[str, _CalendarBook] = {}
        self._holds: dict[str, dict[UUID, Claim]] = {}
        for claim in claims:
            self.add(claim)

    def __len__(self) -> int:
        """Count the claims."""
        return len(self._claims)

    def __iter__(self) -> Iterator[Claim]:
        """Yield the claims in the order in which they were added."""
        return iter(self._claims.values())

    def get(self, claim_id: UUID) -> Claim | None:
        """Return the claim of that id."""
        return self._claims.get(claim_id)

    def add(self, claim: Claim) -> None:
        """Put a claim, in place of the one of the same id."""
        self.remove(claim.claim_id)
        self._claims[claim.claim_id] = claim
        book = self._calendars.setdefault(claim.calendar_id, _CalendarBook())
        if claim.kind is ClaimKind.HOLD and claim.holder_key is not None:
            self._holds.setdefault(claim.holder_key, {})[claim.claim_id] = claim
        if claim.seat is None or claim.type_id is None or claim.appointment is None:
            book.put(claim)
            return
        key = (claim.type_id, claim.appointment, claim.start, claim.end)
        shared = book.shared.get(key)
        if shared is None:
            shared = book.shared[key] = SharedSlot(*key)
            book.put(shared)
        shared.add(claim, claim.seat)

    def remove(self, claim_id: UUID) -> Claim | None:
        """Take a claim out and return it."""
        claim = self._claims.pop(claim_id, None)
        if claim is None:
            return None
        self._forget_hold(claim)
        book = self._calendars[claim.calendar_id]
        if claim.seat is None or claim.type_id is None or claim.appointment is None:
            book.drop(claim)
            return claim
        key = (claim.type_id, claim.appointment, claim.start, claim.end)
        shared = book.shared[key]
        shared.remove(claim, claim.seat)
        if shared.is_empty:
            del book.shared[key]
            book.drop(shared)
        return claim

    def replace_calendar(self, calendar_id: str, other: ClaimBook) -> None:
        """Put what another book has, all of it on this calendar, in place of what is on it.

        The other book must not be used any more.
        """
        book = self._calendars.pop(calendar_id, None)
        for claim in [] if book is None else book.claims():
            # What touches several days comes as often.
            if self._claims.pop(claim.claim_id, None) is not None:
                self._forget_hold(claim)
        self._claims.update(other._claims)
        self._calendars.update(other._calendars)
        for holder_key, holds in other._holds.items():
            self._holds.setdefault(holder_key, {}).update(holds)

    def entries(self, calendar_id: str, start: datetime, end: datetime) -> list[Entry]:
        """Return what shares an instant with [start, end), by start, groups as one."""
        book = self._calendars.get(calendar_id)
        return [] if book is None else book.entries(start, end)

    def overlapping(self, calendar_id: str, start: datetime, end: datetime) -> list[Claim]:
        """Return the claims that share an instant with [start, end), by start, expired ones too."""
        return [
            claim for entry in self.entries(calendar_id, start, end) for claim in _claims_of(entry)
        ]

    def holds_of(self, holder_key: str) -> list[Claim]:
        """Return the claims of a holder's holds, on all calendars, expired ones too."""
        return list(self._holds.get(holder_key, {}).values())

    def _forget_hold(self, claim: Claim) -> None:
        holds = self._holds.get(claim.holder_key or "")
        if holds is not None and holds.pop(claim.claim_id, None) is not None and not holds:
            del self._holds[claim.holder_key or ""]


def _claims_of(entry: Entry) -> Iterable[Claim]:
    return (entry,) if isinstance(entry, Claim) else entry.claims()


def _days(start: datetime, end: datetime) -> range:
    """Return the numbers of the UTC days of [start, end), and, if it ends at midnight, one more."""
    return range(_utc(start).toordinal(), _utc(end).toordinal() + 1)


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
