"""How long streams last through the gateway: a page's five minutes, a quiet backend's for ever."""

import asyncio
from datetime import datetime, timedelta
from queue import SimpleQueue

import grpc
import pytest

from service.cli.connection import Access, connect
from service.cli.running import read_operator_key
from service.cli.seed import seed
from service.cli.supervisor import running_server
from service.gateway.config import USUAL_PACE, Pace
from service.rpc.server import ServerOptions
from service.settings import Settings
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import availability_service_pb2_grpc
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.gateway.requests import a_window
from tests.gateway.web import Web, ask_grpc_web, read_grpc_web
from tests.rpc.stack import Caller, a_request_id, make_shop, running, stamp, tomorrow

WATCH = "/slotcast.v1.AvailabilityService/WatchAvailability"
AGE_SECONDS = 1


@pytest.fixture
async def aging(database_url, tmp_path, monkeypatch):
    """A demo whose pages' streams last a second: the gateway's address, and a key."""
    monkeypatch.setenv("SLOTCAST_WEB_STREAM_AGE_SECONDS_MAX", str(AGE_SECONDS))
    settings = Settings(
        data_folder=tmp_path,
        database_url=database_url,
        listen_address="127.0.0.1:0",
        gateway_port=0,
        log_level="WARNING",
    )
    async with running_server(settings, lambda text: None) as server:
        key = read_operator_key(tmp_path)
        assert key is not None
        async with connect(Access(target=server.target, api_key=key), "demo") as client:
            await seed(client, "demo")
        yield int(server.gateway.rpartition(":")[2]), key


def a_watch():
    window = {"start_time": stamp(tomorrow(9)), "end_time": stamp(tomorrow(17))}
    return availability_pb.WatchAvailabilityRequest(parent="businesses/demo", **window)


def last_event(port, key):
    with Web(port, key).events("/v1/businesses/demo/slots:events", a_window()) as events:
        return [event.frame for event in events][-1]["goodbye"]["reason"]


def last_frame_of_grpc_web(port, key):
    frame = availability_pb.WatchAvailabilityResponse()
    with ask_grpc_web(Web(port, key), WATCH, a_watch()) as response:
        while True:
            is_trailers, message = read_grpc_web(response)
            if is_trailers:
                return availability_pb.Goodbye.Reason.Name(frame.goodbye.reason)
            frame = availability_pb.WatchAvailabilityResponse.FromString(message)


def watched_by_grpc(port, key, span):
    """Watch for longer than a page may; what is told is of no concern."""
    # Whoever says by themselves which door they came through is not believed.
    metadata = (("authorization", f"Bearer {key}"), ("x-slotcast-door", "web"))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = availability_service_pb2_grpc.AvailabilityServiceStub(channel)
        frames = stub.WatchAvailability(a_watch(), metadata=metadata, timeout=60)
        instants = (frame.as_of.ToDatetime() for frame in frames)
        begun = next(instants)
        reached = next(instant for instant in instants if instant - begun > span)
        frames.cancel()
    return reached - begun


async def test_a_stream_of_a_page_ends_at_its_age_and_that_of_a_backend_goes_on(aging):
    port, key = aging
    events, grpc_web, backend = await asyncio.gather(
        asyncio.to_thread(last_event, port, key),
        asyncio.to_thread(last_frame_of_grpc_web, port, key),
        asyncio.to_thread(watched_by_grpc, port, key, timedelta(seconds=3 * AGE_SECONDS)),
    )

    assert events == grpc_web == "REASON_AGE"
    assert backend > timedelta(seconds=3 * AGE_SECONDS)


def test_the_gateway_pings_no_worker_more_often_than_workers_bear():
    assert ServerOptions().ping_seconds_min < USUAL_PACE.ping_seconds


@pytest.fixture
def pinged(make_envoy, loop_thread, database_url, tmp_path):
    """A server that its gateway pings ten times as often as it usually does, and bears it."""
    context = running(database_url, tmp_path, ping_seconds_min=0.2, key_cache_seconds=0.0)
    stack = loop_thread.run(context.__aenter__())
    with make_envoy(int(stack.address.rpartition(":")[2]), pace=Pace(ping_seconds=0.3)) as envoy:
        yield stack, f"127.0.0.1:{envoy.port}"
    loop_thread.run(context.__aexit__(None, None, None))


def test_pings_do_not_cut_a_stream_of_bookings_on_which_nothing_is_said(pinged, loop_thread):
    stack, gateway = pinged
    key = loop_thread.run(stack.make_key("*"))
    with grpc.insecure_channel(stack.address) as direct, grpc.insecure_channel(gateway) as channel:
        make_shop(Caller(direct, key, "nowhere"), "quiet")
        caller, clock = Caller(channel, key, "quiet"), Caller(direct, key, "quiet")
        asked = SimpleQueue()
        requests = iter(asked.get, None)
        answers = caller.bookings.StreamBookings(requests, metadata=caller.metadata, timeout=60)
        asked.put(a_hold(caller, 9))
        before = next(answers)
        let_pass(clock, timedelta(seconds=4))
        asked.put(a_hold(caller, 11))
        after = next(answers)
        asked.put(None)
        assert not list(answers)

    assert before.WhichOneof("result") == after.WhichOneof("result") == "hold_slot"


def a_hold(caller, hour):
    hold = booking_pb.HoldSlotRequest(
        parent=caller.business,
        request_id=a_request_id(),
        slot=caller.choice(tomorrow(hour)),
        holder="kim",
    )
    return booking_pb.StreamBookingsRequest(hold_slot=hold)


def let_pass(caller, span):
    """Watch, by another way, until so much has passed by the server's clock."""
    window = {"start_time": stamp(tomorrow(9)), "end_time": stamp(tomorrow(17))}
    request = availability_pb.WatchAvailabilityRequest(parent=caller.business, **window)
    frames = caller.availability.WatchAvailability(request, metadata=caller.metadata, timeout=60)
    begun: datetime = next(frames).as_of.ToDatetime()
    next(frame for frame in frames if frame.as_of.ToDatetime() - begun > span)
    frames.cancel()
