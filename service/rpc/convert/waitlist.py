"""Entries of the waitlist as messages, and the command that makes one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from service.domain import ids
from service.domain.booking import Hold
from service.domain.commands import JoinWaitlist
from service.domain.errors import InvalidRequest
from service.domain.interval import Interval
from service.domain.waitlist import EntryStatus, WaitlistEntry
from service.rpc.convert.bookings import read_customer, write_customer, write_hold
from service.rpc.convert.names import child_id, child_ids
from service.rpc.convert.times import read_instant, read_minutes, write_duration, write_instant
from slotcast.v1 import booking_service_pb2 as booking_pb

STATUSES: Mapping[EntryStatus, booking_pb.WaitlistEntry.Status.ValueType] = {
    EntryStatus.WAITING: booking_pb.WaitlistEntry.STATUS_WAITING,
    EntryStatus.OFFERED: booking_pb.WaitlistEntry.STATUS_OFFERED,
    EntryStatus.TAKEN: booking_pb.WaitlistEntry.STATUS_TAKEN,
    EntryStatus.LEFT: booking_pb.WaitlistEntry.STATUS_LEFT,
    EntryStatus.LAPSED: booking_pb.WaitlistEntry.STATUS_LAPSED,
    EntryStatus.EXPIRED: booking_pb.WaitlistEntry.STATUS_EXPIRED,
}


def write_entry(
    entry: WaitlistEntry, business_id: str, offer: Hold | None, *, personal: bool
) -> booking_pb.WaitlistEntry:
    """Return an entry as a message, with the hold that it is offered.

    Who it is, only if `personal`, and while it is live: then that is erased.
    """
    is_offered = entry.status is EntryStatus.OFFERED and offer is not None
    ends_at = entry.offer_expires_at if is_offered else None
    return booking_pb.WaitlistEntry(
        name=ids.waitlist_name(business_id, entry.entry_id),
        appointment_type=ids.type_name(business_id, entry.type_id),
        calendars=[ids.calendar_name(business_id, each) for each in entry.calendar_ids],
        windows=[
            booking_pb.TimeWindow(
                start_time=write_instant(window.start), end_time=write_instant(window.end)
            )
            for window in entry.windows
        ],
        duration=None if entry.duration is None else write_duration(entry.duration),
        holder=entry.holder,
        status=STATUSES[entry.status],
        offer=write_hold(offer, business_id) if is_offered and offer is not None else None,
        offer_expire_time=None if ends_at is None else write_instant(ends_at),
        customer=write_customer(entry.customer) if personal and entry.is_live else None,
        create_time=write_instant(entry.joined_at),
    )


def read_join(
    request: booking_pb.JoinWaitlistRequest, business_id: str, principal_id: str
) -> JoinWaitlist:
    """Return the command of a JoinWaitlist."""
    return JoinWaitlist(
        entry_id=uuid4(),
        principal_id=principal_id,
        holder=request.holder,
        type_id=child_id(request.appointment_type, business_id),
        calendar_ids=child_ids(request.calendars, business_id),
        windows=tuple(
            _read_window(window, f"windows[{index}]")
            for index, window in enumerate(request.windows)
        ),
        duration=(
            read_minutes(request.duration, "duration") if request.HasField("duration") else None
        ),
        customer=read_customer(request.customer),
        fields=dict(request.fields),
    )


def _read_window(window: booking_pb.TimeWindow, field: str) -> Interval:
    start = read_instant(window.start_time, f"{field}.start_time")
    end = read_instant(window.end_time, f"{field}.end_time")
    if not start < end:
        raise InvalidRequest(f"{field}.end_time", "It must be after start_time.")
    return Interval(start, end)
