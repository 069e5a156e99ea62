"""All conversations of a process, and the one watch that serves them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from slotcast.conversations.conversation import Conversation, Shared
from slotcast.conversations.hub import Hub
from slotcast.conversations.limits import ConversationLimits
from slotcast.conversations.moving_view import MovingView
from slotcast.conversations.window import AHEAD_MAX
from slotcast.errors import ClientClosed, ConversationForgotten, SlotcastError
from slotcast.models import SlotQuery

if TYPE_CHECKING:
    from slotcast.client import Client

_EVER = datetime.max.replace(tzinfo=UTC)


class Conversations:
    """Thousands of conversations on one watch of a business, while the block lasts.

        async with Conversations(client) as conversations:
            conversation = conversations.open("chat-42")
            slots = await conversation.slots(appointment_types=("cut",))

    Watched are the open slots of the appointment types and calendars, of all where none is named,
    from now to `ahead`, at most 60 days; of each type those of its first duration. While slots of
    further durations are shown, one more watch for each, at most
    `ConversationLimits.further_durations_max`, tells what becomes of them. A watch has no holder:
    what a conversation holds, it knows itself. It resumes and heals by itself, after an outage of
    any length; while it is stale, no slot is told as open.
    """

    def __init__(
        self,
        client: Client,
        *,
        ahead: timedelta = timedelta(days=30),
        appointment_types: Iterable[str] = (),
        calendars: Iterable[str] = (),
        limits: ConversationLimits | None = None,
    ) -> None:
        """Take a client of the business, and what to watch; open nothing yet."""
        if not timedelta(0) < ahead <= AHEAD_MAX:
            raise ValueError(
                f"ahead is {ahead}, not more than 0 and at most {AHEAD_MAX.days} days."
            )
        link = client._connection
        timeouts = link.calls.timeouts
        limits = limits or ConversationLimits()
        query = SlotQuery(
            start=_EVER,
            end=_EVER,
            appointment_types=tuple(map(link.names.appointment_type, appointment_types)),
            calendars=tuple(map(link.names.calendar, calendars)),
        )

        def make_view(duration: timedelta | None) -> MovingView:
            return MovingView(client, timeouts, replace(query, duration=duration), ahead)

        hub = Hub(make_view, query, timeouts.clock, limits.further_durations_max)
        self._view = hub.view
        self._shared = Shared(
            client=client,
            names=link.names,
            hub=hub,
            limits=limits,
            appointment_types=frozenset(query.appointment_types),
            calendars=frozenset(query.calendars),
            touch=self._touch,
            forget=self._forget,
        )
        self._timeouts = timeouts
        self._following: asyncio.Task[None] | None = None
        # The one that asked for nothing for longest comes first.
        self._by_id: OrderedDict[str, Conversation] = OrderedDict()

    async def __aenter__(self) -> Self:
        await self._shared.hub.first.__aenter__()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for conversation in list(self._by_id.values()):
            self._forget(conversation)
        self._shared.hub.end(ClientClosed("The block of these conversations was left."))
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        await self._shared.hub.further.close()
        await self._shared.hub.first.__aexit__(kind, error, traceback)

    @property
    def is_stale(self) -> bool:
        """True: which slots are open is not known."""
        return self._view.is_stale

    @property
    def revision(self) -> int:
        """The revision that the slots are at."""
        return self._view.revision

    def __len__(self) -> int:
        """How many there are: those that were opened and not forgotten."""
        return len(self._by_id)

    async def ready(self) -> None:
        """Wait until it is known what is open, such as before a program says that it is healthy.

        ViewStale: not within `Timeouts.total_seconds`; it is tried on.
        """
        hub = self._shared.hub
        await hub.reach(hub.first, 0, self._timeouts.total_seconds)

    def open(self, conversation_id: str, *, holder: str = "") -> Conversation:
        """Return the conversation of this id: the one that there is, or a new one.

        `holder` is whose its holds are; by default its id. One that asks for nothing for too long,
        or is the idlest of too many, is forgotten: see ConversationLimits.
        """
        found = self._by_id.get(conversation_id)
        if found is None:
            found = Conversation(self._shared, conversation_id, holder or conversation_id)
            self._by_id[conversation_id] = found
            self._shared.hub.join(found)
        self._touch(found)
        return found

    def _touch(self, conversation: Conversation) -> None:
        if self._by_id.get(conversation.id) is not conversation:
            raise ConversationForgotten
        conversation.touched_at = self._timeouts.clock.monotonic()
        self._by_id.move_to_end(conversation.id)
        self._forget_idle()

    def _forget_idle(self) -> None:
        limits = self._shared.limits
        idle_since = self._timeouts.clock.monotonic() - limits.idle_seconds_max
        while self._by_id:
            idlest = next(iter(self._by_id.values()))
            is_one_too_many = len(self._by_id) > limits.conversations_max
            if idlest.touched_at > idle_since and not is_one_too_many:
                return
            self._forget(idlest)

    def _forget(self, conversation: Conversation) -> None:
        if self._by_id.get(conversation.id) is conversation:
            del self._by_id[conversation.id]
            conversation.end()

    async def _follow(self) -> None:
        """Keep up with the view, until that is of no use any more."""
        try:
            while True:
                self._shared.hub.catch_up()
                self._shared.hub.keep_further()
                self._forget_idle()
                await self._view.moved()
        except SlotcastError as error:
            self._shared.hub.end(error)
