"""What all who make traffic share: how to reach the servers, and what is known to be booked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

import grpc

from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub
from slotcast.v1.booking_service_pb2 import (
    Booking,
    BookRequest,
    Hold,
    LeaveWaitlistRequest,
    ReleaseHoldRequest,
    WaitlistEntry,
)
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub
from slotcast.v1.catalog_service_pb2_grpc import CatalogServiceStub
from tests.robustness.catalogue import BUSINESS, Key
from tests.robustness.traffic.recorder import Metadata, Recorder

SOON = ("walk-in", "drop-in")
KNOWN_MAX = 40
"""So many bookings, holds and entries are remembered; whoever wants one takes any of them."""
WAITING = (WaitlistEntry.STATUS_WAITING, WaitlistEntry.STATUS_OFFERED)
CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.enable_retries", 0),
    # Each caller has connections of its own, so that a cut hits few.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    # So long an attempt has at least; on a busy machine the first one takes more than an instant.
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_535),
)


class Drawn(NamedTuple):
    """A request, and the method that takes it."""

    method: str
    request: Any


class Door:
    """One server, as one caller reaches it."""

    def __init__(self, target: str) -> None:
        """Connect when first used."""
        self.channel = grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        self.availability = AvailabilityServiceStub(self.channel)
        self.bookings = BookingServiceStub(self.channel)
        self.catalog = CatalogServiceStub(self.channel)


class Doors:
    """All servers, as one caller reaches them."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        """Take where they are."""
        self.by_server = {server: Door(target) for server, target in targets.items()}

    async def __aenter__(self) -> Doors:
        return self

    async def __aexit__(self, *_: object) -> None:
        for door in self.by_server.values():
            await door.channel.close()


class Known:
    """Bookings, holds and entries of the waitlist that somebody was told of, as they were then.

    `soon` are bookings that begin while the traffic goes on. `tickets` were made of holds.
    """

    def __init__(self) -> None:
        """Know none."""
        self.bookings: dict[str, Booking] = {}
        self.soon: dict[str, Booking] = {}
        self.holds: dict[str, Hold] = {}
        self.waiting: dict[str, WaitlistEntry] = {}
        self.tickets: list[str] = []

    def told(self, booking: Booking) -> None:
        """Remember a booking as it is now."""
        is_soon = booking.appointment_type.rpartition("/")[2] in SOON
        for known in (self.bookings, self.soon) if is_soon else (self.bookings,):
            known.pop(booking.name, None)
            known[booking.name] = booking
            if len(known) > KNOWN_MAX:
                del known[next(iter(known))]

    def held(self, hold: Hold) -> None:
        """Remember a hold."""
        self.holds[hold.name] = hold
        if len(self.holds) > KNOWN_MAX:
            del self.holds[next(iter(self.holds))]

    def given(self, ticket: str) -> None:
        """Remember a ticket, whatever becomes of it."""
        if ticket not in self.tickets:
            self.tickets = [*self.tickets[1 - KNOWN_MAX :], ticket]

    def waits(self, entry: WaitlistEntry) -> None:
        """Remember an entry of the waitlist while it waits, and what is offered to it as a hold."""
        self.waiting.pop(entry.name, None)
        if entry.status in WAITING:
            self.waiting[entry.name] = entry
        if entry.HasField("offer"):
            self.held(entry.offer)
        if len(self.waiting) > KNOWN_MAX:
            del self.waiting[next(iter(self.waiting))]

    def ended(self, request: Any) -> None:
        """Forget the holds and entries that a request has used up."""
        if isinstance(request, LeaveWaitlistRequest):
            self.waiting.pop(request.name, None)
        if isinstance(request, ReleaseHoldRequest):
            self.holds.pop(request.name, None)
        if isinstance(request, BookRequest):
            for appointment in request.appointments:
                self.holds.pop(appointment.hold, None)


@dataclass(kw_only=True, slots=True)
class Ground:
    """What one run of traffic stands on."""

    recorder: Recorder
    targets: Mapping[str, str]
    api_key: str
    starts: Sequence[datetime]
    known: Known = field(default_factory=Known)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def servers(self) -> Sequence[str]:
        """Their names."""
        return sorted(self.targets)

    def metadata(self, client: str, key: Key | None = None) -> Metadata:
        """Return what goes along with the calls of a client; without a key, the operator's."""
        text = self.api_key if key is None else key.text
        return (("authorization", f"Bearer {text}"), ("x-client-id", client))

    async def pause(self, seconds: float) -> bool:
        """Wait a while; False where the traffic is over."""
        return await pause(seconds, unless=self.is_over)


async def pause(seconds: float, *, unless: asyncio.Event) -> bool:
    """Be idle for a while, as the pace of who makes traffic; False where it is over sooner."""
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        return True
    return False


def calendar_name(calendar_id: str) -> str:
    """Return a calendar's full name."""
    return f"businesses/{BUSINESS}/calendars/{calendar_id}"


def type_name(type_id: str) -> str:
    """Return an appointment type's full name."""
    return f"businesses/{BUSINESS}/appointmentTypes/{type_id}"


def stream_of(seed: int, name: str) -> Random:
    """Return a source of chance of its own: what others draw does not move it."""
    return Random(f"{seed} {name}")
