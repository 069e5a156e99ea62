"""BookingService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.domain.booking import Booking, BookingStatus
from service.domain.errors import InvalidPageToken, NotImplementedYet, ResourceNotFound
from service.domain.ids import last_part
from service.live.tokens import Tokens
from service.rpc.booking_feed import BookingFeedFrames
from service.rpc.booking_writes import STATUS_CHANGES, BookingWrites
from service.rpc.call import Behaviour, Call
from service.rpc.convert.bookings import STATUSES, write_booking
from service.rpc.convert.names import child_id, child_uuid
from service.rpc.convert.times import read_window
from service.rpc.reading import query_hash, read_at_least
from service.rpc.stream_bookings import StreamedBookings, TakePermit, kind
from service.rpc.submitting import Asking
from service.store import bookings
from service.store.database import Database
from slotcast.v1 import booking_service_pb2 as booking_pb

PAGE_SIZE_DEFAULT = 100
NOT_YET = ("CreateHandoff", "RedeemHandoff", "JoinWaitlist", "LeaveWaitlist")


class BookingService:
    """Holds slots, books them, reads and changes bookings."""

    def __init__(
        self, *, writes: BookingWrites, database: Database, tokens: Tokens, take_permit: TakePermit
    ) -> None:
        """Take what its methods need."""
        self._writes = writes
        self._database = database
        self._tokens = tokens
        self.streams = StreamedBookings(
            {
                "book": kind("book", "Book", writes.book),
                "hold_slot": kind("hold_slot", "HoldSlot", writes.hold_slot),
                "cancel_booking": kind("cancel_booking", "CancelBooking", writes.change_status),
            },
            take_permit,
        )
