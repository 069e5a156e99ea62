"""Callers: chat backends that hold, book, move, cancel and read, and try again when in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import grpc

from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.history import Call, Outcome
from tests.robustness.traffic.ground import Door, Doors, Ground
from tests.robustness.traffic.requests import Draw, Drawn

ATTEMPTS_MAX = 3
DEADLINE_SECONDS = (0.15, 1.2)
"""So short that some calls are given up on while the server is at work."""
PAUSE_SECONDS = (0.02, 0.4)
STREAMED_PARTS = {"Book": "book", "HoldSlot": "hold_slot", "CancelBooking": "cancel_booking"}
RETRYABLE = frozenset({"OVERLOADED", "REVISION_AHEAD", "RATE_LIMITED"})
READS = frozenset({"ListSlots", "GetBooking", "ExplainSlot"})
AVAILABILITY = frozenset({"ListSlots", "ExplainSlot"})


class Caller:
    """One client. It prefers a server, and changes over when that does not answer."""

    def __init__(self, ground: Ground, random: Random, name: str) -> None:
        """Take what it stands on, and its own source of chance."""
        self._ground = ground
        self._random = random
        self._name = name
        self._draw = Draw(ground, random, name)
        self._server = random.choice(ground.servers)

    async def run(self) -> None:
        """Make traffic until it is over."""
        async with Doors(self._ground.targets) as doors:
            while await self._ground.pause(self._random.uniform(0.0, 0.08)):
                await self._act(doors)

    async def _act(self, doors: Doors) -> None:
        draw = self._draw
        choice = self._random.random()
        if choice < 0.05:
            await self._stream(doors)
        elif choice < 0.15:
            await self._hold_and_book(doors)
        else:
            table = (
                (0.37, draw.book),
                (0.45, draw.hold),
                (0.49, draw.book_known_hold),
                (0.54, draw.renew_or_release),
                (0.64, draw.reschedule),
                (0.81, draw.cancel),
                (0.87, draw.approve),
                (1.00, draw.read),
            )
            drawn = next(make for until, make in table if choice < until)()
            if drawn is not None:
                await self._operate(doors, drawn)

    async def _hold_and_book(self, doors: Doors) -> None:
        held = await self._operate(doors, self._draw.hold())
        if held.outcome is Outcome.OK and await self._ground.pause(self._random.uniform(0, 0.3)):
            await self._operate(doors, self._draw.book_hold(held.response.hold.name))

    async def _operate(self, doors: Doors, drawn: Drawn, operation: int | None = None) -> Call:
        """Ask until it is known what became of a request, or it is given up."""
        operation = operation or self._ground.recorder.operation()
        for attempt in range(ATTEMPTS_MAX):
            call = await self._attempt(doors, drawn, operation)
            if call.outcome is Outcome.OK:
                break
            if call.outcome is Outcome.REFUSED and call.reason not in RETRYABLE:
                return call
            self._change_over()
            if attempt + 1 < ATTEMPTS_MAX:
                await self._ground.pause(self._random.uniform(*PAUSE_SECONDS))
        if call.outcome is Outcome.OK:
            self._remember(call.response)
            if self._random.random() < 0.8:
                self._ground.known.ended(drawn.request)
            if self._random.random() < 0.08 and drawn.method not in READS:
                # It is asked again though it was answered: the answer must be the same.
                self._change_over()
                await self._attempt(doors, drawn, operation)
        return call

    async def _attempt(self, doors: Doors, drawn: Drawn, operation: int) -> Call:
        if drawn.method not in READS and self._random.random() < 0.06:
            # On two servers at once.
            calls = await asyncio.gather(
                *(self._call(doors, server, drawn, operation) for server in self._ground.servers)
            )
            return min(calls, key=lambda call: list(Outcome).index(call.outcome))
        return await self._call(doors, self._server, drawn, operation)

    async def _call(self, doors: Doors, server: str, drawn: Drawn, operation: int) -> Call:
        recorder = self._ground.recorder
        method = getattr(_service(doors.by_server[server], drawn.method), drawn.method)
        call = recorder.begin(operation, self._name, server, drawn.method, drawn.request)
        return await recorder.make(
            call,
            lambda: method(
                drawn.request,
                timeout=self._random.uniform(*DEADLINE_SECONDS),
                metadata=self._ground.metadata(self._name),
            ),
        )

    async def _stream(self, doors: Doors) -> None:
        """Send a burst over one stream; what it did not answer is asked again by calls."""
        draw = self._draw
        makers = (draw.book, draw.book, draw.hold, draw.cancel)
        drawn = [self._random.choice(makers)() for _ in range(self._random.randint(2, 16))]
        burst = _Burst(self._ground, self._name, self._server, [each for each in drawn if each])
        await burst.send(doors.by_server[self._server], self._random.uniform(0.3, 2.0))
        for call in burst.calls:
            if call.outcome is Outcome.OK:
                self._remember(call.response)
        self._change_over()
        for call in burst.calls:
            if call.outcome is Outcome.UNKNOWN and not self._ground.is_over.is_set():
                await self._operate(doors, Drawn(call.method, call.request), call.operation)

    def _change_over(self) -> None:
        if self._random.random() < 0.6:
            self._server = self._random.choice(self._ground.servers)

    def _remember(self, response: Any) -> None:
        known = self._ground.known
        fields = response.DESCRIPTOR.fields_by_name
        if "hold" in fields:
            known.held(response.hold)
        if "bookings" in fields:
            for booking in response.bookings:
                known.told(booking)
        if "booking" in fields:
            known.told(response.booking)


class _Burst:
    """Requests that are in flight together on one stream."""

    def __init__(self, ground: Ground, client: str, server: str, drawn: list[Drawn]) -> None:
        self._ground = ground
        self._client = client
        self._server = server
        self._drawn = drawn
        self.calls: list[Call] = []
        self._waiting: dict[str, Call] = {}

    async def send(self, door: Door, seconds_max: float) -> None:
        """Send all, and note the answers that come in time."""
        recorder = self._ground.recorder
        stream = door.bookings.StreamBookings(
            self._requests(), timeout=seconds_max, metadata=self._ground.metadata(self._client)
        )
        try:
            async for answer in stream:
                call = self._waiting.pop(answer.request_id)
                if answer.HasField("error"):
                    recorder.refused_on_stream(call, answer.error)
                else:
                    recorder.answered(call, getattr(answer, STREAMED_PARTS[call.method]))
        except grpc.aio.AioRpcError as failure:
            for call in self._waiting.values():
                call.ended, call.reason = recorder.now, failure.code().name
        finally:
            stream.cancel()

    async def _requests(self) -> AsyncIterator[booking_pb.StreamBookingsRequest]:
        recorder = self._ground.recorder
        for method, request in self._drawn:
            call = recorder.begin(recorder.operation(), self._client, self._server, method, request)
            call.is_streamed = True
            self.calls.append(call)
            self._waiting[request.request_id] = call
            yield booking_pb.StreamBookingsRequest(**{STREAMED_PARTS[method]: request})


def _service(door: Door, method: str) -> Any:
    return door.availability if method in AVAILABILITY else door.bookings
