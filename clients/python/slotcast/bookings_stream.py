"""Many bookings in flight on one stream."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import grpc

from slotcast import convert, requests
from slotcast.calls import Calls, new_request_id, open_call
from slotcast.clock import Clock
from slotcast.error_details import error_of_call, error_of_status
from slotcast.errors import (
    ClientClosed,
    DeadlineExceeded,
    ErrorDetails,
    SlotcastError,
    StreamBroken,
)
from slotcast.models import Appointment, Booking, Consent, Customer, Hold, Slot, SlotChoice
from slotcast.names import Names
from slotcast.requests import Wish, seen
from slotcast.streams import LASTING_CODES
from slotcast.v1.booking_service_pb2 import (
    CancelBookingRequest,
    StreamBookingsRequest,
    StreamBookingsResponse,
)

if TYPE_CHECKING:
    from slotcast.v1.booking_service_pb2_grpc import BookingServiceAsyncStub

_IN_FLIGHT_MAX = 1024

_Call: TypeAlias = "grpc.aio.StreamStreamCall[StreamBookingsRequest, StreamBookingsResponse]"
_Method: TypeAlias = (
    "grpc.aio.StreamStreamMultiCallable[StreamBookingsRequest, StreamBookingsResponse]"
)


class _Line:
    """One open stream: sends in order, and hands each answer to who waits for it.

    When it breaks, all who wait are told; it is never mended.
    """

    def __init__(self, call: _Call, clock: Clock) -> None:
        self.broken = False
        self._call = call
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[StreamBookingsResponse]] = {}
        self._unsent: asyncio.Queue[tuple[str, StreamBookingsRequest]] = asyncio.Queue()
        self._answers = 0
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]

    async def ask(
        self, request_id: str, request: StreamBookingsRequest, seconds: float
    ) -> StreamBookingsResponse:
        if request_id in self._waiting:
            raise ValueError(f"{request_id} is in flight: a new request takes a new request_id.")
        answer: asyncio.Future[StreamBookingsResponse] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        self._unsent.put_nowait((request_id, request))  # bounded by how many may be in flight
        answers_before = self._answers
        try:
            async with self._clock.timeout(seconds):
                return await answer
        except TimeoutError:
            del self._waiting[request_id]
            if self._answers == answers_before:
                self.end(StreamBroken("The stream answers nobody."))
            raise DeadlineExceeded(
                details=ErrorDetails(code=grpc.StatusCode.DEADLINE_EXCEEDED)
            ) from None
        finally:
            self._waiting.pop(request_id, None)

    def end(self, error: SlotcastError) -> None:
        """Fail all who wait."""
        self.broken = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(copy.copy(error))
        self._call.cancel()
        for task in self._tasks:
            task.cancel()

    async def finished(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            request_id, request = await self._unsent.get()
            if request_id not in self._waiting:
                continue
            try:
                await self._call.write(request)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the stream is over; what is read says why

    async def _read(self) -> None:
        try:
            while True:
                response = await self._call.read()
                if not isinstance(response, StreamBookingsResponse):
                    break  # the end of the stream
                self._answers += 1
                answer = self._waiting.get(response.request_id)
                if answer is not None and not answer.done():
                    answer.set_result(response)
        except asyncio.CancelledError:
            self.end(ClientClosed())  # the channel was closed, or this line ended already
            raise
        except grpc.aio.AioRpcError as failure:
            self.end(_as_broken(error_of_call(failure)))
        else:
            self.end(StreamBroken("The server ended the stream."))


class BookingStream:
    """One stream with many requests in flight, while the block lasts; for any number of tasks.

        async with client.stream_bookings() as stream:
            bookings = await asyncio.gather(*(stream.book(slot, customer=who) for slot in slots))

    Each method answers and raises as the client's of the same name. When the stream breaks it is
    opened again, and what was not answered is sent again with its `request_id`, within the client's
    Timeouts; then StreamBroken. Leaving the block raises ClientClosed in who still waits.
    """

    def __init__(
        self, service: BookingServiceAsyncStub, names: Names, calls: Calls, *, in_flight_max: int
    ) -> None:
        """Open nothing yet."""
        if not 1 <= in_flight_max <= _IN_FLIGHT_MAX:
            raise ValueError(f"in_flight_max is {in_flight_max}, not 1 to {_IN_FLIGHT_MAX}.")
        self._method: _Method = service.StreamBookings
        self._names = names
        self._calls = calls
        self._places = asyncio.Semaphore(in_flight_max)
        self._line: _Line | None = None
        self._closed = True

    async def __aenter__(self) -> Self:
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        if self._line is not None:
            self._line.end(ClientClosed())
            await self._line.finished()

    async def book(
        self,
        appointment: Appointment,
        *,
        customer: Customer,
        fields: Mapping[str, str] | None = None,
        holder: str = "",
        consent: Consent | None = None,
        conversation: str = "",
        request_id: str | None = None,
    ) -> Booking:
        """Book a slot, directly or by a hold, as Client.book."""
        wish = Wish(
            customer=customer,
            fields=fields or {},
            holder=holder,
            request_id=request_id,
            consents=(consent,),
            conversation=conversation,
        )
        return (await self.book_all((appointment,), wish))[0]

    async def book_all(
        self, appointments: Iterable[Appointment], wish: Wish
    ) -> tuple[Booking, ...]:
        """Book several appointments, all or none, as Client.book_all."""
        book = requests.book_request(self._names, appointments, wish)
        response = (await self._ask(book.request_id, StreamBookingsRequest(book=book))).book
        return tuple(convert.booking(item, response.revision) for item in response.bookings)

    async def hold_slot(
        self,
        slot: Slot | SlotChoice,
        *,
        holder: str,
        conversation: str = "",
        request_id: str | None = None,
    ) -> Hold:
        """Hold a slot, as Client.hold_slot."""
        hold_slot = requests.hold_request(self._names, slot, holder, request_id, conversation)
        request = StreamBookingsRequest(hold_slot=hold_slot)
        response = (await self._ask(hold_slot.request_id, request)).hold_slot
        return convert.hold(response.hold, response.revision)

    async def cancel_booking(
        self,
        booking: Booking | str,
        *,
        version: int | None = None,
        reason: str = "",
        override_notice: bool = False,
        request_id: str | None = None,
    ) -> Booking:
        """Cancel a booking, as Client.cancel_booking."""
        name, seen_version = seen(booking, version, self._names)
        cancel = CancelBookingRequest(
            name=name,
            version=seen_version,
            request_id=new_request_id(request_id),
            reason=reason,
            override_notice=override_notice,
        )
        request = StreamBookingsRequest(cancel_booking=cancel)
        response = (await self._ask(cancel.request_id, request)).cancel_booking
        return convert.booking(response.booking, response.revision)

    async def _ask(self, request_id: str, request: StreamBookingsRequest) -> StreamBookingsResponse:
        async def attempt(seconds: float) -> StreamBookingsResponse:
            response = await self._open_line().ask(request_id, request, seconds)
            if response.WhichOneof("result") == "error":
                raise error_of_status(response.error)
            return response

        await self._take_place()
        try:
            return await self._calls.persist(attempt)
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        try:
            async with self._calls.timeouts.clock.timeout(self._calls.timeouts.total_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise DeadlineExceeded("No place on the stream was free in time.") from None

    def _open_line(self) -> _Line:
        if self._closed:
            raise ClientClosed
        if self._line is None or self._line.broken:
            call = open_call(lambda: self._method(metadata=self._calls.metadata))
            self._line = _Line(call, self._calls.timeouts.clock)
        return self._line


def _as_broken(error: SlotcastError) -> SlotcastError:
    """Say that asking again may help, unless the stream itself was refused for good."""
    if error.code in LASTING_CODES:
        return error
    return StreamBroken(error.message, ErrorDetails(code=error.code, retry_after=error.retry_after))
