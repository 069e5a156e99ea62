"""C1 and C2 of protos/README.md, on the whole service: two servers, PostgreSQL and Valkey."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from slotcast import (
    AppointmentType,
    Booking,
    BookingQuery,
    BookingsChanged,
    Consent,
    ConsentMismatch,
    Customer,
    RequestIdReused,
    SlotcastError,
    SlotChoice,
    SlotQuery,
)
from slotcast.v1 import booking_service_pb2 as pb
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub
from tests.salon import QUARTER, make_salon

WHO = Customer(display_name="A visitor")
DEAR, CHEAP = "45.00 EUR", "40.00 EUR"
FIRST = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
WASH = AppointmentType(
    name="wash", display_name="Wash", durations=(QUARTER,), any_of=("chair-1",), price=DEAR
)


@pytest.fixture
async def two(start_server, connect):
    """Clients of two servers on one database."""
    clients = [await connect(await start_server()) for _ in range(2)]
    await make_salon(clients[0])
    await clients[0].create_appointment_type(WASH)
    return clients


def at(hours):
    return SlotChoice(
        appointment_type="wash", calendar="chair-1", start=FIRST + timedelta(hours=hours)
    )


def shown(slot, **changes):
    """Return what a person in UTC is shown of a slot."""
    consent = Consent(
        start=slot.start,
        time_zone="UTC",
        appointment_type="Wash",
        calendar="chair-1",
        price=DEAR,
        duration=QUARTER,
    )
    return replace(consent, **changes)


async def outcome(awaitable):
    try:
        return await awaitable
    except SlotcastError as error:
        return error


async def booked(client):
    query = BookingQuery(start=FIRST, end=FIRST + timedelta(days=30))
    return list(await client.list_bookings(query))


DIFFERENCES = (
    ("start", {"start": FIRST + timedelta(hours=1)}),
    ("start", {"time_zone": "Asia/Tokyo"}),
    ("appointment_type", {"appointment_type": "Cut"}),
    ("calendar", {"calendar": "chair-2"}),
    ("price", {"price": CHEAP}),
    ("price", {"price": ""}),
    ("duration", {"duration": 2 * QUARTER}),
)


async def test_c1_what_was_not_shown_is_not_booked_and_the_difference_is_named(two):
    open_before = await two[0].list_slots(_day())

    for field, changes in DIFFERENCES:
        with pytest.raises(ConsentMismatch) as refused:
            await two[1].book(at(0), customer=WHO, consent=shown(at(0), **changes))
        assert refused.value.metadata["field"] == field
        assert refused.value.metadata["shown"] != refused.value.metadata["actual"]

    now = await two[0].list_slots(_day())
    assert (now.items, now.revision) == (open_before.items, open_before.revision)
    assert isinstance(await two[0].book(at(0), customer=WHO, consent=shown(at(0))), Booking)


async def test_c1_what_was_shown_is_compared_with_the_catalogue_of_the_same_commit(two):
    """Whatever comes first, nobody pays another price than they were shown."""
    for hour in range(12):
        price = CHEAP if hour % 2 == 0 else DEAR
        old = DEAR if hour % 2 == 0 else CHEAP
        changed, *results = await asyncio.gather(
            two[0].update_appointment_type(replace(WASH, price=price)),
            *(
                outcome(
                    two[number % 2].book(
                        at(hour * 10 + number),
                        customer=WHO,
                        consent=shown(at(hour * 10 + number), price=old),
                    )
                )
                for number in range(10)
            ),
        )
        for result in results:
            if isinstance(result, Booking):
                assert result.revision < changed.revision
            else:
                assert isinstance(result, ConsentMismatch)
                assert result.metadata == {"field": "price", "shown": old, "actual": price}


async def test_c1_what_was_shown_is_a_part_of_the_request(two):
    """B3: the same id with another consent is another request."""
    await two[0].book(at(0), customer=WHO, consent=shown(at(0)), request_id="one")

    again = await two[1].book(at(0), customer=WHO, consent=shown(at(0)), request_id="one")
    with pytest.raises(RequestIdReused):
        await two[1].book(at(0), customer=WHO, request_id="one")

    assert await booked(two[0]) == [again]


async def test_c2_the_chat_is_told_of_what_was_done_in_its_conversation(two):
    hold = await two[0].hold_slot(at(0), holder="kim", conversation="chat-1")
    async with two[1].watch_bookings() as feed:
        await anext(feed)
        by_hold = await two[0].book(hold, customer=WHO)
        by_itself = await two[0].book(at(1), customer=WHO, conversation="chat-2")
        elsewhere = await two[0].book(at(2), customer=WHO)
        told = {}
        async for item in feed:
            if isinstance(item, BookingsChanged):
                told |= {each.name: each.conversation for each in item.bookings}
            if len(told) == 3:
                break

    assert hold.conversation == "chat-1"
    assert told == {by_hold.name: "chat-1", by_itself.name: "chat-2", elsewhere.name: ""}


async def test_c2_each_hold_that_is_booked_tells_its_own_conversation(
    start_server, connect, operator_key
):
    target = await start_server()
    chat = await connect(target)
    await make_salon(chat)
    await chat.create_appointment_type(WASH)
    wishes = [
        pb.Appointment(hold=(await chat.hold_slot(at(hour), holder=name, conversation=name)).name)
        for hour, name in ((0, "chat-1"), (2, "chat-2"))
    ]
    request = pb.BookRequest(
        parent="businesses/salon",
        request_id="both",
        appointments=wishes,
        customer=pb.Customer(display_name="A visitor"),
    )

    async with grpc.aio.insecure_channel(target) as channel:
        answer = await BookingServiceStub(channel).Book(
            request, metadata=(("authorization", f"Bearer {operator_key}"),)
        )

    assert [each.conversation for each in answer.bookings] == ["chat-1", "chat-2"]


def _day():
    end = FIRST + timedelta(days=1)
    return SlotQuery(start=FIRST, end=end, appointment_types=("wash",))
