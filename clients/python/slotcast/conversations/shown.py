"""What one conversation has shown to its person, and what it was told of it since. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slotcast.conversations.watched import Left
from slotcast.models import Hold, Slot, SlotChoice, SlotKey


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownChanged:
    """What has become of the slots that a conversation showed, since it was last told.

    gone: they cannot be had any more: taken, or the hours changed, or their time has come too near.
        `Client.explain_slot` says why.
    back: they were told gone, and can be had again.
    unknown: all of which it is not known now whether they can be had: show them as such. See
        `Conversation.unknown`. Whether they were told gone stays as it was.
    After a Stale it comes also with neither: what was shown is known again, and is as it was told.
    So it does where only `unknown` has changed.
    """

    gone: tuple[Slot, ...]
    back: tuple[Slot, ...]
    unknown: tuple[Slot, ...] = ()
    revision: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A span of time that a conversation takes on calendars; on any, where none is named.

    It may close slots beside it too, by buffers: those that left at exactly its revision. While it
    is under way (revision 0), it may be those that left after `since`. Where changes of several
    revisions came as one, nothing tells whose they were: then they count as another's.
    """

    start: datetime
    end: datetime
    calendars: tuple[str, ...]
    revision: int = 0
    since: int | None = None

    @classmethod
    def of(cls, taken: Slot | SlotChoice | Hold, full_name: Callable[[str], str]) -> Claim:
        """Return what something takes; of a choice, what is known of that."""
        if isinstance(taken, SlotChoice):
            end = taken.start + (taken.duration or timedelta(minutes=1))
            return cls(taken.start, end, (full_name(taken.calendar),) if taken.calendar else ())
        if isinstance(taken, Slot):
            return cls(taken.start, taken.end, (taken.calendar,))
        return cls(taken.start, taken.end, taken.calendars)

    def covers(self, key: SlotKey) -> bool:
        """Tell whether a slot is in its way."""
        overlaps = self.start < key.end and key.start < self.end
        return overlaps and self._is_on(key)

    def has_closed(self, key: SlotKey, left: Left | None) -> bool:
        """Tell whether a slot that is not in its way left because of it, as far as is known."""
        if left is None:
            return False
        if self.since is not None:
            return left.by > self.since and self._is_on(key)
        return left.after + 1 == left.by == self.revision

    def _is_on(self, key: SlotKey) -> bool:
        return not self.calendars or key.calendar in self.calendars


class ShownSlots:
    """The last slots that were shown, and which of them were told gone.

    `is_open` of a key, wherever it is asked for: True, False, or None where it cannot be told,
    because nobody knows or the conversation itself stands before the slot: then it is as it was
    last told.
    """

    __slots__ = ("_slots", "_told_gone", "_told_unknown")

    def __init__(self) -> None:
        """Begin with none."""
        self._slots: dict[SlotKey, Slot] = {}
        self._told_gone: frozenset[SlotKey] = frozenset()
        self._told_unknown: frozenset[SlotKey] = frozenset()

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All, the one shown longest ago first."""
        return tuple(self._slots.values())

    def show(self, slots: Iterable[Slot], shown_max: int) -> tuple[list[SlotKey], list[SlotKey]]:
        """Have them as shown and open; return which keys are new, and which were forgotten."""
        before = set(self._slots)
        for slot in slots:
            self._slots.pop(slot.key, None)
            self._slots[slot.key] = slot
            self._told_gone -= {slot.key}
        for key in list(self._slots)[: max(len(self._slots) - shown_max, 0)]:
            del self._slots[key]
        self._told_gone &= self._slots.keys()
        return list(self._slots.keys() - before), list(before - self._slots.keys())

    def forget(self, is_meant: Callable[[SlotKey], bool]) -> list[SlotKey]:
        """Have some no more; return which."""
        forgotten = [key for key in self._slots if is_meant(key)]
        for key in forgotten:
            del self._slots[key]
        self._told_gone -= set(forgotten)
        return forgotten

    def gone(self, is_open: Callable[[SlotKey], bool | None]) -> tuple[Slot, ...]:
        """Return those that cannot be had now, whether that was told or not."""
        return tuple(slot for key, slot in self._slots.items() if is_open(key) is False)

    def unknown(self, is_known: Callable[[SlotKey], bool]) -> tuple[Slot, ...]:
        """Return those of which it is not known now whether they can be had."""
        return tuple(slot for key, slot in self._slots.items() if not is_known(key))

    def take_unknown(self, unknown: tuple[Slot, ...]) -> bool:
        """Have these, and no others, as told not to be known; return whether that is news."""
        if not unknown and not self._told_unknown:
            return False
        before = self._told_unknown & self._slots.keys()
        self._told_unknown = frozenset(slot.key for slot in unknown)
        return self._told_unknown != before

    def told_gone(self, key: SlotKey) -> None:
        """Note that the person knows already, if the slot was shown."""
        if key in self._slots:
            self._told_gone |= {key}

    def take_changes(
        self, is_open: Callable[[SlotKey], bool | None]
    ) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
        """Return what is gone and what is back since it was last taken, and have that as told."""
        gone, back = [], []
        for key, slot in self._slots.items():
            is_told_gone, open_now = key in self._told_gone, is_open(key)
            if open_now is False and not is_told_gone:
                gone.append(slot)
            elif open_now and is_told_gone:
                back.append(slot)
        self._told_gone |= {slot.key for slot in gone}
        self._told_gone -= {slot.key for slot in back}
        return tuple(gone), tuple(back)
