"""The evidence: a history and a witness, put in order so that each rule can look things up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from service.domain.change import ChangeKind
from service.domain.claim import ClaimKind
from service.domain.ids import last_part
from slotcast.models import Slot as ClientSlot
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.checker.instants import SECOND, micros, micros_of
from tests.robustness.checker.model import Model
from tests.robustness.checker.placing import Deed
from tests.robustness.checker.timeline import Query, Timeline, query_of
from tests.robustness.history import Answered, Call, History, Link, Outcome, Witness

CLOCK_SLACK = SECOND // 2
"""How far the machine's clock, as the history has it, may be from PostgreSQL's, and no more."""
CUT_SLACK_SECONDS = 2.0
UNREACHED = "UNAVAILABLE"
"""gRPC's own word, without a reason of ErrorReason."""
CLOCK_SET_SECONDS = 3.0
"""For so long before and after PostgreSQL's clock was set it is not known which one is gone by.

A server reads it each second or sooner, and then it notices; the rest is for a busy machine.
"""

NOTIFIER = "waitlist"
"""As whom the notifier asks for what is due; nobody waits for its answers, and they are empty."""
Key = tuple[str, str]
"""Whose API key, and the request_id: what the repetitions of a request are known by."""


class Done(NamedTuple):
    """An answer that is stored, and who asked for it; `response` None: that cannot be read."""

    answered: Answered
    calls: list[Call]
    response: Any

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of those who asked."""
        return tuple(call.number for call in self.calls)


class Acknowledged:
    """Which revisions had been answered OK at each instant."""

    def __init__(self, answers: Iterable[tuple[float, int]]) -> None:
        """Take (instant, revision) of each answer."""
        ordered = sorted(answers)
        self.instants = [at for at, _ in ordered]
        self.revisions = list(accumulate((revision for _, revision in ordered), max))

    def before(self, instant: float) -> int:
        """Return the highest revision that was answered before an instant."""
        index = bisect_left(self.instants, instant)
        return self.revisions[index - 1] if index else 0


class Evidence:
    """What every rule looks at."""

    def __init__(self, history: History, witness: Witness) -> None:
        """Put a history and a witness in order."""
        self.history = history
        self.witness = witness
        self.model = Model(history.business_id, operators_key(history, witness))
        self.operations: dict[int, list[Call]] = defaultdict(list)
        for call in history.calls:
            self.operations[call.operation].append(call)
        # The operations under one id: one, unless it is used for another body.
        self._bodies: dict[Key, dict[int, list[Call]]] = defaultdict(dict)
        for operation, calls in self.operations.items():
            if calls[0].request_id:
                self._bodies[self.key(calls[0])][operation] = calls
        self.deeds: dict[int, list[Deed]] = defaultdict(list)
        # Imports that changed nothing, by the revision that there was; and their operations.
        self.idle: dict[int, list[Deed]] = defaultdict(list)
        self.idle_operations: set[int] = set()
        self.answers: dict[Key, list[Done]] = defaultdict(list)
        self.timed = 0
        for answered in witness.answered:
            if answered.principal_id == NOTIFIER:
                self.timed += 1
            else:
                self._read(answered)
        self._part_imports()
        self.acknowledged = Acknowledged(
            (call.ended, call.revision)
            for call in history.calls
            if call.outcome is Outcome.OK and call.ended is not None
        )
        self._pages = _pages(history)
        self._losses = _losses(history)
        self._begun = _lowest_from_here_on([micros(change.at) for change in witness.changes])
        self.timeline = Timeline(
            self._queries(),
            earliest=min(map(self.clock, self._turns())) - CLOCK_SLACK,
            latest=max(map(self.clock, self._turns())) + CLOCK_SLACK,
        )

    def principal(self, call: Call) -> str:
        """Return whose API key a call carries."""
        return call.principal or self.model.principal_id

    def key(self, call: Call) -> Key:
        """Return what the repetitions of a call are known by."""
        return self.principal(call), call.request_id

    def holder_key(self, call: Call) -> str | None:
        """Return what stands on claims for the holder that a call names."""
        return self.model.key(getattr(call.request, "holder", ""), self.principal(call))

    def done(self, call: Call) -> list[Done]:
        """Return the answers that are stored for a call's request, with this body."""
        stored = self.answers.get(self.key(call), ())
        return [done for done in stored if call.operation == _operation_of(done)]

    def done_otherwise(self, call: Call) -> int:
        """Return the revision at which a call's id was answered for another body; 0: it was not."""
        stored = self.answers.get(self.key(call), ())
        revisions = [
            done.response.revision
            for done in stored
            if done.response is not None and call.operation != _operation_of(done)
        ]
        return min(revisions, default=0)

    def page_before(self, call: Call) -> Call | None:
        """Return who was given a call's page token, if that was for the same query."""
        return self._pages.get((call.request.page_token, _query_text(call.request)))

    def _read(self, answered: Answered) -> None:
        key = (answered.principal_id, answered.request_id)
        done = who_did(answered, list(self._bodies.get(key, {}).values()))
        self.answers[key].append(done)
        if done.response is not None:
            call = done.calls[0]
            deed = Deed(*key, call.method, call.request, done.response, done.numbers)
            self.deeds[done.response.revision].append(deed)

    def _part_imports(self) -> None:
        """Tell imports that made a change from those that found nothing to move.

        These were answered with the newest revision that there was, which is another's.
        """
        feeds = {
            claim.claim_id: (claim.calendar_id, claim.owner_id)
            for change in self.witness.changes
            for claim in change.added
            if claim.kind is ClaimKind.BUSY
        }
        for change in self.witness.changes:
            deeds = self.deeds[change.revision]
            ids = [each.claim_id for each in change.added]
            ids += [each.claim_id for each in change.removed]
            moved = {feeds[claim_id] for claim_id in ids if claim_id in feeds}
            imports = [deed for deed in deeds if deed.method == "ImportBusyFeed"]
            made = [deed for deed in imports if not moved or _feed_of(deed) in moved]
            made = made[:1] if change.kind is ChangeKind.BUSY_IMPORTED else []
            for deed in imports:
                if deed not in made:
                    deeds.remove(deed)
                    self.idle[change.revision].append(deed)
                    self.idle_operations.add(self.operation_of(deed))

    def operation_of(self, deed: Deed) -> int:
        """Return the number of the operation that asked for something."""
        return self.history.calls[deed.calls[0] - 1].operation

    def _queries(self) -> Iterable[Query]:
        for watch in self.history.watches:
            yield query_of(watch.request, self.model)
        for call in self.history.calls:
            if call.method == "ListSlots":
                yield query_of(call.request, self.model)
            elif call.method == "ExplainSlot":
                yield explained(call)
            for slot in call.alternatives:
                yield offered(slot)
        for sight in self.history.sights:
            if sight.window is not None:
                start, end = map(micros, sight.window)
                yield Query(start=start, end=end, types=frozenset(sight.types))

    def _turns(self) -> Iterable[float]:
        yield from (0.0, self.history.ended)
        for step in self.history.clock_steps:
            yield from (step.at, step.at - 1e-6)

    def clock(self, instant: float) -> int:
        """Return what PostgreSQL's clock showed at an instant of the history."""
        return micros(self.history.database_time(instant))

    def is_clock_known(self, began: float, ended: float | None = None) -> bool:
        """Say whether PostgreSQL's clock can be compared with others all the time."""
        ended = began if ended is None else ended
        return not any(
            began < step.at + CLOCK_SET_SECONDS and ended > step.at - CLOCK_SET_SECONDS
            for step in self.history.clock_steps
        )

    def clocks(self, began: float, ended: float) -> tuple[int, int]:
        """Return the earliest and the latest that PostgreSQL's clock can have shown."""
        shown = [self.clock(began), self.clock(ended)]
        for step in self.history.clock_steps:
            if began - CLOCK_SET_SECONDS < step.at < ended + CLOCK_SET_SECONDS:
                shown += [self.clock(step.at), self.clock(step.at - 1e-6)]
                shown += [self.clock(step.at - CLOCK_SET_SECONDS)]
        return min(shown) - CLOCK_SLACK, max(shown) + CLOCK_SLACK

    def possible_by(self, instant: float) -> int:
        """Return the highest revision that can have been decided by an instant, by any clock."""
        latest = self.clocks(instant, instant)[1]
        for step in self.history.clock_steps:
            if step.at <= instant:
                latest = max(latest, self.clock(step.at - 1e-6) + CLOCK_SLACK)
        return bisect_right(self._begun, latest)

    def was_cut(self, server: str, began: float, ended: float | None) -> bool:
        """Say whether the way to a server was disturbed, or it had died, while it was asked."""
        way, over = Link("clients", server), self.history.ended
        until = over if ended is None else ended
        losses = self._losses.get(server, [])
        first = bisect_left(losses, began - CUT_SLACK_SECONDS)
        if first < len(losses) and losses[first] < until + CUT_SLACK_SECONDS:
            return True
        return any(
            way in fault.blocks
            and fault.began - CUT_SLACK_SECONDS < until
            and began < (over if fault.ended is None else fault.ended) + CUT_SLACK_SECONDS
            for fault in self.history.faults
        )


def _losses(history: History) -> dict[str, list[float]]:
    """Return when calls and streams of each server were told that it could not be reached."""
    found: dict[str, list[float]] = defaultdict(list)
    for call in history.calls:
        if call.reason == UNREACHED and call.ended is not None:
            found[call.server].append(call.ended)
    for watch in history.watches:
        if watch.ending == UNREACHED and watch.ended is not None:
            found[watch.server].append(watch.ended)
    return {server: sorted(instants) for server, instants in found.items()}


def _feed_of(deed: Deed) -> tuple[str, str]:
    return last_part(deed.request.calendar), deed.request.feed_id


def _pages(history: History) -> dict[tuple[str, str], Call]:
    """Return which call was given each page token, and for which query."""
    return {
        (call.response.next_page_token, _query_text(call.request)): call
        for call in history.calls
        if call.outcome is Outcome.OK and getattr(call.response, "next_page_token", None)
    }


def _query_text(request: Any) -> str:
    """Return what pages have in common: all but where they are, how long, and how new."""
    query = type(request)()
    query.CopyFrom(request)
    for field in ("page_token", "page_size", "min_revision"):
        if field in query.DESCRIPTOR.fields_by_name:
            query.ClearField(field)
    return str(query)


def operators_key(history: History, witness: Witness) -> str:
    """Return whose API key all carry but for those whose calls say so."""
    others = {call.principal for call in history.calls}
    owners = (answered.principal_id for answered in witness.answered)
    return next((each for each in owners if each not in others), "")


def _operation_of(done: Done) -> int:
    return done.calls[0].operation if done.calls else 0


def who_did(answered: Answered, bodies: list[list[Call]]) -> Done:
    """Return which of the requests under one id an answer is for; mostly there is one."""
    found = [Done(answered, calls, _parsed(answered, calls[0])) for calls in bodies]
    fitting = [done for done in found if _fits(done) and _may_be_done(done)]
    return next(iter((*fitting, *found)), Done(answered, [], None))


def _parsed(answered: Answered, call: Call) -> Any:
    response = answer_of(call.method)()
    try:
        response.ParseFromString(answered.response)
    except DecodeError:
        return None
    return response


def _may_be_done(done: Done) -> bool:
    return any(call.outcome is not Outcome.REFUSED for call in done.calls)


def _fits(done: Done) -> bool:
    """Say whether an answer can be that to a request, as far as two bodies of one id differ."""
    request, response = done.calls[0].request, done.response
    match request, response:
        case _, None:
            return False
        case booking_pb.HoldSlotRequest(), _:
            return request.slot.start_time == response.hold.start_time
        case booking_pb.BookRequest(), _:
            return all(
                booking.customer == request.customer
                and (wish.HasField("hold") or wish.slot.start_time == booking.start_time)
                for wish, booking in zip(request.appointments, response.bookings, strict=False)
            )
        case booking_pb.BookSeriesRequest(), _:
            return response.report.occurrences[0].start_time == request.first.start_time and all(
                each.booking.customer == request.customer
                for each in response.report.occurrences
                if each.HasField("booking")
            )
        case booking_pb.CreateHandoffRequest() | booking_pb.RedeemHandoffRequest(), _:
            # Both may be asked for under one id, and their answers read as each other's.
            is_creating = isinstance(request, booking_pb.CreateHandoffRequest)
            return bool(response.ticket) if is_creating else response.hold.holder == request.holder
        case booking_pb.JoinWaitlistRequest(), _:
            return request.customer == response.entry.customer and list(request.windows) == list(
                response.entry.windows
            )
        case _:
            return True


def _lowest_from_here_on(values: list[int]) -> list[int]:
    """Return for each place the lowest of the values from it on: they never fall."""
    return list(accumulate(reversed(values), min))[::-1]


def explained(call: Call) -> Query:
    """Return the start that an ExplainSlot asks about."""
    first = micros_of(call.request.slot.start_time)
    type_id = last_part(call.request.slot.appointment_type)
    return Query(start=first, end=first + 1, types=frozenset({type_id}))


def offered(slot: ClientSlot) -> Query:
    """Return the start that an alternative is at."""
    first = micros(slot.start)
    return Query(start=first, end=first + 1, types=frozenset({last_part(slot.appointment_type)}))


def answer_of(method: str) -> Any:
    """Return the class of a method's answer."""
    name = f"{method}Response"
    return getattr(booking_pb, name, None) or getattr(catalog_pb, name)
