"""Who may come in: pages of allowed origins, gRPC, grpc-web; and what one sees when all is down."""

import http.client
import json
import subprocess
from datetime import datetime, timedelta
from importlib.resources import files
from urllib.parse import urlencode

import grpc
import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.embedded.envoy import binary
from service.embedded.process import free_port
from service.gateway.config import Pace
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import availability_service_pb2_grpc
from tests.gateway.conftest import ORIGIN
from tests.gateway.requests import a_window
from tests.gateway.web import Web, ask_grpc_web, lower, read_grpc_web
from tests.rpc.stack import stamp, tomorrow

LIST = "/slotcast.v1.AvailabilityService/ListSlots"
WATCH = "/slotcast.v1.AvailabilityService/WatchAvailability"
OPENAPI = json.loads(files("service.gateway").joinpath("openapi.json").read_text())
VERBS = {verb.upper() for path in OPENAPI["paths"].values() for verb in path}


def preflight(web, path, origin):
    headers = {"origin": origin, "access_control_request_method": "POST"}
    with web.asking("OPTIONS", path, **headers) as response:
        return response.status, lower(response.headers)


@pytest.mark.parametrize("path", ["/v1/businesses/demo/bookings", LIST])
def test_a_page_of_an_allowed_origin_may_call(web, path):
    status, headers = preflight(web, path, ORIGIN)

    assert status == 200
    assert headers["access-control-allow-origin"] == ORIGIN
    assert set(headers["access-control-allow-methods"].split(", ")) == VERBS
    assert {"authorization", "x-grpc-web"} <= set(
        headers["access-control-allow-headers"].split(", ")
    )


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://salon.example", f"{ORIGIN}.evil.example", "null"]
)
def test_a_page_of_another_origin_is_given_no_leave(web, origin):
    _, headers = preflight(web, "/v1/businesses/demo/bookings", origin)
    answer = web.get("/v1/businesses", origin=origin)

    assert not [name for name in {**headers, **answer.headers} if name.startswith("access-control")]


def test_grpc_passes(envoy, shop):
    request = a_request(shop, availability_pb.ListSlotsRequest)
    with grpc.insecure_channel(f"127.0.0.1:{envoy.port}") as channel:
        stub = availability_service_pb2_grpc.AvailabilityServiceStub(channel)
        listed = stub.ListSlots(request, metadata=shop.caller.metadata, timeout=20)
        frames = stub.WatchAvailability(
            a_request(shop, availability_pb.WatchAvailabilityRequest),
            metadata=shop.caller.metadata,
        )
        watched = next(frames)
        frames.cancel()

    assert list(watched.snapshot_chunk.slots) == list(listed.slots)


def a_request(shop, request_class):
    window = {"start_time": stamp(tomorrow(9)), "end_time": stamp(tomorrow(17))}
    return request_class(parent=shop.caller.business, **window)


def test_grpc_web_passes(shop):
    with ask_grpc_web(
        shop.web, LIST, a_request(shop, availability_pb.ListSlotsRequest)
    ) as response:
        _, message = read_grpc_web(response)
        is_last, trailers = read_grpc_web(response)

    assert len(availability_pb.ListSlotsResponse.FromString(message).slots) == 16
    assert is_last
    assert b"grpc-status:0" in trailers


def test_a_stream_of_grpc_web_comes_frame_by_frame(shop):
    request = a_request(shop, availability_pb.WatchAvailabilityRequest)
    with ask_grpc_web(shop.web, WATCH, request) as response:
        kinds = []
        while "heartbeat" not in kinds:
            _, message = read_grpc_web(response)
            frame = availability_pb.WatchAvailabilityResponse.FromString(message)
            kinds.append(frame.WhichOneof("frame"))

    assert kinds[:2] == ["snapshot_chunk", "snapshot_end"]


def test_an_error_of_grpc_web_can_be_read_by_the_page(shop):
    with ask_grpc_web(shop.web, WATCH, availability_pb.WatchAvailabilityRequest()) as response:
        headers = lower(response.headers)

    assert headers["grpc-status"] == "3"
    assert headers["grpc-status-details-bin"]


def test_while_no_server_is_there_the_answer_is_a_quick_unavailable(make_envoy):
    with make_envoy(free_port()) as lonely:
        refused = Web(lonely.port).get("/v1/businesses/demo/slots", a_window())

    assert (refused.status, refused.json["code"]) == (503, 14)


def test_a_gateway_that_has_died_comes_back_at_its_port(make_envoy, stack):
    with make_envoy(int(stack.address.rpartition(":")[2])) as mortal:
        port = mortal.port
        mortal.kill()
        mortal.start()

        assert mortal.port == port
        assert Web(port).get("/v1/businesses").status == 401


def test_a_watch_outlives_what_a_call_may_take(make_envoy, stack, shop):
    with make_envoy(int(stack.address.rpartition(":")[2]), pace=Pace(call_seconds=1)) as hasty:
        web = Web(hasty.port)
        web.headers = shop.web.headers
        with web.events(f"{shop.path}/slots:events", a_window()) as events:
            instants = (datetime.fromisoformat(event.frame["asOf"]) for event in events)
            began = next(instants)

            late = next(instant for instant in instants if instant - began > timedelta(seconds=2))

    assert late > began


def test_what_is_written_for_an_envoy_elsewhere_is_good(tmp_path):
    CliRunner().invoke(app, ["gateway", str(tmp_path)], catch_exceptions=False)

    command = [binary(), "--mode", "validate", "--config-path", tmp_path / "envoy.yaml"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


def test_an_if_none_match_is_of_http_and_no_concern_of_grpc(envoy, shop, slots):
    tag = slots().headers["etag"]
    request = a_request(shop, availability_pb.ListSlotsRequest)
    metadata = (*shop.caller.metadata, ("if-none-match", tag))
    with grpc.insecure_channel(f"127.0.0.1:{envoy.port}") as channel:
        stub = availability_service_pb2_grpc.AvailabilityServiceStub(channel)

        assert len(stub.ListSlots(request, metadata=metadata, timeout=20).slots) == 16


def test_a_head_is_answered_as_a_get_without_its_body(shop, slots):
    query = urlencode(a_window())
    with shop.web.asking("HEAD", f"{shop.path}/slots?{query}") as response:
        status, headers, body = response.status, lower(response.headers), response.read()

    assert (status, body) == (200, b"")
    assert headers["content-type"] == "application/json"
    assert slots(headers["etag"]).status == 304


def test_a_connection_goes_on_after_a_head(shop):
    connection = http.client.HTTPConnection("127.0.0.1", shop.web.port, timeout=20)
    statuses = []
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, shop.path, headers=shop.web.headers)
        with connection.getresponse() as response:
            statuses.append(response.status)
            response.read()
    connection.close()

    assert statuses == [200] * 4


@pytest.mark.parametrize("kind", ["events", "watch"])
def test_a_stream_has_no_head(shop, kind):
    refused = shop.web.ask("HEAD", f"{shop.path}/slots:{kind}?{urlencode(a_window())}")

    assert refused.status == 405
    assert refused.headers["allow"] == "GET"


def test_a_timeout_that_grpc_cannot_read_spoils_nothing_for_others(shop):
    for _ in range(3):
        assert shop.web.get(shop.path, grpc_timeout="2741.5m").status == 200
        assert shop.web.get(shop.path, grpc_timeout="5000m").status == 200
