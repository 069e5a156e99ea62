"""The bare server to compare with: the same messages over grpc.aio, and nothing behind them.

It answers a booking by the slot that was asked for, and tells all watchers of it, each by the same
bytes. No key is looked at, nothing is validated, decided or stored.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import grpc
import uvloop

from loadtest.answers import CUSTOMER, FIELDS
from loadtest.crew import END_SECONDS_MAX, PREPARE_SECONDS_MAX, SPAWN, WorkerFailed
from loadtest.grid import STEP_SECONDS
from slotcast.v1.availability_service_pb2 import (
    Delta,
    SnapshotChunk,
    SnapshotEnd,
    WatchAvailabilityRequest,
    WatchAvailabilityResponse,
)
from slotcast.v1.booking_service_pb2 import (
    BOOKING_STATUS_CONFIRMED,
    Booking,
    BookRequest,
    BookResponse,
    StreamBookingsRequest,
    StreamBookingsResponse,
)
from slotcast.v1.core_pb2 import Slot, SlotKey

FRAMES_UNSENT_MAX = 10_000
RESUME_TOKEN = "e" * 120
"""As long as a real one."""
_SNAPSHOT_FRAMES = 2


class Echo:
    """The bare server, in a process of its own."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._pipe, self._theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve_alone, args=(self._theirs,), daemon=True)
        self.target = ""

    def __enter__(self) -> Self:
        """Start it, and return when it listens."""
        self._process.start()
        self._theirs.close()
        try:
            self.target = self._listening()
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

    def _listening(self) -> str:
        if not self._pipe.poll(PREPARE_SECONDS_MAX):
            raise WorkerFailed("The echo server did not start.")
        target: str = self._pipe.recv()
        return target

    def _end(self) -> None:
        # It serves until the pipe is closed.
        self._pipe.close()
        self._process.join(END_SECONDS_MAX)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def serve_alone(pipe: Connection) -> None:
    """Serve until the other end of the pipe is closed; the first thing that the process calls."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve_alone(pipe))


async def _serve_alone(pipe: Connection) -> None:
    server, target = await start_echo()
    pipe.send(target)
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), closed.set)
    await closed.wait()
    await server.stop(None)


async def start_echo() -> tuple[grpc.aio.Server, str]:
    """Start the bare server on a free port of this machine; return it and where it listens."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(_Handlers(_Answers()).all)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"127.0.0.1:{port}"


class _Answers:
    """What it answers, and whom it tells."""

    def __init__(self) -> None:
        self._revision = self._first_revision = 0
        self._template = _template()
        self._watchers: set[asyncio.Queue[bytes]] = set()

    async def book(self, request: BookRequest, _context: object) -> BookResponse:
        self._revision += 1
        slot = request.appointments[0].slot
        answer = BookResponse()
        answer.CopyFrom(self._template)
        answer.revision = self._revision
        booking = answer.bookings[0]
        booking.name = f"{request.parent}/bookings/{_BOOKING_ID}"
        booking.appointment_type = slot.appointment_type
        booking.calendars[0] = slot.calendar
        booking.start_time.seconds = slot.start_time.seconds
        booking.end_time.seconds = slot.start_time.seconds + STEP_SECONDS
        if self._watchers:
            self._tell(booking)
        return answer

    async def stream(
        self, requests: AsyncIterator[StreamBookingsRequest], context: object
    ) -> AsyncIterator[StreamBookingsResponse]:
        async for request in requests:
            answer = await self.book(request.book, context)
            yield StreamBookingsResponse(request_id=request.book.request_id, book=answer)

    async def watch(
        self, request: WatchAvailabilityRequest, _context: object
    ) -> AsyncIterator[bytes]:
        frames: asyncio.Queue[bytes] = asyncio.Queue(FRAMES_UNSENT_MAX)
        for frame in self._snapshot(request):
            yield frame.SerializeToString()
        self._watchers.add(frames)
        try:
            while True:
                yield await frames.get()
        finally:
            self._watchers.discard(frames)

    def _snapshot(self, request: WatchAvailabilityRequest) -> list[WatchAvailabilityResponse]:
        starts = range(request.start_time.seconds, request.end_time.seconds, STEP_SECONDS)
        chunk = SnapshotChunk()
        for start in starts:
            slot = Slot(
                appointment_type=request.appointment_types[0],
                calendar=request.calendars[0],
                seats_left=1,
            )
            slot.start_time.seconds, slot.end_time.seconds = start, start + STEP_SECONDS
            chunk.slots.append(slot)
        end = SnapshotEnd(open_slots=len(starts))
        # The frames of all who watch from now on are alike, so their numbers go on from here.
        self._first_revision = self._revision
        return [
            WatchAvailabilityResponse(revision=self._revision, stream_seq=1, snapshot_chunk=chunk),
            WatchAvailabilityResponse(revision=self._revision, stream_seq=2, snapshot_end=end),
        ]

    def _tell(self, booking: Booking) -> None:
        """Put a frame into every watcher's queue; who does not read loses it, and says so."""
        closed = SlotKey(
            appointment_type=booking.appointment_type,
            calendar=booking.calendars[0],
            start_time=booking.start_time,
            end_time=booking.end_time,
        )
        frame = WatchAvailabilityResponse(
            revision=self._revision,
            stream_seq=_SNAPSHOT_FRAMES + self._revision - self._first_revision,
            resume_token=RESUME_TOKEN,
            delta=Delta(closed=[closed]),
        )
        frame.as_of.GetCurrentTime()
        frame.stale_after.seconds = 12
        encoded = frame.SerializeToString()
        for watcher in self._watchers:
            if not watcher.full():
                watcher.put_nowait(encoded)


class _Handlers:
    """The three methods, by hand: the generated servicer would want all of them."""

    def __init__(self, answers: _Answers) -> None:
        book: Any = grpc.unary_unary_rpc_method_handler(
            answers.book, BookRequest.FromString, BookResponse.SerializeToString
        )
        stream: Any = grpc.stream_stream_rpc_method_handler(
            answers.stream,
            StreamBookingsRequest.FromString,
            StreamBookingsResponse.SerializeToString,
        )
        # Encoded once for all: the least that a broadcast costs.
        watch: Any = grpc.unary_stream_rpc_method_handler(
            answers.watch, WatchAvailabilityRequest.FromString, None
        )
        self.all = (
            grpc.method_handlers_generic_handler(
                "slotcast.v1.BookingService", {"Book": book, "StreamBookings": stream}
            ),
            grpc.method_handlers_generic_handler(
                "slotcast.v1.AvailabilityService", {"WatchAvailability": watch}
            ),
        )


_BOOKING_ID = "00000000-0000-4000-8000-000000000000"


def _template() -> BookResponse:
    booking = Booking(
        calendars=[""],
        time_zone="UTC",
        status=BOOKING_STATUS_CONFIRMED,
        version=1,
        customer=CUSTOMER,
        fields=FIELDS,
    )
    booking.create_time.GetCurrentTime()
    booking.update_time.GetCurrentTime()
    return BookResponse(bookings=[booking])
