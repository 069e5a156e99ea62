"""What a message says of who comes, with whom, for how long and when. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import listening
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.state import State
from slotcast_chat.assistant.time_words import clock_of, time_words

_CHANGES = re.compile(
    r"\b(?:actually|instead|rather|make it|change|could we|can we|can it|how about|what about"
    r"|better)\b",
    re.IGNORECASE,
)

_CORRECTS = re.compile(r"\W*(?:no|wait|sorry|oh|oops|i meant?|not)\b", re.IGNORECASE)
_MONTH = re.compile(r"april|may|june|july|august", re.IGNORECASE)


def with_details(state: State, message: str) -> State:
    """Take who comes, and how to reach them."""
    name, _ = listening.name_told(message)
    return replace(
        state,
        name=name or state.name,
        email=listening.email_of(message) or state.email,
        phone=listening.phone_of(message) or state.phone,
    )


def service_of(state: State, message: str) -> str:
    """Return the service that a message names, or the one that was chosen."""
    named = listening.services_named(message, state.services)
    return named[0] if len(named) == 1 else state.service


def with_person(state: State, message: str) -> State:
    """Take with whom, and for how long."""
    service = state.service_values()
    people = [each for offered in state.services for each in offered["people"]]
    person = listening.person_named(message, service or {"people": people})
    if listening.anyone_will_do(message):
        person = ""
    elif not person:
        person = state.person
    minutes = listening.minutes_of(message, service.get("minutes", ())) or state.minutes
    return replace(state, person=person, minutes=minutes)


def when_in(state: State, message: str) -> str:
    """Return the words that say when, without the names of people and services: "Stylist 1"."""
    text = listening.without_lengths(listening.email_free(message))
    for service in state.services:
        text = _without(service["name"], text)
    return time_words(without_people(state, text))


def without_people(state: State, text: str) -> str:
    """Return a text without the names of those with whom one books."""
    for service in state.services:
        for each in service["people"]:
            text = _without(each["name"], text)
    return text


def _without(name: str, text: str) -> str:
    return re.sub(rf"\b{re.escape(name)}\b", " | ", text, flags=re.IGNORECASE)


def is_change(state: State, message: str) -> bool:
    """Tell whether an answer is about something else than what was asked for."""
    if re.fullmatch(r"\W*(?:stop|never ?mind|forget it|cancel)\W*", message, re.IGNORECASE):
        return True
    if listening.name_told(message)[0] or listening.email_of(message):
        return False
    wishes = listening.wishes_of(message)
    if wishes & {Wish.FORM, Wish.SECOND, Wish.SHOW} or _is_of_a_time(message):
        return True
    return bool(_CHANGES.search(message) and asks_for_more(state, message))


def _is_of_a_time(message: str) -> bool:
    """Tell whether a message speaks of a time, and not of somebody called May or Tuesday Weld."""
    words = time_words(message)
    if not words:
        return False
    is_all = words.casefold() == message.strip(" ,.!?").casefold()
    says_day = is_all and _MONTH.fullmatch(words) is None
    has_clock = bool(clock_of(words)) and re.search(r"\d", words) is not None
    return says_day or has_clock or _CORRECTS.match(message) is not None


def asks_for_more(state: State, message: str) -> bool:
    """Tell whether a message names a time, a service or a person."""
    return bool(
        time_words(message)
        or listening.services_named(message, state.services)
        or listening.person_named(message, state.service_values())
    )


def is_move(state: State, message: str) -> bool:
    """Tell whether a time is for the appointment that stands, and not for another one."""
    named = listening.services_named(message, state.services)
    if Wish.ANOTHER_BOOKING in listening.wishes_of(message):
        return False
    return not named or named == (state.service,)
