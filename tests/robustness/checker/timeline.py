"""The timeline: which slots were open at each revision, for any instant and any holder.

While the log is replayed it notes, for each start that somebody asks for, what stands around it
from which revision on. What that leaves open at an instant is worked out when it is asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from service.domain.ids import last_part
from slotcast.v1.availability_service_pb2 import ListSlotsRequest, WatchAvailabilityRequest
from tests.robustness.checker.claims import Taken
from tests.robustness.checker.instants import length_of, micros_of
from tests.robustness.checker.model import Model, Spot, seats_left
from tests.robustness.checker.offer import Span, TypeRules


class Slot(NamedTuple):
    """A slot, by the ids that its names end with."""

    type_id: str
    calendar: str
    first: int
    last: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which slots are asked for: those that start in [start, end). No types, or calendars: all."""

    start: int
    end: int
    types: frozenset[str] = frozenset()
    calendars: frozenset[str] = frozenset()
    duration: int | None = None
    key: str | None = None

    def has(self, spot: Spot) -> bool:
        """Say whether a spot is among what is asked for."""
        return (
            self.start <= spot.first < self.end
            and (not self.types or spot.type_id in self.types)
            and (not self.calendars or spot.calendar in self.calendars)
        )


def query_of(request: WatchAvailabilityRequest | ListSlotsRequest, model: Model) -> Query:
    """Read which slots a request asks for."""
    return Query(
        start=micros_of(request.start_time),
        end=micros_of(request.end_time),
        types=frozenset(map(last_part, request.appointment_types)),
        calendars=frozenset(map(last_part, request.calendars)),
        duration=length_of(request.duration) if request.HasField("duration") else None,
        key=model.key(request.holder),
    )


class _Versions:
    """What stood around a spot, from which revisions on."""

    __slots__ = ("arounds", "revisions")

    def __init__(self) -> None:
        self.revisions: list[int] = []
        self.arounds: list[tuple[Taken, ...]] = []


class Timeline:
    """All revisions of a business. It is told each of them once, in order."""

    def __init__(self, queries: Iterable[Query], earliest: int, latest: int) -> None:
        """Note what concerns these queries, at instants from `earliest` to `latest`."""
        self._queries = sorted(set(queries), key=lambda query: (query.start, query.end))
        self._earliest, self._latest = earliest, latest
        self._versions: dict[Spot, _Versions] = {}
        self._rules: dict[str, tuple[list[int], list[TypeRules | None]]] = {}
        self._expiries: set[tuple[int, Spot]] = set()
        self._sorted_expiries: list[tuple[int, Spot]] = []
        # By revision, what it may have opened or closed; none at 0.
        self.touched: list[tuple[Spot, ...]] = [()]
        # By revision, when it was decided.
        self.decided: list[int] = [0]
        self._asked: dict[str, list[tuple[int, int]]] = {}

    @property
    def revision(self) -> int:
        """The last that was noted."""
        return len(self.touched) - 1

    # While the log is replayed.

    def note(self, model: Model, touched: Iterable[Span], retyped: Iterable[str]) -> None:
        """Note the revision that the model has come to."""
        spots: set[Spot] = set()
        for type_id in retyped:
            rules = model.offer.types.get(type_id)
            revisions, states = self._rules.setdefault(type_id, ([], []))
            # What was open by the rules before may be so no more, where the new ones do not reach.
            for each in (*states[-1:], rules):
                if each is not None:
                    spots.update(self._spots(each, 0, self._latest + each.horizon))
            revisions.append(model.revision)
            states.append(rules)
            spots.update(spot for spot in self._versions if spot.type_id == type_id)
        for span in set(touched):
            spots.update(self._spots_touched(model, span))
        for spot in spots:
            self._note_spot(model, spot)
        self.touched.append(tuple(spots))
        self.decided.append(model.at)

    def _spots_touched(self, model: Model, span: Span) -> Iterator[Spot]:
        for rules in model.offer.types.values():
            start = span.start - rules.duration - rules.after + 1
            end = span.end + rules.before
            for primary in rules.primaries:
                if span.calendar in rules.calendars(primary):
                    yield from self._spots(rules, start, end, primary)

    def _spots(
        self, rules: TypeRules, start: int, end: int, primary: str | None = None
    ) -> Iterator[Spot]:
        """Yield the starts of a type in [start, end) that are asked for and may be open."""
        start = max(start, self._earliest + rules.notice)
        end = min(end, self._latest + rules.horizon + 1)
        primaries = rules.primaries if primary is None else (primary,)
        for asked_start, asked_end in self._asked_of(rules.type_id):
            first = max(start, asked_start)
            first += -first % rules.step
            for each in range(first, min(end, asked_end), rules.step):
                for calendar in primaries:
                    yield Spot(rules.type_id, calendar, each)

    def _asked_of(self, type_id: str) -> list[tuple[int, int]]:
        """Return the windows, without overlap, in which anybody asks for a type."""
        found = self._asked.get(type_id)
        if found is None:
            found = self._asked[type_id] = []
            for query in self._queries:
                if query.types and type_id not in query.types:
                    continue
                if found and query.start <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], query.end))
                else:
                    found.append((query.start, query.end))
        return found

    def _note_spot(self, model: Model, spot: Spot) -> None:
        rules = model.offer.types.get(spot.type_id)
        around: tuple[Taken, ...] = ()
        if rules is not None:
            around = (*model.around(rules, spot), *model.closures(rules, spot))
        versions = self._versions.get(spot)
        if versions is None:
            if not around:
                return
            versions = self._versions[spot] = _Versions()
        versions.revisions.append(model.revision)
        versions.arounds.append(around)
        for taken in around:
            if taken.expires is not None:
                self._expiries.add((taken.expires, spot))

    # When all is noted.

    def finish(self) -> None:
        """Make ready for questions."""
        self._sorted_expiries = sorted(self._expiries)

    def rules(self, type_id: str, revision: int) -> TypeRules | None:
        """Return what a type demanded at a revision; None: there was none."""
        revisions, states = self._rules.get(type_id, ((), ()))
        index = bisect_right(revisions, revision) - 1
        return None if index < 0 else states[index]

    def around(self, spot: Spot, revision: int) -> tuple[Taken, ...]:
        """Return what stood around a spot at a revision."""
        versions = self._versions.get(spot)
        if versions is None:
            return ()
        index = bisect_right(versions.revisions, revision) - 1
        return () if index < 0 else versions.arounds[index]

    def slot(self, query: Query, spot: Spot, revision: int, at: int) -> tuple[int, int]:
        """Return when the slot on a spot ends, and how many places are left; 0: it is not open."""
        rules = self.rules(spot.type_id, revision)
        if (
            rules is None
            or not at + rules.notice <= spot.first <= at + rules.horizon
            or spot.calendar not in rules.primaries
            or spot.first % rules.step
            or (query.duration is not None and query.duration != rules.duration)
        ):
            return 0, 0
        around = self.around(spot, revision)
        seats = seats_left(rules, spot.first, around, at, query.key) if around else rules.capacity
        return spot.first + rules.duration, seats

    def spots(self, query: Query, revision: int, at: int) -> Iterator[Spot]:
        """Yield the spots of a query that notice and horizon allow."""
        for rules, calendar in self.cells(query, revision):
            first = max(query.start, at + rules.notice)
            first += -first % rules.step
            for each in range(first, min(query.end, at + rules.horizon + 1), rules.step):
                yield Spot(rules.type_id, calendar, each)

    def cells(self, query: Query, revision: int) -> Iterator[tuple[TypeRules, str]]:
        """Yield the types of a query, each with the calendars on which its slots are shown."""
        for type_id in query.types or self._rules:
            rules = self.rules(type_id, revision)
            if rules is None:
                continue
            for calendar in rules.primaries:
                if not query.calendars or calendar in query.calendars:
                    yield rules, calendar

    def open_slots(self, revision: int, at: int, query: Query) -> dict[Slot, int]:
        """Return the open slots of a query at a revision and an instant, with the places left."""
        found = {}
        for spot in self.spots(query, revision, at):
            last, seats = self.slot(query, spot, revision, at)
            if seats:
                found[Slot(*spot, last)] = seats
        return found

    def moved_by_log(self, query: Query, after: int, revision: int) -> set[Spot]:
        """Return which spots of a query the changes after a revision may have moved."""
        touched = self.touched
        return {
            spot
            for number in range(after + 1, min(revision, self.revision) + 1)
            for spot in touched[number]
            if query.has(spot)
        }

    def moved_by_time(self, query: Query, revision: int, after: int, at: int) -> set[Spot]:
        """Return which spots of a query time alone may have moved between two instants."""
        expiries = self._sorted_expiries
        first = bisect_left(expiries, (after + 1,))
        last = bisect_left(expiries, (at + 1,))
        moved = {spot for _, spot in expiries[first:last] if query.has(spot)}
        for rules, calendar in self.cells(query, revision):
            passing = (after + rules.notice, at + rules.notice)
            coming = (after + rules.horizon + 1, at + rules.horizon + 1)
            for start, end in (passing, coming):
                each = max(start, query.start)
                each += -each % rules.step
                while each < min(end, query.end):
                    moved.add(Spot(rules.type_id, calendar, each))
                    each += rules.step
        return moved

    def next_event(self, query: Query, revision: int, after: int) -> int | None:
        """Return the next instant at which time alone may move a spot of a query."""
        expiries = self._sorted_expiries
        found = next(
            (
                expires
                for expires, spot in islice(expiries, bisect_left(expiries, (after + 1,)), None)
                if query.has(spot)
            ),
            None,
        )
        events = [] if found is None else [found]
        for rules, _ in self.cells(query, revision):
            # A start closes the instant after its notice, and opens at its horizon.
            for soonest, ahead in (
                (after + rules.notice, rules.notice - 1),
                (after + rules.horizon + 1, rules.horizon),
            ):
                first = max(soonest, query.start)
                first += -first % rules.step
                if first < query.end:
                    events.append(first - ahead)
        return min(events, default=None)

    def differences(
        self, query: Query, before: tuple[int, int], after: tuple[int, int]
    ) -> list[Spot]:
        """Return the spots that differ between two points (revision, instant)."""
        moved = self.moved_by_log(query, before[0], after[0])
        moved |= self.moved_by_time(query, after[0], before[1], after[1])
        return [
            spot
            for spot in moved
            if self._shows(query, spot, before) != self._shows(query, spot, after)
        ]

    def _shows(self, query: Query, spot: Spot, point: tuple[int, int]) -> tuple[int, int]:
        last, seats = self.slot(query, spot, *point)
        return (last, seats) if seats else (0, 0)


class View:
    """The open slots of a query as time and the log move on."""

    def __init__(self, timeline: Timeline, query: Query) -> None:
        """Begin before all."""
        self.timeline = timeline
        self.query = query
        self.open: dict[Slot, int] = {}
        self._at_spot: dict[Spot, Slot] = {}
        self._point: tuple[int, int] | None = None

    def move(self, revision: int, at: int) -> set[Slot]:
        """Go to a revision and an instant, and return the slots that were looked at."""
        timeline, query = self.timeline, self.query
        before, self._point = self._point, (revision, at)
        if before is None or revision < before[0] or at < before[1]:
            return self._begin(revision, at)
        moved = timeline.moved_by_log(query, before[0], revision)
        if at > before[1]:
            moved |= timeline.moved_by_time(query, revision, before[1], at)
        looked: set[Slot] = set()
        for spot in moved:
            last, seats = timeline.slot(query, spot, revision, at)
            old = self._at_spot.pop(spot, None)
            if old is not None:
                del self.open[old]
                looked.add(old)
            if seats:
                slot = self._at_spot[spot] = Slot(*spot, last)
                self.open[slot] = seats
                looked.add(slot)
        return looked

    def _begin(self, revision: int, at: int) -> set[Slot]:
        looked = set(self.open)
        self.open = self.timeline.open_slots(revision, at, self.query)
        self._at_spot = {Spot(*slot[:3]): slot for slot in self.open}
        return looked | set(self.open)
