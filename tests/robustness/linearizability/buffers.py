"""Buffers: how long a type may keep calendars busy after an appointment, at each instant.

What a hold or a booking occupies is fixed when it is put there, by its type as it is then. No
answer tells it, so it is any buffer that the type may have had while that was done.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from math import inf
from typing import NamedTuple

from slotcast.v1.catalog_service_pb2 import UpdateAppointmentTypeRequest
from tests.robustness.catalogue import TYPES
from tests.robustness.history import History
from tests.robustness.linearizability.attempts import operations

Buffers = frozenset[timedelta]
"""Of these it is one."""


class _Setting(NamedTuple):
    """A type has a buffer from an instant between these on, until another comes."""

    began: float
    ended: float
    buffer: timedelta


class TypeBuffers:
    """All buffers that the types of a history may have had."""

    def __init__(self, history: History) -> None:
        """Read a history once."""
        self._settings: dict[str, list[_Setting]] = defaultdict(list)
        for type_id, rules in TYPES.items():
            self._settings[type_id].append(_Setting(-inf, -inf, rules.buffer_after))
        for done in operations(history.calls):
            if isinstance(done.call.request, UpdateAppointmentTypeRequest):
                altered = done.call.request.appointment_type
                self._settings[altered.name.rpartition("/")[2]].append(
                    _Setting(done.began, done.ended, altered.buffer_after.ToTimedelta())
                )

    def ever(self, type_id: str) -> Buffers:
        """Return all that a type may ever have had."""
        return self.between(type_id, -inf, inf)

    def between(self, type_id: str, began: float, ended: float) -> Buffers:
        """Return which a type may have had at some instant between two."""
        settings = self._settings[type_id]
        return frozenset(
            each.buffer
            for each in settings
            if each.began <= ended
            and not any(each.ended < other.began and other.ended < began for other in settings)
        )
