"""One conversation of a chat: what it may show, what it has shown, what it holds."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from slotcast.conversations.hub import Hub
from slotcast.conversations.limits import ConversationLimits
from slotcast.conversations.looking import Look
from slotcast.conversations.shown import Claim, ShownChanged, ShownSlots
from slotcast.conversations.watched import Watched
from slotcast.conversations.window import Window
from slotcast.errors import (
    BeyondWindow,
    ConversationForgotten,
    SlotcastError,
    SlotRefused,
    ViewStale,
)
from slotcast.models import (
    Appointment,
    Booking,
    Consent,
    Customer,
    Hold,
    Slot,
    SlotChoice,
    SlotKey,
)
from slotcast.names import Names
from slotcast.streams import Stale

if TYPE_CHECKING:
    from slotcast.client import Client


_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=1)
"""Durations that a watch can be asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """What all conversations of a process have in common.

    `touch` notes that one asked for something, `forget` that it is over.
    """

    client: Client
    names: Names
    hub: Hub
    limits: ConversationLimits
    appointment_types: frozenset[str]
    calendars: frozenset[str]
    touch: Callable[[Conversation], None]
    forget: Callable[[Conversation], None]


class Conversation:
    """Shows slots to one person, and tells what becomes of them. `Conversations.open` gives it.

        slots = await conversation.slots(appointment_types=("cut",), limit=3)
        hold = await conversation.hold_slot(slots[0])
        async for news in conversation:
            ...

    What it did itself is in what it shows next. Its own holds hide nothing from it: a slot that it
    holds is among its slots, and one that its hold stands before, also by a buffer, is not told
    gone. Iterating, by one reader, yields a ShownChanged when slots that it showed are gone or
    back, with what happened meanwhile merged, and a Stale when that is not known any more. It ends
    when the conversation is forgotten; then everything else raises ConversationForgotten: open it
    anew.

    Of what is not watched nothing is told but that it is `unknown`: neither gone nor back.
    """

    __slots__ = (
        "_claims",
        "_held_at",
        "_holds",
        "_is_over",
        "_revision",
        "_shared",
        "_shown",
        "_told_stale",
        "_woken",
        "holder",
        "id",
        "touched_at",
    )

    def __init__(self, shared: Shared, conversation_id: str, holder: str) -> None:
        """Take whose it is; nothing is shown or held yet."""
        self.id = conversation_id
        self.holder = holder
        self.touched_at = 0.0
        self._shared = shared
        self._shown = ShownSlots()
        self._holds: tuple[Hold, ...] = ()
        self._held_at: dict[str, int] = {}
        self._claims: tuple[Claim, ...] = ()
        self._revision = 0
        self._told_stale = False
        self._is_over = False
        self._woken: asyncio.Event | None = None

    @property
    def is_stale(self) -> bool:
        """True: which slots are open is not known, so none may be shown as open."""
        return self._shared.hub.view.is_stale

    @property
    def shown(self) -> tuple[Slot, ...]:
        """What it showed last, open or gone; the slot shown longest ago first."""
        return self._shown.slots

    @property
    def unknown(self) -> tuple[Slot, ...]:
        """What it showed and of which it is not known now whether it can be had.

        So it is with slots beyond the window, or of a type or calendar that is not watched; of a
        further duration, until its watch has begun, or where there are too many; and with all while
        the view is stale. Holding one tells the truth.
        """
        return self._shown.unknown(self._is_known(self._look()))

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Its holds that stand, as far as it made them itself, by the server's clock."""
        return self._holds_at(self._shared.hub.view.as_of)

    # Showing.

    async def slots(
        self,
        *,
        appointment_types: Iterable[str] = (),
        calendars: Iterable[str] = (),
        start: datetime | None = None,
        end: datetime | None = None,
        duration: timedelta | None = None,
        limit: int = 10,
    ) -> tuple[Slot, ...]:
        """Return the first open slots that start in [start, end), and remember them as shown.

        Nothing named means any; without `start` from now, without `end` as far as is watched,
        without `duration` each type's first. What it holds itself is among them. The first question
        for a further duration begins its watch. ViewStale: it is not known what is open, or too
        many other durations are watched; show nothing. BeyondWindow: that end is not watched.
        ValueError: a duration that no type can have.
        """
        if not 1 <= limit <= self._shared.limits.shown_max:
            raise ValueError(f"limit is {limit}, not 1 to {self._shared.limits.shown_max}.")
        if duration is not None and not _SHORTEST <= duration <= _LONGEST:
            raise ValueError(f"duration is {duration}, not a minute to a day.")
        types = self._named(appointment_types, self._shared.names.appointment_type)
        places = self._named(calendars, self._shared.names.calendar)
        self._check_watched(types, self._shared.appointment_types)
        self._check_watched(places, self._shared.calendars)
        self._shared.touch(self)
        self._shared.hub.catch_up()
        watched = self._shared.hub.watched_for(types, duration)
        if watched is None:
            raise ViewStale("Too many other durations are watched: list those slots.")
        begin, stop = self._within(watched.view.window, start, end)
        await self._reach(watched)
        known = watched.view.open_at(0) or {}
        own = {
            slot.key: slot
            for slot in map(_slot_of, self.holds)
            if begin <= slot.start < stop and duration in (None, slot.end - slot.start)
        }
        keys = heapq.merge(watched.days.within(begin, stop), sorted(own.keys() - known.keys()))
        meant = (
            key
            for key in keys
            if (not types or key.appointment_type in types)
            and (not places or key.calendar in places)
        )
        slots = tuple(known.get(key) or own[key] for key in islice(meant, limit))
        self._note(slots)
        return slots

    def remember(self, slots: Iterable[Slot]) -> None:
        """Note slots that were shown as open, such as the alternatives of a SlotTaken."""
        self._shared.touch(self)
        self._note(slots)

    async def gone(self) -> tuple[Slot, ...]:
        """Return what it showed and cannot be had now. ViewStale: that is not known."""
        self._shared.touch(self)
        hub = self._shared.hub
        for watched in hub.further:
            if watched.known() is not None:  # what is not known is not told gone: it does not wait
                await self._reach(watched)
        await self._reach(hub.first)
        return self._shown.gone(self._judge(self._look()))

    def __aiter__(self) -> Conversation:
        return self

    async def __anext__(self) -> ShownChanged | Stale:
        if self._woken is None:
            self._woken = asyncio.Event()
        while not self._is_over:
            self._shared.hub.catch_up()
            self._woken.clear()
            if news := self._take_news():
                return news
            await self._woken.wait()
        raise StopAsyncIteration

    # Booking.

    async def hold_slot(self, slot: Slot | SlotChoice, *, request_id: str | None = None) -> Hold:
        """Hold a slot for this conversation's holder, as Client.hold_slot. It counts as shown."""
        with self._taking(slot):
            hold = await self._shared.client.hold_slot(
                slot, holder=self.holder, conversation=self.id, request_id=request_id
            )
        self._know(hold, slot if isinstance(slot, Slot) else _slot_of(hold))
        return hold

    async def renew_hold(self, hold: Hold, *, request_id: str | None = None) -> Hold:
        """Let a hold last its full time from now, as Client.renew_hold."""
        with self._taking(hold):
            renewed = await self._shared.client.renew_hold(hold, request_id=request_id)
        self._know(renewed, _slot_of(renewed))
        return renewed

    async def release_hold(self, hold: Hold, *, request_id: str | None = None) -> None:
        """Free a held slot at once, as Client.release_hold."""
        with self._taking(hold):
            revision = await self._shared.client.release_hold(hold, request_id=request_id)
        self._drop(hold.name, revision)

    async def book(
        self,
        appointment: Appointment,
        *,
        customer: Customer,
        fields: Mapping[str, str] | None = None,
        consent: Consent | None = None,
        request_id: str | None = None,
    ) -> Booking:
        """Book a slot, directly or by a hold, as Client.book; it is then no longer one shown."""
        with self._taking(appointment):
            booking = await self._shared.client.book(
                appointment,
                customer=customer,
                fields=fields,
                holder=self.holder,
                consent=consent,
                conversation=self.id,
                request_id=request_id,
            )
        self._drop(self._hold_name(appointment), booking.revision)
        self._forget_behind(Claim(booking.start, booking.end, booking.calendars))
        return booking

    def hand_over(self, hold: Hold) -> None:
        """Forget a hold that somebody else books, such as a form by a handoff, and its slot."""
        self._drop(hold.name, 0)
        self._forget_behind(Claim(hold.start, hold.end, hold.calendars))

    def close(self) -> None:
        """Forget it, and end who iterates. What it holds stays held."""
        self._shared.forget(self)

    # For Conversations and its hub.

    def end(self) -> None:
        """Be over."""
        self._is_over = True
        self._shared.hub.leave(self, (slot.key for slot in self._shown.slots))
        self.wake()

    def wake(self) -> None:
        """Look again."""
        if self._woken is not None:
            self._woken.set()

    def begin_anew(self) -> None:
        """Forget revisions and holds: the business was restored or made anew."""
        self._revision = 0
        self._holds = ()
        self._held_at = {}

    # Inside.

    async def _reach(self, watched: Watched) -> None:
        """Wait until it is known what is open, not older than what it did itself."""
        hub, patience_seconds = self._shared.hub, self._shared.limits.patience_seconds
        await hub.reach(watched, self._revision, patience_seconds)
        if self._is_over:
            raise ConversationForgotten

    def _take_news(self) -> ShownChanged | Stale | None:
        hub, view = self._shared.hub, self._shared.hub.view
        known, as_of = view.open_at(0), view.as_of
        if known is None or as_of is None:
            if self._told_stale or not len(self._shown):
                return None
            self._told_stale = True
            return hub.stale
        if view.revision < self._revision:
            hub.wake_next(self)
            return None
        look = self._look()
        gone, back = self._shown.take_changes(self._judge(look))
        unknown = self._shown.unknown(self._is_known(look))
        has_other_unknown = self._shown.take_unknown(unknown)
        if look.is_behind:
            hub.wake_next(self)
        if not (gone or back or has_other_unknown or self._told_stale):
            return None
        self._told_stale = False
        return ShownChanged(
            gone=gone, back=back, unknown=unknown, revision=view.revision, as_of=as_of
        )

    def _look(self) -> Look:
        return self._shared.hub.look(self._revision)

    @staticmethod
    def _is_known(look: Look) -> Callable[[SlotKey], bool]:
        return lambda key: look.is_past(key) or look.known(key) is not None

    def _judge(self, look: Look) -> Callable[[SlotKey], bool | None]:
        """Return what tells of a slot whether it can be had now.

        None: that is not known, or it itself is in the way.
        """

        def is_open(key: SlotKey) -> bool | None:
            can_be_had = look.is_open(key)
            return None if can_be_had is False and self._stands_before(key, look) else can_be_had

        return is_open

    def _stands_before(self, key: SlotKey, look: Look) -> bool:
        if not (self._holds or self._claims):
            return False
        known = look.known(key)
        holds = self._holds_at(None if known is None else known.as_of)
        claims = (
            Claim(hold.start, hold.end, hold.calendars, self._held_at[hold.name]) for hold in holds
        )
        left = look.left(key)
        return any(
            claim.covers(key) or claim.has_closed(key, left) for claim in (*claims, *self._claims)
        )

    def _holds_at(self, as_of: datetime | None) -> tuple[Hold, ...]:
        return tuple(hold for hold in self._holds if as_of is None or as_of < hold.expires_at)

    @contextmanager
    def _taking(self, appointment: Appointment) -> Iterator[None]:
        """While its own claim is under way, and comes by the watch perhaps before its answer."""
        self._shared.touch(self)
        claim = self._claim_of(appointment)
        if claim is not None:
            self._claims += (claim,)
        try:
            yield
        except SlotcastError as error:
            self._revision = max(self._revision, error.revision)
            if isinstance(error, SlotRefused) and isinstance(appointment, Slot):
                self._shown.told_gone(appointment.key)
            raise
        finally:
            if claim is not None:
                claims = list(self._claims)
                claims.remove(claim)
                self._claims = tuple(claims)
            self.wake()

    def _claim_of(self, appointment: Appointment) -> Claim | None:
        if isinstance(appointment, Slot | SlotChoice):
            claim = Claim.of(appointment, self._shared.names.calendar)
            return replace(claim, since=self._shared.hub.view.revision)
        if isinstance(appointment, Hold):
            return Claim.of(appointment, self._shared.names.calendar)
        name = self._hold_name(appointment)
        return next((Claim.of(hold, str) for hold in self._holds if hold.name == name), None)

    def _hold_name(self, appointment: Appointment) -> str:
        """Return nothing where it is no hold."""
        if isinstance(appointment, str):
            return self._shared.names.hold(appointment)
        return appointment.name if isinstance(appointment, Hold) else ""

    def _know(self, hold: Hold, slot: Slot) -> None:
        if self._is_over:
            return
        self._drop(hold.name, hold.revision)
        self._holds = (*self._holds_at(self._shared.hub.passed), hold)
        # Renewed it stands as before: what it closed, it closed when it was made.
        self._held_at = {
            each.name: self._held_at.get(each.name, each.revision) for each in self._holds
        }
        self._note((slot,))
        self._shared.hub.wake_at(hold.expires_at, self)

    def _drop(self, hold_name: str, revision: int) -> None:
        self._revision = max(self._revision, revision)
        self._holds = tuple(hold for hold in self._holds if hold.name != hold_name)
        self.wake()

    def _note(self, slots: Iterable[Slot]) -> None:
        """Have them as shown; of one that is forgotten nothing is kept."""
        if self._is_over:
            return
        new, forgotten = self._shown.show(slots, self._shared.limits.shown_max)
        self._shared.hub.shown_now(self, new)
        self._shared.hub.shown_no_more(self, forgotten)
        self.wake()

    def _forget_behind(self, claim: Claim) -> None:
        self._shared.hub.shown_no_more(self, self._shown.forget(claim.covers))

    @staticmethod
    def _within(
        window: Window, start: datetime | None, end: datetime | None
    ) -> tuple[datetime, datetime]:
        begin, stop = start or window.start, end or window.end
        for moment in (begin, stop):
            if moment.utcoffset() is None:
                raise ValueError(f"{moment.isoformat()} has no time zone: give an aware datetime.")
        if max(begin, stop) > window.end or begin == window.end:
            raise BeyondWindow(f"Slots are watched until {window.end.isoformat()}.")
        if stop <= begin:
            raise ValueError(f"{stop.isoformat()} is not after {begin.isoformat()}.")
        return begin, stop

    @staticmethod
    def _named(names: Iterable[str], full_name: Callable[[str], str]) -> frozenset[str]:
        if isinstance(names, str):
            raise TypeError(f"{names!r} is one name: give a tuple of names.")
        return frozenset(map(full_name, names))

    @staticmethod
    def _check_watched(asked: frozenset[str], watched: frozenset[str]) -> None:
        if watched and not asked <= watched:
            raise ValueError(f"{', '.join(sorted(asked - watched))}: not watched here.")


def _slot_of(hold: Hold) -> Slot:
    return Slot(
        appointment_type=hold.appointment_type,
        calendar=hold.calendars[0],
        start=hold.start,
        end=hold.end,
    )
