"""A model behind an endpoint that speaks OpenAI's protocol, over a real socket."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from mcp import Client as McpClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn import Config

from slotcast import Client
from slotcast_chat.benchmark.business import bookings_of, make_business
from slotcast_chat.benchmark.command import play_all
from slotcast_chat.benchmark.scenario import load_scenarios
from slotcast_chat.benchmark.service import Access
from slotcast_chat.model import assistant as model_assistant
from slotcast_chat.model.assistant import ModelAssistant, Spending
from slotcast_chat.model.endpoint import NoModel, endpoint_from_environment, open_endpoint
from slotcast_chat.server.command import PageServer
from slotcast_chat.tools import SessionTools
from slotcast_mcp.server import build_server

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios()}


class Endpoint:
    """An endpoint of a model; `thinks` is what it says to the messages so far."""

    def __init__(self, thinks):
        self.thinks = thinks
        self.asked = []
        self.keys = []
        self.statuses = []

    async def complete(self, request):
        self.keys.append(request.headers.get("authorization"))
        if self.statuses:
            return JSONResponse({}, status_code=self.statuses.pop(0))
        asked = await request.json()
        self.asked.append(asked)
        message = {"role": "assistant", **self.thinks(asked["messages"])}
        return JSONResponse({"choices": [{"message": message}], "usage": {"total_tokens": 100}})

    @asynccontextmanager
    async def serving(self):
        routes = [Route("/v1/chat/completions", self.complete, methods=["POST"])]
        server = PageServer(
            Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error")
        )
        serving = asyncio.create_task(server.serve())
        await server.is_up.wait()
        try:
            async with open_endpoint(f"{server.url}v1", "a-model", "a-key") as endpoint:
                yield endpoint
        finally:
            server.should_exit = True
            await serving


def call(tool, number, **arguments):
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {
        "content": None,
        "tool_calls": [{"id": f"call-{number}", "type": "function", "function": function}],
    }


def answers_of(messages):
    return [json.loads(each["content"]) for each in messages if each["role"] == "tool"]


def books_step_by_step(messages):
    """Think as a well-behaved model does: one tool after the other, and a yes before it books."""
    said = [each["content"] for each in messages if each["role"] == "user"]
    done = answers_of(messages)
    if not done:
        return call("list_services", 1)
    if len(done) == 1:
        when = {"when": "tomorrow at 10:00", "time_zone": "Europe/Berlin"}
        return call("find_times", 2, service="haircut", person="anna", **when)
    if len(done) == 2:
        time = done[1]["times"][0]["time"]
        return call("hold_time", 3, time=time, time_zone="Europe/Berlin")
    held = done[2]
    if len(done) == 3 and len(said) == 1:
        return {"content": "It is held. What is your name, and your e-mail address?"}
    if len(done) == 3 and len(said) == 2:
        return {"content": f"{held['to_confirm']['time_in_words']}. Shall I book it?"}
    if len(done) == 3:
        customer = {"name": "Ada Lovelace", "email": "ada@example.com"}
        confirmed = held["to_confirm"]
        what = {"hold_or_time": held["hold"], "confirmed": confirmed, "customer": customer}
        return call("book", 4, **what)
    return {"content": "It is booked."}


@pytest.fixture
def connect_to(server, operator_key):
    return lambda business: Client(server, api_key=operator_key, business=business)


async def test_a_model_books_by_the_same_tools_and_is_judged_by_the_same_scenarios(
    server, operator_key
):
    model, spending = Endpoint(books_step_by_step), Spending()
    async with model.serving() as endpoint:

        def make(tools, session, conversation, zone):
            return ModelAssistant(endpoint, tools, session, conversation, zone, spending=spending)

        access = Access(server, operator_key)
        (result,) = await play_all([SCENARIOS["A day and an hour"]], access, make, jobs=1)

    assert result.verdict.faults == ()
    assert result.calls == 4
    assert spending.tokens == 100 * len(model.asked)
    assert set(model.keys) == {"Bearer a-key"}
    functions = {each["function"]["name"]: each["function"] for each in model.asked[0]["tools"]}
    assert len(functions) == 10
    assert "turn" not in functions["book"]["parameters"]["properties"]


@asynccontextmanager
async def talking_to(connect_to, thinks):
    """Talk to a model of which no tool works, for there is no such business."""
    model = Endpoint(thinks)
    async with (
        model.serving() as endpoint,
        connect_to("nobody") as client,
        McpClient(build_server(lambda _: client)) as session,
    ):
        yield model, ModelAssistant(endpoint, SessionTools(session), session, "chat-1")


async def test_what_a_model_makes_up_is_refused_and_told_to_it(connect_to):
    def thinks(messages):
        number = len(answers_of(messages))
        wrong = (call("drop_tables", 1), call("book", 2, made_up=True), call("find_times", 3))
        return wrong[number] if number < len(wrong) else {"content": "I give up."}

    async with talking_to(connect_to, thinks) as (model, assistant):
        said = await assistant.answer("Hello")

    assert said.text == "I give up."
    refusals = answers_of(model.asked[-1]["messages"])
    assert [each["reason"] for each in refusals] == ["INVALID_REQUEST"] * 3


async def test_a_model_that_never_stops_calling_is_stopped(connect_to):
    async with talking_to(connect_to, lambda messages: call("list_services", 1)) as talk:
        model, assistant = talk
        said = await assistant.answer("Hello")

    assert "did not get any further" in said.text
    assert len(model.asked) == model_assistant.CALLS_PER_TURN_MAX


async def test_a_conversation_that_has_cost_too_much_ends(connect_to, monkeypatch):
    monkeypatch.setattr(model_assistant, "TOKENS_MAX", 150)
    async with talking_to(connect_to, lambda messages: {"content": "Hm."}) as (model, assistant):
        said = [(await assistant.answer("Hello")).text for _ in range(3)]

    assert said[:2] == ["Hm.", "Hm."]
    assert "begin anew" in said[2]
    assert len(model.asked) == 2


async def test_an_endpoint_that_fails_is_tried_again_and_else_told(connect_to):
    async with talking_to(connect_to, lambda messages: {"content": "Hm."}) as (model, assistant):
        model.statuses = [503]
        first = await assistant.answer("Hello")
        model.statuses = [503, 503]
        second = await assistant.answer("Hello")
        third = await assistant.answer("Hello again")

    assert first.text == "Hm."
    assert "503" in second.text
    assert third.text == "Hm."


async def test_what_tools_answered_before_the_endpoint_failed_is_known_to_the_model_after_it(
    connect_to,
):
    def thinks(messages):
        if answers_of(messages):
            return {"content": "It goes on."}
        model.statuses = [503, 503]
        return call("list_services", 1)

    async with talking_to(connect_to, thinks) as (model, assistant):
        failed = await assistant.answer("Hello")
        said = await assistant.answer("Please try again")

    roles = [each["role"] for each in model.asked[-1]["messages"]]
    assert "503" in failed.text
    assert said.text == "It goes on."
    assert roles == ["system", "user", "assistant", "tool", "user"]


def test_a_call_that_was_broken_off_is_told_to_have_no_answer():
    before = [{"role": "user", "content": "Hello"}]
    calls = call("book", 1)["tool_calls"] + call("find_times", 2)["tool_calls"]
    broken = [*before, {"role": "assistant", "tool_calls": calls}]

    kept = model_assistant.answered(before, broken)

    assert [each.get("tool_call_id") for each in kept[2:]] == ["call-1", "call-2"]
    assert all("NO_ANSWER" in each["content"] for each in kept[2:])
    assert model_assistant.answered(before, [*before, {"role": "user"}]) == before


async def test_without_a_model_in_the_environment_it_is_said_what_to_set(monkeypatch):
    monkeypatch.delenv("SLOTCAST_CHAT_MODEL_URL", raising=False)

    with pytest.raises(NoModel, match="SLOTCAST_CHAT_MODEL_URL"):
        async with endpoint_from_environment():
            pass


@pytest.fixture
async def salon_to_book_at(connect_to):
    """A client of the benchmark's business."""
    async with connect_to("salon") as client:
        await make_business(client, "salon", SCENARIOS["A day and an hour"], datetime.now(UTC))
        yield client


async def test_what_was_booked_before_the_endpoint_failed_is_told_and_not_booked_again(
    salon_to_book_at,
):
    def thinks(messages):
        """Book step by step; the endpoint fails after it, and then the model books once more."""
        done = answers_of(messages)
        if len(done) > 4:
            return {"content": "It is booked."}
        said = books_step_by_step(messages if len(done) < 4 else without_the_booking(messages))
        if said.get("tool_calls") and said["tool_calls"][0]["function"]["name"] == "book":
            model.statuses = [503, 503] if len(done) == 3 else []
        return said

    model = Endpoint(thinks)
    async with (
        model.serving() as endpoint,
        McpClient(build_server(lambda _: salon_to_book_at)) as session,
    ):
        assistant = ModelAssistant(endpoint, SessionTools(session), session, "chat-1")
        for message in ("A haircut tomorrow at 10:00", "Ada"):
            await assistant.answer(message)
        failed = await assistant.answer("Yes")
        again = await assistant.answer("Did it work? Else book it.")

    bookings = await bookings_of(salon_to_book_at, datetime.now(UTC))
    assert "confirmed" in failed.text
    assert "503" in failed.text
    assert answers_of(model.asked[-1]["messages"])[-1]["booking"] == failed.booked.booking
    assert again.booked == failed.booked
    assert [each.customer.display_name for each in bookings] == ["Ada Lovelace"]


def without_the_booking(messages):
    """Return the messages as they were before the tool answered that it has booked."""
    last = max(index for index, each in enumerate(messages) if each["role"] == "tool")
    return messages[:last]
