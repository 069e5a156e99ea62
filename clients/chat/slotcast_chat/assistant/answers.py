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
from slotcast_chat.assistant.standing import BOOKING_ID, look_up, move, shifted, show
from slotcast_chat.assistant.state import Goal, Question, Say, State, Step
from slotcast_chat.assistant.time_words import time_words
from slotcast_chat.assistant.wishes import at_cancel, second, stop, take, understand

_WHAT_TO_CHANGE = "Then I do not book it. What shall I change: the time, the service, or with whom?"
_LATER = re.compile(
    r"\W*(?:(?:a bit|a little|something|anything|some|any|the|or|maybe|much|show me|have you)\W+)*"
    r"(?:later|earlier|more)(?:\W+(?:ones?|times?|please|than that))*\W*",
    re.IGNORECASE,
)
_TOO_EARLY = re.compile(r"\btoo early\b|\bnot (?:so|that|quite so) early\b", re.IGNORECASE)
_TOO_LATE = re.compile(r"\btoo late\b|\bnot (?:so|that|quite so) late\b", re.IGNORECASE)
_ANY_ONE = (
    r"whichever|any(?: one)?(?: of (?:them|these|those))?|either(?: one)?|no preference"
    r"|i (?:don't|do not) (?:mind|care)|(?:it )?(?:doesn't|does not) matter|all the same"
    r"|you (?:choose|decide|pick)|surprise me"
)
_WHICHEVER = re.compile(
    r"\W*(?:(?:ok|okay|well|oh|just|i|i'll|please|take|hold|book|pick|choose|give me)\W+)*"
    rf"(?:{_ANY_ONE})"
    r"(?:\W+(?:please|is fine|will do|works|you like|suits|of (?:them|these|those)|thanks))*\W*",
    re.IGNORECASE,
)
_WANTS = re.compile(r"\b(?:want|with|prefer|like|rather|instead|take|change)\b", re.IGNORECASE)
_MEANT = re.compile(r"\b(?:meant?|rather) (?:at )?(?P<number>\d{1,2})\W*", re.IGNORECASE)


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
    if (step := _later_or_earlier(state, message)) is not None:
        return step
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
            return _to_no_reading(state, message)
    state = replace(state, readings=(reading,))
    offers = tuple(offer for offer in state.offers if offer.reading == reading.number)
    if not offers:
        return steps.find(replace(state, when=reading.windows[0][:10]))
    state = replace(state, offers=offers, question=Question.CHOICE)
    return state, Say(text=sentences.offered(offers, more=False), offers=offers, held=state.held)


def _to_no_reading(state: State, message: str) -> Step:
    """Take an answer that names none of the readings by its number or its words."""
    meant = _MEANT.search(message)
    if meant is not None:
        number = int(meant.group("number"))
        named = re.compile(rf"(?<![\d:])0?{number}(?!\d)")
        fitting = [each for each in state.readings if named.search(each.words)]
        if len(fitting) == 1:
            return _to_reading(state, str(fitting[0].number))
        if number <= 24:
            return steps.proceed(replace(state, when=steps.on_the_day(state, f"at {number}")))
    if (step := _noted(state, message)) is not None:
        return step
    if listening.is_no(message) and not asks_for_more(state, message):
        state = replace(state, when="", readings=(), offers=())
        return steps.ask(state, Question.WHEN, "Which day do you mean then, and about what time?")
    return take(state, message)


def _to_choice(state: State, message: str) -> Step:
    wishes = listening.wishes_of(message)
    if wishes & {Wish.WHY, Wish.WAIT, Wish.STOP, Wish.CANCEL}:
        return take(state, message)
    if (step := _noted(state, message)) is not None:
        return step
    before, state = state, with_person(state, message)
    offer = listening.offer_chosen(message, state.offers)
    if offer is None and state.offers and _WHICHEVER.fullmatch(message.replace("\u2019", "'")):
        offer = state.offers[0]
    if offer is None and listening.is_yes(message) and not time_words(message) and state.offers:
        offer = state.offers[0] if state.held or len(state.offers) == 1 else None
    if offer is not None:
        state = replace(state, goal=Goal.FORM if Wish.FORM in wishes else state.goal)
        return steps.hold_offer(state, offer)
    if _TOO_EARLY.search(message) or _TOO_LATE.search(message):
        way = "later" if _TOO_EARLY.search(message) else "earlier"
        return take(before, message) if time_words(message) else other_times(state, way)
    if Wish.OTHER_TIMES in wishes or _LATER.fullmatch(message):
        return other_times(state, message)
    if listening.is_yes(message) and not asks_for_more(before, message):
        return steps.asked_after(state, "Please say which one: its number, or its hour.")
    return take(before, message)


def _to_another_time(state: State, message: str) -> Step:
    if not time_words(message) and (listening.is_yes(message) or listening.is_no(message)):
        return steps.ask(replace(state, when=""), Question.WHEN, "When else would suit you?")
    return take(state, message)


def _to_name(state: State, message: str) -> Step:
    if (step := _something_else(state, message)) is not None:
        return step
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
        return _with_customer(replace(with_details(state, message), email=email))
    if (step := _something_else(state, message)) is not None:
        return step
    if listening.name_told(message)[0]:
        return steps.asked_after(with_details(state, message), "I have noted that.")
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
    if (step := _beside_the_yes(state, message)) is not None:
        return step
    if consent.gives_up(message):
        return stop(state, message)
    if consent.declines(message) and not asks_for_more(state, message):
        return steps.ask(state, Question.WHEN, _WHAT_TO_CHANGE)
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


def _beside_the_yes(state: State, message: str) -> Step | None:
    """Take what is said instead of a yes or a no; None: it is nothing of the kind."""
    if (step := answer_aside(state, message)) is not None:
        return step
    if (step := _later_or_earlier(state, message)) is not None:
        return step
    name, _ = listening.name_told(message)
    if (name or listening.email_of(message)) and not time_words(message):
        return steps.with_hold(state)
    if Wish.WAIT in listening.wishes_of(message) and not asks_for_more(state, message):
        return steps.asked_after(state, sentences.NOTHING_TO_WAIT_FOR)
    return None


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


def by_so_much(state: State, message: str) -> Step | None:
    """Take "an hour later" than what is held, or is the one offer; None: it is nothing of it."""
    time = state.offers[0].time if len(state.offers) == 1 else ""
    time = state.held.time if state.held is not None else time
    if not time or state.goal in {Goal.MOVE, Goal.CANCEL}:
        return None  # What stands has a time of its own.
    when = shifted(message, *time.split("|")[2][:16].split("T"))
    return steps.proceed(replace(state, when=when)) if when else None


def _later_or_earlier(state: State, message: str) -> Step | None:
    """Look after or before what is held, or what was offered; None: that is not asked for."""
    if not _LATER.fullmatch(message):
        return None
    held = state.held.time.split("|")[2][:16] if state.held is not None else ""
    if held and (not state.offers or held in {each.local_start for each in state.offers}):
        way = "before" if re.search(r"\bearlier\b", message, re.IGNORECASE) else "after"
        return steps.proceed(replace(state, when=f"{held[:10]} {way} {held[11:]}", readings=()))
    return other_times(state, message) if state.offers else None


def _noted(state: State, message: str) -> Step | None:
    """Take who comes, where that is all that is said; None: it is not."""
    name, rest = listening.name_told(message)
    if not (name or listening.email_of(message)):
        return None
    if asks_for_more(state, listening.email_free(rest)) or listening.wishes_of(rest):
        return None
    return steps.asked_after(with_details(state, message), "I have noted that.")


def _something_else(state: State, message: str) -> Step | None:
    """Take, for a name or an address, that one ends it or changes something; None: it is not so."""
    if consent.gives_up(message):
        return stop(state, message)
    if _WANTS.search(message) and asks_for_more(state, message):
        return take(state, message)
    if consent.retracts(message):
        return steps.ask(state, Question.WHEN, _WHAT_TO_CHANGE)
    return None


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
