"""A rehearsal: the traffic of a run without servers, decided one after another at made-up instants.

What a run may do to a call is done here too: answers are lost, requests are late, repeated and
refused. So what comes of it is right, and every judge must find it so.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, cast
from uuid import UUID

from service.domain.availability import open_slots
from service.domain.booking import Holder, HoldStatus
from service.domain.catalog import AppointmentType
from service.domain.change import Change, ref_of
from service.domain.commands import BookingCommand, Outcome
from service.domain.decisions import decide
from service.domain.errors import DomainError, ResourceNotFound
from service.domain.explanation import RuleVerdict, explain
from service.domain.ids import calendar_name
from service.domain.ledger import Decision, Ledger
from service.rpc import booking_writes, series
from service.rpc.availability import RULES
from service.rpc.convert.bookings import write_booking
from service.rpc.convert.slots import read_holder_key, read_slot_choice, read_slot_query, write_slot
from service.rpc.convert.times import write_instant
from service.rpc.submitting import Asking, Wanted
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.builders import a_calendar, a_catalog, a_schedule, a_type, an_offer, wall
from tests.robustness import history as told
from tests.robustness.catalogue import BUSINESS, CALENDARS, PRICES, TYPES, Rules, contested_starts
from tests.robustness.checker import staged_waiting as waiting
from tests.robustness.checker.evidence import NOTIFIER
from tests.robustness.checker.records import TIMED
from tests.robustness.checker.staged_handoffs import HANDOFFS
from tests.robustness.checker.staged_waiting import change_of
from tests.robustness.history import Call, ClockStep, History, Witness
from tests.robustness.linearizability.ground import bookings_in
from tests.robustness.linearizability.owning import RESPONSES as OWNING
from tests.robustness.linearizability.owning import alter, close_open_or_import, own
from tests.robustness.traffic.ground import Drawn, Ground
from tests.robustness.traffic.recorder import Recorder
from tests.robustness.traffic.requests import Draw

PRINCIPAL = "operator"
STARTED_AT = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
SERVERS = ("a", "b")
OWNER = "owner"
TIMER_SECONDS = 0.5
READ_BY: dict[str, Callable[[Any, Asking], Wanted]] = {
    "HoldSlot": booking_writes.hold_slot,
    "RenewHold": booking_writes.renew_hold,
    "ReleaseHold": booking_writes.release_hold,
    "Book": booking_writes.book,
    "BookSeries": series.book_series,
    "RescheduleBooking": booking_writes.reschedule,
    "CreateHandoff": HANDOFFS.create,
    "RedeemHandoff": HANDOFFS.redeem,
    **dict.fromkeys(booking_writes.STATUS_CHANGES, booking_writes.change_status),
}
RESPONSES: dict[str, Any] = {
    "HoldSlot": booking_pb.HoldSlotResponse,
    "RenewHold": booking_pb.RenewHoldResponse,
    "ReleaseHold": booking_pb.ReleaseHoldResponse,
    "Book": booking_pb.BookResponse,
    "BookSeries": booking_pb.BookSeriesResponse,
    "RescheduleBooking": booking_pb.RescheduleBookingResponse,
    "CreateHandoff": booking_pb.CreateHandoffResponse,
    "RedeemHandoff": booking_pb.RedeemHandoffResponse,
    "JoinWaitlist": booking_pb.JoinWaitlistResponse,
    "LeaveWaitlist": booking_pb.LeaveWaitlistResponse,
    **OWNING,
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
        if isinstance(request, availability_pb.ExplainSlotRequest):
            return self._explain(request, now)
        if isinstance(request, booking_pb.GetBookingRequest):
            return self._get(request)
        if method in waiting.READS:
            return waiting.read(self.ledger, method, request, len(self.changes), BUSINESS)
        stored = self.answers.get(request.request_id)
        if stored is None:
            is_owners = method in OWNING
            stored = self._own(method, request) if is_owners else self._decide(method, request)
            self.answers[request.request_id] = stored
        return RESPONSES[method].FromString(stored)

    def witness(self) -> Witness:
        """Return what a database would say, as far as it is the log."""
        answered = [
            told.Answered(principal_id=PRINCIPAL, request_id=request_id, response=response)
            for request_id, response in self.answers.items()
        ]
        answered += [
            told.Answered(principal_id=NOTIFIER, request_id=str(change.revision), response=b"")
            for change in self.changes
            if change.kind in TIMED
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
        if method in waiting.METHODS:
            command = waiting.read_command(self.ledger, method, request, PRINCIPAL)
            decision = self._settle(command)
            answer = waiting.response_to(decision, method, len(self.changes), BUSINESS)
            encoded: bytes = answer.SerializeToString()
            return encoded
        wanted = READ_BY[method](request, asking)
        decision = self._settle(cast(BookingCommand, wanted.command))
        return wanted.encode(
            Outcome(
                revision=len(self.changes),
                bookings=decision.bookings,
                occurrences=decision.occurrences,
                hold=decision.hold,
                handoff=decision.handoff,
            )
        )

    def pass_on(self, now: datetime) -> None:
        """Do what the notifier's timer does when it comes by."""
        self.ledger.now = now
        for command in waiting.due(self.ledger):
            with suppress(DomainError):
                self._settle(command)

    def _settle(self, command: BookingCommand) -> Decision:
        """Decide, and write it into the log."""
        self._count_holds()
        self.ledger.revision = len(self.changes)
        decision = decide(self.ledger, command)
        self.changes.append(change_of(decision, len(self.changes) + 1, self.ledger.now))
        return decision

    def _own(self, method: str, request: Any) -> bytes:
        """Let the owner have another catalogue, or another feed."""
        revision = len(self.changes) + 1
        self.ledger.offer, owned = own(self.ledger.offer, request, revision)
        self.changes.append(
            Change(
                revision=revision,
                at=self.ledger.now,
                kind=owned.kind,
                added=owned.added,
                removed=tuple(ref_of(claim) for claim in owned.removed),
            )
        )
        response: bytes = RESPONSES[method](revision=revision).SerializeToString()
        return response

    def _count_holds(self) -> None:
        ledger = self.ledger
        ledger.live_holds = {}
        for hold in ledger.holds.values():
            is_counted = hold.status is HoldStatus.LIVE and hold.entry_id is None
            if is_counted and hold.expires_at > ledger.now:
                for holder in (hold.owner, Holder(hold.principal_id)):
                    ledger.live_holds[holder] = ledger.live_holds.get(holder, 0) + 1
        ledger.waiting = waiting.counted(ledger.entries.values())

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

    def _explain(
        self, request: availability_pb.ExplainSlotRequest, now: datetime
    ) -> availability_pb.ExplainSlotResponse:
        wish = read_slot_choice(request.slot, BUSINESS, "slot")
        type_ = self.ledger.offer.catalog.types[wish.type_id]
        by_calendar = [
            explain(
                self.ledger.offer,
                wish.type_id,
                calendar_id,
                wish.start,
                type_.durations[0],
                now,
                holder_key=read_holder_key(request.holder, PRINCIPAL),
            )
            for calendar_id in _calendars(wish.calendar_id, type_)
        ]
        return availability_pb.ExplainSlotResponse(
            bookable=any(all(verdict.passed for verdict in each) for each in by_calendar),
            verdicts=[_write_verdict(verdict) for each in by_calendar for verdict in each],
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


def _calendars(calendar_id: str | None, type_: AppointmentType) -> tuple[str, ...]:
    return (calendar_id,) if calendar_id else type_.primary_calendar_ids


def _write_verdict(verdict: RuleVerdict) -> availability_pb.RuleVerdict:
    return availability_pb.RuleVerdict(
        rule=RULES[verdict.rule],
        calendar=calendar_name(BUSINESS, verdict.calendar_id),
        passed=verdict.passed,
        explanation=verdict.explanation,
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
        offer_duration=rules.offer,
        requires_approval=rules.requires_approval,
        display_name=type_id,
        price=PRICES.get(type_id, ("",))[0],
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
        closes: bool = False,
    ) -> None:
        """Begin with an empty business. Of all calls the share `trouble` is not answered.

        The desk's clock is set as `clock_steps` say; an owner `alters` types, and
        `closes` calendars, opens them, and imports busy time.
        """
        self._random = Random(seed)
        self._trouble = trouble
        self.history = History(
            seed=seed, scenario="rehearsal", business_id=BUSINESS, started_at=STARTED_AT
        )
        self.history.clock_steps.extend(clock_steps)
        self._asks_of_owner = [alter] * alters + [close_open_or_import] * closes
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
        self._at(0.0, self._pass_on)
        for ask in self._asks_of_owner:
            self._at(self._random.random(), partial(self._begin_owning, ask))
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
            *(draw.book,) * 28,
            *(draw.book_series,) * 2,
            *(draw.hold,) * 15,
            *(draw.book_known_hold,) * 8,
            *(draw.renew_or_release,) * 8,
            *(draw.handoffs.create_of_known,) * 4,
            *(draw.handoffs.redeem_known,) * 6,
            *(draw.reschedule,) * 10,
            *(draw.cancel,) * 17,
            *(draw.approve,) * 6,
            *(draw.read,) * 12,
            *(draw.join,) * 5,
            *(draw.leave,) * 2,
            *(draw.look,) * 4,
            *(draw.take_offer,) * 4,
        )
        drawn = random.choice(makers)()
        if drawn is None:
            self._at(self._clock.now + 0.01, lambda: self._begin(name))
        else:
            self._call(name, drawn, next(self._operations), attempts_left=2)

    def _pass_on(self) -> None:
        """Let the notifier come by, again and again while there are calls."""
        self.desk.pass_on(self.history.database_time(self._clock.now))
        if self._turns:
            self._at(self._clock.now + TIMER_SECONDS, self._pass_on)

    def _begin_owning(self, ask: Callable[[Random], Any]) -> None:
        operation = next(self._operations)
        request = ask(self._random)
        request.request_id = f"{OWNER}-{operation}"
        method = type(request).__name__.removesuffix("Request")
        self._call(OWNER, Drawn(method, request), operation, attempts_left=2)

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
            ask = self._random.choice(self._asks_of_owner)
            again = partial(self._begin_owning, ask)
            self._at(self._clock.now + self._random.random() * 2, again)
        else:
            pause = self._random.random() * 0.08
            self._at(self._clock.now + pause, lambda: self._begin(call.client))

    def _remember(self, response: Any) -> None:
        fields, known = response.DESCRIPTOR.fields_by_name, self._ground.known
        if "hold" in fields:
            known.held(response.hold)
        if "ticket" in fields:
            known.given(response.ticket)
        for booking in bookings_in(response):
            known.told(booking)
        if "entry" in fields:
            known.waits(response.entry)
