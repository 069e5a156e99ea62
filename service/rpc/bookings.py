"""BookingService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from service.domain.booking import Booking, BookingQuery
from service.domain.errors import ResourceNotFound
from service.domain.scopes import BOOKINGS_READ
from service.live.feed import BookingFeed
from service.live.tokens import Tokens
from service.rpc import booking_writes as writes
from service.rpc.call import Behaviour, Call
from service.rpc.convert.bookings import STATUSES, write_booking
from service.rpc.convert.frames import FrameCodec
from service.rpc.convert.names import child_id, child_ids, child_uuid
from service.rpc.convert.times import read_window
from service.rpc.handoffs import Handoffs
from service.rpc.reading import query_hash, read_at_least
from service.rpc.series import book_series
from service.rpc.stream_bookings import StreamedBookings, TakePermit, kind
from service.rpc.submitting import Asking, Submitter, Wanted
from service.store import bookings
from service.store.database import Database
from slotcast.v1 import booking_service_pb2 as booking_pb

PAGE_SIZE_DEFAULT = 100


class BookingService:
    """Holds slots, books them, reads and changes bookings."""

    def __init__(
        self,
        *,
        submitter: Submitter,
        database: Database,
        feed: BookingFeed,
        frames: FrameCodec,
        tokens: Tokens,
        take_permit: TakePermit,
        handoffs: Handoffs,
    ) -> None:
        """Take what its methods need."""
        self._submitter = submitter
        self._database = database
        self._feed = feed
        self._frames = frames
        self._tokens = tokens
        self._handoffs = handoffs
        self.streams = StreamedBookings(
            {
                "book": kind("book", "Book", writes.book),
                "hold_slot": kind("hold_slot", "HoldSlot", writes.hold_slot),
                "cancel_booking": kind("cancel_booking", "CancelBooking", writes.change_status),
            },
            submitter,
            take_permit,
        )

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "HoldSlot": self._asked(writes.hold_slot),
            "RenewHold": self._asked(writes.renew_hold),
            "ReleaseHold": self._asked(writes.release_hold),
            "Book": self._asked(writes.book),
            "BookSeries": self._asked(book_series),
            "StreamBookings": self.stream_bookings,
            "GetBooking": self.get_booking,
            "ListBookings": self.list_bookings,
            "RescheduleBooking": self._asked(writes.reschedule),
            "WatchBookings": self.watch_bookings,
            "CreateHandoff": self._asked(self._handoffs.create),
            "RedeemHandoff": self._asked(self._handoffs.redeem),
            **dict.fromkeys(writes.STATUS_CHANGES, self._asked(writes.change_status)),
        }

    async def stream_bookings(self, requests: AsyncIterator[Any], call: Call) -> None:
        """Answer StreamBookings."""
        await self.streams.serve(requests, call)

    async def get_booking(
        self, request: booking_pb.GetBookingRequest, call: Call
    ) -> booking_pb.GetBookingResponse:
        """Answer GetBooking."""
        async with read_at_least(
            self._database, call.business_id, request.min_revision, request.name
        ) as reading:
            booking_id = child_uuid(request.name, call.business_id)
            booking = await bookings.get(reading.tx, call.business_id, booking_id)
        if booking is None:
            raise ResourceNotFound(request.name)
        return booking_pb.GetBookingResponse(
            booking=write_booking(booking, call.business_id), revision=reading.revision
        )

    async def list_bookings(
        self, request: booking_pb.ListBookingsRequest, call: Call
    ) -> booking_pb.ListBookingsResponse:
        """Answer ListBookings."""
        query = query_hash("ListBookings", request)
        after = self._tokens.read_page(request.page_token, query) if request.page_token else None
        asked = BookingQuery(
            window=read_window(request.start_time, request.end_time),
            calendar_id=child_id(request.calendar, call.business_id) if request.calendar else None,
            conversation=request.conversation,
            statuses=frozenset(STATUSES[status] for status in request.statuses),
        )
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        async with read_at_least(
            self._database, call.business_id, request.min_revision, request.parent
        ) as reading:
            found = await bookings.list_page(
                reading.tx,
                call.business_id,
                asked,
                after=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
                limit=page_size + 1,
            )
        page = found[:page_size]
        return booking_pb.ListBookingsResponse(
            bookings=[write_booking(booking, call.business_id) for booking in page],
            revision=reading.revision,
            next_page_token=self._after(query, page[-1]) if len(found) > page_size else "",
        )

    async def watch_bookings(self, request: booking_pb.WatchBookingsRequest, call: Call) -> None:
        """Answer WatchBookings; who comes is told to those who may read bookings."""
        personal = BOOKINGS_READ in call.principal.scopes
        watch = self._feed.watch(
            call.business_id,
            frozenset(child_ids(request.calendars, call.business_id)),
            resume_token=request.resume_token,
            min_revision=request.min_revision,
            is_web=call.is_web,
        )
        stream_seq = 0
        async with aclosing(watch) as frames:
            async for frame in frames:
                await call.recheck_key()
                stream_seq += 1
                message = self._frames.write_feed_frame(frame, stream_seq, personal=personal)
                await call.write(message)

    def _after(self, query: str, last: Booking) -> str:
        return self._tokens.page(query, [last.appointment.start.isoformat(), str(last.booking_id)])

    def _asked(self, read: Callable[[Any, Asking], Wanted]) -> Behaviour:
        """Return the behaviour of a call that writes."""

        async def behave(request: Any, call: Call) -> bytes:
            asking = Asking(
                method_name=call.method.name,
                business_id=call.business_id,
                principal_id=call.principal.principal_id,
                acts_as=call.principal.acting_id,
            )
            return await self._submitter.submit(asking, request, read(request, asking))

        return behave
