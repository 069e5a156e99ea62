"""A letter in the words of its reader: what both its HTML and its plain text show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.booking import BookingStatus
from service.domain.interval import Interval
from service.feeds.text import clean_line, clean_text
from service.notify.letters.facts import (
    ENDINGS,
    WAITLIST,
    Appointment,
    Letter,
    LetterKind,
    Recipient,
)
from service.notify.letters.when import When, moment, when
from service.notify.letters.words.languages import Speech, speech_of
from service.notify.letters.words.words import Message

SUBJECT_CHARACTERS_MAX = 150
NAME_CHARACTERS_MAX = 80
"""In a subject or a sentence; where it stands by itself it may be longer."""
ANSWER_CHARACTERS_MAX = 2000

# The last three are those of Japanese and Arabic.
_LABEL_ENDS = (":", "?", "!", ".", "\uff1a", "\uff1f", "\u061f")


class Tone(StrEnum):
    """How it looks: it stands, it waits for someone, or it is over."""

    STANDS = "stands"
    WAITS = "waits"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A fact with its label. One that is `ltr` is written so in every language."""

    label: str
    value: str
    is_ltr: bool = False

    @property
    def lines(self) -> list[str]:
        """The value, line by line."""
        return self.value.split("\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Something to press."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An appointment. One of several has a title, who it is with, and a link of its own."""

    when: When
    title: str = ""
    by: str = ""
    mark: str = ""
    was: str = ""
    link: Link | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """All that the reader sees. No text of others in it has a control character.

    There is no item where there is no appointment yet, nor one that is offered.
    """

    speech: Speech
    tone: Tone
    sender_name: str
    subject: str
    headline: str
    intro: str
    items: tuple[Item, ...]
    rows: tuple[Row, ...]
    button: Link | None
    notes: tuple[str, ...]
    footer: tuple[str, ...]

    def labelled(self, row: Row) -> str:
        """Return a row as plain text; further lines are indented."""
        value = row.value.replace("\n", "\n  ")
        if row.label.endswith(_LABEL_ENDS):
            return f"{row.label} {value}"
        return self.speech.words.label.format(label=row.label, value=value)


def content_of(letter: Letter) -> Content:
    """Put a letter into words."""
    speech = speech_of(letter.languages)
    items = tuple(_item(letter, appointment, speech) for appointment in letter.appointments)
    filled = _Filled(letter, items[0].when.start, speech)
    if letter.waits_in:
        items = ()
    message = _message(letter, speech)
    return Content(
        speech=speech,
        tone=_tone(letter),
        sender_name=clean_line(letter.host.name, NAME_CHARACTERS_MAX),
        subject=clean_line(filled(message.subject), SUBJECT_CHARACTERS_MAX),
        headline=filled(message.headline),
        intro=filled(message.intro),
        items=items,
        rows=tuple(row for row in _rows(letter, speech) if row.value),
        button=_button(letter, speech),
        notes=tuple(_notes(letter, speech)),
        footer=(filled(_why(letter, speech)),),
    )


class _Filled:
    """Fills texts with what the letter is about."""

    def __init__(self, letter: Letter, start: str, speech: Speech) -> None:
        first = letter.appointments[0]
        customer = letter.customer.display_name if letter.customer else ""
        until = ""
        if letter.offered_until is not None:
            until = moment(
                letter.offered_until, zone=letter.zone, calendar_zone=first.zone, speech=speech
            )
        self._values = {
            "business": clean_line(letter.host.name, NAME_CHARACTERS_MAX),
            "what": clean_line(first.title, NAME_CHARACTERS_MAX),
            "customer": clean_line(customer, NAME_CHARACTERS_MAX),
            "when": start,
            "until": until,
        }

    def __call__(self, text: str) -> str:
        return text.format(**self._values)


def _message(letter: Letter, speech: Speech) -> Message:
    words = speech.words
    if not letter.is_several:
        of_kind = words.customer if letter.recipient is Recipient.CUSTOMER else words.staff
        return of_kind[letter.kind]
    if letter.recipient is Recipient.STAFF:
        return words.staff_several
    return words.several_pending if letter.kind is LetterKind.PENDING else words.several


def _tone(letter: Letter) -> Tone:
    if letter.kind in ENDINGS:
        return Tone.OVER
    statuses = {appointment.status for appointment in letter.appointments}
    return Tone.WAITS if statuses == {BookingStatus.PENDING} else Tone.STANDS


def _item(letter: Letter, appointment: Appointment, speech: Speech) -> Item:
    words = speech.words
    is_one = not letter.is_several
    is_pending = appointment.status is BookingStatus.PENDING
    has_link = not is_one and appointment.link
    return Item(
        when=_when(letter, appointment.during, appointment.zone, speech),
        title="" if is_one else clean_line(appointment.title),
        by="" if is_one else _by(appointment),
        mark=words.awaiting if is_pending and letter.kind is not LetterKind.PENDING else "",
        was=_was(letter, appointment, speech),
        link=Link(text=words.manage, url=appointment.link) if has_link else None,
    )


def _when(letter: Letter, during: Interval, calendar_zone: str, speech: Speech) -> When:
    return when(
        during,
        zone=letter.zone,
        calendar_zone=calendar_zone,
        business=clean_line(letter.host.name, NAME_CHARACTERS_MAX),
        speech=speech,
    )


def _was(letter: Letter, appointment: Appointment, speech: Speech) -> str:
    if appointment.earlier is None or appointment.earlier == appointment.during:
        return ""
    earlier = _when(letter, appointment.earlier, appointment.zone, speech)
    return speech.words.day_and_time.format(day=earlier.day, time=earlier.span)


def _by(appointment: Appointment) -> str:
    return clean_line(", ".join(appointment.calendars))


def _rows(letter: Letter, speech: Speech) -> list[Row]:
    words, host, rows = speech.words, letter.host, []
    if not letter.is_several:
        (appointment,) = letter.appointments
        rows.append(Row(label=words.what, value=clean_line(appointment.title)))
        rows.append(Row(label=words.by, value=_by(appointment)))
        rows.append(Row(label=words.times, value=_times(letter, speech)))
    if letter.recipient is Recipient.CUSTOMER:
        rows.append(Row(label=words.where, value=clean_line(host.location)))
        rows.append(Row(label=words.phone, value=clean_line(host.phone), is_ltr=True))
    rows.append(Row(label=words.reason, value=clean_text(letter.reason, ANSWER_CHARACTERS_MAX)))
    if letter.customer is not None:
        rows.extend(_customer_rows(letter, speech))
    return rows


def _times(letter: Letter, speech: Speech) -> str:
    """Return when what one waits for must start, a line each."""

    def told(instant: datetime) -> str:
        zone = letter.appointments[0].zone
        return moment(instant, zone=letter.zone, calendar_zone=zone, speech=speech)

    return "\n".join(f"{told(window.start)} – {told(window.end)}" for window in letter.waits_in)


def _customer_rows(letter: Letter, speech: Speech) -> list[Row]:
    words, customer = speech.words, letter.customer
    assert customer is not None
    return [
        Row(label=words.name, value=clean_line(customer.display_name)),
        Row(label=words.email, value=clean_line(customer.email), is_ltr=True),
        Row(label=words.phone, value=clean_line(customer.phone), is_ltr=True),
        *(
            Row(label=clean_line(label), value=clean_text(value, ANSWER_CHARACTERS_MAX))
            for label, value in letter.answers
        ),
    ]


def _button(letter: Letter, speech: Speech) -> Link | None:
    url = letter.appointments[0].link
    if not url or letter.is_several or letter.kind in ENDINGS:
        return None
    words = speech.words
    of_waitlist = {LetterKind.WAITLIST_JOINED: words.leave, LetterKind.WAITLIST_OFFER: words.take}
    return Link(text=of_waitlist.get(letter.kind, words.manage), url=url)


def _notes(letter: Letter, speech: Speech) -> list[str]:
    words, notes = speech.words, []
    if letter.moved_away:
        notes.append(words.moved_away)
    if letter.recipient is Recipient.STAFF:
        return notes
    is_invitation = letter.kind not in WAITLIST and not letter.is_several
    if letter.replies_cancel and is_invitation and letter.kind not in ENDINGS:
        notes.append(words.reply_cancels)
    if letter.host.email:
        notes.append(words.contact)
    return notes


def _why(letter: Letter, speech: Speech) -> str:
    if letter.recipient is Recipient.STAFF:
        return speech.words.why_staff
    if letter.kind in WAITLIST:
        return speech.words.why_waiting
    return speech.words.why_customer
