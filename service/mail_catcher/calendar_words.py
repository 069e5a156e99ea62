"""An .ics in words, read by a library of others: what a calendar program would make of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from icalendar import Calendar
from icalendar.cal import Component
from icalendar.prop import vDDDTypes

EVENTS_MAX = 20
METHODS = {
    "REQUEST": "REQUEST: put it into the calendar, or change it there",
    "CANCEL": "CANCEL: take it out of the calendar",
    "PUBLISH": "PUBLISH: for information",
    "REPLY": "REPLY: an answer to an invitation",
}
_PLAIN = (
    ("What", "SUMMARY"),
    ("Where", "LOCATION"),
    ("Status", "STATUS"),
    ("Organiser", "ORGANIZER"),
    ("UID", "UID"),
    ("Sequence", "SEQUENCE"),
    ("Description", "DESCRIPTION"),
)
Facts = list[tuple[str, str]]


def calendar_facts(text: str) -> Facts:
    """Return what it says, as pairs of a word and its value."""
    try:
        calendar = Calendar.from_ical(text)
    except ValueError as error:
        return [("Damaged", str(error))]
    assert isinstance(calendar, Component)
    method = str(calendar.get("METHOD", "")).upper()
    facts = [("Method", METHODS.get(method, method))] if method else []
    for event in calendar.walk("VEVENT")[:EVENTS_MAX]:
        facts += _event_facts(event)
    return facts


def _event_facts(event: Component) -> Facts:
    facts = [(word, _plain(event, name)) for word, name in _PLAIN if name in event]
    facts[1:1] = _when(event)
    facts += [("Attendee", _attendee(each)) for each in _listed(event.get("ATTENDEE"))]
    facts += [("Alarm", _alarm(alarm)) for alarm in event.walk("VALARM")]
    return facts


def _plain(event: Component, name: str) -> str:
    value = event.get(name)
    return _attendee(value) if name == "ORGANIZER" else str(value)


def _when(event: Component) -> Facts:
    start, end = (_instant(event.get(name)) for name in ("DTSTART", "DTEND"))
    facts = []
    if start is not None:
        facts.append(("From", _shown(start)))
    if end is not None:
        facts.append(("Until", _shown(end)))
    return facts


def _instant(value: object) -> date | None:
    return value.dt if isinstance(value, vDDDTypes) and isinstance(value.dt, date) else None


def _shown(instant: date) -> str:
    if not isinstance(instant, datetime):
        return f"{instant:%A, %d %B %Y}, all day"
    if instant.tzinfo is None:
        return f"{instant:%A, %d %B %Y, %H:%M}, by the clock of whoever reads it"
    zone = getattr(instant.tzinfo, "key", None) or instant.tzname()
    return f"{instant:%A, %d %B %Y, %H:%M} {zone} (UTC{instant:%z})"


def _attendee(value: object) -> str:
    address = str(value).removeprefix("mailto:").removeprefix("MAILTO:")
    parameters = getattr(value, "params", {})
    told = [str(parameters[name]) for name in ("ROLE", "PARTSTAT") if name in parameters]
    if str(parameters.get("RSVP", "")).upper() == "TRUE":
        told.append("an answer is asked for")
    name = f"{parameters['CN']} " if "CN" in parameters else ""
    return f"{name}<{address}>" + (f" ({', '.join(told)})" if told else "")


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _alarm(alarm: Component) -> str:
    trigger = getattr(alarm.get("TRIGGER"), "dt", None)
    if isinstance(trigger, datetime):
        return f"at {_shown(trigger)}"
    if not isinstance(trigger, timedelta):
        return "without a time"
    return f"{_length(abs(trigger))} {'before' if trigger < timedelta() else 'after'} the start"


def _length(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60:02} min"
