"""A real server of one iCalendar file, which can be told to change it or to be gone."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web


class FeedServer:
    """Serves `body` at `url`, with an entity tag and the date where they are given."""

    def __init__(self):
        self.body = b""
        self.status = 200
        self.headers = {}
        self.requests = []
        self.asked = asyncio.Event()
        self.url = ""

    async def __call__(self, request):
        self.requests.append(request)
        self.asked.set()
        etag, date = self.headers.get("ETag"), self.headers.get("Last-Modified")
        is_known = (etag and etag == request.headers.get("If-None-Match")) or (
            date and date == request.headers.get("If-Modified-Since")
        )
        if self.status == 200 and is_known:
            return web.Response(status=304, headers=self.headers)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@asynccontextmanager
async def serving_feed(handler=None, host="127.0.0.1"):
    """Serve until the block ends."""
    server = FeedServer() if handler is None else handler
    runner = web.ServerRunner(web.Server(server), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    server.url = f"http://{host}:{port}/calendar.ics"
    try:
        yield server
    finally:
        await runner.cleanup()


def ics_of(*busy):
    """Return a file of events: pairs of start and end, in UTC."""
    events = "".join(
        "BEGIN:VEVENT\r\n"
        f"UID:{start:%Y%m%dT%H%M%S}@test\r\n"
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\n"
        "END:VEVENT\r\n"
        for start, end in busy
    )
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{events}END:VCALENDAR\r\n"
    return text.encode()
