"""The change feed: every change of a booking, in order, each once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import grpc

from slotcast import convert
from slotcast.calls import Calls
from slotcast.errors import ViewMismatch
from slotcast.models import Booking
from slotcast.streams import ResumingStream, Stale
from slotcast.v1.availability_service_pb2 import Reset
from slotcast.v1.booking_service_pb2 import (
    BookingChange,
    WatchBookingsRequest,
    WatchBookingsResponse,
)

if TYPE_CHECKING:
    from slotcast.v1.booking_service_pb2_grpc import BookingServiceAsyncStub

_WAITING_MAX = 256


class BookingEvent(StrEnum):
    """What can happen to a booking. UNKNOWN is one that this client is too old to know."""

    BOOKED = "BOOKED"
    RESCHEDULED = "RESCHEDULED"
    CANCELLED = "CANCELLED"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    UNKNOWN = "UNKNOWN"


class ResetReason(StrEnum):
    """Why changes were lost. UNKNOWN is one that this client is too old to know."""

    COMPACTED = "COMPACTED"
    EPOCH = "EPOCH"
    FILTER = "FILTER"
    CATALOG = "CATALOG"
    SLOW_READER = "SLOW_READER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingsChanged:
    """One change, with the bookings as they are now. Keep `resume_token` once it is handled."""

    event: BookingEvent
    bookings: tuple[Booking, ...]
    revision: int
    as_of: datetime
    resume_token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesLost:
    """Changes were lost: list the bookings anew, at least at `revision`. The feed goes on."""

    reason: ResetReason
    revision: int
    as_of: datetime
    resume_token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CaughtUp:
    """All changes up to `revision` have been told: at the beginning, and after a Stale."""

    revision: int
    as_of: datetime
    resume_token: str


FeedItem: TypeAlias = BookingsChanged | ChangesLost | CaughtUp | Stale


class BookingFeed(ResumingStream[WatchBookingsResponse]):
    """Changes of bookings, while the block lasts; for one reader.

        async with client.watch_bookings(resume_token=kept) as feed:
            async for item in feed:
                ...

    It resumes by itself. A reader that falls behind by 256 changes makes the server wait, and is
    told ChangesLost when it does so for too long. Raises a SlotcastError when following on is of no
    use, such as InvalidResumeToken.
    """

    def __init__(
        self, service: BookingServiceAsyncStub, request: WatchBookingsRequest, calls: Calls
    ) -> None:
        """Take what to follow; open nothing yet."""
        super().__init__(calls)
        self._method: grpc.aio.UnaryStreamMultiCallable[
            WatchBookingsRequest, WatchBookingsResponse
        ] = service.WatchBookings
        self._request = request
        self._waiting: asyncio.Queue[BookingsChanged | ChangesLost | CaughtUp] = asyncio.Queue(
            _WAITING_MAX
        )
        self._revision = 0
        self._as_of: datetime | None = None
        self._heard_fresh = False
        self._told_fresh = False
        self._told_stale = False

    def __aiter__(self) -> BookingFeed:
        return self

    async def __anext__(self) -> FeedItem:
        while True:
            if not self._waiting.empty():
                self._told_fresh, self._told_stale = True, False
                return self._waiting.get_nowait()
            self._raise_if_over()
            if self.is_stale and (self._told_fresh or (self._cause and not self._told_stale)):
                self._told_fresh, self._told_stale = False, True
                self._heard_fresh = False
                return Stale(as_of=self._as_of, cause=self._cause)
            await self._news()

    def _open(self) -> grpc.aio.UnaryStreamCall[WatchBookingsRequest, WatchBookingsResponse]:
        return self._method(self._request, metadata=self._calls.metadata)

    async def _take(self, frame: WatchBookingsResponse, stale_after_seconds: float) -> None:
        item = self._item(frame)
        if item is not None:
            self._changed.set()
            await self._waiting.put(item)
        self._freshness.heard(stale_after_seconds)
        self._revision = frame.revision
        self._as_of = convert.instant(frame.as_of)
        if frame.resume_token:
            self._request.resume_token = frame.resume_token
            self._request.min_revision = 0  # the token says it

    def _item(
        self, frame: WatchBookingsResponse
    ) -> BookingsChanged | ChangesLost | CaughtUp | None:
        kind = frame.WhichOneof("frame")
        as_of, token = convert.instant(frame.as_of), frame.resume_token
        if kind == "reset":
            self._heard_fresh = True
            return ChangesLost(
                reason=_reset_reason(frame.reset),
                revision=frame.revision,
                as_of=as_of,
                resume_token=token,
            )
        if frame.revision < self._revision:
            raise ViewMismatch(f"Revision {frame.revision} came after {self._revision}.")
        if kind == "change":
            self._heard_fresh = True
            return BookingsChanged(
                event=_event(frame.change),
                bookings=tuple(
                    convert.booking(item, frame.revision) for item in frame.change.bookings
                ),
                revision=frame.revision,
                as_of=as_of,
                resume_token=token,
            )
        if kind == "heartbeat" and not self._heard_fresh:
            self._heard_fresh = True
            return CaughtUp(revision=frame.revision, as_of=as_of, resume_token=token)
        return None


def _event(change: BookingChange) -> BookingEvent:
    kinds = BookingChange.Kind
    return convert.word(
        BookingEvent, lambda number: kinds.Name(kinds.ValueType(number)), "KIND_", change.kind
    )


def _reset_reason(reset: Reset) -> ResetReason:
    reasons = Reset.Reason
    return convert.word(
        ResetReason, lambda number: reasons.Name(reasons.ValueType(number)), "REASON_", reset.reason
    )
