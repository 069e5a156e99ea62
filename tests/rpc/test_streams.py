"""Streams: many requests in flight, watches, and how they end."""

import asyncio
import contextlib
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from service.rpc import stream_bookings
from service.rpc.interceptors.authentication import Authentication
from service.rpc.submitting import Submitter
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.rpc.stack import (
    Caller,
    a_request_id,
    details_of,
    read_to_end,
    requests_of_a_shop,
    running,
    stamp,
    status_of,
    tomorrow,
)


class World:
    """A server of a test's own, with one shop."""

    def __init__(self, stack, channel, caller):
        self.stack = stack
        self.channel = channel
        self.shop = caller

    async def caller(self, *scopes):
        key = await self.stack.make_key("shop", scopes)
        return Caller(self.channel, key, "shop")


@pytest.fixture
def make_world(database_url, tmp_path):
    @contextlib.asynccontextmanager
    async def make(**options):
        async with (
            running(database_url, tmp_path, **options) as stack,
            grpc.aio.insecure_channel(stack.address) as channel,
        ):
            operator = Caller(channel, await stack.make_key("*"), "nowhere")
            for request in requests_of_a_shop("shop"):
                method = getattr(operator.catalog, type(request).__name__.removesuffix("Request"))
                await operator.call(method, request)
            yield World(stack, channel, Caller(channel, await stack.make_key("shop"), "shop"))

    return make


@pytest.fixture
async def world(make_world):
    async with make_world(key_cache_seconds=0.0, reflection_enabled=True) as world:
        yield world


def book(caller, start, **changes):
    return booking_pb.StreamBookingsRequest(book=caller.book_request(start, **changes))


async def answers(caller, requests, **options):
    """Send all requests on one stream, and return the answers by request_id."""
    call = caller.bookings.StreamBookings(
        iter(requests), metadata=caller.metadata, timeout=20, **options
    )
    return {answer.request_id: answer async for answer in call}


def reason_of(answer):
    return details_of(answer.error)["ErrorInfo"].reason


async def read_to_failure(call):
    """Return what a stream brings until it fails."""
    found = []
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (answer := await call.read()) is not grpc.aio.EOF:
            found.append(answer)
    return found


async def failure(call):
    """Read a stream to its end, which must be a failure, and return its code and reason."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await read_to_end(call)
    return failed.value.code(), details_of(status_of(failed.value))["ErrorInfo"].reason


async def test_each_request_of_a_stream_has_its_own_answer(world):
    shop = world.shop
    requests = [book(shop, tomorrow(hour)) for hour in range(24)] * 2
    held = booking_pb.HoldSlotRequest(
        parent=shop.business,
        request_id=a_request_id(),
        slot=shop.choice(tomorrow(9, 30)),
        holder="kim",
    )
    requests.append(booking_pb.StreamBookingsRequest(hold_slot=held))

    by_id = await answers(shop, requests)

    assert len(by_id) == 25
    assert by_id[held.request_id].hold_slot.hold.holder == "kim"
    for request in requests[:24]:
        (booking,) = by_id[request.book.request_id].book.bookings
        assert booking.start_time == request.book.appointments[0].slot.start_time


async def test_a_refusal_is_an_answer_and_does_not_end_the_stream(world):
    shop = world.shop
    first, second = book(shop, tomorrow()), book(shop, tomorrow())
    malformed = book(shop, tomorrow(), customer=booking_pb.Customer())
    foreign = book(shop, tomorrow(), parent="businesses/other")
    empty = booking_pb.StreamBookingsRequest()
    last = book(shop, tomorrow(12))

    by_id = await answers(shop, [first, second, malformed, foreign, empty, last])

    results = {by_id[each.book.request_id].WhichOneof("result") for each in (first, second)}
    assert results == {"book", "error"}
    (taken,) = [
        by_id[each.book.request_id]
        for each in (first, second)
        if by_id[each.book.request_id].HasField("error")
    ]
    assert reason_of(taken) == "SLOT_TAKEN"
    assert len(details_of(taken.error)["Alternatives"].slots) == 10
    refused = by_id[malformed.book.request_id].error
    violations = details_of(refused)["BadRequest"].field_violations
    assert [each.field for each in violations] == ["customer.display_name"]
    assert reason_of(by_id[foreign.book.request_id]) == "RESOURCE_NOT_FOUND"
    assert reason_of(by_id[""]) == "INVALID_REQUEST"
    assert by_id[last.book.request_id].HasField("book")


async def test_a_request_of_a_stream_needs_what_a_call_needs(world):
    chatbot = await world.caller("bookings.write")
    booked = await answers(chatbot, [book(chatbot, tomorrow())])
    ((booking,),) = [answer.book.bookings for answer in booked.values()]
    request = booking_pb.CancelBookingRequest(
        name=booking.name, version=1, request_id=a_request_id(), override_notice=True
    )

    by_id = await answers(chatbot, [booking_pb.StreamBookingsRequest(cancel_booking=request)])

    assert reason_of(by_id[request.request_id]) == "SCOPE_MISSING"


async def test_each_request_of_a_stream_counts_for_the_rate(make_world):
    async with make_world(rate_limit_per_client_per_minute=20) as world:
        metadata = (*world.shop.metadata, ("x-client-id", "tester"))
        world.shop.metadata = metadata
        requests = [book(world.shop, tomorrow(hour)) for hour in range(24)]

        by_id = await answers(world.shop, requests)

    refused = [answer for answer in by_id.values() if answer.HasField("error")]
    # The stream itself took one.
    assert len(refused) == 24 - 19
    assert {reason_of(answer) for answer in refused} == {"RATE_LIMITED"}


async def test_a_call_beyond_the_rate_is_told_when_to_come_back(make_world):
    async with make_world(rate_limit_per_client_per_minute=5) as world:
        shop = world.shop
        metadata = (*shop.metadata, ("x-client-id", "tester"))
        for hour in range(5):
            await shop.bookings.Book(shop.book_request(tomorrow(hour)), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await shop.bookings.Book(shop.book_request(tomorrow(12)), metadata=metadata)
        # Another client of the same key goes on.
        await shop.bookings.Book(shop.book_request(tomorrow(12)), metadata=shop.metadata)

    details = details_of(status_of(failed.value))
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details["ErrorInfo"].metadata == {"limit": "5 per 1 minute"}
    assert details["RetryInfo"].retry_delay.ToTimedelta()


async def test_no_more_than_the_limit_is_in_flight(world, monkeypatch):
    monkeypatch.setattr(stream_bookings, "IN_FLIGHT_MAX", 4)
    follow = stream_bookings._Stream.follow
    in_flight = []

    def counted(self, waited_for, then):
        follow(self, waited_for, then)
        in_flight.append(len(self._in_flight))

    monkeypatch.setattr(stream_bookings._Stream, "follow", counted)

    by_id = await answers(world.shop, [book(world.shop, tomorrow(hour)) for hour in range(24)])

    assert len(by_id) == 24
    assert len(in_flight) == 24
    assert max(in_flight) <= 4


async def test_a_request_whose_stream_is_gone_leaves_its_line_all_the_same(world, monkeypatch):
    """It may have been done: the log must name it."""
    waiting, lines = asyncio.Event(), asyncio.Queue[tuple[str, str]]()

    def never(*_):
        waiting.set()
        return asyncio.get_running_loop().create_future()

    def write_line(line, code, _):
        lines.put_nowait((line.request_id, code))

    monkeypatch.setattr(Submitter, "begin", never)
    monkeypatch.setattr(stream_bookings, "write_line", write_line)
    request = book(world.shop, tomorrow())
    call = world.shop.bookings.StreamBookings(metadata=world.shop.metadata)
    await call.write(request)
    await waiting.wait()
    call.cancel()

    async with asyncio.timeout(20):
        assert await lines.get() == (request.book.request_id, "CANCELLED")


async def test_a_server_that_stops_answers_first_what_it_has_read(make_world):
    async with make_world() as world:
        requests = [book(world.shop, tomorrow(hour)) for hour in range(24)]
        call = world.shop.bookings.StreamBookings(metadata=world.shop.metadata)
        for request in requests:
            await call.write(request)
        answered = [await call.read()]
        draining = asyncio.create_task(world.stack.server.drain())
        answered += await read_to_failure(call)
        await draining

    assert call.done()
    assert await call.code() is grpc.StatusCode.UNAVAILABLE
    ids = [answer.request_id for answer in answered]
    assert ids == [request.book.request_id for request in requests[: len(ids)]]
    assert all(answer.HasField("book") for answer in answered)


def a_health_stub(world) -> Any:
    """Return what its types do not know all of."""
    return health_pb2_grpc.HealthStub(world.channel)


def a_watch(shop, **changes):
    values = {
        "parent": shop.business,
        "start_time": stamp(tomorrow(0)),
        "end_time": stamp(tomorrow(24)),
    }
    return availability_pb.WatchAvailabilityRequest(**{**values, **changes})


async def frames_until(call, kind):
    frames: list[Any] = []
    while not frames or frames[-1].WhichOneof("frame") != kind:
        frame = await call.read()
        assert frame is not grpc.aio.EOF
        frames.append(frame)
    return frames


async def test_a_watch_shows_a_snapshot_and_then_what_changes(world):
    shop = world.shop
    watch = shop.availability.WatchAvailability(a_watch(shop), metadata=shop.metadata)
    snapshot = await frames_until(watch, "snapshot_end")
    booked = await shop.call(shop.bookings.Book, shop.book_request(tomorrow()))
    after = await frames_until(watch, "delta")
    watch.cancel()

    slots = [slot for frame in snapshot for slot in frame.snapshot_chunk.slots]
    assert len(slots) == 48 == snapshot[-1].snapshot_end.open_slots
    delta = after[-1]
    assert delta.revision == booked.revision
    assert [key.start_time for key in delta.delta.closed] == [stamp(tomorrow())]
    sequence = [frame.stream_seq for frame in (*snapshot, *after)]
    assert sequence == list(range(1, len(sequence) + 1))
    assert all(frame.stale_after.ToTimedelta() for frame in (*snapshot, *after))


async def test_a_watch_with_an_altered_token_is_refused(world):
    shop = world.shop
    watch = shop.availability.WatchAvailability(
        a_watch(shop, resume_token="AAAA"), metadata=shop.metadata
    )

    assert await failure(watch) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN")


async def test_a_feed_of_bookings_names_people_only_to_those_who_may_read_them(world):
    reader = await world.caller("bookings.read")
    staff = await world.caller("bookings.staff")
    shop = world.shop
    request = booking_pb.WatchBookingsRequest(parent=shop.business)
    feeds = [
        each.bookings.WatchBookings(request, metadata=each.metadata) for each in (reader, staff)
    ]
    for feed in feeds:
        await frames_until(feed, "heartbeat")
    (booked,) = (
        await shop.call(shop.bookings.Book, shop.book_request(tomorrow(), fields={"a": "b"}))
    ).bookings

    seen = []
    for feed in feeds:
        frames = await frames_until(feed, "change")
        seen.append(frames[-1].change.bookings[0])
        feed.cancel()

    assert seen[0] == booked
    assert seen[1].name == booked.name
    assert not seen[1].HasField("customer")
    assert not seen[1].fields


@pytest.mark.parametrize("kind", ["watch", "feed"])
async def test_a_stream_ends_soon_after_its_key_is_revoked(world, monkeypatch, kind):
    monkeypatch.setattr(Authentication, "RECHECK_SECONDS", 0.0)
    shop = world.shop
    if kind == "watch":
        call = shop.availability.WatchAvailability(a_watch(shop), metadata=shop.metadata)
        await frames_until(call, "snapshot_end")
    else:
        request = booking_pb.WatchBookingsRequest(parent=shop.business)
        call = shop.bookings.WatchBookings(request, metadata=shop.metadata)
        await frames_until(call, "heartbeat")

    await world.stack.revoke(dict(shop.metadata)["authorization"].split()[1])

    assert await failure(call) == (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID")


async def test_a_stream_of_bookings_ends_once_its_key_is_revoked(world, monkeypatch):
    monkeypatch.setattr(Authentication, "RECHECK_SECONDS", 0.0)
    shop = world.shop
    call = shop.bookings.StreamBookings(metadata=shop.metadata)
    await call.write(book(shop, tomorrow()))
    answer = await call.read()
    await world.stack.revoke(dict(shop.metadata)["authorization"].split()[1])
    await call.write(book(shop, tomorrow(12)))

    assert answer.HasField("book")
    assert await failure(call) == (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID")


async def test_a_server_that_stops_says_goodbye_and_loses_nothing(make_world):
    async with make_world() as world:
        shop = world.shop
        health = a_health_stub(world)
        serving = await health.Check(health_pb2.HealthCheckRequest())
        statuses = health.Watch(health_pb2.HealthCheckRequest())
        await statuses.read()
        watch = shop.availability.WatchAvailability(a_watch(shop), metadata=shop.metadata)
        await frames_until(watch, "snapshot_end")
        stream = shop.bookings.StreamBookings(metadata=shop.metadata)
        await stream.write(book(shop, tomorrow()))
        answer = await stream.read()

        draining = asyncio.create_task(world.stack.server.drain())
        not_serving = await statuses.read()
        last = (await frames_until(watch, "goodbye"))[-1]
        end = await watch.read()
        ended = await failure(stream)
        statuses.cancel()
        await draining

    assert serving.status == health_pb2.HealthCheckResponse.SERVING
    assert not_serving.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert last.goodbye.reason == availability_pb.Goodbye.REASON_DRAIN
    assert last.resume_token
    assert end is grpc.aio.EOF
    assert answer.HasField("book")
    assert ended == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")


async def test_health_and_reflection_need_no_key(world):
    health = a_health_stub(world)
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(world.channel)

    checked = await health.Check(
        health_pb2.HealthCheckRequest(service="slotcast.v1.BookingService")
    )
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (listed,) = [answer async for answer in reflection.ServerReflectionInfo(iter([request]))]

    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    names = {service.name for service in listed.list_services_response.service}
    assert "slotcast.v1.AvailabilityService" in names


async def test_a_service_that_is_not_ours_is_not_served(world):
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await world.channel.unary_unary("/slotcast.v1.BookingService/Drop")(b"")

    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED
