"""What each conversation has booked, held and handed over: known to this process only, bounded.

It guards against an assistant that does a thing twice; what is booked is the service's to say.
Nothing that people typed is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from weakref import WeakKeyDictionary

from slotcast import Booking, BookingStatus, Client, Hold
from slotcast_mcp.ids import Held, Time, last_part

CONVERSATIONS_MAX = 2_000
"""Of so many conversations of one key; the one that did something longest ago is forgotten."""
EACH_MAX = 20
"""So many bookings, links and ended holds of each; the oldest is forgotten."""
HANDED_OVER_FOR = timedelta(hours=1)
"""So long after its hold's end a form may still be open."""
LIVE = frozenset({BookingStatus.CONFIRMED, BookingStatus.PENDING})

Item = TypeVar("Item")


@dataclass(slots=True)
class _Kept:
    """What is kept of one conversation, by the ids of bookings and holds."""

    bookings: OrderedDict[str, Booking] = field(default_factory=OrderedDict)
    links: OrderedDict[str, Hold] = field(default_factory=OrderedDict)
    ended: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Memory:
    """What the conversations of one key did."""

    def __init__(self, conversations_max: int = CONVERSATIONS_MAX) -> None:
        """Begin with nothing."""
        self._max = conversations_max
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._holders: OrderedDict[str, str] = OrderedDict()

    def has_booked(self, conversation: str, booking: Booking) -> None:
        """Keep a booking as it stands; one that stands no longer is forgotten."""
        name = last_part(booking.name)
        bookings = self._of(conversation).bookings
        bookings.pop(name, None)
        if booking.status in LIVE:
            nameless = replace(booking, customer=None, fields={}, cancel_reason="")
            _keep(bookings, name, nameless)

    def has_changed(self, booking: Booking) -> None:
        """Follow a booking that was moved or cancelled, whoever asked for it."""
        name = last_part(booking.name)
        for conversation, kept in self._kept.items():
            if name in kept.bookings:
                self.has_booked(conversation, booking)
                return

    def booked(self, conversation: str) -> Sequence[Booking]:
        """Return the bookings of a conversation."""
        kept = self._kept.get(conversation)
        return tuple(kept.bookings.values()) if kept else ()

    def has_held(self, conversation: str, hold: Hold) -> None:
        """Keep whose a hold is."""
        name = last_part(hold.name)
        self._holders.pop(name, None)
        self._holders[name] = conversation
        while len(self._holders) > self._max:
            self._holders.popitem(last=False)

    def is_of_another(self, conversation: str, hold_id: str) -> bool:
        """Tell whether a hold is known to be another conversation's."""
        return self._holders.get(hold_id, conversation) != conversation

    def has_handed_over(self, conversation: str, hold: Hold) -> None:
        """Keep that a form has a hold."""
        _keep(self._of(conversation).links, last_part(hold.name), hold)

    def has_ended(self, conversation: str, hold_id: str) -> None:
        """Keep that a hold was booked or given up: no form has it any more."""
        kept = self._of(conversation)
        kept.links.pop(hold_id, None)
        _keep(kept.ended, hold_id, None)

    def is_ended(self, conversation: str, hold_id: str) -> bool:
        """Tell whether a hold is known to be booked or given up."""
        kept = self._kept.get(conversation)
        return kept is not None and hold_id in kept.ended

    def is_handed_over(self, conversation: str, what: Held | Time) -> bool:
        """Tell whether a form has that hold, or a hold of that time."""
        kept = self._kept.get(conversation)
        now = datetime.now(UTC)
        every = kept.links.items() if kept else ()
        live = [each for each in every if now < each[1].expires_at + HANDED_OVER_FOR]
        if isinstance(what, Held):
            return any(hold_id == what.hold_id for hold_id, _ in live)
        return any(overlaps(hold, what) and is_with(hold, what) for _, hold in live)

    def _of(self, conversation: str) -> _Kept:
        kept = self._kept.pop(conversation, None) or _Kept()
        _keep(self._kept, conversation, kept, self._max)
        return kept


_MEMORIES: WeakKeyDictionary[Client, Memory] = WeakKeyDictionary()


def memory_of(client: Client) -> Memory:
    """Return what is known of the conversations of a client, and so of one key and business."""
    return _MEMORIES.setdefault(client, Memory())


def with_memory_of(client: Client, other: Client) -> Client:
    """Let a client of the same key know what another knows."""
    _MEMORIES[client] = memory_of(other)
    return client


def overlaps(one: Booking | Hold, time: Time) -> bool:
    """Tell whether a time shares an instant with what is booked or held."""
    return one.start < time.end and time.start < one.end


def is_with(one: Booking | Hold, time: Time) -> bool:
    """Tell whether a time is with the same person, or with whoever is free."""
    return not time.person or time.person in map(last_part, one.calendars)


def _keep(kept: OrderedDict[str, Item], name: str, item: Item, most: int = EACH_MAX) -> None:
    kept[name] = item
    while len(kept) > most:
        kept.popitem(last=False)
