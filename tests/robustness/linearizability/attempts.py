"""Attempts: which operations of a history may have happened, and between which instants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple

from tests.robustness.history import Call, Outcome


class Done(NamedTuple):
    """One that may have happened. `call` tells best of it; `attempts` are those that may be it."""

    call: Call
    attempts: tuple[int, ...]
    began: float

    @property
    def ended(self) -> float:
        """By when it had happened; never, where nobody was told that it has."""
        return (self.call.ended or inf) if self.call.outcome is Outcome.OK else inf


def operations(calls: Iterable[Call]) -> Iterator[Done]:
    """Yield those that have a request id, and may have happened."""
    by_operation: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        if call.request_id:
            by_operation[call.operation].append(call)
    for attempts in by_operation.values():
        told = [call for call in attempts if call.outcome is Outcome.OK]
        telling = min(told, key=lambda call: call.ended or inf, default=None)
        until = inf if telling is None else telling.ended or inf
        doing = [
            call for call in attempts if call.outcome is not Outcome.REFUSED and call.began <= until
        ]
        if doing:
            numbers = tuple(call.number for call in doing)
            yield Done(telling or doing[0], numbers, min(call.began for call in doing))
