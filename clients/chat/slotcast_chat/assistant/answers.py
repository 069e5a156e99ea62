"""What follows from an answer to what was asked; what answers nothing is taken as any message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from slotcast_chat.assistant import consent, listening, sentences, steps
from slotcast_chat.assistant.asides import answer_aside, cannot_tell, is_beside_the_matter
from slotcast_chat.assistant.details import asks_for_more, is_change, with_details, with_person
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.looking import other_times
from slotcast_chat.assistant.places import zone_answered
from slotcast_chat.assistant.standing import BOOKING_ID, look_up, move, show
from slotcast_chat.assistant.state import Goal, Question, Say, State, Step
from slotcast_chat.assistant.time_words import time_words
from slotcast_chat.assistant.wishes import at_cancel, second, stop, take, understand


def _to_service(state: State, message: str) -> Step:
    if not re.fullmatch(r"\W*\d\W*", message):
        return take(state, message)
    index = int(re.sub(r"\D", "", message)) - 1
    if 0 <= index < len(state.services):
        return steps.proceed(replace(state, service=state.services[index]["service"]))
    return steps.proceed(state)


def _to_zone(state: State, message: str) -> Step:
    zone, before = zone_answered(message), state.heard
    if not zone and message.rstrip().endswith("?"):
        return cannot_tell(state, message)
    if not zone:
        return steps.ask(
            state,
            Question.ZONE,
            "I do not know that city. Which larger city is in the same time zone as you?",
        )
    state = replace(state, zone=zone, heard="")
    return understand(state, before) if before else steps.proceed(state)


def _to_when(state: State, message: str) -> Step:
    if state.held is not None and listening.is_yes(message) and not time_words(message):
        return steps.with_hold(state)
    if asks_for_more(state, message) or listening.wishes_of(message) or listening.email_of(message):
        return take(state, message)
    if message.rstrip().endswith("?"):
        return cannot_tell(state, message)
    return steps.proceed(replace(state, when=message.strip()[:200]))


def _to_reading(state: State, message: str) -> Step:
    reading = listening.reading_chosen(message, state.readings)
    if reading is None:
        if listening.is_yes(message):
            reading = state.readings[0]
        else:
            return take(state, message)
    state = replace(state, readings=(reading,))
    offers = tuple(offer for offer in state.offers if offer.reading == reading.number)
    if not offers:
        return steps.find(replace(state, when=reading.windows[0][:10]))
    state = replace(state, offers=offers, question=Question.CHOICE)
    return state, Say(text=sentences.offered(offers, more=False), offers=offers, held=state.held)


def _to_choice(state: State, message: str) -> Step:
    wishes = listening.wishes_of(message)
    if wishes & {Wish.WHY, Wish.WAIT, Wish.STOP, Wish.CANCEL}:
        return take(state, message)
    state = with_person(state, message)
    offer = listening.offer_chosen(message, state.offers)
    if offer is None and listening.is_yes(message) and not time_words(message) and state.offers:
        offer = state.offers[0] if state.held or len(state.offers) == 1 else None
    if offer is not None:
        state = replace(state, goal=Goal.FORM if Wish.FORM in wishes else state.goal)
        return steps.hold_offer(state, offer)
    if Wish.OTHER_TIMES in wishes or re.fullmatch(
        r"\W*(?:later|earlier|more)\W*", message, re.IGNORECASE
    ):
        return other_times(state, message)
    return take(state, message)


def _to_another_time(state: State, message: str) -> Step:
    if not time_words(message) and (listening.is_yes(message) or listening.is_no(message)):
        return steps.ask(replace(state, when=""), Question.WHEN, "When else would suit you?")
    return take(state, message)


def _to_name(state: State, message: str) -> Step:
    if is_change(state, message):
        return take(state, message)
    if message.rstrip().endswith("?"):
        return cannot_tell(state, message)
    name, email = listening.name_answered(message), listening.email_of(message)
    state = replace(
        state,
        name=name,
        email=email or state.email,
        phone=listening.phone_of(message) or state.phone,
    )
    if not name:
        return steps.ask(state, Question.NAME, "And what is your name?")
    return _with_customer(state)


def _to_email(state: State, message: str) -> Step:
    email = listening.email_of(message)
    if email:
        return _with_customer(replace(state, email=email))
    if is_change(state, message) or time_words(message):
        return take(state, message)
    if listening.has_nothing(message):
        return _with_customer(replace(state, email_asked=True))
    if message.rstrip().endswith("?"):
        return cannot_tell(state, message)
    return steps.ask(
        replace(state, email_asked=True),
        Question.EMAIL,
        "That is no e-mail address that I can read. What is it? Say no if you do not want one.",
    )


def _to_book(state: State, message: str) -> Step:
    state = with_details(state, message)
    if consent.agrees_to_book(message):
        return steps.book(state)
    if (step := answer_aside(state, message)) is not None:
        return step
    name, _ = listening.name_told(message)
    if (name or listening.email_of(message)) and not time_words(message):
        return steps.with_hold(state)
    if consent.gives_up(message):
        return stop(state, message)
    if consent.declines(message) and not asks_for_more(state, message):
        return steps.ask(
            state,
            Question.WHEN,
            "Then I do not book it. What shall I change: the time, the service, or with whom?",
        )
    if is_beside_the_matter(message) and not (
        listening.is_yes(message) or asks_for_more(state, message)
    ):
        return cannot_tell(state, message)
    if Wish.SHOW in listening.wishes_of(message):
        return take(state, message)
    after, action = take(state, message)
    if isinstance(action, Say) and after.question is Question.BOOK:
        action = replace(action, text=f"I do that only at a plain yes.\n{action.text}")
    return after, action


def _to_cancel(state: State, message: str) -> Step:
    assert state.booked is not None
    if consent.agrees_to_cancel(message):
        return steps.call(
            state,
            "cancel",
            booking=state.booked.booking,
            version=state.booked.version,
            time_zone=state.zone,
            **steps.in_turn(state),
        )
    if (step := answer_aside(state, message)) is not None:
        return step
    if (step := at_cancel(state, message)) is not None:
        return step
    if time_words(message) or Wish.MOVE in listening.wishes_of(message):
        return move(replace(state, goal=Goal.MOVE), message)
    if consent.keeps(message):
        state = replace(state, goal=Goal.BOOK)
        return steps.tell(state, "Then I leave your appointment as it is.", booked=state.booked)
    return steps.ask_cancel(state, "I do that only at a plain yes.\n")


def _to_booking(state: State, message: str) -> Step:
    found = BOOKING_ID.search(message)
    if found is None and _is_other_matter(state, message):
        return take(replace(state, goal=Goal.BOOK), message)
    if found is None:
        return steps.ask(
            state,
            Question.BOOKING,
            "I need the booking's id: it is in the confirmation, 36 characters with dashes.",
        )
    if message.rstrip().endswith("?") and not listening.wishes_of(message):
        return show(state, message) or look_up(state, found.group())
    return look_up(state, found.group())


def _is_other_matter(state: State, message: str) -> bool:
    """Tell whether one who was asked for a booking's id wants something else."""
    is_of_one = state.goal in {Goal.CANCEL, Goal.MOVE}
    return bool(listening.wishes_of(message)) or (not is_of_one and asks_for_more(state, message))


def _to_second(state: State, message: str) -> Step:
    if consent.agrees_to_book(message):
        return second(state)
    if listening.is_no(message):
        return steps.tell(state, "Then it stays at the one.", booked=state.booked)
    return take(state, message)


def _with_customer(state: State) -> Step:
    if state.goal is Goal.WAIT:
        return steps.wait(state)
    return steps.with_hold(state) if state.held else steps.proceed(state)


ANSWERS: Mapping[Question, Callable[[State, str], Step]] = {
    Question.SERVICE: _to_service,
    Question.ZONE: _to_zone,
    Question.WHEN: _to_when,
    Question.READING: _to_reading,
    Question.CHOICE: _to_choice,
    Question.ANOTHER_TIME: _to_another_time,
    Question.NAME: _to_name,
    Question.EMAIL: _to_email,
    Question.BOOK: _to_book,
    Question.CANCEL: _to_cancel,
    Question.BOOKING: _to_booking,
    Question.SECOND: _to_second,
}
