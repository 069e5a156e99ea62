"""Calls with a deadline, tried again where that can help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import uuid4

import grpc

from slotcast.error_details import error_of_call
from slotcast.errors import ClientClosed, SlotcastError
from slotcast.timeouts import Timeouts

Request = TypeVar("Request")
Response = TypeVar("Response")


def new_request_id(request_id: str | None) -> str:
    """Return the caller's own, or a new one. Chosen before the first attempt, it stays."""
    return request_id or uuid4().hex


def open_call(opening: Callable[[], Response]) -> Response:
    """Open a call of any kind. ClientClosed: its channel was."""
    try:
        return opening()
    except grpc.aio.UsageError as closed:
        raise ClientClosed from closed


class Calls:
    """Makes the calls of one client: all of them carry its key."""

    def __init__(self, metadata: Sequence[tuple[str, str]], timeouts: Timeouts) -> None:
        """Take what every call carries, and how patient to be."""
        self.metadata = tuple(metadata)
        self.timeouts = timeouts

    async def unary(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request
    ) -> Response:
        """Make a call that reads, or that is done once however often it is sent."""

        async def attempt(seconds: float) -> Response:
            call = open_call(lambda: method(request, timeout=seconds, metadata=self.metadata))
            try:
                return await call
            except grpc.aio.AioRpcError as failure:
                raise error_of_call(failure) from failure
            finally:
                call.cancel()

        return await self.persist(attempt)

    async def persist(self, attempt: Callable[[float], Awaitable[Response]]) -> Response:
        """Attempt, with so many seconds each time, until it succeeds or no attempt is left.

        Raises the last error: one that cannot be retried at once, others when all is used up.
        """
        timeouts, clock = self.timeouts, self.timeouts.clock
        ends_at = clock.monotonic() + timeouts.total_seconds
        failures = 0
        while True:
            left = max(ends_at - clock.monotonic(), 0.0)
            try:
                return await attempt(min(timeouts.attempt_seconds, left))
            except SlotcastError as error:
                failures += 1
                pause = timeouts.pause_seconds(failures, error.retry_after)
                in_time = clock.monotonic() + pause < ends_at
                if not (error.retryable and failures < timeouts.attempts_max and in_time):
                    raise
            await clock.sleep(pause)
