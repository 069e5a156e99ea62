"""C2 to C4 of protos/README.md, on the whole service: two servers, PostgreSQL and Valkey."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from service.actions.erasing import Eraser
from service.cli.api_key import SCOPES, new_key
from service.store import api_keys
from service.store.scope import ALL_BUSINESSES
from slotcast import (
    Booking,
    BookingsChanged,
    CapabilityEnded,
    Customer,
    HandoffEnded,
    HandoffInvalid,
    HandoffUsed,
    KeyInvalid,
    PrefilledField,
    Provenance,
    Redeemed,
    RequestIdReused,
    ResourceNotFound,
    ScopeMissing,
    SlotcastError,
    SlotChoice,
    SlotQuery,
    SlotTaken,
)
from slotcast.v1 import booking_service_pb2 as pb
from tests.salon import make_salon

WHO = Customer(display_name="A visitor")
SECRET = "prefilled.secret@example.org"
KNOWN = (
    PrefilledField(name="email", value=SECRET, provenance=Provenance.SAID),
    PrefilledField(name="allergies", value=SECRET.upper(), provenance=Provenance.INFERRED),
)
FIRST = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
URL = "https://book.example.org"
REDEEMERS = 20


@pytest.fixture
async def targets(start_server):
    return [await start_server(public_url=URL), await start_server(public_url=URL)]


@pytest.fixture
async def two(targets, connect):
    """Clients of two servers on one database, with the operator's key: the chat."""
    clients = [await connect(target) for target in targets]
    await make_salon(clients[0])
    return clients


@pytest.fixture
def make_key(database):
    async def make(business="salon"):
        key, text = new_key(business, "page", frozenset(SCOPES))
        async with database.transaction(ALL_BUSINESSES) as tx:
            await api_keys.add(tx, key)
        return text

    return make


@pytest.fixture
async def by_ticket(targets, connect):
    """Open a client of the second server, whose key is a ticket."""

    async def open_(ticket):
        return await connect(targets[1], api_key=ticket)

    return open_


def at(hours, calendar="chair-1"):
    return SlotChoice(
        appointment_type="cut", calendar=calendar, start=FIRST + timedelta(hours=hours)
    )


async def outcome(awaitable):
    try:
        return await awaitable
    except SlotcastError as error:
        return error


async def handed_off(client, hour=0, **more):
    """Hold a slot, and make a ticket of it."""
    hold = await client.hold_slot(at(hour), holder="chat", conversation="chat-1")
    return await client.create_handoff(hold, fields=KNOWN, **more)


async def revision(client):
    query = SlotQuery(start=FIRST, end=FIRST + timedelta(hours=1))
    return (await client.list_slots(query)).revision


async def found_in_tables(owner):
    """Return the tables in which the prefilled text stands, also as bytes."""
    forms = [text for each in {SECRET, SECRET.upper()} for text in (each, each.encode().hex())]
    found = set()
    async with owner.read_committed.connect() as tx:
        tables = await tx.exec_driver_sql(
            """
            SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname IN ('public', 'slotcast_jobs')
            """
        )
        for (table,) in tables.all():
            rows = await tx.exec_driver_sql(f"SELECT each::text FROM {table} AS each")
            if any(form in row for (row,) in rows for form in forms):
                found.add(table.removeprefix("public."))
    return found


async def lapse(owner, hold):
    """Let a hold expire now: its time is moved, on the hold and its claims, as if it had passed."""
    hold_id = hold.name.rsplit("/", 1)[1]
    async with owner.read_committed.begin() as tx:
        for statement in (
            "UPDATE claims SET expires_at = now() - interval '1 second' WHERE owner_id = $1::text",
            "UPDATE holds SET expires_at = now() - interval '1 second' WHERE hold_id::text = $1",
        ):
            await tx.exec_driver_sql(statement, (hold_id,))


async def test_c2_the_chat_is_told_when_a_form_that_took_over_is_done(two, by_ticket):
    handoff = await handed_off(two[0])
    assert handoff.url == f"{URL}/book/#{handoff.ticket}"
    page = await by_ticket(handoff.ticket)
    async with two[0].watch_bookings() as feed:
        await anext(feed)

        redeemed = await page.redeem_handoff(handoff.ticket, holder="page")
        booking = await page.book(redeemed.hold, customer=WHO, holder="page")
        async for item in feed:
            if isinstance(item, BookingsChanged):
                break

    assert redeemed.fields == KNOWN
    assert (redeemed.hold.name, redeemed.hold.holder) == (handoff.hold.name, "page")
    assert redeemed.hold.expires_at >= handoff.hold.expires_at
    assert [(each.name, each.conversation) for each in item.bookings] == [(booking.name, "chat-1")]
    assert await page.get_booking(booking.name) == booking


async def test_c3_handed_over_its_former_holder_can_do_nothing_with_a_hold_any_more(two, by_ticket):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    hold = (await page.redeem_handoff(handoff.ticket, holder="page")).hold
    before = await revision(two[0])

    for call in (
        two[0].renew_hold(hold),
        two[0].release_hold(hold),
        two[0].create_handoff(hold),
        two[0].book(hold, customer=WHO, holder="chat"),
    ):
        assert isinstance(await outcome(call), ResourceNotFound)
    with pytest.raises(SlotTaken):
        await two[0].book(at(0), customer=WHO, holder="chat")
    assert await revision(two[0]) == before
    assert isinstance(await page.book(hold, customer=WHO), Booking)


async def test_c3_handed_over_a_hold_is_shown_right_to_both_by_their_watches(two, by_ticket):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    query = SlotQuery(
        start=FIRST, end=FIRST + timedelta(hours=1), appointment_types=("cut",), holder="chat"
    )
    async with (
        two[0].watch(query) as chat,
        page.watch(replace(query, holder="page")) as form,
        two[1].watch(replace(query, holder="")) as anyone,
    ):
        views = {"chat": chat, "form": form, "anyone": anyone}
        assert await who_sees_it(views, handoff.revision) == {"chat"}

        redeemed = await page.redeem_handoff(handoff.ticket, holder="page")
        assert await who_sees_it(views, redeemed.revision) == {"form"}

        freed = await page.release_hold(redeemed.hold)
        assert await who_sees_it(views, freed) == {"chat", "form", "anyone"}


async def who_sees_it(views, reached):
    """Return in which views the held slot is open, once they have reached a revision."""
    seen = set()
    for name, view in views.items():
        async with asyncio.timeout(20):
            await view.reached(reached)
        starts = {(key.start, key.calendar.rsplit("/", 1)[1]) for key in view.slots}
        if (FIRST, "chair-1") in starts:
            seen.add(name)
    return seen


async def test_b3_a_repeated_request_gets_the_first_answer_byte_for_byte(
    targets, two, operator_key, by_ticket
):
    hold = await two[0].hold_slot(at(0), holder="chat")
    creating = pb.CreateHandoffRequest(
        hold=hold.name,
        request_id="create",
        fields=[
            pb.PrefilledField(
                name="email", value=SECRET, provenance=pb.PrefilledField.PROVENANCE_SAID
            )
        ],
    )
    created = await answers(targets, operator_key, "CreateHandoff", creating)
    assert len(created) == 1
    ticket = pb.CreateHandoffResponse.FromString(created.pop()).ticket

    redeeming = pb.RedeemHandoffRequest(
        parent="businesses/salon", request_id="redeem", ticket=ticket, holder="page"
    )
    redeemed = await answers(targets, ticket, "RedeemHandoff", redeeming)
    assert len(redeemed) == 1
    assert pb.RedeemHandoffResponse.FromString(redeemed.pop()).fields == creating.fields

    with pytest.raises(RequestIdReused):
        await two[1].create_handoff(hold, request_id="create")
    page = await by_ticket(ticket)
    with pytest.raises(RequestIdReused):
        await page.redeem_handoff(ticket, holder="another", request_id="redeem")


async def answers(targets, key, method, request):
    """Return the different answers, as bytes, of two servers that are asked twice."""
    different = set()
    for target in (*targets, *targets):
        async with grpc.aio.insecure_channel(target) as channel:
            call = channel.unary_unary(
                f"/slotcast.v1.BookingService/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=bytes,
            )
            different.add(await call(request, metadata=(("authorization", f"Bearer {key}"),)))
    return different


async def test_b3_a_page_that_repeats_its_booking_is_told_the_same_again(two, by_ticket):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    hold = (await page.redeem_handoff(handoff.ticket, holder="page")).hold

    first = await page.book(hold, customer=WHO, request_id="book")

    assert await page.book(hold, customer=WHO, request_id="book") == first
    with pytest.raises(HandoffEnded) as refused:
        await page.book(hold, customer=WHO, request_id="another")
    assert refused.value.metadata == {
        "status": "BOOKED",
        "appointment_type": "businesses/salon/appointmentTypes/cut",
    }


async def test_by_a_ticket_one_may_do_what_a_form_needs_and_no_more(two, by_ticket):
    handoff = await handed_off(two[0])
    other = await two[0].hold_slot(at(5), holder="chat")
    booked = await two[0].book(at(6), customer=WHO)
    page = await by_ticket(handoff.ticket)
    query = SlotQuery(
        start=FIRST, end=FIRST + timedelta(hours=4), appointment_types=("cut",), holder="page"
    )

    assert (await page.get_business("salon")).display_name == "Salon"
    assert (await page.list_appointment_types()).items
    assert (await page.list_calendars()).items
    assert (await page.list_slots(query)).items
    await page.redeem_handoff(handoff.ticket, holder="page")
    later = await page.hold_slot(at(1), holder="page")
    await page.renew_hold(later)
    await page.release_hold(handoff.hold)

    for call, error in (
        (page.get_booking(booked.name), ResourceNotFound),
        (page.book(other, customer=WHO), ResourceNotFound),
        (page.renew_hold(other), ResourceNotFound),
        (page.hold_slot(replace(at(2), appointment_type="quick"), holder="page"), ResourceNotFound),
        (page.create_handoff(later), ScopeMissing),
        (page.cancel_booking(booked), ScopeMissing),
        (page.list_slots(replace(query, appointment_types=("quick",))), ResourceNotFound),
    ):
        assert isinstance(await outcome(call), error), error
    booking = await page.book(later, customer=WHO)
    assert await page.get_booking(booking.name) == booking


async def test_a_ticket_that_is_none_is_refused_and_nothing_is_written(
    two, targets, connect, make_key, by_ticket, owner
):
    handoff = await handed_off(two[0])
    await make_salon(await connect(targets[0], business="other"), "other")
    foreign = await connect(targets[1], business="other", api_key=await make_key("other"))
    page = await connect(targets[1], api_key=await make_key())
    another = await handed_off(two[0], 1)
    by_another = await by_ticket(another.ticket)
    before = await revision(two[0])
    forged = handoff.ticket[:-4] + ("aaaa" if handoff.ticket[-4:] != "aaaa" else "bbbb")

    for client, ticket in (
        (page, forged),
        (page, handoff.ticket[:60]),
        (page, "slotcast_handoff_"),
        (page, "not a ticket"),
        (page, handoff.ticket.replace("slotcast_handoff_", "slotcast_manage_")),
        (foreign, handoff.ticket),
        (by_another, handoff.ticket),
    ):
        assert isinstance(
            await outcome(client.redeem_handoff(ticket, holder="page")), HandoffInvalid
        ), ticket
    for ticket in (forged, handoff.ticket[:60]):
        as_key = await by_ticket(ticket)
        assert isinstance(await outcome(as_key.redeem_handoff(ticket, holder="p")), KeyInvalid)
    abroad = await connect(targets[1], business="other", api_key=handoff.ticket)
    refused = await outcome(abroad.redeem_handoff(handoff.ticket, holder="page"))
    assert isinstance(refused, ResourceNotFound)
    assert await revision(two[0]) == before
    async with owner.read_committed.connect() as tx:
        used = await tx.exec_driver_sql("SELECT count(*) FROM handoffs WHERE redeemed_by <> ''")
        assert used.scalar_one() == 0


async def test_of_a_ticket_of_which_nobody_knows_any_more_only_that_is_told(two, by_ticket, owner):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    await page.redeem_handoff(handoff.ticket, holder="page")
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("DELETE FROM handoffs")

    with pytest.raises(CapabilityEnded) as refused:
        await page.redeem_handoff(handoff.ticket, holder="page")

    assert refused.value.metadata == {"status": "GONE"}
    with pytest.raises(HandoffEnded) as ended:
        await two[0].redeem_handoff(handoff.ticket, holder="page")
    assert ended.value.metadata == {"status": "GONE"}


async def test_c3_handed_over_once_of_many_who_redeem_at_once_exactly_one_gets_it(
    two, targets, connect, make_key, owner
):
    pages = [await connect(targets[number % 2], api_key=await make_key()) for number in range(4)]
    for hour in range(20):
        handoff = await handed_off(two[0], hour)
        results = await asyncio.gather(
            *(
                outcome(pages[number % 4].redeem_handoff(handoff.ticket, holder=f"{hour}-{number}"))
                for number in range(REDEEMERS)
            )
        )
        kinds = Counter(type(each) for each in results)
        assert kinds == {Redeemed: 1, HandoffUsed: REDEEMERS - 1}
        (winner,) = (number for number, each in enumerate(results) if isinstance(each, Redeemed))
        hold = results[winner].hold
        assert hold.holder == f"{hour}-{winner}"
        assert isinstance(await pages[winner % 4].book(hold, customer=WHO), Booking)


async def test_c3_handed_over_or_booked_by_its_chat_and_never_both(two, by_ticket):
    for hour in range(10):
        handoff = await handed_off(two[0], hour)
        page = await by_ticket(handoff.ticket)
        booked, redeemed = await asyncio.gather(
            outcome(two[hour % 2].book(handoff.hold, customer=WHO)),
            outcome(page.redeem_handoff(handoff.ticket, holder="page")),
        )
        if isinstance(booked, Booking):
            if isinstance(redeemed, HandoffEnded):
                assert redeemed.metadata["status"] == "BOOKED"
            else:
                pytest.fail(f"It was booked, and then {redeemed}.")
        else:
            assert isinstance(booked, ResourceNotFound)
            assert isinstance(redeemed, Redeemed)


@pytest.mark.parametrize("end", ["booked", "booked elsewhere", "released", "lapsed"])
async def test_c4_forgotten_what_was_prefilled_is_nowhere_once_the_hold_has_ended(
    two, by_ticket, owner, database, end
):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    redeemed = await page.redeem_handoff(handoff.ticket, holder="page", request_id="redeem")
    assert await found_in_tables(owner) == {"handoffs", "requests"}

    if end == "booked":
        await page.book(redeemed.hold, customer=WHO)
    elif end == "booked elsewhere":
        await page.book(await page.hold_slot(at(3), holder="page"), customer=WHO)
    elif end == "released":
        await page.release_hold(redeemed.hold)
    else:
        assert await Eraser(database).erase() == 0
        await lapse(owner, redeemed.hold)
        assert await Eraser(database).erase() == 1

    assert await found_in_tables(owner) == set()
    with pytest.raises(HandoffEnded) as refused:
        await page.redeem_handoff(handoff.ticket, holder="page", request_id="redeem")
    assert refused.value.metadata["status"] == end.split()[0].upper()


@pytest.mark.parametrize("request_id", ["null", "NULL"])
async def test_c4_forgotten_whatever_the_request_was_called_that_redeemed(
    two, by_ticket, owner, request_id
):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    redeemed = await page.redeem_handoff(handoff.ticket, holder="page", request_id=request_id)
    assert (await page.redeem_handoff(handoff.ticket, holder="page")).fields == KNOWN

    await page.book(redeemed.hold, customer=WHO)

    assert await found_in_tables(owner) == set()


async def test_c3_handed_over_a_hold_that_has_lapsed_and_is_renewed_is_there_without_fields(
    two, by_ticket, owner, database
):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    first = await page.redeem_handoff(handoff.ticket, holder="page", request_id="first")
    await lapse(owner, first.hold)
    assert await Eraser(database).erase() == 1
    await page.renew_hold(first.hold)

    again = await page.redeem_handoff(handoff.ticket, holder="page", request_id="first")

    assert (again.hold.name, again.fields) == (first.hold.name, ())
    repeated = await page.redeem_handoff(handoff.ticket, holder="page", request_id="first")
    assert repeated == again
    other = await by_ticket(handoff.ticket)
    with pytest.raises(HandoffUsed):
        await other.redeem_handoff(handoff.ticket, holder="another")
    assert isinstance(await page.book(again.hold, customer=WHO), Booking)


async def test_c4_forgotten_what_was_prefilled_is_gone_with_its_business(two, by_ticket, owner):
    handoff = await handed_off(two[0])
    page = await by_ticket(handoff.ticket)
    await page.redeem_handoff(handoff.ticket, holder="page")

    await two[0].delete_business("salon")

    assert await found_in_tables(owner) == set()


async def test_c4_forgotten_what_is_never_redeemed_goes_when_its_hold_has_lapsed(
    two, owner, database
):
    kept, lapsed = await handed_off(two[0]), await handed_off(two[0], 1)
    await lapse(owner, lapsed.hold)

    assert await Eraser(database).erase() == 1

    with pytest.raises(HandoffEnded) as refused:
        await two[0].redeem_handoff(lapsed.ticket, holder="page")
    assert refused.value.metadata["status"] == "LAPSED"
    assert (await two[0].redeem_handoff(kept.ticket, holder="page")).fields == KNOWN
