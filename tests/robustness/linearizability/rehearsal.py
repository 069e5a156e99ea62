"""A rehearsal: the traffic of a run without servers, decided one after another at made-up instants.

What a run may do to a call is done here too: answers are lost, requests are late, repeated and
refused. So what comes of it is right, and every judge must find it so.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, cast
from uuid import UUID

from service.domain.availability import Hours, Offer, open_slots
from service.domain.booking import Holder, HoldStatus
from service.domain.change import Change, ChangeKind, ref_of
from service.domain.commands import BookingCommand, Outcome
from service.domain.decisions import decide
from service.domain.errors import DomainError, ResourceNotFound
from service.domain.ledger import Ledger
from service.rpc import booking_writes
from service.rpc.convert.bookings import write_booking
from service.rpc.convert.slots import read_slot_query, write_slot
from service.rpc.convert.times import write_instant
from service.rpc.submitting import Asking, Wanted
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.builders import a_calendar, a_catalog, a_schedule, a_type, an_offer, wall
from tests.robustness import history as told
from tests.robustness.catalogue import BUSINESS, CALENDARS, TYPES, Rules, contested_starts
from tests.robustness.history import Call, ClockStep, History, Witness
from tests.robustness.traffic.ground import Ground
from tests.robustness.traffic.owner import altered_type
from tests.robustness.traffic.recorder import Recorder
from tests.robustness.traffic.requests import Draw, Drawn

PRINCIPAL = "operator"
STARTED_AT = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
SERVERS = ("a", "b")
OWNER = "owner"
READ_BY: dict[str, Callable[[Any, Asking], Wanted]] = {
    "HoldSlot": booking_writes.hold_slot,
    "RenewHold": booking_writes.renew_hold,
    "ReleaseHold": booking_writes.release_hold,
    "Book": booking_writes.book,
    "RescheduleBooking": booking_writes.reschedule,
    **dict.fromkeys(booking_writes.STATUS_CHANGES, booking_writes.change_status),
}
RESPONSES: dict[str, Any] = {
    "HoldSlot": booking_pb.HoldSlotResponse,
    "RenewHold": booking_pb.RenewHoldResponse,
    "ReleaseHold": booking_pb.ReleaseHoldResponse,
    "Book": booking_pb.BookResponse,
    "RescheduleBooking": booking_pb.RescheduleBookingResponse,
    "UpdateAppointmentType": catalog_pb.UpdateAppointmentTypeResponse,
    **{method: response for method, (_, response) in booking_writes.STATUS_CHANGES.items()},
}


class Desk:
    """Decides what comes, one after another, as the service would, and keeps the log."""

    def __init__(self) -> None:
        """Open the business of these tests."""
        always = wall("00:00", "24:00")
        catalog = a_catalog(
            types=[_type(type_id, rules) for type_id, rules in TYPES.items()],
            calendars=[a_calendar(each) for each in CALENDARS],
            schedules=[a_schedule(always, weekdays=range(7))],
            holds_per_holder_max=3,
            business_id=BUSINESS,
        )
        self._ids = count(1_000_000)
        self.ledger = Ledger(
            now=STARTED_AT,
            offer=an_offer(catalog),
            bookings={},
            holds={},
            live_holds={},
            new_id=lambda: UUID(int=next(self._ids)),
        )
        self.answers: dict[str, bytes] = {}
        self.changes: list[Change] = []

    def answer(self, method: str, request: Any, now: datetime) -> Any:
        """Return the answer at an instant, or raise what refuses it."""
        self.ledger.now = now
        if isinstance(request, availability_pb.ListSlotsRequest):
            return self._list(request, now)
        if isinstance(request, booking_pb.GetBookingRequest):
            return self._get(request)
        stored = self.answers.get(request.request_id)
        if stored is None:
            is_altered = isinstance(request, catalog_pb.UpdateAppointmentTypeRequest)
            stored = self._alter(request) if is_altered else self._decide(method, request)
            self.answers[request.request_id] = stored
        return RESPONSES[method].FromString(stored)

    def witness(self) -> Witness:
        """Return what a database would say, as far as it is the log."""
        answered = [
            told.Answered(principal_id=PRINCIPAL, request_id=request_id, response=response)
            for request_id, response in self.answers.items()
        ]
        return Witness(
            epoch="1",
            revision=len(self.changes),
            changes=self.changes,
            answered=answered,
            claims=[],
            bookings=[],
            log_revisions=[change.revision for change in self.changes],
            overlaps=[],
        )

    def _decide(self, method: str, request: Any) -> bytes:
        asking = Asking(method_name=method, business_id=BUSINESS, principal_id=PRINCIPAL)
        wanted = READ_BY[method](request, asking)
        self._count_holds()
        decision = decide(self.ledger, cast(BookingCommand, wanted.command))
        revision = len(self.changes) + 1
        self.changes.append(
            Change(
                revision=revision,
                at=self.ledger.now,
                kind=decision.kind,
                added=decision.added,
                removed=tuple(ref_of(claim) for claim in decision.removed),
                booking_ids=tuple(booking.booking_id for booking in decision.bookings),
            )
        )
        return wanted.encode(
            Outcome(revision=revision, bookings=decision.bookings, hold=decision.hold)
        )

    def _alter(self, request: catalog_pb.UpdateAppointmentTypeRequest) -> bytes:
        """Let a type have other seats and another buffer; what stands is not moved."""
        altered, offer = request.appointment_type, self.ledger.offer
        type_id, revision = altered.name.rpartition("/")[2], len(self.changes) + 1
        types = dict(offer.catalog.types)
        types[type_id] = replace(
            types[type_id],
            capacity=altered.capacity,
            buffer_after=altered.buffer_after.ToTimedelta(),
        )
        catalog = replace(offer.catalog, types=types, version=revision)
        self.ledger.offer = Offer(catalog, Hours(catalog), offer.claims)
        self.changes.append(
            Change(revision=revision, at=self.ledger.now, kind=ChangeKind.CATALOG_CHANGED)
        )
        response = catalog_pb.UpdateAppointmentTypeResponse(
            appointment_type=altered, revision=revision
        )
        return response.SerializeToString()

    def _count_holds(self) -> None:
        ledger = self.ledger
        ledger.live_holds = {}
        for hold in ledger.holds.values():
            if hold.status is HoldStatus.LIVE and hold.expires_at > ledger.now:
                for holder in (hold.owner, Holder(hold.principal_id)):
                    ledger.live_holds[holder] = ledger.live_holds.get(holder, 0) + 1

    def _list(
        self, request: availability_pb.ListSlotsRequest, now: datetime
    ) -> availability_pb.ListSlotsResponse:
        query = read_slot_query(request, BUSINESS, PRINCIPAL)
        slots = open_slots(self.ledger.offer, query, now)
        return availability_pb.ListSlotsResponse(
            slots=[write_slot(slot, BUSINESS) for slot in slots],
            revision=len(self.changes),
            as_of=write_instant(now),
        )

    def _get(self, request: booking_pb.GetBookingRequest) -> booking_pb.GetBookingResponse:
        booking = self.ledger.bookings.get(UUID(request.name.rpartition("/")[2]))
        if booking is None:
            raise ResourceNotFound(request.name)
        return booking_pb.GetBookingResponse(
            booking=write_booking(booking, BUSINESS), revision=len(self.changes)
        )


def _type(type_id: str, rules: Rules) -> Any:
    return a_type(
        type_id,
        durations=(rules.duration,),
        slot_step=rules.step,
        any_of=rules.any_of,
        all_of=rules.all_of,
        buffer_after=rules.buffer_after,
        minimum_notice=rules.notice,
        horizon=rules.horizon,
        capacity=rules.capacity,
        hold_duration=rules.hold,
        requires_approval=rules.requires_approval,
    )


@dataclass(kw_only=True)
class _Clock:
    """Stands for the recorder of a run: tells the draw what time it is."""

    history: History
    now: float = 0.0
    acknowledged: int = 0

    @property
    def wall(self) -> datetime:
        return self.history.started_at + timedelta(seconds=self.now)


class Rehearsal:
    """Calls of some clients, with as much trouble as is asked for."""

    def __init__(
        self,
        seed: int,
        *,
        clients: int = 8,
        trouble: float = 0.1,
        desk: Desk | None = None,
        clock_steps: Iterable[ClockStep] = (),
        alters: bool = False,
    ) -> None:
        """Begin with an empty business. Of all calls the share `trouble` is not answered.

        The desk's clock is set as `clock_steps` say; an owner `alters` types.
        """
        self._random = Random(seed)
        self._trouble = trouble
        self.history = History(
            seed=seed, scenario="rehearsal", business_id=BUSINESS, started_at=STARTED_AT
        )
        self.history.clock_steps.extend(clock_steps)
        self._alters = alters
        self.desk = desk or Desk()
        self._clock = _Clock(history=self.history)
        ground = Ground(
            recorder=cast(Recorder, self._clock),
            targets=dict.fromkeys(SERVERS, ""),
            api_key="",
            starts=contested_starts(STARTED_AT),
        )
        self._ground = ground
        names = [f"caller-{number}" for number in range(1, clients + 1)]
        self._draws = {name: Draw(ground, self._random, name) for name in names}
        self._turns: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count(1)
        self._operations = count(1)
        self._calls_max = 0

    def run(self, calls: int) -> History:
        """Let so many calls be made, and bring to an end what they began."""
        self._calls_max = calls
        for name in self._draws:
            self._at(self._random.random() * 0.1, partial(self._begin, name))
        if self._alters:
            self._at(self._random.random(), self._begin_altering)
        while self._turns:
            self._clock.now, _, turn = heapq.heappop(self._turns)
            turn()
        self.history.ended = self._clock.now
        return self.history

    def _at(self, instant: float, turn: Callable[[], None]) -> None:
        heapq.heappush(self._turns, (instant, next(self._numbers), turn))

    def _begin(self, name: str) -> None:
        """Draw a request, or wait for a while, and make it."""
        if len(self.history.calls) >= self._calls_max:
            return
        draw, random = self._draws[name], self._random
        makers = (
            *(draw.book,) * 30,
            *(draw.hold,) * 15,
            *(draw.book_known_hold,) * 8,
            *(draw.renew_or_release,) * 8,
            *(draw.reschedule,) * 10,
            *(draw.cancel,) * 17,
            *(draw.approve,) * 6,
            *(draw.read,) * 12,
        )
        drawn = random.choice(makers)()
        if drawn is None or drawn.method == "ExplainSlot":
            self._at(self._clock.now + 0.01, lambda: self._begin(name))
        else:
            self._call(name, drawn, next(self._operations), attempts_left=2)

    def _begin_altering(self) -> None:
        operation = next(self._operations)
        request = catalog_pb.UpdateAppointmentTypeRequest(
            appointment_type=altered_type(self._random), request_id=f"{OWNER}-{operation}"
        )
        drawn = Drawn("UpdateAppointmentType", request)
        self._call(OWNER, drawn, operation, attempts_left=2)

    def _call(self, name: str, drawn: Drawn, operation: int, attempts_left: int) -> None:
        if len(self.history.calls) >= self._calls_max:
            return
        random, now = self._random, self._clock.now
        call = Call(
            number=len(self.history.calls) + 1,
            operation=operation,
            client=name,
            server=random.choice(SERVERS),
            method=drawn.method,
            request=drawn.request,
            began=now,
        )
        self.history.calls.append(call)
        is_lost = random.random() < self._trouble
        decided_at = now + random.random() * (1.5 if is_lost else 0.03)
        ended_at = now + 0.2 if is_lost else decided_at + random.random() * 0.03
        if not is_lost or random.random() < 0.6:
            self._at(decided_at, lambda: self._decide(call, is_lost=is_lost))
        self._at(ended_at, lambda: self._end(call, attempts_left, is_lost=is_lost))

    def _decide(self, call: Call, *, is_lost: bool) -> None:
        try:
            now = self.history.database_time(self._clock.now)
            response = self.desk.answer(call.method, call.request, now)
        except DomainError as refusal:
            if not is_lost:
                call.outcome, call.reason = told.Outcome.REFUSED, refusal.reason
                call.revision = len(self.desk.changes)
            return
        if not is_lost:
            call.outcome, call.response = told.Outcome.OK, response
            call.revision = response.revision

    def _end(self, call: Call, attempts_left: int, *, is_lost: bool) -> None:
        """Note the answer; ask again where there was none, and begin another."""
        call.ended = self._clock.now
        if is_lost:
            call.reason = "DEADLINE_EXCEEDED"
        if call.outcome is told.Outcome.OK:
            self._remember(call.response)
        drawn = Drawn(call.method, call.request)
        asks_again = is_lost or self._random.random() < 0.05
        if asks_again and attempts_left:
            self._at(
                self._clock.now + self._random.random() * 0.1,
                lambda: self._call(call.client, drawn, call.operation, attempts_left - 1),
            )
        elif call.client == OWNER:
            self._at(self._clock.now + self._random.random() * 2, self._begin_altering)
        else:
            pause = self._random.random() * 0.08
            self._at(self._clock.now + pause, lambda: self._begin(call.client))

    def _remember(self, response: Any) -> None:
        fields, known = response.DESCRIPTOR.fields_by_name, self._ground.known
        if "hold" in fields:
            known.held(response.hold)
        for booking in response.bookings if "bookings" in fields else ():
            known.told(booking)
        if "booking" in fields:
            known.told(response.booking)
