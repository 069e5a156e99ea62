"""What may be said at any time, whatever was asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from slotcast_chat.assistant import listening, sentences, steps
from slotcast_chat.assistant.asides import answer_aside, cannot_tell
from slotcast_chat.assistant.details import asks_for_more, when_in, with_details, with_person
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.looking import look_for_time
from slotcast_chat.assistant.naming import meant, names_unknown, which_words
from slotcast_chat.assistant.places import without_unclear_zone, zone_named, zone_of_unclear_name
from slotcast_chat.assistant.standing import (
    BOOKING_ID,
    ask_which,
    look_up,
    look_up_all,
    moves,
    show,
    speak_of_meant,
)
from slotcast_chat.assistant.state import Call, Goal, Question, State, Step
from slotcast_chat.assistant.steps import begin_anew, given_up
from slotcast_chat.assistant.time_words import time_words

_ASKS_ABOUT_CANCELLING = re.compile(
    r"\b(?:can|could|may) i (?:still )?cancel\b.*\b(?:until|till|before|up to|within|free|later"
    r"|any ?time|day of)\b|\b(?:until|till|by) when\b.*\bcancel"
    r"|\bhow (?:late|long|soon)\b.*\bcancel"
    r"|\b(?:if|when|for) (?:i |we )?cancel"
    r"|\bcancel\w* (?:fees?|polic\w+|terms?|costs?|charges?|rules?)\b",
    re.IGNORECASE,
)


def take(state: State, message: str) -> Step:
    """Take a message that may ask for anything."""
    if not state.services:
        # Names of services and people are known only then; the message is taken up after it.
        return replace(state, heard=message), Call("list_services", {})
    return understand(state, message)


def understand(state: State, message: str) -> Step:
    """Take a message that may ask for anything; the services are known."""
    _, rest = listening.name_told(message)
    wishes = listening.wishes_of(rest)
    zone, zone_words = zone_named(rest)
    state = with_details(state, message)
    if zone:
        state = replace(state, zone=zone)
        rest = rest.replace(zone_words, " | ")
    found = BOOKING_ID.fullmatch(message.strip())
    if found:
        return look_up(state, found.group())
    if (step := answer_aside(state, message)) is not None:
        return step
    if zone_of_unclear_name(rest):
        state = replace(state, heard=without_unclear_zone(rest))
        return steps.ask(state, Question.ZONE, sentences.WHICH_ZONE)
    for wish, follow in _WISHES.items():
        if wish in wishes and (step := follow(state, rest)) is not None:
            return step
    return look_for_time(state, rest, is_new_zone=bool(zone))


def _form(state: State, message: str) -> Step | None:
    state = replace(state, goal=Goal.FORM)
    if state.held is not None:
        return steps.form_link(state)
    offer = listening.offer_chosen(re.sub(r"\bforms?\b", "", message), state.offers)
    if offer is not None:
        return steps.hold_offer(with_person(state, message), offer)
    return look_for_time(state, message, is_new_zone=False)


def _wait_for_it(state: State, message: str) -> Step | None:
    state = replace(state, goal=Goal.WAIT)
    words = when_in(state, message)
    named = listening.services_named(message, state.services)
    if len(named) == 1:
        state = replace(state, service=named[0])
    if words or not state.readings:
        return steps.proceed(replace(state, when=words or state.when, readings=(), offers=()))
    return steps.wait(state)


def _why(state: State, message: str) -> Step | None:
    words = re.sub(r"^not\s+", "", time_words(message), flags=re.IGNORECASE)
    when = steps.on_the_day(state, words) if words else state.when
    if not (when and state.service and state.zone):
        return None
    return steps.call(
        state,
        "explain_time",
        service=state.service,
        when=when,
        time_zone=state.zone,
        person=state.person,
        minutes=state.minutes,
        conversation=state.conversation,
    )


def cancel(state: State, message: str) -> Step | None:
    """Ask whether to cancel the appointment that a message means, or tell that it only asks."""
    if _ASKS_ABOUT_CANCELLING.search(message):
        return cannot_tell(state, f"{message}?")
    state = replace(state, goal=Goal.CANCEL, only_told=False)
    found = BOOKING_ID.search(message)
    if found:
        return look_up(state, found.group())
    if state.booked is not None and names_unknown(state, message):
        return look_up_all(state, message)
    if state.booked is not None:
        return steps.ask_cancel(speak_of_meant(state, message))
    if state.held is not None or state.offers:
        return stop(state, message)
    return look_up_all(state, message)


def at_cancel(state: State, message: str) -> Step | None:
    """Take, where it was asked whether to cancel one, that another is meant, or what is booked."""
    wishes = listening.wishes_of(message)
    if Wish.SHOW in wishes:
        return show(state, message)
    if Wish.MOVE in wishes or re.search(r"\b(?:keep|leave)\b", message, re.IGNORECASE):
        return None
    is_of_which = Wish.CANCEL in wishes or listening.is_no(message) or not time_words(message)
    names_one = which_words(state, message) or meant(state, message)
    return cancel(state, message) if is_of_which and names_one else None


def _services(state: State, message: str) -> Step | None:
    if time_words(message):
        return None
    return steps.ask(state, Question.SERVICE, sentences.which_service(state.services))


def stop(state: State, _message: str) -> Step:
    """End it; what is booked stays."""
    return steps.tell(given_up(state), sentences.stopped(state))


def second(state: State) -> Step:
    """Look for a second one, at the time of the one that is booked."""
    booked = state.booked
    if booked is None:
        return ask_which(state)
    service, minutes, beside = state.service, state.minutes, booked.words
    start = beside.partition(" (")[0].partition(" to ")[0].rstrip(",")
    when = start.partition(" ")[2].replace(", ", " at ")
    state = begin_anew(state)
    return steps.proceed(replace(state, service=service, minutes=minutes, when=when, beside=beside))


def _second(state: State, message: str) -> Step | None:
    if state.booked is None:
        if not asks_for_more(state, message) and state.service:
            text = "I book one after the other: once the first is booked, I ask about the second."
            return steps.asked_after(replace(state, for_two=True), text)
        return look_for_time(replace(state, for_two=True), message, is_new_zone=False)
    if asks_for_more(state, message):
        return None
    return steps.ask(state, Question.SECOND, sentences.ask_second(state.booked))


_WISHES: Mapping[Wish, Callable[[State, str], Step | None]] = {
    Wish.STOP: stop,
    Wish.WAIT: _wait_for_it,
    Wish.WHY: _why,
    Wish.FORM: _form,
    Wish.MOVE: moves,
    Wish.CANCEL: cancel,
    Wish.SECOND: _second,
    Wish.SHOW: show,
    Wish.SERVICES: _services,
}
