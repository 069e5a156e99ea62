"""What a letter needs to know, and nothing else: plain values, whatever they were read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.domain.booking import BookingStatus, Customer
from service.domain.interval import Interval


class LetterKind(StrEnum):
    """What a letter tells."""

    CONFIRMATION = "confirmation"
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    WAITLIST_JOINED = "waitlist_joined"
    WAITLIST_OFFER = "waitlist_offer"


WAITLIST = frozenset({LetterKind.WAITLIST_JOINED, LetterKind.WAITLIST_OFFER})
"""These tell of no appointment yet."""
ENDINGS = frozenset({LetterKind.CANCELLED, LetterKind.DECLINED})
"""After these there is no appointment any more."""


class Recipient(StrEnum):
    """Whom it is for."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """An address, and whose it is; the name may be anything that somebody typed."""

    address: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """The business, as it stands in letters; empty text where it was not told."""

    business_id: str
    name: str
    email: str = ""
    phone: str = ""
    location: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """One appointment at one version of its booking.

    `zone` is that of its calendar, `link` where its customer can look after it. An offer of the
    waitlist has the hold's id, version 0 and no status; what one waits for has that of the entry.
    """

    booking_id: UUID
    version: int
    status: BookingStatus | None
    title: str
    calendars: tuple[str, ...]
    during: Interval
    zone: str
    earlier: Interval | None = None
    link: str = ""

    @property
    def sequence(self) -> int:
        """The SEQUENCE of its event: 0 when it was booked, one more with each change."""
        return max(self.version - 1, 0)

    def uid(self, business_id: str) -> str:
        """Return the UID of its event, which never changes."""
        return f"{self.booking_id}@{business_id}.slotcast"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """All that a letter tells.

    It has several appointments when one commit booked several. `waits_in` is when what one waits
    for must start; the one appointment then stands for what that is. `zone` is the reader's, empty
    where it is not known. `moved_away` tells a calendar that the appointment is another's now.
    `customer` and `answers` (what was asked, and answered) are for staff only.
    """

    kind: LetterKind
    recipient: Recipient
    to: Mailbox
    host: Host
    appointments: tuple[Appointment, ...]
    languages: tuple[str, ...] = ()
    zone: str = ""
    customer: Customer | None = None
    answers: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    moved_away: bool = False
    replies_cancel: bool = False
    alarm_before: timedelta = timedelta(hours=1)
    offered_until: datetime | None = None
    waits_in: tuple[Interval, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a letter about nothing, an offer without its end, and a wish without a time."""
        if not self.appointments:
            raise ValueError("A letter is about an appointment.")
        if (self.kind is LetterKind.WAITLIST_OFFER) is (self.offered_until is None):
            raise ValueError("An offer has an end, and nothing else has.")
        if (self.kind is LetterKind.WAITLIST_JOINED) is not bool(self.waits_in):
            raise ValueError("Who waits, and nobody else, waits for a time.")

    @property
    def is_several(self) -> bool:
        """Say whether it lists appointments rather than telling of one."""
        return len(self.appointments) > 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What goes around a letter: by whom, under which id, when, and after which other letter.

    `planned_at` stays when a letter is sent a second time, so that its event says the same.
    """

    sender: Mailbox
    message_id: str
    date: datetime
    planned_at: datetime
    first_message_id: str = ""
