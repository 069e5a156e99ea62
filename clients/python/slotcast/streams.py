"""Streams from the server that are opened again when they end, resuming where they were."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

import grpc

from slotcast.calls import Calls, open_call
from slotcast.error_details import error_of_call
from slotcast.errors import ClientClosed, SlotcastError, StreamBroken
from slotcast.freshness import Freshness
from slotcast.v1.availability_service_pb2 import WatchAvailabilityResponse
from slotcast.v1.booking_service_pb2 import WatchBookingsResponse

LASTING_CODES = (
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
)
"""With these, asking again as before gets the same answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stale:
    """Nothing was heard for too long: what was told is no longer known to be so.

    `as_of` is the last instant, by the server's clock, at which it was; None: it never was. `cause`
    is why the last stream ended, or None where it fell silent or the server began anew.
    """

    as_of: datetime | None
    cause: SlotcastError | None


AnyFrame = TypeVar("AnyFrame", WatchAvailabilityResponse, WatchBookingsResponse)


class ResumingStream(ABC, Generic[AnyFrame]):
    """Reads in a task of its own while the block lasts, so that nothing waits for who iterates.

    A stream that ends, breaks or falls silent is opened again, after a pause with jitter. It is
    given up, and the error raised to who iterates, when asking again would not help, or when
    nothing was heard for `Timeouts.outage_seconds_max`.
    """

    def __init__(self, calls: Calls) -> None:
        """Open nothing yet."""
        self._calls = calls
        self._clock = calls.timeouts.clock
        self._freshness = Freshness(self._clock)
        self._heard_at = self._clock.monotonic()
        self._cause: SlotcastError | None = None
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @abstractmethod
    def _open(self) -> grpc.aio.UnaryStreamCall[Any, AnyFrame]:
        """Ask for a stream that goes on after what was read."""

    @abstractmethod
    async def _take(self, frame: AnyFrame, stale_after_seconds: float) -> None:
        """Take a frame in."""

    def _heals(self, error: SlotcastError) -> bool:
        """Prepare to ask again; False: that would not help."""
        return error.code not in LASTING_CODES and not isinstance(error, ClientClosed)

    @property
    def is_stale(self) -> bool:
        """True: what was told is not known to be so now."""
        return self._freshness.seconds_left <= 0

    async def __aenter__(self) -> Self:
        if self._reader is not None:
            raise RuntimeError("A stream is entered once: ask the client for another.")
        self._reader = asyncio.create_task(self._read_all())
        self._reader.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        reader = self._running()
        reader.cancel()
        await asyncio.wait((reader,))
        if not reader.cancelled():
            reader.exception()  # it was raised to who iterates, or nobody asked
        self._freshness.lapse()

    async def _news(self) -> None:
        """Wait until something was read or has failed, or what was told grows stale."""
        left = self._freshness.seconds_left
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(left if left > 0 else None):
                await self._changed.wait()

    def _raise_if_over(self) -> None:
        reader = self._running()
        if not reader.done():
            return
        self._freshness.lapse()
        error = None if reader.cancelled() else reader.exception()
        raise error or ClientClosed()

    def _running(self) -> asyncio.Task[None]:
        if self._reader is None:
            raise RuntimeError("Enter the stream first: `async with ... as view`.")
        return self._reader

    async def _read_all(self) -> None:
        timeouts = self._calls.timeouts
        failures, self._heard_at = 0, self._clock.monotonic()
        while True:
            opened_at = self._clock.monotonic()
            try:
                retry_after: timedelta | None = await self._read_one()
            except SlotcastError as error:
                silent_seconds = self._clock.monotonic() - self._heard_at
                if not self._heals(error) or silent_seconds > timeouts.outage_seconds_max:
                    raise
                retry_after = error.retry_after
                self._cause = error
                self._changed.set()
            # A stream that lasted was no failure; one that ends at once, again and again, is.
            lasted = self._clock.monotonic() - opened_at > timeouts.back_off_seconds_max
            failures = 1 if lasted else failures + 1
            await self._clock.sleep(timeouts.pause_seconds(failures, retry_after))

    async def _read_one(self) -> timedelta:
        """Read a stream to its goodbye, and return how long it asks to wait before the next one."""
        stale_after = self._calls.timeouts.silence_seconds_max
        self._freshness.begin_stream()
        call = open_call(self._open)
        try:
            while True:
                frame = await self._next_frame(call, stale_after)
                stale_after = frame.stale_after.ToMilliseconds() / 1000 or stale_after
                await self._take(frame, stale_after)
                self._heard_at, self._cause = self._clock.monotonic(), None
                self._changed.set()
                if frame.WhichOneof("frame") == "goodbye":
                    # However long the server asks for, what was told must not grow stale meanwhile.
                    longest = timedelta(seconds=stale_after / 2)
                    return min(frame.goodbye.retry_delay.ToTimedelta(), longest)
        finally:
            call.cancel()

    async def _next_frame(
        self, call: grpc.aio.UnaryStreamCall[Any, AnyFrame], silence_seconds: float
    ) -> AnyFrame:
        try:
            async with self._clock.timeout(silence_seconds):
                frame = await call.read()
        except TimeoutError:
            raise StreamBroken(f"Nothing was heard for {silence_seconds:g} s.") from None
        except grpc.aio.AioRpcError as failure:
            raise error_of_call(failure) from failure
        if frame is grpc.aio.EOF:
            raise StreamBroken("The stream ended without a goodbye.")
        return cast(AnyFrame, frame)
