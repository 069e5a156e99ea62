"""Runs the dialogue on tools."""

from __future__ import annotations

from slotcast_chat.assistant.hearing import hear, pick
from slotcast_chat.assistant.learning import booked_elsewhere, learn
from slotcast_chat.assistant.refusals import unanswered
from slotcast_chat.assistant.repeating import joined, pending, taken_up
from slotcast_chat.assistant.state import Booked, Call, Say, State, Step
from slotcast_chat.assistant.ways_out import with_way_out
from slotcast_chat.tools import AnswerLost, Tools, call_surely

CALLS_PER_TURN_MAX = 8


class Assistant:
    """One conversation. Its turns are taken one after the other."""

    def __init__(self, tools: Tools, conversation: str, zone: str = "") -> None:
        """Take the tools, the id of the conversation, and the person's zone, if it is known."""
        self._tools = tools
        self.state = State(conversation=conversation, zone=zone)

    async def answer(self, message: str) -> Say:
        """Answer a message of the person."""
        unknown = pending(self.state)
        told = await self._take(hear(self.state, message))
        if unknown is not None and self.state.called is None:
            step = taken_up(self.state, unknown, message, told)
            told = told if step is None else joined(told, await self._take(step))
        self.state, told = with_way_out(self.state, told)
        return told

    async def pick(self, time: str) -> Say:
        """Take one of the offered times, by its name."""
        if pending(self.state) is not None:
            # What became of the last call is told first: the time is picked after that.
            return await self._take(hear(self.state, ""))
        return await self._take(pick(self.state, time))

    async def booked_elsewhere(self, booked: Booked) -> Say:
        """Be told that the form has booked."""
        return await self._take(booked_elsewhere(self.state, booked))

    async def _take(self, step: Step) -> Say:
        for _ in range(CALLS_PER_TURN_MAX):
            self.state, action = step
            if isinstance(action, Say):
                return action
            step = await self._call(action)
        self.state, action = step
        if isinstance(action, Say):
            return action
        return Say(text="I did not get any further. Please say it in other words.")

    async def _call(self, call: Call) -> Step:
        try:
            answer = await call_surely(self._tools, call.tool, call.arguments)
        except AnswerLost:
            return unanswered(self.state, call)
        return learn(self.state, call, answer)
