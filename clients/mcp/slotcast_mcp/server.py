"""The MCP server: checks what is asked, does it within its time, and answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from slotcast import Client, SlotcastError
from slotcast_mcp.answers import Answer, Refusal
from slotcast_mcp.finding import time_line
from slotcast_mcp.inputs import MISSING_IN_WORDS, PATTERNS_IN_WORDS, Question
from slotcast_mcp.quoting import quoted
from slotcast_mcp.refusals import Refused, refused, refused_by
from slotcast_mcp.tools import INSTRUCTIONS, TOOLS, Tool
from slotcast_mcp.turns import client_for

logger = logging.getLogger(__name__)

CALLS_MAX = 256
"""So many are under way at a time, in one server; another is refused at once."""
DEADLINE_SECONDS = 1.8
"""For one call of a tool, over all that it asks: assistants that speak give up after 2 s."""
PROBLEMS_MAX = 5
_OF_BUSINESS = """\
- These tools book at the business "{0}", and at no other. Never give them a `time`, a `hold`, a
  window or a booking that tools of another business gave, nor give theirs to others.
"""
_NAME = re.compile(r"[a-z0-9_.-]{1,64}|\[key\]")

Context = ServerRequestContext[Any, Any]
ClientOf = Callable[[Context], Client]
"""Returns the client of the service that a call is made with: its key is the caller's."""
HasAnswered = Callable[[Context, Client], None]
"""Takes note that the service answered a client's call, and so has let its key in."""


def build_server(
    client_of: ClientOf,
    deadline_seconds: float = DEADLINE_SECONDS,
    *,
    business: str = "",
    has_answered: HasAnswered | None = None,
    calls_max: int = CALLS_MAX,
) -> Server[Any]:
    """Build the server; where `business` is given it says at which it books.

    An assistant can have the tools of several businesses, and has to tell them apart.
    """
    under_way = asyncio.Semaphore(calls_max)
    listed = {name: tool.listed() for name, tool in TOOLS.items()}

    async def list_tools(
        _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=list(listed.values()))

    async def call_tool(
        context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {quoted(params.name)}.")
        if under_way.locked():
            return _refusal_result(refused("OVERLOADED").refusal)
        arguments = params.arguments or {}
        try:
            client = client_of(context)
            async with under_way:
                answer = await _call(tool, client, arguments, deadline_seconds)
        except Refused as refusal:
            return _refusal_result(refusal.refusal)
        if has_answered is not None:
            has_answered(context, client)
        return _result(answer)

    return Server(
        "slotcast",
        title=f"Slotcast: appointments at {business}" if business else "Slotcast: appointments",
        instructions=INSTRUCTIONS + _OF_BUSINESS.format(business) if business else INSTRUCTIONS,
        # Asked at each call over HTTP; without it all tools would be listed each time.
        get_tool_input_schema=lambda name: listed[name].input_schema if name in listed else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _call(
    tool: Tool, client: Client, arguments: dict[str, Any], deadline_seconds: float
) -> Answer:
    question = read_question(tool.takes, arguments)
    own = client_for(client, getattr(question, "conversation", ""))
    try:
        answer = await _in_time(tool.does(own, question), deadline_seconds)
    except SlotcastError as error:
        raise refused_by(error) from error
    except Refused:
        raise
    except Exception as fault:
        logger.exception("Unexpected error in the tool %s", tool.name)
        raise refused("INTERNAL") from fault
    if answer is None:
        raise refused("TOO_SLOW")
    return answer


async def _in_time(work: Coroutine[Any, Any, Answer], seconds: float) -> Answer | None:
    """Return what the work answers; None: it did not in time, and goes on no longer.

    It is a task of its own, for a call of gRPC hides who cancelled it: the protocol's server would
    end the whole session of a client that gives up on one call.
    """
    doing = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({doing}, timeout=seconds)
        return doing.result() if done else None
    finally:
        doing.cancel()


def read_question(takes: type[Question], arguments: dict[str, Any]) -> Question:
    """Read the arguments of a call; one that is malformed, missing or not asked for is refused."""
    try:
        return takes.model_validate(arguments)
    except ValidationError as wrong:
        problems = [_problem(each) for each in wrong.errors()[:PROBLEMS_MAX]]
        message = " ".join(f"{field}: {text}" if field else text for field, text in problems)
        raise refused("INVALID_REQUEST", field=problems[0][0], message=message) from wrong


def _problem(error: Any) -> tuple[str, str]:
    parts = [_named(str(part)) for part in error["loc"]]
    place = ".".join(parts)
    if error["type"] == "extra_forbidden":
        unknown = quoted(str(error["loc"][-1]), 64)
        return ".".join([*parts[:-1], unknown]), "There is no such argument; nothing was done."
    if error["type"] in {"missing", "string_too_short"}:
        silence = "It is required." if error["type"] == "missing" else "It is empty."
        return place, MISSING_IN_WORDS.get(place, silence)
    if error["type"] == "string_pattern_mismatch":
        return place, PATTERNS_IN_WORDS.get(error["ctx"]["pattern"], "It is malformed.")
    return place, f"{error['msg']}."


def _named(part: str) -> str:
    """Return a part of an argument's place; what is no name of ours was made up by the caller."""
    return part if _NAME.fullmatch(part) else quoted(part, 64)


def _result(answer: Answer) -> types.CallToolResult:
    text = f"{answer.text}\nNext: {answer.content.next_step}"
    return types.CallToolResult(
        content=[types.TextContent(text=text)],
        structured_content=answer.content.model_dump(mode="json", exclude_none=True),
    )


def _refusal_result(refusal: Refusal) -> types.CallToolResult:
    lines = [f"{refusal.reason}: {refusal.message}"]
    if refusal.booking is not None:
        lines[0] += f" [booking: {refusal.booking}, version: {refusal.version}]"
    if refusal.held is not None:
        held = refusal.held
        lines.append(
            f"Held for you until {held.held_until}: {held.time_in_words} with"
            f" {held.to_confirm.person}. [hold: {held.hold}]"
        )
    if refusal.alternatives:
        lines.extend(["Open:", *map(time_line, refusal.alternatives)])
    lines.append(f"Next: {refusal.next_step}")
    return types.CallToolResult(
        content=[types.TextContent(text="\n".join(lines))],
        structured_content=refusal.model_dump(mode="json", exclude_none=True),
        is_error=True,
    )
