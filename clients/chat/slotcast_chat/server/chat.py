"""All conversations of the process, on one MCP session, one watch of slots and one of bookings."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from mcp import Client as McpClient

from slotcast import BookingEvent, BookingsChanged, Client, SlotcastError
from slotcast.conversations import Conversations
from slotcast_chat.assistant.assistant import Assistant
from slotcast_chat.assistant.learning import booking_of
from slotcast_chat.model.assistant import ModelAssistant
from slotcast_chat.model.endpoint import endpoint_from_environment, has_model
from slotcast_chat.server.talk import Talk, Talker
from slotcast_chat.tools import AnswerLost, SessionTools, call_surely
from slotcast_mcp.server import build_server

logger = logging.getLogger(__name__)

AHEAD = timedelta(days=60)
FEED_PAUSE_SECONDS = 5.0
MakeTalker = Callable[[str, str], Talker]


class UnknownConversation(Exception):
    """There is no such conversation, or it was forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatLimits:
    """How many conversations are kept.

    conversations_max: beyond it, a new one forgets the one that was idle for longest.
    idle_seconds_max: one from which nothing was heard for so long is forgotten.
    """

    conversations_max: int = 200
    idle_seconds_max: float = 1800.0


@dataclass(slots=True)
class _Kept:
    talk: Talk
    zone: str
    heard_at: float


class Chat:
    """The conversations. `running_chat` makes it."""

    def __init__(
        self,
        client: Client,
        business: str,
        session: McpClient,
        conversations: Conversations,
        make_talker: MakeTalker,
        limits: ChatLimits,
    ) -> None:
        """Take what all conversations share."""
        self._client = client
        self._business = business
        self._tools = SessionTools(session)
        self._conversations = conversations
        self._make_talker = make_talker
        self._limits = limits
        self._by_id: OrderedDict[str, _Kept] = OrderedDict()

    async def begin(self, zone: str) -> str:
        """Begin a conversation; its id is all that one needs to go on with it."""
        conversation_id = f"chat-{secrets.token_urlsafe(18)}"
        talker = self._make_talker(conversation_id, zone)
        talk = Talk(talker, self._conversations, self._business, conversation_id)
        self._by_id[conversation_id] = _Kept(talk, zone, time.monotonic())
        await self._forget_idle()
        await talk.greet(zone)
        return conversation_id

    def talk(self, conversation_id: str) -> Talk:
        """Return a conversation. UnknownConversation: there is none."""
        kept = self._by_id.get(conversation_id)
        if kept is None:
            raise UnknownConversation
        kept.heard_at = time.monotonic()
        self._by_id.move_to_end(conversation_id)
        return kept.talk

    async def follow_bookings(self) -> None:
        """Tell conversations what was booked for them by a form, for ever."""
        while True:
            try:
                async with self._client.watch_bookings() as feed:
                    async for item in feed:
                        if isinstance(item, BookingsChanged):
                            await self._told(item)
            except SlotcastError as error:
                logger.warning("Bookings cannot be followed: %s", error)
            await asyncio.sleep(FEED_PAUSE_SECONDS)

    async def close(self) -> None:
        """End all conversations."""
        while self._by_id:
            _, kept = self._by_id.popitem()
            await kept.talk.close()

    async def _told(self, change: BookingsChanged) -> None:
        if change.event is not BookingEvent.BOOKED:
            return
        for booking in change.bookings:
            kept = self._by_id.get(booking.conversation)
            if kept is None:
                continue
            zone = kept.zone or booking.time_zone
            arguments = {"booking": booking.name.rsplit("/", 1)[-1], "time_zone": zone}
            try:
                answer = await call_surely(self._tools, "get_booking", arguments)
            except AnswerLost:
                continue
            if not answer.is_refusal:
                await kept.talk.booked_elsewhere(booking_of(answer.content))

    async def _forget_idle(self) -> None:
        since = time.monotonic() - self._limits.idle_seconds_max
        while self._by_id:
            kept = next(iter(self._by_id.values()))
            if kept.heard_at > since and len(self._by_id) <= self._limits.conversations_max:
                return
            # Taken out first: meanwhile others may begin, and forget too.
            self._by_id.popitem(last=False)
            await kept.talk.close()


@asynccontextmanager
async def running_chat(
    client: Client, business: str, limits: ChatLimits | None = None
) -> AsyncIterator[Chat]:
    """Run the conversations of a business until the block ends."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(McpClient(build_server(lambda _: client)))
        conversations = await stack.enter_async_context(Conversations(client, ahead=AHEAD))
        make_talker = await _talkers(stack, session)
        chat = Chat(client, business, session, conversations, make_talker, limits or ChatLimits())
        stack.push_async_callback(chat.close)
        following = asyncio.create_task(chat.follow_bookings())
        stack.callback(following.cancel)
        yield chat


async def _talkers(stack: AsyncExitStack, session: McpClient) -> MakeTalker:
    tools = SessionTools(session)
    if not has_model():
        return lambda conversation, zone: Assistant(tools, conversation, zone)
    endpoint = await stack.enter_async_context(endpoint_from_environment())
    return lambda conversation, zone: ModelAssistant(endpoint, tools, session, conversation, zone)
