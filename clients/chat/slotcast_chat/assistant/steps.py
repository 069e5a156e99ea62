"""What comes next in a conversation, given what is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from slotcast_chat.assistant import sentences
from slotcast_chat.assistant.state import (
    Booked,
    Call,
    Goal,
    Offer,
    Question,
    Reading,
    Say,
    State,
    Step,
)
from slotcast_chat.assistant.time_words import names_a_day

OFFERS_MAX = 4
CANCEL_ASKED = "Shall I cancel this appointment?"
OPEN_THEN = "This was open when I looked:"
_ASKED = {
    Question.ZONE: "In which city are you? I tell all times in your time zone.",
    Question.WHEN: "When would it suit you?",
    Question.ANOTHER_TIME: "Shall I look at another time, or put you on the waitlist?",
    Question.NAME: "What is your name?",
    Question.EMAIL: "What is your e-mail address? Say no if you do not want one.",
    Question.BOOKING: "Which appointment is it? Its id is in the confirmation.",
    Question.SECOND: "Shall I look for a second one at the same time?",
}


def ask(state: State, question: Question, text: str) -> Step:
    """Ask the person something."""
    return replace(state, question=question), Say(text=text, held=state.held)


def tell(state: State, text: str, **more: Any) -> Step:
    """Tell the person something, and wait for what they say."""
    return replace(state, question=Question.NOTHING), Say(text=text, **more)


def call(state: State, tool: str, **arguments: object) -> Step:
    """Call a tool; arguments that are empty are left out."""
    given = {name: value for name, value in arguments.items() if value not in ("", None)}
    return state, Call(tool, given)


def in_turn(state: State) -> dict[str, object]:
    """Return what every call that changes something has."""
    return {"conversation": state.conversation, "turn": state.turn}


def asked_again(state: State) -> str:
    """Return once more what was asked last."""
    asked = state.question
    if asked is Question.CHOICE and state.offers:
        return f"{OPEN_THEN}\n{sentences.offered(state.offers, more=False)}"
    if asked is Question.READING:
        return sentences.which_reading(state.readings)
    if asked is Question.BOOK and state.held is not None:
        return sentences.summed_up(state)
    if asked is Question.CANCEL and state.booked is not None:
        return f"{CANCEL_ASKED}\n{sentences.stands(state.booked)}"
    if asked is Question.SERVICE:
        return sentences.which_service(state.services)
    return _ASKED.get(asked, "")


def asked_after(state: State, text: str) -> Step:
    """Say something, and ask once more what was asked last."""
    offers = state.offers if state.question is Question.CHOICE else ()
    return state, Say(text=f"{text}\n{asked_again(state)}".strip(), offers=offers, held=state.held)


def begin_anew(state: State) -> State:
    """Return the state for another appointment of the same person."""
    return State(
        conversation=state.conversation,
        zone=state.zone,
        turn=state.turn,
        services=state.services,
        business=state.business,
        name=state.name,
        email=state.email,
        phone=state.phone,
        email_asked=state.email_asked,
        has_no_form=state.has_no_form,
        earlier=state.all_booked,
    )


def with_booked(state: State, booked: Booked | None) -> State:
    """Return the state with what is booked now; what was booked before stays known."""
    name = booked.booking if booked else ""
    earlier = tuple(each for each in state.all_booked if each.booking != name)
    return replace(state, booked=booked, earlier=earlier)


def without_booked(state: State, booking: str) -> State:
    """Return the state without a booking that stands no longer."""
    earlier = tuple(each for each in state.all_booked if each.booking != booking)
    return given_up(replace(state, booked=None, earlier=earlier))


def given_up(state: State) -> State:
    """Return the state once all is given up that is not booked; the last booking is spoken of."""
    anew = begin_anew(state)
    if not anew.earlier:
        return anew
    booked = anew.earlier[-1]
    service = next(
        (each["service"] for each in state.services if each["name"] == booked.service), ""
    )
    return replace(anew, earlier=anew.earlier[:-1], booked=booked, service=service)


def proceed(state: State) -> Step:
    """Ask for what is missing for a time; with all of it, look for times."""
    if not state.services:
        return call(state, "list_services")
    if not state.service and len(state.services) == 1:
        state = replace(state, service=state.services[0]["service"])
    if not state.service:
        return ask(state, Question.SERVICE, sentences.which_service(state.services))
    if not state.zone:
        return ask(
            state,
            Question.ZONE,
            _ASKED[Question.ZONE],
        )
    if not state.when:
        return ask(state, Question.WHEN, _ASKED[Question.WHEN])
    return find(state)


def find(state: State) -> Step:
    """Look for times."""
    return call(
        state,
        "find_times",
        service=state.service,
        when=state.when,
        time_zone=state.zone,
        person=state.person,
        minutes=state.minutes,
        conversation=state.conversation,
        limit=OFFERS_MAX,
    )


def hold(state: State, time: str) -> Step:
    """Hold a time, instead of the one that was held before."""
    return call(
        state,
        "hold_time",
        time=time,
        time_zone=state.zone,
        instead_of=state.held.hold if state.held and state.held.time != time else "",
        **in_turn(state),
    )


def hold_offer(state: State, offer: Offer) -> Step:
    """Hold an offered time, with the person that is wanted."""
    time = next(
        (time for _, time in offer.people if time.split("|")[1] == state.person), offer.time
    )
    if state.held is not None and time == state.held.time:
        return with_hold(state)
    return hold(state, time)


def with_hold(state: State) -> Step:
    """Go on with a time that is held: to the form, or to the yes."""
    assert state.held is not None
    if state.goal is Goal.FORM:
        return form_link(state)
    if state.is_at_the_form:
        return at_the_form(state)
    if state.goal is Goal.MOVE and state.booked is not None:
        return ask(state, Question.BOOK, sentences.summed_up(state))
    missing = ask_customer(state, f"{sentences.held_for_you(state.held)}\n")
    return missing or ask(state, Question.BOOK, sentences.summed_up(state))


def at_the_form(state: State) -> Step:
    """Say that the form has the time: it is not held or booked beside it."""
    assert state.held is not None
    text = sentences.at_the_form(state.held)
    return tell(replace(state, goal=Goal.BOOK), text, held=state.held)


def ask_customer(state: State, before: str) -> Step | None:
    """Ask for the name or the address, where they are missing."""
    if not state.name:
        asked = "What is your name, and your e-mail address for the confirmation?"
        if state.email or state.email_asked:
            asked = "What is your name?"
        return ask(state, Question.NAME, before + asked)
    if not state.email and not state.email_asked:
        state = replace(state, email_asked=True)
        return ask(
            state,
            Question.EMAIL,
            "What is your e-mail address, for the confirmation? Say no if you do not want one.",
        )
    return None


def customer(state: State) -> dict[str, str]:
    """Return who comes, as a tool is told."""
    known = {"name": state.name, "email": state.email, "phone": state.phone}
    return {name: value for name, value in known.items() if value}


def book(state: State) -> Step:
    """Do what the person has just said yes to."""
    assert state.held is not None
    if state.is_at_the_form:
        return at_the_form(state)
    if state.goal is Goal.MOVE and state.booked is not None:
        return call(
            state,
            "reschedule",
            booking=state.booked.booking,
            version=state.booked.version,
            to=state.held.hold,
            confirmed=state.held.to_confirm,
            **in_turn(state),
        )
    return call(
        state,
        "book",
        hold_or_time=state.held.hold,
        confirmed=state.held.to_confirm,
        customer=customer(state),
        another=True if state.beside else None,
        **in_turn(state),
    )


def form_link(state: State) -> Step:
    """Ask for a link to the form, with what is known filled in."""
    assert state.held is not None
    known = [
        {"name": name, "value": value, "said": True} for name, value in customer(state).items()
    ]
    return call(
        state,
        "make_booking_form_link",
        hold_or_time=state.held.hold,
        time_zone=state.zone,
        known=known,
        **in_turn(state),
    )


def wait(state: State) -> Step:
    """Put the person on the waitlist for what was looked for, once it is known who they are."""
    if not state.readings:
        return proceed(state)
    missing = ask_customer(state, "")
    if missing:
        return missing
    if not state.email:
        text = "Then I cannot put you on the waitlist: it tells you by e-mail. When else?"
        return ask(replace(state, goal=Goal.BOOK, email_asked=False), Question.WHEN, text)
    windows = [window for reading in state.readings for window in reading.windows][:10]
    return call(
        state,
        "join_waitlist",
        service=state.service,
        windows=windows,
        time_zone=state.zone,
        customer=customer(state),
        person=state.person,
        minutes=state.minutes,
        **in_turn(state),
    )


def ask_cancel(state: State, before: str = "") -> Step:
    """Ask whether to cancel the booking that is known."""
    assert state.booked is not None
    text = f"{before}{CANCEL_ASKED}\n{sentences.stands(state.booked)}"
    return ask(state, Question.CANCEL, text)


def on_the_day(state: State, words: str) -> str:
    """Return the words for a time, with the day that was spoken of where they name none."""
    if names_a_day(words):
        return words
    days = {offer.local_start[:10] for offer in state.offers}
    if not days:
        days = _days_of(state.readings)
    if state.held is not None:
        days = {state.held.time.split("|")[2][:10]}
    days = days or ({state.day} if state.day else set())
    return f"{next(iter(days))} {words}" if len(days) == 1 else f"{state.when} {words}".strip()


def day_looked_at(readings: Sequence[Reading]) -> str:
    """Return the one day that was looked at; empty: there were several."""
    days = _days_of(readings)
    return days.pop() if len(days) == 1 else ""


def _days_of(readings: Sequence[Reading]) -> set[str]:
    return {window[:10] for reading in readings for window in reading.windows}
