"""Many bookings on one stream: each answered once, also when the stream breaks."""

import asyncio

import grpc
import pytest

from slotcast import (
    BookingStatus,
    Client,
    ClientClosed,
    Customer,
    DeadlineExceeded,
    KeyInvalid,
    SlotTaken,
    StreamBroken,
    Timeouts,
)
from slotcast.v1 import booking_service_pb2 as pb
from tests.clients.scripted import refused, status
from tests.clients.wire import a_slot, booking_message, hold_message

ADA = Customer(display_name="Ada")
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
async def bookings(client):
    async with client.stream_bookings() as stream:
        yield stream


def asking(bookings, request_id, number=1):
    return asyncio.create_task(bookings.book(a_slot(number), customer=ADA, request_id=request_id))


def booked(request_id, number=1):
    book = pb.BookResponse(bookings=[booking_message(number)], revision=number)
    return pb.StreamBookingsResponse(request_id=request_id, book=book)


def denied(request_id, code, reason, **how):
    return pb.StreamBookingsResponse(request_id=request_id, error=status(code, reason, **how))


async def test_answers_in_any_order_reach_who_asked(bookings, script):
    first, second = asking(bookings, "one", 1), asking(bookings, "two", 2)
    stream = await script.stream()
    received = [(await stream.received.get()).book.request_id for _ in range(2)]
    assert received == ["one", "two"]
    stream.send(booked("two", 2), booked("one", 1))
    assert (await first).name == "businesses/salon/bookings/1"
    assert (await second).name == "businesses/salon/bookings/2"
    assert stream.metadata["authorization"] == "Bearer k.secret"


async def test_holds_and_cancellations_go_the_same_way(bookings, script):
    hold = asyncio.create_task(bookings.hold_slot(a_slot(1), holder="chat-1", request_id="h"))
    cancel = asyncio.create_task(bookings.cancel_booking("b1", version=3, request_id="c"))
    stream = await script.stream()
    hold_request, cancel_request = [await stream.received.get() for _ in range(2)]
    assert hold_request.hold_slot.holder == "chat-1"
    assert cancel_request.cancel_booking.name == "businesses/salon/bookings/b1"
    cancelled = booking_message(status=pb.BOOKING_STATUS_CANCELLED)
    stream.send(
        pb.StreamBookingsResponse(
            request_id="h", hold_slot=pb.HoldSlotResponse(hold=hold_message(), revision=4)
        ),
        pb.StreamBookingsResponse(
            request_id="c", cancel_booking=pb.CancelBookingResponse(booking=cancelled, revision=5)
        ),
    )
    assert (await hold).revision == 4
    assert (await cancel).status is BookingStatus.CANCELLED


async def test_a_refusal_is_the_answer_of_one_and_leaves_the_others(bookings, script):
    first, second = asking(bookings, "one"), asking(bookings, "two")
    stream = await script.stream()
    stream.send(denied("one", grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN"), booked("two"))
    with pytest.raises(SlotTaken):
        await first
    assert (await second).version == 1


async def test_a_refusal_that_says_retry_is_asked_again_with_the_same_id(bookings, script, clock):
    booking = asking(bookings, "one")
    stream = await script.stream()
    await stream.received.get()
    stream.send(denied("one", UNAVAILABLE, "OVERLOADED", retry_after_seconds=0.5))
    assert (await stream.received.get()).book.request_id == "one"
    stream.send(booked("one"))
    await booking
    assert clock.slept[0] >= 0.5


@pytest.mark.parametrize("end", [None, refused(UNAVAILABLE)])
async def test_what_was_unanswered_when_the_stream_broke_is_sent_again_on_the_next(
    bookings, script, end
):
    answered, unanswered = asking(bookings, "one"), asking(bookings, "two")
    stream = await script.stream()
    for _ in range(2):
        await stream.received.get()
    stream.send(booked("one"))
    await answered
    stream.end(end)
    again = await script.stream()
    assert (await again.received.get()).book.request_id == "two"
    again.send(booked("two"))
    assert (await unanswered).version == 1
    assert again.received.empty()


async def test_a_stream_that_breaks_again_and_again_fails_all_who_wait_retryably(
    bookings, script, clock
):
    asked = [asking(bookings, f"id-{number}", number) for number in range(3)]
    for _ in range(Timeouts().attempts_max):
        stream = await script.stream()
        for _ in asked:
            await stream.received.get()
        stream.end(refused(UNAVAILABLE))
    for booking in asked:
        with pytest.raises(StreamBroken) as caught:
            await booking
        assert caught.value.retryable


async def test_a_stream_can_be_used_again_after_all_have_failed(bookings, script):
    booking = asking(bookings, "one")
    (await script.stream()).end(refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID"))
    with pytest.raises(KeyInvalid):
        await booking
    booking = asking(bookings, "two")
    (await script.stream()).send(booked("two"))
    await booking


async def test_no_more_are_in_flight_than_were_allowed(client, script):
    async with client.stream_bookings(in_flight_max=2) as bookings:
        asked = [asking(bookings, f"id-{number}", number) for number in range(3)]
        stream = await script.stream()
        await stream.received.get()
        await stream.received.get()
        assert stream.received.empty()
        stream.send(booked("id-0"))
        assert (await stream.received.get()).book.request_id == "id-2"
        stream.send(booked("id-1"), booked("id-2"))
        await asyncio.gather(*asked)


async def test_a_request_that_gets_no_answer_in_time_is_sent_again_on_another_stream(
    bookings, script, clock
):
    booking = asking(bookings, "one")
    silent = await script.stream()
    await silent.received.get()
    clock.advance(Timeouts().attempt_seconds)
    again = await script.stream()
    await silent.closed.wait()
    assert (await again.received.get()).book.request_id == "one"
    again.send(booked("one"))
    await booking


async def test_a_request_that_never_gets_an_answer_ends_in_deadline_exceeded(script, clock):
    timeouts = Timeouts(attempts_max=1, clock=clock)
    async with (
        Client(script.target, business="salon", timeouts=timeouts) as client,
        client.stream_bookings() as bookings,
    ):
        booking = asking(bookings, "one")
        await (await script.stream()).received.get()
        clock.advance(timeouts.attempt_seconds)
        with pytest.raises(DeadlineExceeded) as caught:
            await booking
        assert caught.value.retryable


async def test_two_requests_in_flight_cannot_share_an_id(bookings, script):
    booking = asking(bookings, "one")
    stream = await script.stream()
    await stream.received.get()
    with pytest.raises(ValueError, match="in flight"):
        await bookings.book(a_slot(2), customer=ADA, request_id="one")
    stream.send(booked("one"))
    await booking


async def test_who_gives_up_waiting_leaves_the_others(bookings, script):
    first, second = asking(bookings, "one"), asking(bookings, "two")
    stream = await script.stream()
    await stream.received.get()
    await stream.received.get()
    first.cancel()
    stream.send(booked("one"), booked("two"))
    await second
    assert first.cancelled()
    assert not stream.closed.is_set()


async def test_leaving_the_block_fails_who_still_waits_and_cancels_the_call(client, script):
    async with client.stream_bookings() as bookings:
        booking = asking(bookings, "one")
        stream = await script.stream()
        await stream.received.get()
    with pytest.raises(ClientClosed):
        await booking
    await stream.closed.wait()
    with pytest.raises(ClientClosed):
        await bookings.book(a_slot(1), customer=ADA)


async def test_closing_the_client_fails_who_still_waits(client, script):
    async with client.stream_bookings() as bookings:
        booking = asking(bookings, "one")
        await (await script.stream()).received.get()
        await client.close()
        with pytest.raises(ClientClosed):
            await booking
        with pytest.raises(ClientClosed):
            await bookings.book(a_slot(1), customer=ADA)


def test_a_stream_of_more_than_the_server_reads_is_refused(client):
    with pytest.raises(ValueError, match="1024"):
        client.stream_bookings(in_flight_max=2000)
