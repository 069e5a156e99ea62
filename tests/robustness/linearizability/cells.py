"""The cells of a history: its calendars, cut at every boundary of what it knows to lie on them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from tests.robustness.catalogue import TYPES, Rules
from tests.robustness.linearizability.ground import Ground, Place, Span

_MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)


class Cell(NamedTuple):
    """A stretch of a calendar that no boundary divides."""

    calendar: str
    start: datetime
    end: datetime


class CellMap:
    """Finds the cells that a stretch of time covers or touches."""

    def __init__(self, spans: Iterable[Span]) -> None:
        """Cut calendars into cells. Time on which nothing can lie is in no cell."""
        by_calendar: dict[str, set[Span]] = defaultdict(set)
        for span in spans:
            by_calendar[span.calendar].add(span)
        self._cells: dict[str, list[Cell]] = {}
        for calendar, some in by_calendar.items():
            edges = sorted({edge for span in some for edge in (span.start, span.end)})
            cells = [Cell(calendar, *between) for between in pairwise(edges)]
            starts = [cell.start for cell in cells]
            covered = {
                index
                for span in some
                for index in range(bisect_left(starts, span.start), bisect_left(starts, span.end))
            }
            self._cells[calendar] = [cells[index] for index in sorted(covered)]
        self._ends = {
            calendar: [cell.end for cell in cells] for calendar, cells in self._cells.items()
        }

    @property
    def all(self) -> list[Cell]:
        """All of them."""
        return [cell for cells in self._cells.values() for cell in cells]

    def touched(self, span: Span) -> list[Cell]:
        """Return the cells that share an instant with a stretch."""
        cells = self._cells.get(span.calendar, [])
        if not cells:
            return []
        found: list[Cell] = []
        for index in range(bisect_right(self._ends[span.calendar], span.start), len(cells)):
            if cells[index].start >= span.end:
                break
            found.append(cells[index])
        return found

    def alone(self, ground: Ground, place: Place) -> Cell | None:
        """Return the one cell that a place takes, if nothing but it can be in the place's way."""
        type_ = ground.types[place.type_id]
        buffers = ground.buffers.ever(place.type_id)
        if len(place.calendars) > 1 or type_.seats_max > 1 or any(buffers):
            return None
        cells = [cell for span in ground.spans(place, buffers) for cell in self.touched(span)]
        return cells[0] if len(cells) == 1 else None

    def lone_places(self, ground: Ground) -> dict[Cell, list[Place]]:
        """Return for each cell the places that take no other."""
        return {
            cell: [
                place
                for type_id, rules in TYPES.items()
                if cell.calendar in rules.any_of and not rules.all_of
                for place in _places_at(type_id, rules, cell)
                if self.alone(ground, place) == cell
            ]
            for cell in self.all
        }


def _places_at(type_id: str, rules: Rules, cell: Cell) -> list[Place]:
    steps = (cell.start - _MIDNIGHT) // rules.step
    places = []
    while (start := _MIDNIGHT + steps * rules.step) < cell.end:
        places.append(Place(type_id, (cell.calendar,), start))
        steps += 1
    return places
