"""The evidence: a history and a witness, put in order so that each rule can look things up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from google.protobuf.message import DecodeError

from service.domain.ids import last_part
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
"""For so long before and after PostgreSQL's clock was set nothing is compared with it."""
CLOCK_SET_BACK_SECONDS = 25.0
"""And for so long after it was set back: servers go by the best of their last readings."""


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
        principal_id = witness.answered[0].principal_id if witness.answered else ""
        self.model = Model(history.business_id, principal_id)
        self.operations: dict[int, list[Call]] = defaultdict(list)
        for call in history.calls:
            self.operations[call.operation].append(call)
        self.methods = {call.request_id: call for call in history.calls if call.request_id}
        self.deeds: dict[int, list[Deed]] = defaultdict(list)
        self.answers: dict[str, list[tuple[Answered, Any]]] = defaultdict(list)
        for answered in witness.answered:
            self._read(answered)
        self.acknowledged = Acknowledged(
            (call.ended, call.revision)
            for call in history.calls
            if call.outcome is Outcome.OK and call.ended is not None
        )
        self._losses = _losses(history)
        self._begun = _lowest_from_here_on([micros(change.at) for change in witness.changes])
        self.timeline = Timeline(
            self._queries(),
            earliest=min(map(self.clock, self._turns())) - CLOCK_SLACK,
            latest=max(map(self.clock, self._turns())) + CLOCK_SLACK,
        )

    def _read(self, answered: Answered) -> None:
        call = self.methods.get(answered.request_id)
        response: Any = None
        if call is not None:
            response = answer_of(call.method)()
            try:
                response.ParseFromString(answered.response)
            except DecodeError:
                response = None
        self.answers[answered.request_id].append((answered, response))
        if call is not None and response is not None:
            deed = Deed(answered.request_id, call.method, call.request, response)
            self.deeds[response.revision].append(deed)

    def _queries(self) -> Iterable[Query]:
        for watch in self.history.watches:
            yield query_of(watch.request, self.model)
        for call in self.history.calls:
            if call.method == "ListSlots":
                yield query_of(call.request, self.model)
            elif call.method == "ExplainSlot":
                yield explained(call)
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

    def instant(self, at: int) -> float:
        """Return the first instant of the history at which PostgreSQL's clock showed a time."""
        seconds = (at - micros(self.history.started_at)) / SECOND
        begins, offset = float("-inf"), 0.0
        for step in self.history.clock_steps:
            if seconds - offset < step.at:
                break
            begins, offset = step.at, step.offset.total_seconds()
        return max(seconds - offset, begins)

    def is_clock_known(self, began: float, ended: float | None = None) -> bool:
        """Say whether PostgreSQL's clock can be compared with others all the time.

        Whoever keeps its time takes a while to notice that it was set, the longest where it was
        set back.
        """
        offset, ended = 0.0, began if ended is None else ended
        for step in self.history.clock_steps:
            is_back = step.offset.total_seconds() < offset
            offset = step.offset.total_seconds()
            noticed = step.at + (CLOCK_SET_BACK_SECONDS if is_back else CLOCK_SET_SECONDS)
            if began < noticed and ended > step.at - CLOCK_SET_SECONDS:
                return False
        return True

    def clocks(self, began: float, ended: float) -> tuple[int, int]:
        """Return the earliest and the latest that PostgreSQL's clock can have shown."""
        shown = [self.clock(began), self.clock(ended)]
        for step in self.history.clock_steps:
            if began - CLOCK_SET_SECONDS < step.at < ended + CLOCK_SET_SECONDS:
                shown += [self.clock(step.at), self.clock(step.at - 1e-6)]
                shown += [self.clock(step.at - CLOCK_SET_SECONDS)]
        return min(shown) - CLOCK_SLACK, max(shown) + CLOCK_SLACK

    def possible_by(self, instant: float) -> int:
        """Return the highest revision that can have been decided by an instant."""
        return bisect_right(self._begun, self.clocks(instant, instant)[1])

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


def _lowest_from_here_on(values: list[int]) -> list[int]:
    """Return for each place the lowest of the values from it on: they never fall."""
    return list(accumulate(reversed(values), min))[::-1]


def explained(call: Call) -> Query:
    """Return the start that an ExplainSlot asks about."""
    first = micros_of(call.request.slot.start_time)
    type_id = last_part(call.request.slot.appointment_type)
    return Query(start=first, end=first + 1, types=frozenset({type_id}))


def answer_of(method: str) -> Any:
    """Return the class of a method's answer."""
    name = f"{method}Response"
    return getattr(booking_pb, name, None) or getattr(catalog_pb, name)
