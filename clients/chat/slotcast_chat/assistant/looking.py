"""What is said of a time that is looked for: another one, or with somebody else. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import listening, sentences, steps
from slotcast_chat.assistant.asides import cannot_tell, is_beside_the_matter
from slotcast_chat.assistant.details import (
    asks_for_more,
    is_move,
    when_in,
    with_person,
    without_people,
)
from slotcast_chat.assistant.standing import move
from slotcast_chat.assistant.state import Goal, Question, State, Step
from slotcast_chat.assistant.steps import begin_anew


def look_for_time(state: State, message: str, *, is_new_zone: bool) -> Step:
    """Take a message that may name a time, a service or a person."""
    before = state
    named = listening.services_named(without_people(state, message), state.services)
    several = listening.services_by_name(message, state.services)
    if len(several) > 1:
        return _which_first(state, message, several)
    if state.booked is not None and not (state.held or asks_for_more(state, message)):
        return cannot_tell(state, message)
    if state.booked is not None and not is_move(state, message):
        state = begin_anew(state)
    elif state.booked is not None:
        return move(replace(state, goal=Goal.MOVE), message)
    if len(named) == 1 and named[0] != state.service:
        state = replace(state, service=named[0], person=_person_of(state, named[0]), minutes=None)
    state = with_person(state, message)
    words = when_in(state, message)
    if words:
        state = replace(state, when=steps.on_the_day(state, words) if state.readings else words)
    changed = (state.service, state.person, state.when, state.minutes) != (
        before.service,
        before.person,
        before.when,
        before.minutes,
    )
    if is_new_zone and state.held is not None and message.rstrip().endswith("?") and not words:
        # It is asked what that very time is elsewhere: the same instant, in other words.
        return steps.hold(state, state.held.time)
    if changed or words or is_new_zone:
        return steps.proceed(replace(state, offers=(), readings=()))
    if state.held is not None:
        return steps.with_hold(state)
    if state.offers or is_beside_the_matter(message):
        return cannot_tell(state, message)
    return steps.proceed(state)


def _which_first(state: State, message: str, several: tuple[str, ...]) -> Step:
    state = replace(state, service="", person="", when=when_in(state, message) or state.when)
    services = [each for each in state.services if each["service"] in several]
    return steps.ask(state, Question.SERVICE, sentences.which_first(services))


def _person_of(state: State, service: str) -> str:
    """Return with whom it is wanted, where that was said before the service was."""
    people = {
        each["person"]
        for offered in state.services
        if offered["service"] == service
        for each in offered["people"]
    }
    return state.person if not state.service and state.person in people else ""


def other_times(state: State, message: str) -> Step:
    """Look after the times that were offered, or before them."""
    first, last = state.offers[0].local_start, state.offers[-1].local_start
    if re.search(r"\bearlier\b", message, re.IGNORECASE):
        return steps.proceed(replace(state, when=f"{first[:10]} before {first[11:]}", readings=()))
    if re.search(r"\b(?:none|neither)\b", message, re.IGNORECASE) and not re.search(
        r"\bmore|other\b", message, re.IGNORECASE
    ):
        return steps.ask(state, Question.WHEN, "When would suit you better?")
    return steps.proceed(replace(state, when=f"{last[:10]} after {last[11:]}", readings=()))
