"""What is open instead of a slot that was refused."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from service.domain.booking import Hold
from service.domain.commands import (
    Book,
    Command,
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
from service.rpc.convert.slots import write_slot
from service.store import bookings
from service.store.database import Database
from slotcast.v1 import error_reason_pb2

logger = logging.getLogger(__name__)


class OpenSlots(Protocol):
    """What knows which slots are open."""

    async def alternatives(
        self, business_id: str, wish: SlotWish, *, holder_key: str | None, min_revision: int
    ) -> tuple[Sequence[Slot], int]:
        """Return open slots, best first, and the revision at which they are."""


class _Question(NamedTuple):
    business_id: str
    wish: SlotWish
    holder_key: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    alternatives: error_reason_pb2.Alternatives
    good_until: float


class AlternativeSlots:
    """Finds alternatives within a bounded time; a refusal is told without them rather than late."""

    WAIT_SECONDS_MAX = 0.2
    # When many want the slot that one got, they are told the same.
    KEPT_SECONDS = 0.5
    KEPT_MAX = 1000

    def __init__(
        self,
        database: Database,
        open_slots: OpenSlots,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what knows the holds, and what knows the slots."""
        self._database = database
        self._open_slots = open_slots
        self._monotonic = monotonic
        self._kept: OrderedDict[_Question, _Answer] = OrderedDict()

    async def find(
        self, business_id: str, command: Command, error: SlotRefused | SlotOffGrid
    ) -> error_reason_pb2.Alternatives | None:
        """Return what is open instead, or None where that cannot be said in time."""
        try:
            async with asyncio.timeout(self.WAIT_SECONDS_MAX):
                question = await self._question(business_id, command, error)
                return await self._answer(question, error.revision) if question else None
        except (TimeoutError, DomainError):
            return None
        except Exception:
            # The refusal stands, and is the answer; what is missing is only advice.
            logger.exception("No alternatives could be found")
            return None

    async def _answer(self, question: _Question, revision: int) -> error_reason_pb2.Alternatives:
        kept = self._kept.get(question)
        now = self._monotonic()
        if kept and kept.alternatives.revision >= revision and now < kept.good_until:
            return kept.alternatives
        slots, at_revision = await self._open_slots.alternatives(
            question.business_id,
            question.wish,
            holder_key=question.holder_key,
            min_revision=revision,
        )
        found = error_reason_pb2.Alternatives(
            slots=[write_slot(slot, question.business_id) for slot in slots],
            revision=at_revision,
        )
        self._kept[question] = _Answer(found, self._monotonic() + self.KEPT_SECONDS)
        if len(self._kept) > self.KEPT_MAX:
            self._kept.popitem(last=False)
        return found

    async def _question(
        self, business_id: str, command: Command, error: SlotRefused | SlotOffGrid
    ) -> _Question | None:
        """Return which of the command's slots was refused, and to whom."""
        wishes, key = _wishes(command)
        slots = [wish for wish in wishes if isinstance(wish, SlotWish)]
        held = [wish.hold_id for wish in wishes if isinstance(wish, HoldWish)]
        if held:
            async with self._database.snapshot() as tx:
                holds = await bookings.holds_by_ids(tx, business_id, held)
            slots += [_slot_of(hold) for hold in holds]
            key = key or (holds[0].holder_key if holds else None)
        refused = [slot for slot in slots if _text(slot.start) == error.metadata.get("start")]
        return _Question(business_id, refused[0], key) if refused else None


def _wishes(command: Command) -> tuple[Sequence[Wish], str | None]:
    match command:
        case HoldSlot():
            return [command.slot], holder_key(command.principal_id, command.holder)
        case RenewHold():
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
