"""The page, and the API that it speaks: JSON in, server-sent events out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from zoneinfo import available_timezones

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slotcast_chat.assistant.hearing import MESSAGE_MAX
from slotcast_chat.server.chat import Chat, UnknownConversation
from slotcast_chat.server.talk import Busy, NotSeen, Talk

BODY_BYTES_MAX = 16 * 1024
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def build_app(chat: Chat) -> Starlette:
    """Build the web application. It is for this machine only: other names of it are refused."""

    async def begin(request: Request) -> Response:
        zone = _text(await _body(request), "timeZone", 64)
        conversation = await chat.begin(zone if zone in available_timezones() else "")
        return JSONResponse({"conversation": conversation}, status_code=201)

    async def say(request: Request) -> Response:
        body = await _body(request)
        talk = _talk(chat, request)
        time, text = _text(body, "time", 300), _text(body, "text", MESSAGE_MAX)
        try:
            if time:
                await talk.pick(time)
            else:
                await talk.hear(text, _seen(body))
        except Busy:
            raise HTTPException(409, "The last message is not answered yet.") from None
        except NotSeen:
            raise HTTPException(412, "That was written before the question was shown.") from None
        return Response(status_code=204)

    async def listen(request: Request) -> Response:
        talk = _talk(chat, request)
        after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
        return StreamingResponse(_events(talk, number), media_type="text/event-stream")

    one = "/api/conversations/{conversation}"
    return Starlette(
        routes=[
            Route("/", _page("index.html")),
            *(Route(f"/{name}", _page(name)) for name in ("chat.css", "chat.js")),
            Route("/api/conversations", begin, methods=["POST"]),
            Route(f"{one}/messages", say, methods=["POST"]),
            Route(f"{one}/events", listen),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(_WithHeaders),
        ],
    )


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = (files("slotcast_chat") / "page" / name).read_bytes()
    media_type = _TYPES[name.rpartition(".")[2]]

    async def page(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return page


async def _events(talk: Talk, number: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for text in talk.events.after(number):
        yield text


def _talk(chat: Chat, request: Request) -> Talk:
    try:
        return chat.talk(request.path_params["conversation"])
    except UnknownConversation:
        raise HTTPException(404, "There is no such conversation; begin a new one.") from None


async def _body(request: Request) -> dict[str, object]:
    # A page of another origin cannot send this type without being asked first, and is not let.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON.")
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_BYTES_MAX:
            raise HTTPException(413, "That is too long.")
    try:
        body = json.loads(content)
    except ValueError:
        raise HTTPException(400, "That is no JSON.") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "Send an object.")
    return body


def _text(body: dict[str, object], name: str, length_max: int) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > length_max:
        raise HTTPException(400, f"{name} is no text of at most {length_max} characters.")
    return value


def _seen(body: dict[str, object]) -> int | None:
    value = body.get("seen")
    if value is not None and type(value) is not int:
        raise HTTPException(400, "seen is no number of an event.")
    return value


class _WithHeaders:
    """Adds the headers that every answer has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, send_with if scope["type"] == "http" else send)
