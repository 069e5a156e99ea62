"""The tools of an MCP session, as a chat calls them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND

from slotcast_chat.assistant.state import Answer

TRIES_MAX = 3
ANSWER_SECONDS_MAX = 10.0
_NOT_DONE = frozenset({INVALID_PARAMS, METHOD_NOT_FOUND})


class AnswerLost(Exception):
    """No answer of a tool came; it is not known whether it was done."""


class Tools(Protocol):
    """What calls a tool once."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Return the answer. AnswerLost: none came."""


@dataclass(frozen=True, slots=True)
class SessionTools:
    """The tools of one MCP session, whatever it runs over."""

    client: Client

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool once."""
        try:
            result = await self.client.call_tool(
                tool, dict(arguments), read_timeout_seconds=ANSWER_SECONDS_MAX
            )
        except MCPError as error:
            if error.code in _NOT_DONE:
                return Answer(
                    {"reason": "INVALID_REQUEST", "message": error.message}, is_refusal=True
                )
            raise AnswerLost(f"{tool}: {error}") from error
        except (TimeoutError, OSError) as error:
            raise AnswerLost(f"{tool}: {error}") from error
        content = result.structured_content
        if not isinstance(content, Mapping):
            raise AnswerLost(f"{tool} answered without values.")
        return Answer(content, is_refusal=bool(result.is_error))


@dataclass(slots=True)
class Timed:
    """Tools whose calls are counted and timed."""

    tools: Tools
    seconds: list[float]

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call, and note how long it took."""
        began = time.perf_counter()
        try:
            return await self.tools.call(tool, arguments)
        finally:
            self.seconds.append(time.perf_counter() - began)


async def call_surely(tools: Tools, tool: str, arguments: Mapping[str, Any]) -> Answer:
    """Call until an answer comes that is one, a few times: the same call is done once."""
    for left in reversed(range(TRIES_MAX)):
        try:
            answer = await tools.call(tool, arguments)
        except AnswerLost:
            if not left:
                raise
            continue
        if not (answer.is_refusal and answer.content.get("retryable") and left):
            return answer
    raise AssertionError("The last try returns or raises.")
