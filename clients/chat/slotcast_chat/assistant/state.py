"""What the assistant knows of a conversation, and what it does next. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Content: TypeAlias = Mapping[str, Any]


class Question(StrEnum):
    """What the assistant asked last: what the next message is an answer to."""

    NOTHING = "NOTHING"
    SERVICE = "SERVICE"
    ZONE = "ZONE"
    WHEN = "WHEN"
    READING = "READING"
    CHOICE = "CHOICE"
    ANOTHER_TIME = "ANOTHER_TIME"
    NAME = "NAME"
    EMAIL = "EMAIL"
    BOOK = "BOOK"
    CANCEL = "CANCEL"
    BOOKING = "BOOKING"
    SECOND = "SECOND"


class Goal(StrEnum):
    """What the person wants done with a time."""

    BOOK = "BOOK"
    MOVE = "MOVE"
    CANCEL = "CANCEL"
    WAIT = "WAIT"
    FORM = "FORM"


@dataclass(frozen=True, slots=True)
class Offer:
    """A time that was offered: its name, its words, and with whom it may be."""

    time: str
    words: str
    people: tuple[tuple[str, str], ...] = ()
    reading: int = 1

    @property
    def local_start(self) -> str:
        """`2026-12-01T10:00`, as the name of the time has it."""
        return self.time.split("|")[2][:16]

    @property
    def day(self) -> str:
        """`Tuesday 1 December 2026`, as the tools told it."""
        return self.words.partition(",")[0]


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that the words for a time may mean."""

    number: int
    words: str
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A time that is held for the conversation, and what the person is to agree to."""

    hold: str
    words: str
    until: str
    to_confirm: Content

    @property
    def time(self) -> str:
        """The name of the time that it holds."""
        return self.hold.partition("|")[2]


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that was made, moved or looked up."""

    booking: str
    version: int
    words: str
    service: str
    person: str
    status: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """All that the assistant remembers.

    turn: how many messages of the person there were.
    heard: a message that is taken up once something else is known.
    held_again: in this turn, a hold that had ended was made anew already.
    called: a call whose answer never came.
    handed_over: the hold for which a link to the form was given last.
    earlier: what was booked before `booked`, in this conversation.
    beside: the words of an own booking, where a second one is wanted beside it.
    for_two: a second one is to be asked about once the first is booked.
    only_told: what is looked up is only told: nothing is moved or cancelled by it.
    day: the one day that was last looked at, as `2026-12-01`.
    has_no_form: there is no form to send the person to.
    last_said: what was said last, to see that it is said again.
    """

    conversation: str
    zone: str = ""
    turn: int = 0
    question: Question = Question.NOTHING
    goal: Goal = Goal.BOOK
    services: tuple[Content, ...] = ()
    business: Content | None = None
    service: str = ""
    person: str = ""
    minutes: int | None = None
    when: str = ""
    heard: str = ""
    readings: tuple[Reading, ...] = ()
    offers: tuple[Offer, ...] = ()
    held: Held | None = None
    name: str = ""
    email: str = ""
    phone: str = ""
    email_asked: bool = False
    booked: Booked | None = None
    held_again: bool = False
    called: Call | None = None
    handed_over: str = ""
    earlier: tuple[Booked, ...] = ()
    beside: str = ""
    for_two: bool = False
    only_told: bool = False
    day: str = ""
    has_no_form: bool = False
    last_said: str = ""

    @property
    def is_at_the_form(self) -> bool:
        """True: what is held is the form's to book, and not to be held or booked beside it."""
        return self.held is not None and self.held.hold == self.handed_over

    @property
    def all_booked(self) -> tuple[Booked, ...]:
        """All that was booked in this conversation, and was not cancelled."""
        return (*self.earlier, *((self.booked,) if self.booked else ()))

    def service_values(self) -> Content:
        """Return what list_services said of the chosen service."""
        return next((each for each in self.services if each["service"] == self.service), {})


@dataclass(frozen=True, slots=True)
class Call:
    """A tool is to be called; `learn` is told its answer."""

    tool: str
    arguments: Content


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """What is said to the person; `offers` may be shown to choose from, `link` to be opened."""

    text: str
    offers: tuple[Offer, ...] = ()
    held: Held | None = None
    link: str = ""
    booked: Booked | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered: its values, and whether it refused."""

    content: Content
    is_refusal: bool = False

    @property
    def reason(self) -> str:
        """Why it refused, in one word; empty where it did not."""
        return str(self.content.get("reason", "")) if self.is_refusal else ""


Step: TypeAlias = tuple[State, Call | Say]
