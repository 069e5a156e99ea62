"""Worker processes: started anew, told when to begin, and ended in any case."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar, cast

import uvloop

from loadtest.gate import Crashed, Done, Finish, Finished, Gate, Go, Line, PipeGate, Ready

PREPARE_SECONDS_MAX = 60.0
"""So long a worker may take to start and to connect."""
START_IN_NS = 100_000_000
END_SECONDS_MAX = 5.0
# Forking a process that has talked gRPC does not work.
SPAWN = multiprocessing.get_context("spawn")

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
OnDone = Callable[[int], None]


class WorkerFailed(Exception):
    """A worker process ended before its time, or did not end in time."""


class Job(Protocol[R_co]):
    """What a worker does. It is sent to the worker's process, so it is plain data."""

    async def run(self, gate: Gate) -> R_co:
        """Do it."""


class Crew(Generic[R]):
    """Some workers, each a process with a job of its own."""

    def __init__(self, jobs: Sequence[Job[R]]) -> None:
        """Start nothing yet."""
        self._jobs = jobs
        self._workers: list[tuple[SpawnProcess, Line]] = []

    def __enter__(self) -> Self:
        """Start the workers, and return when all are prepared."""
        try:
            for job in self._jobs:
                ours, theirs = _open_line()
                process = SPAWN.Process(target=work, args=(theirs, job), daemon=True)
                process.start()
                theirs.close()
                self._workers.append((process, ours))
            self._receive(Ready, PREPARE_SECONDS_MAX, _ignore)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def go(self, start_ns: int | None = None) -> int:
        """Let all begin at the same instant; return it."""
        start_ns = time.monotonic_ns() + START_IN_NS if start_ns is None else start_ns
        self._tell(Go(start_ns))
        return start_ns

    def finish(self, revision: int) -> None:
        """Tell those that look on when to end."""
        self._tell(Finish(revision))

    def results(self, seconds_max: float, on_done: OnDone) -> list[R]:
        """Return what the workers have seen, in the order of their jobs."""
        finished = self._receive(Finished, seconds_max, on_done)
        return [cast("Finished", message).result for message in finished]

    def _tell(self, order: Go | Finish) -> None:
        for _, line in self._workers:
            try:
                line.orders.send(order)
            except OSError:
                raise WorkerFailed("A worker has ended without a word.") from None

    def _receive(self, kind: type[Any], seconds_max: float, on_done: OnDone) -> list[object]:
        """Wait until each worker has sent a message of a kind."""
        deadline = time.monotonic() + seconds_max
        waiting = {line.reports: number for number, (_, line) in enumerate(self._workers)}
        received: dict[int, object] = {}
        while waiting:
            speaking = wait(list(waiting), timeout=deadline - time.monotonic())
            if not speaking:
                raise WorkerFailed(f"{len(waiting)} workers took longer than {seconds_max:g} s.")
            for pipe in speaking:
                assert isinstance(pipe, Connection)
                message = _next_message(pipe)
                if isinstance(message, Done):
                    on_done(message.count)
                elif isinstance(message, kind):
                    received[waiting.pop(pipe)] = message
        return [received[number] for number in range(len(self._workers))]

    def _end(self) -> None:
        for process, line in self._workers:
            line.close()
            process.join(END_SECONDS_MAX)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._workers.clear()


def work(line: Line, job: Job[Any]) -> None:
    """Do a job in a process of its own; the first thing that the process calls."""
    # Ctrl-C is for the process that started us; it ends us in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = uvloop.run(_work(line, job))
    except Exception as error:  # whatever it is, it is told to whoever waits for the result
        line.reports.send(Crashed(f"{type(error).__name__}: {error}"))
    else:
        line.reports.send(Finished(result))


async def _work(line: Line, job: Job[R]) -> R:
    gate = PipeGate(line)
    gate.open()
    try:
        return await job.run(gate)
    finally:
        gate.close()


def _next_message(pipe: Connection) -> object:
    try:
        message = pipe.recv()
    except (EOFError, OSError):
        raise WorkerFailed("A worker has ended without a word.") from None
    if isinstance(message, Crashed):
        raise WorkerFailed(f"A worker has failed: {message.reason}")
    return message


def _open_line() -> tuple[Line, Line]:
    """Return our side of a line and the worker's."""
    their_orders, our_orders = SPAWN.Pipe(duplex=False)
    our_reports, their_reports = SPAWN.Pipe(duplex=False)
    return Line(our_orders, our_reports), Line(their_orders, their_reports)


def _ignore(_count: int) -> None:
    pass
