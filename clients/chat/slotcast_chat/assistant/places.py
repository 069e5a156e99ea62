"""The time zones that people name: by their IANA name, or by a city in them."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

_CITIES = {
    "barcelona": "Europe/Madrid",
    "boston": "America/New_York",
    "cologne": "Europe/Berlin",
    "delhi": "Asia/Kolkata",
    "frankfurt": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "hamburg": "Europe/Berlin",
    "kyiv": "Europe/Kyiv",
    "milan": "Europe/Rome",
    "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin",
    "new york city": "America/New_York",
    "osaka": "Asia/Tokyo",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "washington": "America/New_York",
}
_AREAS = frozenset(
    {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
)
_IANA = re.compile(r"\b[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+-]+){1,2}")
_WORD = r"[^\W\d_][\w.'-]*"
_IN_CITY = re.compile(rf"\b(?:[Ii]n|[Ff]rom|[Ff]or)\s+((?:{_WORD})(?:\s+{_WORD}){{0,2}})")


_CITY_TIME = re.compile(rf"((?:{_WORD}\s+){{1,3}})[Tt]ime\b")
_UNCLEAR = re.compile(
    r"\b(?:[ECMP][SD]?T|GMT|UTC|BST|IST|JST|CET|CEST|EET|EEST|WET|WEST|AES?T|AEDT)\b"
    r"(?:\s*[+-]\s*\d{1,2}(?::?\d{2})?)?"
)


def zone_of_unclear_name(text: str) -> str:
    """Return what names a zone in a way that is not read: `EST`, `UTC+2`; empty: nothing does."""
    found = _UNCLEAR.search(text)
    return found.group() if found else ""


def without_unclear_zone(text: str) -> str:
    """Return a text without what names a zone in a way that is not read."""
    return _UNCLEAR.sub(" ", text)


def zone_named(text: str) -> tuple[str, str]:
    """Return the zone that a text names, by its own name or `in <city>`, and the words that do."""
    exact = _IANA.search(text)
    if exact and exact.group() in available_timezones():
        return exact.group(), exact.group()
    for match in _IN_CITY.finditer(text):
        words = match.group(1).split()
        for count in range(len(words), 0, -1):
            zone = _zone_of_city(" ".join(words[:count]))
            if zone:
                return zone, f"{match.group().split()[0]} {' '.join(words[:count])}"
    for match in _CITY_TIME.finditer(text):
        words = match.group(1).split()
        for first in range(len(words)):
            zone = _zone_of_city(" ".join(words[first:]))
            if zone:
                return zone, match.group()[match.group().index(words[first]) :]
    return "", ""


def zone_answered(text: str) -> str:
    """Return the zone that an answer to `in which city are you?` names; empty: none is known."""
    zone, _ = zone_named(text)
    words = re.findall(_WORD, text)
    parts = [
        " ".join(words[start : start + count])
        for count in (3, 2, 1)
        for start in range(len(words) - count + 1)
    ]
    return zone or next(filter(None, map(_zone_of_city, parts)), "")


def _zone_of_city(city: str) -> str:
    return _zones_by_city().get(city.casefold().rstrip("."), "")


@cache
def _zones_by_city() -> dict[str, str]:
    zones = sorted(zone for zone in available_timezones() if zone.partition("/")[0] in _AREAS)
    return {zone.rpartition("/")[2].replace("_", " ").casefold(): zone for zone in zones} | _CITIES
