"""What a message says: yes or no, which of some, who and what for. Everything else is only text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from slotcast_chat.assistant.state import Content, Offer, Reading
from slotcast_chat.assistant.time_words import clock_of, names_a_day, words_of

NAME_MAX = 200

_EMAIL = re.compile(r"[^\s<>(),;:\"]+@[^\s<>(),;:\"]+\.[^\s<>(),;:\".!?]+")
_PHONE = re.compile(r"\+\d[\d ()/-]{6,20}\d")
_NAME = re.compile(
    r"\b(?:(?:my name is|my name's|name's|i am called|i'm called|call me|book it as|book as)|name:)"
    r"\s+(?P<name>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ANSWERED_NAME = re.compile(
    r"^\s*(?:i'm|i am|it's|it is|this is|name is|the name is|for)\s+", re.IGNORECASE
)
_INTRODUCED = re.compile(
    r"\b(?:[Ii]['\u2019]m|[Ii] am|[Tt]his is|[Ii]t['\u2019]s)\s+"
    r"(?P<name>[^\W\d_a-z][\w'\u2019.-]*(?: [^\W\d_a-z][\w'\u2019-]*){0,3})"
    r"(?: (?:here|speaking))?(?=\W{0,3}(?:\band\b )?(?:my )?(?:e-?mail(?: is)?:?)?\s*[^\s,;]+@)"
)
"""Who says it with an address after it: else `I'm Late` and the like would be a name."""
_NO_NAME = re.compile(
    r"\W*(?:yes|yeah|yep|yup|sure|ok|okay|right|correct|exactly|please|fine|great|perfect|no"
    r"|nope|thanks|thank you|go ahead|book it|do it)(?:\W+(?:please|thanks|thank you|book it))?\W*",
    re.IGNORECASE,
)
_POLITE_PART = re.compile(
    r"\s*[,;.!]\s*(?=[,;.!\s]*$)|\s*[,;.!]\s*(?:many )?(?:thanks?(?: you)?|please|cheers)\b[\s.!]*$"
    r"|\s+(?:speaking|here)\s*(?=[,;.!]|$)",
    re.IGNORECASE,
)
_NAME_END = re.compile(
    r"\s*(?:[,;.]?\s+(?:and\s+)?(?:my|the)\s+(?:e-?mail|mail|phone|number)\b.*"
    r"|[,;]\s*(?:e-?mail|mail)?:?\s*$)",
    re.IGNORECASE | re.DOTALL,
)
_MINUTES = re.compile(
    r"(?<!in )(?<!in about )\b(\d{2,3})[ -]?(?:min\b|mins\b|minutes?\b)"
    r"(?! (?:later|earlier|late|early|before|after|from now|ago|more|less)\b)",
    re.IGNORECASE,
)
_HOUR_LONG = re.compile(
    r"(?:\bfor (?:an|one|1) hour\b|\b(?:one|1)[- ]hour(?:[- ]long)?\b|\b60[- ]?minutes?\b)",
    re.IGNORECASE,
)

_YES = re.compile(
    r"^\W*(?:(?:oh|ok|okay|great|perfect|well|thanks)\W+)?(?:yes|yeah|yep|yup|sure|ok|okay|correct"
    r"|right|exactly|please do|do it|go ahead|book it|perfect|great|fine|sounds good|that works"
    r"|works for me|that's right|that is right|confirmed?|i confirm|absolutely|of course|i agree"
    r"|agreed|take it|i'll take it|i will take it|that's fine|good)\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|nah|not really|don't|do not|never mind|nevermind|forget it|stop|wait|hold on"
    r"|rather not|neither|none)\b",
    re.IGNORECASE,
)
_SKIP = re.compile(
    r"^\W*(?:no|none|nope|skip|without|i have none|i don't have|rather not|not needed"
    r"|i don't want|i(?:'d| would) rather not"
    r"|i(?:'d| would)? prefer not)\b",
    re.IGNORECASE,
)


class Wish(StrEnum):
    """What else a message may ask for."""

    FORM = "FORM"
    WAIT = "WAIT"
    WHY = "WHY"
    CANCEL = "CANCEL"
    MOVE = "MOVE"
    ANOTHER_BOOKING = "ANOTHER_BOOKING"
    OTHER_TIMES = "OTHER_TIMES"
    SHOW = "SHOW"
    SECOND = "SECOND"
    SERVICES = "SERVICES"
    STOP = "STOP"


_WISHES: Mapping[Wish, tuple[str, ...]] = {
    Wish.FORM: (
        r"forms?",
        r"fill (?:it |this )?(?:in|out)",
        r"(?:give|send) me (?:a|the) link",
        r"myself online",
    ),
    Wish.WAIT: (
        r"wait(?:ing)?[ -]?list",
        r"let me know (?:if|when)",
        r"tell me (?:if|when) (?:some|any)thing",
    ),
    Wish.WHY: (r"why", r"how come"),
    Wish.CANCEL: (
        r"cancel",
        r"call off",
        r"can(?:'t|not) (?:come|make it)(?! (?:on|at|before|until))",
    ),
    Wish.MOVE: (
        r"re-?schedule",
        r"move (?:it|my|the|that)",
        r"change (?:it|my|the) (?:to|appointment|booking|time)",
        r"postpone",
        r"bring (?:it )?forward",
        r"put it off",
    ),
    Wish.ANOTHER_BOOKING: (
        r"(?:another|a second|one more) (?:appointment|booking)",
        r"(?:another|one more|a second|an additional|an extra|a further) one",
        r"also (?:book|like|need|want)",
        r"(?:now|and|also|then) (?:one|an? \w+) for my \w+",
    ),
    Wish.SECOND: (
        r"(?:can|could|may) (?:i|we) (?:have|get|book|take) (?:two|2|both|another(?: one)?)",
        r"(?:two|2) of (?:them|these|those|us)",
        r"(?:two|2) (?:appointments|bookings|haircuts|places|seats|slots)",
        r"for (?:two|2)(?: people| persons)?(?! (?:hours|weeks|days|minutes|o'clock|pm|am))",
        r"a second (?:one|time|place|seat)",
        r"one more(?: at the same time| please)?",
        r"(?:the )?same again",
        r"(?:at the )?same time (?:for|with) my",
        r"(?:my|a) \w+(?: \w+)? (?:also |too )?(?:come|join)\b.*same time",
    ),
    Wish.SHOW: (
        r"when (?:is|was) (?:it|my)",
        r"(?:what|which) (?:time|day) (?:is|was) (?:it|my)",
        r"(?:what time|when) (?:should|must|do) i (?:have to |need to )?(?:be there|arrive)",
        r"(?:what|which|when) (?:did|have|do) (?:i|we|you) (?:have )?(?:just )?book(?:ed)?",
        r"(?:do|did|have) i (?:have|got|make|made|book|booked) an?y? (?:appointment|booking)s?",
        r"(?:what(?:'s| is| are)|where(?:'s| is)) my (?:booking|appointment)s?",
        r"is (?:it|my (?:appointment|booking)) (?:really )?(?:booked|confirmed|done)",
        r"(?:look up|show|check) my (?:booking|appointment)",
    ),
    Wish.SERVICES: (
        r"what (?:do|can) (?:you|i) (?:offer|do|book|have)",
        r"which services",
        r"what services",
        r"how much",
        r"prices?",
    ),
    Wish.OTHER_TIMES: (
        r"none",
        r"neither",
        r"(?:other|another|different|more) times?",
        r"(?:something|anything) (?:else|earlier|later)",
        r"(?:other|more) options?",
        r"what else",
    ),
}
_AGAINST = (
    r"(?:\b(?:not|never|except|excluding|without|(?:any|every)\w+ but|other than|instead of"
    r"|rather than|apart from)(?: for)? (?:with |by |to )?"
    r"|(?:n't|n\u2019t) (?:want|like|have|take|need|see|be)(?: to see| it to be| to be| it)?"
    r" (?:with |by )?)(?:the )?"
)
_STOP = re.compile(r"(?:^|[.,!?;])\s*(?:stop|never ?mind|forget it|leave it)\b", re.IGNORECASE)
_COMPILED = {
    wish: re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE)
    for wish, patterns in _WISHES.items()
}
_ORDER = {
    0: r"\b(?:first|1st|former|one|option 1|number 1|number one|#1)\b",
    1: r"\b(?:second|2nd|latter|option 2|number 2|number two|#2)\b",
    2: r"\b(?:third|3rd|option 3|number 3|number three|#3)\b",
    3: r"\b(?:fourth|4th|option 4|number 4|number four|#4)\b",
    4: r"\b(?:fifth|5th|option 5|number 5|number five|#5)\b",
    5: r"\b(?:sixth|6th|option 6|number 6|number six|#6)\b",
}
_NOT_IN_NAMES = words_of(
    """with your from that this time book booking appointment for and the please would like"""
)


def wishes_of(message: str) -> frozenset[Wish]:
    """Return what a message asks for, besides a time."""
    found = {wish for wish, pattern in _COMPILED.items() if pattern.search(message)}
    return frozenset(found | ({Wish.STOP} if _STOP.search(message) else set()))


def is_yes(message: str) -> bool:
    """Tell whether a message agrees, and with nothing against it."""
    return bool(_YES.search(message)) and not re.search(
        r"\b(?:but|not|instead|rather|actually)\b", message, re.IGNORECASE
    )


def is_no(message: str) -> bool:
    """Tell whether a message declines."""
    return bool(_NO.search(message))


def has_nothing(message: str) -> bool:
    """Tell whether a message says that there is none of what was asked for."""
    return bool(_SKIP.search(message))


def email_of(message: str) -> str:
    """Return the e-mail address in a message."""
    found = _EMAIL.search(message)
    return found.group() if found else ""


def phone_of(message: str) -> str:
    """Return the telephone number in a message, written with its country's code."""
    found = _PHONE.search(message)
    return found.group() if found else ""


def name_told(message: str) -> tuple[str, str]:
    """Return the name in `my name is ...`, and the message without it."""
    found = _NAME.search(message) or _INTRODUCED.search(message)
    if found is None:
        return "", message
    name = _cleaned(re.split(r"[,;.!?\n](?:\s|$)", found.group("name"))[0])
    return name, f"{message[: found.start()]} {message[found.start('name') :].partition(name)[2]}"


def name_answered(message: str) -> str:
    """Return the name in an answer to `what is your name?`: all of it, but that a yes is none."""
    if _NO_NAME.fullmatch(message):
        return ""
    told = _NAME.search(message)
    text = told.group("name") if told else _ANSWERED_NAME.sub("", message)
    for pattern in (_EMAIL, _PHONE):
        text = pattern.sub("", text)
    before = ""
    while text != before:
        before, text = text, _POLITE_PART.sub("", text)
    return _cleaned(text)


def minutes_of(message: str, allowed: Sequence[int]) -> int | None:
    """Return how long it should last, where that is one of the lengths that there are."""
    minutes = minutes_said(message)
    return minutes if minutes in allowed else None


def minutes_said(message: str) -> int:
    """Return how long it should last, in minutes; 0: nothing is said of it."""
    found = _MINUTES.search(message)
    return int(found.group(1)) if found else 60 if _HOUR_LONG.search(message) else 0


def without_lengths(message: str) -> str:
    """Return a message without what it says of how long."""
    return _HOUR_LONG.sub(" | ", _MINUTES.sub(" | ", message))


def email_free(message: str) -> str:
    """Return a message without its addresses and numbers to call."""
    return _PHONE.sub(" | ", _EMAIL.sub(" | ", message))


def services_named(message: str, services: Sequence[Content]) -> tuple[str, ...]:
    """Return the services that fit a message best."""
    # After a comma a name only says more: "Colouring, with a stylist".
    scores = {
        each["service"]: _score(message, f"{each['name'].partition(',')[0]} {each['service']}")
        for each in services
    }
    best = max(scores.values(), default=0)
    return tuple(service for service, score in scores.items() if score == best and best > 0)


def services_by_name(message: str, services: Sequence[Content]) -> tuple[str, ...]:
    """Return the services whose whole name a message has."""
    found = [
        each["service"]
        for each in services
        if re.search(rf"\b{re.escape(each['name'].partition(',')[0])}\b", message, re.IGNORECASE)
    ]
    negated = re.search(r"\b(?:not|no|instead|rather|or)\b", message, re.IGNORECASE)
    return () if negated else tuple(found)


def person_named(message: str, service: Content) -> str:
    """Return with whom a message wants it, of those who do it: "not with Anna" names nobody."""
    refused = people_refused(message, service)
    for each in service.get("people", ()):
        is_named = re.search(rf"\b{re.escape(each['name'])}\b", message, re.IGNORECASE)
        if is_named and each["person"] not in refused:
            return str(each["person"])
    return ""


def people_refused(message: str, service: Content) -> frozenset[str]:
    """Return with whom a message does not want it."""
    return frozenset(
        each["person"]
        for each in service.get("people", ())
        if re.search(rf"{_AGAINST}{re.escape(each['name'])}\b", message, re.IGNORECASE)
    )


def anyone_will_do(message: str) -> bool:
    """Tell whether a message leaves open with whom."""
    return bool(
        re.search(
            r"\b(?:any(?:one|body)|whoever|no preference|don't mind who)\b", message, re.IGNORECASE
        )
    )


def offer_chosen(message: str, offers: Sequence[Offer]) -> Offer | None:
    """Return which of the offered times a message names."""
    if not offers:
        return None
    clocks = clock_of(message)
    at_clock = [offer for offer in offers if offer.local_start[11:] in clocks]
    if clocks:
        return at_clock[0] if len(at_clock) == 1 and not names_a_day(message) else None
    bare = re.fullmatch(r"\W*(\d{1,2})\W*", message)
    if bare and 1 <= int(bare.group(1)) <= len(offers):
        return offers[int(bare.group(1)) - 1]
    if names_a_day(message):
        on_day = [offer for offer in offers if _is_on_named_day(message, offer)]
        return on_day[0] if len(on_day) == 1 else None
    if re.search(
        r"\b(?:earliest|earlier one|the earlier|soonest|sooner one)\b", message, re.IGNORECASE
    ):
        return offers[0]
    if re.search(r"\b(?:last|latest|later one|the later)\b", message, re.IGNORECASE):
        return offers[-1]
    return next((offers[index] for index in _ordered(message, len(offers))), None)


def reading_chosen(message: str, readings: Sequence[Reading]) -> Reading | None:
    """Return which of the readings of a time a message names."""
    for reading in readings:
        if message.strip(" .!").casefold() in reading.words.casefold() and len(message.strip()) > 3:
            return reading
    index = next(iter(_ordered(message, len(readings))), None)
    bare = re.fullmatch(r"\W*(\d)\W*", message)
    if bare and 1 <= int(bare.group(1)) <= len(readings):
        index = int(bare.group(1)) - 1
    return None if index is None else readings[index]


def _ordered(message: str, count: int) -> list[int]:
    text = re.sub(
        r"\b(?:this|that|which|the earlier|the later|\w+est|other) one\b",
        "",
        message,
        flags=re.IGNORECASE,
    )
    found = [
        (match.start(), index)
        for index, pattern in _ORDER.items()
        if (match := re.search(pattern, text, re.IGNORECASE))
    ]
    # `one` is the first only where nothing else says which: "the second one".
    ranked = sorted(found, key=lambda each: (each[1] == 0 and len(found) > 1, each[0]))
    return [index for _, index in ranked[:1] if index < count]


def _is_on_named_day(message: str, offer: Offer) -> bool:
    words = {word.casefold() for word in re.findall(r"[^\W\d_]{3,}", message)}
    weekday = offer.day.split()[0].casefold()
    return any(weekday.startswith(word) for word in words)


def _score(message: str, name: str) -> int:
    said = {
        word for word in re.findall(r"[^\W_]{3,}", message.casefold()) if word not in _NOT_IN_NAMES
    }
    squeezed = re.sub(r"[^\w]", "", message.casefold())
    score = 0
    for word in set(re.findall(r"[^\W_]{3,}", name.casefold())) - _NOT_IN_NAMES:
        if word in said or (len(word) > 5 and word in squeezed):
            score += 2 * len(word)
        elif any(
            (len(each) > 3 and (word.startswith(each) or each.startswith(word)))
            or (word.endswith(each) and len(word) - len(each) <= 4)
            for each in said
        ):
            score += len(word)
    return score


def _cleaned(text: str) -> str:
    text = _NAME_END.sub("", " ".join(text.split()))
    return text.strip(" \t,;:.!")[:NAME_MAX].strip()
