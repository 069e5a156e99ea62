"""Slots, and the questions that ask for them."""

from __future__ import annotations

from functools import lru_cache

from service.domain import ids
from service.domain.commands import SlotWish
from service.domain.slot import Slot, SlotKey, SlotQuery
from service.rpc.convert.names import child_id, child_ids
from service.rpc.convert.times import read_instant, read_minutes, read_window, write_instant
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import core_pb2 as core_pb

SLOTS_KEPT_MAX = 65_536
"""About 40 MB."""


def write_slot(slot: Slot, business_id: str) -> core_pb.Slot:
    """Return an open slot as a message."""
    key = slot.key
    return core_pb.Slot(
        appointment_type=ids.type_name(business_id, key.type_id),
        calendar=ids.calendar_name(business_id, key.calendar_id),
        start_time=write_instant(key.start),
        end_time=write_instant(key.end),
        seats_left=slot.seats_left,
    )


@lru_cache(maxsize=SLOTS_KEPT_MAX)
def encode_slot(slot: Slot, business_id: str) -> bytes:
    """Return an open slot as the bytes of its message; lists and watches ask for the same again."""
    return write_slot(slot, business_id).SerializeToString()


def write_slot_key(key: SlotKey, business_id: str) -> core_pb.SlotKey:
    """Return the name of a slot as a message."""
    return core_pb.SlotKey(
        appointment_type=ids.type_name(business_id, key.type_id),
        calendar=ids.calendar_name(business_id, key.calendar_id),
        start_time=write_instant(key.start),
        end_time=write_instant(key.end),
    )


def read_slot_choice(choice: core_pb.SlotChoice, business_id: str, field: str) -> SlotWish:
    """Return which slot a caller wants; `field` is where the choice stands in the request."""
    return SlotWish(
        type_id=child_id(choice.appointment_type, business_id),
        calendar_id=child_id(choice.calendar, business_id) if choice.calendar else None,
        start=read_instant(choice.start_time, f"{field}.start_time"),
        duration=(
            read_minutes(choice.duration, f"{field}.duration")
            if choice.HasField("duration")
            else None
        ),
    )


def read_slot_query(
    request: availability_pb.ListSlotsRequest | availability_pb.WatchAvailabilityRequest,
    business_id: str,
    principal_id: str,
) -> SlotQuery:
    """Return which slots a list or a watch asks for."""
    return SlotQuery(
        business_id=business_id,
        window=read_window(request.start_time, request.end_time),
        type_ids=tuple(sorted(child_ids(request.appointment_types, business_id))),
        calendar_ids=tuple(sorted(child_ids(request.calendars, business_id))),
        duration=(
            read_minutes(request.duration, "duration") if request.HasField("duration") else None
        ),
        holder_key=read_holder_key(request.holder, principal_id),
    )


def read_holder_key(holder: str, principal_id: str) -> str | None:
    """Return what stands for a holder, if one is named."""
    return ids.holder_key(principal_id, holder) if holder else None
