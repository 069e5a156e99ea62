"""Keys over HTTP: made-up ones take nothing from those that the service knows."""

import contextlib
from time import monotonic

import grpc
import httpx2
import pytest

from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast_mcp import clients as clients_module
from slotcast_mcp import web
from slotcast_mcp.clients import Clients
from slotcast_mcp.web import Door, build_app
from tests.clients.scripted import refused, scripted_server
from tests.mcp.test_transports import ACCEPT, INITIALIZE, post

SESSIONS_MAX = 8
UNSURE_MAX = SESSIONS_MAX // web.UNSURE_PART


@pytest.fixture
def few_clients(monkeypatch):
    monkeypatch.setattr(clients_module, "CLIENTS_MAX", 3)


async def test_made_up_keys_do_not_drive_out_what_is_known_of_a_real_one(salon, few_clients):
    assistant = salon.assistant()
    held = await assistant.find_and_hold()
    for number in range(5):
        async with salon.over_http(key=f"sc_bogus{number}") as stranger:
            result = await stranger.call_tool("list_services", {})
            assert result.structured_content["reason"] == "KEY_INVALID"
    other = salon.assistant()
    refusal = await other.refused("book", **other.booking_of(held))
    assert refusal["reason"] == "RESOURCE_NOT_FOUND", "whose hold it is, is still known"


async def test_of_too_many_keys_those_that_were_not_accepted_are_dropped(few_clients):
    clients = Clients("127.0.0.1:1", "salon")
    try:
        real = clients.with_key("real")
        clients.has_accepted("real", real)
        for number in range(9):
            clients.with_key(f"bogus{number}")
        assert clients.with_key("real") is real
        assert clients.with_key("bogus8") is clients.with_key("bogus8")
        for number in range(3):
            clients.has_accepted(f"other{number}", clients.with_key(f"other{number}"))
        assert clients.with_key("real") is not real, "of those that were, the oldest is"
    finally:
        await clients.close()


async def test_made_up_keys_open_no_session(salon):
    with salon.serving(sessions_max=1) as url:
        for number in range(3):
            refusal = await post(url, authorization=f"Bearer sc_bogus{number}")
            assert refusal.status_code == 401
            assert refusal.headers["www-authenticate"].startswith("Bearer")
        for version in ("2025-06-18", "2024-11-05"):
            refusal = await post(url, authorization="Bearer sc_bogus", mcp_protocol_version=version)
            assert refusal.status_code == 401
        key = salon.make_key("bookings.write")
        answer = await post(url, authorization=f"Bearer {key}")
        assert answer.status_code == 200, "whatever else it may do"


@contextlib.asynccontextmanager
async def door_to(script):
    """Post to a door in this process; yields how."""
    clients = Clients(script.target, "salon", deadline_seconds=60)
    app = build_app(clients, Door(sessions_max=SESSIONS_MAX))

    async def opened(key):
        headers = {**ACCEPT, "authorization": f"Bearer {key}"}
        return (
            await http.post("http://localhost:1/mcp", json=INITIALIZE, headers=headers)
        ).status_code

    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
    ):
        yield opened
    await clients.close()


async def test_while_the_service_cannot_be_asked_a_part_of_all_sessions_can_be_opened(monkeypatch):
    is_down = False

    def get_business(_):
        if is_down:
            raise refused(grpc.StatusCode.UNAVAILABLE)
        return catalog_pb.GetBusinessResponse()

    async with scripted_server() as script, door_to(script) as opened:
        script.on("GetBusiness", get_business)
        assert await opened("known") == 200
        is_down = True
        unsure = [await opened(f"key{number}") for number in range(UNSURE_MAX + 2)]
        assert unsure == [200] * UNSURE_MAX + [503, 503]
        assert await opened("known") == 200, "it was accepted before"

        later = monotonic() + web.SESSION_IDLE_SECONDS
        monkeypatch.setattr(web, "monotonic", lambda: later)
        assert await opened("another") == 200, "their sessions have ended since"
        is_down = False
        assert await opened("new") == 200


async def test_a_key_that_was_revoked_opens_no_other_session():
    is_revoked = False

    def get_business(_):
        if is_revoked:
            raise refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID")
        return catalog_pb.GetBusinessResponse()

    async with scripted_server() as script, door_to(script) as opened:
        script.on("GetBusiness", get_business)
        assert await opened("a-key") == 200
        is_revoked = True
        assert await opened("a-key") == 401
