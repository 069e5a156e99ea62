"""What was said while it was not known whether a call was done is taken up once it is. Pure."""

from __future__ import annotations

from dataclasses import replace

from slotcast_chat.assistant import consent, steps
from slotcast_chat.assistant.hearing import READ_ONLY, is_news
from slotcast_chat.assistant.state import Call, Goal, Question, Say, State, Step
from slotcast_chat.assistant.wishes import understand


def pending(state: State) -> Call | None:
    """Return the call of which it is not known whether it was done."""
    call = state.called
    return None if call is None or call.tool in READ_ONLY else call


def taken_up(state: State, call: Call, message: str, told: Say) -> Step | None:
    """Take up the message after the call was repeated; None: what is told answers it."""
    state = replace(state, turn=state.turn + 1, held_again=False)
    if is_news(state, message):
        return understand(replace(state, question=Question.NOTHING), message)
    if call.tool != "book" or not consent.objects(message):
        return None
    if told.booked is None or state.booked is None:
        text = "It is not booked, and I do not try it again."
        held = " What I held for you is free again by itself." if state.held else ""
        return steps.tell(steps.begin_anew(state), text + held)
    text = "That was by the yes that you gave before. Shall I cancel this appointment?"
    return steps.ask(replace(state, goal=Goal.CANCEL), Question.CANCEL, text)


def joined(told: Say, then: Say) -> Say:
    """Return both answers as one: what was done is told before what follows from the message."""
    is_told = told.booked is not None or told.link or told.held is None
    return replace(
        then,
        text=f"{told.text}\n{then.text}" if is_told else then.text,
        link=then.link or told.link,
        booked=then.booked or told.booked,
    )
