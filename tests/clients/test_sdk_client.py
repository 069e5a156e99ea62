"""The client: one method per RPC, short ids and full names, plain values both ways."""

import ast
import inspect
import re
from dataclasses import replace
from datetime import UTC, date, timedelta, timezone
from pathlib import Path
from textwrap import indent

import pytest

import slotcast
from slotcast import (
    AppointmentType,
    BookingQuery,
    BookingStatus,
    Business,
    BusyFeed,
    Calendar,
    Client,
    Closure,
    Consent,
    Customer,
    DateSpan,
    FeedLink,
    FeedState,
    PrefilledField,
    Provenance,
    Rule,
    Schedule,
    SlotChoice,
    Timeouts,
    TimeSpan,
    WallInterval,
    Weekday,
    Wish,
)
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.clients.scripted import METHODS
from tests.clients.wire import (
    AT_DAY,
    DAY,
    QUERY,
    a_slot,
    booking_message,
    hold_message,
    slot_message,
)

ADA = Customer(display_name="Ada", email="ada@example.com", language="en")
NAMES_BY_RPC = {"WatchAvailability": "watch"}
STORED = [
    Business(name="salon", display_name="Salon", holds_per_holder_max=3, holds_per_key_max=7),
    Calendar(name="anna", display_name="Anna", time_zone="Europe/Berlin", schedule="week"),
    AppointmentType(
        name="cut",
        display_name="Cut",
        durations=(timedelta(minutes=30), timedelta(hours=1)),
        any_of=("anna", "bert"),
        all_of=("chair",),
        slot_step=timedelta(minutes=15),
        buffer_before=timedelta(minutes=5),
        buffer_after=timedelta(minutes=10),
        minimum_notice=timedelta(hours=2),
        horizon=timedelta(days=30),
        capacity=4,
        hold_duration=timedelta(minutes=2),
        requires_approval=True,
        day_cap=6,
        week_cap=20,
        cancellation_notice=timedelta(days=1),
    ),
    AppointmentType(
        name="chat", display_name="Chat", durations=(timedelta(minutes=20),), any_of=("anna",)
    ),
    Schedule(
        name="week",
        display_name="Week",
        weekly={
            Weekday.MONDAY: (
                WallInterval(start="09:00", end="12:00"),
                WallInterval(start="13:00", end="24:00"),
            ),
            Weekday.SUNDAY: (WallInterval(start="22:00", end="02:00"),),
        },
        exceptions={date(2030, 12, 24): ()},
    ),
    Closure(
        name="easter",
        display_name="Easter",
        span=DateSpan(first_date=date(2030, 4, 19), last_date=date(2030, 4, 22)),
    ),
    Closure(
        name="works",
        display_name="Works",
        span=TimeSpan(start=DAY, end=DAY + timedelta(hours=3)),
        calendars=("anna",),
    ),
]


def in_snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("rpc", sorted(METHODS))
def test_every_rpc_is_a_method_with_a_docstring(rpc):
    method = getattr(Client, NAMES_BY_RPC.get(rpc, in_snake_case(rpc)))
    assert inspect.getdoc(method)


def test_the_public_surface_is_what_the_package_names():
    assert sorted(set(slotcast.__all__)) == sorted(slotcast.__all__)
    for name in slotcast.__all__:
        assert hasattr(slotcast, name)


def test_the_client_never_imports_the_service():
    for path in Path(slotcast.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != "service"
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] != "service" for alias in node.names)


def full(value):
    """A catalogue value as the server stores it: every name in full."""

    def name(collection, short):
        return f"businesses/salon/{collection}/{short}"

    match value:
        case Business():
            return replace(value, name="businesses/salon")
        case Calendar():
            schedule = name("schedules", value.schedule)
            return replace(value, name=name("calendars", value.name), schedule=schedule)
        case AppointmentType():
            return replace(
                value,
                name=name("appointmentTypes", value.name),
                any_of=tuple(name("calendars", short) for short in value.any_of),
                all_of=tuple(name("calendars", short) for short in value.all_of),
            )
        case Schedule():
            return replace(value, name=name("schedules", value.name))
        case Closure():
            calendars = tuple(name("calendars", short) for short in value.calendars)
            return replace(value, name=name("closures", value.name), calendars=calendars)


@pytest.mark.parametrize("value", STORED, ids=lambda value: f"{type(value).__name__}-{value.name}")
async def test_what_is_put_into_the_catalogue_comes_back_with_full_names(client, script, value):
    kind = type(value).__name__
    field = in_snake_case(kind)

    def answer(verb, revision):
        response = getattr(catalog_pb, f"{verb}{kind}Response")
        return lambda request: response(**{field: getattr(request, field), "revision": revision})

    script.on(f"Create{kind}", answer("Create", 3))
    script.on(f"Update{kind}", answer("Update", 4))
    created = await getattr(client, f"create_{field}")(value)
    assert created == full(value)
    assert created.revision == 3
    request = script.calls[0].request
    assert getattr(request, f"{field}_id") == value.name
    assert getattr(request, "parent", "businesses/salon") == "businesses/salon"

    script.on(
        f"Get{kind}",
        lambda _: getattr(catalog_pb, f"Get{kind}Response")(
            **{field: getattr(request, field), "revision": 9}
        ),
    )
    read = await getattr(client, f"get_{field}")(value.name, min_revision=3)
    assert (read, read.revision) == (created, 9)
    assert script.calls[-1].request.name == created.name
    assert script.calls[-1].request.min_revision == 3

    assert await getattr(client, f"update_{field}")(read) == created
    assert getattr(script.calls[-1].request, field).name == created.name

    script.on(f"Delete{kind}", lambda _: getattr(catalog_pb, f"Delete{kind}Response")(revision=5))
    assert await getattr(client, f"delete_{field}")(value.name) == 5
    assert script.calls[-1].request.name == created.name
    ids = [call.request.request_id for call in script.calls if hasattr(call.request, "request_id")]
    assert len(set(ids)) == 3


async def test_the_catalogue_is_listed_in_pages(client, script):
    page = catalog_pb.ListCalendarsResponse(
        calendars=[catalog_pb.Calendar(name="businesses/salon/calendars/anna")],
        next_page_token="more",
    )
    script.on("ListCalendars", lambda _: page)
    calendars = await client.list_calendars(page_size=1, page_token="here")
    assert [calendar.name for calendar in calendars] == ["businesses/salon/calendars/anna"]
    assert (len(calendars), calendars.next_page_token) == (1, "more")
    assert script.calls[0].request.parent == "businesses/salon"
    assert script.calls[0].request.page_token == "here"


async def test_slots_are_listed_as_plain_values(client, script):
    script.on(
        "ListSlots",
        lambda _: availability_pb.ListSlotsResponse(
            slots=[slot_message(a_slot(1, seats=3))],
            revision=8,
            as_of=AT_DAY,
            next_page_token="more",
        ),
    )
    page = await client.list_slots(
        replace(QUERY, calendars=("anna",), duration=timedelta(minutes=30), holder="chat-1"),
        min_revision=7,
    )
    assert page.items == (a_slot(1, seats=3),)
    assert (page.revision, page.as_of, page.next_page_token) == (8, DAY, "more")
    request = script.calls[0].request
    assert list(request.calendars) == ["businesses/salon/calendars/anna"]
    assert request.duration.ToTimedelta() == timedelta(minutes=30)
    assert (request.holder, request.min_revision) == ("chat-1", 7)


async def test_a_time_is_explained_rule_by_rule(client, script):
    rules = availability_pb.RuleVerdict
    script.on(
        "ExplainSlot",
        lambda _: availability_pb.ExplainSlotResponse(
            verdicts=[
                rules(rule=rules.RULE_FREE, calendar="c", passed=False, explanation="Busy."),
                rules(rule=rules.Rule.ValueType(99)),
            ],
            as_of=AT_DAY,
        ),
    )
    wanted = SlotChoice(appointment_type="cut", start=DAY)
    explanation = await client.explain_slot(wanted)
    assert not explanation.bookable
    assert [verdict.rule for verdict in explanation.verdicts] == [Rule.FREE, Rule.UNKNOWN]
    assert explanation.verdicts[0].explanation == "Busy."
    assert script.calls[0].request.slot.calendar == ""


async def test_a_slot_is_held_renewed_booked_and_released(client, script):
    held = {"hold": hold_message(), "revision": 2}
    script.on("HoldSlot", lambda _: booking_pb.HoldSlotResponse(**held))
    script.on("RenewHold", lambda _: booking_pb.RenewHoldResponse(**held))
    script.on("ReleaseHold", lambda _: booking_pb.ReleaseHoldResponse(revision=4))
    script.on("Book", lambda _: booking_pb.BookResponse(bookings=[booking_message()], revision=3))

    hold = await client.hold_slot(a_slot(1), holder="chat-1")
    assert (hold.revision, hold.expires_at) == (2, DAY)
    assert script.calls[-1].request.slot.duration.ToTimedelta() == timedelta(minutes=30)
    assert await client.renew_hold(hold) == hold
    booking = await client.book(hold, customer=ADA, fields={"allergies": "none"})
    request = script.calls[-1].request
    assert request.appointments[0].hold == hold.name
    assert request.customer.email == "ada@example.com"
    assert dict(request.fields) == {"allergies": "none"}
    assert booking.status is BookingStatus.CONFIRMED
    assert await client.release_hold("1") == 4
    assert script.calls[-1].request.name == hold.name


async def test_several_appointments_are_one_request(client, script):
    both = [booking_message(1), booking_message(2)]
    script.on("Book", lambda _: booking_pb.BookResponse(bookings=both, revision=3))
    choice = SlotChoice(appointment_type="cut", start=DAY)
    bookings = await client.book_all(["h1", choice], Wish(customer=ADA, request_id="mine"))
    assert [booking.name for booking in bookings] == [item.name for item in both]
    request = script.calls[0].request
    assert request.request_id == "mine"
    assert request.appointments[0].hold == "businesses/salon/holds/h1"
    assert request.appointments[1].slot.appointment_type == "businesses/salon/appointmentTypes/cut"


async def test_what_was_agreed_to_is_sent_as_it_was_told(client, script):
    told = DAY.astimezone(timezone(timedelta(hours=2)))
    consent = Consent(start=told, time_zone="Europe/Berlin", appointment_type="Cut", price="5 EUR")
    choice = SlotChoice(appointment_type="cut", start=DAY)
    booked = booking_message(conversation="chat-1")
    script.on("Book", lambda _: booking_pb.BookResponse(bookings=[booked], revision=3))

    booking = await client.book(choice, customer=ADA, consent=consent, conversation="chat-1")

    assert booking.conversation == "chat-1"
    request = script.calls[0].request
    assert request.conversation == "chat-1"
    sent = request.appointments[0].consent
    assert sent.start == told.isoformat()
    assert sent.start.endswith("+02:00")
    assert (sent.time_zone, sent.appointment_type) == ("Europe/Berlin", "Cut")
    assert (sent.calendar, sent.price, sent.HasField("duration")) == ("", "5 EUR", False)
    naive = replace(consent, start=DAY.replace(tzinfo=None))
    with pytest.raises(ValueError, match="offset"):
        await client.book(choice, customer=ADA, consent=naive)


@pytest.mark.parametrize(
    ("rpc", "method"),
    [
        ("CancelBooking", "cancel_booking"),
        ("ApproveBooking", "approve_booking"),
        ("DeclineBooking", "decline_booking"),
        ("CompleteBooking", "complete_booking"),
        ("MarkNoShow", "mark_no_show"),
    ],
)
async def test_a_booking_is_changed_at_the_version_that_was_seen(client, script, rpc, method):
    changed = getattr(booking_pb, f"{rpc}Response")(booking=booking_message(version=5), revision=6)
    script.on(rpc, lambda _: changed)
    script.on("GetBooking", lambda _: booking_pb.GetBookingResponse(booking=booking_message()))
    booking = await client.get_booking("1")
    after = await getattr(client, method)(booking)
    assert (after.version, after.revision) == (5, 6)
    assert script.calls[-1].request.version == booking.version
    await getattr(client, method)("1", version=5)
    assert script.calls[-1].request.name == "businesses/salon/bookings/1"
    assert script.calls[-1].request.version == 5
    with pytest.raises(ValueError, match="version"):
        await getattr(client, method)("1")


async def test_a_booking_moves_to_a_slot_or_a_hold(client, script):
    moved = booking_pb.RescheduleBookingResponse(booking=booking_message(2), revision=6)
    script.on("RescheduleBooking", lambda _: moved)
    await client.reschedule_booking("1", a_slot(2), version=1)
    assert script.calls[-1].request.to.slot.start_time.ToDatetime(tzinfo=UTC) == a_slot(2).start
    await client.reschedule_booking("1", "h1", version=1, override_notice=True)
    assert script.calls[-1].request.to.hold == "businesses/salon/holds/h1"
    assert script.calls[-1].request.override_notice


async def test_bookings_are_listed_as_plain_values(client, script):
    listed = [booking_message(1), booking_message(2, status=99, customer=None)]
    script.on(
        "ListBookings", lambda _: booking_pb.ListBookingsResponse(bookings=listed, revision=4)
    )
    page = await client.list_bookings(
        BookingQuery(
            start=DAY,
            end=DAY + timedelta(days=1),
            calendar="anna",
            statuses=(BookingStatus.PENDING, BookingStatus.NO_SHOW),
            conversation="chat-7",
        )
    )
    assert script.calls[0].request.conversation == "chat-7"
    assert page.revision == 4
    assert [booking.status for booking in page] == [BookingStatus.CONFIRMED, BookingStatus.UNKNOWN]
    assert page.items[1].customer is None
    assert list(script.calls[0].request.statuses) == [
        booking_pb.BOOKING_STATUS_PENDING,
        booking_pb.BOOKING_STATUS_NO_SHOW,
    ]


async def test_busy_time_is_imported_from_a_file_or_an_address(client, script):
    script.on(
        "ImportBusyFeed",
        lambda _: catalog_pb.ImportBusyFeedResponse(busy_intervals=2, revision=9),
    )
    imported = await client.import_busy_feed("anna", "work", b"BEGIN:VCALENDAR")
    assert (imported.busy_intervals, imported.revision) == (2, 9)
    assert script.calls[-1].request.ics == b"BEGIN:VCALENDAR"
    await client.import_busy_feed(
        "anna",
        "work",
        "https://example.com/a.ics",
        refresh_interval=timedelta(hours=1),
        fail_closed_after=timedelta(days=1),
    )
    request = script.calls[-1].request
    assert request.url == "https://example.com/a.ics"
    assert (request.refresh_interval.seconds, request.fail_closed_after.seconds) == (3600, 86400)


async def test_how_a_feed_fares_is_read_and_it_is_ended(client, script):
    name = "businesses/salon/calendars/anna/busyFeeds/work"
    message = catalog_pb.BusyFeed(
        name=name,
        url="https://example.com/a.ics",
        state=catalog_pb.BusyFeed.STATE_FAILING,
        failure="It answers 500.",
        busy_intervals=3,
    )
    message.refresh_interval.FromSeconds(900)
    message.attempt_time.FromDatetime(DAY)
    script.on("GetBusyFeed", lambda _: catalog_pb.GetBusyFeedResponse(feed=message))
    script.on("ListBusyFeeds", lambda _: catalog_pb.ListBusyFeedsResponse(feeds=[message]))
    script.on("DeleteBusyFeed", lambda _: catalog_pb.DeleteBusyFeedResponse(revision=7))

    feed = await client.get_busy_feed(name)

    assert feed == BusyFeed(
        name=name,
        url="https://example.com/a.ics",
        state=FeedState.FAILING,
        failure="It answers 500.",
        busy_intervals=3,
        refresh_interval=timedelta(minutes=15),
        fail_closed_after=None,
        succeeded=None,
        attempted=DAY,
        next_attempt=None,
    )
    assert list(await client.list_busy_feeds("anna")) == [feed]
    assert script.calls[-1].request.parent == "businesses/salon/calendars/anna"
    assert await client.delete_busy_feed(feed) == 7
    assert script.calls[-1].request.name == name


async def test_a_calendar_is_read_as_a_file_and_has_secret_addresses(client, script):
    link = catalog_pb.FeedLink(name="n", display_name="Phone", with_names=True)
    link.create_time.FromDatetime(DAY)
    script.on("GetCalendarFeed", lambda _: catalog_pb.GetCalendarFeedResponse(ics=b"END"))
    script.on(
        "CreateFeedLink", lambda _: catalog_pb.CreateFeedLinkResponse(link=link, url="/v1/feeds/x")
    )
    script.on("ListFeedLinks", lambda _: catalog_pb.ListFeedLinksResponse(links=[link]))
    script.on("DeleteFeedLink", lambda _: catalog_pb.DeleteFeedLinkResponse())

    assert await client.get_calendar_feed("anna", with_names=True) == b"END"
    assert script.calls[-1].request.with_names
    made = await client.create_feed_link("anna", display_name="Phone", with_names=True)
    assert made == FeedLink(
        name="n", display_name="Phone", with_names=True, created=DAY, url="/v1/feeds/x"
    )
    assert [each.url for each in await client.list_feed_links("anna")] == [""]
    await client.delete_feed_link(made)
    assert script.calls[-1].request.name == "n"


async def test_handoffs_go_through(client, script):
    prefilled = booking_pb.PrefilledField
    known = (
        PrefilledField(name="email", value="ada@example.com", provenance=Provenance.SAID),
        PrefilledField(name="note", value="dog", provenance=Provenance.INFERRED),
    )
    sent = [
        prefilled(name="email", value="ada@example.com", provenance=prefilled.PROVENANCE_SAID),
        prefilled(name="note", value="dog", provenance=prefilled.PROVENANCE_INFERRED),
    ]
    created = booking_pb.CreateHandoffResponse(
        ticket="t", url="https://b.example/book/#t", hold=hold_message(), revision=7
    )
    taken = booking_pb.RedeemHandoffResponse(hold=hold_message(), fields=sent, revision=8)
    script.on("CreateHandoff", lambda _: created)
    script.on("RedeemHandoff", lambda _: taken)

    handoff = await client.create_handoff("h1", fields=known, conversation="chat-1")
    redeemed = await client.redeem_handoff(handoff.ticket, holder="page")

    assert (handoff.ticket, handoff.url, handoff.revision) == ("t", created.url, 7)
    assert handoff.hold == redeemed.hold
    assert redeemed.fields == known
    first, second = (call.request for call in script.calls)
    assert (first.hold, first.conversation) == ("businesses/salon/holds/h1", "chat-1")
    assert list(first.fields) == sent
    assert (second.ticket, second.holder) == ("t", "page")
    unknown = [PrefilledField(name="note", value="dog", provenance=Provenance.UNKNOWN)]
    with pytest.raises(ValueError, match="UNKNOWN"):
        await client.create_handoff("h1", fields=unknown)


async def test_a_full_name_is_left_as_it_is(client, script):
    script.on("GetCalendar", lambda _: catalog_pb.GetCalendarResponse())
    await client.get_calendar("businesses/other/calendars/bert")
    assert script.calls[0].request.name == "businesses/other/calendars/bert"


async def test_a_client_of_another_business_shares_the_channel_and_the_key(client, script):
    script.on("GetCalendar", lambda _: catalog_pb.GetCalendarResponse())
    async with client.for_business("other") as other:
        await other.get_calendar("bert")
    await client.get_calendar("anna")
    assert [call.request.name for call in script.calls] == [
        "businesses/other/calendars/bert",
        "businesses/salon/calendars/anna",
    ]
    assert script.calls[0].metadata["authorization"] == "Bearer k.secret"


async def test_a_client_is_told_from_others_with_its_key_by_its_id(client, script):
    script.on("GetCalendar", lambda _: catalog_pb.GetCalendarResponse())
    kim = client.with_client_id("kim-7")
    for each in (kim, kim.with_client_id("lee-8").with_timeouts(Timeouts()), client):
        await each.get_calendar("anna")
    told = [call.metadata.get("x-client-id") for call in script.calls]
    assert told == ["kim-7", "lee-8", None]
    assert script.calls[0].metadata["authorization"] == "Bearer k.secret"


@pytest.mark.parametrize("client_id", ["", "a b", "jörg", "a\n", "x" * 129])
def test_the_id_of_a_client_is_printable_and_short(client, client_id):
    with pytest.raises(ValueError, match="128"):
        client.with_client_id(client_id)


async def test_a_short_id_without_a_business_is_refused_before_it_is_sent(script):
    async with Client(script.target) as client:
        with pytest.raises(ValueError, match="business"):
            await client.get_calendar("anna")


async def test_an_empty_name_is_refused_before_it_is_sent(client):
    with pytest.raises(ValueError, match="empty"):
        await client.get_booking("")


async def test_a_naive_time_is_refused_before_it_is_sent(client):
    naive = SlotChoice(appointment_type="cut", start=DAY.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        await client.explain_slot(naive)


async def test_a_time_of_any_zone_is_the_same_instant(client, script):
    script.on("ExplainSlot", lambda _: availability_pb.ExplainSlotResponse())
    there = timezone(timedelta(hours=5, minutes=45))
    await client.explain_slot(SlotChoice(appointment_type="cut", start=DAY.astimezone(there)))
    assert script.calls[0].request.slot.start_time.ToDatetime(tzinfo=UTC) == DAY


def test_a_client_needs_a_target_or_a_channel():
    with pytest.raises(ValueError, match="target"):
        Client()


def test_the_readme_uses_only_what_is_public():
    text = (Path(slotcast.__file__).parent.parent / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        code = block if "async def" in block else f"async def watch():\n{indent(block, '    ')}"
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module == "slotcast":
                assert {alias.name for alias in node.names} <= set(slotcast.__all__)
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "client":
                assert hasattr(Client, node.attr)
