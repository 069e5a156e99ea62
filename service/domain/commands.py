"""Commands: what a caller wants done to one business, decoded and not yet decided.

Ids of what a command makes come with it, so that deciding needs no source of chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service.domain.booking import Booking, BookingEvent, Customer, Hold
from service.domain.busy_feed import UPLOADED, BusyFeed, FeedSource
from service.domain.catalog import AppointmentType, Business, Calendar, Catalog, Closure, Schedule
from service.domain.consent import Consent
from service.domain.errors import DomainError
from service.domain.handoff import Handoff, PrefilledField
from service.domain.interval import Interval
from service.domain.recurrence import Recurrence
from service.domain.waitlist import Freed, WaitlistEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotWish:
    """Which slot: `calendar_id` None is any of the type's, `duration` None the type's first.

    `consent` is what the person was shown; None: nothing is compared.
    """

    type_id: str
    calendar_id: str | None
    start: datetime
    duration: timedelta | None
    consent: Consent | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldWish:
    """The slot of a hold."""

    hold_id: UUID
    consent: Consent | None = None


Wish = SlotWish | HoldWish


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldSlot:
    """Claim a slot for a while."""

    hold_id: UUID
    principal_id: str
    holder: str
    slot: SlotWish
    conversation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewHold:
    """Let a hold last its full time from now."""

    hold_id: UUID
    principal_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseHold:
    """Free a held slot."""

    hold_id: UUID
    principal_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateHandoff:
    """Let a hold last its full time from now, and make a ticket that carries it to a form."""

    handoff_id: UUID
    hold_id: UUID
    principal_id: str
    fields: tuple[PrefilledField, ...] = ()
    conversation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RedeemHandoff:
    """Take over the hold of a ticket, for its full time from now.

    `request_id` is that of the request, whose answer is erased with what is prefilled.
    """

    handoff_id: UUID
    principal_id: str
    holder: str
    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """Book one or several appointments, all or none; `booking_ids` has one id for each.

    Without a `conversation` each belongs to that of its own hold.
    """

    principal_id: str
    holder_key: str | None
    booking_ids: tuple[UUID, ...]
    wishes: tuple[Wish, ...]
    customer: Customer
    fields: Mapping[str, str]
    conversation: str = ""


class SeriesMode(StrEnum):
    """What to do where an occurrence of a series does not fit: book nothing, or the others."""

    ALL_OR_NONE = "all_or_none"
    AS_MANY_AS_FIT = "as_many_as_fit"


@dataclass(frozen=True, kw_only=True, slots=True)
class BookSeries:
    """Book an appointment that recurs; `booking_ids` has one id for each that there may be."""

    principal_id: str
    holder_key: str | None
    series_id: UUID
    booking_ids: tuple[UUID, ...]
    first: SlotWish
    recurrence: Recurrence
    mode: SeriesMode
    customer: Customer
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reschedule:
    """Move a booking."""

    booking_id: UUID
    version: int
    principal_id: str
    wish: Wish
    override_notice: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeStatus:
    """Cancel, approve, decline, complete, or mark as missed."""

    booking_id: UUID
    version: int
    event: BookingEvent
    cancel_reason: str = ""
    override_notice: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinWaitlist:
    """Wait for a slot. `found` are times that a look from outside saw open and that would do."""

    entry_id: UUID
    principal_id: str
    holder: str
    type_id: str
    calendar_ids: tuple[str, ...]
    windows: tuple[Interval, ...]
    duration: timedelta | None
    customer: Customer
    fields: Mapping[str, str]
    found: tuple[Freed, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaveWaitlist:
    """Wait no more, and decline what is offered."""

    entry_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class PassOn:
    """End the offers that were not taken in time, and the waiting whose last window has passed.

    `letters_are_on`: who has an address is told by letter, and who was not waits again.
    """

    entry_ids: tuple[UUID, ...]
    letters_are_on: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferOpen:
    """Offer what has opened by time, or by another catalogue or busy time, if it still is open."""

    found: tuple[Freed, ...]


WaitlistCommand = JoinWaitlist | LeaveWaitlist | PassOn | OfferOpen
HoldCommand = HoldSlot | RenewHold | ReleaseHold | CreateHandoff | RedeemHandoff
BookingCommand = HoldCommand | Book | BookSeries | Reschedule | ChangeStatus | WaitlistCommand


@dataclass(frozen=True, kw_only=True, slots=True)
class PutBusiness:
    """Make a business, or change one."""

    create: bool
    business: Business


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteBusiness:
    """Remove a business and all that belongs to it."""

    business_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PutCalendar:
    """Add or change a calendar."""

    create: bool
    calendar: Calendar


@dataclass(frozen=True, kw_only=True, slots=True)
class PutType:
    """Add or change an appointment type."""

    create: bool
    type: AppointmentType


@dataclass(frozen=True, kw_only=True, slots=True)
class PutSchedule:
    """Add or change opening hours."""

    create: bool
    schedule: Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class PutClosure:
    """Add or change a closure."""

    create: bool
    closure: Closure


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteCalendar:
    """Remove a calendar that nothing needs."""

    calendar_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteType:
    """Remove an appointment type without bookings to come."""

    type_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteSchedule:
    """Remove opening hours that no calendar follows."""

    schedule_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteClosure:
    """Open again what was closed."""

    closure_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportBusy:
    """Replace the busy time that a feed puts on a calendar. `busy` is sorted and disjoint."""

    calendar_id: str
    feed_id: str
    busy: tuple[Interval, ...]
    source: FeedSource = UPLOADED


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteFeed:
    """End a feed, and free its busy time."""

    calendar_id: str
    feed_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseForFeed:
    """Close a calendar because its feed, last read at `read_at`, could not be read for too long.

    It is for a feed as it was when it began to be fetched: not for one that has another URL by now,
    or was read since. `next_in` is when to fetch it again.
    """

    calendar_id: str
    feed_id: str
    url: str
    read_at: datetime | None
    failure: str
    next_in: timedelta


CatalogCommand = (
    PutBusiness
    | DeleteBusiness
    | PutCalendar
    | PutType
    | PutSchedule
    | PutClosure
    | DeleteCalendar
    | DeleteType
    | DeleteSchedule
    | DeleteClosure
    | ImportBusy
    | DeleteFeed
)
FeedCommand = ImportBusy | DeleteFeed | CloseForFeed
Command = BookingCommand | CatalogCommand | CloseForFeed


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """What became of one occurrence of a series: its booking, or why there is none."""

    start: datetime
    booking: Booking | None = None
    refusal: DomainError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command did, at which revision."""

    revision: int
    bookings: tuple[Booking, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    hold: Hold | None = None
    # An entry of the waitlist; `hold` is then what it is offered.
    entry: WaitlistEntry | None = None
    catalog: Catalog | None = None
    feed: BusyFeed | None = None
    # Of `hold`.
    handoff: Handoff | None = None
