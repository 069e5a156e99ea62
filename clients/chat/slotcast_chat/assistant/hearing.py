"""What follows from what the person says. Pure: a state and a message, to a state and a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from slotcast_chat.assistant import consent, listening, sentences, steps
from slotcast_chat.assistant.listening import Wish
from slotcast_chat.assistant.places import zone_answered, zone_named
from slotcast_chat.assistant.state import Call, Goal, Question, Say, State, Step
from slotcast_chat.assistant.steps import begin_anew
from slotcast_chat.assistant.time_words import clock_of, names_an_hour, time_words

MESSAGE_MAX = 2000
READ_ONLY = frozenset({"list_services", "find_times", "get_booking", "explain_time"})
_BOOKING_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(?:actually|instead|rather|make it|change|could we|can we|can it|how about|what about"
    r"|better)\b",
    re.IGNORECASE,
)


def hear(state: State, message: str) -> Step:
    """Take a message of the person."""
    if state.called is not None and state.called.tool not in READ_ONLY:
        return _repeat(state, state.called, message)
    message = message[:MESSAGE_MAX]
    state = replace(state, turn=state.turn + 1, held_again=False, called=None)
    if not message.strip():
        return state, Say(text="I did not hear anything. What can I do for you?", held=state.held)
    return _ANSWERS.get(state.question, _open)(state, message)


def pick(state: State, time: str) -> Step:
    """Take one of the offered times, as a person does who points at it."""
    state = replace(state, turn=state.turn + 1, held_again=False, called=None)
    offer = next((each for each in state.offers if each.time == time), None)
    if offer is None:
        return steps.ask(state, Question.WHEN, "I no longer offer that time. When would suit you?")
    return steps.hold_offer(state, offer)


def is_news(state: State, message: str) -> bool:
    """Tell whether a message asks for something by itself, whatever was asked before."""
    message = re.sub(r"\bnow\b", "", message, flags=re.IGNORECASE)
    wishes = listening.wishes_of(message) - {Wish.STOP, Wish.CANCEL, Wish.WHY}
    return bool(wishes) or _asks_for_more(state, message)


def _repeat(state: State, call: Call, message: str) -> Step:
    """Learn whether it was done: the same call, of the same turn, is done once."""
    state = replace(state, called=None)
    if not (consent.objects(message) or is_news(state, message)):
        return state, call
    if call.tool in {"cancel", "reschedule"}:
        # That can be looked up, and so it is not tried again.
        state = replace(state, turn=state.turn + 1, goal=Goal.BOOK, held=None)
        return _look_up(state, str(call.arguments["booking"]))
    return replace(state, held_again=call.tool == "book"), call


# What answers a question. Each falls back to `_open`, which takes anything.


def _to_service(state: State, message: str) -> Step:
    if not re.fullmatch(r"\W*\d\W*", message):
        return _open(state, message)
    index = int(re.sub(r"\D", "", message)) - 1
    if 0 <= index < len(state.services):
        return steps.proceed(replace(state, service=state.services[index]["service"]))
    return steps.proceed(state)


def _to_zone(state: State, message: str) -> Step:
    zone, before = zone_answered(message), state.heard
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
    if time_words(message) or listening.wishes_of(message):
        return _open(state, message)
    return steps.proceed(replace(state, when=message.strip()[:200]))


def _to_reading(state: State, message: str) -> Step:
    reading = listening.reading_chosen(message, state.readings)
    if reading is None:
        if listening.is_yes(message):
            reading = state.readings[0]
        else:
            return _open(state, message)
    state = replace(state, readings=(reading,))
    offers = tuple(offer for offer in state.offers if offer.reading == reading.number)
    if not offers:
        return steps.find(replace(state, when=reading.windows[0][:10]))
    state = replace(state, offers=offers, question=Question.CHOICE)
    return state, Say(text=sentences.offered(offers, more=False), offers=offers, held=state.held)


def _to_choice(state: State, message: str) -> Step:
    wishes = listening.wishes_of(message)
    if wishes & {Wish.WHY, Wish.WAIT, Wish.STOP, Wish.CANCEL}:
        return _open(state, message)
    state = _with_person(state, message)
    offer = listening.offer_chosen(message, state.offers)
    if offer is None and listening.is_yes(message) and not time_words(message) and state.offers:
        offer = state.offers[0] if state.held or len(state.offers) == 1 else None
    if offer is not None:
        state = replace(state, goal=Goal.FORM if Wish.FORM in wishes else state.goal)
        return steps.hold_offer(state, offer)
    if Wish.OTHER_TIMES in wishes or re.fullmatch(
        r"\W*(?:later|earlier|more)\W*", message, re.IGNORECASE
    ):
        return _other_times(state, message)
    return _open(state, message)


def _to_another_time(state: State, message: str) -> Step:
    if not time_words(message) and (listening.is_yes(message) or listening.is_no(message)):
        return steps.ask(replace(state, when=""), Question.WHEN, "When else would suit you?")
    return _open(state, message)


def _to_name(state: State, message: str) -> Step:
    if _is_change(state, message):
        return _open(state, message)
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
    if _is_change(state, message):
        return _open(state, message)
    if listening.has_nothing(message):
        return _with_customer(replace(state, email_asked=True))
    return steps.ask(
        replace(state, email_asked=True),
        Question.EMAIL,
        "That is no e-mail address that I can read. What is it? Say no if you do not want one.",
    )


def _to_book(state: State, message: str) -> Step:
    state = _with_details(state, message)
    if consent.agrees_to_book(message):
        return steps.book(state)
    name, _ = listening.name_told(message)
    if (name or listening.email_of(message)) and not time_words(message):
        return steps.with_hold(state)
    if consent.gives_up(message):
        return _stop(state, message)
    if consent.declines(message) and not _asks_for_more(state, message):
        return steps.ask(
            state,
            Question.WHEN,
            "Then I do not book it. What shall I change: the time, the service, or with whom?",
        )
    after, action = _open(state, message)
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
    if time_words(message) or Wish.MOVE in listening.wishes_of(message):
        return _move(replace(state, goal=Goal.MOVE), message)
    if consent.keeps(message):
        state = replace(state, goal=Goal.BOOK)
        return steps.tell(state, "Then I leave your appointment as it is.", booked=state.booked)
    return steps.ask_cancel(state, "I do that only at a plain yes.\n")


def _to_booking(state: State, message: str) -> Step:
    found = _BOOKING_ID.search(message)
    if found is None:
        return steps.ask(
            state,
            Question.BOOKING,
            "I need the booking's id: it is in the confirmation, 36 characters with dashes.",
        )
    return _look_up(state, found.group())


# What may be said at any time.


def _open(state: State, message: str) -> Step:
    if not state.services:
        # Names of services and people are known only then; the message is taken up after it.
        return replace(state, heard=message), Call("list_services", {})
    return understand(state, message)


def understand(state: State, message: str) -> Step:
    """Take a message that may ask for anything; the services are known."""
    _, rest = listening.name_told(message)
    wishes = listening.wishes_of(rest)
    zone, zone_words = zone_named(rest)
    state = _with_details(state, message)
    if zone:
        state = replace(state, zone=zone)
        rest = rest.replace(zone_words, " | ")
    found = _BOOKING_ID.fullmatch(message.strip())
    if found:
        return _look_up(state, found.group())
    for wish, follow in _WISHES.items():
        if wish in wishes and (step := follow(state, rest)) is not None:
            return step
    return _look_for_time(state, rest, is_new_zone=bool(zone))


def _look_for_time(state: State, message: str, *, is_new_zone: bool) -> Step:
    before = state
    named = listening.services_named(_without_people(state, message), state.services)
    if state.booked is not None and not _is_move(state, message):
        state = begin_anew(state)
    elif state.booked is not None:
        return _move(replace(state, goal=Goal.MOVE), message)
    if len(named) == 1 and named[0] != state.service:
        state = replace(state, service=named[0], person="", minutes=None)
    state = _with_person(state, message)
    words = _when_in(state, message)
    if words:
        state = replace(state, when=steps.on_the_day(state, words) if state.readings else words)
    changed = (state.service, state.person, state.when, state.minutes) != (
        before.service,
        before.person,
        before.when,
        before.minutes,
    )
    if changed or words or is_new_zone:
        return steps.proceed(replace(state, offers=(), readings=()))
    if state.held is not None:
        return steps.with_hold(state)
    if state.offers:
        text = f"I did not understand that.\n{sentences.offered(state.offers, more=False)}"
        return state, Say(text=text, offers=state.offers, held=state.held)
    return steps.proceed(state)


def _form(state: State, message: str) -> Step | None:
    state = replace(state, goal=Goal.FORM)
    if state.held is not None:
        return steps.form_link(state)
    return (
        _to_choice(replace(state, question=Question.CHOICE), re.sub(r"\bforms?\b", "", message))
        if (state.offers and listening.offer_chosen(message, state.offers))
        else _look_for_time(state, message, is_new_zone=False)
    )


def _wait_for_it(state: State, message: str) -> Step | None:
    state = replace(state, goal=Goal.WAIT)
    words = _when_in(state, message)
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


def _cancel(state: State, message: str) -> Step | None:
    state = replace(state, goal=Goal.CANCEL)
    found = _BOOKING_ID.search(message)
    if found:
        return _look_up(state, found.group())
    if state.booked is not None:
        return steps.ask_cancel(state)
    if state.held is not None or state.offers:
        return _stop(state, message)
    return _ask_which(state)


def _move(state: State, message: str) -> Step:
    state = replace(state, goal=Goal.MOVE, held=None, offers=(), readings=())
    found = _BOOKING_ID.search(message)
    words = time_words(_BOOKING_ID.sub(" | ", message))
    if found:
        return _look_up(replace(state, when=words), found.group())
    if state.booked is None:
        return _ask_which(replace(state, when=words))
    if words and not names_an_hour(words) and re.search(r"\bsame time\b", message, re.IGNORECASE):
        words = f"{words} at {_clock(state.booked.words)}"
    return steps.proceed(replace(state, when=words))


def _moves(state: State, message: str) -> Step | None:
    if state.booked is None and (state.held is not None or state.offers):
        return None  # Nothing is booked yet: it is only another time.
    return _move(state, message)


def _show(state: State, message: str) -> Step | None:
    found = _BOOKING_ID.search(message)
    if found:
        return _look_up(state, found.group())
    if state.booked is not None:
        return _look_up(state, state.booked.booking)
    return _ask_which(state)


def _services(state: State, message: str) -> Step | None:
    if time_words(message):
        return None
    return steps.ask(state, Question.SERVICE, sentences.which_service(state.services))


def _stop(state: State, _message: str) -> Step:
    held = " What I held for you is free again by itself." if state.held else ""
    return steps.tell(begin_anew(state), f"All right, nothing is booked.{held}")


_WISHES: Mapping[Wish, Callable[[State, str], Step | None]] = {
    Wish.STOP: _stop,
    Wish.WAIT: _wait_for_it,
    Wish.WHY: _why,
    Wish.FORM: _form,
    Wish.MOVE: _moves,
    Wish.CANCEL: _cancel,
    Wish.SHOW: _show,
    Wish.SERVICES: _services,
}
_ANSWERS: Mapping[Question, Callable[[State, str], Step]] = {
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
}


def _other_times(state: State, message: str) -> Step:
    first, last = state.offers[0].local_start, state.offers[-1].local_start
    if re.search(r"\bearlier\b", message, re.IGNORECASE):
        return steps.proceed(replace(state, when=f"{first[:10]} before {first[11:]}", readings=()))
    if re.search(r"\b(?:none|neither)\b", message, re.IGNORECASE) and not re.search(
        r"\bmore|other\b", message, re.IGNORECASE
    ):
        return steps.ask(state, Question.WHEN, "When would suit you better?")
    return steps.proceed(replace(state, when=f"{last[:10]} after {last[11:]}", readings=()))


def _with_customer(state: State) -> Step:
    if state.goal is Goal.WAIT:
        return steps.wait(state)
    return steps.with_hold(state) if state.held else steps.proceed(state)


def _with_details(state: State, message: str) -> State:
    name, _ = listening.name_told(message)
    return replace(
        state,
        name=name or state.name,
        email=listening.email_of(message) or state.email,
        phone=listening.phone_of(message) or state.phone,
    )


def _with_person(state: State, message: str) -> State:
    service = state.service_values()
    person = listening.person_named(message, service)
    if listening.anyone_will_do(message):
        person = ""
    elif not person:
        person = state.person
    minutes = listening.minutes_of(message, service.get("minutes", ())) or state.minutes
    return replace(state, person=person, minutes=minutes)


def _when_in(state: State, message: str) -> str:
    """Return the words that say when, without the names of people and services: "Stylist 1"."""
    text = listening.without_lengths(listening.email_free(message))
    for service in state.services:
        text = _without(service["name"], text)
    return time_words(_without_people(state, text))


def _without_people(state: State, text: str) -> str:
    """Return a text without the names of those with whom one books."""
    for service in state.services:
        for each in service["people"]:
            text = _without(each["name"], text)
    return text


def _without(name: str, text: str) -> str:
    return re.sub(rf"\b{re.escape(name)}\b", " | ", text, flags=re.IGNORECASE)


def _is_change(state: State, message: str) -> bool:
    """Tell whether an answer is about something else than what was asked for."""
    if re.fullmatch(r"\W*(?:stop|never ?mind|forget it|cancel)\W*", message, re.IGNORECASE):
        return True
    if listening.name_told(message)[0] or listening.email_of(message):
        return False
    asks_form = Wish.FORM in listening.wishes_of(message)
    return asks_form or bool(_CHANGES.search(message) and _asks_for_more(state, message))


def _asks_for_more(state: State, message: str) -> bool:
    return bool(
        time_words(message)
        or listening.services_named(message, state.services)
        or listening.person_named(message, state.service_values())
    )


def _is_move(state: State, message: str) -> bool:
    named = listening.services_named(message, state.services)
    if Wish.ANOTHER_BOOKING in listening.wishes_of(message):
        return False
    return not named or named == (state.service,)


def _look_up(state: State, booking: str) -> Step:
    if not state.zone:
        state = replace(state, heard=booking)
        return steps.ask(state, Question.ZONE, "In which city are you? Then I look it up.")
    return steps.call(state, "get_booking", booking=booking.lower(), time_zone=state.zone)


def _ask_which(state: State) -> Step:
    return steps.ask(
        state, Question.BOOKING, "Which appointment is it? Its id is in the confirmation."
    )


def _clock(words: str) -> str:
    return next(iter(clock_of(words)), "")
