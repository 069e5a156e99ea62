"""What the page tells of a letter; a letter that is damaged is told as far as it can be read."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from typing import Any

from service.mail_catcher.calendar_words import calendar_facts
from service.mail_catcher.letters import Letter, parts_of, text_of

Json = dict[str, Any]
SHOWN_CHARACTERS_MAX = 1_000_000
"""Of the source; the rest is in the file that can be downloaded."""


def summary(letter: Letter) -> Json:
    """Return what the list shows."""
    return {
        "number": letter.number,
        "receivedAt": letter.received_at.isoformat(),
        "sender": letter.sender,
        "recipients": list(letter.recipients),
        "subject": _told(lambda: letter.subject),
        "from": _header(letter, "from"),
        "to": _header(letter, "to"),
        "messageId": _header(letter, "message-id"),
        "bytes": len(letter.raw),
        "method": _method(letter),
    }


def whole(letter: Letter) -> Json:
    """Return all that can be looked at."""
    return {
        **summary(letter),
        "text": _told(lambda: letter.part("text/plain") or ""),
        "html": _told(lambda: letter.part("text/html") or ""),
        "calendars": _calendars(letter),
        "attachments": _attachments(letter),
        "headers": _headers(letter),
        "source": letter.raw.decode(errors="replace")[:SHOWN_CHARACTERS_MAX],
    }


def _told(read: Callable[[], str]) -> str:
    """Read what anybody may have sent: Python's parser of headers fails in ways of its own."""
    try:
        return read()
    except Exception as error:
        return f"(cannot be read: {error})"


def _header(letter: Letter, name: str) -> str:
    return _told(lambda: str(letter.message.get(name, "")))


def _headers(letter: Letter) -> list[tuple[str, str]]:
    """Return each name once, with all that it was given, in the order of the letter."""
    names = dict.fromkeys(name.lower() for name, _ in letter.message.raw_items())
    return [(name, _told(partial(_all, letter, name))) for name in names]


def _all(letter: Letter, name: str) -> str:
    return "\n".join(str(value) for value in letter.message.get_all(name, []))


def _method(letter: Letter) -> str:
    """Return the iTIP method that its calendar part is sent with; empty: it has none."""
    for part in parts_of(letter.message):
        if part.get_content_type() == "text/calendar" and part.get_param("method"):
            return str(part.get_param("method")).upper()
    return ""


def _calendars(letter: Letter) -> list[Json]:
    """Return each calendar that is in it, once: the part and the attachment are often the same."""
    texts: dict[str, list[str]] = {}
    for part in parts_of(letter.message):
        if part.get_content_type() in {"text/calendar", "application/ics"}:
            place = part.get_filename() or "in the letter"
            texts.setdefault(text_of(part), []).append(place)
    return [
        {"places": places, "facts": calendar_facts(text), "raw": text}
        for text, places in texts.items()
    ]


def _attachments(letter: Letter) -> list[Json]:
    return [
        {"name": part.get_filename() or "", "type": part.get_content_type(), "bytes": _size(part)}
        for part in parts_of(letter.message)
        if part.get_content_disposition() == "attachment"
    ]


def _size(part: EmailMessage) -> int:
    payload = part.get_payload(decode=True)
    return len(payload) if isinstance(payload, bytes) else 0
