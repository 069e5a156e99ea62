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
from tests.robustness.linearizability.attempts import Done, operations
from tests.robustness.linearizability.cell import Convert, GiveWay, Lapse, Move, Take
from tests.robustness.linearizability.cells import Cell, CellMap
from tests.robustness.linearizability.effects import Effect, Effects, Touch
from tests.robustness.linearizability.ground import Ground, instant
from tests.robustness.linearizability.orders import Operation
from tests.robustness.linearizability.sights import Sights, refused_places

HOLDING = (
    booking_pb.HoldSlotRequest,
    booking_pb.RenewHoldRequest,
    booking_pb.CreateHandoffRequest,
    booking_pb.RedeemHandoffRequest,
)


class _Write(NamedTuple):
    """An operation that changed something, or may have, and what it did."""

    done: Done
    effect: Effect

    @property
    def call(self) -> Call:
        return self.done.call


def project(history: History) -> dict[Cell, list[Operation]]:
    """Return for each cell what was done to it and seen of it."""
    return _Projection(history).by_cell()


class _Projection:
    def __init__(self, history: History) -> None:
        self._history = history
        self._ground = Ground(history)
        effects = Effects(self._ground)
        self._writes = [
            _Write(done, effect)
            for done in operations(history.calls)
            if (effect := effects.of(done)) is not None
        ]
        spans = [touch.span for write in self._writes for touch in write.effect.touches]
        for call in history.calls:
            for place in refused_places(self._ground, call):
                spans += self._ground.spans(place, self._ground.buffers.ever(place.type_id))
        self._cells = CellMap(spans)
        self._named = _holds_named(history, self._ground)

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
        first, last = self._ground.clock.expiry(instant(hold.expire_time))
        slack = self._ground.clock.slack_seconds
        lapse = Lapse(until=call.operation, is_forgotten=hold.name not in self._named)
        parts = [(last, lapse)] if first == last else [(first, replace(lapse, is_final=False))]
        if first != last:
            parts.append((last, lapse))
        for number, (at, part) in enumerate(parts):
            yield Operation(
                key=("expiry", call.operation, number),
                began=at - slack,
                # One that was made late enough has expired when it is made.
                ended=max(at + slack, call.ended or 0.0),
                variants=((part,),),
                text=f"the expiry of what call {call.number} held",
                calls=(call.number,),
                after=call.operation,
            )

    def _unknown_lapse(self, write: _Write) -> Operation:
        """Return the expiry of what may have been held: nobody knows when, or whether.

        Nor for how long, where the clock is set back afterwards.
        """
        request, hold = write.call.request, timedelta()
        if isinstance(request, booking_pb.HoldSlotRequest):
            hold = TYPES[self._ground.places(request.slot)[0].type_id].hold
        began = write.done.began
        earliest = self._ground.clock.earliest_time(began) + hold
        is_new = isinstance(request, booking_pb.HoldSlotRequest)
        lapse = Lapse(
            until=write.call.operation,
            is_final=not self._ground.clock.is_set_back(began),
            is_forgotten=is_new,
        )
        return Operation(
            key=("expiry", write.call.operation, 0),
            began=self._ground.clock.expiry(earliest)[0] - self._ground.clock.slack_seconds,
            ended=inf,
            variants=((lapse,),),
            text=f"the expiry of what call {write.call.number} may have held",
            calls=(write.call.number,),
            is_optional=True,
            after=write.call.operation,
        )


def _writing(write: _Write, touches: Sequence[Touch]) -> Operation:
    call = write.call
    return Operation(
        key=call.operation,
        began=write.done.began,
        ended=write.done.ended,
        variants=_variants(write.effect, touches),
        text=_described(call),
        calls=write.done.attempts,
        is_optional=call.outcome is not Outcome.OK,
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


def _holds_named(history: History, ground: Ground) -> set[str]:
    """Return the holds that a call named, after they were made."""
    named: set[str] = set()
    for call in history.calls:
        request = call.request
        named.add(ground.renewed(request))
        if isinstance(request, booking_pb.ReleaseHoldRequest):
            named.add(request.name)
        if isinstance(request, booking_pb.BookRequest):
            named.update(each.hold for each in request.appointments if each.hold)
        if isinstance(request, booking_pb.RescheduleBookingRequest) and request.to.hold:
            named.add(request.to.hold)
    return named


def _described(call: Call) -> str:
    outcome = call.reason if call.outcome is Outcome.REFUSED else call.outcome.value
    return f"{call.method} by {call.client} ({outcome}, call {call.number})"
