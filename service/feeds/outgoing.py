"""The bookings of a calendar as an iCalendar file (RFC 5545). Pure.

It is written line by line: a library that makes an object of each property takes seconds for what
calendar programs ask for every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from service.domain.booking import Booking, BookingStatus
from service.feeds.text import clean_line

EVENTS_MAX = 5_000
"""Of more bookings those that start last are left out."""
PAST = timedelta(days=30)
AHEAD = timedelta(days=366)
NAME_LENGTH_MAX = 200
LINE_BYTES_MAX = 75

_HEAD = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Slotcast//Bookings//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    # How often a program is asked to look again; many do as they like.
    "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
    "X-PUBLISHED-TTL:PT15M",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarPage:
    """What a calendar's file is made of. Bookings are in the order of their starts."""

    business_id: str
    business_name: str
    location: str
    calendar_name: str
    zone: str
    type_names: Mapping[str, str]
    bookings: Sequence[Booking]
    with_names: bool

    @property
    def content_tag(self) -> str:
        """Return what is another where the file is another."""
        said = sha256()
        for text in (self.business_name, self.location, self.calendar_name, self.zone):
            said.update(f"{text}\0".encode())
        for booking in self.bookings:
            summary = self._summary(booking)
            said.update(f"{booking.booking_id} {booking.version} {summary}\0".encode())
        return said.hexdigest()[:32]

    def file(self) -> bytes:
        """Return the file."""
        return b"".join(_folded(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _HEAD
        yield f"X-WR-CALNAME:{_text(f'{self.calendar_name}, {self.business_name}')}"
        yield f"X-WR-TIMEZONE:{_text(self.zone)}"
        for booking in self.bookings:
            yield from self._event(booking)
        yield "END:VCALENDAR"

    def _event(self, booking: Booking) -> Iterator[str]:
        is_pending = booking.status is BookingStatus.PENDING
        yield "BEGIN:VEVENT"
        yield f"UID:{booking.booking_id}@{self.business_id}.slotcast"
        yield f"SEQUENCE:{booking.version - 1}"
        yield f"DTSTAMP:{_instant(booking.updated_at)}"
        yield f"CREATED:{_instant(booking.created_at)}"
        yield f"LAST-MODIFIED:{_instant(booking.updated_at)}"
        yield f"DTSTART:{_instant(booking.appointment.start)}"
        yield f"DTEND:{_instant(booking.appointment.end)}"
        yield f"SUMMARY:{_text(self._summary(booking))}"
        yield f"STATUS:{'TENTATIVE' if is_pending else 'CONFIRMED'}"
        if self.location:
            yield f"LOCATION:{_text(self.location)}"
        yield "END:VEVENT"

    def _summary(self, booking: Booking) -> str:
        type_name = self.type_names.get(booking.type_id, booking.type_id)
        return f"{type_name}: {booking.customer.display_name}" if self.with_names else type_name


def _text(text: str) -> str:
    """Return a text as a value, without anything that could end its line."""
    line = clean_line(text, NAME_LENGTH_MAX)
    return line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _folded(line: str) -> bytes:
    """Return a line of at most 75 bytes, and what more there is on lines that continue it.

    No character is parted: not all programs put its bytes together again.
    """
    data = line.encode()
    pieces: list[bytes] = []
    room = LINE_BYTES_MAX
    while len(data) > room:
        cut = room
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        pieces.append(data[:cut])
        data, room = data[cut:], LINE_BYTES_MAX - 1
    return b"\r\n ".join((*pieces, data)) + b"\r\n"
