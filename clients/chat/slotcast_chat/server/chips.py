"""The offered times as chips: which of them can be had now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from slotcast import Slot, SlotKey
from slotcast_chat.assistant.state import Held, Offer


class ChipState(StrEnum):
    """What a chip shows. HELD: by this conversation itself. UNKNOWN: nobody knows now."""

    OPEN = "OPEN"
    GONE = "GONE"
    HELD = "HELD"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Chip:
    """An offered time, and the slots that it stands for: one of them is enough."""

    offer: Offer
    keys: frozenset[SlotKey]


@dataclass(frozen=True, slots=True)
class Chips:
    """The chips that are shown last; `gone` are the slots that were told gone."""

    chips: tuple[Chip, ...] = ()
    gone: frozenset[SlotKey] = frozenset()
    held: Held | None = None
    is_stale: bool = False

    def showing(self, chips: Sequence[Chip]) -> Chips:
        """Show others; all of them are open."""
        return replace(self, chips=tuple(chips), gone=frozenset())

    def changed(self, gone: Iterable[SlotKey], back: Iterable[SlotKey]) -> Chips:
        """Take what has become of slots; that also ends not knowing."""
        back = set(back)
        left = (self.gone - back) | set(gone)
        held = self.held
        if held is not None and any(
            chip.keys & back and _covers(held, chip) for chip in self.chips
        ):
            # What was held is open to all: the hold has ended.
            held = None
        return replace(self, gone=left, held=held, is_stale=False)

    def states(self) -> dict[str, ChipState]:
        """Return what each chip shows, by the name of its time."""
        return {chip.offer.time: self._state(chip) for chip in self.chips}

    def _state(self, chip: Chip) -> ChipState:
        if self.held is not None and _covers(self.held, chip):
            return ChipState.HELD
        if self.is_stale:
            return ChipState.UNKNOWN
        return ChipState.GONE if chip.keys and chip.keys <= self.gone else ChipState.OPEN


def chip_of(offer: Offer, business: str, watched_minutes: int) -> tuple[Chip, tuple[Slot, ...]]:
    """Return an offer as a chip, and the slots to be watched for it.

    Watched are slots of a type's first length only: others stay as they were told.
    """
    times = [time for _, time in offer.people] or [offer.time]
    slots = tuple(slot_of(time, business) for time in times if _minutes(time) == watched_minutes)
    return Chip(offer, frozenset(slot.key for slot in slots)), slots


def slot_of(time: str, business: str) -> Slot:
    """Return the slot that a time names."""
    service, person, start_text, minutes = time.split("|")
    start = datetime.fromisoformat(start_text).astimezone(UTC)
    return Slot(
        appointment_type=f"businesses/{business}/appointmentTypes/{service}",
        calendar=f"businesses/{business}/calendars/{person}",
        start=start,
        end=start + timedelta(minutes=int(minutes)),
    )


def _minutes(time: str) -> int:
    return int(time.rsplit("|", 1)[1])


def _covers(held: Held, chip: Chip) -> bool:
    """Tell whether a chip is the time that is held."""
    return _start(held.time) == _start(chip.offer.time) and held.time in {
        chip.offer.time,
        *(time for _, time in chip.offer.people),
    }


def _start(time: str) -> str:
    return time.split("|")[2]
