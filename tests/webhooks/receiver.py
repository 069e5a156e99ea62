"""A server that receives webhooks: a real one, that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

Answer = Callable[["Call"], Any]
"""Returns a status or a response, or something to await that does."""


@dataclass(frozen=True)
class Call:
    """One call, as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return self.event["type"]

    def verify(self, secret: str) -> dict[str, Any]:
        """Return the event, or raise, as a receiver's library does."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Keeps what it was called with; `answer` decides, for each call, what it says."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Answer = lambda _call: 200
        self.port = 0
        self._called = asyncio.Event()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def of(self, path: str = "/hook") -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so of its calls."""
        async with asyncio.timeout(30):
            while not is_so():
                self._called.clear()
                await self._called.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.path, headers, await request.read())
        self.calls.append(call)
        self._called.set()
        answer = self.answer(call)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return web.Response(status=answer) if isinstance(answer, int) else answer


@asynccontextmanager
async def receiving():
    """Receive on a free port until the block ends."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()
