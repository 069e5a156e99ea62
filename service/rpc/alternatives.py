"""What is open instead of a slot that was refused."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from service.domain.booking import Hold
from service.domain.commands import (
    Book,
    Command,
    CreateHandoff,
    HoldSlot,
    HoldWish,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.errors import DomainError, SlotOffGrid, SlotRefused
from service.domain.ids import holder_key
from service.domain.slot import Slot
from service.live.availability import Alternatives, Availability, Lost
from service.rpc.convert.slots import write_slot
from service.store import bookings
from service.store.database import Database
from slotcast.v1 import error_reason_pb2

logger = logging.getLogger(__name__)


class _Told(NamedTuple):
    slots: Sequence[Slot]
    message: error_reason_pb2.Alternatives


class AlternativeSlots:
    """Finds alternatives within a bounded time; a refusal is told without them rather than late."""

    # Far more than it takes: only a server that is hard pressed answers without them.
    WAIT_SECONDS_MAX = 2.0
    TOLD_MAX = 256

    def __init__(self, database: Database, availability: Availability) -> None:
        """Take what knows the holds, and what knows the slots."""
        self._database = database
        self._availability = availability
        self._told: OrderedDict[Lost, _Told] = OrderedDict()

    async def find(
        self, business_id: str, command: Command, error: SlotRefused | SlotOffGrid
    ) -> error_reason_pb2.Alternatives | None:
        """Return what is open instead, or None where that cannot be said in time."""
        try:
            async with asyncio.timeout(self.WAIT_SECONDS_MAX):
                lost = await self._lost(business_id, command, error)
                if lost is None:
                    return None
                found = await self._availability.alternatives(lost, error.revision)
        except (TimeoutError, DomainError):
            return None
        except Exception:
            # The refusal stands, and is the answer; what is missing is only advice.
            logger.exception("No alternatives could be found")
            return None

        return self._tell(lost, found)

    def _tell(self, lost: Lost, found: Alternatives) -> error_reason_pb2.Alternatives:
        """Write the slots once for all who lost the same one: many do at the same time."""
        slots, revision = found
        told = self._told.get(lost)
        if told is None or told.slots is not slots or told.message.revision != revision:
            message = error_reason_pb2.Alternatives(
                slots=[write_slot(slot, lost.business_id) for slot in slots], revision=revision
            )
            told = self._told[lost] = _Told(slots, message)
            if len(self._told) > self.TOLD_MAX:
                self._told.popitem(last=False)
        return told.message

    async def _lost(
        self, business_id: str, command: Command, error: SlotRefused | SlotOffGrid
    ) -> Lost | None:
        """Return which of the command's slots was refused, and to whom."""
        wishes, key = _wishes(command)
        slots = [wish for wish in wishes if isinstance(wish, SlotWish)]
        held = [wish.hold_id for wish in wishes if isinstance(wish, HoldWish)]
        if held:
            async with self._database.snapshot(business_id) as tx:
                holds = await bookings.holds_by_ids(tx, business_id, held)
            slots += [_slot_of(hold) for hold in holds]
            key = key or (holds[0].holder_key if holds else None)
        start = error.metadata.get("start")
        refused = [slot for slot in slots if start in (None, _text(slot.start))]
        # Where a refusal does not say which of several, any guess would be wrong.
        if len(refused) != 1:
            return None
        (slot,) = refused
        return Lost(
            business_id=business_id,
            type_id=slot.type_id,
            calendar_id=slot.calendar_id,
            start=slot.start,
            duration=slot.duration,
            holder_key=key,
        )


def _wishes(command: Command) -> tuple[Sequence[Wish], str | None]:
    match command:
        case HoldSlot():
            return [command.slot], holder_key(command.principal_id, command.holder)
        case RenewHold() | CreateHandoff():
            return [HoldWish(hold_id=command.hold_id)], None
        case Book():
            return command.wishes, command.holder_key
        case Reschedule():
            return [command.wish], None
        case _:
            return [], None


def _slot_of(hold: Hold) -> SlotWish:
    return SlotWish(
        type_id=hold.type_id,
        calendar_id=hold.calendar_ids[0],
        start=hold.appointment.start,
        duration=hold.appointment.end - hold.appointment.start,
    )


def _text(start: datetime) -> str:
    return start.isoformat().replace("+00:00", "Z")
