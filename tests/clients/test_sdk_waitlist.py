"""The client: waiting for a slot."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest

from slotcast import (
    Customer,
    TimeWindow,
    TooManyWaiting,
    WaitingEnded,
    WaitlistEntry,
    WaitlistStatus,
    WaitlistWish,
)
from slotcast.v1 import booking_service_pb2 as pb
from tests.clients.scripted import refused

MONDAY = datetime(2030, 1, 7, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
WISH = WaitlistWish(
    appointment_type="cut",
    windows=(TimeWindow(MONDAY, MONDAY + HOUR), TimeWindow(MONDAY + 3 * HOUR, MONDAY + 4 * HOUR)),
    calendars=("chair-1",),
    duration=HOUR,
    customer=Customer(display_name="Ada", email="ada@example.org"),
    holder="chat-1",
    fields={"note": "any"},
)
NAME = "businesses/salon/waitlist/w1"


def entry_message(status=pb.WaitlistEntry.STATUS_WAITING, **more):
    message = pb.WaitlistEntry(
        name=NAME,
        appointment_type="businesses/salon/appointmentTypes/cut",
        windows=[pb.TimeWindow()],
        holder="chat-1",
        status=status,
        **more,
    )
    message.windows[0].start_time.FromDatetime(MONDAY)
    message.windows[0].end_time.FromDatetime(MONDAY + HOUR)
    message.create_time.FromDatetime(MONDAY - HOUR)
    return message


async def test_a_wish_is_told_as_it_was_made_and_the_entry_comes_back(client, script):
    script.on(
        "JoinWaitlist",
        lambda _: pb.JoinWaitlistResponse(name=NAME, entry=entry_message(), revision=7),
    )

    entry = await client.join_waitlist(WISH)

    request = script.calls[-1].request
    assert request.parent == "businesses/salon"
    assert request.appointment_type == "businesses/salon/appointmentTypes/cut"
    assert list(request.calendars) == ["businesses/salon/calendars/chair-1"]
    assert [window.start_time.ToDatetime(tzinfo=UTC) for window in request.windows] == [
        window.start for window in WISH.windows
    ]
    assert request.duration.ToTimedelta() == HOUR
    assert (request.holder, request.customer.email, dict(request.fields)) == (
        "chat-1",
        "ada@example.org",
        {"note": "any"},
    )
    assert entry == WaitlistEntry(
        name=NAME,
        appointment_type="businesses/salon/appointmentTypes/cut",
        calendars=(),
        windows=(TimeWindow(MONDAY, MONDAY + HOUR),),
        duration=None,
        holder="chat-1",
        status=WaitlistStatus.WAITING,
        created_at=MONDAY - HOUR,
    )
    assert entry.revision == 7


async def test_an_offer_comes_with_its_hold_and_its_end(client, script):
    message = entry_message(
        pb.WaitlistEntry.STATUS_OFFERED,
        offer=pb.Hold(name="businesses/salon/holds/h1", holder="chat-1"),
        customer=pb.Customer(display_name="Ada"),
    )
    message.offer_expire_time.FromDatetime(MONDAY)
    script.on("GetWaitlistEntry", lambda _: pb.GetWaitlistEntryResponse(entry=message, revision=8))

    entry = await client.get_waitlist_entry("w1", min_revision=8)

    assert script.calls[-1].request == pb.GetWaitlistEntryRequest(name=NAME, min_revision=8)
    assert entry.status is WaitlistStatus.OFFERED
    assert entry.offer is not None
    assert (entry.offer.name, entry.offer.revision) == ("businesses/salon/holds/h1", 8)
    assert entry.offer_expires_at == MONDAY
    assert entry.customer == Customer(display_name="Ada")


async def test_a_status_of_a_newer_server_is_unknown(client, script):
    message = entry_message(99)
    script.on("GetWaitlistEntry", lambda _: pb.GetWaitlistEntryResponse(entry=message))

    assert (await client.get_waitlist_entry("w1")).status is WaitlistStatus.UNKNOWN


async def test_who_waits_is_listed_page_by_page(client, script):
    script.on(
        "ListWaitlist",
        lambda request: pb.ListWaitlistResponse(
            entries=[entry_message()],
            revision=9,
            next_page_token="" if request.page_token else "more",
        ),
    )

    first = await client.list_waitlist(appointment_type="cut", page_size=1)
    second = await client.list_waitlist(page_token=first.next_page_token)

    assert script.calls[-2].request.appointment_type == "businesses/salon/appointmentTypes/cut"
    assert (len(first.items), first.revision, second.next_page_token) == (1, 9, "")


async def test_one_leaves_by_name_or_by_entry(client, script):
    script.on("JoinWaitlist", lambda _: pb.JoinWaitlistResponse(entry=entry_message()))
    script.on("LeaveWaitlist", lambda _: pb.LeaveWaitlistResponse(revision=10))
    entry = await client.join_waitlist(WISH)

    for named in ("w1", NAME, entry):
        assert await client.leave_waitlist(named) == 10
        assert script.calls[-1].request.name == NAME


@pytest.mark.parametrize(
    ("method", "code", "error"),
    [
        ("JoinWaitlist", grpc.StatusCode.RESOURCE_EXHAUSTED, TooManyWaiting),
        ("LeaveWaitlist", grpc.StatusCode.FAILED_PRECONDITION, WaitingEnded),
    ],
)
async def test_a_refusal_has_its_own_error(client, script, method, code, error):
    def refuse(_):
        raise refused(code, "TOO_MANY_WAITING" if error is TooManyWaiting else "WAITING_ENDED")

    script.on(method, refuse)

    with pytest.raises(error):
        await (
            client.join_waitlist(WISH) if method == "JoinWaitlist" else client.leave_waitlist("w1")
        )
