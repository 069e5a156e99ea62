"""Slots: derived, never stored; and the question that asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from service.domain.interval import Interval


class SlotKey(NamedTuple):
    """What identifies a slot. Sorts by start, then type, then calendar."""

    start: datetime
    type_id: str
    calendar_id: str
    end: datetime


class Slot(NamedTuple):
    """An open slot and the seats it has left."""

    key: SlotKey
    seats_left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotQuery:
    """Which slots one asks for: starts in [start, end).

    Empty ids mean all; no duration, each type's first. `holder_key` is whose own holds hide
    nothing.
    """

    business_id: str
    window: Interval
    type_ids: tuple[str, ...] = ()
    calendar_ids: tuple[str, ...] = ()
    duration: timedelta | None = None
    holder_key: str | None = None
