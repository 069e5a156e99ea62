"""Staged histories: what is asked is decided by the service's own domain, on a clock of the test's.

So a history is right until a test breaks it, and the model is held against the real rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

from service.domain import commands
from service.domain.availability import ClaimBook, Hours, Offer, explain, open_slots
from service.domain.booking import BookingEvent, Holder, HoldStatus
from service.domain.catalog import Business, Catalog
from service.domain.catalog_rules import change_catalog
from service.domain.change import Change, ChangeKind
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import Outcome as Decided
from service.domain.decisions import decide
from service.domain.errors import DomainError, RequestIdReused, SlotOffGrid, SlotRefused
from service.domain.ids import last_part
from service.domain.ledger import Decision, Ledger
from service.domain.slot import Slot
from service.feeds import ics
from service.rpc import series
from service.rpc.catalog_resources import RESOURCES, Resource
from service.rpc.convert import bookings as convert
from service.rpc.convert.catalog import read_business, write_business
from service.rpc.convert.slots import (
    read_holder_key,
    read_slot_choice,
    read_slot_query,
    write_slot,
)
from service.rpc.convert.times import read_window, write_instant
from service.rpc.submitting import Asking, Encode
from slotcast.convert import slot as client_slot
from slotcast.models import Slot as ClientSlot
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import BUSINESS
from tests.robustness.checker import staged_handoffs as handoffs
from tests.robustness.checker import staged_waiting as waiting
from tests.robustness.checker.evidence import NOTIFIER, answer_of
from tests.robustness.checker.staged_waiting import change_of
from tests.robustness.history import (
    Answered,
    Call,
    History,
    Outcome,
    StoredBooking,
    StoredClaim,
    StoredEntry,
    Witness,
)

PRINCIPAL = "operator"
STARTED_AT = datetime(2030, 6, 3, 20, 0, tzinfo=UTC)
EVENTS = {
    "CancelBooking": BookingEvent.CANCEL,
    "ApproveBooking": BookingEvent.APPROVE,
    "DeclineBooking": BookingEvent.DECLINE,
    "CompleteBooking": BookingEvent.COMPLETE,
    "MarkNoShow": BookingEvent.MISS,
}


READS = frozenset({"ListSlots", "ExplainSlot", "GetBooking", "ListBookings"}) | waiting.READS


class Stage:
    """One business, and a clock that moves when something is asked."""

    def __init__(self) -> None:
        """Begin before the business was made."""
        self.now = 1.0
        self.history = History(
            seed=1, scenario="staged", business_id=BUSINESS, started_at=STARTED_AT
        )
        self.changes: list[Change] = []
        self.answered: dict[str, Answered] = {}
        # Those of which the service knows no more: what they tell of a person is erased.
        self._erased: set[str] = set()
        self._numbers = count(1)
        self._operations: dict[tuple[str, bytes], int] = {}
        self._bodies: dict[str, bytes] = {}
        self._principal = PRINCIPAL
        self._encode: Encode
        business = Business(business_id=BUSINESS, display_name="")
        empty = Catalog(
            business=business, version=0, calendars={}, types={}, schedules={}, closures={}
        )
        self.ledger = Ledger(
            now=STARTED_AT,
            offer=Offer(empty, Hours(empty), ClaimBook()),
            bookings={},
            holds={},
            live_holds={},
            new_id=self._new_id,
        )

    @property
    def revision(self) -> int:
        """How far the business is."""
        return len(self.changes)

    @property
    def clock(self) -> datetime:
        """What PostgreSQL's clock shows."""
        return self.history.database_time(self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def _new_id(self) -> UUID:
        return UUID(int=next(self._numbers) << 64)

    def ask(
        self,
        method: str,
        request: Any,
        *,
        server: str = "a",
        operation: int | None = None,
        principal: str = "",
    ) -> Call:
        """Make a call that takes 20 ms, a moment after the last, and decide it in their middle."""
        self.wait(0.001)
        self._principal = principal or PRINCIPAL
        call = Call(
            number=len(self.history.calls) + 1,
            operation=operation or self._operation(method, request),
            principal=principal,
            client="caller",
            server=server,
            method=method,
            request=request,
            began=self.now,
        )
        self.history.calls.append(call)
        self.wait(0.01)
        self._count_holds()
        try:
            call.response = self._answer(method, request)
        except DomainError as refusal:
            call.outcome, call.reason = Outcome.REFUSED, refusal.reason
            is_of_slot = isinstance(refusal, SlotRefused | SlotOffGrid)
            call.revision = self.revision if method in EVENTS or is_of_slot else 0
            if is_of_slot and method == "HoldSlot":
                call.alternatives = self._instead(request)
        else:
            call.outcome, call.revision = Outcome.OK, call.response.revision
        self.wait(0.01)
        call.ended = self.now
        return call

    def _instead(self, request: Any) -> tuple[ClientSlot, ...]:
        """Return what is open instead of a slot: the first of an hour around it."""
        start, around = request.slot.start_time.ToDatetime(UTC), timedelta(minutes=30)
        asked = availability_pb.ListSlotsRequest(
            parent=request.parent,
            appointment_types=[request.slot.appointment_type],
            start_time=write_instant(start - around),
            end_time=write_instant(start + around),
            holder=request.holder,
        )
        found = self.slots(asked, self._principal)[:10]
        return tuple(client_slot(write_slot(slot, BUSINESS)) for slot in found)

    def _operation(self, method: str, request: Any) -> int:
        request_id = getattr(request, "request_id", "")
        if not request_id:
            return next(self._numbers)
        key = f"{self._principal} {request_id}", _body(method, request)
        return self._operations.setdefault(key, next(self._numbers))

    def _count_holds(self) -> None:
        self.ledger.now = self.clock
        self.ledger.live_holds = {}
        for hold in self.ledger.holds.values():
            is_counted = hold.status is HoldStatus.LIVE and hold.entry_id is None
            if is_counted and hold.expires_at > self.clock:
                for holder in (hold.owner, Holder(hold.principal_id)):
                    counted = self.ledger.live_holds.get(holder, 0)
                    self.ledger.live_holds[holder] = counted + 1
        self.ledger.waiting = waiting.counted(self.ledger.entries.values())

    def _answer(self, method: str, request: Any) -> Any:
        if method in READS:
            return self._read(method, request)
        key = _key(self._principal, request.request_id)
        stored = None if key in self._erased else self.answered.get(key)
        if stored is None:
            response = self._write(method, request)
            stored = self.answered[key] = Answered(
                principal_id=self._principal,
                request_id=request.request_id,
                response=response.SerializeToString(),
            )
            self._bodies[key] = _body(method, request)
        elif self._bodies[key] != _body(method, request):
            raise RequestIdReused
        again = answer_of(method)()
        again.ParseFromString(stored.response)
        return again

    # What changes something.

    def _write(self, method: str, request: Any) -> Any:
        if method == "CreateBusiness":
            business = read_business(request.business, BUSINESS)
            self._put_catalog(replace(self.ledger.offer.catalog, business=business))
            response = catalog_pb.CreateBusinessResponse(business=write_business(business))
        elif method == "ImportBusyFeed":
            response = self._import(request)
        elif (resource := _resource_of(method)) is not None:
            response = self._change_catalog(method, request, resource)
        else:
            return self._decide(method, request)
        response.revision = self.revision
        return response

    def _decide(self, method: str, request: Any) -> Any:
        decision = self._settle(self._command(method, request))
        if method == "BookSeries":
            outcome = Decided(revision=self.revision, occurrences=decision.occurrences)
            return booking_pb.BookSeriesResponse.FromString(self._encode(outcome))
        if method in handoffs.METHODS:
            outcome = Decided(revision=self.revision, hold=decision.hold, handoff=decision.handoff)
            return answer_of(method).FromString(self._encode(outcome))
        if method in waiting.METHODS:
            return waiting.response_to(decision, method, self.revision, BUSINESS)
        response = answer_of(method)(revision=self.revision)
        told = [convert.write_booking(each, BUSINESS) for each in decision.bookings]
        if method == "Book":
            response.bookings.extend(told)
        elif told:
            response.booking.CopyFrom(told[0])
        elif decision.hold is not None and method != "ReleaseHold":
            response.hold.CopyFrom(convert.write_hold(decision.hold, BUSINESS))
        return response

    def _settle(self, command: commands.BookingCommand) -> Decision:
        """Decide, and write it into the log."""
        self.ledger.revision = self.revision
        decision = decide(self.ledger, command)
        self.changes.append(change_of(decision, self.revision + 1, self.clock))
        self._erase(handoffs.ended_by(decision))
        return decision

    def erase_lapsed(self) -> None:
        """Do what the eraser does when it comes by."""
        self.ledger.now = self.clock
        self._erase(handoffs.lapsed(self.ledger))

    def has_erased(self, call: Call) -> bool:
        """Say whether the answer to a call was erased."""
        return _key(call.principal or PRINCIPAL, call.request_id) in self._erased

    def _erase(self, hold_ids: Iterable[UUID]) -> None:
        self._erased |= {_key(*each) for each in handoffs.erase(self.ledger, hold_ids)}

    def pass_on(self) -> None:
        """Do what the notifier's timer does when it comes by."""
        self._count_holds()
        for command in waiting.due(self.ledger):
            with suppress(DomainError):
                self._settle(command)
                key = f"{NOTIFIER} {self.revision}"
                self.answered[key] = Answered(principal_id=NOTIFIER, request_id=key, response=b"")

    def _command(self, method: str, request: Any) -> commands.BookingCommand:
        if method == "BookSeries" or method in handoffs.METHODS:
            asking = Asking(method_name=method, business_id=BUSINESS, principal_id=self._principal)
            is_series = method == "BookSeries"
            wanted = (
                series.book_series(request, asking)
                if is_series
                else handoffs.wanted(self.ledger, method, request, asking)
            )
            self._encode = wanted.encode
            return cast(commands.BookingCommand, wanted.command)
        if method in waiting.METHODS:
            return waiting.read_command(self.ledger, method, request, self._principal)
        if method in EVENTS:
            return convert.read_status_change(request, BUSINESS, EVENTS[method])
        if method in {"RenewHold", "ReleaseHold"}:
            kind = commands.RenewHold if method == "RenewHold" else commands.ReleaseHold
            return kind(hold_id=UUID(last_part(request.name)), principal_id=self._principal)
        if method == "HoldSlot":
            wish = convert.read_hold_slot(request, BUSINESS, self._principal)
            return replace(wish, hold_id=self._new_id())
        if method == "RescheduleBooking":
            return convert.read_reschedule(request, BUSINESS, self._principal)
        book = convert.read_book(request, BUSINESS, self._principal)
        return replace(book, booking_ids=tuple(self._new_id() for _ in book.wishes))

    def _change_catalog(self, method: str, request: Any, resource: Resource) -> Any:
        catalog = self.ledger.offer.catalog
        if method.startswith("Delete"):
            command = resource.delete(last_part(request.name))
            self._put_catalog(change_catalog(catalog, command, self.revision + 1))
            return answer_of(method)()
        message, is_new = getattr(request, resource.field), method.startswith("Create")
        thing_id = getattr(request, f"{resource.field}_id") if is_new else last_part(message.name)
        thing = resource.read(message, BUSINESS, thing_id)
        command = resource.put(is_new, thing)
        self._put_catalog(change_catalog(catalog, command, self.revision + 1))
        return answer_of(method)(**{resource.field: resource.write(thing, BUSINESS)})

    def _put_catalog(self, catalog: Catalog) -> None:
        self.ledger.offer = Offer(catalog, Hours(catalog), self.ledger.offer.claims)
        self._log(ChangeKind.CATALOG_CHANGED)

    def _import(self, request: catalog_pb.ImportBusyFeedRequest) -> Any:
        calendar_id, book = last_part(request.calendar), self.ledger.offer.claims
        busy = ics.busy_times(
            request.ics,
            zone="UTC",
            window_start=self.clock - timedelta(days=1),
            window_end=self.clock + timedelta(days=731),
        )
        for claim in list(book):
            if (claim.owner_id, claim.calendar_id) == (request.feed_id, calendar_id):
                book.remove(claim.claim_id)
        for each in busy:
            book.add(
                Claim(
                    claim_id=self._new_id(),
                    calendar_id=calendar_id,
                    kind=ClaimKind.BUSY,
                    owner_id=request.feed_id,
                    start=each.start,
                    end=each.end,
                )
            )
        self._log(ChangeKind.BUSY_IMPORTED)
        return catalog_pb.ImportBusyFeedResponse(busy_intervals=len(busy))

    def _log(self, kind: ChangeKind) -> None:
        self.changes.append(Change(revision=self.revision + 1, at=self.clock, kind=kind))

    # What only looks.

    def slots(self, request: Any, principal: str = PRINCIPAL) -> list[Slot]:
        """Return the open slots that a list or a watch asks for, now."""
        query = read_slot_query(request, BUSINESS, principal)
        return open_slots(self.ledger.offer, query, self.clock)

    def _read(self, method: str, request: Any) -> Any:
        if method == "ListSlots":
            return availability_pb.ListSlotsResponse(
                slots=[write_slot(slot, BUSINESS) for slot in self.slots(request, self._principal)],
                revision=self.revision,
                as_of=write_instant(self.clock),
            )
        if method == "ExplainSlot":
            return self._explain(request)
        if method in waiting.READS:
            return waiting.read(self.ledger, method, request, self.revision, BUSINESS)
        if method == "GetBooking":
            booking = self.ledger.bookings[UUID(last_part(request.name))]
            return booking_pb.GetBookingResponse(
                booking=convert.write_booking(booking, BUSINESS), revision=self.revision
            )
        window = read_window(request.start_time, request.end_time)
        bookings = sorted(
            (
                each
                for each in self.ledger.bookings.values()
                if window.start <= each.appointment.start < window.end
            ),
            key=lambda each: (each.appointment.start, str(each.booking_id)),
        )
        return booking_pb.ListBookingsResponse(
            bookings=[convert.write_booking(each, BUSINESS) for each in bookings],
            revision=self.revision,
        )

    def _explain(self, request: availability_pb.ExplainSlotRequest) -> Any:
        wish = read_slot_choice(request.slot, BUSINESS, "slot")
        type_ = self.ledger.offer.catalog.types[wish.type_id]
        calendars = [wish.calendar_id] if wish.calendar_id else type_.primary_calendar_ids
        key = read_holder_key(request.holder, self._principal)
        told = [
            explain(
                *(self.ledger.offer, wish.type_id, calendar_id, wish.start),
                *(type_.durations[0], self.clock),
                holder_key=key,
            )
            for calendar_id in calendars
        ]
        return availability_pb.ExplainSlotResponse(
            bookable=any(all(verdict.passed for verdict in each) for each in told),
            verdicts=[
                availability_pb.RuleVerdict(passed=verdict.passed)
                for each in told
                for verdict in each
            ],
            revision=self.revision,
            as_of=write_instant(self.clock),
        )

    def end(self) -> tuple[History, Witness]:
        """Return the history, and what PostgreSQL would say."""
        self.history.ended = self.history.traffic_ended = self.now
        return self.history, Witness(
            epoch="epoch",
            revision=self.revision,
            changes=list(self.changes),
            answered=list(self.answered.values()),
            claims=[_stored(claim) for claim in self.ledger.offer.claims],
            bookings=[
                StoredBooking(
                    booking_id=each.booking_id,
                    type_id=each.type_id,
                    calendar_ids=each.calendar_ids,
                    start=each.appointment.start,
                    end=each.appointment.end,
                    status=each.status.value,
                    version=each.version,
                )
                for each in self.ledger.bookings.values()
            ],
            log_revisions=list(range(1, self.revision + 1)),
            overlaps=[],
            entries=[
                StoredEntry(
                    entry_id=each.entry_id,
                    status=each.status.value,
                    revision=each.revision,
                    hold_id=None if each.hold_id is None else str(each.hold_id),
                    offer_expires_at=each.offer_expires_at,
                )
                for each in self.ledger.entries.values()
            ],
        )


def _key(principal: str, request_id: str) -> str:
    """Return what an answer is found by: ids are counted by API key."""
    return request_id if principal == PRINCIPAL else f"{principal} {request_id}"


def _body(method: str, request: Any) -> bytes:
    return method.encode() + b"\n" + request.SerializeToString(deterministic=True)


def _resource_of(method: str) -> Resource | None:
    return next((each for each in RESOURCES if method.endswith(each.message)), None)


def _stored(claim: Claim) -> StoredClaim:
    return StoredClaim(
        claim_id=claim.claim_id,
        calendar_id=claim.calendar_id,
        kind=claim.kind.value,
        owner_id=claim.owner_id,
        start=claim.start,
        end=claim.end,
        type_id=claim.type_id,
        seat=claim.seat,
        expires_at=claim.expires_at,
    )
