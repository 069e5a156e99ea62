"""Consent: what a person was shown and agreed to, compared with what would be booked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.catalog import AppointmentType
from service.domain.civil_time import told_in
from service.domain.errors import ConsentMismatch
from service.domain.interval import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What was shown: names as they are displayed.

    `start` has the offset that was told, and `zone` is the one in which it was. Without a
    `calendar` nobody was named, and without a `duration` nothing was said of it.
    """

    start: datetime
    zone: str
    type: str
    calendar: str = ""
    price: str = ""
    duration: timedelta | None = None


def check_consent(
    consent: Consent,
    appointment: Interval,
    type_: AppointmentType,
    calendars: Sequence[str],
) -> None:
    """Raise ConsentMismatch at the first difference from what would be booked.

    `calendars` are the display names of all that it occupies, that of the slot's own first: any of
    them may have been named.
    """
    for field, shown, actual in _compared(consent, appointment, type_, calendars):
        if shown != actual:
            raise ConsentMismatch(field=field, shown=shown, actual=actual)


def _compared(
    consent: Consent, appointment: Interval, type_: AppointmentType, calendars: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield each field, with what was shown of it and what it is."""
    yield "start", consent.start.isoformat(), told_in(consent.zone, appointment.start).isoformat()
    yield "appointment_type", consent.type, type_.display_name
    if consent.calendar and consent.calendar not in calendars:
        yield "calendar", consent.calendar, calendars[0]
    yield "price", consent.price, type_.price
    if consent.duration is not None:
        yield "duration", _seconds(consent.duration), _seconds(appointment.end - appointment.start)


def _seconds(span: timedelta) -> str:
    return f"{int(span.total_seconds())}s"
