"""The awaits of a coroutine, counted: something happens to it at the k-th of them, for every k.

A coroutine and all that it awaits, through SQLAlchemy's greenlets and down to asyncpg's futures, is
one chain: what suspends anywhere in it comes by here.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator
from enum import Enum
from typing import Any

Steps = Generator[Any, Any, Any]


class Moment(Enum):
    """When it happens: while what is awaited is not there yet, or when it has just come.

    In the second case whoever awaits it has not learnt of it: a statement has been done, a commit
    too, and nobody here knows.
    """

    WAITING = "waiting"
    ARRIVED = "arrived"


class Meddled(ABC):
    """A coroutine with which something meddles at its await of one number, counted from 1."""

    # Whether it meddles with all awaits after that one too.
    _goes_on = False

    def __init__(self, awaited: Awaitable[Any], number: int, moment: Moment) -> None:
        """Take what is awaited, and where to meddle with it."""
        self._awaited = awaited
        self.number = number
        self.moment = moment
        self.awaits = 0

    @property
    def is_through(self) -> bool:
        """Say whether there was no await of that number."""
        return self.awaits < self.number

    def __await__(self) -> Steps:
        """Run it, in the task that awaits this."""
        steps = self._awaited.__await__()
        answer: Any = None
        failure: BaseException | None = None
        while True:
            try:
                waited_for = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as stop:
                return stop.value
            self.awaits += 1
            answer, failure = None, None
            try:
                if self.awaits == self.number or (self.awaits > self.number and self._goes_on):
                    answer = yield from self._meddle(waited_for)
                else:
                    answer = yield waited_for
            except BaseException as error:
                failure = error

    @abstractmethod
    def _meddle(self, waited_for: Any) -> Steps:
        """Wait for what is awaited, and do the deed before or after."""


class Cancelled(Meddled):
    """One at whose k-th await a task is cancelled: its own, or the one named."""

    def __init__(
        self,
        awaited: Awaitable[Any],
        number: int,
        moment: Moment,
        victim: asyncio.Task[Any] | None = None,
    ) -> None:
        """Take the task as well."""
        super().__init__(awaited, number, moment)
        self._victim = victim

    def _meddle(self, waited_for: Any) -> Steps:
        victim = self._victim or asyncio.current_task()
        assert victim is not None
        if self.moment is Moment.ARRIVED and isinstance(waited_for, asyncio.Future):
            # It is told before the task is.
            waited_for.add_done_callback(lambda _: victim.cancel())
        else:
            victim.cancel()
        return (yield waited_for)


class CancelledAgainAndAgain(Cancelled):
    """One that is cancelled at its k-th await, and at each await with which it cleans up."""

    _goes_on = True


class Broken(Meddled):
    """One at whose k-th await something is done to the world around it, which may take a while."""

    def __init__(
        self,
        awaited: Awaitable[Any],
        number: int,
        moment: Moment,
        deed: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the deed as well."""
        super().__init__(awaited, number, moment)
        self._deed = deed

    def _meddle(self, waited_for: Any) -> Steps:
        if self.moment is Moment.WAITING:
            yield from self._deed().__await__()
            return (yield waited_for)
        answer = yield waited_for
        yield from self._deed().__await__()
        return answer
