"""What changed lately in a view: enough for readers that fell behind a little."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from service.domain.slot import SlotKey
from service.live.frames import ResetReason

STEPS_KEPT_MAX = 512
SLOTS_KEPT_MAX = 20_000
"""Over either limit the oldest steps go; who has not read them gets SLOW_READER and a snapshot."""

SlotChanges = Mapping[SlotKey, int | None]
"""Slots and the seats they have left now; None: closed."""


class _Step(NamedTuple):
    seq: int
    changes: SlotChanges


class History:
    """Numbered steps, 1, 2, 3…, of which the last ones are kept."""

    def __init__(self) -> None:
        """Begin before the first step."""
        self.seq = 0
        self._steps: deque[_Step] = deque()
        self._slots = 0
        self._whole_after = 0
        self._restarted_at = 0
        self._restarted_because = ResetReason.SLOW_READER

    def append(self, changes: SlotChanges) -> None:
        """Add a step. It is kept itself, however large."""
        self.seq += 1
        self._steps.append(_Step(self.seq, changes))
        self._slots += len(changes)
        while len(self._steps) > STEPS_KEPT_MAX or (
            self._slots > SLOTS_KEPT_MAX and len(self._steps) > 1
        ):
            self._forget_oldest()

    def restart(self, reason: ResetReason) -> None:
        """Begin anew: nobody can be brought from before to after."""
        while self._steps:
            self._forget_oldest()
        self.seq += 1
        self._whole_after = self._restarted_at = self.seq
        self._restarted_because = reason

    def after(self, seq: int) -> dict[SlotKey, int | None] | None:
        """Return the steps after one, merged into one; None: some of them are lost."""
        if seq < self._whole_after:
            return None
        merged: dict[SlotKey, int | None] = {}
        for step in self._steps:
            if step.seq > seq:
                merged.update(step.changes)
        return merged

    def lost_because(self, seq: int) -> ResetReason:
        """Return why steps after one are lost: a restart is told, however much came after it."""
        return self._restarted_because if seq < self._restarted_at else ResetReason.SLOW_READER

    def _forget_oldest(self) -> None:
        step = self._steps.popleft()
        self._slots -= len(step.changes)
        self._whole_after = step.seq
