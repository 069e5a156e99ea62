"""Dates and times in words, as the reader's clock shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, dates

from service.domain.interval import Interval
from service.notify.letters.words.languages import Speech


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """When something is: the day, from when to when, and by whose clock.

    `start` is the short form, of the day and the time. `note` says what the calendar's clock shows
    where that is another time.
    """

    day: str
    span: str
    zone: str
    start: str
    note: str = ""


def when(during: Interval, *, zone: str, calendar_zone: str, business: str, speech: Speech) -> When:
    """Say when that is by the clock of `zone`, or by the calendar's where there is no such zone."""
    here, there = known_zone(zone) or known_zone(calendar_zone), known_zone(calendar_zone)
    if here is None or there is None:
        here = there = ZoneInfo("UTC")
    start, end = during.start.astimezone(here), during.end.astimezone(here)
    return When(
        day=_day(start, speech.locale),
        span=_span(start, end, speech),
        zone=_zone_name(start, speech.locale),
        start=_short(start, speech),
        note=_note(start, start.astimezone(there), business, speech),
    )


def moment(instant: datetime, *, zone: str, calendar_zone: str, speech: Speech) -> str:
    """Return an instant as day and time, by the same clock as `when`."""
    here = known_zone(zone) or known_zone(calendar_zone) or ZoneInfo("UTC")
    return _short(instant.astimezone(here), speech)


def known_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name; None where there is none, or its name is empty."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _day(instant: datetime, locale: Locale) -> str:
    return dates.format_date(instant, "full", locale=locale)


def _time(instant: datetime, locale: Locale) -> str:
    return dates.format_time(instant, "short", locale=locale)


def _short(instant: datetime, speech: Speech) -> str:
    """Return such as `Tue, Mar 3, 10:00 AM`; the year is in the letter."""
    day = dates.format_skeleton("MMMEd", instant, locale=speech.locale)
    return speech.words.day_and_time.format(day=day, time=_time(instant, speech.locale))


def _span(start: datetime, end: datetime, speech: Speech) -> str:
    """Return from when to when; an end on another day says so."""
    last = _time(end, speech.locale)
    if end.date() != start.date():
        last = _short(end, speech)
    return f"{_time(start, speech.locale)} – {last}"


def _zone_name(instant: datetime, locale: Locale) -> str:
    """Return such as `Central European Standard Time (Berlin)`."""
    name = dates.get_timezone_name(instant, width="long", locale=locale)
    zone = instant.tzinfo
    assert isinstance(zone, ZoneInfo)
    city = dates.get_timezone_location(zone, locale=locale, return_city=True)
    return name if "/" not in zone.key or city in name else f"{name} ({city})"


def _note(here: datetime, there: datetime, business: str, speech: Speech) -> str:
    if here.utcoffset() == there.utcoffset():
        return ""
    shown = _time(there, speech.locale) if here.date() == there.date() else _short(there, speech)
    zone = dates.get_timezone_name(there, width="long", locale=speech.locale)
    return speech.words.other_clock.format(business=business, time=shown, zone=zone)
