"""Exploring: all states that a model can come to, nearest first. Runs with nothing but Python.

A model has a first state; actions, each of which says in words what happens and to which state it
leads; and invariants, each with the promise that it stands for. What is found wrong is told by the
shortest way that leads there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

STATES_MAX = 2_000_000
"""An exploration that comes to more gives up, and says so by raising."""


S = TypeVar("S", bound=Hashable)


class Step(NamedTuple, Generic[S]):
    """What happens, and the state after it."""

    text: str
    state: S


class Broken(NamedTuple):
    """A promise that a state breaks, and how."""

    promise: str
    text: str


class Model(Protocol[S]):
    """What can be explored."""

    def first(self) -> S:
        """Return the state in which all begins."""

    def steps(self, state: S) -> Iterator[Step[S]]:
        """Yield what may happen next."""

    def broken(self, state: S) -> Broken | None:
        """Return what is wrong with a state."""

    def is_settled(self, state: S) -> bool:
        """Say whether nothing more is wanted; from every state it must be possible to come here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exploration:
    """What was found. `trace` leads to what is broken, step by step."""

    states: int
    steps: int
    broken: Broken | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it for a person to read."""
        head = f"{self.states:,} states, {self.steps:,} steps"
        if self.broken is None:
            return f"{head}: every promise is kept"
        lines = [f"{number:3}. {text}" for number, text in enumerate(self.trace, start=1)]
        return "\n".join([f"{head}: {self.broken.promise}: {self.broken.text}", *lines])


def explore(model: Model[S]) -> Exploration:
    """Visit all states; stop at the first that breaks a promise."""
    first = model.first()
    numbers = {first: 0}
    cameby: list[tuple[int, str]] = [(-1, "")]
    before: list[list[int]] = [[]]
    settled: list[int] = []
    waiting = deque([first])
    steps = 0
    while waiting:
        state = waiting.popleft()
        number = numbers[state]
        broken = model.broken(state)
        if broken is not None:
            trace = _trace(cameby, number)
            return Exploration(states=len(numbers), steps=steps, broken=broken, trace=trace)
        if model.is_settled(state):
            settled.append(number)
        for step in model.steps(state):
            steps += 1
            next_number = numbers.get(step.state)
            if next_number is None:
                next_number = numbers[step.state] = len(numbers)
                cameby.append((number, step.text))
                before.append([])
                waiting.append(step.state)
                if len(numbers) > STATES_MAX:
                    raise RuntimeError(f"There are more than {STATES_MAX} states.")
            before[next_number].append(number)
    stuck = _first_stuck(before, settled)
    if stuck is None:
        return Exploration(states=len(numbers), steps=steps)
    return Exploration(
        states=len(numbers),
        steps=steps,
        broken=Broken("an end", "from here nothing leads to where all is settled"),
        trace=_trace(cameby, stuck),
    )


def _trace(cameby: list[tuple[int, str]], number: int) -> tuple[str, ...]:
    texts: list[str] = []
    while number:
        number, text = cameby[number]
        texts.append(text)
    return tuple(reversed(texts))


def _first_stuck(before: list[list[int]], settled: Iterable[int]) -> int | None:
    """Return the nearest state from which none that is settled can be reached."""
    can = [False] * len(before)
    waiting = deque(settled)
    for number in waiting:
        can[number] = True
    while waiting:
        for number in before[waiting.popleft()]:
            if not can[number]:
                can[number] = True
                waiting.append(number)
    return next((number for number, it_can in enumerate(can) if not it_can), None)
