"""Which of a person's words say when. What they mean, the server says: nothing is reckoned here."""

from __future__ import annotations

import re
from itertools import groupby, pairwise


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, as a set."""
    return frozenset(text.split())


_CLOCK = r"\d{1,2}[:.]\d{2}(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|\d{1,2} o'?clock"
_DATE = r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2})?|\d{1,2}[./]\d{1,2}[./](?:\d{2,4})?|\d{1,2}/\d{1,2}"
_WORD = r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?"
_TOKEN = re.compile(rf"{_DATE}|{_CLOCK}|\d+(?:st|nd|rd|th)?|{_WORD}|[^\s\w]", re.IGNORECASE)
_GREETING = re.compile(
    r"^\W*(?:(?:hi|hello|hey)\W+)?good (?:morning|afternoon|evening|day)\b(?!\s+\w+ (?:slot|time))"
    r"|\b(?:nice|good|great|lovely) (?:day|evening|weekend|afternoon)\b\W*$",
    re.IGNORECASE,
)
"""Words that wish for a time, and name none."""
_DATES = re.compile(
    r"\d{4}-\d{2}-\d{2}T?|(?<![\d.:])\d{1,2}[./](?:0?[1-9]|1[0-2])[./](?:\d{4}|\d{2}(?!\d))?"
    r"|\d{1,2}/\d{1,2}"
)
_CLOCK_ONLY = re.compile(_CLOCK, re.IGNORECASE)
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_HOUR_BY_WORD = {word: hour for hour, word in enumerate((*_HOURS, "twelve"), start=1)}

_DAY_WORDS = words_of(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri
    sat sun mondays tuesdays wednesdays thursdays fridays saturdays sundays
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    today tonight tomorrow yesterday
    weekend week weeks month months day days fortnight weekday weekdays
    christmas easter eve boxing asap soon soonest
    """
)
_HOUR_WORDS = words_of(
    """
    morning mornings afternoon afternoons evening evenings noon midday lunch lunchtime night
    midnight breakfast o'clock oclock quarter hour hours
    """
)
_NUMBERS = _HOUR_BY_WORD.keys() | words_of(
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty"
)
_WEAK = _NUMBERS | words_of(
    """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    next this coming following in on at after before between and or from to until till by around
    about the of a an early late later earlier last half past earliest latest day any time anytime
    now sharp than slot slots appointment end beginning middle mid start couple few other every
    not except onwards new year year's years - ,
    """
)
_BEFORE_HOURS = words_of("at after before around about from between by until till past to than")
_NEVER_FIRST = words_of("to and or a of , - than until till slot slots appointment time one")
_NEVER_LAST = words_of(
    """
    to and or a an the of , - in on at from by after before between about around this next any
    slot slots appointment than one for
    """
)
_LENGTH_MAX = 200


def time_words(message: str) -> str:
    """Return the words that say when, as they stand; empty where there are none."""
    tokens = _TOKEN.findall(_GREETING.sub(" | ", message))
    strong = [_is_strong(token, before) for before, token in pairwise(["", *tokens])]
    belonging = [
        is_strong or _is_weak(token) for token, is_strong in zip(tokens, strong, strict=True)
    ]
    runs = []
    for belongs, group in groupby(range(len(tokens)), belonging.__getitem__):
        run = _trimmed(list(group), tokens) if belongs else []
        if any(strong[index] for index in run):
            runs.append(" ".join(tokens[index] for index in run).replace(" ,", ","))
    return " ".join(runs)[:_LENGTH_MAX]


def clock_of(words: str) -> tuple[str, ...]:
    """Return the clock times that words may name; without `pm`, 3 may be 03:00 or 15:00."""
    words = re.sub(r"\b(at \d{1,2}\.\d{2})\.(?=\s|$)", r"\1", words)  # It ends a sentence.
    words = _DATES.sub(" | ", words)
    match = _CLOCK_ONLY.search(words)
    if match:
        return _readings_of(match.group())
    spoken = re.search(r"\b(half past|quarter past|quarter to|at)\s+(\w+)", words, re.IGNORECASE)
    hour = _hour(spoken.group(2)) if spoken else None
    if spoken is None or hour is None:
        return ()
    minutes = {"half past": 30, "quarter past": 15, "quarter to": -15}
    value = hour * 60 + minutes.get(spoken.group(1).lower(), 0)
    return tuple(_clock(each) for each in (value, value + 720) if 0 <= each < 1440)


def names_a_day(words: str) -> bool:
    """Tell whether words say which day, and not the hour alone."""
    return any(
        token in _DAY_WORDS
        or re.fullmatch(_DATE, token, re.IGNORECASE)
        or re.fullmatch(r"\d+(st|nd|rd|th)", token)
        for token in (each.lower() for each in _TOKEN.findall(words))
    )


def names_an_hour(words: str) -> bool:
    """Tell whether words say something of the hour."""
    tokens = {token.lower() for token in _TOKEN.findall(words)}
    return bool(clock_of(words) or tokens & _HOUR_WORDS)


def _is_weak(token: str) -> bool:
    return token.lower() in _WEAK or token.isdigit()


def _is_strong(token: str, before: str) -> bool:
    word = token.lower()
    if word in _NUMBERS or (token.isdigit() and len(token) < 3):
        return before.lower() in _BEFORE_HOURS
    is_written = re.fullmatch(rf"{_DATE}|{_CLOCK}|\d+(?:st|nd|rd|th)", token, re.IGNORECASE)
    return word in _DAY_WORDS or word in _HOUR_WORDS or is_written is not None


def _trimmed(run: list[int], tokens: list[str]) -> list[int]:
    while run and tokens[run[0]].lower() in _NEVER_FIRST:
        run = run[1:]
    while run and tokens[run[-1]].lower() in _NEVER_LAST:
        run = run[:-1]
    return run


def _readings_of(text: str) -> tuple[str, ...]:
    hour, minutes = [*re.findall(r"\d+", text), "0"][:2]
    value = int(hour) * 60 + int(minutes)
    half = re.search(r"([ap])\.?m", text, re.IGNORECASE)
    if half is not None:
        return (_clock(value % 720 + (720 if half.group(1).lower() == "p" else 0)),)
    is_bare = ":" not in text and "." not in text and int(hour) < 12
    readings = (value, value + 720) if is_bare else (value,)
    return tuple(_clock(each) for each in readings if each < 1440)


def _hour(word: str) -> int | None:
    if word.isdigit() and int(word) < 24:
        return int(word)
    return _HOUR_BY_WORD.get(word.lower())


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
