"""Mail as its reader's programs read it: by `email`, and its event by vobject and by ics.

What is found wrong is raised and not asserted, so that it is found under `python -O` too.
"""

from __future__ import annotations

import email
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import vobject  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # ics 0.7 uses what its own dependencies have deprecated.
    warnings.simplefilter("ignore")
    import ics  # type: ignore[import-untyped]

STRUCTURE = [
    "multipart/mixed",
    "multipart/alternative",
    "text/plain",
    "text/html",
    "text/calendar",
    "application/ics",
]
STRUCTURE_OF_AN_OFFER = ["multipart/alternative", "text/plain", "text/html"]

HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "content-language",
    "reply-to",
    "mime-version",
    "content-type",
}
OF_AN_EVENT = [
    "attendee",
    "description",
    "dtend",
    "dtstamp",
    "dtstart",
    "location",
    "organizer",
    "sequence",
    "status",
    "summary",
    "transp",
    "uid",
]
OF_A_CALENDAR = ["calscale", "method", "prodid", "version"]


class Wrong(Exception):
    """A letter is not as it should be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What two libraries agree on about an event."""

    uid: str
    sequence: int
    status: str
    start: datetime
    end: datetime
    summary: str
    description: str
    location: str
    organizer: str
    attendees: tuple[str, ...]
    alarm_before: timedelta | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail, read back."""

    message: EmailMessage
    method: str
    events: tuple[Event, ...]

    @property
    def event(self) -> Event:
        """Its only event."""
        (event,) = self.events
        return event

    @property
    def text(self) -> str:
        """Its plain text."""
        return part_of(self.message, "text/plain").get_content().replace("\r\n", "\n")

    @property
    def html(self) -> str:
        """Its HTML."""
        return part_of(self.message, "text/html").get_content()

    @property
    def ics(self) -> str:
        """Its event as text."""
        return calendar_text(self.message)


def read(data: bytes, *, by_both: bool = True) -> Mail:
    """Read a mail, and see that all who read it see the same; ics takes ten times as long."""
    message = email.message_from_bytes(data, policy=SMTP)
    if not isinstance(message, EmailMessage):
        raise Wrong("the policy makes it so")
    found = [part.get_content_type() for part in message.walk()]
    if found == STRUCTURE_OF_AN_OFFER:
        return Mail(message=message, method="", events=())
    if found != STRUCTURE:
        raise Wrong(f"its parts are {found}")
    part, attachment = part_of(message, "text/calendar"), part_of(message, "application/ics")
    if attachment.get_content() != part.get_payload(decode=True):
        raise Wrong("what is attached is not the event")
    text = calendar_text(message)
    # vobject keeps the zones that a file defines for the files after it.
    getattr(vobject.icalendar, "__tzidMap").clear()
    (calendar,) = vobject.readComponents(text)
    by_vobject = _by_vobject(calendar)
    if by_both and [_shared(event) for event in by_vobject] != _by_ics(text):
        raise Wrong(f"vobject reads {by_vobject}, and ics {_by_ics(text)}")
    method = calendar.method.value
    if part["Content-Type"].params.get("method") != method:
        raise Wrong("its part does not name its method")
    return Mail(message=message, method=method, events=tuple(by_vobject))


def part_of(message: EmailMessage, content_type: str) -> EmailMessage:
    """Return the only part of a type."""
    (part,) = (each for each in message.walk() if each.get_content_type() == content_type)
    if not isinstance(part, EmailMessage):
        raise Wrong("the policy makes it so")
    return part


def calendar_text(message: EmailMessage) -> str:
    """Return the event, with its lines as they are."""
    payload = part_of(message, "text/calendar").get_payload(decode=True)
    if not isinstance(payload, bytes):
        raise Wrong("it has no content")
    return payload.decode()


def check_nothing_was_added(mail: Mail, *, asks: bool = False) -> None:
    """See that there is one event, the expected properties and headers, and nothing more."""
    names = sorted(name.lower() for name, _ in mail.message.items())
    if names != sorted(HEADERS):
        raise Wrong(f"its headers are {names}")
    if len(mail.message["To"].addresses) != 1 or len(mail.message["From"].addresses) != 1:
        raise Wrong("it has more than one address")
    (calendar,) = vobject.readComponents(mail.ics)
    children = sorted(child.name for child in calendar.components())
    if children not in (["VEVENT"], ["VEVENT", "VTIMEZONE"]):
        raise Wrong(f"its components are {children}")
    of_calendar = sorted(name for name in calendar.contents if name not in {"vevent", "vtimezone"})
    if of_calendar != OF_A_CALENDAR:
        raise Wrong(f"the calendar's properties are {of_calendar}")
    event = calendar.vevent
    of_event = sorted(
        name for name, found in event.contents.items() for _ in found if name != "valarm"
    )
    if of_event not in (OF_AN_EVENT, [name for name in OF_AN_EVENT if name != "location"]):
        raise Wrong(f"the event's properties are {of_event}")
    expected = {"CN", "PARTSTAT", "ROLE"} | ({"RSVP"} if asks else set())
    if set(event.attendee.params) != expected or set(event.organizer.params) != {"CN"}:
        raise Wrong(f"its parameters are {event.attendee.params} and {event.organizer.params}")
    if mail.ics.splitlines() != mail.ics.split("\r\n")[:-1]:
        raise Wrong("it has a line more for who counts other ends of lines")
    if any(ord(each) < 32 and each not in "\r\n" for each in mail.ics):
        raise Wrong("it has a control character")


def _by_vobject(calendar) -> list[Event]:
    return [
        Event(
            uid=event.uid.value,
            sequence=int(event.sequence.value),
            status=event.status.value,
            start=event.dtstart.value.astimezone(UTC),
            end=event.dtend.value.astimezone(UTC),
            summary=event.summary.value,
            description=event.description.value,
            location=event.location.value if hasattr(event, "location") else "",
            organizer=event.organizer.value,
            attendees=tuple(line.value for line in event.contents.get("attendee", ())),
            alarm_before=-event.valarm.trigger.value if hasattr(event, "valarm") else None,
        )
        for event in calendar.contents["vevent"]
    ]


def _shared(event: Event) -> tuple:
    """Return what ics reads of an event too."""
    return (
        event.uid,
        event.status,
        event.start,
        event.end,
        _loose(event.summary),
        _loose(event.description),
        _loose(event.location),
        event.organizer.removeprefix("mailto:"),
        tuple(each.removeprefix("mailto:") for each in event.attendees),
        event.alarm_before,
        event.sequence,
    )


def _loose(text: str) -> str:
    r"""Return a text as ics 0.7 reads it, to which a backslash and an n are a new line."""
    return text.replace("\\", "").replace("\n", "n")


def _by_ics(text: str) -> list[tuple]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendar = ics.Calendar(text)
        return [
            (
                event.uid,
                event.status,
                event.begin.datetime.astimezone(UTC),
                event.end.datetime.astimezone(UTC),
                _loose(event.name),
                _loose(event.description),
                _loose(event.location or ""),
                event.organizer.email,
                tuple(sorted(attendee.email for attendee in event.attendees)),
                next((-alarm.trigger for alarm in event.alarms), None),
                next(int(line.value) for line in event.extra if line.name == "SEQUENCE"),
            )
            for event in sorted(calendar.events, key=lambda each: each.begin)
        ]
