"""Which of the appointments that stand a message means. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import listening, steps
from slotcast_chat.assistant.state import Booked, State
from slotcast_chat.assistant.time_words import clock_of

_OTHER = re.compile(r"\bthe other(?: one)?\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\bin (?:an?|one|two|three|half an|\d+) (?:hours?|minutes?)\b|\bnow\b", re.IGNORECASE
)
_MONTHS = "january february march april may june july august september october november december"
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"


def meant(state: State, message: str) -> tuple[Booked, ...]:
    """Return the appointments that a message fits best; none: it says nothing of which."""
    known = state.all_booked
    if _OTHER.search(message) and state.booked is not None and state.earlier:
        return state.earlier[-1:]
    named = named_services(state, message)
    if named:
        known = tuple(each for each in known if each.service in named)
    scores = {each.booking: _fitting(message, each) for each in known}
    best = max(scores.values(), default=0)
    if not (named or best):
        return ()
    return tuple(each for each in known if scores[each.booking] == best)


def names_unknown(state: State, message: str) -> bool:
    """Tell whether a message means an appointment that is not known here: a form may have it."""
    is_named = _OTHER.search(message) or named_services(state, message)
    return bool(is_named) and not meant(state, message)


def which_words(state: State, message: str) -> str:
    """Return of a message what says which appointment is meant, without any day or hour."""
    other = _OTHER.search(message)
    return " ".join([*([other.group()] if other else []), *named_services(state, message)])


def named_services(state: State, message: str) -> frozenset[str]:
    """Return the names of the services that a message names."""
    found = listening.services_named(message, state.services)
    return frozenset(each["name"] for each in state.services if each["service"] in found)


def spoken_of(state: State, booked: Booked) -> State:
    """Return the state with another appointment as the one spoken of."""
    service = next(
        (each["service"] for each in state.services if each["name"] == booked.service), ""
    )
    state = replace(steps.with_booked(state, booked), person="", minutes=None)
    return replace(state, service=service or state.service)


def is_relative(words: str) -> bool:
    """Tell whether words are reckoned from now, and so need no day: "in two hours"."""
    return _RELATIVE.search(words) is not None


def _fitting(message: str, booked: Booked) -> int:
    """Return how much of a booking's day, hour and person a message names."""
    text = message.casefold()
    day, _, clock = booked.words.casefold().partition(", ")
    weekday, number, month, *_ = [*day.split(), "", "", ""]
    score = 0
    for said in re.findall(r"[^\W\d_]{3,}", text):
        score += said in (weekday, weekday[:3], weekday[:4]) and weekday in _WEEKDAYS.split()
    if month in _MONTHS.split():
        name = rf"{month[:3]}(?:{month[3:]})?"
        days = rf"\b{number}(?:st|nd|rd|th)?(?: of)? {name}\b|\b{name} {number}(?:st|nd|rd|th)?\b"
        score += 2 * bool(re.search(rf"{days}|\b{number}(?:st|nd|rd|th)\b", text))
    if clock[:5] in clock_of(message):
        score += 1
    if booked.person:
        score += bool(re.search(rf"\b{re.escape(booked.person)}\b", message, re.IGNORECASE))
    return score
