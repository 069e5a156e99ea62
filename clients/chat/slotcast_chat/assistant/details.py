"""What a message says of who comes, with whom, for how long and when. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import listening
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.places import zone_named
from slotcast_chat.assistant.state import State
from slotcast_chat.assistant.time_words import clock_of, time_words, words_of

_CHANGES = re.compile(
    r"\b(?:actually|instead|rather|make it|change|could we|can we|can it|how about|what about"
    r"|better)\b",
    re.IGNORECASE,
)

_MORE = re.compile(
    r"\b(?:another|an? (?:second|further|additional|extra)|one more|additional|too|as well"
    r"|book (?:me )?an?|new)\b(?! (?:time|times|day|date|hour|slot|week|stylist|person)\b)",
    re.IGNORECASE,
)
_FOR_ANOTHER = re.compile(
    r"\bfor (?:my|our|his|her|their|an?) (?:\w+ )?(?:wife|husband|partner|sons?|daughters?|child"
    r"|children|kids?|baby|mother|father|mum|mom|dad|parents|brother|sister|(?:girl|boy)?friend"
    r"|colleague|boss|grand\w+|niece|nephew|cousin|family|neighbou?r)\b",
    re.IGNORECASE,
)
_OF_WHAT_STANDS = re.compile(
    r"\b(?:is|was|isn't|wasn't) (?:it|that|my \w+)\b(?! (?:also |still |too )?(?:possible|okay?"
    r"|free|open|available|fine|too))|\b(?:do|should|must|shall|can|could) i (?:need to |have to )?"
    r"(?:be there|arrive|show up)\b|\b(?:do|should|must|shall) i (?:need to |have to )?come\b",
    re.IGNORECASE,
)
_OF_TIMES = words_of(
    """
    a an the is are was will would it its that this there here at on in for of to or and so then
    any anything something anyone anybody somebody free open available availability time times slot
    slots appointment appointments booking do does you your have has got can could i we my me us be
    may might get come make move go with by please also still what which when how about work works
    possible ok okay one ones hi hello hey later earlier sooner next no not but fit squeeze too
    rather else other another see book take left
    """
)

_CORRECTS = re.compile(r"\W*(?:no|wait|sorry|oh|oops|i meant?|not)\b", re.IGNORECASE)
_IN_A_CITY = re.compile(
    r"\b(?:i['\u2019]?m|i am|we['\u2019]?re|i live|living)(?: \w+)? in\b", re.IGNORECASE
)
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
    named = listening.person_named(message, service or {"people": people})
    refused = listening.people_refused(message, service or {"people": people})
    person = named or ("" if state.person in refused else state.person)
    if refused and not named:
        others = people_left(state, message)
        person = others[0] if len(others) == 1 else person
    elif listening.anyone_will_do(message):
        person = ""
    minutes = listening.minutes_of(message, service.get("minutes", ())) or state.minutes
    return replace(state, person=person, minutes=minutes)


def people_left(state: State, message: str) -> tuple[str, ...]:
    """Return who of those who do it is left, where a message says with whom it should not be."""
    service = state.service_values()
    refused = listening.people_refused(message, service)
    if not refused:
        return ()
    return tuple(
        each["person"] for each in service.get("people", ()) if each["person"] not in refused
    )


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
    if _IN_A_CITY.search(message) and zone_named(message)[0]:
        return True
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
    if named and (_MORE.search(message) or _FOR_ANOTHER.search(message)):
        return False
    booked = {each.service for each in state.earlier}
    names = {each["name"] for each in state.services if each["service"] in named}
    if named and names <= booked and re.search(r"\b(?:instead|rather)\b", message, re.IGNORECASE):
        return True
    return not named or named == (state.service,)


def asks_of_what_stands(message: str) -> bool:
    """Tell whether a question is about the appointment that stands, and not for another time."""
    return bool(_OF_WHAT_STANDS.search(message)) and not _CHANGES.search(message)


def asks_for_a_time(state: State, message: str) -> bool:
    """Tell whether a message that names a time asks for one: of parking on Monday it does not."""
    if not message.rstrip().endswith("?") or _CHANGES.search(message):
        return True
    rest = without_people(state, listening.without_lengths(message)).casefold()
    words = set(re.findall(r"[^\W\d_]+", rest)) - set(
        re.findall(r"\w+", time_words(message).casefold())
    )
    return not words - _OF_TIMES or bool(listening.services_named(message, state.services))
