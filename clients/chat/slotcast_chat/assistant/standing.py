"""What is said of an appointment that stands already: it is moved, or looked up. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import steps
from slotcast_chat.assistant.state import Goal, Question, State, Step
from slotcast_chat.assistant.time_words import clock_of, names_an_hour, time_words

BOOKING_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


def look_up(state: State, booking: str) -> Step:
    """Ask for a booking as it stands now."""
    if not state.zone:
        state = replace(state, heard=booking)
        return steps.ask(state, Question.ZONE, "In which city are you? Then I look it up.")
    return steps.call(state, "get_booking", booking=booking.lower(), time_zone=state.zone)


def look_up_all(state: State, message: str) -> Step:
    """Ask for all that the conversation has booked, by whichever way: the form may have, too."""
    if not state.zone:
        state = replace(state, heard=message)
        return steps.ask(state, Question.ZONE, "In which city are you? Then I look it up.")
    return steps.call(state, "get_booking", conversation=state.conversation, time_zone=state.zone)


def ask_which(state: State) -> Step:
    """Ask which booking is meant."""
    return steps.ask(
        state, Question.BOOKING, "Which appointment is it? Its id is in the confirmation."
    )


def move(state: State, message: str) -> Step:
    """Look for a time to move the appointment to."""
    state = replace(state, goal=Goal.MOVE, held=None, offers=(), readings=())
    found = BOOKING_ID.search(message)
    words = time_words(BOOKING_ID.sub(" | ", message))
    if found:
        return look_up(replace(state, when=words), found.group())
    if state.booked is None:
        return look_up_all(replace(state, when=words), message)
    if words and not names_an_hour(words) and re.search(r"\bsame time\b", message, re.IGNORECASE):
        words = f"{words} at {_clock(state.booked.words)}"
    return steps.proceed(replace(state, when=words))


def moves(state: State, message: str) -> Step | None:
    """Take the wish to move; None: nothing is booked yet."""
    if state.booked is None and (state.held is not None or state.offers):
        return None  # Nothing is booked yet: it is only another time.
    return move(state, message)


def show(state: State, message: str) -> Step | None:
    """Tell how the appointment stands."""
    found = BOOKING_ID.search(message)
    if found:
        return look_up(state, found.group())
    if state.held is not None and not (state.all_booked or state.is_at_the_form):
        return steps.asked_after(state, "Nothing is booked yet.")
    return look_up_all(state, message)


def _clock(words: str) -> str:
    return next(iter(clock_of(words)), "")
