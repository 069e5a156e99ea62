"""The offered times as chips: which of them can be had now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from slotcast import ShownChanged, Slot, SlotKey
from slotcast_chat.assistant.state import Held, Offer


class ChipState(StrEnum):
    """What a chip shows. HELD: by this conversation itself.

    NOT_LIVE: it was open when it was offered, and what becomes of it is not watched: so it may be
    chosen, and holding it tells the truth. UNKNOWN: nothing is known of any now, so none may be.
    """

    OPEN = "OPEN"
    GONE = "GONE"
    HELD = "HELD"
    NOT_LIVE = "NOT_LIVE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Chip:
    """An offered time, and the slots that it stands for: one of them is enough."""

    offer: Offer
    keys: frozenset[SlotKey]


@dataclass(frozen=True, slots=True)
class Chips:
    """The chips that are shown last.

    `gone` are the slots that were told gone, `unknown` those of which it is not known now. `taken`
    are those that were gone before the hold was made: of others near it, it is not known whether
    the hold's own buffers close them.
    """

    chips: tuple[Chip, ...] = ()
    gone: frozenset[SlotKey] = frozenset()
    unknown: frozenset[SlotKey] = frozenset()
    held: Held | None = None
    taken: frozenset[SlotKey] = frozenset()
    is_stale: bool = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All slots that the chips stand for."""
        keys = sorted(frozenset[SlotKey]().union(*(chip.keys for chip in self.chips)))
        return tuple(
            Slot(
                appointment_type=key.appointment_type,
                calendar=key.calendar,
                start=key.start,
                end=key.end,
            )
            for key in keys
        )

    def showing(self, chips: Sequence[Chip]) -> Chips:
        """Show others, or the same again: what was told gone still is, all else is open."""
        keys = frozenset[SlotKey]().union(*(chip.keys for chip in chips))
        return replace(self, chips=tuple(chips), gone=self.gone & keys, unknown=frozenset())

    def holding(self, held: Held | None, before: Chips) -> Chips:
        """Take what is held now; `before` is what was so before anything was done for it."""
        if held is None or (self.held is not None and held.hold == self.held.hold):
            return replace(self, held=held)
        return replace(self, held=held, taken=before.surely_gone)

    @property
    def surely_gone(self) -> frozenset[SlotKey]:
        """The slots that are gone, and not by the own hold, as far as is known."""
        held = self.held
        if held is None:
            return self.gone
        return frozenset(key for key in self.gone if key in self.taken or not _is_near(held, key))

    def known(self, *, unknown: Iterable[Slot], is_stale: bool) -> Chips:
        """Take which of them are not known now, or that nothing is."""
        return replace(self, unknown=_keys(unknown), is_stale=is_stale)

    def changed(self, news: ShownChanged) -> Chips:
        """Take what has become of slots; that also ends not knowing."""
        back = _keys(news.back)
        left = (self.gone - back) | _keys(news.gone)
        held = self.held
        if held is not None and any(
            chip.keys & back and _covers(held, chip) for chip in self.chips
        ):
            # What was held is open to all: the hold has ended.
            held = None
        unknown = _keys(news.unknown)
        return replace(self, gone=left, unknown=unknown, held=held, is_stale=False)

    def states(self) -> dict[str, ChipState]:
        """Return what each chip shows, by the name of its time."""
        return {chip.offer.time: self._state(chip) for chip in self.chips}

    def _state(self, chip: Chip) -> ChipState:
        if self.held is not None and _covers(self.held, chip):
            return ChipState.HELD
        if self.is_stale:
            return ChipState.UNKNOWN
        left = chip.keys - self.surely_gone
        if chip.keys and not left:
            return ChipState.GONE
        return ChipState.NOT_LIVE if left <= self.unknown | self.gone else ChipState.OPEN


def chip_of(offer: Offer, business: str) -> Chip:
    """Return an offer as a chip. Where nobody is named, no slot is known by it."""
    times = [time for _, time in offer.people] or [offer.time]
    return Chip(offer, _keys(slot_of(time, business) for time in times if time.split("|")[1]))


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


def _keys(slots: Iterable[Slot]) -> frozenset[SlotKey]:
    return frozenset(slot.key for slot in slots)


def _covers(held: Held, chip: Chip) -> bool:
    """Tell whether a chip is the time that is held."""
    return _start(held.time) == _start(chip.offer.time) and held.time in {
        chip.offer.time,
        *(time for _, time in chip.offer.people),
    }


def _is_near(held: Held, key: SlotKey) -> bool:
    """Tell whether a slot is on the held day, with the person who is held."""
    _, person, start_text, _ = held.time.split("|")
    start = datetime.fromisoformat(start_text)
    is_with = not person or key.calendar.endswith(f"/{person}")
    return is_with and key.start.astimezone(start.tzinfo).date() == start.date()


def _start(time: str) -> str:
    return time.split("|")[2]
