"""All orders in which two sessions can take their steps, one after another.

Where a step may be taken before or after one that it commutes with, only one of the two is tried:
both lead to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.robustness.isolation.turns import Kind, Side, Step


@dataclass(slots=True)
class _Fork:
    """A place where both could go on: who did, and who has not yet been tried."""

    taken: int
    untried: list[int]


class Orders:
    """Chooses who goes on, in another way each time; `next` says whether there is one more.

    `taken` are the steps of this order so far.
    """

    def __init__(self) -> None:
        """Begin with the order in which the first goes on wherever it can."""
        self.count = 0
        self.taken: list[tuple[Side, Step]] = []
        self._forks: list[_Fork] = []
        self._depth = 0

    def next(self) -> bool:
        """Go to the next order."""
        # What was not come by in the last one is no place in the next.
        del self._forks[self._depth :]
        while self._forks and not self._forks[-1].untried:
            self._forks.pop()
        if self._forks:
            self._forks[-1].taken = self._forks[-1].untried.pop()
        elif self.count:
            return False
        self.count += 1
        self._depth = 0
        self.taken = []
        return True

    def choose(self, ready: Sequence[Side]) -> Side:
        """Say who goes on."""
        if len(ready) == 1:
            chosen = ready[0]
        elif self._is_tried_the_other_way(ready[0]):
            chosen = ready[1]
        else:
            chosen = ready[self._at_fork()]
        assert chosen.next_step is not None
        self.taken.append((chosen, chosen.next_step))
        return chosen

    @property
    def is_serial(self) -> bool:
        """Say whether, in this order, one began when the other had ended."""
        sides = [side.number for side, step in self.taken if step.kind is not Kind.LOCK]
        return sides in (sorted(sides), sorted(sides, reverse=True))

    def _at_fork(self) -> int:
        if self._depth == len(self._forks):
            self._forks.append(_Fork(0, [1]))
        self._depth += 1
        return self._forks[self._depth - 1].taken

    def _is_tried_the_other_way(self, side: Side) -> bool:
        """Say whether a step of the first commutes with what the second did just before it."""
        if not self.taken or self.taken[-1][0] is side:
            return False
        assert side.next_step is not None
        return side.next_step.commutes_with(self.taken[-1][1])
