"""The projection: the operations of a history, each on every cell that it touches or speaks of.

Attempts with the same request id are one operation, from the first that may have done it to the
first OK answer. Without one it is optional, if something is unknown of an attempt. A refusal is a
reading of its own, at which the operation had not happened. A hold expires by an operation of its
own. Where all operations have an order, those on one cell have it too, so each cell is looked at by
itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from math import inf
from typing import NamedTuple

from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.robustness.catalogue import TYPES
from tests.robustness.history import Call, History, Outcome
from tests.robustness.linearizability.cell import Convert, GiveWay, Lapse, Move, Take
from tests.robustness.linearizability.cells import Cell, CellMap
from tests.robustness.linearizability.effects import Effect, Effects, Touch
from tests.robustness.linearizability.ground import EXPIRY_SLACK_SECONDS, Ground, instant
from tests.robustness.linearizability.orders import Operation
from tests.robustness.linearizability.sights import Sights, refused_places

HOLDING = (booking_pb.HoldSlotRequest, booking_pb.RenewHoldRequest)


class _Write(NamedTuple):
    """An operation that changed something, or may have: the call that tells, and what it did."""

    call: Call
    attempts: tuple[int, ...]
    began: float
    effect: Effect


def project(history: History) -> dict[Cell, list[Operation]]:
    """Return for each cell what was done to it and seen of it."""
    return _Projection(history).by_cell()


class _Projection:
    def __init__(self, history: History) -> None:
        self._history = history
        self._ground = Ground(history)
        effects = Effects(self._ground)
        self._writes = [
            _Write(call, attempts, began, effect)
            for call, attempts, began in _operations(history)
            if (effect := effects.of(call)) is not None
        ]
        spans = [touch.span for write in self._writes for touch in write.effect.touches]
        for call in history.calls:
            for place in refused_places(self._ground, call):
                spans += self._ground.spans(place)
        self._cells = CellMap(spans)
        self._named = _holds_named(history)

    def by_cell(self) -> dict[Cell, list[Operation]]:
        found: dict[Cell, list[Operation]] = {cell: [] for cell in self._cells.all}
        unsure: dict[Cell, set[Hashable]] = defaultdict(set)
        sights = Sights(self._ground, self._cells)
        for call in self._history.calls:
            is_refused = call.outcome is Outcome.REFUSED
            for cell, moves in sights.of(call).items():
                found[cell].append(_reading(call, moves))
                if is_refused:
                    unsure[cell].add(call.operation)
        for write in self._writes:
            for cell, touches in self._touches(write).items():
                operation = _writing(write, touches)
                is_alike = operation.is_optional and write.call.operation not in unsure[cell]
                likeness = operation.variants if is_alike else None
                found[cell].append(replace(operation, likeness=likeness))
                if isinstance(write.call.request, HOLDING):
                    found[cell] += self._lapses(write)
        return found

    def _touches(self, write: _Write) -> dict[Cell, list[Touch]]:
        found: dict[Cell, list[Touch]] = defaultdict(list)
        for touch in write.effect.touches:
            for cell in self._cells.touched(touch.span):
                found[cell].append(touch)
        return found

    def _lapses(self, write: _Write) -> Iterator[Operation]:
        """Yield the expiry of a hold that was made or renewed; in two parts if clocks went back."""
        call = write.call
        if call.outcome is not Outcome.OK:
            yield self._unknown_lapse(write)
            return
        hold = call.response.hold
        first, last = self._ground.expiry(instant(hold.expire_time))
        lapse = Lapse(until=call.operation, is_forgotten=hold.name not in self._named)
        parts = [(last, lapse)] if first == last else [(first, replace(lapse, is_final=False))]
        if first != last:
            parts.append((last, lapse))
        for number, (at, part) in enumerate(parts):
            yield Operation(
                key=("expiry", call.operation, number),
                began=at - EXPIRY_SLACK_SECONDS,
                # One that was made late enough has expired when it is made.
                ended=max(at + EXPIRY_SLACK_SECONDS, call.ended or 0.0),
                variants=((part,),),
                text=f"the expiry of what call {call.number} held",
                calls=(call.number,),
                after=call.operation,
            )

    def _unknown_lapse(self, write: _Write) -> Operation:
        """Return the expiry of what may have been held: nobody knows when, or whether."""
        request, hold = write.call.request, timedelta()
        if isinstance(request, booking_pb.HoldSlotRequest):
            hold = TYPES[self._ground.places(request.slot)[0].type_id].hold
        earliest = self._ground.earliest_time(write.began) + hold
        is_new = isinstance(request, booking_pb.HoldSlotRequest)
        return Operation(
            key=("expiry", write.call.operation, 0),
            began=self._ground.expiry(earliest)[0] - EXPIRY_SLACK_SECONDS,
            ended=inf,
            variants=((Lapse(until=write.call.operation, is_forgotten=is_new),),),
            text=f"the expiry of what call {write.call.number} may have held",
            calls=(write.call.number,),
            is_optional=True,
            after=write.call.operation,
        )


def _operations(history: History) -> Iterator[tuple[Call, tuple[int, ...], float]]:
    """Yield for each operation that may have happened: the call that tells, all, and its start."""
    by_operation: dict[int, list[Call]] = defaultdict(list)
    for call in history.calls:
        if call.request_id:
            by_operation[call.operation].append(call)
    for attempts in by_operation.values():
        answered = [call for call in attempts if call.outcome is Outcome.OK]
        telling = min(answered, key=lambda call: call.ended or inf, default=None)
        until = inf if telling is None else telling.ended or inf
        doing = [
            call for call in attempts if call.outcome is not Outcome.REFUSED and call.began <= until
        ]
        if doing:
            numbers = tuple(call.number for call in doing)
            yield telling or doing[0], numbers, min(call.began for call in doing)


def _writing(write: _Write, touches: Sequence[Touch]) -> Operation:
    call = write.call
    is_known = call.outcome is Outcome.OK
    return Operation(
        key=call.operation,
        began=write.began,
        ended=(call.ended or inf) if is_known else inf,
        variants=_variants(write.effect, touches),
        text=_described(call),
        calls=write.attempts,
        is_optional=not is_known,
    )


def _reading(call: Call, moves: tuple[Move, ...]) -> Operation:
    return Operation(
        key=("sight", call.number),
        began=call.began,
        ended=call.ended or inf,
        variants=(moves,),
        text=_described(call),
        calls=(call.number,),
        is_read=True,
        unless=call.operation if call.outcome is Outcome.REFUSED else None,
    )


def _variants(effect: Effect, touches: Sequence[Touch]) -> tuple[tuple[Move, ...], ...]:
    """Return what may have happened here: of each part one option, which may lie elsewhere."""
    takes = any(
        isinstance(touch.move, Take | Convert)
        and touch.move.occupant.is_sure
        and effect.options.get(touch.part, 1) == 1
        for touch in touches
    )
    parts: dict[int, dict[int, list[Move]]] = defaultdict(lambda: defaultdict(list))
    for touch in touches:
        # Whoever comes here sends away the holds that give way; it need not be said twice.
        if not (takes and isinstance(touch.move, GiveWay)):
            parts[touch.part][touch.option].append(touch.move)
    choices: list[list[list[Move]]] = []
    for part in sorted(parts):
        options = list(parts[part].values())
        is_elsewhere = len(options) < effect.options.get(part, 1)
        choices.append([*options, []] if is_elsewhere else options)
    return tuple(tuple(move for moves in way for move in moves) for way in product(*choices))


def _holds_named(history: History) -> set[str]:
    """Return the holds that a call named, after they were made."""
    named: set[str] = set()
    for call in history.calls:
        request = call.request
        if isinstance(request, booking_pb.RenewHoldRequest | booking_pb.ReleaseHoldRequest):
            named.add(request.name)
        if isinstance(request, booking_pb.BookRequest):
            named.update(each.hold for each in request.appointments if each.hold)
        if isinstance(request, booking_pb.RescheduleBookingRequest) and request.to.hold:
            named.add(request.to.hold)
    return named


def _described(call: Call) -> str:
    outcome = call.reason if call.outcome is Outcome.REFUSED else call.outcome.value
    return f"{call.method} by {call.client} ({outcome}, call {call.number})"
