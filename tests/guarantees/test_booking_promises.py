"""B1 to B8 of protos/README.md, on the whole service: two servers, PostgreSQL and Valkey."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from slotcast import (
    BookingStatus,
    Business,
    Customer,
    Hold,
    HoldLifetimeReached,
    RequestIdReused,
    RevisionAhead,
    SlotcastError,
    SlotChoice,
    SlotQuery,
    SlotTaken,
    TooManyHolds,
    VersionMismatch,
)
from slotcast.v1 import booking_service_pb2 as pb
from tests.salon import QUARTER, make_salon

WHO = Customer(display_name="A visitor")
CALLERS = 60


@pytest.fixture
async def two(start_server, connect):
    """Clients of two servers on one database."""
    clients = [await connect(await start_server()) for _ in range(2)]
    await make_salon(clients[0])
    return clients


def at(hours, calendar="chair-1", type_="cut"):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    return SlotChoice(
        appointment_type=type_, calendar=calendar, start=start + timedelta(hours=hours)
    )


async def outcome(awaitable):
    try:
        return await awaitable
    except SlotcastError as error:
        return error


async def open_keys(client, type_="cut", **more):
    start = datetime.now(UTC)
    query = SlotQuery(start=start, end=start + timedelta(days=4), appointment_types=(type_,))
    return {slot.key for slot in (await client.list_slots(query, **more)).items}


async def test_b1_never_twice_many_callers_of_one_slot_on_two_servers_get_one_booking(two):
    for hour in range(5):
        calls = [outcome(two[number % 2].book(at(hour), customer=WHO)) for number in range(CALLERS)]
        kinds = Counter(type(each).__name__ for each in await asyncio.gather(*calls))
        assert kinds == {"Booking": 1, "SlotTaken": CALLERS - 1}


async def test_b1_never_twice_a_group_takes_as_many_as_it_has_places(two):
    wish = at(0, "room", "class")
    calls = [outcome(two[number % 2].book(wish, customer=WHO)) for number in range(20)]
    kinds = Counter(type(each).__name__ for each in await asyncio.gather(*calls))
    assert kinds == {"Booking": 3, "SlotTaken": 17}


async def test_b1_never_twice_a_person_and_a_room_are_taken_together(two):
    first = await two[0].book(at(0, "chair-1", "colour"), customer=WHO)
    assert [name.rsplit("/", 1)[1] for name in first.calendars] == ["chair-1", "room"]
    with pytest.raises(SlotTaken):
        await two[1].book(at(0, "chair-2", "colour"), customer=WHO)


async def test_b2_never_lost_what_was_answered_is_there_for_every_server(two):
    booked = await asyncio.gather(
        *(two[hour % 2].book(at(hour), customer=WHO) for hour in range(20))
    )
    for number, booking in enumerate(booked):
        assert await two[(number + 1) % 2].get_booking(booking.name) == booking


async def test_b3_exactly_once_a_repeated_request_gets_the_first_answer_byte_for_byte(
    start_server, connect, operator_key
):
    targets = [await start_server(), await start_server()]
    await make_salon(await connect(targets[0]))
    request = pb.BookRequest(
        parent="businesses/salon",
        request_id="the-same",
        customer=pb.Customer(display_name="A visitor"),
        fields={"one": "1", "two": "2", "three": "3"},
    )
    wish = request.appointments.add().slot
    wish.appointment_type = "businesses/salon/appointmentTypes/cut"
    wish.start_time.FromDatetime(at(0).start)
    answers = set()
    for target in (*targets, *targets):
        async with grpc.aio.insecure_channel(target) as channel:
            call = channel.unary_unary(
                "/slotcast.v1.BookingService/Book",
                request_serializer=pb.BookRequest.SerializeToString,
                response_deserializer=bytes,
            )
            answers.add(
                await call(request, metadata=(("authorization", f"Bearer {operator_key}"),))
            )
    assert len(answers) == 1


async def test_b3_exactly_once_copies_of_a_request_in_flight_book_once(two):
    calls = [two[n % 2].book(at(0), customer=WHO, request_id="one") for n in range(CALLERS)]
    assert len({booking.name for booking in await asyncio.gather(*calls)}) == 1


async def test_b3_exactly_once_another_body_under_the_same_id_is_refused(two):
    await two[0].book(at(0), customer=WHO, request_id="one")
    with pytest.raises(RequestIdReused):
        await two[1].book(at(1), customer=WHO, request_id="one")


async def test_b3_exactly_once_a_refusal_is_decided_anew(two):
    rival = await two[0].book(at(0), customer=WHO)
    with pytest.raises(SlotTaken):
        await two[1].book(at(0), customer=WHO, request_id="again")
    await two[0].cancel_booking(rival)
    booking = await two[1].book(at(0), customer=WHO, request_id="again")
    assert booking.status is BookingStatus.CONFIRMED


async def test_b4_strict_order_revisions_have_no_gap_and_follow_the_order_of_answers(two):
    first = (await two[0].book(at(0), customer=WHO)).revision
    revisions = [
        (await two[hour % 2].book(at(hour), customer=WHO)).revision for hour in range(1, 10)
    ]
    assert revisions == list(range(first + 1, first + 10))
    together = await asyncio.gather(
        *(two[hour % 2].book(at(hour), customer=WHO) for hour in range(10, 30))
    )
    revisions = sorted(booking.revision for booking in together)
    assert revisions == list(range(first + 10, first + 30))


async def test_b5_shown_means_bookable_every_slot_shown_can_be_held_and_booked(two):
    for type_ in ("cut", "colour", "class", "consult") * 4:
        key = random.choice(sorted(await open_keys(two[0], type_))[40:])
        wish = SlotChoice(appointment_type=type_, calendar=key.calendar, start=key.start)
        assert (await two[1].explain_slot(wish)).bookable
        hold = await two[1].hold_slot(wish, holder=f"{type_}-{key.start:%H%M%S%j}")
        await two[0].book(hold, customer=WHO)


async def test_b6_failures_tell_what_to_do_next_a_lost_slot_comes_with_ranked_alternatives(two):
    lost = at(0)
    await two[0].book(lost, customer=WHO)
    with pytest.raises(SlotTaken) as refusal:
        await two[1].book(lost, customer=WHO)
    alternatives = refusal.value.alternatives
    assert len(alternatives) == 10
    assert not refusal.value.retryable
    same_calendar = [slot for slot in alternatives if slot.calendar.endswith("chair-1")]
    distances = [abs(slot.start - lost.start) for slot in same_calendar]
    assert distances == sorted(distances)
    assert distances[0] == QUARTER
    assert {slot.key for slot in alternatives} <= await open_keys(two[0])


async def test_b6_failures_tell_what_to_do_next_what_is_not_known_is_never_called_taken(two):
    ahead = (await two[0].book(at(0), customer=WHO)).revision + 1000
    with pytest.raises(RevisionAhead) as refusal:
        await two[1].list_slots(
            SlotQuery(start=datetime.now(UTC), end=datetime.now(UTC) + QUARTER), min_revision=ahead
        )
    assert refusal.value.retryable


async def test_b7_holds_protect_against_everyone_but_their_owner(two):
    hold = await two[0].hold_slot(at(0), holder="me")
    with pytest.raises(SlotTaken):
        await two[1].book(at(0), customer=WHO)
    with pytest.raises(SlotTaken):
        await two[1].hold_slot(at(0), holder="you")
    start = datetime.now(UTC)
    mine = SlotQuery(
        start=start, end=start + timedelta(days=4), appointment_types=("cut",), holder="me"
    )
    seen = {slot.key for slot in (await two[1].list_slots(mine)).items}
    assert seen - await open_keys(two[1])
    booking = await two[1].book(hold, customer=WHO)
    assert booking.start == hold.start


async def test_b7_holds_forgive_a_late_confirm_while_the_slot_is_free(two, database):
    hold = await two[0].hold_slot(at(0), holder="me")
    await expire(database, hold)
    booking = await two[1].book(hold, customer=WHO)
    assert booking.start == hold.start


async def test_b7_holds_an_expired_one_frees_its_slot_by_itself(two, database):
    hold = await two[0].hold_slot(at(0), holder="me")
    await expire(database, hold)
    await two[1].book(at(0), customer=WHO)
    with pytest.raises(SlotTaken):
        await two[0].book(hold, customer=WHO)


async def test_b7_holds_a_holder_can_have_only_so_many(two):
    for hour in range(5):
        await two[hour % 2].hold_slot(at(hour), holder="greedy")
    calls = [outcome(two[n % 2].hold_slot(at(5 + n), holder="greedy")) for n in range(10)]
    assert {type(each) for each in await asyncio.gather(*calls)} == {TooManyHolds}
    await two[0].hold_slot(at(20), holder="modest")


async def test_b7_holds_an_api_key_can_have_only_so_many_whatever_it_calls_its_holders(two):
    await two[0].update_business(Business(name="salon", display_name="Salon", holds_per_key_max=8))
    calls = [outcome(two[n % 2].hold_slot(at(n), holder=f"greedy-{n}")) for n in range(20)]
    results = await asyncio.gather(*calls)
    refused = [each for each in results if not isinstance(each, Hold)]
    assert len(results) - len(refused) == 8
    assert {type(each) for each in refused} == {TooManyHolds}
    assert {tuple(each.metadata.items()) for each in refused} == {(("holds_per_key_max", "8"),)}


async def test_b7_holds_none_is_renewed_for_ever(two, database):
    hold = await two[0].hold_slot(at(0), holder="me")
    await expire(database, hold)
    async with database.transaction("salon") as tx:
        await tx.exec_driver_sql("UPDATE holds SET created_at = created_at - interval '46 minutes'")

    renewed = await two[1].renew_hold(hold)
    refusal = await outcome(two[0].renew_hold(hold))

    assert isinstance(refusal, HoldLifetimeReached)
    assert refusal.metadata == {"hold": hold.name, "hold_lifetime_seconds": "3000"}
    assert renewed.expires_at == hold.expires_at - timedelta(minutes=1)
    await two[0].book(renewed, customer=WHO)


async def test_b8_pending_counts_it_takes_its_seat_and_is_approved_by_its_version(two):
    pending = await two[0].book(at(0, "chair-1", "consult"), customer=WHO)
    assert pending.status is BookingStatus.PENDING
    with pytest.raises(SlotTaken):
        await two[1].book(at(0), customer=WHO)
    calls = [outcome(two[number % 2].approve_booking(pending)) for number in range(10)]
    kinds = Counter(type(each) for each in await asyncio.gather(*calls))
    assert kinds[VersionMismatch] == 9
    approved = await two[0].get_booking(pending.name)
    assert (approved.status, approved.version) == (BookingStatus.CONFIRMED, 2)


async def expire(database, hold):
    """Let a hold expire now: its time is moved, on the hold and its claims, as if it had passed."""
    hold_id = hold.name.rsplit("/", 1)[1]
    async with database.transaction("salon") as tx:
        for statement in (
            "UPDATE claims SET expires_at = now() - interval '1 second' WHERE owner_id = $1::text",
            "UPDATE holds SET expires_at = now() - interval '1 second' WHERE hold_id::text = $1",
        ):
            await tx.exec_driver_sql(statement, (hold_id,))
