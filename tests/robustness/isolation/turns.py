"""Two sessions that send their next statement in turn, as in PostgreSQL's own isolation tester.

Steps are BEGIN with the first read, each write, COMMIT, and the wait for the business's lock. The
reads after the first belong to its step, and nothing is lost by it: whenever they are sent, they
see the snapshot that the first one took, and SERIALIZABLE notes in either order that this one has
read what that one writes. Under READ COMMITTED each statement has a snapshot of its own, and is a
step of its own. A session that waits for the other is known by what PostgreSQL says of it, never by
time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from enum import Enum
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import event
from sqlalchemy.util.concurrency import await_

from service.store.database import Database
from service.store.tables import metadata

_WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")


class Kind(Enum):
    """What a step is."""

    LOCK = "waits for the business"
    BEGIN = "begins and reads"
    STATEMENT = "reads or writes"
    COMMIT = "commits"


class Step(NamedTuple):
    """What a session is about to send, and which tables it writes."""

    kind: Kind
    tables: frozenset[str] = frozenset()

    def commutes_with(self, other: Step) -> bool:
        """Say whether two steps of different sessions come to the same, whichever is first.

        Two writes to different tables do: they share no row, no key and no constraint. So do a
        snapshot and a write: it is not shown before its commit, and that it was read is noted in
        either order. To wait for the business is a matter of when the other is through.
        """
        kinds = {self.kind, other.kind}
        return Kind.COMMIT not in kinds and kinds != {Kind.LOCK} and not self.tables & other.tables


class Side:
    """One of the two: a database of one connection, and what it is about to send."""

    def __init__(self, number: int, database: Database) -> None:
        """Let the statements of a database wait for their turn."""
        self.number = number
        self.database = database
        self.pid = 0
        self.next_step: Step | None = None
        self._task: asyncio.Task[Any] | None = None
        self._turn: asyncio.Future[None] | None = None
        self._is_in_snapshot = False
        _listen(database)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin; the first statement waits already."""

        async def run() -> Any:
            _side.set(self)
            return await work

        self._is_in_snapshot = False
        self._task = asyncio.create_task(run())

    @property
    def has_ended(self) -> bool:
        """Say whether its work is done, or has failed."""
        return self._task is not None and self._task.done()

    @property
    def has_stopped(self) -> bool:
        """Say whether it has ended or waits for its turn."""
        return self.next_step is not None or self.has_ended

    def result(self) -> Any:
        """Return what became of the work: its result, or what it failed with."""
        assert self._task is not None
        return self._task.exception() or self._task.result()

    def go_on(self) -> None:
        """Let it send its next step."""
        assert self._turn is not None
        self.next_step = None
        self._turn.set_result(None)

    async def take_turn(self, step: Step, pid: int) -> None:
        """Wait until the step may be sent."""
        self.pid = pid
        self.next_step = step
        self._turn = asyncio.get_running_loop().create_future()
        await self._turn

    async def reach_statement(self, statement: str, pid: int, *, is_snapshot: bool) -> None:
        """Come to a statement of a transaction."""
        tables = frozenset(_WRITTEN.findall(statement)) & metadata.tables.keys()
        if not self._is_in_snapshot:
            self._is_in_snapshot = True
            await self.take_turn(Step(Kind.BEGIN, tables), pid)
        elif tables or not is_snapshot:
            await self.take_turn(Step(Kind.STATEMENT, tables), pid)

    async def reach_commit(self, pid: int) -> None:
        """Come to the end of a transaction."""
        self._is_in_snapshot = False
        await self.take_turn(Step(Kind.COMMIT), pid)


_side: ContextVar[Side | None] = ContextVar("side", default=None)
"""Whose turn the running code waits for; None: nobody's."""


async def reach_lock(pid: int) -> None:
    """Come to where the lock of the business is taken."""
    if side := _side.get():
        await side.take_turn(Step(Kind.LOCK), pid)


def _listen(database: Database) -> None:
    engine = database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def before_statement(connection, cursor, statement, *_) -> None:
        if side := _side.get():
            options = connection.get_execution_options()
            is_snapshot = options.get("isolation_level") != "READ COMMITTED"
            await_(side.reach_statement(statement, _pid(connection), is_snapshot=is_snapshot))

    @event.listens_for(engine, "commit")
    def before_commit(connection) -> None:
        if side := _side.get():
            await_(side.reach_commit(_pid(connection)))


def _pid(connection: Any) -> int:
    pid = connection.connection.driver_connection.get_server_pid()
    assert isinstance(pid, int)
    return pid


Choose = Callable[[Sequence[Side]], Side]
"""Says which of those that could go on does."""


async def play(sides: Sequence[Side], choose: Choose, referee: asyncpg.Connection) -> int:
    """Let them take turns until both have ended; return how often one had to wait for the other."""
    waits = 0
    while not all(side.has_ended for side in sides):
        waits += await _settle(sides, referee)
        ready = [side for side in sides if side.next_step is not None]
        if ready:
            choose(ready).go_on()
    return waits


async def _settle(sides: Sequence[Side], referee: asyncpg.Connection) -> int:
    """Wait until each has ended, waits for its turn, or waits for the other; count the last."""
    blocked = 0
    for side in sides:
        is_blocked = False
        while not (side.has_stopped or is_blocked):
            is_blocked = await referee.fetchval(
                "SELECT pg_isolation_test_session_is_blocked($1, $2)",
                side.pid,
                [other.pid for other in sides],
            )
        blocked += is_blocked
    return blocked
