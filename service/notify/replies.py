"""Answers to invitations: reads the mail in which a calendar program sends one (RFC 6047).

Anyone can send mail, so all of it is bounded before it is parsed: Python's parser takes a time that
grows with the product of lines and nested parts, and recurses as deep as these are nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from urllib.parse import unquote
from uuid import UUID

from icalendar import Calendar, Event

from service.domain.booking import Booking, BookingStatus
from service.domain.catalog import AppointmentType
from service.domain.errors import InvalidRequest

MAIL_BYTES_MAX = 1024 * 1024
LINES_MAX = 50_000
HEADERS_OF_PARTS_MAX = 40
"""How many parts may say what they are: no mail is nested deeper than that."""
HEADER_BYTES_MAX = 2_000
PART_BORDERS_MAX = 1_000
"""How many lines may look like the border of a part; each part costs memory."""
CALENDAR_BYTES_MAX = 256 * 1024
CALENDARS_MAX = 5
SEQUENCE_MAX = 2**31 - 1

_CALENDAR_TYPES = frozenset({"text/calendar", "application/ics"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
"""Python knows others whose decoding takes a time that grows with the square of the length."""
_CONTENT_TYPE = re.compile(rb"(?im)^content-type\s*:[^\n]*(?:\n[ \t][^\n]*)*")
_PART_BORDER = re.compile(rb"(?m)^--")
_UID = re.compile(
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@([a-z0-9-]{1,40})\.slotcast"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """Who answered what to which event. Addresses are in lower case, answers in upper case."""

    uid: str
    sequence: int
    answers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail: what a repetition of it is known by, and the reply in it; None: there is none."""

    key: str
    reply: Reply | None


class Verdict(StrEnum):
    """What becomes of a mail, and why."""

    CANCELS = "cancels"
    NO_REPLY = "no_reply"
    UNKNOWN_BOOKING = "unknown_booking"
    NOT_THE_CUSTOMER = "not_the_customer"
    NOT_DECLINED = "not_declined"
    OUTDATED = "outdated"
    ENDED = "ended"
    NOT_ALLOWED = "not_allowed"
    NOTICE_PASSED = "notice_passed"


def read_mail(data: bytes) -> Mail:
    """Return what a mail says, or raise InvalidRequest where it is damaged or over a limit."""
    if len(data) > MAIL_BYTES_MAX:
        raise InvalidRequest("mail", f"It is larger than {MAIL_BYTES_MAX:,} bytes.")
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    _check_limits(text)
    try:
        message = BytesParser(policy=compat32).parsebytes(text)
        key = _key(message, text)
        calendars = list(islice(_calendars(message), CALENDARS_MAX))
    except (ValueError, LookupError, RecursionError) as error:
        raise InvalidRequest("mail", "It is no mail that can be read.") from error
    return Mail(key=key, reply=_first_reply(calendars))


def booking_of(reply: Reply, business_id: str) -> UUID | None:
    """Return which booking of a business the event is of; None: it is of none."""
    match = _UID.fullmatch(reply.uid.lower())
    return UUID(match[1]) if match and match[2] == business_id else None


def judge(reply: Reply, booking: Booking | None, type_: AppointmentType | None) -> Verdict:
    """Say what becomes of a reply. Whether the booking may still be cancelled, its lane decides."""
    if booking is None or type_ is None:
        return Verdict.UNKNOWN_BOOKING
    answer = reply.answers.get(booking.customer.email.lower()) if booking.customer.email else None
    if answer is None:
        return Verdict.NOT_THE_CUSTOMER
    if answer != "DECLINED":
        return Verdict.NOT_DECLINED
    if booking.status not in {BookingStatus.PENDING, BookingStatus.CONFIRMED}:
        return Verdict.ENDED
    if reply.sequence < booking.version - 1:
        return Verdict.OUTDATED
    return Verdict.CANCELS if type_.cancel_by_reply else Verdict.NOT_ALLOWED


def _check_limits(text: bytes) -> None:
    if text.count(b"\n") > LINES_MAX:
        raise InvalidRequest("mail", f"It has more than {LINES_MAX:,} lines.")
    headers = [len(match[0]) for match in _CONTENT_TYPE.finditer(text)]
    if len(headers) > HEADERS_OF_PARTS_MAX:
        raise InvalidRequest("mail", f"It has more than {HEADERS_OF_PARTS_MAX} parts.")
    if max(headers, default=0) > HEADER_BYTES_MAX:
        raise InvalidRequest("mail", f"A Content-Type is longer than {HEADER_BYTES_MAX:,} bytes.")
    if sum(1 for _ in _PART_BORDER.finditer(text)) > PART_BORDERS_MAX:
        raise InvalidRequest("mail", f"It has more than {PART_BORDERS_MAX:,} borders of parts.")


def _key(message: Message, text: bytes) -> str:
    """Return what is the same whenever the same mail comes: what its Message-ID makes."""
    message_id = str(message.get("Message-ID", "")).strip()
    return sha256(message_id.encode(errors="replace") if message_id else text).hexdigest()


def _calendars(message: Message) -> Iterator[tuple[bytes, str]]:
    """Yield the calendars in a mail, those meant for programs first, each with its method."""
    parts = [part for part in message.walk() if part.get_content_type() in _CALENDAR_TYPES]
    parts.sort(key=lambda part: part.get_content_type() != "text/calendar")
    for part in parts:
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield _as_utf8(payload, part), str(part.get_param("method") or "")


def _as_utf8(payload: bytes, part: Message) -> bytes:
    """Return the text of a part as iCalendar is by default."""
    if len(payload) > CALENDAR_BYTES_MAX:
        raise InvalidRequest(
            "mail", f"The calendar in it is larger than {CALENDAR_BYTES_MAX:,} bytes."
        )
    charset = part.get_content_charset("utf-8")
    if charset not in _CHARSETS:
        raise InvalidRequest("mail", f"The calendar in it has the charset {charset[:40]!r}.")
    return payload.decode(charset).encode()


def _first_reply(calendars: list[tuple[bytes, str]]) -> Reply | None:
    """Return the first reply; a copy that is damaged does not matter where another can be read."""
    damage: Exception | None = None
    for data, method in calendars:
        try:
            if found := _reply(data, method):
                return found
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            damage = error
    if damage is not None:
        raise InvalidRequest("mail", "The calendar in it cannot be read.") from damage
    return None


def _reply(data: bytes, method: str) -> Reply | None:
    calendar = Calendar.from_ical(data)
    if str(calendar.get("METHOD", method)).strip().upper() != "REPLY":
        return None
    event = next((each for each in calendar.subcomponents if isinstance(each, Event)), None)
    if event is None:
        return None
    sequence = int(str(event.get("SEQUENCE", 0)))
    if not 0 <= sequence <= SEQUENCE_MAX:
        raise ValueError("SEQUENCE is out of range.")
    return Reply(uid=str(event.get("UID", "")).strip(), sequence=sequence, answers=_answers(event))


def _answers(event: Event) -> dict[str, str]:
    found = event.get("ATTENDEE", [])
    attendees = found if isinstance(found, list) else [found]
    return {
        _address(attendee): str(attendee.params.get("PARTSTAT", "NEEDS-ACTION")).upper()
        for attendee in attendees
    }


def _address(attendee: object) -> str:
    """Return the address of an attendee; where it is no mailto:, the EMAIL that Apple writes."""
    scheme, colon, address = str(attendee).strip().partition(":")
    if not colon or scheme.lower() != "mailto":
        address = str(getattr(attendee, "params", {}).get("EMAIL", ""))
    return unquote(address).strip().lower()
