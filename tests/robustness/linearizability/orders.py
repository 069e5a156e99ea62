"""The search: is there an order of overlapping operations that explains all their answers?

An operation happens at one instant between its beginning and its answer; one of which nothing is
known may happen at any instant after its beginning, or never. The search goes forward: it takes up
any operation before which no other must have happened, and steps back where none fits. Where it has
come by the same operations to the same state, it does not go on again (Wing and Gong; Lowe).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from tests.robustness.linearizability.cell import EMPTY, Move, State

STEPS_MAX = 2_000_000
"""So often the search tries an operation before it gives up on a cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """What one operation did to one cell, or saw there: one of `variants`, each some moves.

    It is not before the operation with the key `after`, nor after the one with the key `unless`.
    One that is optional may never happen; of those that are alike it does not matter which does.
    """

    key: Hashable
    began: float
    ended: float
    variants: tuple[tuple[Move, ...], ...]
    text: str
    calls: tuple[int, ...] = ()
    is_optional: bool = False
    is_read: bool = False
    after: Hashable = None
    unless: Hashable = None
    likeness: Hashable = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether an order was found. `blocked` is the answer that none could pass, from `states`."""

    is_linearizable: bool
    is_decided: bool = True
    steps: int = 0
    blocked: Operation | None = None
    states: tuple[State, ...] = ()


def find_order(operations: Sequence[Operation], steps_max: int = STEPS_MAX) -> Verdict:
    """Look for an order."""
    return _Search(operations, steps_max).run()


class _Node(NamedTuple):
    """Which operations have happened (those that had to, those that could), and what is then.

    All those that had to and are before `first` have happened.
    """

    done: int
    optional_done: int
    state: State
    first: int


class _Search:
    def __init__(self, operations: Sequence[Operation], steps_max: int) -> None:
        in_order = sorted(operations, key=lambda each: each.began)
        self._required = [each for each in in_order if not each.is_optional]
        self._optional = [each for each in in_order if each.is_optional]
        self._bits: dict[Hashable, tuple[bool, int]] = {}
        for is_optional, some in ((False, self._required), (True, self._optional)):
            for index, each in enumerate(some):
                self._bits[each.key] = (is_optional, 1 << index)
        self._alike_before = _alike_before(self._optional)
        self._steps_max = steps_max
        self._frontier = -inf
        self._blocked: Operation | None = None
        self._states: set[State] = set()

    def run(self) -> Verdict:
        all_done = (1 << len(self._required)) - 1
        root = self._absorb(_Node(0, 0, EMPTY, 0))
        seen = {root[:3]}
        ways = [self._next(root)] if root.done != all_done else []
        is_found, steps = not ways, 0
        while ways and not is_found and steps < self._steps_max:
            node = next(ways[-1], None)
            if node is None:
                ways.pop()
                continue
            steps += 1
            node = self._absorb(node)
            if node[:3] not in seen:
                seen.add(node[:3])
                is_found = node.done == all_done
                ways.append(self._next(node))
        return Verdict(
            is_linearizable=is_found,
            is_decided=is_found or not ways,
            steps=steps,
            blocked=None if is_found else self._blocked,
            states=() if is_found else tuple(sorted(self._states)[:5]),
        )

    def _absorb(self, node: _Node) -> _Node:
        """Let all reads happen that can: none of them can ever be in the way of anything."""
        done, first = node.done, node.first
        while True:
            candidates, _ = self._candidates(done, first)
            before = done
            for index in candidates:
                each = self._required[index]
                if each.is_read and self._may_be(each, done, node.optional_done):
                    (moves,) = each.variants
                    done |= (_after(moves, node.state) is not None) << index
            while done >> first & 1:
                first += 1
            if done == before:
                return node._replace(done=done, first=first)

    def _next(self, node: _Node) -> Iterator[_Node]:
        """Yield what can be one operation later; first what was answered first."""
        candidates, bound = self._candidates(node.done, node.first)
        self._note(bound, candidates, node.state)
        for index in sorted(candidates, key=lambda index: self._required[index].ended):
            each = self._required[index]
            if each.is_read or not self._may_be(each, node.done, node.optional_done):
                continue
            done, first = node.done | 1 << index, node.first
            while done >> first & 1:
                first += 1
            for moves in each.variants:
                state = _after(moves, node.state)
                if state is not None:
                    yield _Node(done, node.optional_done, state, first)
        for index, each in enumerate(self._optional):
            if each.began > bound:
                break
            if self._may_happen(index, node):
                for moves in each.variants:
                    state = _after(moves, node.state)
                    # What would change nothing need not have happened.
                    if state is not None and state != node.state:
                        yield node._replace(
                            optional_done=node.optional_done | 1 << index, state=state
                        )

    def _candidates(self, done: int, first: int) -> tuple[list[int], float]:
        """Return those that had to happen, have not, and need wait for no other; and until when."""
        found: list[int] = []
        bound = inf
        for index in range(first, len(self._required)):
            each = self._required[index]
            if each.began > bound:
                break
            if not done >> index & 1:
                found.append(index)
                bound = min(bound, each.ended)
        return [index for index in found if self._required[index].began <= bound], bound

    def _may_happen(self, index: int, node: _Node) -> bool:
        earlier = self._alike_before[index]
        is_next = earlier is None or bool(node.optional_done >> earlier & 1)
        is_done = bool(node.optional_done >> index & 1)
        return (
            not is_done
            and is_next
            and self._may_be(self._optional[index], node.done, node.optional_done)
        )

    def _may_be(self, each: Operation, done: int, optional_done: int) -> bool:
        if each.after is not None and not self._has_happened(each.after, done, optional_done):
            return False
        return each.unless is None or not self._has_happened(each.unless, done, optional_done)

    def _has_happened(self, key: Hashable, done: int, optional_done: int) -> bool:
        is_optional, bit = self._bits.get(key, (False, 0))
        return bool((optional_done if is_optional else done) & bit)

    def _note(self, bound: float, candidates: list[int], state: State) -> None:
        """Remember how far it has come: past no answer beyond this one."""
        if bound > self._frontier:
            self._frontier, self._states = bound, set()
            self._blocked = min(
                (self._required[index] for index in candidates), key=lambda each: each.ended
            )
        if bound == self._frontier:
            self._states.add(state)


def _after(moves: tuple[Move, ...], state: State) -> State | None:
    after: State | None = state
    for move in moves:
        if after is None:
            return None
        after = move.on(after)
    return after


def _alike_before(optional: Sequence[Operation]) -> list[int | None]:
    """Return for each the one before it that is like it: it goes first, so few orders differ."""
    last: dict[Hashable, int] = {}
    found: list[int | None] = []
    for index, each in enumerate(optional):
        found.append(None if each.likeness is None else last.get(each.likeness))
        if each.likeness is not None:
            last[each.likeness] = index
    return found
