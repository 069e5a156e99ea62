"""Rows, put into the tables without any decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from service.domain.booking import Booking, BookingStatus, Customer, Hold, HoldStatus
from service.domain.catalog import Business
from service.domain.change import Change, ChangeKind
from service.domain.claim import Claim
from service.domain.interval import Interval
from service.domain.ledger import Decision
from service.store import batch, catalog
from service.store.business_lock import serialized
from service.store.database import Database
from tests.builders import NOW, a_calendar, a_schedule, a_type, at, minutes


async def make_business(database: Database, business_id: str = "demo", calendars=("anna",)) -> None:
    """Make a business with calendars and the type `visit`, at revision 0."""
    async with database.transaction(business_id) as tx:
        business = Business(business_id=business_id, display_name="Demo")
        await catalog.write_business(tx, business, epoch=f"epoch of {business_id}")
        await catalog.write_schedule(tx, business_id, a_schedule())
        for calendar_id in calendars:
            await catalog.write_calendar(tx, business_id, a_calendar(calendar_id))
        await catalog.write_type(tx, business_id, a_type())


async def put(
    database: Database,
    *,
    business_id: str = "demo",
    claims: Sequence[Claim] = (),
    bookings: Sequence[Booking] = (),
    holds: Sequence[Hold] = (),
    changes: Sequence[Change] = (),
) -> None:
    """Write rows as a batch does."""
    rows = batch.Rows(changes=list(changes))
    rows.add(
        Decision(
            kind=ChangeKind.BOOKED,
            added=tuple(claims),
            removed=(),
            bookings=tuple(bookings),
            holds=tuple(holds),
        )
    )
    async with serialized(database, business_id) as tx:
        await batch.write(tx, business_id, rows)


def a_booking(start: datetime, **changes) -> Booking:
    """Return a confirmed booking of half an hour on `anna`."""
    booking = Booking(
        booking_id=uuid4(),
        type_id="visit",
        calendar_ids=("anna",),
        appointment=Interval(start, start + minutes(30)),
        zone="Europe/Berlin",
        status=BookingStatus.CONFIRMED,
        version=1,
        customer=Customer(display_name='Eve "the" O\'Neil', email="eve@example.org"),
        fields={"note": "Grüße, {1,2}"},
        created_at=NOW,
        updated_at=NOW,
        conversation="chat-7",
    )
    return replace(booking, **changes)


def a_hold_row(expires_at: datetime, **changes) -> Hold:
    """Return a live hold on `anna` at ten."""
    hold = Hold(
        hold_id=uuid4(),
        principal_id="chatbot",
        holder="eve",
        holder_key="key of eve",
        type_id="visit",
        calendar_ids=("anna",),
        appointment=Interval(at("10:00"), at("10:30")),
        created_at=NOW,
        expires_at=expires_at,
        status=HoldStatus.LIVE,
        conversation="chat-7",
    )
    return replace(hold, **changes)


def some_changes(first: int, last: int) -> list[Change]:
    """Return changes of these revisions."""
    return [
        Change(
            revision=revision,
            at=NOW + timedelta(seconds=revision),
            kind=ChangeKind.BOOKED,
            booking_ids=(UUID(int=revision),),
        )
        for revision in range(first, last + 1)
    ]
