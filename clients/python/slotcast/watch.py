"""A live view of open slots that knows when it is stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import grpc

from slotcast.calls import Calls
from slotcast.errors import (
    DeadlineExceeded,
    InvalidResumeToken,
    SlotcastError,
    StreamBroken,
    ViewMismatch,
)
from slotcast.fold import OpenSlots
from slotcast.models import Slot, SlotKey
from slotcast.streams import ResumingStream, Stale
from slotcast.v1.availability_service_pb2 import (
    WatchAvailabilityRequest,
    WatchAvailabilityResponse,
)

if TYPE_CHECKING:
    from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceAsyncStub


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What has changed since the update before, merged: now the slots are those at `revision`.

    `whole`: forget what was shown, `opened` has all open slots. So it is at first, after a Stale,
    and where the server said that changes were lost. A slot in `opened` may have been open before,
    with other seats left, and one in `closed` may never have been told.
    """

    opened: tuple[Slot, ...]
    closed: tuple[SlotKey, ...]
    whole: bool
    revision: int
    as_of: datetime


class OfferedSlots(Mapping[SlotKey, Slot]):
    """The slots that may be offered now, by start: none while the view is stale.

    It lives: each look at it asks anew. To await something between two items, take a tuple first.
    """

    def __init__(self, view: SlotView) -> None:
        """Take the view that knows."""
        self._view = view

    def __getitem__(self, key: SlotKey) -> Slot:
        return self._view.known_slots()[key]

    def __iter__(self) -> Iterator[SlotKey]:
        return iter(sorted(self._view.known_slots()))

    def __len__(self) -> int:
        return len(self._view.known_slots())


class SlotView(ResumingStream[WatchAvailabilityResponse]):
    """Open slots as they change, while the block lasts; for one reader.

        async with client.watch(query) as view:
            async for update in view:
                ...

    `view.slots` may be read at any time. Iterating yields an Update for changes, those that came in
    the meantime merged, and a Stale when the view grows stale; heartbeats yield nothing. It raises
    a SlotcastError when watching on is of no use, such as KeyInvalid or ResourceNotFound.
    """

    def __init__(
        self, service: AvailabilityServiceAsyncStub, request: WatchAvailabilityRequest, calls: Calls
    ) -> None:
        """Take what to watch; open nothing yet."""
        super().__init__(calls)
        self._method: grpc.aio.UnaryStreamMultiCallable[
            WatchAvailabilityRequest, WatchAvailabilityResponse
        ] = service.WatchAvailability
        self._request = request
        self._open_slots = OpenSlots()
        self._told_fresh = False
        self._told_stale = False

    @property
    def slots(self) -> Mapping[SlotKey, Slot]:
        """The slots that may be offered now, by start; empty while the view is stale."""
        return OfferedSlots(self)

    @property
    def is_stale(self) -> bool:
        """True: which slots are open is not known, so none is offered."""
        return not self._open_slots.whole or super().is_stale

    @property
    def revision(self) -> int:
        """The revision that the slots are at; 0 before the first snapshot. It never goes back.

        Except where the server says that the business was restored or made anew.
        """
        return self._open_slots.revision

    @property
    def as_of(self) -> datetime | None:
        """The last instant, by the server's clock, at which the slots were as told."""
        return self._open_slots.as_of

    def known_slots(self) -> Mapping[SlotKey, Slot]:
        """Return all slots as they were last told, or nothing while the view is stale."""
        return {} if self.is_stale else self._open_slots.slots

    async def reached(self, revision: int) -> None:
        """Wait until the view is at least at a revision, such as that of one's own booking.

        DeadlineExceeded: not within `Timeouts.total_seconds`.
        """
        try:
            async with self._clock.timeout(self._calls.timeouts.total_seconds):
                while self.is_stale or self.revision < revision:
                    self._raise_if_over()
                    await self._news()
        except TimeoutError:
            raise DeadlineExceeded(f"Revision {revision} was not reached in time.") from None

    def __aiter__(self) -> SlotView:
        return self

    async def __anext__(self) -> Update | Stale:
        while (news := self.take()) is None:
            await self.moved()
        return news

    def take(self) -> Update | Stale | None:
        """Return at once what iterating would yield; None: it would wait."""
        self._raise_if_over()
        if self.is_stale:
            if self._told_fresh or (self._cause and not self._told_stale):
                return self._tell_stale()
        elif self._open_slots.changes or self._open_slots.replaced or not self._told_fresh:
            return self._tell_update()
        return None

    async def moved(self) -> None:
        """Wait for a frame, heartbeats too, or until the view grows stale, fails or is left.

        Any number of tasks may wait.
        """
        await self._news()

    def _tell_stale(self) -> Stale:
        self._told_fresh, self._told_stale = False, True
        return Stale(as_of=self.as_of, cause=self._cause)

    def _tell_update(self) -> Update:
        slots = self._open_slots
        whole = slots.replaced or not self._told_fresh
        changes = slots.take_changes()
        changed = slots.slots if whole else changes
        self._told_fresh, self._told_stale = True, False
        assert slots.as_of is not None  # a view that is not stale was told when it was so
        return Update(
            opened=tuple(slot for _, slot in sorted(changed.items()) if slot is not None),
            closed=() if whole else tuple(sorted(key for key, slot in changes.items() if not slot)),
            whole=whole,
            revision=slots.revision,
            as_of=slots.as_of,
        )

    def _open(
        self,
    ) -> grpc.aio.UnaryStreamCall[WatchAvailabilityRequest, WatchAvailabilityResponse]:
        self._open_slots.begin_stream()
        request = WatchAvailabilityRequest()
        request.CopyFrom(self._request)
        if self._open_slots.resume_token:
            request.min_revision = 0  # the token says it, also after the business counts anew
            request.resume_token = self._open_slots.resume_token
        else:
            request.min_revision = max(request.min_revision, self.revision)
        return self._method(request, metadata=self._calls.metadata)

    async def _take(self, frame: WatchAvailabilityResponse, stale_after_seconds: float) -> None:
        if not self._open_slots.apply(frame):
            return
        self._freshness.told(frame.as_of.ToNanoseconds() / 1e9, stale_after_seconds)
        if self._freshness.seconds_left <= 0:
            raise StreamBroken("The frames that come are old.")

    def _heals(self, error: SlotcastError) -> bool:
        if isinstance(error, InvalidResumeToken | ViewMismatch):
            self._open_slots.forget()
            return True
        return super()._heals(error)
