"""What follows from what a tool answers. Pure: a state and an answer, to a state and a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from slotcast_chat.assistant import sentences, steps
from slotcast_chat.assistant.naming import names_unknown
from slotcast_chat.assistant.refusals import refuse
from slotcast_chat.assistant.standing import ask_which, speak_of_meant, to_its_day
from slotcast_chat.assistant.state import (
    Answer,
    Booked,
    Call,
    Content,
    Goal,
    Held,
    Offer,
    Question,
    Reading,
    Say,
    State,
    Step,
)
from slotcast_chat.assistant.time_words import clock_of, words_of
from slotcast_chat.assistant.wishes import understand

STANDING = frozenset({"CONFIRMED", "PENDING"})
_SPANS = words_of("after before between from or around about until till by past than not")


def learn(state: State, call: Call, answer: Answer) -> Step:
    """Take the answer of the tool that was called."""
    if answer.is_refusal:
        heard = "" if call.tool == "get_booking" else state.heard
        return refuse(replace(state, heard=heard, only_told=False), call, answer)
    return _TOLD[call.tool](state, answer.content)


def booked_elsewhere(state: State, booked: Booked) -> Step:
    """Take it that the form has booked."""
    text = f"The form has booked it. {sentences.booked(booked, state.name or 'you')}"
    state = steps.with_booked(state, booked)
    state = replace(state, held=None, offers=(), readings=(), goal=Goal.BOOK)
    return steps.tell(state, text, booked=booked)


def offer_of(values: Content) -> Offer:
    """Return an open time as it is offered."""
    people = tuple((each["person"], each["time"]) for each in values["with_whom"])
    return Offer(values["time"], values["time_in_words"], people, values.get("reading", 1))


def held_of(values: Content) -> Held:
    """Return what was held."""
    return Held(
        values["hold"], values["time_in_words"], values["held_until"], dict(values["to_confirm"])
    )


def _listed(state: State, content: Content) -> Step:
    business = {name: content[name] for name in ("business", "location", "phone")}
    message = state.heard
    state = replace(state, services=tuple(content["services"]), business=business, heard="")
    return understand(state, message) if message else steps.proceed(state)


def _found(state: State, content: Content) -> Step:
    readings = tuple(
        Reading(each["reading"], each["words"], tuple(each["windows"]))
        for each in content["readings"]
    )
    offers = tuple(sorted(map(offer_of, content["times"]), key=_start))
    day = steps.day_looked_at(readings)
    state = replace(state, readings=readings, offers=offers, day=day)
    if state.goal is Goal.WAIT:
        return steps.wait(state)
    if len(readings) > 1 and len({reading.windows for reading in readings}) > 1 and offers:
        return steps.ask(state, Question.READING, sentences.which_reading(readings))
    if not offers:
        return steps.ask(state, Question.ANOTHER_TIME, sentences.nothing_open(readings))
    exact = _exactly(state.when, offers)
    if exact is not None:
        return steps.hold_offer(state, exact)
    state = replace(state, question=Question.CHOICE)
    missed = _missed(state.when, offers)
    text = f"{missed}{sentences.offered(offers, bool(content['more']))}"
    return state, Say(text=text, offers=offers, held=state.held)


def _held(state: State, content: Content) -> Step:
    held = held_of(content)
    before = state.held
    state = replace(state, held=held)
    if state.held_again and before is not None and before.to_confirm == held.to_confirm:
        # The person has said yes to exactly this, in this turn.
        return steps.book(state)
    return steps.with_hold(state)


def _booked(state: State, content: Content) -> Step:
    booked = booking_of(content)
    state = steps.with_booked(state, booked)
    state = replace(state, held=None, offers=(), readings=(), goal=Goal.BOOK, when="", day="")
    text = sentences.booked(booked, state.name)
    if state.for_two:
        state = replace(state, for_two=False, question=Question.SECOND)
        return state, Say(text=f"{text}\n{steps.asked_again(state)}", booked=booked)
    return steps.tell(replace(state, beside=""), text, booked=booked)


def _moved(state: State, content: Content) -> Step:
    booked = booking_of(content)
    state = steps.with_booked(state, booked)
    state = replace(state, held=None, offers=(), readings=(), goal=Goal.BOOK, when="", day="")
    return steps.tell(state, f"Moved. {sentences.stands(booked)}", booked=booked)


def _cancelled(state: State, content: Content) -> Step:
    booked = booking_of(content)
    state = steps.without_booked(state, booked.booking)
    return steps.tell(state, f"Cancelled: {booked.service}, {booked.words}.", booked=booked)


def _looked_up(state: State, content: Content) -> Step:
    message, only_told = state.heard, state.only_told
    state = replace(state, heard="", only_told=False)
    if "bookings" in content:
        bookings = tuple(map(booking_of, content["bookings"]))
        is_under_way = only_told and state.goal in {Goal.CANCEL, Goal.MOVE}
        if is_under_way and any(each.status in STANDING for each in bookings):
            return _only_told(state, bookings)
        if only_told and state.goal in {Goal.CANCEL, Goal.MOVE}:
            state = replace(state, goal=Goal.BOOK)
        return _all_looked_up(state, bookings, message)
    booked = booking_of(content)
    if only_told:
        return _only_told(state, (booked,))
    if booked.status not in STANDING:
        return steps.tell(steps.without_booked(state, booked.booking), sentences.stands(booked))
    return _spoken_of(state, booked)


def _only_told(state: State, bookings: tuple[Booked, ...]) -> Step:
    """Tell of bookings, and go on with what is under way."""
    standing = tuple(each for each in bookings if each.status in STANDING) or bookings
    return steps.asked_after(state, sentences.all_booked(standing))


def _spoken_of(state: State, booked: Booked, before: str = "") -> Step:
    """Go on with a booking that stands, as is wanted of it."""
    service = next(
        (each["service"] for each in state.services if each["name"] == booked.service), ""
    )
    state = replace(steps.with_booked(state, booked), service=service or state.service)
    if state.goal is Goal.CANCEL:
        return steps.ask_cancel(state, before)
    if state.goal is Goal.MOVE:
        return to_its_day(state)
    return steps.tell(state, sentences.stands(booked), booked=booked)


def _all_looked_up(state: State, bookings: tuple[Booked, ...], message: str) -> Step:
    """Take all that the conversation has booked; what stands is spoken of from now on."""
    standing = tuple(each for each in bookings if each.status in STANDING)
    if not standing and state.goal in {Goal.CANCEL, Goal.MOVE}:
        return ask_which(state)
    if not standing and state.is_at_the_form:
        assert state.held is not None
        text = f"The form has not booked it yet. {sentences.at_the_form(state.held)}"
        return steps.tell(state, text, held=state.held)
    if not standing:
        ended = f"{sentences.all_booked(bookings)}\n" if bookings else ""
        text = f"{ended}Nothing is booked in this conversation now. For another appointment, I need"
        state = replace(state, booked=None, earlier=())
        return steps.ask(state, Question.BOOKING, f"{text} its id: it is in the confirmation.")
    spoken_of = state.booked.booking if state.booked else ""
    *earlier, last = sorted(standing, key=lambda each: each.booking == spoken_of)
    state = steps.with_booked(replace(state, booked=None, earlier=tuple(earlier)), last)
    if state.goal in {Goal.CANCEL, Goal.MOVE}:
        before = "I know of no such appointment here.\n" if names_unknown(state, message) else ""
        state = speak_of_meant(state, message)
        assert state.booked is not None
        return _spoken_of(state, state.booked, before)
    if state.held is not None and not state.is_at_the_form:
        return steps.asked_after(state, sentences.all_booked(standing))
    return steps.tell(state, sentences.all_booked(standing), booked=last)


def _waiting(state: State, content: Content) -> Step:
    if content.get("held"):
        held = held_of(content["held"])
        state, action = steps.with_hold(replace(state, held=held, goal=Goal.BOOK))
        if isinstance(action, Say):
            action = replace(action, text=f"{sentences.NOTHING_TO_WAIT_FOR}\n{action.text}")
        return state, action
    when = sentences.listed(content["windows_in_words"])
    state = replace(state, goal=Goal.BOOK, when="")
    where = " You are told by e-mail." if state.email else ""
    return steps.tell(state, f"You are on the waitlist for {when}.{where}")


def _explained(state: State, content: Content) -> Step:
    if content["bookable"]:
        offer = Offer(content["time"], content["time_in_words"])
        state = replace(state, offers=(offer,), question=Question.CHOICE)
        text = f"That time is open now.\n{sentences.offered((offer,), more=False)}"
        return state, Say(text=text, offers=(offer,), held=state.held)
    offers = tuple(map(offer_of, content["alternatives"]))[: steps.OFFERS_MAX]
    text = sentences.explained(content)
    if not offers:
        return steps.ask(state, Question.WHEN, f"{text}\nWhen else would suit you?")
    state = replace(state, offers=offers, question=Question.CHOICE)
    text = f"{text}\nOpen near it:\n{sentences.offered(offers, more=False)}"
    return state, Say(text=text, offers=offers, held=state.held)


def _linked(state: State, content: Content) -> Step:
    held = held_of(content)
    state = replace(state, held=held, goal=Goal.BOOK, handed_over=held.hold)
    text = (
        f"Here is the form, with what I know filled in. {sentences.held_for_you(held)}"
        f" The link opens for one person:\n{content['link']}"
    )
    return steps.tell(state, text, link=content["link"], held=held)


_TOLD: Mapping[str, Callable[[State, Any], Step]] = {
    "list_services": _listed,
    "find_times": _found,
    "hold_time": _held,
    "book": _booked,
    "reschedule": _moved,
    "cancel": _cancelled,
    "get_booking": _looked_up,
    "join_waitlist": _waiting,
    "explain_time": _explained,
    "make_booking_form_link": _linked,
}


def booking_of(content: Content) -> Booked:
    """Return a booking as it was told."""
    return Booked(
        content["booking"],
        content["version"],
        content["time_in_words"],
        content["service"],
        content["person"],
        content["status"],
    )


def _start(offer: Offer) -> datetime:
    return datetime.fromisoformat(offer.time.split("|")[2])


def _exactly(when: str, offers: tuple[Offer, ...]) -> Offer | None:
    """Return the one offer that starts at the minute that was asked for."""
    if _SPANS & set(when.lower().split()):
        return None
    clocks = clock_of(when)
    exact = [offer for offer in offers if offer.local_start[11:] in clocks]
    return exact[0] if len(exact) == 1 else None


def _missed(when: str, offers: tuple[Offer, ...]) -> str:
    clocks = clock_of(when)
    if not clocks or _SPANS & set(when.lower().split()):
        return ""
    if any(offer.local_start[11:] in clocks for offer in offers):
        return ""
    return "That very time is not open. Near it:\n"
