"""What is true: one business with its change log, and the clock of the database that keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from service.domain.availability import ClaimBook, Hours, Offer, open_slots
from service.domain.catalog import Catalog
from service.domain.change import Change
from service.domain.claim import Claim
from service.domain.errors import ResourceNotFound
from service.domain.slot import SlotKey, SlotQuery
from tests.robustness.simulation.shop import NOON

OpenSlots = Mapping[SlotKey, int]


@dataclass(frozen=True, slots=True)
class State:
    """The business at a revision: since when, by the loop and by the database's clock."""

    revision: int
    committed_at: float
    stamp: datetime
    catalog: Catalog
    claims: Mapping[UUID, Claim]
    change: Change | None


class Life:
    """A business from its making to its end; made anew, it has another epoch."""

    def __init__(self, epoch: str, first: State) -> None:
        """Begin at its first state."""
        self.epoch = epoch
        self.first_revision = first.revision
        self.states = [first]
        # Up to which revision the log was trimmed, and since when.
        self.floors = [(first.committed_at, first.revision)]
        self.ended: tuple[float, datetime] | None = None

    @property
    def head(self) -> State:
        """The last state."""
        return self.states[-1]

    @property
    def floor(self) -> int:
        """The revision after which the log is kept."""
        return self.floors[-1][1]

    def trim(self, at: float, revision: int) -> None:
        """Forget the log up to a revision."""
        if revision > self.floor:
            self.floors.append((at, revision))

    def floor_at(self, seconds: float) -> int:
        """Return the floor that it had at an instant of the loop."""
        return max((floor for at, floor in self.floors if at <= seconds), default=0)

    def at(self, revision: int) -> State | None:
        """Return the state at a revision; None: it never was."""
        index = revision - self.first_revision
        return self.states[index] if 0 <= index < len(self.states) else None

    def after(self, revision: int) -> Sequence[State]:
        """Return the states after a revision."""
        return self.states[max(revision + 1 - self.first_revision, 0) :]

    def revision_at(self, seconds: float) -> int:
        """Return the revision that it had at an instant of the loop."""
        revision = self.first_revision
        for state in reversed(self.states):
            if state.committed_at <= seconds:
                return state.revision
        return revision

    def log_after(self, revision: int, limit: int) -> list[Change]:
        """Return what is kept of its log after a revision."""
        after = max(revision, self.floor)
        changes = (state.change for state in self.after(after)[:limit])
        return [change for change in changes if change is not None]


class Step(NamedTuple):
    """Since when the database's clock is so far from what it would be."""

    at: float
    offset: timedelta
    by: timedelta = timedelta()


class Truth:
    """All lives of the business, and the database's clock."""

    def __init__(self) -> None:
        """Begin without a business."""
        self.lives: dict[str, Life] = {}
        self.life: Life | None = None
        self.steps = [Step(0.0, timedelta())]
        self._offers: dict[tuple[str, int], Offer] = {}
        self._hours: dict[int, tuple[Catalog, Hours]] = {}
        self._open: dict[tuple[str, int, datetime, SlotQuery], OpenSlots | None] = {}

    def clock(self, seconds: float) -> datetime:
        """Return what the database's clock shows, or showed, at an instant of the loop."""
        offset = next(step.offset for step in reversed(self.steps) if step.at <= seconds)
        return NOON + timedelta(seconds=seconds) + offset

    def step_clock(self, at: float, step: timedelta) -> None:
        """Set the database's clock forward or back."""
        self.steps.append(Step(at, self.steps[-1].offset + step, step))

    def begin_life(self, epoch: str, first: State) -> None:
        """Make the business."""
        self.life = self.lives[epoch] = Life(epoch, first)

    def life_at(self, seconds: float) -> Life | None:
        """Return the life that it had at an instant of the loop."""
        for life in self.lives.values():
            has_begun = life.states[0].committed_at <= seconds
            if has_begun and (life.ended is None or life.ended[0] > seconds):
                return life
        return None

    def end_life(self, at: float) -> None:
        """Delete the business."""
        assert self.life is not None
        self.life.ended = (at, self.clock(at))
        self.life = None

    def open_slots(
        self, epoch: str, revision: int, as_of: datetime, query: SlotQuery
    ) -> OpenSlots | None:
        """Ask the evaluator, with none of the service's caches; None: what is asked for is not."""
        key = (epoch, revision, as_of, query)
        if key not in self._open:
            self._open[key] = self._evaluate(*key)
        return self._open[key]

    def _evaluate(
        self, epoch: str, revision: int, as_of: datetime, query: SlotQuery
    ) -> OpenSlots | None:
        try:
            slots = open_slots(self._offer(epoch, revision), query, as_of)
        except ResourceNotFound:
            return None
        return {slot.key: slot.seats_left for slot in slots}

    def _offer(self, epoch: str, revision: int) -> Offer:
        offer = self._offers.get((epoch, revision))
        if offer is None:
            state = self.lives[epoch].at(revision)
            assert state is not None, f"Revision {revision} never was."
            _, hours = self._hours.setdefault(
                id(state.catalog), (state.catalog, Hours(state.catalog))
            )
            offer = Offer(state.catalog, hours, ClaimBook(state.claims.values()))
            self._offers[epoch, revision] = offer
        return offer
