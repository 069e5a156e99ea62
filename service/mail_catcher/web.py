"""The page of the letters, and what programs ask for: JSON, files, and a stream of changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from ipaddress import ip_address
from socket import gethostname

from aiohttp import web

from service.mail_catcher.letters import Letter, Letters
from service.mail_catcher.reading import summary, whole

STREAMS_MAX = 50
"""Pages that are told of changes; further ones are refused, and ask again by themselves."""
BEAT_SECONDS = 15.0
STOP_SECONDS_MAX = 2.0
PAGE = files("service.mail_catcher").joinpath("page")
PAGE_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
# What is in a letter is shown in a frame that inherits this: it runs nothing, and asks nobody.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
LETTERS: web.AppKey[Letters] = web.AppKey("letters", Letters)
SMTP_URL: web.AppKey[str] = web.AppKey("smtp_url", str)
STREAMS: web.AppKey[set[asyncio.Task[object]]] = web.AppKey("streams", set[asyncio.Task[object]])


@asynccontextmanager
async def serving(
    letters: Letters, address: tuple[str, int], smtp_url: str
) -> AsyncIterator[tuple[str, int]]:
    """Serve the page until the block ends; yields the address, where a port of 0 is a free one."""
    app = web.Application(middlewares=[_known_host_only], client_max_size=0)
    app[LETTERS], app[SMTP_URL], app[STREAMS] = letters, smtp_url, set()
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_end_streams)
    app.add_routes(
        [
            *(web.get(path, _page_file) for path in PAGE_FILES),
            web.get("/letters.json", _list),
            web.get("/changes", _changes),
            web.get(r"/letters/{number:\d{1,9}}.json", _letter),
            web.get(r"/letters/{number:\d{1,9}}.eml", _file),
            web.delete("/letters", _clear),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS_MAX)
    await runner.setup()
    try:
        await web.TCPSite(runner, *address).start()
        host, port = runner.addresses[0][:2]
        yield host, port
    finally:
        await runner.cleanup()


@web.middleware
async def _known_host_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse a page of another site whose name was made to lead here."""
    host = request.url.host or ""
    if not (host == "localhost" or host == gethostname() or _is_address(host)):
        raise web.HTTPForbidden(text=f"{host} is no name of this server.")
    return await handler(request)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _page_file(request: web.Request) -> web.Response:
    name, content_type = PAGE_FILES[request.path]
    text = PAGE.joinpath(name).read_text()
    return web.Response(text=text, content_type=content_type, charset="utf-8")


async def _list(request: web.Request) -> web.Response:
    letters = request.app[LETTERS].kept
    told = {
        "smtpUrl": request.app[SMTP_URL],
        "letters": [summary(letter) for letter in reversed(letters)],
    }
    return web.json_response(told)


async def _letter(request: web.Request) -> web.Response:
    return web.json_response(whole(_found(request)))


async def _file(request: web.Request) -> web.Response:
    letter = _found(request)
    disposition = f'attachment; filename="letter-{letter.number}.eml"'
    return web.Response(
        body=letter.raw,
        content_type="message/rfc822",
        headers={"content-disposition": disposition},
    )


async def _clear(request: web.Request) -> web.Response:
    request.app[LETTERS].clear()
    return web.Response(status=204)


def _found(request: web.Request) -> Letter:
    letter = request.app[LETTERS].find(int(request.match_info["number"]))
    if letter is None:
        raise web.HTTPNotFound(text="This letter is not kept any more.")
    return letter


async def _changes(request: web.Request) -> web.StreamResponse:
    """Tell, as server-sent events, that letters came or went; the page asks which."""
    streams = request.app[STREAMS]
    if len(streams) >= STREAMS_MAX:
        raise web.HTTPServiceUnavailable(text="Too many pages are open.")
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    task = asyncio.current_task()
    assert task is not None
    streams.add(task)
    try:
        await response.prepare(request)
        await _tell_changes(request.app[LETTERS], response)
    except ConnectionResetError:
        pass
    finally:
        streams.discard(task)
    return response


async def _tell_changes(letters: Letters, response: web.StreamResponse) -> None:
    while True:
        seen = letters.changes
        await response.write(_event(len(letters.kept)))
        try:
            await asyncio.wait_for(letters.changed(seen), BEAT_SECONDS)
        except TimeoutError:
            continue


def _event(count: int) -> bytes:
    return f"event: letters\ndata: {json.dumps({'count': count})}\n\n".encode()


async def _end_streams(app: web.Application) -> None:
    streams = app[STREAMS]
    for task in tuple(streams):
        task.cancel()
