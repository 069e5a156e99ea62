"""The waitlist, as plain values: what one waits for, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from slotcast import convert
from slotcast.models import Customer, Hold
from slotcast.names import Names
from slotcast.v1 import booking_service_pb2 as pb


class TimeWindow(NamedTuple):
    """A span of time: from its first instant until the one after its last."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitlistWish:
    """What one waits for: a slot that starts in one of up to ten windows.

    No calendars: any of the type's. No duration: the type's first. `holder` is the caller's own
    name for who waits; an offer is a hold of theirs.
    """

    appointment_type: str
    windows: tuple[TimeWindow, ...]
    customer: Customer
    holder: str
    calendars: tuple[str, ...] = ()
    duration: timedelta | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


class WaitlistStatus(StrEnum):
    """Where an entry stands. UNKNOWN is one that this client is too old to know."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    TAKEN = "TAKEN"
    LEFT = "LEFT"
    LAPSED = "LAPSED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitlistEntry:
    """One who waits.

    While a slot is offered, `offer` is the hold to book, until `offer_expires_at`; later that
    succeeds only until it has passed to the next. `customer` is None where the key may not see it.
    """

    name: str
    appointment_type: str
    calendars: tuple[str, ...]
    windows: tuple[TimeWindow, ...]
    duration: timedelta | None
    holder: str
    status: WaitlistStatus
    created_at: datetime
    offer: Hold | None = None
    offer_expires_at: datetime | None = None
    customer: Customer | None = None
    revision: int = field(default=0, compare=False)


def entry(message: pb.WaitlistEntry, revision: int = 0) -> WaitlistEntry:
    """Read an entry, as of a revision."""
    return WaitlistEntry(
        name=message.name,
        appointment_type=message.appointment_type,
        calendars=tuple(message.calendars),
        windows=tuple(
            TimeWindow(convert.instant(window.start_time), convert.instant(window.end_time))
            for window in message.windows
        ),
        duration=message.duration.ToTimedelta() if message.HasField("duration") else None,
        holder=message.holder,
        status=convert.word(
            WaitlistStatus, pb.WaitlistEntry.Status.Name, "STATUS_", message.status
        ),
        created_at=convert.instant(message.create_time),
        offer=convert.hold(message.offer, revision) if message.HasField("offer") else None,
        offer_expires_at=(
            convert.instant(message.offer_expire_time)
            if message.HasField("offer_expire_time")
            else None
        ),
        customer=convert.customer(message.customer) if message.HasField("customer") else None,
        revision=revision,
    )


def join_request(names: Names, wish: WaitlistWish, request_id: str) -> pb.JoinWaitlistRequest:
    """Write what one waits for."""
    return pb.JoinWaitlistRequest(
        parent=names.business(),
        request_id=request_id,
        appointment_type=names.appointment_type(wish.appointment_type),
        calendars=[names.calendar(calendar) for calendar in wish.calendars],
        windows=[
            pb.TimeWindow(
                start_time=convert.timestamp(window.start), end_time=convert.timestamp(window.end)
            )
            for window in wish.windows
        ],
        duration=convert.duration(wish.duration),
        holder=wish.holder,
        customer=convert.customer_message(wish.customer),
        fields=dict(wish.fields),
    )
