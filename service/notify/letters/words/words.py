"""The texts of one language. In braces stands what a letter puts in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.notify.letters.facts import LetterKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What a kind of letter says.

    Known are {business}, {what}, {when}, in letters to staff {customer}, in an offer {until}.
    """

    subject: str
    headline: str
    intro: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """All texts of a language."""

    language: str
    direction: Literal["ltr", "rtl"] = "ltr"

    customer: Mapping[LetterKind, Message]
    staff: Mapping[LetterKind, Message]
    # One letter about several appointments.
    several: Message
    several_pending: Message
    staff_several: Message

    # Before a value.
    what: str
    by: str
    where: str
    phone: str
    # Of what one waits for: when it has to start.
    times: str
    name: str
    email: str
    reason: str
    was: str

    # In a list, after an appointment that is not confirmed yet.
    awaiting: str
    # When the reader's clock is not that of the calendar: {time} and {zone} are the calendar's.
    other_clock: str
    # {day} and {time}, in a sentence or a subject.
    day_and_time: str

    manage: str
    take: str
    leave: str
    reply_cancels: str
    moved_away: str
    contact: str

    # Why one is written to: {business}.
    why_customer: str
    why_staff: str
    why_waiting: str

    # What the list of facts is separated from its label by, in plain text.
    label: str = "{label}: {value}"
