"""What a watch sends, as plain values. The wire form is the business of service/rpc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from service.domain.booking import Booking
from service.domain.change import ChangeKind
from service.domain.slot import Slot, SlotKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """What every frame carries. The token is empty in the middle of a snapshot or of a delta."""

    business_id: str
    revision: int
    as_of: datetime
    resume_token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk(Stamp):
    """A part of a snapshot."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotEnd(Stamp):
    """The snapshot is whole."""

    open_slots: int


class ClearedSpan(NamedTuple):
    """All slots that start in [start, end); an empty id means all of the watch."""

    type_id: str
    calendar_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta(Stamp):
    """Apply `cleared`, then `closed`, then `opened`; and parts, while there is `more`, at once."""

    cleared: tuple[ClearedSpan, ...] = ()
    closed: tuple[SlotKey, ...] = ()
    opened: tuple[Slot, ...] = ()
    more: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat(Stamp):
    """PostgreSQL was read and has `revision`; all of it has been sent, as of `as_of`."""

    open_slots: int = 0
    digest: int = 0


class ResetReason(StrEnum):
    """Why a client's slots cannot be brought up to date."""

    COMPACTED = "compacted"
    EPOCH = "epoch"
    FILTER = "filter"
    CATALOG = "catalog"
    SLOW_READER = "slow_reader"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset(Stamp):
    """Forget all slots: a snapshot follows."""

    reason: ResetReason


class GoodbyeReason(StrEnum):
    """Why a stream ends as planned."""

    DRAIN = "drain"
    AGE = "age"


@dataclass(frozen=True, kw_only=True, slots=True)
class Goodbye(Stamp):
    """The stream ends: open another with the token, after the delay."""

    reason: GoodbyeReason
    retry_delay_seconds: float


Frame = Chunk | SnapshotEnd | Delta | Heartbeat | Reset | Goodbye

EncodeBody = Callable[[Frame], bytes]
"""Writes a frame without what differs between the streams that share it."""


class Sent(NamedTuple):
    """A frame and its encoding, shared by all streams of one filter."""

    frame: Frame
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingChange(Stamp):
    """What one commit did to bookings, which are as they are now."""

    kind: ChangeKind
    bookings: tuple[Booking, ...]


FeedFrame = BookingChange | Heartbeat | Reset | Goodbye
