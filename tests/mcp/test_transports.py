"""The official client over both transports, and what the web server lets in."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from service.settings import Settings
from slotcast_chat.server import command as chat_command
from slotcast_mcp.__main__ import _parser, main
from tests.mcp.salon import ADA, PATIENCE_SECONDS, ZONE, in_days

TOOLS = [
    "list_services",
    "find_times",
    "hold_time",
    "book",
    "get_booking",
    "reschedule",
    "cancel",
    "join_waitlist",
    "explain_time",
    "make_booking_form_link",
]
EACH_WAY = pytest.mark.parametrize("way", ["over_stdio", "over_http"])
EACH_VERSION = pytest.mark.parametrize("mode", ["legacy", "auto"])


@EACH_WAY
@EACH_VERSION
async def test_the_official_client_lists_and_calls_every_tool(salon, way, mode):
    async with getattr(salon, way)(mode=mode) as client:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == TOOLS
        called = {name async for name in call_every_tool(client)}
    assert called == set(TOOLS)


async def call_every_tool(client):
    """Call each tool so that it does its work; yields their names."""
    turn = 0

    async def ask(tool, **arguments):
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text
        assert result.structured_content["next_step"] in result.content[0].text
        return result.structured_content

    def in_turn():
        nonlocal turn
        turn += 1
        return {"conversation": "chat", "turn": turn, "time_zone": ZONE}

    await ask("list_services")
    yield "list_services"
    found = await ask("find_times", service="haircut", when=in_days(9), time_zone=ZONE)
    yield "find_times"
    first, other = found["times"][:2]
    held = await ask("hold_time", time=first["time"], **in_turn())
    yield "hold_time"
    booked = await ask(
        "book",
        hold_or_time=held["hold"],
        confirmed=held["to_confirm"],
        customer=ADA,
        conversation="chat",
        turn=20,
    )
    yield "book"
    booking = {"booking": booked["booking"]}
    assert await ask("get_booking", **booking, time_zone=ZONE) == booked
    yield "get_booking"
    moved = await ask(
        "reschedule",
        **booking,
        version=1,
        to=other["time"],
        confirmed={
            "time_in_words": other["time_in_words"],
            "time_zone": ZONE,
            "service": found["service"],
            "price": found["price"],
        },
        conversation="chat",
        turn=21,
    )
    assert (moved["time_in_words"], moved["version"]) == (other["time_in_words"], 2)
    yield "reschedule"
    cancelled = await ask("cancel", **booking, version=2, **in_turn())
    assert cancelled["status"] == "CANCELLED"
    yield "cancel"
    windows = found["readings"][0]["windows"]
    waiting = await ask(
        "join_waitlist", service="shave", windows=windows, customer=ADA, **in_turn()
    )
    assert waiting["status"] == "OFFERED", "a time is open, so it is offered at once"
    yield "join_waitlist"
    explained = await ask("explain_time", service="haircut", when=first["time"], time_zone=ZONE)
    assert explained["bookable"]
    yield "explain_time"
    known = [{"name": "name", "value": "Ada", "said": True}]
    held = await ask("hold_time", time=first["time"], **in_turn())
    link = await ask("make_booking_form_link", hold_or_time=held["hold"], known=known, **in_turn())
    assert link["hold"] == held["hold"]
    yield "make_booking_form_link"


def test_without_a_key_there_is_nothing_to_serve_over_stdio(monkeypatch):
    monkeypatch.delenv("SLOTCAST_API_KEY", raising=False)
    with pytest.raises(SystemExit, match="Set SLOTCAST_API_KEY"):
        main(["--business", "salon"])


def test_a_port_that_is_in_use_is_told_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            main(["--business", "salon", "--http", "--port", str(port)])
    assert ended.value.code == f"Cannot listen on 127.0.0.1, port {port}: Address already in use."


def test_a_business_that_can_be_none_is_told_at_the_start(capsys):
    with pytest.raises(SystemExit):
        main(["--business", "Salon Ada"])
    assert "'Salon Ada' is no id of a business" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--port=99999", "whole number from 0 to 65535"),
        ("--port=-1", "whole number from 0 to 65535"),
        ("--sessions-max=0", "whole number from 1 to"),
        ("--deadline-seconds=nan", "no time over 0"),
        ("--deadline-seconds=-1", "no time over 0"),
        ("--deadline-seconds=601", "no time over 0"),
        ("--target=", "--target: it is empty"),
        ("--host= ", "--host: it is empty"),
    ],
)
def test_an_option_that_cannot_be_is_told_in_a_sentence(option, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--business", "salon", "--http", option])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_the_service_is_looked_for_where_it_listens_by_default():
    listens = Settings.__dataclass_fields__["listen_address"].default
    for parser in (_parser(), chat_parser()):
        assert parser.parse_args(["--business", "salon"]).target == listens


def chat_parser():
    parser = argparse.ArgumentParser()
    chat_command.add_arguments(parser)
    return parser


@contextlib.asynccontextmanager
async def process(salon, *options):
    """The server as a process of its own, until the block ends."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "slotcast_mcp", "--target", salon.stack.address),
        *("--business", salon.business_id, "--deadline-seconds", str(PATIENCE_SECONDS)),
        *options,
        env={"SLOTCAST_API_KEY": salon.key, "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_over_http_it_serves_at_the_asked_port_until_it_is_interrupted(salon):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with process(salon, "--http", "--port", str(port)) as started:
        url = (await started.stderr.readline()).decode().split()[-1]
        assert url == f"http://127.0.0.1:{port}/mcp"
        async with salon.over_http(url=url) as client:
            assert not (await client.call_tool("list_services", {})).is_error
        started.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(started.stderr.read(), PATIENCE_SECONDS) == b""
        assert await started.wait() == 0


async def test_over_stdio_it_ends_when_it_is_interrupted_though_its_client_stays(salon):
    async with process(salon) as started:
        started.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        answer = json.loads(await started.stdout.readline())
        assert answer["result"]["serverInfo"]["title"].endswith(salon.business_id)
        started.send_signal(signal.SIGINT)
        ended = await asyncio.wait_for(started.wait(), PATIENCE_SECONDS)
        assert ended == -signal.SIGINT
        assert await started.stderr.read() == b""


@EACH_WAY
@EACH_VERSION
async def test_tools_say_at_which_business_they_book(salon, way, mode):
    async with getattr(salon, way)(mode=mode) as client:
        assert client.server_info.title == f"Slotcast: appointments at {salon.business_id}"
        assert f'book at the business "{salon.business_id}"' in client.instructions


async def test_a_business_that_is_not_the_keys_is_told_at_the_first_call(salon):
    with salon.serving(business_id="nowhere") as url:
        async with salon.over_http(url=url) as client:
            for tool, arguments in (
                ("list_services", {}),
                ("find_times", {"service": "cut", "when": "tomorrow", "time_zone": ZONE}),
            ):
                result = await client.call_tool(tool, arguments)
                assert result.structured_content["reason"] == "BUSINESS_UNKNOWN"
                assert "name another business" in result.structured_content["next_step"]


async def test_an_unknown_tool_is_an_error_of_the_protocol(salon):
    async with salon.over_http() as client:
        with pytest.raises(MCPError, match='There is no tool "drop_tables"'):
            await client.call_tool("drop_tables", {})


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream"}


async def post(url, body=None, **headers):
    async with httpx2.AsyncClient() as http:
        body = INITIALIZE if body is None else body
        headers = {**ACCEPT, **{name.replace("_", "-"): text for name, text in headers.items()}}
        return await http.post(url, json=body, headers=headers)


async def test_a_request_without_a_bearer_is_not_let_in(salon):
    answer = await post(salon.url)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_that_nobody_gave_out_is_refused_at_each_call(salon):
    async with salon.over_http(key="sc_made_up") as client:
        result = await client.call_tool("list_services", {})
    assert result.is_error
    assert result.structured_content["reason"] == "KEY_INVALID"


async def test_the_scopes_of_the_key_hold(salon):
    """Those of the request's own key, whoever called before."""
    await salon.assistant().find_and_hold()
    reader = salon.assistant("availability.read", "catalog.read")
    found = await reader.find()
    refusal = await reader.refused(
        "hold_time", time=found["times"][0]["time"], time_zone=ZONE, **reader.in_turn
    )
    assert (refusal["reason"], refusal["retryable"]) == ("SCOPE_MISSING", False)
    assert not salon.bookings()


async def test_a_page_of_another_name_cannot_call_a_server_on_this_machine(salon):
    bearer = {"authorization": f"Bearer {salon.key}"}
    assert (await post(salon.url, **bearer)).status_code == 200
    assert (await post(salon.url, **bearer, host="evil.example:80")).status_code == 421
    assert (await post(salon.url, **bearer, origin="https://evil.example")).status_code == 403


async def test_a_server_for_a_proxy_answers_to_the_names_that_it_was_told(salon):
    bearer = {"authorization": f"Bearer {salon.key}"}
    with salon.serving(allowed_hosts=("book.example",)) as url:
        assert (await post(url, **bearer, host="book.example")).status_code == 200
        assert (await post(url, **bearer, host="other.example")).status_code == 421


async def test_a_session_more_than_there_may_be_is_refused_until_one_ends(salon):
    bearer = {"authorization": f"Bearer {salon.key}"}
    with salon.serving(sessions_max=1) as url:
        first = await post(url, **bearer)
        session = first.headers["mcp-session-id"]
        assert (await post(url, **bearer)).status_code == 503
        async with httpx2.AsyncClient() as http:
            ended = await http.delete(url, headers={**ACCEPT, **bearer, "mcp-session-id": session})
        assert ended.status_code == 200
        assert (await post(url, **bearer)).status_code == 200


async def test_a_session_is_not_found_under_another_key(salon):
    opened = await post(salon.url, authorization=f"Bearer {salon.key}")
    session = opened.headers["mcp-session-id"]
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    for key, status in ((salon.make_key(), 404), (salon.key, 200)):
        answer = await post(salon.url, ping, authorization=f"Bearer {key}", mcp_session_id=session)
        assert answer.status_code == status


async def test_a_body_that_is_too_large_is_not_read(salon):
    large = {**INITIALIZE, "params": {"text": "x" * 100_000}}
    answer = await post(salon.url, large, authorization=f"Bearer {salon.key}")
    assert answer.status_code == 413
