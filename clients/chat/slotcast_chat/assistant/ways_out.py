"""What may be said where the same is said again: how to answer, and who else can help. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slotcast_chat.assistant.state import Question, Say, State

_HOW = 'Say when as in "Friday afternoon" or "3 December at 10:00", or say stop.'
_BY_NUMBER = "Say its number, or another day or hour, or say stop."
_WAYS: Mapping[Question, str] = {
    Question.SERVICE: "Say the name of one of them, or say stop.",
    Question.ZONE: "Say a large city, such as London or Berlin.",
    Question.WHEN: _HOW,
    Question.ANOTHER_TIME: _HOW,
    Question.READING: _BY_NUMBER,
    Question.CHOICE: _BY_NUMBER,
    Question.NAME: "Say your name, or say stop.",
    Question.EMAIL: "Say no to go on without an address, or say stop.",
    Question.BOOK: "Say yes for it, no to change it, or say stop.",
    Question.CANCEL: "Say yes to cancel it, or no to keep it.",
    Question.BOOKING: "Say its id, or say stop.",
}


def with_way_out(state: State, said: Say) -> tuple[State, Say]:
    """Return what is said with a way out before it, where the same was said just before."""
    is_again = said.text == state.last_said and not (said.booked or said.link)
    state = replace(state, last_said=said.text)
    way = _WAYS.get(state.question, "")
    if not (is_again and way):
        return state, said
    return state, replace(said, text=f"{way}{_help(state)}\n{said.text}")


def _help(state: State) -> str:
    ways = []
    if state.held is not None and not (state.has_no_form or state.is_at_the_form):
        ways.append("ask for a form to fill in yourself")
    phone = (state.business or {}).get("phone")
    if phone:
        ways.append(f"call {phone}")
    return f" You can also {' or '.join(ways)}." if ways else ""
