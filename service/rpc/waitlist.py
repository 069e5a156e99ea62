"""The waitlist: JoinWaitlist, GetWaitlistEntry, ListWaitlist, LeaveWaitlist."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from service.domain.commands import JoinWaitlist, LeaveWaitlist, Outcome
from service.domain.errors import DomainError, ResourceNotFound
from service.domain.interval import Interval
from service.domain.scopes import BOOKINGS_READ
from service.domain.slot import Slot, SlotQuery
from service.domain.waitlist import Freed, WaitlistEntry
from service.live.availability import Availability
from service.live.tokens import Tokens
from service.rpc.call import Behaviour, Call
from service.rpc.convert.names import child_id, child_uuid
from service.rpc.convert.waitlist import read_join, write_entry
from service.rpc.reading import Reading, query_hash, read_at_least
from service.rpc.submitting import Asking, Submitter, Wanted
from service.store import bookings, waitlist
from service.store.database import Database
from slotcast.v1 import booking_service_pb2 as booking_pb

PAGE_SIZE_DEFAULT = 100


class WaitlistMethods:
    """Lets people wait, and says who does."""

    FOUND_MAX = 5
    """So many open slots are tried, should others take the first of them meanwhile."""
    LOOK_SECONDS_MAX = 2.0
    """Who joins is not kept longer by the look at what is open; the next look is the server's."""

    def __init__(
        self,
        *,
        submitter: Submitter,
        database: Database,
        availability: Availability,
        tokens: Tokens,
    ) -> None:
        """Take what its methods need."""
        self._submitter = submitter
        self._database = database
        self._availability = availability
        self._tokens = tokens

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "JoinWaitlist": self.join_waitlist,
            "GetWaitlistEntry": self.get_entry,
            "ListWaitlist": self.list_waitlist,
            "LeaveWaitlist": self.leave_waitlist,
        }

    async def join_waitlist(self, request: booking_pb.JoinWaitlistRequest, call: Call) -> bytes:
        """Answer JoinWaitlist: with an offer, where a slot that would do is open already."""
        asking = _asking(call)
        command = read_join(request, asking.business_id, asking.acting_id)
        command = replace(command, found=await self._look(asking.business_id, command))
        personal = BOOKINGS_READ in call.principal.scopes

        def encode(outcome: Outcome) -> bytes:
            assert outcome.entry is not None
            entry = write_entry(outcome.entry, asking.business_id, outcome.hold, personal=personal)
            return booking_pb.JoinWaitlistResponse(
                name=entry.name, entry=entry, revision=outcome.revision
            ).SerializeToString()

        return await self._submitter.submit(asking, request, Wanted(command, encode))

    async def leave_waitlist(self, request: booking_pb.LeaveWaitlistRequest, call: Call) -> bytes:
        """Answer LeaveWaitlist."""
        asking = _asking(call)
        command = LeaveWaitlist(entry_id=child_uuid(request.name, asking.business_id))
        return await self._submitter.submit(asking, request, Wanted(command, _encode_leave))

    async def get_entry(
        self, request: booking_pb.GetWaitlistEntryRequest, call: Call
    ) -> booking_pb.GetWaitlistEntryResponse:
        """Answer GetWaitlistEntry."""
        entry_id = child_uuid(request.name, call.business_id)
        async with read_at_least(
            self._database, call.business_id, request.min_revision, request.name
        ) as reading:
            entry = await waitlist.get(reading.tx, call.business_id, entry_id)
            if entry is None:
                raise ResourceNotFound(request.name)
            (written,) = await self._write(reading, call, [entry], personal=True)
        return booking_pb.GetWaitlistEntryResponse(entry=written, revision=reading.revision)

    async def list_waitlist(
        self, request: booking_pb.ListWaitlistRequest, call: Call
    ) -> booking_pb.ListWaitlistResponse:
        """Answer ListWaitlist."""
        query = query_hash("ListWaitlist", request)
        after = self._tokens.read_page(request.page_token, query) if request.page_token else None
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        named = request.appointment_type
        async with read_at_least(self._database, call.business_id, 0, request.parent) as reading:
            found = await waitlist.list_page(
                reading.tx,
                call.business_id,
                type_id=child_id(named, call.business_id) if named else None,
                after_revision=int(after[0]) if after else 0,
                limit=page_size + 1,
            )
            page = found[:page_size]
            personal = BOOKINGS_READ in call.principal.scopes
            entries = await self._write(reading, call, page, personal=personal)
        is_more = len(found) > page_size
        return booking_pb.ListWaitlistResponse(
            entries=entries,
            revision=reading.revision,
            next_page_token=(self._tokens.page(query, [str(page[-1].revision)]) if is_more else ""),
        )

    async def _write(
        self, reading: Reading, call: Call, entries: list[WaitlistEntry], *, personal: bool
    ) -> list[booking_pb.WaitlistEntry]:
        """Return entries as messages, with the holds that are offered to them."""
        hold_ids = [entry.hold_id for entry in entries if entry.hold_id is not None]
        holds = (
            await bookings.holds_by_ids(reading.tx, call.business_id, hold_ids) if hold_ids else []
        )
        offers = {hold.hold_id: hold for hold in holds}
        return [
            write_entry(
                entry,
                call.business_id,
                None if entry.hold_id is None else offers.get(entry.hold_id),
                personal=personal,
            )
            for entry in entries
        ]

    async def _look(self, business_id: str, command: JoinWaitlist) -> tuple[Freed, ...]:
        """Return the first slots that are open and would do; the decision asks again."""
        found: list[Slot] = []
        try:
            async with asyncio.timeout(self.LOOK_SECONDS_MAX):
                for window in _merged(command.windows):
                    query = SlotQuery(
                        business_id=business_id,
                        window=window,
                        type_ids=(command.type_id,),
                        calendar_ids=tuple(sorted(command.calendar_ids)),
                        duration=command.duration,
                    )
                    slots, _, _ = await self._availability.list_slots(
                        query, limit=self.FOUND_MAX - len(found)
                    )
                    found += slots
                    if len(found) >= self.FOUND_MAX:
                        break
        except (DomainError, TimeoutError):
            # What is wrong with the wish, the decision says; and what is open, the next look.
            return ()
        return tuple(
            Freed(calendar_id=slot.key.calendar_id, span=Interval(slot.key.start, slot.key.end))
            for slot in found
        )


def _merged(windows: tuple[Interval, ...]) -> list[Interval]:
    """Return windows by time, those that overlap as one."""
    merged: list[Interval] = []
    for window in sorted(windows, key=lambda each: each.start):
        if merged and window.start <= merged[-1].end:
            last = merged.pop()
            merged.append(Interval(last.start, max(last.end, window.end)))
        else:
            merged.append(window)
    return merged


def _asking(call: Call) -> Asking:
    return Asking(
        method_name=call.method.name,
        business_id=call.business_id,
        principal_id=call.principal.principal_id,
        acts_as=call.principal.acting_id,
    )


def _encode_leave(outcome: Outcome) -> bytes:
    return booking_pb.LeaveWaitlistResponse(revision=outcome.revision).SerializeToString()
