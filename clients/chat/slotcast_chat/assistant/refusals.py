"""What follows from a refusal: something else is offered, or asked for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from slotcast_chat.assistant import sentences, steps
from slotcast_chat.assistant.state import (
    Answer,
    Call,
    Content,
    Goal,
    Held,
    Offer,
    Question,
    Say,
    State,
    Step,
)

_LOST = frozenset(
    {
        "SLOT_TAKEN",
        "SLOT_CLOSED",
        "SLOT_OFF_GRID",
        "NOTICE_TOO_SHORT",
        "BEYOND_HORIZON",
        "CAP_REACHED",
    }
)
_UNCLEAR = frozenset({"TIME_NOT_UNDERSTOOD", "DATE_DOES_NOT_EXIST", "TIME_HAS_PASSED"})
_ASKS = {
    "TIME_NOT_UNDERSTOOD": "I did not understand when. Which day, and about what time?",
    "DATE_DOES_NOT_EXIST": "There is no such date. Which day do you mean?",
    "TIME_HAS_PASSED": "That time has passed. When else would suit you?",
}


def refuse(state: State, call: Call, answer: Answer) -> Step:
    """Take a refusal of the tool that was called."""
    content, reason = answer.content, answer.reason
    if reason in _UNCLEAR:
        state = replace(state, when="", offers=() if call.tool == "find_times" else state.offers)
        return steps.ask(state, Question.WHEN, _ASKS[reason])
    if reason in _LOST:
        return _lost(state, content)
    follow = _REASONS.get(reason)
    if follow is not None:
        return follow(state, call, content)
    text = f"{sentences.sentence(content['message'])} {_where_to_turn(state)}"
    return steps.ask(state, Question.NOTHING, text)


def unanswered(state: State, call: Call) -> Step:
    """Take it that no answer came, however often it was tried."""
    text = (
        "I got no answer, and so I do not know whether it is done. I find out with your next"
        " message: it is done once at most. If you do not want it any more, tell me so."
    )
    return replace(state, called=call), Say(text=text, held=state.held)


def _lost(state: State, content: Content) -> Step:
    """Offer others; the first of them may be held already."""
    values = content.get("held")
    held = _held(values) if values else None
    offers = tuple(
        Offer(
            each["time"],
            each["time_in_words"],
            tuple((who["person"], who["time"]) for who in each["with_whom"]),
        )
        for each in content.get("alternatives", ())
    )[: steps.OFFERS_MAX]
    state = replace(state, held=held, offers=offers, readings=(), held_again=False)
    text = sentences.sentence(content["message"])
    if held is not None:
        offers = _with_held_first(held, offers)
        others = "".join(
            f"\n{sentences.offer_line(number, offer)}"
            for number, offer in enumerate(offers[1:], start=2)
        )
        also = f"\nAlso open:{others}" if others else ""
        text = (
            f"{text} Instead, I hold this for you:\n1. {sentences.held_for_you(held)}{also}\n"
            "Shall I take the first, or another?"
        )
    elif offers:
        text = f"{text} Open instead:\n{sentences.offered(offers, more=False)}"
    else:
        return steps.ask(
            replace(state, when=""), Question.WHEN, f"{text} When else would suit you?"
        )
    state = replace(state, offers=offers, question=Question.CHOICE)
    return state, Say(text=text, offers=offers, held=held)


def _with_held_first(held: Held, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    start = held.time.split("|")[2]
    others = tuple(offer for offer in offers if offer.time.split("|")[2] != start)
    return (Offer(held.time, held.words), *others)


def _held(values: Content) -> Held:
    return Held(
        values["hold"], values["time_in_words"], values["held_until"], dict(values["to_confirm"])
    )


def _hold_ended(state: State, call: Call, content: Content) -> Step:
    """Hold the same anew, once: the slot may be free still. What a form has is left to it."""
    if state.is_at_the_form:
        return steps.at_the_form(state)
    if state.held is None or state.held_again:
        text = f"{sentences.sentence(content['message'])} When would suit you?"
        return steps.ask(replace(state, held=None, when=""), Question.WHEN, text)
    time = state.held.time
    return steps.hold(replace(state, held_again=call.tool in {"book", "reschedule"}), time)


def _not_agreed(state: State, _call: Call, content: Content) -> Step:
    """Tell what it really is, and ask again."""
    really = content.get("to_confirm")
    if state.held is None or not really:
        return steps.ask(
            state, Question.WHEN, f"{sentences.sentence(content['message'])} When would suit you?"
        )
    state = replace(state, held=replace(state.held, to_confirm=dict(really)))
    text = f"It is not quite what I told you.\n{sentences.summed_up(state)}"
    return steps.ask(state, Question.BOOK, text)


def _invalid(state: State, _call: Call, content: Content) -> Step:
    field = str(content.get("field", ""))
    if "email" in field:
        state = replace(state, email="")
        return steps.ask(
            state, Question.EMAIL, "That e-mail address does not work. What is it? Or say no."
        )
    if "phone" in field:
        return steps.with_hold(replace(state, phone="")) if state.held else steps.proceed(state)
    if "name" in field:
        return steps.ask(replace(state, name=""), Question.NAME, "What is your name?")
    if "time_zone" in field:
        return steps.ask(replace(state, zone=""), Question.ZONE, "In which city are you?")
    text = f"{sentences.sentence(content['message'])} Which day and time would suit you?"
    return steps.ask(replace(state, when="", offers=()), Question.WHEN, text)


def _changed_since(state: State, call: Call, _content: Content) -> Step:
    if state.booked is None:
        return steps.ask(state, Question.BOOKING, "Which appointment is it? What is its id?")
    goal = Goal.CANCEL if call.tool == "cancel" else state.goal
    return steps.call(
        replace(state, goal=goal),
        "get_booking",
        booking=state.booked.booking,
        time_zone=state.zone,
    )


def _not_found(state: State, call: Call, content: Content) -> Step:
    if call.tool in {"get_booking", "cancel", "reschedule"}:
        text = "There is no such appointment. What is its id? It is in the confirmation."
        return steps.ask(replace(state, booked=None), Question.BOOKING, text)
    if call.tool in {"find_times", "explain_time"}:
        state = replace(state, service="", person="", services=())
        return steps.proceed(state)
    return _hold_ended(state, call, content)


def _handed_over(state: State, _call: Call, content: Content) -> Step:
    if state.held is not None:
        return steps.at_the_form(replace(state, handed_over=state.held.hold))
    return steps.tell(state, f"{sentences.sentence(content['message'])} Please finish there.")


def _no_form(state: State, _call: Call, content: Content) -> Step:
    """Book here, where there is no form to send the person to."""
    values = content.get("held")
    held = _held(values) if values else state.held
    state = replace(state, goal=Goal.BOOK, held=held, has_no_form=True)
    if state.held is None:
        return steps.proceed(state)
    state, action = steps.with_hold(state)
    if isinstance(action, Say):
        action = replace(action, text=f"There is no form that I could send you. {action.text}")
    return state, action


def _already_booked(state: State, _call: Call, content: Content) -> Step:
    text = re.sub(r"\s*\[booking:[^\]]*\]", "", content["message"])
    state = replace(state, held=None, offers=(), readings=(), when="")
    return steps.tell(
        state,
        f"{sentences.sentence(text)} I do not book it a second time, unless you want a second one"
        " beside it.",
    )


_REASONS: Mapping[str, Callable[[State, Call, Content], Step]] = {
    "HOLD_ENDED": _hold_ended,
    "CONSENT_MISMATCH": _not_agreed,
    "INVALID_REQUEST": _invalid,
    "VERSION_MISMATCH": _changed_since,
    "RESOURCE_NOT_FOUND": _not_found,
    "HANDED_OVER": _handed_over,
    "ALREADY_BOOKED": _already_booked,
    "FORM_ADDRESS_UNKNOWN": _no_form,
}


def _where_to_turn(state: State) -> str:
    business = state.business or {}
    phone = business.get("phone")
    return (
        f"Please ask the business: {phone}."
        if phone
        else "Please ask the business, or try otherwise."
    )
