"""StreamBookings: many requests in flight on one stream, each treated as a call of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from service.domain.errors import InvalidRequest, Overloaded
from service.rpc.call import Call, Unreadable
from service.rpc.interceptors.authentication import authorise
from service.rpc.interceptors.errors import status_of
from service.rpc.interceptors.request_log import CallLine, code_name, loggable_id, write_line
from service.rpc.interceptors.validation import check
from service.rpc.methods import METHODS_BY_NAME, Method
from service.rpc.submitting import Asking
from service.rpc.wire import bytes_field
from slotcast.v1 import booking_service_pb2 as booking_pb

IN_FLIGHT_MAX = 1024
REQUEST_ID_FIELD = booking_pb.StreamBookingsResponse.REQUEST_ID_FIELD_NUMBER
ERROR_FIELD = booking_pb.StreamBookingsResponse.ERROR_FIELD_NUMBER

Answer = Callable[[Any, Asking], Awaitable[bytes]]
TakePermit = Callable[[str, str], Awaitable[None]]


class Kind(NamedTuple):
    """One kind of request that a stream takes: the method it stands for, and who answers it."""

    method: Method
    answer: Answer
    result_field: int


def kind(field: str, method_name: str, answer: Answer) -> Kind:
    """Return a kind by its field, which request and answer have in common."""
    number = booking_pb.StreamBookingsResponse.DESCRIPTOR.fields_by_name[field].number
    return Kind(METHODS_BY_NAME[method_name], answer, number)


class StreamedBookings:
    """Serves the streams."""

    def __init__(self, kinds: Mapping[str, Kind], take_permit: TakePermit) -> None:
        """Take the kinds of request by field, and what limits their rate."""
        self._kinds = kinds
        self._take_permit = take_permit
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """End all streams, each once it has answered what it has read."""
        self._draining.set()

    async def serve(self, requests: AsyncIterator[Any], call: Call) -> None:
        """Answer the requests of one stream until the client, or the server, ends it."""
        stream = _Stream(call)
        reading = asyncio.create_task(self._read(requests, stream))
        draining = asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait(
                {reading, draining, stream.writing}, return_when=asyncio.FIRST_COMPLETED
            )
            if stream.writing.done():
                # Only a failure ends it so early.
                stream.writing.result()
            is_over = reading.done()
            if not is_over:
                reading.cancel()
                await asyncio.wait({reading})
            await stream.finish()
            if not is_over:
                raise Overloaded("The server is about to stop. What it answered stands.")
            # Raises what ended the reading, such as a key that was revoked.
            reading.result()
        finally:
            reading.cancel()
            draining.cancel()
            stream.abandon()

    async def _read(self, requests: AsyncIterator[Any], stream: _Stream) -> None:
        async for request in requests:
            await stream.call.recheck_key()
            await stream.has_room.acquire()
            stream.start(self._answer(request, stream.call))

    async def _answer(self, request: Any, call: Call) -> bytes:
        """Return the answer to one request; a refusal is one."""
        started = time.perf_counter()
        part = None if isinstance(request, Unreadable) else request.WhichOneof("request")
        inner = getattr(request, part) if part else Unreadable()
        asking = Asking(
            method_name=self._kinds[part].method.name if part else call.method.name,
            business_id="",
            principal_id=call.principal.principal_id,
        )
        code = "OK"
        try:
            result = await self._treat(part, inner, asking, call)
        except Exception as error:
            code = code_name(error)
            result = bytes_field(ERROR_FIELD, status_of(error, call).SerializeToString())
        request_id = getattr(inner, "request_id", "")
        write_line(
            CallLine(
                asking.method_name, asking.business_id, asking.principal_id, loggable_id(inner)
            ),
            code,
            time.perf_counter() - started,
        )
        return bytes_field(REQUEST_ID_FIELD, request_id.encode()) + result

    async def _treat(self, part: str | None, request: Any, asking: Asking, call: Call) -> bytes:
        """Do with one request what the layers do with a call."""
        if part is None:
            raise InvalidRequest("request", "It must be one of those that a stream takes.")
        kind_asked = self._kinds[part]
        asking.business_id = authorise(call.principal, kind_asked.method, request)
        await self._take_permit(call.principal.principal_id, call.client)
        check(request)
        return bytes_field(kind_asked.result_field, await kind_asked.answer(request, asking))


class _Stream:
    """The requests in flight on one stream, and the one writer of their answers."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.has_room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._in_flight: set[asyncio.Task[bytes]] = set()
        # Never longer than what is in flight.
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.writing = asyncio.create_task(self._write())

    def start(self, answering: Coroutine[Any, Any, bytes]) -> None:
        task = asyncio.create_task(answering)
        self._in_flight.add(task)
        task.add_done_callback(self._answered)

    async def finish(self) -> None:
        """Wait until all that was read is answered and written."""
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        self._answers.put_nowait(None)
        await self.writing

    def abandon(self) -> None:
        """Stop waiting for answers that nobody reads. What the lanes have taken goes on."""
        for task in (*self._in_flight, self.writing):
            task.cancel()

    def _answered(self, task: asyncio.Task[bytes]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            self._answers.put_nowait(task.result())

    async def _write(self) -> None:
        while (answer := await self._answers.get()) is not None:
            await self.call.write(answer)
            self.has_room.release()
