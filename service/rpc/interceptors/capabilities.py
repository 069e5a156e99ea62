"""Who comes by a letter's link, or a ticket: what it gives, and what little it may be used for."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from service.domain.capability import Capability, CapabilityKind, Grant, read_capability
from service.domain.errors import (
    CapabilityEnded,
    InvalidRequest,
    KeyInvalid,
    Overloaded,
    ResourceNotFound,
    ScopeMissing,
)
from service.domain.ids import booking_name, hold_name, type_name, waitlist_name
from service.domain.scopes import AVAILABILITY_READ, BOOKINGS_READ, BOOKINGS_WRITE, CATALOG_READ
from service.ops.tasks import shared
from service.rpc.call import Principal
from service.rpc.methods import Method
from service.store.capabilities import Standing

SCOPES = frozenset({AVAILABILITY_READ, BOOKINGS_READ, BOOKINGS_WRITE, CATALOG_READ})

FindStanding = Callable[[Capability], Awaitable[Standing]]
WasAnswered = Callable[[Capability, str], Awaitable[bool]]
Monotonic = Callable[[], float]
Check = Callable[[Grant, Any], None]
T = TypeVar("T")


@dataclass(slots=True)
class _Entry:
    standing: Standing
    fresh_until: float


class CapabilityRing:
    """The capabilities in use; how each stands is read at most once in `cache_seconds`."""

    KEPT_MAX = 10_000
    # How many are looked up at a time: whoever has many links takes no more than that. Tickets, of
    # which nothing is kept, have places of their own, so that no flood of them keeps letters out.
    READS_MAX = 8
    TICKET_READS_MAX = 4
    READ_SECONDS_MAX = 2.0

    def __init__(
        self,
        key: bytes,
        find: FindStanding,
        was_answered: WasAnswered,
        *,
        cache_seconds: float,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Take the key of the tokens, and what finds how a capability stands."""
        self._key = key
        self._find = find
        self._was_answered = was_answered
        self._cache_seconds = cache_seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[Capability, _Entry] = OrderedDict()
        self._reading: dict[Capability, asyncio.Task[_Entry]] = {}
        self._reads = asyncio.Semaphore(self.READS_MAX)
        self._ticket_reads = asyncio.Semaphore(self.TICKET_READS_MAX)

    async def principal(self, token: str, request_id: str) -> Principal:
        """Return who holds a token; raise KeyInvalid, or CapabilityEnded.

        What was done by it before it ended is answered again: `request_id` is that of a request
        that may be a repetition, or empty.
        """
        capability = read_capability(self._key, token)
        if capability is None:
            raise KeyInvalid
        standing = await self._standing(capability)
        if standing.ended is not None and not await self._is_repeated(capability, request_id):
            raise CapabilityEnded(status=standing.ended)
        if standing.grant is None:
            raise CapabilityEnded(status=standing.ended or "")
        return Principal(
            principal_id=capability.principal_id,
            business_id=capability.business_id,
            scopes=SCOPES,
            grant=standing.grant,
        )

    async def _standing(self, capability: Capability) -> Standing:
        if capability.kind is CapabilityKind.HANDOFF:
            # What it may be used for changes with what is done by it.
            return await self._bounded(capability, partial(self._find, capability))
        entry = self._kept.get(capability)
        if entry is None or entry.fresh_until <= self._monotonic():
            entry = await shared(self._read_once(capability))
        return entry.standing

    def _read_once(self, capability: Capability) -> asyncio.Task[_Entry]:
        """Look one up; those who ask for it meanwhile wait for the same answer."""
        reading = self._reading.get(capability)
        if reading is None:
            reading = self._reading[capability] = asyncio.create_task(self._read(capability))
            reading.add_done_callback(lambda _: self._reading.pop(capability, None))
        return reading

    async def _read(self, capability: Capability) -> _Entry:
        fresh_until = self._monotonic() + self._cache_seconds
        standing = await self._bounded(capability, partial(self._find, capability))
        entry = self._kept[capability] = _Entry(standing, fresh_until)
        self._kept.move_to_end(capability)
        if len(self._kept) > self.KEPT_MAX:
            self._kept.popitem(last=False)
        return entry

    async def _is_repeated(self, capability: Capability, request_id: str) -> bool:
        if not request_id:
            return False
        return await self._bounded(capability, partial(self._was_answered, capability, request_id))

    async def _bounded(self, capability: Capability, read: Callable[[], Awaitable[T]]) -> T:
        is_ticket = capability.kind is CapabilityKind.HANDOFF
        places = self._ticket_reads if is_ticket else self._reads
        try:
            async with asyncio.timeout(self.READ_SECONDS_MAX), places:
                return await read()
        except TimeoutError:
            raise Overloaded from None


def check_of(grant: Grant, method: Method) -> Check:
    """Return what checks that a request is for what a grant is for; raise if no request can be."""
    check = ALLOWED[grant.capability.kind].get(method.name)
    if check is None:
        raise ScopeMissing("This link is not for that.", scope=min(method.scopes))
    return check


def _any(_grant: Grant, _request: Any) -> None:
    """Let in who only reads what anyone may know who books."""


def _own_booking(grant: Grant, request: Any) -> None:
    capability = grant.capability
    _same(request.name, booking_name(capability.business_id, capability.id))


def _own_entry(grant: Grant, request: Any) -> None:
    capability = grant.capability
    _same(request.name, waitlist_name(capability.business_id, capability.id))


def _own_hold(grant: Grant, request: Any) -> None:
    """Let in who books what was offered, and nothing beside it."""
    if len(request.appointments) != 1:
        raise InvalidRequest("appointments", "This link is for the appointment that it offers.")
    asked = request.appointments[0].hold
    if not asked:
        raise InvalidRequest("appointments[0]", "By this link, book the hold that it offers.")
    if grant.hold_id is None:
        raise ResourceNotFound(asked)
    _same(asked, hold_name(grant.capability.business_id, grant.hold_id))


def _a_hold(_grant: Grant, request: Any) -> None:
    """Let in who books one hold of the ticket's own, as the decision will say."""
    if len(request.appointments) != 1:
        raise InvalidRequest("appointments", "By this ticket, book one appointment.")
    if not request.appointments[0].hold:
        raise InvalidRequest("appointments[0]", "By this ticket, book a hold.")


def _what_was_booked(grant: Grant, request: Any) -> None:
    if grant.booking_id is None:
        raise ResourceNotFound(request.name)
    _same(request.name, booking_name(grant.capability.business_id, grant.booking_id))


def _own_types(grant: Grant, request: Any) -> None:
    """Let in who asks for slots of what was booked or is offered, and of nothing else."""
    if not request.appointment_types:
        raise InvalidRequest("appointment_types", "By this link, name the appointment type.")
    for name in request.appointment_types:
        _same(name, type_name(grant.capability.business_id, grant.type_id))


def _own_slot(grant: Grant, request: Any) -> None:
    _same(request.slot.appointment_type, type_name(grant.capability.business_id, grant.type_id))


def _same(asked: str, own: str) -> None:
    """Raise, as if there were no other."""
    if asked != own:
        raise ResourceNotFound(asked)


_READING: Mapping[str, Check] = {
    "ListSlots": _own_types,
    "WatchAvailability": _own_types,
    "WatchSlotEvents": _own_types,
    "ExplainSlot": _own_slot,
    "GetBusiness": _any,
    "GetCalendar": _any,
    "ListCalendars": _any,
    "GetAppointmentType": _any,
    "ListAppointmentTypes": _any,
}
ALLOWED: Mapping[CapabilityKind, Mapping[str, Check]] = {
    CapabilityKind.BOOKING: {
        **_READING,
        "GetBooking": _own_booking,
        "RescheduleBooking": _own_booking,
        "CancelBooking": _own_booking,
    },
    CapabilityKind.OFFER: {
        **_READING,
        "GetWaitlistEntry": _own_entry,
        "LeaveWaitlist": _own_entry,
        "Book": _own_hold,
    },
    CapabilityKind.HANDOFF: {
        **_READING,
        # Whose ticket and whose hold it is, the decision asks.
        "RedeemHandoff": _any,
        "RenewHold": _any,
        "ReleaseHold": _any,
        "HoldSlot": _own_slot,
        "Book": _a_hold,
        "GetBooking": _what_was_booked,
    },
}
"""All that may be done by a link; nothing else is."""
