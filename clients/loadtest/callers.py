"""Workers that book: one call per booking, over streams, or all of them the same slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from loadtest.answers import (
    SLOT_TAKEN,
    Refusal,
    Requests,
    fault_of_booking,
    fault_of_refusal,
    refusal_of_call,
    refusal_of_status,
)
from loadtest.arrivals import closed_loop, due_times, open_loop
from loadtest.cpu import cpu_seconds
from loadtest.gate import Gate
from loadtest.grid import Grid
from loadtest.recording import Recording, Times
from loadtest.target import CALL_SECONDS_MAX, Metadata, metadata, open_channel
from slotcast.v1.booking_service_pb2 import (
    BookResponse,
    StreamBookingsRequest,
    StreamBookingsResponse,
)
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub

if TYPE_CHECKING:
    from slotcast.v1.booking_service_pb2_grpc import BookingServiceAsyncStub

CLIENTS = 64
"""So many clients of the chat backend each worker speaks for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where a worker asks: a server, and the grid whose slots it asks for."""

    target: str
    api_key: str
    worker: str
    grid: Grid
    channels: int

    def client(self, number: int) -> Metadata:
        """Return what goes along with the calls of one client."""
        return metadata(self.api_key, f"{self.worker}-{number}")


@asynccontextmanager
async def _stubs(desk: Desk) -> AsyncIterator[Sequence[BookingServiceAsyncStub]]:
    async with AsyncExitStack() as stack:
        channels = [open_channel(desk.target) for _ in range(desk.channels)]
        for channel in channels:
            await stack.enter_async_context(channel)
        async with asyncio.timeout(CALL_SECONDS_MAX):
            await asyncio.gather(*(channel.channel_ready() for channel in channels))
        yield [BookingServiceStub(channel) for channel in channels]


@dataclass(slots=True)
class _Booth:
    """What the calls of a worker have in common."""

    desk: Desk
    gate: Gate
    stubs: Sequence[BookingServiceAsyncStub]
    recording: Recording = field(default_factory=Recording)
    requests: Requests = field(init=False)
    clients: list[Metadata] = field(init=False)

    def __post_init__(self) -> None:
        self.requests = Requests(self.desk.grid)
        self.clients = [self.desk.client(number) for number in range(CLIENTS)]

    async def ask(self, index: int, request_id: str, caller: int) -> BookResponse | Refusal:
        """Ask for a slot by a call of its own."""
        request = self.requests.book(self.desk.grid.place(index), request_id)
        self.recording.reached = max(self.recording.reached, index + 1)
        try:
            return await self.stubs[caller % len(self.stubs)].Book(
                request, metadata=self.clients[caller % CLIENTS], timeout=CALL_SECONDS_MAX
            )
        except grpc.aio.AioRpcError as failure:
            return refusal_of_call(failure)

    def note(self, index: int, answer: BookResponse, times: Times) -> None:
        """Check an OK answer, and note the booking."""
        self.gate.done()
        self.recording.booked(index, answer.revision, times)
        fault = fault_of_booking(answer, self.desk.grid.place(index), self.desk.grid)
        if fault:
            self.recording.breaches.add(fault)

    async def book(self, index: int, due_ns: int) -> None:
        """Book a slot that nobody else asks for: any refusal is a failure."""
        sent_ns = time.monotonic_ns()
        answer = await self.ask(index, f"{self.desk.worker}-{index}", index)
        times = Times(due_ns, sent_ns, time.monotonic_ns())
        if isinstance(answer, Refusal):
            self.recording.failed(index, answer.reason)
        else:
            self.note(index, answer, times)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnaryJob:
    """Book distinct slots, each by a call; `rate` None: as soon as the last was answered."""

    desk: Desk
    indexes: range
    callers: int
    seconds: float
    rate: float | None = None
    seed: int = 0

    async def run(self, gate: Gate) -> Recording:
        async with _stubs(self.desk) as stubs:
            booth = _Booth(self.desk, gate, stubs)
            start_ns = await gate.ready()
            spent = cpu_seconds()
            await self._book(booth, start_ns)
            booth.recording.cpu_seconds = cpu_seconds() - spent
            return booth.recording

    async def _book(self, booth: _Booth, start_ns: int) -> None:
        if self.rate is None:
            until_ns = start_ns + round(self.seconds * 1e9)
            await closed_loop(self.indexes, booth.book, callers=self.callers, until_ns=until_ns)
            return
        booth.recording.not_sent = await open_loop(
            self.indexes,
            booth.book,
            due=due_times(self.rate, self.seconds, self.seed),
            in_flight_max=self.callers,
            start_ns=start_ns,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HotJob:
    """Let many callers race for one slot; the losers try on."""

    desk: Desk
    index: int
    callers: int
    attempts: int

    async def run(self, gate: Gate) -> Recording:
        async with _stubs(self.desk) as stubs:
            booth = _Booth(self.desk, gate, stubs)
            await gate.ready()
            spent = cpu_seconds()
            async with asyncio.TaskGroup() as group:
                for caller in range(self.callers):
                    group.create_task(self._race(booth, caller))
            booth.recording.cpu_seconds = cpu_seconds() - spent
            return booth.recording

    async def _race(self, booth: _Booth, caller: int) -> None:
        wanted = self.desk.grid.place(self.index)
        for attempt in range(self.attempts):
            sent_ns = time.monotonic_ns()
            request_id = f"{self.desk.worker}-{self.index}-{caller}-{attempt}"
            answer = await booth.ask(self.index, request_id, caller)
            times = Times(sent_ns, sent_ns, time.monotonic_ns())
            if isinstance(answer, BookResponse):
                booth.note(self.index, answer, times)
            elif answer.reason == SLOT_TAKEN:
                booth.gate.done()
                booth.recording.refused(times, is_bare=not answer.alternatives)
                if fault := fault_of_refusal(answer, wanted):
                    booth.recording.breaches.add(fault)
            else:
                booth.recording.failed(self.index, answer.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamJob:
    """Book distinct slots over a stream on each connection, with many in flight on each."""

    desk: Desk
    indexes: range
    in_flight: int
    seconds: float

    async def run(self, gate: Gate) -> Recording:
        async with _stubs(self.desk) as stubs:
            booth = _Booth(self.desk, gate, stubs)
            lines = [_Line(booth, stub, self.in_flight) for stub in stubs]
            start_ns = await gate.ready()
            spent = cpu_seconds()
            indexes, until_ns = iter(self.indexes), start_ns + round(self.seconds * 1e9)
            async with asyncio.TaskGroup() as group:
                for line in lines:
                    group.create_task(line.run(indexes, until_ns))
            booth.recording.cpu_seconds = cpu_seconds() - spent
            return booth.recording


class _Line:
    """One stream: a writer that stops when enough is in flight, and a reader."""

    def __init__(self, booth: _Booth, stub: BookingServiceAsyncStub, in_flight_max: int) -> None:
        self._booth = booth
        self._room = asyncio.Semaphore(in_flight_max)
        self._asked: dict[str, tuple[int, int]] = {}
        self._call = stub.StreamBookings(metadata=booth.clients[0])

    async def run(self, indexes: Iterator[int], until_ns: int) -> None:
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write(indexes, until_ns))
        try:
            # A stream that ends early leaves the writer without room.
            patience = max(0.0, (until_ns - time.monotonic_ns()) / 1e9) + CALL_SECONDS_MAX
            await asyncio.wait(
                {reading, writing}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not reading.done():
                async with asyncio.timeout(CALL_SECONDS_MAX):
                    await asyncio.shield(reading)
        except TimeoutError:
            self._booth.recording.breaches.add("a stream left requests without an answer")
        finally:
            reading.cancel()
            writing.cancel()
            self._call.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
        for index, _ in self._asked.values():
            self._booth.recording.failed(index, "UNAVAILABLE")

    async def _write(self, indexes: Iterator[int], until_ns: int) -> None:
        while True:
            await self._room.acquire()
            now = time.monotonic_ns()
            index = next(indexes, None) if now < until_ns else None
            if index is None:
                break
            request_id = f"{self._booth.desk.worker}-{index}"
            self._asked[request_id] = (index, now)
            self._booth.recording.reached = max(self._booth.recording.reached, index + 1)
            place = self._booth.desk.grid.place(index)
            request = self._booth.requests.book(place, request_id)
            await self._call.write(StreamBookingsRequest(book=request))
        await self._call.done_writing()

    async def _read(self) -> None:
        try:
            async for answer in self._call:
                self._take(answer, time.monotonic_ns())
        except grpc.aio.AioRpcError as failure:
            # What was in flight is counted as unknown; this says why.
            self._booth.recording.failures[f"stream ended: {refusal_of_call(failure).reason}"] += 1

    def _take(self, answer: StreamBookingsResponse, answered_ns: int) -> None:
        asked = self._asked.pop(answer.request_id, None)
        if asked is None:
            self._booth.recording.breaches.add("a stream answered what was not asked, or twice")
            return
        self._room.release()
        index, sent_ns = asked
        if answer.WhichOneof("result") == "book":
            self._booth.note(index, answer.book, Times(sent_ns, sent_ns, answered_ns))
        elif answer.WhichOneof("result") == "error":
            self._booth.recording.failed(index, refusal_of_status(answer.error).reason)
        else:
            self._booth.recording.breaches.add("a stream answered with what was not asked for")
