"""A cell: a stretch of one calendar that nothing divides, as a register.

Whatever lies on a calendar covers a cell or does not touch it. So a cell is free, or one has it
alone, or a group shares it; and what an operation does to it is a few moves. A move gives the state
after it, or None where the state does not allow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Protocol


class Standing(StrEnum):
    """What it is that stands in a cell."""

    HELD = "held"
    LAPSED = "lapsed"
    """A hold that is in nobody's way, and may yet be renewed: it has expired, or has lost its place
    here to another while it was so."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    OVER = "over"
    BUSY = "busy"
    CLOSED = "closed"


class Occupant(NamedTuple):
    """One who stands in a cell. A booking of which nobody was told has no `owner`.

    `group` names the slot that it shares with others, and is empty where it has the cell alone;
    `until` is the operation that set when it expires. Where `is_sure` is False it may count or not:
    it may have another buffer, and not lie here at all; or it is a hold whose time came before a
    clock was set back, or of which nobody can say whether it had to give way.
    """

    owner: str
    standing: Standing
    group: str = ""
    holder: str = ""
    version: int = 0
    until: int = 0
    is_sure: bool = True


State = tuple[Occupant, ...]
"""Who is in a cell, sorted."""
EMPTY: State = ()
LAID = frozenset({Standing.BUSY, Standing.CLOSED})
"""What comes over a cell whoever is there."""


class Move(Protocol):
    """A part of what an operation does to a cell, or sees there."""

    def on(self, state: State) -> State | None:
        """Return the state after it, or None where it cannot be."""


class Room(NamedTuple):
    """What an asker finds: is something in the way, and how many of its group's seats are taken."""

    is_blocked: bool
    may_be_blocked: bool
    taken_min: int
    taken_max: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Who looks at a cell. The holds of `holder` give way; `ignored` does not count.

    A buffer `hangs_over` closing hours. A group has so many seats; how many is not always known.
    """

    holder: str = ""
    ignored: str = ""
    group: str = ""
    seats_min: int = 1
    seats_max: int = 1
    hangs_over: bool = False

    def room(self, state: State) -> Room:
        """Look."""
        is_blocked = may_be_blocked = False
        taken_min = taken_max = 0
        for each in state:
            if self._overlooks(each):
                continue
            if self.group and each.group == self.group:
                taken_min += each.is_sure
                taken_max += 1
            elif each.is_sure:
                is_blocked = True
            else:
                may_be_blocked = True
        return Room(is_blocked, may_be_blocked, taken_min, taken_max)

    def has_room(self, state: State) -> bool:
        """Say whether it could take a seat."""
        room = self.room(state)
        return not room.is_blocked and room.taken_min < self.seats_max

    def gives_way(self, occupant: Occupant) -> bool:
        """Say whether it is one of the asker's own holds."""
        is_own = bool(self.holder) and occupant.holder == self.holder
        return is_own and occupant.standing is Standing.HELD

    def _overlooks(self, each: Occupant) -> bool:
        return (
            each.standing is Standing.LAPSED
            or (bool(self.ignored) and each.owner == self.ignored)
            or (self.hangs_over and each.standing is Standing.CLOSED)
            or self.gives_way(each)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """A hold or a booking comes; what gives way to it ends."""

    occupant: Occupant
    asker: Asker

    def on(self, state: State) -> State | None:
        if not self.occupant.is_sure:
            # It may not lie here at all, so it needs no room and may have sent nothing away.
            return _sorted((*_doubted(state, self.asker), self.occupant))
        if not self.asker.has_room(state):
            return None
        return _sorted((*self._left(state), self.occupant))

    def _left(self, state: State) -> Iterator[Occupant]:
        for each in state:
            is_own = self.asker.gives_way(each)
            is_beside = bool(self.asker.group) and each.group == self.asker.group and not is_own
            if each.standing is Standing.HELD and not each.is_sure and not is_beside:
                # It did not count here, or it would have been in the way or have ended.
                yield each._replace(standing=Standing.LAPSED, is_sure=True)
            elif not is_own:
                yield each


@dataclass(frozen=True, kw_only=True, slots=True)
class Convert:
    """A hold is renewed or booked. A live one keeps its slot, an expired one needs it free.

    It stays with whose it is; one that `is_handed_over` is from then on the asker's. One that
    `is_offer` is not found here, for nobody was told when it was made.
    """

    hold: str
    occupant: Occupant
    asker: Asker
    is_offer: bool = False
    is_handed_over: bool = False

    def on(self, state: State) -> State | None:
        if self.is_offer:
            return self._perhaps_taken(state)
        hold = _find(state, self.hold)
        if hold is None:
            return None if self.occupant.is_sure else self._taken(state)
        if hold.holder != self.asker.holder and not self.is_handed_over:
            return self._kept_by(hold.holder).on(state)
        rest = tuple(each for each in state if each is not hold)
        if hold.standing is not Standing.HELD:
            return self._taken(rest)
        if hold.is_sure:
            # It lies here, so what takes over its place does.
            return _sorted((*rest, self.occupant._replace(is_sure=True)))
        return self._perhaps_taken(rest)

    def _kept_by(self, holder: str) -> Convert:
        """Return what is done by whose the hold is: it may have been handed over to them."""
        occupant = self.occupant._replace(holder=holder if self.occupant.holder else "")
        return replace(self, occupant=occupant, asker=replace(self.asker, holder=holder))

    def _perhaps_taken(self, rest: State) -> State | None:
        """Take it, if nobody else can have: nobody can say whether the hold was live."""
        others = tuple(each for each in rest if each.standing not in LAID)
        if self.occupant.is_sure and not self.asker.has_room(others):
            return None
        return _sorted((*_doubted(rest, self.asker), self.occupant))

    def _taken(self, state: State) -> State | None:
        return Take(occupant=self.occupant, asker=self.asker).on(state)


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """A hold that had not ended does. Where it is not sure to lie here, it need not be found."""

    hold: str
    is_sure: bool = True

    def on(self, state: State) -> State | None:
        hold = _find(state, self.hold)
        if hold is None:
            return None if self.is_sure else state
        return tuple(each for each in state if each is not hold)


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveWay:
    """A holder's live hold ends, for another of theirs came in its way on another cell."""

    hold: str
    holder: str
    is_sure: bool

    def on(self, state: State) -> State | None:
        hold = _find(state, self.hold)
        if hold is None or hold.standing is not Standing.HELD or hold.holder != self.holder:
            return state
        rest = tuple(each for each in state if each is not hold)
        if self.is_sure and hold.is_sure:
            return rest
        return _sorted((*rest, hold._replace(is_sure=False)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Lapse:
    """The time comes that an operation had set for a hold, if no other has been set since.

    `is_final` is False where the clock is set back afterwards; what nobody names again is
    `forgotten`.
    """

    until: int
    is_final: bool = True
    is_forgotten: bool = False

    def on(self, state: State) -> State | None:
        hold = next((each for each in state if each.until == self.until), None)
        if hold is None:
            return state
        rest = tuple(each for each in state if each is not hold)
        if self.is_final and self.is_forgotten:
            return rest
        if hold.standing is not Standing.HELD:
            return state
        if not self.is_final:
            return _sorted((*rest, hold._replace(is_sure=False)))
        return _sorted((*rest, hold._replace(standing=Standing.LAPSED, is_sure=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A booking of a version stands otherwise, or (`to` is None) goes.

    Where nobody was told its name when it was made, it may be any of which nobody was told. Where
    it is not sure to lie here, it need not be found.
    """

    booking: str
    version: int
    allowed: frozenset[Standing]
    to: Standing | None
    is_known: bool = True
    is_sure: bool = True

    def on(self, state: State) -> State | None:
        booking = _find(state, self.booking)
        if booking is None and not self.is_known:
            if not self.is_sure:
                return _sorted(tuple(self._doubted(state)))
            booking = next(filter(self._may_be, state), None)
        if booking is None:
            return None if self.is_sure else state
        if booking.version != self.version or booking.standing not in self.allowed:
            return None
        rest = tuple(each for each in state if each is not booking)
        if self.to is None:
            return rest
        changed = booking._replace(
            owner=self.booking, standing=self.to, version=booking.version + 1
        )
        return _sorted((*rest, changed))

    def _may_be(self, each: Occupant) -> bool:
        return not each.owner and each.version == self.version and each.standing in self.allowed

    def _doubted(self, state: State) -> Iterator[Occupant]:
        return (each._replace(is_sure=False) if self._may_be(each) else each for each in state)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lay:
    """Busy time or a closure is laid on a cell, whatever is there, or taken away."""

    owner: str
    standing: Standing
    is_here: bool

    def on(self, state: State) -> State | None:
        rest = tuple(each for each in state if each.owner != self.owner)
        return _sorted((*rest, Occupant(self.owner, self.standing))) if self.is_here else rest


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenOpen:
    """An asker was shown so many seats, or, without a group, that nothing is in the way.

    Where `may_be_offered`, more of them may be taken, by what is offered to some who wait.
    """

    asker: Asker
    seats_left: int = 1
    may_be_offered: bool = False

    def on(self, state: State) -> State | None:
        room = self.asker.room(state)
        if room.is_blocked:
            return None
        if not self.asker.group:
            return state
        seats_max = room.taken_max + self.seats_left
        seats_min = room.taken_min + self.seats_left
        is_enough = self.may_be_offered or seats_max >= self.asker.seats_min
        fits = is_enough and seats_min <= self.asker.seats_max
        return state if fits else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenTaken:
    """An asker was told that something is in the way."""

    asker: Asker

    def on(self, state: State) -> State | None:
        room = self.asker.room(state)
        is_full = bool(self.asker.group) and room.taken_max >= self.asker.seats_min
        return state if room.is_blocked or room.may_be_blocked or is_full else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenNotLive:
    """A hold did not protect its slot, so it was not live."""

    hold: str

    def on(self, state: State) -> State | None:
        hold = _find(state, self.hold)
        is_live = hold is not None and hold.standing is Standing.HELD and hold.is_sure
        return None if is_live else state


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenBooking:
    """A booking was read as standing here thus, or (`standing` is None) as not being here."""

    booking: str
    standing: Standing | None
    version: int = 0
    is_known: bool = True

    def on(self, state: State) -> State | None:
        booking = _find(state, self.booking)
        if self.standing is None:
            return state if booking is None else None
        if booking is None and not self.is_known:
            return state
        is_so = (
            booking is not None
            and booking.standing is self.standing
            and booking.version == self.version
        )
        return state if is_so else None


def _find(state: State, owner: str) -> Occupant | None:
    return next((each for each in state if each.owner == owner), None)


def _doubted(state: State, asker: Asker) -> Iterator[Occupant]:
    """Return who is there, after somebody came of whom it is not sure that he took anything."""
    return (each._replace(is_sure=False) if asker.gives_way(each) else each for each in state)


def _sorted(occupants: tuple[Occupant, ...]) -> State:
    return tuple(sorted(occupants)) if len(occupants) > 1 else occupants
