"""One conversation of the page: its assistant, its chips, and what the page is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from slotcast import ShownChanged, SlotcastError
from slotcast.conversations import Conversation, Conversations
from slotcast_chat.assistant.assistant import Assistant
from slotcast_chat.assistant.state import Booked, Offer, Question, Say
from slotcast_chat.server.chips import Chip, Chips, chip_of
from slotcast_chat.server.events import Events

_REPLIES = {
    Question.BOOK: ("Yes, please.", "Another time", "I'd rather fill in a form"),
    Question.CANCEL: ("Yes, cancel it.", "No, keep it."),
    Question.ANOTHER_TIME: ("Put me on the waitlist",),
    Question.EMAIL: ("No, I do not want one.",),
    Question.NAME: ("I'd rather fill in a form",),
}


class Talker(Protocol):
    """An assistant."""

    async def answer(self, message: str) -> Say:
        """Answer a message of the person."""
        ...

    async def pick(self, time: str) -> Say:
        """Take one of the offered times, by its name."""
        ...

    async def booked_elsewhere(self, booked: Booked) -> Say:
        """Be told that the form has booked."""
        ...


class Busy(Exception):
    """The last message is not answered yet."""


class NotSeen(Exception):
    """The message was written before what it would agree to was on the screen."""


_SUM_UPS = frozenset({Question.BOOK, Question.CANCEL})


class Talk:
    """One conversation; its messages are taken one after the other."""

    def __init__(
        self, talker: Talker, conversations: Conversations, business: str, conversation_id: str
    ) -> None:
        """Take its assistant, and the watch that all conversations share."""
        self.events = Events()
        self._talker = talker
        self._conversations = conversations
        self._id = conversation_id
        self._business = business
        self._chips = Chips()
        self._lock = asyncio.Lock()
        self._booked: set[str] = set()
        # The number of the event that sums up what a yes now would do; 0: none would.
        self._summed_up_at = 0
        self._following = asyncio.create_task(self._follow())

    async def greet(self, zone: str) -> None:
        """Say the first words."""
        text = "Hello! What would you like to book, and when?"
        if zone:
            text += (
                f" I tell times in {zone}, the time zone of your browser. If you are somewhere"
                " else, tell me in which city."
            )
        await self._tell(Say(text=text), self._chips)

    async def close(self) -> None:
        """End it: what it holds stays held until it lapses."""
        self._following.cancel()
        await asyncio.wait((self._following,))
        await self.events.end()

    async def hear(self, message: str, seen: int | None = None) -> None:
        """Take a message of the person. Busy: the last one is not answered yet.

        `seen` is the number of the last event that was on the screen when it was written. NotSeen:
        that was before the sum-up which it would be the answer to; it is not taken.
        """
        if self._lock.locked():
            raise Busy
        if seen is not None and seen < self._summed_up_at:
            raise NotSeen
        await self._turn(lambda: self._talker.answer(message), message)

    async def pick(self, time: str) -> None:
        """Take a chip that was clicked. Busy: the last message is not answered yet."""
        await self._turn(lambda: self._talker.pick(time), "")

    async def booked_elsewhere(self, booked: Booked) -> None:
        """Tell the person that the form has booked, unless the assistant did it itself."""
        async with self._lock:
            if booked.booking in self._booked:
                return
            self._booked.add(booked.booking)
            before = self._chips
            await self._tell(await self._talker.booked_elsewhere(booked), before)

    async def _turn(self, take: Any, message: str) -> None:
        if self._lock.locked():
            raise Busy
        async with self._lock:
            if message:
                await self.events.tell("heard", {"text": message})
            before = self._chips
            await self._tell(await take(), before)

    async def _tell(self, said: Say, before: Chips) -> None:
        """Tell the page; `before` is what the chips were when this turn began."""
        if said.booked is not None:
            self._booked.add(said.booked.booking)
        if said.offers:
            self._show([chip_of(offer, self._business) for offer in said.offers])
        elif said.booked is not None:
            self._chips = self._chips.showing(())
        self._chips = self._chips.holding(said.held, before)
        number = await self.events.tell(
            "said",
            {
                "text": said.text,
                "chips": [_chip_values(offer) for offer in said.offers],
                "link": said.link,
                "replies": list(self._replies()),
                "isBooked": said.booked is not None,
            },
        )
        self._summed_up_at = number if self._sums_up(said) else 0
        await self._tell_states()

    def _sums_up(self, said: Say) -> bool:
        """Tell whether a yes to this would book, move or cancel; of a model: whether it might."""
        if isinstance(self._talker, Assistant):
            return self._talker.state.question in _SUM_UPS
        return said.booked is None

    def _show(self, chips: Sequence[Chip]) -> Conversation:
        """Show these as open, if they were not told gone, and have it told what becomes of them."""
        conversation = self._conversations.open(self._id)
        self._chips = self._chips.showing(chips)
        # What was told gone it would tell back; shown as open, it would only be told gone anew.
        gone = self._chips.gone
        conversation.remember(slot for slot in self._chips.slots if slot.key not in gone)
        self._chips = self._chips.known(
            unknown=conversation.unknown, is_stale=conversation.is_stale
        )
        return conversation

    async def _follow(self) -> None:
        """Tell the page what becomes of what was shown."""
        while True:
            try:
                # One that was forgotten is opened anew, and knows nothing of what is shown.
                self._chips = replace(self._chips, gone=frozenset())
                async for news in self._show(self._chips.chips):
                    if isinstance(news, ShownChanged):
                        self._chips = self._chips.changed(news)
                    else:
                        self._chips = replace(self._chips, is_stale=True)
                    await self._tell_states()
            except SlotcastError:
                # The watch is over for good: what was shown is not known any more.
                self._chips = replace(self._chips, is_stale=True)
                await self._tell_states()
                return

    async def _tell_states(self) -> None:
        chips = self._chips
        await self.events.tell("chips", {"states": chips.states(), "isStale": chips.is_stale})

    def _replies(self) -> tuple[str, ...]:
        if isinstance(self._talker, Assistant):
            return _REPLIES.get(self._talker.state.question, ())
        return ()


def _chip_values(offer: Offer) -> dict[str, str]:
    day, _, rest = offer.words.partition(", ")
    clock, _, zone = rest.partition(" (")
    people = " or ".join(name for name, _ in offer.people)
    return {
        "time": offer.time,
        "day": day,
        "clock": clock,
        "zone": zone.rstrip(")"),
        "people": people,
        "words": offer.words,
    }
