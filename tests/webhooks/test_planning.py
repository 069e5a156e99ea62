"""Which event each change makes, in which form, and who is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.json_format import MessageToJson

from service.domain.booking import BookingEvent, BookingStatus, Customer
from service.domain.change import (
    BookingState,
    Change,
    ChangeKind,
    OfferRef,
    Placement,
)
from service.domain.interval import Interval
from service.domain.waitlist import EntryStatus, WaitlistEntry
from service.domain.webhook import EventType, Webhook
from service.notify.webhooks.events import Known, events_of, instant_json
from service.notify.webhooks.planning import delivery_of
from service.rpc.convert.times import write_instant
from tests.actions.submissions import a_wish, slot
from tests.builders import NOW, at
from tests.webhooks.desk import booking_id

BOOKING_ID, ENTRY_ID, HOLD_ID = (UUID(int=number) for number in (1, 2, 3))
NOTHING = Known(bookings={}, entries={}, holds={})


def a_state(status=BookingStatus.CONFIRMED, **changes) -> BookingState:
    values = {
        "booking_id": BOOKING_ID,
        "version": 2,
        "status": status,
        "type_id": "visit",
        "calendar_ids": ("anna",),
        "appointment": Interval(at("09:00"), at("09:30")),
        "zone": "UTC",
    }
    return BookingState(**{**values, **changes})


def a_change(kind, **changes) -> Change:
    return Change(**{"revision": 7, "at": NOW, "kind": kind, **changes})


def an_entry(status=EntryStatus.WAITING, **changes) -> WaitlistEntry:
    values = {
        "entry_id": ENTRY_ID,
        "principal_id": "chatbot",
        "holder": "eve",
        "holder_key": "key",
        "type_id": "visit",
        "calendar_ids": ("bert",),
        "windows": (Interval(at("08:00"), at("12:00")),),
        "duration": None,
        "customer": Customer(display_name="Eve"),
        "fields": {},
        "status": status,
        "revision": 7,
        "joined_at": NOW,
    }
    return WaitlistEntry(**{**values, **changes})


def types(change, known=NOTHING) -> list[str]:
    return [event.type.value for event in events_of("demo", change, known)]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (ChangeKind.BOOKED, BookingStatus.CONFIRMED, ["booking.booked"]),
        (ChangeKind.BOOKED, BookingStatus.PENDING, ["booking.pending"]),
        (ChangeKind.APPROVED, BookingStatus.CONFIRMED, ["booking.approved"]),
        (ChangeKind.DECLINED, BookingStatus.DECLINED, ["booking.declined"]),
        (ChangeKind.RESCHEDULED, BookingStatus.CONFIRMED, ["booking.rescheduled"]),
        (ChangeKind.RESCHEDULED, BookingStatus.PENDING, ["booking.rescheduled"]),
        (ChangeKind.CANCELLED, BookingStatus.CANCELLED, ["booking.cancelled"]),
        (ChangeKind.COMPLETED, BookingStatus.COMPLETED, ["booking.completed"]),
        (ChangeKind.NO_SHOW, BookingStatus.NO_SHOW, ["booking.no_show"]),
    ],
)
def test_each_change_of_a_booking_is_an_event(kind, status, expected):
    assert types(a_change(kind, bookings=(a_state(status),))) == expected


@pytest.mark.parametrize(
    "kind",
    [
        ChangeKind.HELD,
        ChangeKind.RENEWED,
        ChangeKind.RELEASED,
        ChangeKind.HANDED_OVER,
        ChangeKind.BUSY_IMPORTED,
        ChangeKind.CATALOG_CHANGED,
    ],
)
def test_a_change_of_no_booking_is_no_event(kind):
    assert types(a_change(kind)) == []


def test_several_bookings_of_one_commit_are_an_event_each():
    states = tuple(a_state(booking_id=UUID(int=number)) for number in range(3))

    events = list(events_of("demo", a_change(ChangeKind.BOOKED, bookings=states), NOTHING))

    assert [event.subject_id.int for event in events] == [0, 1, 2]
    assert len({(event.revision, event.ordinal) for event in events}) == 3


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (ChangeKind.WAITLIST_JOINED, EntryStatus.WAITING, ["waitlist.joined"]),
        # It may have been offered a slot, and have taken it, before its joining is told.
        (ChangeKind.WAITLIST_JOINED, EntryStatus.TAKEN, ["waitlist.joined"]),
        (ChangeKind.WAITLIST_LEFT, EntryStatus.LEFT, ["waitlist.left"]),
        # It gave back the hold that it was offered.
        (ChangeKind.RELEASED, EntryStatus.LEFT, ["waitlist.left"]),
        (ChangeKind.WAITLIST_OFFERED, EntryStatus.LAPSED, []),
        # Nobody could tell it of an offer that was passed on, and it left later.
        (ChangeKind.WAITLIST_OFFERED, EntryStatus.LEFT, []),
    ],
)
def test_who_joins_and_leaves_the_waitlist_is_an_event(kind, status, expected):
    known = replace(NOTHING, entries={ENTRY_ID: an_entry(status)})

    assert types(a_change(kind, entry_ids=(ENTRY_ID,)), known) == expected


def test_an_offer_is_told_with_what_it_came_from():
    offer = OfferRef(entry_id=ENTRY_ID, hold_id=HOLD_ID, expires_at=NOW + timedelta(minutes=15))
    state = a_state(BookingStatus.CANCELLED)
    change = a_change(ChangeKind.CANCELLED, bookings=(state,), offers=(offer,))

    cancelled, offered = events_of("demo", change, NOTHING)

    assert (cancelled.type, offered.type) == (EventType.CANCELLED, EventType.WAITLIST_OFFERED)
    assert offered.body["waitlistEntry"] == {
        "name": f"businesses/demo/waitlist/{ENTRY_ID}",
        "status": "STATUS_OFFERED",
        "offer": {"name": f"businesses/demo/holds/{HOLD_ID}"},
        "offerExpireTime": "2030-06-01T12:15:00Z",
    }


def test_an_event_keeps_its_id_when_what_is_known_beside_it_is_gone():
    """A replay may come when the entry of the waitlist has been swept away."""
    offer = OfferRef(entry_id=ENTRY_ID, hold_id=HOLD_ID, expires_at=NOW)
    change = a_change(ChangeKind.RELEASED, entry_ids=(ENTRY_ID,), offers=(offer,))
    known = replace(NOTHING, entries={ENTRY_ID: an_entry(EntryStatus.LEFT)})
    webhook = a_webhook()

    then = {event.type: delivery_of(webhook, event) for event in events_of("demo", change, known)}
    (now,) = (delivery_of(webhook, event) for event in events_of("demo", change, NOTHING))

    assert now.delivery_id == then[EventType.WAITLIST_OFFERED].delivery_id


def a_webhook(**changes) -> Webhook:
    values = {
        "webhook_id": uuid4(),
        "url": "https://example.com/hook",
        "event_types": frozenset(),
        "calendar_ids": frozenset(),
        "include_customer": False,
        "after_revision": 0,
    }
    return Webhook(**{**values, **changes})


@pytest.mark.parametrize(
    ("event_types", "calendar_ids", "wants"),
    [
        ((), (), True),
        (("booking.rescheduled",), (), True),
        (("booking.cancelled",), (), False),
        ((), ("anna",), True),
        ((), ("bert",), True),  # It was on his calendar before.
        ((), ("zoe",), False),
        (("booking.rescheduled",), ("zoe", "anna"), True),
        (("booking.cancelled",), ("anna",), False),
    ],
)
def test_a_webhook_is_told_of_the_events_and_calendars_that_it_named(
    event_types, calendar_ids, wants
):
    before = Placement(calendar_ids=("bert",), appointment=Interval(at("10:00"), at("10:30")))
    change = a_change(ChangeKind.RESCHEDULED, bookings=(a_state(before=before),))
    (event,) = events_of("demo", change, NOTHING)
    webhook = a_webhook(event_types=frozenset(event_types), calendar_ids=frozenset(calendar_ids))

    assert webhook.wants(event.type, event.calendar_ids) is wants


def test_who_waits_for_any_calendar_concerns_all():
    known = replace(NOTHING, entries={ENTRY_ID: an_entry(calendar_ids=())})
    change = a_change(ChangeKind.WAITLIST_JOINED, entry_ids=(ENTRY_ID,))
    (event,) = events_of("demo", change, known)

    assert a_webhook(calendar_ids=frozenset({"zoe"})).wants(event.type, event.calendar_ids)


@pytest.mark.parametrize("micros", [0, 1, 1_000, 120_000, 999_999])
def test_an_instant_is_written_as_protobuf_writes_it(micros):
    instant = datetime(2030, 6, 3, 9, 0, 0, micros, tzinfo=UTC)

    assert f'"{instant_json(instant)}"' == MessageToJson(write_instant(instant))


async def test_a_webhook_is_told_only_of_what_came_after_it(desk, receiver):
    await desk.book(slot(1))
    await desk.subscribe(receiver.url())
    await desk.book(slot(2))

    (owed,) = await desk.plan()

    assert owed.revision == await desk.books.revision()


async def test_nothing_is_planned_twice(desk, receiver):
    await desk.subscribe(receiver.url())
    await desk.book(slot(1))

    assert len(await desk.plan()) == len(await desk.plan()) == 1


async def test_what_a_booking_goes_through_is_told_under_its_own_lane(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    pending = await desk.book(a_wish(slot(1), type_id="talk"))
    await desk.change(pending, BookingEvent.APPROVE)
    other = await desk.book(slot(2))

    owed = await desk.plan()

    assert [each.kind for each in owed] == ["booking.pending", "booking.approved", "booking.booked"]
    assert [each.lane for each in owed] == [
        f"webhook:{webhook.webhook_id}:{booking_id(booking)}"
        for booking in (pending, pending, other)
    ]


async def test_a_change_from_before_the_log_told_its_bookings_is_told_as_they_are(desk, receiver):
    await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await desk.books.run(
        """
        UPDATE changes SET body = convert_to(
            (convert_from(body, 'UTF8')::jsonb - 's')::text, 'UTF8'
        )
        """
    )

    (owed,) = await desk.plan()

    assert owed.kind == "booking.booked"
    assert owed.body["booking"]["version"] == "1"


async def test_b1_the_webhooks_of_another_business_are_told_nothing(desk, receiver, books):
    webhook = await desk.subscribe(receiver.url())
    await books.run(
        "INSERT INTO businesses (business_id, display_name, revision, epoch,"
        " catalog_version, holds_per_holder_max, holds_per_key_max)"
        " SELECT 'other', display_name, revision, epoch, catalog_version, holds_per_holder_max,"
        " holds_per_key_max FROM businesses"
    )
    await books.run(
        "UPDATE webhooks SET business_id = 'other' WHERE webhook_id = $1", webhook.webhook_id
    )
    await desk.book(slot(1))

    assert await desk.plan() == []
