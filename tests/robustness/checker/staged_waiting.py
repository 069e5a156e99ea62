"""Staged waiting: the waitlist's commands and answers for staged histories, and the timer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.domain import commands
from service.domain.booking import Customer, Hold, Holder
from service.domain.change import Change, ref_of, state_of
from service.domain.errors import ResourceNotFound
from service.domain.ids import calendar_name, last_part, type_name, waitlist_name
from service.domain.interval import Interval
from service.domain.ledger import Decision, Ledger
from service.domain.listing import open_slots
from service.domain.slot import SlotQuery
from service.domain.waitlist import ALL_WAITING, EntryStatus, Freed, WaitlistEntry
from service.rpc.convert import bookings as convert
from service.rpc.convert.times import write_instant
from slotcast.v1 import booking_service_pb2 as booking_pb

METHODS = frozenset({"JoinWaitlist", "LeaveWaitlist"})
FOUND_MAX = 10
READS = frozenset({"GetWaitlistEntry", "ListWaitlist"})


def change_of(decision: Decision, revision: int, at: datetime) -> Change:
    """Return a decision as an entry of the log."""
    return Change(
        revision=revision,
        at=at,
        kind=decision.kind,
        added=decision.added,
        removed=tuple(map(ref_of, decision.removed)),
        booking_ids=tuple(booking.booking_id for booking in decision.bookings),
        bookings=tuple(state_of(each, decision.moved_from) for each in decision.bookings),
        offers=decision.offers,
        entry_ids=decision.changed_entry_ids,
    )


def counted(entries: Iterable[WaitlistEntry]) -> dict[Holder, int]:
    """Count live entries by holder, by API key, and all of them."""
    holders = [
        holder
        for entry in entries
        if entry.is_live
        for holder in (entry.owner, Holder(entry.principal_id), ALL_WAITING)
    ]
    return dict(Counter(holders))


def read_command(
    ledger: Ledger, method: str, request: Any, principal: str
) -> commands.JoinWaitlist | commands.LeaveWaitlist:
    """Read what is asked; who joins is told of the times that are open now, as a server sees it."""
    if method == "LeaveWaitlist":
        return commands.LeaveWaitlist(entry_id=UUID(last_part(request.name)))
    command = commands.JoinWaitlist(
        entry_id=ledger.new_id(),
        principal_id=principal,
        holder=request.holder,
        type_id=last_part(request.appointment_type),
        calendar_ids=tuple(map(last_part, request.calendars)),
        windows=tuple(
            Interval(each.start_time.ToDatetime(UTC), each.end_time.ToDatetime(UTC))
            for each in request.windows
        ),
        duration=None,
        customer=Customer(display_name=request.customer.display_name),
        fields=dict(request.fields),
    )
    found = _open(ledger, command.type_id, command.calendar_ids, command.windows)
    return replace(command, found=tuple(found)[:FOUND_MAX])


def response_to(decision: Decision, method: str, revision: int, business_id: str) -> Any:
    """Answer what was decided."""
    if method == "LeaveWaitlist":
        return booking_pb.LeaveWaitlistResponse(revision=revision)
    assert decision.entry is not None
    entry = write_entry(decision.entry, decision.hold, business_id)
    return booking_pb.JoinWaitlistResponse(name=entry.name, entry=entry, revision=revision)


def read(ledger: Ledger, method: str, request: Any, revision: int, business_id: str) -> Any:
    """Answer a read."""
    if method == "GetWaitlistEntry":
        entry = ledger.entries.get(UUID(last_part(request.name)))
        if entry is None:
            raise ResourceNotFound(request.name)
        return booking_pb.GetWaitlistEntryResponse(
            entry=_written(ledger, entry, business_id), revision=revision
        )
    live = [entry for entry in ledger.entries.values() if entry.is_live]
    live.sort(key=lambda entry: entry.revision)
    return booking_pb.ListWaitlistResponse(
        entries=[_written(ledger, entry, business_id) for entry in live], revision=revision
    )


def due(ledger: Ledger) -> Iterator[commands.BookingCommand]:
    """Yield what the timer does: it passes on what is over, then offers what has opened."""
    late = [
        entry.entry_id
        for entry in ledger.entries.values()
        if (entry.status is EntryStatus.OFFERED and _is_over(ledger, entry.offer_expires_at))
        or (entry.status is EntryStatus.WAITING and _is_over(ledger, entry.last_end))
    ]
    if late:
        yield commands.PassOn(entry_ids=tuple(late))
    found = {
        freed
        for entry in ledger.entries.values()
        if entry.status is EntryStatus.WAITING
        for freed in _open(ledger, entry.type_id, entry.calendar_ids, entry.windows)
    }
    if found:
        yield commands.OfferOpen(found=tuple(sorted(found, key=_in_time)))


def write_entry(
    entry: WaitlistEntry, hold: Hold | None, business_id: str
) -> booking_pb.WaitlistEntry:
    """Write an entry, and what is offered to it."""
    told = booking_pb.WaitlistEntry(
        name=waitlist_name(business_id, entry.entry_id),
        appointment_type=type_name(business_id, entry.type_id),
        calendars=[calendar_name(business_id, each) for each in entry.calendar_ids],
        windows=[
            booking_pb.TimeWindow(
                start_time=write_instant(window.start), end_time=write_instant(window.end)
            )
            for window in entry.windows
        ],
        holder=entry.holder,
        status=booking_pb.WaitlistEntry.Status.Value(f"STATUS_{entry.status.name}"),
        create_time=write_instant(entry.joined_at),
    )
    if entry.is_live:
        told.customer.display_name = entry.customer.display_name
    if entry.status is EntryStatus.OFFERED and hold is not None and entry.offer_expires_at:
        told.offer.CopyFrom(convert.write_hold(hold, business_id))
        told.offer_expire_time.CopyFrom(write_instant(entry.offer_expires_at))
    return told


def _written(ledger: Ledger, entry: WaitlistEntry, business_id: str) -> booking_pb.WaitlistEntry:
    hold = None if entry.hold_id is None else ledger.holds[entry.hold_id]
    return write_entry(entry, hold, business_id)


def _open(
    ledger: Ledger, type_id: str, calendar_ids: tuple[str, ...], windows: tuple[Interval, ...]
) -> Iterator[Freed]:
    for window in windows if type_id in ledger.offer.catalog.types else ():
        query = SlotQuery(
            business_id=ledger.business_id,
            window=window,
            type_ids=(type_id,),
            calendar_ids=calendar_ids,
        )
        for slot in open_slots(ledger.offer, query, ledger.now):
            yield Freed(
                calendar_id=slot.key.calendar_id, span=Interval(slot.key.start, slot.key.end)
            )


def _is_over(ledger: Ledger, instant: datetime | None) -> bool:
    return instant is not None and instant <= ledger.now


def _in_time(freed: Freed) -> tuple[datetime, str]:
    return freed.span.start, freed.calendar_id
