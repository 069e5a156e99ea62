"""What is said of a time that is looked for: another one, or with somebody else. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from slotcast_chat.assistant import listening, sentences, steps
from slotcast_chat.assistant.asides import cannot_tell, is_beside_the_matter
from slotcast_chat.assistant.details import (
    asks_for_a_time,
    asks_for_more,
    asks_of_what_stands,
    is_move,
    people_left,
    when_in,
    with_person,
    without_people,
)
from slotcast_chat.assistant.naming import is_relative
from slotcast_chat.assistant.standing import day_of, move, on_day, show
from slotcast_chat.assistant.state import Goal, Question, State, Step
from slotcast_chat.assistant.steps import begin_anew


def look_for_time(state: State, message: str, *, is_new_zone: bool) -> Step:
    """Take a message that may name a time, a service or a person."""
    several = listening.services_by_name(message, state.services)
    if len(several) > 1:
        return _which_first(state, message, several)
    if state.booked is None:
        return _look(state, message, is_new_zone=is_new_zone)
    if (step := _of_what_stands(state, message)) is not None:
        return step
    if is_move(state, message):
        return move(replace(state, goal=Goal.MOVE), message)
    day = day_of(state.booked)
    return _look(_for_another(state, message), message, is_new_zone=is_new_zone, day=day)


def _of_what_stands(state: State, message: str) -> Step | None:
    """Answer what is asked of the appointment that stands; None: a time is asked for."""
    if state.held is not None:
        return None
    if not asks_for_more(state, message):
        return cannot_tell(state, message)
    if state.offers:
        return None
    if asks_of_what_stands(message):
        return show(state, message)
    return None if asks_for_a_time(state, message) else cannot_tell(state, message)


def _look(state: State, message: str, *, is_new_zone: bool, day: str = "") -> Step:
    """Look for a time; words that name none are of that day, where one was spoken of."""
    before = state
    state = _with_service(state, message)
    state = with_person(state, message)
    words = when_in(state, message)
    if words and day:
        state = replace(state, when=on_day(day, words))
    elif words:
        is_of_a_day = (state.readings or state.day) and not is_relative(words)
        state = replace(state, when=steps.on_the_day(state, words) if is_of_a_day else words)
    if (step := _unlike(state, message)) is not None:
        return step
    if is_new_zone and state.held is not None and message.rstrip().endswith("?") and not words:
        # It is asked what that very time is elsewhere: the same instant, in other words.
        return steps.hold(state, state.held.time)
    if words or is_new_zone or _is_changed(before, state):
        return steps.proceed(replace(state, offers=(), readings=()))
    if state.held is not None:
        return steps.with_hold(state)
    if state.offers or is_beside_the_matter(message):
        return cannot_tell(state, message)
    return steps.proceed(state)


def _is_changed(before: State, after: State) -> bool:
    return (before.service, before.person, before.when, before.minutes) != (
        after.service,
        after.person,
        after.when,
        after.minutes,
    )


def _with_service(state: State, message: str) -> State:
    named = listening.services_named(without_people(state, message), state.services)
    if len(named) != 1 or named[0] == state.service:
        return state
    return replace(state, service=named[0], person=_person_of(state, named[0]), minutes=None)


def _unlike(state: State, message: str) -> Step | None:
    """Ask about what there is not: a length, or nobody but one of several; None: there is."""
    service = state.service_values()
    left = people_left(state, message)
    minutes = listening.minutes_said(message)
    if len(left) > 1 and not state.person:
        names = [each["name"] for each in service["people"] if each["person"] in left]
        text = f"With whom should it be then: {sentences.listed(names)}?"
    elif service and minutes and minutes not in service["minutes"]:
        text = f"It cannot be {minutes} minutes long. {sentences.length_line(service)} How long?"
        if len(service["minutes"]) == 1:
            text = text.replace("How long?", "Shall I look for that?")
    else:
        return None
    return steps.ask(replace(state, offers=(), readings=()), Question.SERVICE, text)


def _for_another(state: State, message: str) -> State:
    """Return the state for another appointment: of the same service, where none is named."""
    is_one = re.search(r"\bone\b", message, re.IGNORECASE) is not None
    return replace(begin_anew(state), service=state.service if is_one else "")


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
