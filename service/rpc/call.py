"""One call as the layers see it: gRPC's context, and what they have learnt of it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import grpc

from service.domain.capability import Grant
from service.domain.errors import Overloaded
from service.rpc.methods import Method

WRITE_SECONDS_MAX = 30.0
"""By then gRPC's own buffers for the stream are full: some MiB that others must not pay for."""
# Set by the gateway on what does not come as gRPC itself.
DOOR, REST, WEB = "x-slotcast-door", "rest", "web"
TEXT = re.compile(r"[A-Za-z0-9._:@+-]{1,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who calls: the id of an API key; `business_id` is '*' for any.

    With a `grant` it is not a key but the link of a letter, which is for one thing only.
    """

    principal_id: str
    business_id: str
    scopes: frozenset[str]
    grant: Grant | None = None

    @property
    def acting_id(self) -> str:
        """Whose holds and waitlist entries it may use."""
        return self.principal_id if self.grant is None else self.grant.acting_id


class Unreadable:
    """Stands for a request whose bytes are no such message, until someone may be told."""


Behaviour = Callable[[Any, "Call"], Awaitable[Any]]
"""Takes a request, or an iterator of them; returns its answer, or writes them."""
Recheck = Callable[["Call"], Awaitable[None]]
"""Raises once the key of a call is revoked. It is told which call, so as not to keep it."""


class Call:
    """One call. The outermost layer makes it; the inner ones fill it in and pass it on."""

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], method: Method) -> None:
        """Take gRPC's own context."""
        self.context = context
        self.method = method
        self.business_id = ""
        self.request_id = ""
        self.form: Callable[[Any], Any] = _as_it_is
        self._principal: Principal | None = None
        self._recheck: Recheck | None = None

    @cached_property
    def metadata(self) -> dict[str, str | bytes]:
        """What the client sent along; of keys that come twice, the last."""
        return dict(self.context.invocation_metadata() or ())

    @property
    def is_rest(self) -> bool:
        """Whether it came as plain HTTP."""
        return self.metadata.get(DOOR) == REST

    @property
    def is_web(self) -> bool:
        """Whether it came as plain HTTP or as grpc-web: a browser may be at its other end."""
        return self.metadata.get(DOOR) in {REST, WEB}

    @property
    def principal(self) -> Principal:
        """Who calls. Before authentication there is nobody."""
        if self._principal is None:
            raise RuntimeError("This call is not authenticated.")
        return self._principal

    @property
    def principal_id(self) -> str:
        """Who calls, for the log; empty if nobody known."""
        return self._principal.principal_id if self._principal else ""

    def admit(self, principal: Principal, business_id: str, recheck: Recheck) -> None:
        """Note who calls, and for which business; `recheck` raises once the key is revoked."""
        self._principal = principal
        self.business_id = business_id
        self._recheck = recheck

    async def recheck_key(self) -> None:
        """Raise if the key has been revoked. A long stream asks before every frame."""
        if self._recheck is not None:
            await self._recheck(self)

    @cached_property
    def trace_id(self) -> str:
        """What the log calls this call: the client's `x-request-id`, or one of ours."""
        return self._text("x-request-id") or secrets.token_hex(8)

    @cached_property
    def client(self) -> str:
        """Which of a key's clients calls: its own `x-client-id`, or its address without port.

        The caller's word, which nothing proves.
        """
        return self._text("x-client-id") or self.context.peer().rpartition(":")[0]

    async def write(self, *frames: Any) -> None:
        """Send frames of a stream; a reader that does not take them in time loses the stream."""
        try:
            async with asyncio.timeout(WRITE_SECONDS_MAX):
                for frame in frames:
                    await self.context.write(self.form(frame))
        except TimeoutError:
            raise Overloaded("The stream was not read for too long. Begin it again.") from None

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) and TEXT.fullmatch(value) else ""


def _as_it_is(frame: Any) -> Any:
    return frame
