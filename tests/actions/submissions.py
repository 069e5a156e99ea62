"""Submissions as the edge makes them, with an answer that is easy to read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from service.actions.submission import Submission
from service.domain.booking import BookingEvent, Customer
from service.domain.catalog import AppointmentType, Catalog
from service.domain.commands import (
    Book,
    ChangeStatus,
    Command,
    HoldSlot,
    HoldWish,
    JoinWaitlist,
    LeaveWaitlist,
    Outcome,
    PassOn,
    PutBusiness,
    PutCalendar,
    PutSchedule,
    PutType,
    ReleaseHold,
    RenewHold,
    Reschedule,
    SlotWish,
    Wish,
)
from service.domain.ids import holder_key
from service.domain.interval import Interval
from tests.builders import a_calendar, a_catalog, a_schedule, a_type, minutes, wall

PRINCIPAL = "chatbot"
DAY = datetime.combine(datetime.now(UTC).date() + timedelta(days=30), datetime.min.time(), UTC)
"""A day whose slots can be booked: the database has a clock of its own."""


def slot(number: int) -> datetime:
    """Return the start of the slot of that number; there is no end of them."""
    return DAY + minutes(30) * number


def a_shop(*types: AppointmentType, calendar_ids: tuple[str, ...] = ("anna",)) -> Catalog:
    """Return a catalogue that is open day and night."""
    return a_catalog(
        types=types or (a_type(),),
        calendars=[a_calendar(each) for each in calendar_ids],
        schedules=[a_schedule(wall("00:00", "00:00"), weekdays=range(7))],
        holds_per_holder_max=1000,
    )


def opening(catalog: Catalog, business_id: str = "demo") -> list[Submission]:
    """Return what makes a business with that catalogue, to be submitted in order."""
    business = replace(catalog.business, business_id=business_id)
    commands: list[Command] = [PutBusiness(create=True, business=business)]
    commands += [PutSchedule(create=True, schedule=each) for each in catalog.schedules.values()]
    commands += [PutCalendar(create=True, calendar=each) for each in catalog.calendars.values()]
    commands += [PutType(create=True, type=each) for each in catalog.types.values()]
    return [a_submission(command, business_id=business_id) for command in commands]


def a_submission(
    command: Command,
    *,
    business_id: str = "demo",
    principal_id: str = PRINCIPAL,
    request_id: str | None = None,
    body: str = "",
) -> Submission:
    """Return a submission; with `body`, one that is no repetition of that without."""
    return Submission(
        business_id=business_id,
        principal_id=principal_id,
        request_id=request_id or str(uuid4()),
        body_hash=hashlib.sha256(body.encode()).digest(),
        command=command,
        encode=encode,
    )


def encode(outcome: Outcome) -> bytes:
    """Write an answer."""
    hold = outcome.hold
    return json.dumps(
        {
            "revision": outcome.revision,
            "bookings": [
                {
                    "id": str(booking.booking_id),
                    "calendars": booking.calendar_ids,
                    "start": booking.appointment.start.isoformat(),
                    "status": booking.status.value,
                    "version": booking.version,
                }
                for booking in outcome.bookings
            ],
            "hold": None if hold is None else str(hold.hold_id),
            "expires_at": None if hold is None else hold.expires_at.isoformat(),
            "entry": None if outcome.entry is None else str(outcome.entry.entry_id),
            "entry_status": None if outcome.entry is None else outcome.entry.status.value,
            "busy": outcome.feed.busy_intervals if outcome.feed else 0,
            "version": None if outcome.catalog is None else outcome.catalog.version,
            # No two answers are the same by chance.
            "nonce": str(uuid4()),
        }
    ).encode()


def a_wish(start: datetime, **changes) -> SlotWish:
    """Return the wish for a `visit` on `anna`."""
    wish = SlotWish(type_id="visit", calendar_id="anna", start=start, duration=None)
    return replace(wish, **changes)


def book(
    *wishes: Wish | datetime,
    holder: str | None = None,
    note: str = "a window seat",
    conversation: str = "",
    **options,
) -> Submission:
    """Book slots, or the slots of holds; an instant is that of a `visit` on `anna`."""
    command = Book(
        principal_id=options.get("principal_id", PRINCIPAL),
        holder_key=None if holder is None else holder_key(PRINCIPAL, holder),
        booking_ids=tuple(uuid4() for _ in wishes),
        wishes=tuple(a_wish(wish) if isinstance(wish, datetime) else wish for wish in wishes),
        customer=Customer(display_name="Eve", email="eve@example.org"),
        fields={"note": note},
        conversation=conversation,
    )
    return a_submission(command, **options)


def hold(start: datetime, *, holder: str = "eve", wish: SlotWish | None = None, **options):
    """Hold a slot."""
    command = HoldSlot(
        hold_id=uuid4(), principal_id=PRINCIPAL, holder=holder, slot=wish or a_wish(start)
    )
    return a_submission(command, **options)


def renew(hold_id: str, **options) -> Submission:
    """Renew a hold."""
    return a_submission(RenewHold(hold_id=UUID(hold_id), principal_id=PRINCIPAL), **options)


def release(hold_id: str, **options) -> Submission:
    """Release a hold."""
    return a_submission(ReleaseHold(hold_id=UUID(hold_id), principal_id=PRINCIPAL), **options)


def held(hold_id: str) -> HoldWish:
    """Wish for the slot of a hold."""
    return HoldWish(hold_id=UUID(hold_id))


def move(booking: dict, wish: Wish, **options) -> Submission:
    """Move a booking."""
    command = Reschedule(
        booking_id=UUID(booking["id"]),
        version=booking["version"],
        principal_id=PRINCIPAL,
        wish=wish,
        override_notice=False,
    )
    return a_submission(command, **options)


def change(booking: dict, event: BookingEvent, **options) -> Submission:
    """Change the status of a booking."""
    command = ChangeStatus(booking_id=UUID(booking["id"]), version=booking["version"], event=event)
    return a_submission(command, **options)


def join(
    *starts: datetime, holder: str = "wendy", type_id: str = "visit", found=(), **options
) -> Submission:
    """Wait for one of the slots that start then, on any calendar."""
    command = JoinWaitlist(
        entry_id=uuid4(),
        principal_id=options.get("principal_id", PRINCIPAL),
        holder=holder,
        type_id=type_id,
        calendar_ids=options.pop("calendar_ids", ()),
        windows=tuple(Interval(start, start + minutes(1)) for start in starts),
        duration=options.pop("duration", None),
        customer=Customer(display_name=holder.title(), email=f"{holder}@example.org"),
        fields={"note": "any day"},
        found=tuple(found),
    )
    return a_submission(command, **options)


def leave(entry_id: str, **options) -> Submission:
    """Wait no more."""
    return a_submission(LeaveWaitlist(entry_id=UUID(entry_id)), **options)


def pass_on(*entry_ids: str, **options) -> Submission:
    """End what these were offered, if it was not taken in time."""
    command = PassOn(entry_ids=tuple(UUID(entry_id) for entry_id in entry_ids))
    return a_submission(command, **options)
