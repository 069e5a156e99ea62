"""Letters with sensible defaults: tests name only what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from service.domain.booking import BookingStatus, Customer
from service.domain.interval import Interval
from service.notify.letters.facts import (
    WAITLIST,
    Appointment,
    Envelope,
    Host,
    Letter,
    LetterKind,
    Mailbox,
    Recipient,
)

NOW = datetime(2030, 6, 3, 12, 0, tzinfo=UTC)
START = datetime(2030, 6, 4, 8, 30, tzinfo=UTC)
"""A Tuesday, half past ten in Berlin."""
LINK = "https://book.example.com/manage/#slotcast_manage_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
LANGUAGES = ("en", "de", "es", "fr", "ar", "ja")

STATUSES = {
    LetterKind.PENDING: BookingStatus.PENDING,
    LetterKind.DECLINED: BookingStatus.DECLINED,
    LetterKind.CANCELLED: BookingStatus.CANCELLED,
    LetterKind.WAITLIST_JOINED: None,
    LetterKind.WAITLIST_OFFER: None,
}
STAFF_KINDS = tuple(kind for kind in LetterKind if kind not in {LetterKind.REMINDER, *WAITLIST})
"""Staff have no reminders by mail, and wait for nothing."""


def a_host(**changes):
    host = Host(
        business_id="salon",
        name="Salon Lindenhof",
        email="hello@lindenhof.example",
        phone="+49 30 901820",
        location="Lindenstraße 12, 10969 Berlin",
    )
    return replace(host, **changes)


def an_appointment(**changes):
    appointment = Appointment(
        booking_id=UUID(int=1),
        version=1,
        status=BookingStatus.CONFIRMED,
        title="Haircut and styling",
        calendars=("Anna",),
        during=Interval(START, START + timedelta(minutes=45)),
        zone="Europe/Berlin",
        link=LINK,
    )
    return replace(appointment, **changes)


def a_letter(kind=LetterKind.CONFIRMATION, *, appointment=None, **changes):
    """Return a letter to the customer."""
    given: dict[str, Any] = {"status": STATUSES.get(kind, BookingStatus.CONFIRMED), "version": 1}
    if kind is LetterKind.RESCHEDULED:
        before = START - timedelta(days=1)
        given |= {"version": 2, "earlier": Interval(before, before + timedelta(minutes=45))}
    waits_in = (Interval(START, START + timedelta(days=1)),)
    letter = Letter(
        kind=kind,
        recipient=Recipient.CUSTOMER,
        to=Mailbox(address="ada@example.com", name="Ada Lovelace"),
        host=a_host(),
        appointments=(an_appointment(**given, **(appointment or {})),),
        offered_until=NOW + timedelta(minutes=15) if kind is LetterKind.WAITLIST_OFFER else None,
        waits_in=waits_in if kind is LetterKind.WAITLIST_JOINED else (),
    )
    return replace(letter, **changes)


def a_staff_letter(kind=LetterKind.CONFIRMATION, **changes):
    given = {
        "recipient": Recipient.STAFF,
        "to": Mailbox(address="anna@lindenhof.example", name="Anna"),
        "customer": Customer(
            display_name="Ada Lovelace", email="ada@example.com", phone="+44 20 7946 0958"
        ),
        "answers": (("Anything we should know?", "I am allergic to henna.\nPlease no music."),),
    }
    letter = a_letter(kind, appointment={"link": ""}, **given)
    return replace(letter, **changes)


def several(number=3, **changes):
    """Return a letter about so many appointments, a week apart."""
    appointments = tuple(
        an_appointment(
            booking_id=UUID(int=1 + week),
            during=Interval(
                START + timedelta(weeks=week), START + timedelta(weeks=week, minutes=45)
            ),
        )
        for week in range(number)
    )
    return a_letter(**{"appointments": appointments, **changes})


def an_envelope(**changes):
    envelope = Envelope(
        sender=Mailbox(address="bookings@slotcast.example"),
        message_id="<d1.salon@slotcast.example>",
        date=NOW,
        planned_at=NOW,
    )
    return replace(envelope, **changes)
