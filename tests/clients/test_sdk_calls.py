"""Calls: deadlines, retries, and who may hear them."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from slotcast import (
    Client,
    ClientClosed,
    Customer,
    DeadlineExceeded,
    Overloaded,
    RateLimited,
    ServerUnreachable,
    SlotTaken,
    Timeouts,
)
from slotcast.channel import CHANNEL_OPTIONS, is_loopback
from slotcast.v1 import booking_service_pb2 as pb
from tests.clients.scripted import refused
from tests.clients.set_clock import SetClock
from tests.clients.wire import a_slot, booking_message

ADA = Customer(display_name="Ada")
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
BOOKED = pb.BookResponse(bookings=[booking_message()], revision=7)

# gRPC tells a server the time that is left in hundredths of a second, rounded up.
ROUNDED_SECONDS = 0.01


async def test_a_booking_whose_answer_was_lost_is_asked_for_again_with_the_same_request_id(
    client, script
):
    script.in_turn("Book", refused(UNAVAILABLE), refused(UNAVAILABLE), BOOKED)
    booking = await client.book(a_slot(1), customer=ADA)
    assert booking.revision == 7
    ids = {call.request.request_id for call in script.calls}
    assert len(script.calls) == 3
    assert len(ids) == 1


async def test_an_attempt_that_ran_out_of_time_is_followed_by_another(client, script):
    script.in_turn("Book", refused(grpc.StatusCode.DEADLINE_EXCEEDED), BOOKED)
    await client.book(a_slot(1), customer=ADA, request_id="mine")
    assert [call.request.request_id for call in script.calls] == ["mine", "mine"]


async def test_two_calls_have_two_request_ids(client, script):
    script.on("Book", lambda request: BOOKED)
    await client.book(a_slot(1), customer=ADA)
    await client.book(a_slot(1), customer=ADA)
    assert len({call.request.request_id for call in script.calls}) == 2


async def test_a_refusal_is_not_asked_again(client, script):
    script.in_turn("Book", refused(grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN"))
    with pytest.raises(SlotTaken):
        await client.book(a_slot(1), customer=ADA)
    assert len(script.calls) == 1


async def test_a_server_that_asks_for_a_delay_is_given_it(client, script, clock):
    limited = refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry_after_seconds=2)
    script.in_turn("Book", limited, BOOKED)
    await client.book(a_slot(1), customer=ADA)
    assert len(clock.slept) == 1
    assert clock.slept[0] >= 2


async def test_a_delay_beyond_the_total_deadline_is_left_to_the_caller(client, script, clock):
    limited = refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry_after_seconds=60)
    script.in_turn("Book", limited)
    with pytest.raises(RateLimited) as caught:
        await client.book(a_slot(1), customer=ADA)
    assert caught.value.retryable
    assert caught.value.retry_after == timedelta(seconds=60)
    assert clock.slept == []


async def test_attempts_are_bounded_and_the_last_error_is_raised(client, script, clock):
    script.on("Book", lambda request: _raise(refused(UNAVAILABLE, "OVERLOADED")))
    with pytest.raises(Overloaded):
        await client.with_timeouts(Timeouts(attempts_max=3, clock=clock)).book(
            a_slot(1), customer=ADA
        )
    assert len(script.calls) == 3


async def test_attempts_end_with_the_total_deadline(client, script, clock):
    script.on("Book", lambda request: _raise(refused(UNAVAILABLE, retry_after_seconds=4)))
    timeouts = Timeouts(total_seconds=10, attempts_max=100, clock=clock)
    with pytest.raises(ServerUnreachable):
        await client.with_timeouts(timeouts).book(a_slot(1), customer=ADA)
    assert len(script.calls) == 3
    assert clock.now < 1010


async def test_every_attempt_has_a_deadline_and_none_reaches_beyond_the_total(
    client, script, clock
):
    script.in_turn("Book", refused(UNAVAILABLE, retry_after_seconds=8), BOOKED)
    timeouts = Timeouts(attempt_seconds=5, total_seconds=10, clock=clock)
    await client.with_timeouts(timeouts).book(a_slot(1), customer=ADA)
    first, second = (call.seconds_left for call in script.calls)
    assert 0 < first <= 5 + ROUNDED_SECONDS
    assert 0 < second <= 2 + ROUNDED_SECONDS


async def test_a_server_that_never_answers_ends_in_deadline_exceeded(script):
    cancelled = asyncio.Event()

    async def never(request):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    script.on("Book", never)
    impatient = Timeouts(attempt_seconds=0.05, attempts_max=1)
    async with Client(script.target, business="salon", timeouts=impatient) as client:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.book(a_slot(1), customer=ADA)
        assert caught.value.retryable
        await cancelled.wait()


async def test_a_caller_who_gives_up_cancels_the_call_at_the_server(client, script):
    reached, cancelled = asyncio.Event(), asyncio.Event()

    async def never(request):
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    script.on("Book", never)
    booking = asyncio.create_task(client.book(a_slot(1), customer=ADA))
    await reached.wait()
    booking.cancel()
    await asyncio.gather(booking, return_exceptions=True)
    assert booking.cancelled()
    await cancelled.wait()


async def test_nobody_at_the_other_end_is_server_unreachable(script, clock):
    timeouts = Timeouts(attempts_max=2, clock=clock)
    async with Client("127.0.0.1:1", business="salon", timeouts=timeouts) as client:
        with pytest.raises(ServerUnreachable):
            await client.book(a_slot(1), customer=ADA)


async def test_every_call_carries_the_key(client, script):
    script.on("Book", lambda request: BOOKED)
    await client.book(a_slot(1), customer=ADA)
    assert script.calls[0].metadata["authorization"] == "Bearer k.secret"


async def test_a_client_without_a_key_sends_none(script):
    script.on("Book", lambda request: BOOKED)
    async with Client(script.target, business="salon") as client:
        await client.book(a_slot(1), customer=ADA)
    assert "authorization" not in script.calls[0].metadata


async def test_a_channel_that_was_handed_in_is_not_closed(script):
    script.on("Book", lambda request: BOOKED)
    async with grpc.aio.insecure_channel(script.target) as channel:
        async with Client(channel=channel, business="salon") as client:
            await client.book(a_slot(1), customer=ADA)
        async with Client(channel=channel, business="salon") as client:
            await client.book(a_slot(1), customer=ADA)
    assert len(script.calls) == 2


async def test_a_closed_client_says_so(client):
    await client.close()
    with pytest.raises(ClientClosed):
        await client.book(a_slot(1), customer=ADA)


@pytest.mark.parametrize(
    "target",
    ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "dns:///localhost:1", "unix:/x.sock"],
)
def test_only_this_machine_hears_what_goes_over_loopback(target):
    assert is_loopback(target)


@pytest.mark.parametrize(
    "target", ["example.com:443", "10.0.0.1:1", "localhost.example.com:1", "[2001:db8::1]:1"]
)
def test_others_may_hear_what_leaves_this_machine(target):
    assert not is_loopback(target)


def test_pings_are_no_more_frequent_than_servers_allow():
    assert int(dict(CHANNEL_OPTIONS)["grpc.keepalive_time_ms"]) >= 30_000


@pytest.mark.parametrize("failures", [1, 2, 5, 50])
def test_a_pause_has_jitter_and_a_limit(failures):
    class Luck(SetClock):
        def chance(self):
            return 0.999

    low = Timeouts(clock=SetClock()).pause_seconds(failures)
    high = Timeouts(clock=Luck()).pause_seconds(failures)
    assert low < high <= Timeouts().back_off_seconds_max


def _raise(error):
    raise error
