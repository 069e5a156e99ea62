"""The event of an appointment, as iCalendar: an invitation, a cancellation, or a plain list.

RFC 5545 (iCalendar), 5546 (iTIP) and 6047 (iMIP). All text of others is cleaned here once more: the
library checks some of it by assertions only, which `python -O` leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from service.domain.booking import BookingStatus
from service.feeds.text import clean_line, clean_text
from service.notify.letters.content import Content
from service.notify.letters.facts import (
    ENDINGS,
    WAITLIST,
    Appointment,
    Envelope,
    Letter,
    Recipient,
)
from service.notify.letters.when import known_zone
from service.notify.letters.zones import definition_of

PRODUCT = "-//Slotcast//Letters 1//EN"
PARAMETER_CHARACTERS_MAX = 100
DESCRIPTION_CHARACTERS_MAX = 4000

_UTC = frozenset(
    {"UTC", "UCT", "Zulu", "Universal", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal"}
)
_NOT_IN_PARAMETERS = str.maketrans({'"': "'", "^": "", "\\": "", ";": ",", ":": " "})


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """An iCalendar object and its method."""

    method: str
    data: bytes


def ics_of(letter: Letter, content: Content, envelope: Envelope) -> Attachment | None:
    """Return the events of a letter; None: what is waited for, or offered, is no event yet.

    One appointment is an invitation, or its cancellation; several are a list that answers nothing.
    """
    if letter.kind in WAITLIST:
        return None
    method = _method(letter)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    _add_zones(calendar, letter)
    for appointment in letter.appointments:
        calendar.add_component(_event(letter, appointment, content, envelope))
    return Attachment(method=method, data=calendar.to_ical())


def _add_zones(calendar: Calendar, letter: Letter) -> None:
    """Define each zone that is named."""
    earliest: dict[ZoneInfo, datetime] = {}
    for appointment in letter.appointments:
        zone, start = _named_zone(appointment.zone), appointment.during.start
        if zone is not None:
            earliest[zone] = min(start, earliest.get(zone, start))
    for zone, start in earliest.items():
        calendar.add_component(definition_of(zone, start))


def _method(letter: Letter) -> str:
    if letter.kind in ENDINGS:
        return "CANCEL"
    return "PUBLISH" if letter.is_several else "REQUEST"


def _event(letter: Letter, appointment: Appointment, content: Content, envelope: Envelope) -> Event:
    event = Event()
    event.add("uid", appointment.uid(letter.host.business_id))
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", envelope.planned_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", _local(appointment.during.start, appointment.zone))
    event.add("dtend", _local(appointment.during.end, appointment.zone))
    event.add("summary", _summary(letter, appointment))
    event.add("status", _status(letter, appointment))
    event.add("transp", "OPAQUE")
    event.add("description", _description(letter, appointment, content))
    if location := clean_line(letter.host.location):
        event.add("location", location)
    event["ORGANIZER"] = _organizer(letter, envelope)
    if not letter.is_several:
        event.add("attendee", _attendee(letter))
    if letter.kind not in ENDINGS:
        event.add_component(_alarm(letter, appointment))
    return event


def _named_zone(name: str) -> ZoneInfo | None:
    """Return the zone by whose clock an event is told; UTC needs no definition, and has none."""
    zone = known_zone(name)
    return None if zone is None or zone.key in _UTC else zone


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(_named_zone(zone) or UTC)


def _status(letter: Letter, appointment: Appointment) -> str:
    if letter.kind in ENDINGS:
        return "CANCELLED"
    return "TENTATIVE" if appointment.status is BookingStatus.PENDING else "CONFIRMED"


def _summary(letter: Letter, appointment: Appointment) -> str:
    title = clean_line(appointment.title)
    other = letter.host.name
    if letter.recipient is Recipient.STAFF and letter.customer is not None:
        other = letter.customer.display_name
    return clean_line(f"{title}: {clean_line(other)}")


def _description(letter: Letter, appointment: Appointment, content: Content) -> str:
    parts = [content.labelled(row) for row in content.rows]
    if letter.is_several:
        parts.insert(0, clean_line(", ".join(appointment.calendars)))
    told = clean_text("\n".join(parts), DESCRIPTION_CHARACTERS_MAX)
    if not appointment.link or letter.kind in ENDINGS:
        return told
    return f"{told}\n\n{content.speech.words.manage}:\n{appointment.link}"


def _organizer(letter: Letter, envelope: Envelope) -> vCalAddress:
    address = envelope.sender.address
    organizer = vCalAddress(f"mailto:{address}")
    organizer.params["CN"] = vText(_parameter(letter.host.name) or address)
    return organizer


def _attendee(letter: Letter) -> vCalAddress:
    """Return the reader, who need not answer but where an answer does something."""
    attendee = vCalAddress(f"mailto:{letter.to.address}")
    attendee.params["CN"] = vText(_parameter(letter.to.name) or letter.to.address)
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    asks = letter.replies_cancel and letter.recipient is Recipient.CUSTOMER
    asks = asks and letter.kind not in ENDINGS
    attendee.params["PARTSTAT"] = vText("NEEDS-ACTION" if asks else "ACCEPTED")
    if asks:
        attendee.params["RSVP"] = vText("TRUE")
    return attendee


def _parameter(text: str) -> str:
    """Return a text that needs no escaping in a parameter, whoever reads it."""
    return clean_line(text.translate(_NOT_IN_PARAMETERS), PARAMETER_CHARACTERS_MAX)


def _alarm(letter: Letter, appointment: Appointment) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _summary(letter, appointment))
    alarm.add("trigger", -max(letter.alarm_before, timedelta()))
    return alarm
