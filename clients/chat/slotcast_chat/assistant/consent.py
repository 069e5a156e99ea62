"""Whether a message agrees to be booked, moved or cancelled: only a message that is all yes."""

from __future__ import annotations

import re

from slotcast_chat.assistant.listening import Wish, is_no, wishes_of

AGREES_MAX = 100
"""A longer message is no plain yes."""

_YES = (
    r"yes|yeah|yep|yup|sure|ok|okay|correct|right|exactly|perfect|great|fine|good|absolutely"
    r"|definitely|certainly|of course|i agree|agreed|i confirm|confirm(?:ed)?|that works"
    r"|works for me|sounds good|(?:that|this|it)(?:'s| is) (?:right|fine|correct|good|perfect)"
    r"|please do|i do|go ahead|do it|do that|do so"
)
_BOOK = (
    r"(?:book|take|move) (?:it|this|that)(?: one)?(?: for me)?|confirm it"
    r"|(?:i'll|i will|i) take (?:it|this|that)(?: one)?|(?:this|that) one"
)
_CANCEL = r"cancel(?: (?:it|this|that|(?:my|the|this|that) (?:appointment|booking)))?(?: for me)?"
_POLITE = (
    r"please|many thanks|thanks(?: a lot)?|thank you(?: very much| so much)?|oh|well|then|now"
    r"|cheers"
)
_ASSENT = re.compile(
    rf"^\W*(?:(?:{_YES}|hm+|{_POLITE})\b(?:\W+(?:and|but|so)\b)?\W*)+", re.IGNORECASE
)
_RETRACTS = r"changed my mind|go back|start (?:over|again|anew)"
_KEEPS = re.compile(
    r"\b(?:no|not|nope|don't|keep|leave|stop|wait|never ?mind|forget it|hold on"
    rf"|{_RETRACTS})\b",
    re.IGNORECASE,
)


def agrees_to_book(message: str) -> bool:
    """Tell whether a message is nothing but a yes to what would be booked, or moved."""
    return _is_all(message, f"{_YES}|{_BOOK}")


def agrees_to_cancel(message: str) -> bool:
    """Tell whether a message is nothing but a yes to the cancellation."""
    return _is_all(message, f"{_YES}|{_CANCEL}")


def declines(message: str) -> bool:
    """Tell whether a message says no, or wait, at once or after an ok: "OK, no"."""
    return is_no(message) or is_no(_after_assent(message)) or retracts(message)


def retracts(message: str) -> bool:
    """Tell whether a message takes back what was said before: "I changed my mind"."""
    return bool(re.search(rf"\b(?:{_RETRACTS})\b", _plain(message), re.IGNORECASE))


def gives_up(message: str) -> bool:
    """Tell whether a message ends it all, at once or after an ok: "OK, stop"."""
    return Wish.STOP in wishes_of(message) | wishes_of(_after_assent(message))


def keeps(message: str) -> bool:
    """Tell whether a message says that an appointment is to stay."""
    return bool(_KEEPS.search(_plain(message)))


def objects(message: str) -> bool:
    """Tell whether a message says anything against what was just agreed to."""
    return keeps(message) or gives_up(message) or Wish.CANCEL in wishes_of(message)


def _is_all(message: str, words: str) -> bool:
    text = _plain(message)
    if "?" in text or len(text) > AGREES_MAX:
        return False
    one = rf"(?:{words}|{_POLITE})"
    return bool(
        re.fullmatch(rf"\W*{one}(?:\W+(?:and\W+)?{one})*\W*", text, re.IGNORECASE)
        and re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
    )


def _after_assent(message: str) -> str:
    return _ASSENT.sub("", _plain(message))


def _plain(message: str) -> str:
    return " ".join(message.replace("\u2019", "'").split())
