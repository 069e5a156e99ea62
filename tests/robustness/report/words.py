"""Words: messages, changes and frames in as few words as a person needs."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from service.domain.change import Change
from service.domain.claim import Claim
from slotcast.v1.availability_service_pb2 import WatchAvailabilityResponse

SILENT_FIELDS = frozenset(
    {"parent", "request_id", "customer", "fields", "revision", "time_zone", "create_time"}
    | {"update_time", "end_time", "explanation", "resume_token", "ics", "min_revision"}
)
"""What a reader looks up elsewhere, or does not ask for."""
NAME = re.compile(r"^businesses/[^/]+/\w+/(.+)$")
UUID = re.compile(r"^([0-9a-f]{8})-[0-9a-f-]{27}$")
LISTED_MAX = 12
"""So many of the same are told one by one; then it is said how many there are."""


def told(message: Message | None) -> str:
    """Return what is in a message, with names cut to what tells them apart."""
    if message is None:
        return ""
    parts = [
        _field(field.name, value, field.enum_type)
        for field, value in message.ListFields()
        if field.name not in SILENT_FIELDS
    ]
    return ", ".join(part for part in parts if part)


def short(name: str) -> str:
    """Return the last part of a name; of a random one, as much as tells it apart."""
    named = NAME.match(name)
    last = named[1] if named else name
    random = UUID.match(last)
    return random[1] if random else last


def clock(instant: datetime) -> str:
    """Return an instant of the salon's day; the day of the fights goes without saying."""
    return f"{instant.astimezone(UTC):%H:%M:%S}".removesuffix(":00")


def claim_told(claim: Claim) -> str:
    """Return who claims what."""
    seat = "" if claim.seat is None else f" seat {claim.seat}"
    until = f" until {claim.expires_at:%H:%M:%S.%f}"[:-3] if claim.expires_at else ""
    who = f"{claim.kind} {short(claim.owner_id)}"
    return f"{who} on {claim.calendar_id} {clock(claim.start)}–{clock(claim.end)}{seat}{until}"


def change_told(change: Change) -> str:
    """Return what a change put and took away."""
    parts = [f"+ {claim_told(claim)}" for claim in change.added]
    parts += [f"− {ref.calendar_id} {clock(ref.start)}–{clock(ref.end)}" for ref in change.removed]
    parts += [f"booking {short(str(each))}" for each in change.booking_ids]
    return "; ".join(parts)


def frame_told(frame: WatchAvailabilityResponse) -> str:
    """Return what a frame says."""
    kind = frame.WhichOneof("frame")
    body = getattr(frame, kind) if kind else None
    if kind in {None, "snapshot_chunk"}:
        return f"{len(frame.snapshot_chunk.slots)} slots" if kind else "unknown to this reader"
    if kind == "delta":
        counted = Counter(
            cleared=len(body.cleared), closed=len(body.closed), opened=len(body.opened)
        )
        more = ", more follows" if body.more else ""
        return ", ".join(f"{number} {word}" for word, number in counted.items() if number) + more
    return told(body)


def _field(name: str, value: Any, enum: Any) -> str:
    if enum is not None and isinstance(value, int):
        text = enum.values_by_number[value].name
        return text.removeprefix("BOOKING_STATUS_").removeprefix("REASON_").lower()
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, Timestamp):
        return f"{_label(name)}{clock(value.ToDatetime(tzinfo=UTC))}"
    if isinstance(value, Duration):
        return f"{_label(name)}{value.ToTimedelta().total_seconds():g} s"
    if isinstance(value, Message):
        return f"({told(value)})"
    if isinstance(value, int | float | bytes):
        return f"{name} {value!r}"
    return _several(name, list(value))


def _several(name: str, values: list[Any]) -> str:
    if len(values) > LISTED_MAX:
        return f"{len(values)} {name}"
    return " ".join(_field(name, value, None) for value in values)


def _text(name: str, value: str) -> str:
    if not value:
        return ""
    is_plain = name in {"appointment_type", "appointment_types", "calendar", "calendars", "name"}
    return short(value) if is_plain else f"{_label(name)}{short(value)}"


def _label(name: str) -> str:
    return "" if name == "start_time" else f"{name.removesuffix('_time')} "
