"""The slots of the business that a run makes: a plain grid, so that none is asked for twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

STEP_SECONDS = 900
PER_DAY = 96
DAY_SECONDS = PER_DAY * STEP_SECONDS
TYPE_ID = "visit"


class Place(NamedTuple):
    """One slot: a calendar, and a start in seconds since 1970."""

    calendar: str
    start: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """All slots of some calendars that are open day and night; slot i is on calendar i mod n."""

    business: str
    calendars: tuple[str, ...]
    first_start: int
    days: int

    def __len__(self) -> int:
        return len(self.calendars) * self.days * PER_DAY

    @property
    def parent(self) -> str:
        """The business's name on the wire."""
        return f"businesses/{self.business}"

    @property
    def type_name(self) -> str:
        """The appointment type's name on the wire."""
        return f"{self.parent}/appointmentTypes/{TYPE_ID}"

    def place(self, index: int) -> Place:
        """Return where slot `index` is."""
        assert 0 <= index < len(self), "The grid has no such slot."
        step, calendar = divmod(index, len(self.calendars))
        return Place(self.calendars[calendar], self.first_start + step * STEP_SECONDS)

    def calendar_name(self, calendar: str) -> str:
        """Return a calendar's name on the wire."""
        return f"{self.parent}/calendars/{calendar}"

    def day_of(self, index: int) -> int:
        """Return which day of the grid, from 0, a slot is on."""
        return index // (len(self.calendars) * PER_DAY)

    def days_used(self, indexes_used: int) -> int:
        """Return how many days the first so many slots are spread over."""
        return 0 if indexes_used == 0 else self.day_of(indexes_used - 1) + 1


class Cursor:
    """Hands out each slot of a grid once."""

    def __init__(self, grid: Grid) -> None:
        """Begin at the first slot."""
        self.grid = grid
        self.used = 0

    def take(self, count: int) -> range:
        """Return the next so many slots."""
        first = self.used
        if first + count > len(self.grid):
            raise ValueError(f"The grid has {len(self.grid)} slots, and {first + count} are asked.")
        self.used += count
        return range(first, self.used)

    def give_back(self, used: int) -> None:
        """Take back slots that were handed out and not reached."""
        self.used = min(self.used, used)

    def skip_to_day(self) -> int:
        """Leave out the rest of a day that was begun; return the day, from 0, that comes next."""
        per_day = len(self.grid.calendars) * PER_DAY
        day = -(-self.used // per_day)
        self.used = day * per_day
        return day


def split(indexes: range, parts: int) -> Iterator[range]:
    """Deal slots to so many workers, in turn."""
    for part in range(parts):
        yield indexes[part::parts]
