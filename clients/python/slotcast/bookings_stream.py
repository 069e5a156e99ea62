"""Many bookings in flight on one stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

import grpc

from slotcast import convert, requests
from slotcast.calls import Calls, new_request_id
from slotcast.error_details import error_of_call, error_of_status
from slotcast.errors import (
    ClientClosed,
    DeadlineExceeded,
    ErrorDetails,
    SlotcastError,
    StreamBroken,
)
from slotcast.models import Appointment, Booking, Customer, Hold, Slot, SlotChoice
from slotcast.names import Names
from slotcast.requests import Wish
from slotcast.v1.booking_service_pb2 import (
    CancelBookingRequest,
    StreamBookingsRequest,
    StreamBookingsResponse,
)
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub

_IN_FLIGHT_MAX = 1024

_Call: TypeAlias = grpc.aio.StreamStreamCall[StreamBookingsRequest, StreamBookingsResponse]
_Method: TypeAlias = grpc.aio.StreamStreamMultiCallable[
    StreamBookingsRequest, StreamBookingsResponse
]


class _Line:
    """One open stream: sends in order, and hands each answer to who waits for it.

    When it breaks, all who wait are told so; it is never mended.
    """

    def __init__(self, call: _Call) -> None:
        self._call = call
        self._waiting: dict[str, asyncio.Future[StreamBookingsResponse]] = {}
        self._unsent: asyncio.Queue[StreamBookingsRequest] = asyncio.Queue()
        self._answers = 0
        self.broken: SlotcastError | None = None
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]

    async def ask(self, request_id: str, request: StreamBookingsRequest) -> StreamBookingsResponse:
        answer = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        self._unsent.put_nowait(request)  # bounded by who may be in flight
        answers_before = self._answers
        try:
            return await answer
        except asyncio.CancelledError:
            if self._answers == answers_before:
                self.end(StreamBroken("The stream answers nothing."))
            raise
        finally:
            self._waiting.pop(request_id, None)

    def end(self, error: SlotcastError) -> None:
        """Fail all who wait."""
        if self.broken is None:
            self.broken = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self.broken)
        self._call.cancel()
        for task in self._tasks:
            task.cancel()
