"""What one person of a replay does when the desk answers this or that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from loadtest.replay.person import HOLDS_TRIED_PER_DAY_MAX, Desk, Outcome, cancel, visit
from loadtest.replay.town import VISIT, plan_town
from loadtest.replay.trace import Request
from slotcast import (
    Booking,
    BookingStatus,
    CapReached,
    Client,
    DeadlineExceeded,
    Hold,
    Page,
    Slot,
    SlotQuery,
    SlotTaken,
)
from slotcast.errors import ErrorDetails

CALENDAR = "businesses/town/calendars/centro"
TYPE = "businesses/town/appointmentTypes/centro"
NINE = datetime(2030, 6, 3, 12, 0, tzinfo=UTC)  # in the town
REQUEST = Request(
    line=7,
    requested_at=datetime(2030, 6, 1, tzinfo=UTC),
    appointment_date=date(2030, 6, 3),
    unit="CENTRO",
    person=3352,
    no_show=False,
)


def a_slot(start: datetime = NINE) -> Slot:
    return Slot(appointment_type=TYPE, calendar=CALENDAR, start=start, end=start + VISIT)


def taken(*alternatives: Slot) -> SlotTaken:
    return SlotTaken("", ErrorDetails(alternatives=alternatives))


class ScriptedClient(Client):
    """Answers lists and holds from a script, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("localhost:1", business="town")
        self.lists: list[tuple[Slot, ...]] = []
        self.refusals: list[Exception | None] = []
        self.book_error: Exception | None = None
        self.windows: list[tuple[datetime, datetime]] = []
        self.held: list[datetime] = []
        self.booked: list[dict[str, Any]] = []

    async def list_slots(self, query: SlotQuery, **_: Any) -> Page[Slot]:
        self.windows.append((query.start, query.end))
        return Page(items=self.lists.pop(0) if self.lists else ())

    async def hold_slot(self, slot: Any, **_: Any) -> Hold:
        self.held.append(slot.start)
        if refusal := self.refusals.pop(0) if self.refusals else None:
            raise refusal
        return Hold(
            name="businesses/town/holds/h",
            appointment_type=TYPE,
            calendars=(CALENDAR,),
            start=slot.start,
            end=slot.end,
            expires_at=slot.start,
            holder="",
            revision=11,
        )

    async def book(self, appointment: Any, **options: Any) -> Booking:
        if self.book_error is not None:
            raise self.book_error
        self.booked.append(options)
        return Booking(
            name="businesses/town/bookings/b",
            appointment_type=TYPE,
            calendars=(CALENDAR,),
            start=appointment.start,
            end=appointment.end,
            time_zone="America/Sao_Paulo",
            status=BookingStatus.CONFIRMED,
            version=1,
            customer=options["customer"],
            fields=options["fields"],
            created_at=NINE,
            updated_at=NINE,
            revision=12,
        )

    async def cancel_booking(self, booking: Any, **_: Any) -> Booking:
        cancelled: Booking = replace(
            booking, status=BookingStatus.CANCELLED, version=2, revision=13
        )
        return cancelled


@pytest.fixture
async def client() -> AsyncIterator[ScriptedClient]:
    async with ScriptedClient() as client:
        yield client


def a_desk(client: Client) -> Desk:
    return Desk(clients=(client,), town=plan_town([REQUEST], "town"), seed=1)


def quarters(*numbers: int) -> Iterable[Slot]:
    return (a_slot(NINE + number * VISIT) for number in numbers)


async def test_a_person_books_a_slot_of_the_day_by_a_hold(client):
    client.lists = [(a_slot(),)]

    visited = await visit(a_desk(client), REQUEST)

    assert visited.outcome is Outcome.BOOKED
    assert client.windows == [
        (datetime(2030, 6, 3, 3, 0, tzinfo=UTC), datetime(2030, 6, 4, 3, 0, tzinfo=UTC))
    ]
    assert client.booked[0]["customer"].display_name == "Person 3352"
    assert client.booked[0]["fields"] == {"line": "7"}


async def test_with_the_same_seed_a_person_chooses_the_same_slot(client):
    for _ in range(3):
        client.lists = [tuple(quarters(*range(20)))]
        await visit(a_desk(client), REQUEST)

    assert len(set(client.held)) == 1


async def test_for_a_slot_that_was_taken_the_first_alternative_of_the_day_is_held(client):
    client.lists = [(a_slot(),)]
    other_day, *same_day = a_slot(NINE + timedelta(days=1)), *quarters(3, 4)
    client.refusals = [taken(other_day, *same_day)]
    desk = a_desk(client)

    visited = await visit(desk, REQUEST)

    assert visited.outcome is Outcome.BOOKED
    assert client.held == [NINE, NINE + 3 * VISIT]
    assert desk.measures.counts["taken"] == 1


async def test_when_the_day_is_full_one_of_the_next_days_is_booked(client):
    next_day = a_slot(NINE + timedelta(days=1))
    client.lists = [(), (next_day,)]
    desk = a_desk(client)

    visited = await visit(desk, REQUEST)

    assert visited.booking is not None
    assert visited.booking.start == next_day.start
    assert desk.measures.counts["on another day"] == 1


async def test_when_no_day_has_a_slot_the_request_is_refused_as_full(client):
    assert (await visit(a_desk(client), REQUEST)).outcome is Outcome.FULL


async def test_one_who_always_comes_too_late_is_outrun_and_gives_up(client):
    client.lists = [(a_slot(),), (a_slot(NINE + timedelta(days=1)),)]
    client.refusals = [taken(*quarters(number)) for number in range(1, 99)]

    assert (await visit(a_desk(client), REQUEST)).outcome is Outcome.OUTRUN
    assert len(client.held) <= 2 * HOLDS_TRIED_PER_DAY_MAX


async def test_any_other_refusal_is_a_failure_and_is_told(client):
    client.lists = [(a_slot(),)]
    client.refusals = [CapReached()]
    desk = a_desk(client)

    assert (await visit(desk, REQUEST)).outcome is Outcome.FAILED
    assert desk.measures.errors.total() == 1


async def test_a_booking_without_an_answer_is_unknown_not_failed(client):
    client.lists = [(a_slot(),)]
    client.book_error = DeadlineExceeded()

    assert (await visit(a_desk(client), REQUEST)).outcome is Outcome.UNKNOWN


async def test_one_cancels_what_was_booked_and_nothing_else(client):
    desk = a_desk(client)
    refused = await visit(desk, REQUEST)
    client.lists = [(a_slot(),)]
    booked = await visit(desk, REQUEST)

    cancelled = await cancel(desk, booked)

    assert cancelled.outcome is Outcome.CANCELLED
    assert cancelled.booking is not None
    assert cancelled.booking.status is BookingStatus.CANCELLED
    assert await cancel(desk, refused) is refused


async def test_watchers_are_to_show_what_is_held_and_what_is_cancelled(client):
    client.lists = [(a_slot(),)]
    desk = a_desk(client)

    await cancel(desk, await visit(desk, REQUEST))

    assert [change.revision for change in desk.measures.shown] == [11, 13]
    assert desk.measures.revision == 13
