"""What is said beside the matter: a greeting, thanks, anger, what it costs. Pure.

Nothing changes by it: it is answered, and what was asked is asked again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from slotcast_chat.assistant import listening, sentences, steps
from slotcast_chat.assistant.details import service_of
from slotcast_chat.assistant.state import Question, State, Step
from slotcast_chat.assistant.time_words import time_words, words_of

_UNCLEAR = "I did not understand that. I can move or cancel your appointment, or book another one."
_STANDS = "All right. If you want to move it or to cancel it, or another one, tell me."
_ASKS_TO_BOOK = re.compile(
    r"\b(?:book\w*|appointments?|free|open|available|availability|slots?|times?|come|reserv\w+"
    r"|schedule|visit|squeeze|fit|see|when|which day)\b",
    re.IGNORECASE,
)
ASIDE_MAX = 200
"""A longer message says more than that."""


class Aside(StrEnum):
    """What a message may say beside the matter."""

    THANKS = "THANKS"
    GREETING = "GREETING"
    GOODBYE = "GOODBYE"
    SIGNS = "SIGNS"
    HELP = "HELP"
    WHO = "WHO"
    HUMAN = "HUMAN"
    PEOPLE = "PEOPLE"
    HELD = "HELD"
    PRICE = "PRICE"
    LENGTH = "LENGTH"
    PLACE = "PLACE"
    HOURS = "HOURS"
    ANGER = "ANGER"
    LANGUAGE = "LANGUAGE"
    FOREIGN = "FOREIGN"


_PRAISE = (
    r"(?:that(?:'s| is)|it(?:'s| is)|you(?:'re| are)|this is)?\W*(?:so |very |really |just )?"
    r"(?:great|perfect|wonderful|lovely|good|nice|awesome|excellent|brilliant|amazing|super|cool"
    r"|fantastic|kind|helpful|the best|ok|okay|all)(?: news| job)?"
)
_THANKS = r"(?:many |a million )?(?:thanks|thank you|thx|ty|cheers|much appreciated)"
_THANKS_MORE = r"(?: a lot| so much| very much| a million| for (?:that|everything|your help))?"
_HELLO = (
    r"(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening|day)|greetings)"
    r"(?: there| again| everyone)?"
)
_HOW = r"(?:how are (?:you|things)(?: doing)?(?: today)?|how is it going|how's it going|what's up)"
_SEE_YOU = r"see you(?: (?:then|there|soon|later|again|tomorrow|(?:on |next )?\w+day))?"
_BYE = (
    rf"(?:good ?bye|bye(?: bye)?|{_SEE_YOU}|that(?:'s| is| was) (?:all|it)|nothing (?:else|more)"
    r"|have a (?:nice|good|great|lovely) (?:day|evening|weekend|one))"
)
_LANGUAGES = (
    r"german|deutsch|spanish|español|french|français|italian|italiano|portuguese|dutch"
    r"|polish|turkish|russian|ukrainian|arabic|chinese|japanese|hindi|other languages?"
)
_FOREIGN = words_of(
    """
    ich möchte moechte würde brauche hätte einen eine einem termin bitte guten heute morgen
    übermorgen für uhr nicht können könnte buchen danke vormittag nachmittag sprechen deutsch
    montag dienstag mittwoch donnerstag freitag samstag sonntag
    quiero quisiera necesito una cita mañana hola gracias reservar puedo habla español favor
    hoy lunes martes miércoles jueves viernes sábado domingo buenos buenas
    je voudrais rendez-vous demain bonjour merci prendre parlez français aujourd'hui
    lundi mardi mercredi jeudi vendredi samedi dimanche
    vorrei appuntamento prenotare domani buongiorno grazie parla italiano
    quero gostaria marcar amanhã obrigado obrigada
    graag afspraak maken morgen wil
    """
)
_FOREIGN_ALONE = words_of("ja nein bitte danke sí si oui non hola gracias bonjour merci grazie")
"""One of these says little beside other words."""
_WHOLE = {
    Aside.THANKS: rf"(?:(?:{_PRAISE})\W*)?(?:oh\W+)?{_THANKS}{_THANKS_MORE}(?:\W*{_PRAISE})*",
    Aside.GREETING: rf"{_HELLO}(?:\W+{_HOW})?|(?:so\W+)?{_HOW}",
    Aside.GOODBYE: rf"(?:(?:ok|okay|no|{_THANKS})\W+)*{_BYE}(?:\W+{_BYE}|\W+{_THANKS})*",
    Aside.HELP: r"(?:please )?help(?: me)?(?: please)?|i need help|i(?: am|'m) lost",
}
_PARTS = {
    Aside.HOURS: (
        r"(?:opening|business|office|working) (?:hours|times)"
        r"|(?:when|what time|how late|until when)"
        r" (?:do|are|is|does) (?:you|it|the \w+) (?:open|clos)\w*|are you open\W*$"
    ),
    Aside.HELP: (
        r"what can you do|how (?:does|do) (?:this|it|i|you) (?:work|book)|what can i say"
        r"|how (?:do|can|would) i (?:cancel|move|change|reschedule)\b"
        r"|(?:can|could) you help me\W*$"
    ),
    Aside.WHO: (
        r"who (?:are|r) you|what are you|what(?:'s| is) your name"
        r"|are you (?:a |an |really )*(?:robot|bot|human|person|machine|computer|ai|real|there)"
        r"|am i (?:talking|speaking|chatting) (?:to|with)"
    ),
    Aside.HUMAN: (
        r"(?:speak|talk|chat) (?:to|with) (?:a |an |some |the )?"
        r"(?:human|person|real|somebody|someone|staff|agent|manager|owner|boss)"
        r"|(?:phone|telephone) number\b.*\?|can i (?:call|phone|ring)(?: you)?"
    ),
    Aside.PEOPLE: (
        r"who(?:'s| is| are)? (?:there|here|working|available|all there)\b|who works"
        r"|who (?:do|can|could) (?:you|i) (?:have|book|choose|pick|see)|who (?:does|is doing)\b"
        r"|who(?:'s| is| will)? (?:it|this|that|be)\b.*\bwith|which (?:people|stylists?|persons?)"
        r"|with whom|who (?:will|would|is going to) (?:do|cut|see|be)"
    ),
    Aside.HELD: (
        r"(?:how long|until when|till when|when)\b.*\b(?:held|hold|keep|kept|reserved)"
        r"|(?:is|do you) (?:it |that )?(?:still )?(?:held|hold|have it|holding|keep)"
        r"|still (?:held|mine|reserved)"
    ),
    Aside.PRICE: r"how much|(?:what|the) (?:are|is|'s)?\s*(?:the |your )?(?:prices?|costs?)\b"
    r"|what (?:does|will|would|do) (?:it|that|this|they|a|the)\b.*\bcosts?\b|^\W*prices?\W*$"
    r"|is it (?:expensive|free)\W*$",
    Aside.LENGTH: r"how long (?:is|does|will|would|do)\b",
    Aside.PLACE: (
        r"where (?:are you|is (?:it|that|the)|do i (?:go|have to go|come))|(?:your|the) address"
        r"|how do i (?:get|find)"
    ),
    Aside.LANGUAGE: (
        r"(?:do|can|could) (?:you|we) (?:also )?(?:speak|understand|write|talk|chat|do)"
        rf" (?:in )?(?:any |an)?(?:{_LANGUAGES})|(?:what|which) languages?|in (?:{_LANGUAGES})\W*$"
        rf"|i (?:only )?speak (?:only )?(?:{_LANGUAGES})"
    ),
    Aside.ANGER: (
        r"ridiculous|useless|stupid|idiot\w*|terrible|awful|f+u+c+k\w*|sh[i1]t\w*|damn|annoy\w+"
        r"|frustrat\w+|scam|the worst|pathetic|angry|furious|fed up|hate (?:this|you|it)"
        r"|waste of time|for ?ever|not (?:listening|helpful)|don't listen|nonsense|crap"
    ),
}
_NAMES_NO_TIME = frozenset({Aside.SIGNS, Aside.HOURS, Aside.FOREIGN, *_WHOLE})
_WHOLE_COMPILED = {
    aside: re.compile(rf"\W*(?:{pattern})\W*", re.IGNORECASE) for aside, pattern in _WHOLE.items()
}
_PARTS_COMPILED = {
    aside: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
    for aside, pattern in _PARTS.items()
}


def aside_of(message: str) -> Aside | None:
    """Return what a message says beside the matter; None: it is about the matter."""
    text = " ".join(message.replace("\u2019", "'").split())
    if len(text) > ASIDE_MAX:
        return None
    if not re.search(r"\w", text):
        return Aside.SIGNS
    if _is_foreign(text):
        return Aside.FOREIGN
    for aside, pattern in _WHOLE_COMPILED.items():
        if pattern.fullmatch(text):
            return aside
    return next((each for each, pattern in _PARTS_COMPILED.items() if pattern.search(text)), None)


def _is_foreign(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:[-'][^\W\d_]+)*", listening.email_free(text).casefold())
    is_alone = len(words) == 1 and words[0] in _FOREIGN_ALONE
    return is_alone or len(_FOREIGN & set(words)) > 1


def answer_aside(state: State, message: str) -> Step | None:
    """Answer what is said beside the matter, and ask again what was asked; None: it is none."""
    aside = aside_of(message)
    if aside is None or not state.services:
        return None
    if state.question is Question.NAME and aside in {Aside.ANGER, Aside.FOREIGN}:
        return None  # What is typed as a name is a name.
    if aside is Aside.FOREIGN and listening.name_told(message)[0]:
        return None
    if aside not in _NAMES_NO_TIME and _is_about_the_matter(message):
        return None
    if aside in {Aside.GREETING, Aside.HELP} and _is_new(state):
        return steps.ask(state, Question.SERVICE, _ANSWERS[aside](state, message))
    return steps.asked_after(state, _ANSWERS[aside](state, message))


def cannot_tell(state: State, message: str) -> Step:
    """Say that a message was not understood, and ask again what was asked."""
    if message.rstrip().endswith("?"):
        text = f"I cannot tell you that: I only know of times and bookings. {_turn_to(state)}"
    elif state.question is Question.NOTHING and state.booked is not None:
        text = _STANDS if listening.is_yes(message) or listening.is_no(message) else _UNCLEAR
    else:
        text = "I did not understand that."
    return steps.asked_after(state, text)


def is_beside_the_matter(message: str) -> bool:
    """Tell whether a message asks for something that is not told here."""
    return message.rstrip().endswith("?") and _ASKS_TO_BOOK.search(message) is None


def _is_about_the_matter(message: str) -> bool:
    wishes = listening.wishes_of(message) - {listening.Wish.SERVICES, listening.Wish.SHOW}
    return bool(wishes or time_words(message))


def _is_new(state: State) -> bool:
    known = (state.service, state.held, state.booked, state.offers, state.when, state.earlier)
    return not any(known) and state.question in {Question.NOTHING, Question.SERVICE}


def _thanks(_state: State, _message: str) -> str:
    return "You are welcome."


def _greeting(state: State, message: str) -> str:
    is_asked = re.search(r"\bhow\b|what's up", message, re.IGNORECASE)
    hello = f"Hello!{' I am well, thank you.' if is_asked else ''}"
    return f"{hello}\n{sentences.which_service(state.services)}" if _is_new(state) else hello


def _goodbye(state: State, _message: str) -> str:
    if state.held is not None and not state.is_at_the_form:
        return f"Goodbye! Nothing more is booked. {sentences.given_up(state.held)}"
    return "Goodbye!"


def _signs(_state: State, _message: str) -> str:
    return "I can only read words."


def _help(state: State, _message: str) -> str:
    name = state.services[0]["name"].lower()
    text = (
        "I find a free time, hold it for you, and book it once you say yes. I can also move or"
        " cancel an appointment, put you on the waitlist, or give you a form to fill in. Say for"
        f' example: "{name} tomorrow afternoon".'
    )
    return f"{text}\n{sentences.which_service(state.services)}" if _is_new(state) else text


def _who(_state: State, _message: str) -> str:
    return "I am a program that books appointments here, and no person."


def _human(state: State, _message: str) -> str:
    return _turn_to(state)


def _people(state: State, message: str) -> str:
    if state.held is not None and re.search(r"\b(?:it|this|that)\b", message):
        person = state.held.to_confirm.get("person")
        return f"It is with {person}." if person else sentences.held_for_you(state.held)
    chosen = service_of(state, message)
    return "\n".join(
        sentences.people_line(each) for each in state.services if chosen in ("", each["service"])
    )


def _held(state: State, _message: str) -> str:
    if state.held is None:
        return "I hold nothing for you now."
    if state.is_at_the_form:
        return sentences.held_for_you(state.held)
    return sentences.held_until(state.held)


def _language(_state: State, _message: str) -> str:
    return 'I am sorry, I only understand English. Say for example: "tomorrow at 10:00".'


def _price(state: State, message: str) -> str:
    chosen = service_of(state, message)
    return "\n".join(
        sentences.price_line(each) for each in state.services if chosen in ("", each["service"])
    )


def _length(state: State, message: str) -> str:
    chosen = service_of(state, message)
    return "\n".join(
        sentences.length_line(each) for each in state.services if chosen in ("", each["service"])
    )


def _hours(_state: State, _message: str) -> str:
    return "I only know which times are free: name a day, and I look."


def _place(state: State, _message: str) -> str:
    location = (state.business or {}).get("location")
    return f"It is at {location}." if location else f"I do not know where. {_turn_to(state)}"


def _anger(state: State, _message: str) -> str:
    return f"I am sorry about that. {_turn_to(state)}"


def _turn_to(state: State) -> str:
    phone = (state.business or {}).get("phone")
    return (
        f"The business can help you: {phone}." if phone else "Please ask the business about that."
    )


_ANSWERS: Mapping[Aside, Callable[[State, str], str]] = {
    Aside.THANKS: _thanks,
    Aside.GREETING: _greeting,
    Aside.GOODBYE: _goodbye,
    Aside.SIGNS: _signs,
    Aside.HELP: _help,
    Aside.WHO: _who,
    Aside.HUMAN: _human,
    Aside.PEOPLE: _people,
    Aside.HELD: _held,
    Aside.PRICE: _price,
    Aside.LENGTH: _length,
    Aside.PLACE: _place,
    Aside.HOURS: _hours,
    Aside.ANGER: _anger,
    Aside.LANGUAGE: _language,
    Aside.FOREIGN: _language,
}
