"""What is said of an appointment that stands already: it is moved, or looked up. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import steps
from slotcast_chat.assistant.naming import (
    is_relative,
    meant,
    names_unknown,
    spoken_of,
    which_words,
)
from slotcast_chat.assistant.state import Booked, Goal, Question, State, Step
from slotcast_chat.assistant.time_words import (
    clock_of,
    names_a_day,
    names_an_hour,
    time_words,
)

BOOKING_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "half an": 0.5}
_SHIFT = re.compile(
    r"\b(?P<count>half an|an?|one|two|three|\d{1,3}) (?P<unit>hour|min(?:ute)?)s?"
    r" (?P<way>later|earlier)\b",
    re.IGNORECASE,
)
_CANNOT = re.compile(
    r"\b(?:can['\u2019]?t|can ?not|unable to) (?:come|make it|do it)\b"
    r"(?:(?!\b(?:but|so|can|could|how|what|instead|rather)\b)[^,.;!?]|(?<=\d)[.:](?=\d))*",
    re.IGNORECASE,
)


def look_up(state: State, booking: str) -> Step:
    """Ask for a booking as it stands now."""
    if not state.zone:
        state = replace(state, heard=booking)
        return steps.ask(state, Question.ZONE, "In which city are you? Then I look it up.")
    return steps.call(state, "get_booking", booking=booking.lower(), time_zone=state.zone)


def look_up_all(state: State, message: str) -> Step:
    """Ask for all that the conversation has booked, by whichever way: the form may have, too.

    The message is kept: it may say which of them is meant.
    """
    state = replace(state, heard=message)
    if not state.zone:
        return steps.ask(state, Question.ZONE, "In which city are you? Then I look it up.")
    return steps.call(state, "get_booking", conversation=state.conversation, time_zone=state.zone)


def ask_which(state: State) -> Step:
    """Ask which booking is meant."""
    return steps.ask(
        state, Question.BOOKING, "Which appointment is it? Its id is in the confirmation."
    )


def move(state: State, message: str) -> Step:
    """Look for a time to move the appointment to."""
    day, held = _day_spoken_of(state, message), state.held
    state = replace(state, goal=Goal.MOVE, held=None, offers=(), readings=(), only_told=False)
    found = BOOKING_ID.search(message)
    which, words = _which_and_when(state, BOOKING_ID.sub(" | ", message))
    if found:
        return look_up(replace(state, when=words), found.group())
    if state.booked is None or names_unknown(state, which):
        return look_up_all(replace(state, when=words), message)
    state = speak_of_meant(state, which)
    assert state.booked is not None
    if words and not names_an_hour(words) and re.search(r"\bsame time\b", message, re.IGNORECASE):
        words = f"{words} at {_clock(state.booked.words)}"
    since = held.time.split("|")[2][:16].split("T") if day and held else ()
    words = shifted(message, *(since or _start_of(state.booked))) or words
    if day and words:
        words = on_day(day, words)
    return to_its_day(replace(state, when=words))


def to_its_day(state: State) -> Step:
    """Look for the time to move to: on the appointment's own day, where the words name none."""
    if state.when and state.booked is not None:
        state = replace(state, when=on_day(day_of(state.booked), state.when))
    return steps.proceed(state)


def on_day(day: str, words: str) -> str:
    """Return the words for a time, of that day where they name none."""
    if names_a_day(words) or is_relative(words):
        return words
    words = re.sub(r"^the (?:(?:one|time|slot)s? )?(?=\w)", "", words, flags=re.IGNORECASE)
    return f"{day} {words}"


def day_of(booked: Booked) -> str:
    """`1 December 2026`, of the words in which a booking was told."""
    return booked.words.partition(",")[0].partition(" ")[2]


def speak_of_meant(state: State, message: str) -> State:
    """Return the state with the one booking that a message means as the one spoken of."""
    found = meant(state, message)
    if not found or state.booked in found:
        return state
    return spoken_of(state, found[-1])


def moves(state: State, message: str) -> Step | None:
    """Take the wish to move; None: nothing is booked yet."""
    if state.booked is None and (state.held is not None or state.offers):
        return None  # Nothing is booked yet: it is only another time.
    return move(state, message)


def show(state: State, message: str) -> Step | None:
    """Tell how the appointment stands; what is under way stays so."""
    found = BOOKING_ID.search(message)
    if found:
        return look_up(replace(state, only_told=True), found.group())
    if state.held is not None and not (state.all_booked or state.is_at_the_form):
        return steps.asked_after(state, "Nothing is booked yet.")
    return look_up_all(replace(state, only_told=True), message)


def _day_spoken_of(state: State, message: str) -> str:
    """Return the one day to which it is being moved already, where there is one."""
    if state.goal is not Goal.MOVE or _CANNOT.search(message):
        return ""
    days = {offer.local_start[:10] for offer in state.offers}
    if state.held is not None:
        days = {state.held.time.split("|")[2][:10]}
    if not days:
        days = {window[:10] for reading in state.readings for window in reading.windows}
    return days.pop() if len(days) == 1 else ""


def _which_and_when(state: State, message: str) -> tuple[str, str]:
    """Return what says which appointment is moved, and the words for when to."""
    message = _CANNOT.sub(" | ", message)
    which, to, when = _parted(message)
    if to and time_words(when):
        is_from = re.search(r"\bfrom\b", which, re.IGNORECASE) is not None
        if not time_words(which) or is_from or meant(state, which):
            return which, time_words(when)
    # A day in it is the one to move to: only the service may say which one is moved.
    return which_words(state, message), time_words(message)


def _parted(message: str) -> tuple[str, str, str]:
    found = re.search(r"(?<!quarter )(?<!back )\b(?:on)?to\b", message, re.IGNORECASE)
    if found is None:
        return message, "", ""
    return message[: found.start()], found.group(), message[found.end() :]


def _start_of(booked: Booked) -> tuple[str, str]:
    return day_of(booked), booked.words.partition(", ")[2][:5]


def shifted(message: str, day: str, clock: str) -> str:
    """Return when "an hour later" is than that time; empty: nothing of the kind is said."""
    found = _SHIFT.search(message)
    if found is None or not re.fullmatch(r"\d{2}:\d{2}", clock):
        return ""
    count = found.group("count").casefold()
    length = int(count) if count.isdigit() else _COUNTS[count]
    minutes = round(length * (60 if found.group("unit").casefold() == "hour" else 1))
    if found.group("way").casefold() == "earlier":
        minutes = -minutes
    start = int(clock[:2]) * 60 + int(clock[3:]) + minutes
    return f"{day} at {start // 60:02}:{start % 60:02}" if 0 <= start < 1440 else ""


def _clock(words: str) -> str:
    return next(iter(clock_of(words)), "")
