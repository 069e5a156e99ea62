"""What follows from what the person says. Pure: a state and a message, to a state and a step."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import consent, listening, steps
from slotcast_chat.assistant.answers import ANSWERS, by_so_much
from slotcast_chat.assistant.asides import answer_aside
from slotcast_chat.assistant.details import asks_for_more
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.standing import look_up
from slotcast_chat.assistant.state import Call, Goal, Question, Say, State, Step
from slotcast_chat.assistant.wishes import take

MESSAGE_MAX = 2000
_ASKS_FOR_YES = frozenset({Question.BOOK, Question.CANCEL})
"""There a yes comes first: "great, thanks" may be one."""
READ_ONLY = frozenset({"list_services", "find_times", "get_booking", "explain_time"})


def hear(state: State, message: str) -> Step:
    """Take a message of the person."""
    if state.called is not None and state.called.tool not in READ_ONLY:
        return _repeat(state, state.called, message)
    message = message[:MESSAGE_MAX]
    state = replace(state, turn=state.turn + 1, held_again=False, called=None)
    if not message.strip():
        asked = steps.asked_again(state) or "What can I do for you?"
        offers = state.offers if state.question is Question.CHOICE else ()
        return state, Say(text=f"I did not hear anything. {asked}", offers=offers, held=state.held)
    if state.question not in _ASKS_FOR_YES and (step := answer_aside(state, message)) is not None:
        return step
    if (step := by_so_much(state, message)) is not None:
        return step
    return ANSWERS.get(state.question, take)(state, message)


def pick(state: State, time: str) -> Step:
    """Take one of the offered times, as a person does who points at it."""
    state = replace(state, turn=state.turn + 1, held_again=False, called=None)
    offer = next((each for each in state.offers if each.time == time), None)
    if offer is None:
        return steps.ask(state, Question.WHEN, "I no longer offer that time. When would suit you?")
    return steps.hold_offer(state, offer)


def is_news(state: State, message: str) -> bool:
    """Tell whether a message asks for something by itself, whatever was asked before."""
    message = re.sub(r"\bnow\b", "", message, flags=re.IGNORECASE)
    wishes = listening.wishes_of(message) - {Wish.STOP, Wish.CANCEL, Wish.WHY, Wish.SHOW}
    return bool(wishes) or asks_for_more(state, message)


def _repeat(state: State, call: Call, message: str) -> Step:
    """Learn whether it was done: the same call, of the same turn, is done once."""
    state = replace(state, called=None)
    if not (consent.objects(message) or is_news(state, message)):
        return state, call
    if call.tool in {"cancel", "reschedule"}:
        # That can be looked up, and so it is not tried again.
        state = replace(state, turn=state.turn + 1, goal=Goal.BOOK, held=None)
        return look_up(state, str(call.arguments["booking"]))
    return replace(state, held_again=call.tool == "book"), call
