"""StreamBookings: many requests in flight on one stream, each treated as a call of its own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import grpc

from service.domain.errors import InvalidRequest, Overloaded, SlotOffGrid, SlotRefused
from service.rpc.call import Call, Unreadable
from service.rpc.interceptors.authentication import authorise
from service.rpc.interceptors.errors import status_of
from service.rpc.interceptors.request_log import CallLine, code_name, loggable_id, write_line
from service.rpc.interceptors.validation import check
from service.rpc.methods import METHODS_BY_NAME, Method
from service.rpc.submitting import Asking, Submitter, Wanted
from service.rpc.wire import bytes_field
from slotcast.v1 import booking_service_pb2 as booking_pb

IN_FLIGHT_MAX = 1024
WRITTEN_TOGETHER_MAX = 32
"""So many answers share one time limit for writing: setting it costs as much as a write."""
REQUEST_ID_FIELD = booking_pb.StreamBookingsResponse.REQUEST_ID_FIELD_NUMBER
ERROR_FIELD = booking_pb.StreamBookingsResponse.ERROR_FIELD_NUMBER

Read = Callable[[Any, Asking], Wanted]
TakePermit = Callable[[str, str], Awaitable[None]]


class Kind(NamedTuple):
    """One kind of request that a stream takes: the method it stands for, and who reads it."""

    method: Method
    read: Read
    result_field: int


def kind(field: str, method_name: str, read: Read) -> Kind:
    """Return a kind by its field, which request and answer have in common."""
    number = booking_pb.StreamBookingsResponse.DESCRIPTOR.fields_by_name[field].number
    return Kind(METHODS_BY_NAME[method_name], read, number)


class StreamedBookings:
    """Serves the streams."""

    def __init__(
        self, kinds: Mapping[str, Kind], submitter: Submitter, take_permit: TakePermit
    ) -> None:
        """Take the kinds of request by field, what decides them, and what limits their rate."""
        self._kinds = kinds
        self._submitter = submitter
        self._take_permit = take_permit
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """End all streams, each once it has answered what it has read."""
        self._draining.set()

    async def serve(self, requests: AsyncIterator[Any], call: Call) -> None:
        """Answer the requests of one stream until the client, or the server, ends it."""
        stream = _Stream(call)
        # Not the stream's own: a task that has failed keeps what it ran in.
        writing = asyncio.create_task(stream.write())
        reading = asyncio.create_task(self._read(requests, stream))
        draining = asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait({reading, draining, writing}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                # Only a failure ends it so early.
                writing.result()
            is_over = reading.done()
            if not is_over:
                reading.cancel()
                await asyncio.wait({reading})
            await stream.finish()
            await writing
            if not is_over:
                raise Overloaded("The server is about to stop. What it answered stands.")
            # Raises what ended the reading, such as a key that was revoked.
            reading.result()
        finally:
            reading.cancel()
            draining.cancel()
            writing.cancel()
            stream.abandon()

    async def _read(self, requests: AsyncIterator[Any], stream: _Stream) -> None:
        """Hand each request to its lane. A task for each would cost as much as deciding it."""
        async for request in requests:
            await stream.call.recheck_key()
            await stream.has_room.acquire()
            asked = _Asked(self._kinds, request, stream.call)
            try:
                wanted = await self._treat(asked)
            except Exception as error:
                stream.put(asked.refusal(error))
            else:
                answer = self._submitter.begin(asked.asking, asked.request, wanted)
                stream.follow(answer, partial(self._settle, stream, asked, wanted))

    async def _treat(self, asked: _Asked) -> Wanted:
        """Do with one request what the layers do with a call, and return what it wants."""
        call, asking, asked_kind = asked.call, asked.asking, asked.kind
        if asked_kind is None:
            raise InvalidRequest("request", "It must be one of those that a stream takes.")
        asking.business_id = authorise(call.principal, asked_kind.method, asked.request)
        await self._take_permit(call.principal.principal_id, call.client)
        check(asked.request)
        return asked_kind.read(asked.request, asking)

    def _settle(
        self, stream: _Stream, asked: _Asked, wanted: Wanted, answer: asyncio.Future[bytes]
    ) -> None:
        """Put what a lane has answered to a request into its stream."""
        if answer.cancelled():
            asked.abandoned()
            return
        # Raised here, it would keep the answer, which keeps it, until the collector comes by.
        error = answer.exception()
        if error is None:
            stream.put(asked.result(answer.result()))
        elif isinstance(error, SlotRefused | SlotOffGrid):
            finding = self._submitter.with_alternatives(asked.asking, wanted.command, error)
            stream.follow(asyncio.create_task(finding), partial(_refuse, stream, asked))
        else:
            stream.put(asked.refusal(error))


class _Asked:
    """One request of a stream, and how it is answered."""

    __slots__ = ("_started", "asking", "call", "kind", "request")

    def __init__(self, kinds: Mapping[str, Kind], request: Any, call: Call) -> None:
        self._started = time.perf_counter()
        part = None if isinstance(request, Unreadable) else request.WhichOneof("request")
        self.kind = kinds[part] if part else None
        self.request: Any = getattr(request, part) if part else Unreadable()
        self.call = call
        self.asking = Asking(
            method_name=self.kind.method.name if self.kind else call.method.name,
            business_id="",
            principal_id=call.principal.principal_id,
        )

    def result(self, answer: bytes) -> bytes:
        """Return an OK answer as the stream writes it."""
        assert self.kind is not None
        return self._answer("OK", self.kind.result_field, answer)

    def refusal(self, error: BaseException) -> bytes:
        """Return a refusal as the stream writes it."""
        status = status_of(error, self.call).SerializeToString()
        return self._answer(code_name(error), ERROR_FIELD, status)

    def abandoned(self) -> None:
        """Leave a line: the stream is gone, but what it asked for may have been done."""
        self._write_line(grpc.StatusCode.CANCELLED.name)

    def _write_line(self, code: str) -> None:
        asking = self.asking
        line = CallLine(
            asking.method_name, asking.business_id, asking.principal_id, loggable_id(self.request)
        )
        write_line(line, code, time.perf_counter() - self._started)

    def _answer(self, code: str, field: int, payload: bytes) -> bytes:
        self._write_line(code)
        request_id = getattr(self.request, "request_id", "").encode()
        return bytes_field(REQUEST_ID_FIELD, request_id) + bytes_field(field, payload)


def _refuse(stream: _Stream, asked: _Asked, found: asyncio.Task[Exception]) -> None:
    """Put the refusal of a slot, with its alternatives, into the stream."""
    if found.cancelled():
        asked.abandoned()
        return
    stream.put(asked.refusal(found.exception() or found.result()))


class _Stream:
    """The requests in flight on one stream, and the one writer of their answers."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.has_room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._in_flight: set[asyncio.Future[Any]] = set()
        # Never longer than what is in flight.
        self._answers: deque[bytes] = deque()
        self._is_over = False
        self._awake = asyncio.Event()

    def follow(
        self, waited_for: asyncio.Future[Any], then: Callable[[asyncio.Future[Any]], None]
    ) -> None:
        """Count a request as in flight until what it waits for is over; call `then` with that."""
        self._in_flight.add(waited_for)
        waited_for.add_done_callback(partial(self._done, then))

    def put(self, answer: bytes) -> None:
        """Let an answer be written."""
        self._answers.append(answer)
        self._awake.set()

    async def finish(self) -> None:
        """Wait until all that was read is answered; what is left to write is then the last."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        self._is_over = True
        self._awake.set()

    def abandon(self) -> None:
        """Stop waiting for answers that nobody reads. What the lanes have taken goes on."""
        for waited_for in list(self._in_flight):
            waited_for.cancel()

    def _done(
        self, then: Callable[[asyncio.Future[Any]], None], waited_for: asyncio.Future[Any]
    ) -> None:
        self._in_flight.discard(waited_for)
        then(waited_for)

    async def write(self) -> None:
        """Write the answers as they come, until the stream is over."""
        while True:
            while self._answers:
                count = min(len(self._answers), WRITTEN_TOGETHER_MAX)
                answers = [self._answers.popleft() for _ in range(count)]
                await self.call.write(*answers)
                for _ in answers:
                    self.has_room.release()
            if self._is_over:
                return
            self._awake.clear()
            await self._awake.wait()
