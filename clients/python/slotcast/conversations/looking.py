"""What is known of slots at one moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from slotcast.conversations.watched import Known, Left, Watched
from slotcast.models import SlotKey


class Look:
    """One look at all that is watched. Await nothing while you use it.

    `revision` is that of what the one who looks did itself: what is older says nothing of that.
    `is_behind`: something was, so look again when more was read.
    """

    __slots__ = (
        "_is_watched",
        "_known",
        "_revision",
        "_watched",
        "_window_start",
        "is_behind",
    )

    def __init__(
        self,
        watched: Callable[[str, timedelta], Watched | None],
        is_watched: Callable[[SlotKey], bool],
        window_start: datetime,
        revision: int,
    ) -> None:
        """Take where to look."""
        self._watched = watched
        self._is_watched = is_watched
        self._window_start = window_start
        self._revision = revision
        self._known: dict[tuple[str, timedelta], Known | None] = {}
        self.is_behind = False

    def known(self, key: SlotKey) -> Known | None:
        """Return what knows whether a slot is open; None: that is not known.

        So it is where its type, calendar, duration or day is not watched, or that watch is stale.
        """
        if not self._is_watched(key):
            return None
        kind = key.appointment_type, key.end - key.start
        if kind not in self._known:
            watched = self._watched(*kind)
            self._known[kind] = None if watched is None else watched.known()
        known = self._known[kind]
        return known if known is not None and key.start < known.end else None

    def left(self, key: SlotKey) -> Left | None:
        """Return when a slot left; None: that is not known, or it is open."""
        watched = self._watched(key.appointment_type, key.end - key.start)
        return None if watched is None else watched.left(key)

    def is_past(self, key: SlotKey) -> bool:
        """Tell whether a slot began before all that is watched: it cannot be had any more."""
        return key.start < self._window_start

    def is_open(self, key: SlotKey) -> bool | None:
        """Tell whether a slot can be had; None: that is not known, or not yet."""
        if self.is_past(key):
            return False
        known = self.known(key)
        if known is None:
            return None
        if known.revision < self._revision:
            self.is_behind = True
            return None
        return key in known.slots
